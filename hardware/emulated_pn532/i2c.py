"""The chip on I2C (UM 6.2.4): address 24, a status byte before every frame it sends."""

from hardware.emulated_pass import EmulatedPass
from hardware.emulated_pn532.bus import BusChip, BusMisused, Transfer

_ADDRESS = 0x24


class I2cChip(BusChip):
    """The two lines as a controller moves them: start, bytes out, bytes in, stop.

    `deaf`: so many times it does not acknowledge its address; negative: never.
    """

    def __init__(self, emulated_pass: EmulatedPass | None = None) -> None:
        super().__init__(emulated_pass)
        self.deaf = 0
        self._address: int | None = None
        self._started = False
        self._received = bytearray()
        self._ready = False
        self._sent = 0
        self._goes_on = False

    def start(self) -> None:
        with self._lock:
            if self._started:
                raise BusMisused("a start without a stop: the chip begins its status byte anew")
            self._started = True
            self._address = None
            self._received.clear()
            self._sent = 0

    def write(self, data: bytes) -> int:
        """How many bytes the chip acknowledged."""
        with self._lock:
            acknowledged = 0
            for byte in data:
                if not self._started:
                    raise BusMisused("bytes without a start")
                if self._address is None:
                    if byte >> 1 != _ADDRESS or self.deaf:
                        self.deaf -= 1
                        break
                    self._address = byte
                    if byte & 1:
                        self._begin_read()
                elif self._address & 1:
                    raise BusMisused("the host writes while it reads")
                else:
                    self._received.append(byte)
                acknowledged += 1
            return acknowledged

    def read(self, count: int, last: bool) -> bytes:
        """`last`: the host does not acknowledge the last byte, and the chip lets go of the line."""
        with self._lock:
            if self._address is None or not self._address & 1:
                raise BusMisused("the host reads and did not ask to")
            data = bytearray()
            for _ in range(count):
                if not self._sent:
                    self._ready = bool(self._status)
                    data.append(self._ready)
                else:
                    data.append(self._next_byte() if self._ready else 0)
                self._sent += 1
            self._goes_on = not last
            return bytes(data)

    def stop(self) -> None:
        with self._lock:
            if self._goes_on:
                raise BusMisused("the chip still sends when the host stops")
            self._started = False
            if self._address is None:
                return
            if not self._address & 1:
                self.transfers.append(Transfer("write", 1 + len(self._received)))
                self._dialogue.hear(bytes(self._received))
            elif self._ready and self._sent > 1:
                self._end_read(1 + self._sent)
            else:
                self.transfers.append(Transfer("status", 1 + self._sent))
            self._address = None
