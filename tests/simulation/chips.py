"""Passes that remember what they committed: the truth that no terminal, desk or backend can talk about.

It is read from inside the emulated chip, command by command, so a fault in the line cannot agree with itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from card.layout import PASS_FILE, PassFile
from card.wire import read_uint
from hardware.emulated_pass import EmulatedPass, Memory
from hardware.emulated_pass.model import DataFile, ValueFile


class Name(NamedTuple):
    """How a pass names a transaction: the reader id that it signed. `digest`: eight bytes of hash of the record."""

    terminal: int
    sequence: int
    digest: bytes


@dataclass(frozen=True)
class Committed:
    """One transaction of a pass. `moves`: by purse, what it added (loads, reversals) or took (below zero)."""

    name: Name
    uid: bytes
    counter: int
    moves: dict[int, int]


class WatchedPass(EmulatedPass):
    """An emulated pass that tells `committed` of every transaction, also when nobody heard the answer."""

    def __init__(self, memory: Memory, random: Callable[[int], bytes], committed: Callable[[Committed], None]) -> None:
        super().__init__(memory, random=random)
        self._committed = committed
        self._held: dict[int, int] = {}

    @property
    def counter(self) -> int:
        """How many transactions it committed."""
        for application in self.memory.picc.applications.values():
            mac = application.transaction_mac()
            if mac is not None:
                return mac.counter
        return 0

    @property
    def balances(self) -> dict[int, int]:
        """By purse, what it holds."""
        return {
            number: file.value
            for application in self.memory.picc.applications.values()
            for number, file in application.files.items()
            if isinstance(file, ValueFile)
        }

    @property
    def valid(self) -> tuple[int, int]:
        """The first and the last day that it says of itself."""
        (application,) = self.memory.picc.applications.values()
        file = application.files[PASS_FILE]
        assert isinstance(file, DataFile)
        said = PassFile.from_bytes(file.data)
        return said.valid_from, said.valid_until

    def exchange(self, command: bytes) -> bytes:
        before = self.counter
        try:
            return super().exchange(command)
        finally:
            if self.counter > before:
                self._tell()

    def _tell(self) -> None:
        now = self.balances
        moves = {purse: value - self._held.get(purse, 0) for purse, value in now.items()}
        self._held = now
        (application,) = self.memory.picc.applications.values()
        mac = application.transaction_mac()
        assert mac is not None  # else there is no counter
        reader = mac.previous_reader
        name = Name(read_uint(reader, 0, 4), read_uint(reader, 4, 4), reader[8:])
        self._committed(Committed(name, self.memory.picc.uid, mac.counter, {k: v for k, v in moves.items() if v}))
