"""The antenna of the chip and the pass on it. Thread-safe: people and the chip do not wait for each other."""

import threading
from collections.abc import Callable
from dataclasses import replace

from hardware.emulated_pass import Activation, EmulatedPass, PassTorn

AfterCard = Callable[[bytes, bytes], None]


class Field:
    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._pass: EmulatedPass | None = None
        self._shown: Activation | None = None
        self.after_card: AfterCard | None = None

    def present(self, emulated_pass: EmulatedPass) -> None:
        """Lay a pass on the reader; one that lies there leaves first."""
        with self._lock:
            self.remove()
            self._pass = emulated_pass

    def remove(self) -> None:
        """Take the pass away. A command that it is executing is finished, but its answer does not arrive."""
        with self._lock:
            self.switch_off()
            self._pass = None

    def switch_off(self) -> None:
        """No field, no power: the pass forgets its session, and the random UID that it showed."""
        with self._lock:
            self._shown = None
            self.let_go()

    def let_go(self) -> None:
        """End the activation of the pass; it keeps its power."""
        with self._lock:
            if self._pass is not None:
                self._pass.deactivate()

    @property
    def active(self) -> bool:
        """A pass is there, and activated."""
        with self._lock:
            return self._pass is not None and self._pass.in_field

    def activate(self, uid: bytes | None = None) -> Activation | None:
        """Activate the pass anew, or only a pass with this `uid`. None: there is none."""
        with self._lock:
            if self._pass is None:
                return None
            seen = self._pass.activate()
            if self._shown is not None:
                # A random UID changes with the power (ISO/IEC 14443-3, 6.4.4), and the power was never off.
                seen = replace(seen, uid=self._shown.uid, atqa=self._shown.atqa)
            self._shown = seen
            if uid in (None, seen.uid):
                return seen
            self._pass.deactivate()
            return None

    def exchange(self, command: bytes) -> bytes | None:
        """The answer of the pass, or None when it did not arrive."""
        with self._lock:
            asked = self._pass
            if asked is None:
                return None
            try:
                answer = asked.exchange(command)
            except PassTorn:
                # Whoever pulled it away has it in their hand; it is here again when it is presented.
                self.remove()
                return None
        if self.after_card is not None:
            self.after_card(command, answer)
        with self._lock:
            return answer if self._pass is asked and asked.in_field else None
