"""What a trainee can do with a terminal: press keys, hold passes, and let go wrong what goes wrong at a counter."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from hardware.emulated_pass import EmulatedPass
from terminal.errors import TerminalError
from terminal.host import Link
from terminal.simulator.machine import Machine, Screen

KEYS = "123A456B789C*0#D"
NOTHING, TEAR, PLUG = "nothing", "tear", "plug"
_COMMIT = b"\xc7"
_PATIENCE_S = 10.0
# The page says it: a trainee has to type it whenever the terminal was switched off.
PIN = "2580"


@dataclass(frozen=True)
class TrainingPass:
    """A pass to practise with. `name` and `about` in Dutch and English."""

    key: str
    name: tuple[str, str]
    about: tuple[str, str]
    card: EmulatedPass


class City(Protocol):
    """A municipality to practise in: somebody else makes its keys, lists and passes."""

    @property
    def passes(self) -> Sequence[TrainingPass]: ...

    def provision(self, link: Link) -> None:
        """Give a terminal its keys and lists."""

    def holds(self, card: EmulatedPass, language: int) -> str:
        """What is on a pass, in words; empty when it is none of ours."""


@dataclass(frozen=True)
class Situation:
    """All that a page shows. `number` rises with each change, `screens` with each screen that the terminal showed."""

    number: int
    screens: int
    screen: Screen | None
    on_reader: str | None
    middle: str
    language: int


class Simulator:
    """A provisioned terminal, switched on. May be called from any thread."""

    def __init__(self, folder: Path, firmware: Path, city: City, language: int = 0) -> None:
        self.city = city
        self._passes = {each.key: each.card for each in city.passes}
        self._changed = threading.Condition()
        # Who switches: one at a time. Not the lock above, which the display needs while a terminal is switched off.
        self._switch = threading.Lock()
        self._now = Situation(0, 0, None, None, NOTHING, language)
        self._machine = Machine(folder, firmware, self._show)
        self._machine.reader.after_card = self._after_card
        self.plug_in()
        for key in f"{PIN}#{PIN}#":
            self._machine.press(key)
        # Card keys are taken in an open shift only.
        self._until(lambda screen: screen.state == "choosing")
        city.provision(self._machine.link)

    @property
    def link(self) -> Link:
        """The serial port of a host."""
        return self._machine.link

    def situation(self, after: int = -1, patience_s: float = 0) -> Situation:
        """How it stands, as soon as that is newer than `after`, or when patience ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._now.number > after, patience_s)
            return self._now

    def press(self, key: str) -> None:
        """Press one of KEYS."""
        if len(key) != 1 or key not in KEYS:
            raise TerminalError(f"There is no key {key}.")
        self._machine.press(key)

    def place(self, key: str) -> None:
        """Lay a pass on the reader; one that lies there leaves."""
        if key not in self._passes:
            raise TerminalError(f"There is no pass {key}.")
        self._change(on_reader=key)
        self._machine.reader.present(self._passes[key])

    def take_away(self) -> None:
        """Take the pass off the reader."""
        self._machine.reader.remove()
        self._change(on_reader=None)

    def in_the_middle(self, what: str) -> None:
        """What goes wrong in the next payment, once, when the pass has paid and the terminal does not know it yet."""
        if what not in (NOTHING, TEAR, PLUG):
            raise TerminalError(f"{what} is nothing that can go wrong here.")
        self._change(middle=what)

    def pull_the_plug(self) -> None:
        """The power goes, at any moment."""
        with self._switch:
            self._machine.switch_off()

    def plug_in(self) -> None:
        """The power is back; the terminal starts with what is on its flash."""
        with self._switch:
            if self._now.screen is None:
                self._machine.switch_on(self._now.language)
        self._until(lambda screen: True)

    def speak(self, language: int) -> None:
        """Start again in Dutch (0) or English (1)."""
        self.pull_the_plug()
        self._change(language=1 if language else 0)
        self.plug_in()

    def close(self) -> None:
        self._machine.close()

    def _until(self, shown: Callable[[Screen], bool]) -> None:
        with self._changed:
            there = self._changed.wait_for(
                lambda: self._now.screen is not None and shown(self._now.screen), _PATIENCE_S
            )
            if not there:
                raise TerminalError("The terminal does not start; its own words stand above.")

    def _show(self, screen: Screen | None) -> None:
        self._change(screen=screen, screens=self._now.screens + 1)

    def _change(self, **what: Any) -> None:
        with self._changed:
            self._now = replace(self._now, number=self._now.number + 1, **what)
            self._changed.notify_all()

    def _after_card(self, command: bytes, answer: bytes) -> None:
        """Between what a pass did and what the terminal hears of it."""
        middle = self._now.middle
        if command[1:2] != _COMMIT or middle == NOTHING:
            return
        self._change(middle=NOTHING)
        if middle == TEAR:
            self.take_away()
        else:
            self.pull_the_plug()
