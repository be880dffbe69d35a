"""Records a shift on CPython, so that it can be replayed byte for byte on MicroPython.

The shift is opened by its PIN, twenty guests come, the last tap is put back, a sync brings keys, forty offers and a
hotlist of 10 000 of 100 000 passes, five more guests come, the day is added up, and the shift is closed.
"""

import random
import shutil
from pathlib import Path
from typing import Any

from issuer.hotlist import base_of, changes_of
from terminal.firmware import link
from terminal.firmware.storage import FileStorage
from tests.city import CENTS, DAY, OFFERS, PcTerminal, bundle, list_keys, make_pass

GUESTS, LATER_GUESTS = 20, 5
_OFFERS = 40
_ISSUED, _BLOCKED = 100_000, 10_000
_MANY = [
    {"n": 100 + at, "name": f"Activiteit {at}", "purse": CENTS, "price": "fixed", "amount": 100 + at}
    | {"percent": 0, "cap": 0, "purse2": 255, "amount2": 0}
    for at in range(_OFFERS - len(OFFERS))
]


def record_shift(folder: Path) -> tuple[Path, Path]:
    """`(flash before the shift, recording)`, both in the folder."""
    flash, before = folder / "used", folder / "flash"
    PcTerminal(flash, storage=FileStorage(str(_made(flash) / "journal0"), 64))
    shutil.copytree(flash, before)
    tape = _Tape()
    _work(_Recorder(flash, tape), tape)
    return before, tape.write(folder / "recording")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _work(terminal: "_Recorder", tape: "_Tape") -> None:
    cards = [make_pass(b"\x04" + number.to_bytes(6, "big")) for number in range(GUESTS + LATER_GUESTS)]
    terminal.press("1#")
    for card, _ in cards[:GUESTS]:
        _guest(terminal, card, "00")
        terminal.press("#")
    tape.stage("after_20_guests")
    terminal.press("*A")
    _guest(terminal, cards[GUESTS - 1][0], "01")
    terminal.press("*")
    tape.stage("after_reversal")
    _sync(terminal, [made.handle for _, made in cards])
    tape.stage("after_sync")
    terminal.press("1#")
    for card, _ in cards[GUESTS:]:
        _guest(terminal, card, "00")
        terminal.press("#")
    tape.stage("after_25_guests")
    terminal.press("*D2")
    tape.stage("totals_on_screen")
    terminal.press("*D1")
    tape.stage("closed")


def _guest(terminal: "_Recorder", card: Any, code: str) -> None:
    assert terminal.hold(card)[1] == code, terminal.screen


def _sync(terminal: "_Recorder", handles: list[bytes]) -> None:
    """In the order of terminal/firmware/sync.py."""
    taken = len(terminal.entries())
    terminal.renew()
    terminal.ask(link.BUNDLE, bundle(version=2, offers=[*OFFERS, *_MANY], held=taken))
    rnd, key = random.Random(1), list_keys().key
    others = [rnd.randbytes(16) for _ in range(_ISSUED - len(handles))]
    base = base_of(key, 2, DAY, others[:_BLOCKED], others[_BLOCKED:] + handles)
    terminal.ask(link.HOTLIST, base + changes_of(base, key, 2, []))


class _Tape:
    """What happened, in four files."""

    def __init__(self) -> None:
        self.exchanges, self.questions = bytearray(), bytearray()
        self.drawn = bytearray()
        self.steps: list[str] = []

    def random(self, count: int) -> bytes:
        self.drawn += (drawn := random.Random(len(self.drawn)).randbytes(count))
        return drawn

    def stage(self, name: str) -> None:
        self.steps.append(f"stage {name}")

    def write(self, folder: Path) -> Path:
        folder.mkdir()
        for name in ("exchanges", "questions"):
            (folder / name).write_bytes(getattr(self, name))
        (folder / "random").write_bytes(self.drawn)
        (folder / "steps").write_text("".join(f"{step}\n" for step in self.steps))
        return folder


class _Recorder(PcTerminal):
    """The terminal on a flash that is provisioned, and a tape of all that comes to it."""

    def __init__(self, flash: Path, tape: _Tape) -> None:
        self._tape = tape
        storage = FileStorage(str(flash / "journal0"), 64)
        super().__init__(flash, provision=False, storage=storage, random=tape.random)
        tape.stage("shift_open")

    def switch_on(self) -> None:
        super().switch_on()
        self._tape.stage("switched_on")
        tape, answer, transmit = self._tape, self.device.answer, self.reader.transmit

        def asked(kind: bytes, issuer: int, content: bytes) -> tuple[bytes, bytes]:
            question = link.frame(kind, issuer, content)
            tape.questions += question
            tape.steps.append(f"question {len(question)}")
            return answer(kind, issuer, content)

        def transmitted(apdu: bytes) -> bytes:
            got = transmit(apdu)
            tape.exchanges.extend(bytes([len(apdu)]) + apdu + bytes([len(got)]) + got)
            return got

        self.device.answer = asked
        self.reader.transmit = transmitted

    def press(self, keys: str) -> tuple[str, str, str, str]:
        self._tape.steps.append(f"keys {keys}")
        return super().press(keys)

    def hold(self, card: Any) -> tuple[str, str, str, str]:
        screen = super().hold(card)
        self._tape.steps.append(f"guest {screen[1]}")
        return screen
