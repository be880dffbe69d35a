"""All that comes to terminals and all that they do, on tapes that tests/twin/city_replay.py plays on both Pythons.

A tape is lines of JSON in the order in which things happened: what a terminal was told to do (`start`, `turn`, `ask`),
what had happened to its flash and its power, what its board was asked and said to that, what it showed and answered.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from terminal.firmware.device import Device
from terminal.firmware.errors import ReaderError
from terminal.firmware.flash import Flash
from terminal.pc import PcBoard
from tests.city import PcTerminal
from tests.twin.city_replay import JOURNAL, ROOM
from tests.twin.nor_flash import NorFlash, PowerCut

T = TypeVar("T")


class Tape:
    """Is written to `path`; of the terminal whose files are in `flash`, and its journal in `storage`."""

    def __init__(self, path: Path, flash: Path, storage: NorFlash) -> None:
        self.path, self._flash, self._storage = path, flash, storage
        self._file = path.open("w")
        self._left = bytes(storage.content)

    def note(self, *what: object) -> None:
        self._file.write(json.dumps(what) + "\n")

    def begin(self, *what: object) -> None:
        """The terminal is told to do something, with what happened to its flash and its power since the last time."""
        for at, byte in enumerate(self._storage.content) if self._storage.content != self._left else ():
            if byte != self._left[at]:
                self.note("rotted", at, byte)
        if self._storage.steps_left is not None:
            self.note("power", self._storage.steps_left)
        self.note(*what)

    @contextmanager
    def doing(self, *what: object) -> Iterator[None]:
        """The same, until it is done or the power is gone."""
        self.begin(*what)
        try:
            yield
        except PowerCut:
            self.note("cut")
            raise
        finally:
            self._left = bytes(self._storage.content)

    def flash(self) -> dict[str, bytes]:
        """The files that the terminal has now, and its journal."""
        return {**files_in(self._flash), JOURNAL: bytes(self._storage.content)}

    def close(self) -> None:
        self._file.close()


def files_in(folder: Path) -> dict[str, bytes]:
    """By their names in the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def taped(folder: Path) -> Iterator[dict[Path, Tape]]:
    """The tapes, by their flash, of all terminals that are switched on for the first time meanwhile."""
    tapes: dict[Path, Tape] = {}

    def start(terminal: PcTerminal, board: PcBoard) -> Device:
        flash = terminal.flash
        if flash not in tapes:
            if any(flash.iterdir()):
                return Device(str(flash), board)  # a copy of another, which has its tape
            tapes[flash] = Tape(folder / f"{flash.name}.tape", flash, terminal.storage)
        return _Device(str(flash), board, tapes[flash])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PcTerminal, "start", start)
        # It is said to hosts, and is that of this machine.
        patch.setattr(Flash, "room", lambda flash: ROOM)
        yield tapes
    for tape in tapes.values():
        tape.close()


class _Device(Device):
    """A terminal of which a tape is made."""

    def __init__(self, flash: str, board: PcBoard, tape: Tape) -> None:
        self._tape = tape
        with tape.doing("start"):
            super().__init__(flash, _Board(board, tape))
        tape.note("is", self.state)

    def turn(self) -> None:
        with self._tape.doing("turn"):
            super().turn()
        self._tape.note("is", self.state)

    def answer(self, kind: bytes, issuer: int, content: bytes) -> tuple[bytes, bytes]:
        with self._tape.doing("ask", kind.decode(), issuer, content.hex()):
            answered, said = super().answer(kind, issuer, content)
        self._tape.note("said", answered.decode(), said.hex())
        return answered, said


class _Board:
    """The board of such a terminal, and its reader."""

    def __init__(self, board: PcBoard, tape: Tape) -> None:
        self._board, self._tape = board, tape
        self.reader = self
        self._reader = board.reader

    def _came(self, what: str, came: T) -> T:
        self._tape.note(what, came)
        return came

    def key(self) -> str | None:
        return self._came("key", self._board.key())

    def seconds_on(self) -> int:
        return self._came("seconds_on", self._board.seconds_on())

    def today(self) -> int | None:
        return self._came("today", self._board.today())

    def random(self, count: int) -> bytes:
        drawn = self._board.random(count)
        self._tape.note("random", drawn.hex())
        return drawn

    def show(self, state: str, code: str, lines: tuple[str, str]) -> None:
        self._tape.note("show", state, code, *lines)
        self._board.show(state, code, lines)

    def set_today(self, day: int) -> None:
        self._tape.note("set_today", day)
        self._board.set_today(day)

    def storage(self, index: int) -> Any:
        self._tape.note("storage", index)
        return self._board.storage(index)

    def rest(self) -> None:
        self._tape.note("rest")

    # Its reader

    def find_pass(self) -> bytes | None:
        return self._read(self._reader.find_pass, "find_pass")

    def transmit(self, apdu: bytes) -> bytes:
        # The firmware uses the buffer again.
        return self._read(lambda: self._reader.transmit(apdu), "transmit", bytes(apdu).hex())

    def release(self) -> None:
        self._read(self._reader.release, "release")

    def _read(self, call: Callable[[], T], *what: str) -> T:
        try:
            got = call()
        except ReaderError as error:
            self._tape.note(*what, type(error).__name__, str(error))
            raise
        self._tape.note(*what, "", got.hex() if isinstance(got, bytes) else None)
        return got
