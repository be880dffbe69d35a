"""What SPI and I2C have in common: the host fetches each frame when a status byte and a line say that there is one."""

import threading
from collections import deque
from dataclasses import dataclass

from hardware.emulated_pass import EmulatedPass
from hardware.emulated_pn532.interface import Interface

_MOST_TRANSFERS = 4096


class BusMisused(Exception):
    """The host did what the chip, or the bus, does not allow."""


@dataclass(frozen=True)
class Transfer:
    """One time that the chip was called on its bus: `kind` "write", "status" or "read", and all bytes that went over
    the bus in it, address and codes of the bus included; `unread` bytes of the frame were left, `beyond` were too much.
    """

    kind: str
    total: int
    unread: int = 0
    beyond: int = 0


class BusChip(Interface):
    """The chip acts when the bus does, in the thread of the host. `irq` is the level of its line, 0 when there is a
    frame. A frame that was not read to its end stays, with line and status, as the real chip keeps them.
    `transfers`: the last of them.
    """

    def __init__(self, emulated_pass: EmulatedPass | None = None) -> None:
        super().__init__(emulated_pass)
        self._lock = threading.RLock()
        self.transfers: deque[Transfer] = deque(maxlen=_MOST_TRANSFERS)
        self._at = 0
        self._beyond = 0

    @property
    def irq(self) -> int:
        with self._lock:
            self._dialogue.look()
            return 0 if self._outbox.ready is not None else 1

    @property
    def _status(self) -> int:
        return 1 - self.irq

    def _begin_read(self) -> None:
        self._at = self._beyond = 0

    def _next_byte(self) -> int:
        frame = self._outbox.ready
        if frame is None or self._at >= len(frame):
            self._beyond += 1
            return 0
        self._at += 1
        return frame[self._at - 1]

    def _end_read(self, total: int) -> None:
        frame = self._outbox.ready
        unread = 0 if frame is None else len(frame) - self._at
        self.transfers.append(Transfer("read", total, unread, self._beyond))
        if frame is not None and not unread:
            self._outbox.drop()
