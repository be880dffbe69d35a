"""Passes that remember what they committed: the truth that no terminal, desk or backend can talk about.

It is read from inside the emulated chip, command by command, so a fault in the line cannot agree with itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from card.layout import PASS_FILE, PassFile
from card.wire import read_uint
from hardware.emulated_pass import EmulatedPass, Memory, PassTorn
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
        self._leaves: tuple[int, bool] | None = None

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

    def key_version(self, number: int) -> int:
        """Which version of a key of its application it has."""
        (application,) = self.memory.picc.applications.values()
        return application.keys[number].version

    def leaves_after(self, exchanges: int, executed: bool) -> None:
        """It leaves at that exchange from now, however often it is found in between; once."""
        self._leaves = exchanges, executed

    def stays(self) -> None:
        """It does not leave any more by itself."""
        self._leaves = None

    def _leaves_now(self) -> bool | None:
        """None when it stays, else whether the command still runs."""
        if self._leaves is None:
            return None
        left, executed = self._leaves
        self._leaves = (left - 1, executed) if left > 1 else None
        return executed if left == 1 else None

    def exchange(self, command: bytes) -> bytes:
        before, leaves = self.counter, self._leaves_now()
        try:
            answer = super().exchange(command) if leaves is not False else b""
            if leaves is not None:
                self.deactivate()
                raise PassTorn("the pass left the reader on the desk")
            return answer
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
