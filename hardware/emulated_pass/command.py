"""One command: its line in the table, and what its handler gets and gives."""

from collections.abc import Callable
from dataclasses import dataclass

from hardware.emulated_pass.messaging import Answer, Guard
from hardware.emulated_pass.model import GENERATIONS, Rights
from hardware.emulated_pass.powered import Powered


@dataclass(frozen=True)
class Call:
    """A command as it arrived, opened. `ins` as sent: a twin with ISO chaining counts differently in the TMAC."""

    ins: int
    parameters: bytes

    def number(self, start: int, size: int) -> int:
        return int.from_bytes(self.parameters[start : start + size], "little")


@dataclass(frozen=True)
class Handshake:
    """The first half of an authentication: `challenge` goes out with AF, `finish` takes the reader's reply."""

    challenge: bytes
    finish: Callable[[bytes], Answer]


Handler = Callable[[Powered, Call], Answer | Handshake]
Needs = Callable[[Rights], tuple[int, ...]]


@dataclass(frozen=True)
class Command:
    """A line of the table.

    `lengths`: allowed lengths of all parameters together, unprotected. `clear`: how many of them stay readable in full
    protection. `needs`: which access rights of the file (parameter 0) permit it. `chained`: its data may come in
    several AF frames. `whole`: it travels with ISO chaining, so neither it nor its answer is cut into AF frames.
    """

    ins: int
    name: str
    handler: Handler
    guard: Guard
    lengths: range
    clear: int = 0
    since: str = "EV1"
    needs: Needs | None = None
    chained: bool = False
    whole: bool = False

    def known_to(self, generation: str) -> bool:
        return GENERATIONS.index(generation) >= GENERATIONS.index(self.since)
