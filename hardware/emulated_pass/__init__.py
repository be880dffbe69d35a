"""A DESFire EV2 or EV3 pass (or an EV1) in software, written without looking at the code that reads passes.

Read in this order: `emulated_pass` (what a reader meets), `processor` (from frame to answer), `table` (every command),
`access` (who may), then the commands; below them `transaction`, `memory` and `model`; beside them the three secure
messagings `d40`, `ev1` and `ev2`.
"""

from hardware.emulated_pass.emulated_pass import Activation, EmulatedPass
from hardware.emulated_pass.inspection import inspect
from hardware.emulated_pass.memory import Memory, PassTorn, PowerCut

__all__ = ["Activation", "EmulatedPass", "Memory", "PassTorn", "PowerCut", "inspect"]
