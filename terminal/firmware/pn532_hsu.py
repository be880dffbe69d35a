"""A PN532 on a serial line, HSU (PN532 user manual, 6.2.6)."""

from terminal.firmware.errors import ReaderError
from terminal.firmware.ticks import left_of, sleep_ms, ticks_ms

# Five edges wake the chip up; the rest is time for it, as preamble of the next frame.
_WAKE_UP = b"\x55\x55" + bytes(14)
# Between two bytes of one frame.
_GAP_MS = 200


class Hsu:
    """`port.write(data)`; `port.read(count, timeout_ms)`: exactly `count` bytes, or fewer when time is up.

    `speeds`: the speed after switching on and the speed to work at, for a port with `set_speed(baud)`.
    """

    def __init__(self, port, speeds=()):
        self._port = port
        self.speeds = speeds
        self._first = b""

    def wake(self, speed):
        if speed is not None:
            self._port.set_speed(speed)
        self._first = b""
        self._port.write(_WAKE_UP)

    def send(self, frame):
        self._port.write(frame)

    def open(self, timeout_ms):
        if not self._first:
            self._first = self._port.read(1, timeout_ms)
        return bool(self._first)

    def read_into(self, view, last):
        have = len(self._first)
        data = self._first + self._port.read(len(view) - have, _GAP_MS)
        self._first = b""
        if len(data) != len(view):
            raise ReaderError("the reader stops in the middle of a frame")
        view[:] = data

    def close(self):
        """Frames on a line need no end."""


class Uart:
    """A machine.UART as the port of a Hsu; `settings` are those of `init` beside the speed."""

    def __init__(self, uart, **settings):
        self._uart = uart
        self._settings = settings

    def set_speed(self, baud):
        self._uart.init(baudrate=baud, **self._settings)

    def write(self, data):
        self._uart.write(data)

    def read(self, count, timeout_ms):
        began = ticks_ms()
        data = b""
        while True:
            there = min(count - len(data), self._uart.any())
            if there:
                data += self._uart.read(there)
            if len(data) == count or not left_of(timeout_ms, began):
                return data
            if count - len(data) > 1:
                sleep_ms(0)
