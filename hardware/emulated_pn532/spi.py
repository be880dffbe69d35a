"""The chip on SPI (UM 6.2.5): mode 0, lowest bit first, every transfer led by a code for what is wanted."""

import time

from hardware.emulated_pass import EmulatedPass
from hardware.emulated_pn532.bus import BusChip, BusMisused, Transfer

_DATA_WRITE, _STATUS_READ, _DATA_READ = 0x01, 0x02, 0x03
# From the first time it is selected the chip needs this long until it hears.
_WAKE_SECONDS = 0.001


class SpiChip(BusChip):
    """`transfer` is what a controller sees that sends the highest bit first, as all do: every byte the other way round.

    `lowest_first`: a controller that can do better.
    """

    def __init__(self, emulated_pass: EmulatedPass | None = None, *, lowest_first: bool = False) -> None:
        super().__init__(emulated_pass)
        self._lowest_first = lowest_first
        self._selected = False
        self._woken: float | None = None
        self._received = bytearray()

    def select(self, level: int) -> None:
        """The select line; 0 begins a transfer, 1 ends it."""
        with self._lock:
            if level and self._selected:
                self._end()
            elif not level and not self._selected:
                self._received.clear()
                self._begin_read()
                if self._woken is None:
                    self._woken = time.monotonic()
            self._selected = not level

    def transfer(self, data: bytes) -> bytes:
        """What comes back while `data` goes out."""
        with self._lock:
            if not self._selected:
                raise BusMisused("the chip is spoken to and not selected")
            return bytes(self._in_order(self._byte(self._in_order(byte))) for byte in data)

    def _in_order(self, byte: int) -> int:
        return byte if self._lowest_first else int(f"{byte:08b}"[::-1], 2)

    def _byte(self, byte: int) -> int:
        self._received.append(byte)
        if len(self._received) == 1:
            return 0
        if self._received[0] == _STATUS_READ:
            return self._status
        return self._next_byte() if self._received[0] == _DATA_READ else 0

    def _end(self) -> None:
        if not self._received:
            return
        code, total = self._received[0], len(self._received)
        if code == _DATA_READ:
            self._end_read(total)
        elif code == _STATUS_READ:
            self.transfers.append(Transfer("status", total))
        elif code == _DATA_WRITE:
            self.transfers.append(Transfer("write", total))
            if self._woken is not None and time.monotonic() - self._woken >= _WAKE_SECONDS:
                self._dialogue.hear(bytes(self._received[1:]))
        else:
            raise BusMisused(f"no transfer begins with {code:02X}")
