"""A stack of blank cards that are files, readers in this process, and somebody who puts cards down as asked.

For the demo and for tests: a batch without hardware. What a crash left half-made is put down first.
"""

import os
import secrets
import threading
from pathlib import Path

from hardware.emulated_pass import EmulatedPass, Memory
from hardware.in_process import InProcessReader
from issuer.batch import Line, Step

_TAKES_AWAY = {Step.TAKE_AWAY: "pass", Step.REJECTED: "rejected", Step.WRONG_CARD: "aside", Step.BY_HAND: "aside"}
_PUTS_DOWN = (Step.PUT_DOWN, Step.PUT_THIS_DOWN, Step.FINISH)


class EmulatedStack:
    """`readers` by name, and `show` for a batch. `folder` has cards, `card-UID.json`, and passes, `pass-CODE.json`."""

    def __init__(self, folder: Path, readers: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._half_made = sorted(folder.glob("card-*.json"))
        self._on_reader: dict[str, Path] = {}
        # Where a card was not needed: what comes there now is only what is to be finished.
        self._enough: set[str] = set()
        self._one_at_a_time = threading.Lock()
        self.readers = {f"emulated {number}": InProcessReader() for number in range(1, readers + 1)}

    def show(self, reader: str, line: Line) -> None:
        """Do what the reader asks for."""
        if line.step in _PUTS_DOWN:
            card = self._card(reader)
            if card is not None:
                self.readers[reader].present(card)
        elif line.step is Step.NOT_NEEDED:
            self.readers[reader].remove()
            self._enough.add(reader)
        elif line.step in _TAKES_AWAY and reader in self._on_reader:
            self.readers[reader].remove()
            path = self._on_reader.pop(reader)
            name = line.code or path.stem.removeprefix("card-")
            path.replace(self._folder / f"{_TAKES_AWAY[line.step]}-{name}.json")

    def _card(self, reader: str) -> EmulatedPass | None:
        with self._one_at_a_time:
            path = self._half_made.pop(0) if self._half_made else None
        if path is None and reader in self._enough:
            return None
        if path is None:
            uid = b"\x04" + secrets.token_bytes(6)
            path = self._folder / f"card-{uid.hex()}.json"
            memory = Memory.factory(path=path, uid=uid)
        else:
            memory = Memory.load(path)
        self._on_reader[reader] = path
        return EmulatedPass(memory, random=os.urandom)
