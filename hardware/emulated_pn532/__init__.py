"""A PN532 reader chip in software, on a pseudo-terminal that any program can open as its serial port.

Read in this order: `emulated_pn532` (the serial line), `frames`, `chip` (every command), `field` (the pass on the
antenna), `iso_dep` (the blocks of a host that does ISO/IEC 14443-4 itself). "UM" is the PN532 user manual, UM0701-02.
"""

from hardware.emulated_pn532.emulated_pn532 import EmulatedPN532

__all__ = ["EmulatedPN532"]
