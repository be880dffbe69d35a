"""A PN532 on SPI (PN532 user manual, 6.2.5): mode 0, at most 5 MHz, lowest bit first."""

from terminal.firmware.ticks import left_of, sleep_ms, ticks_ms

# Data write, status read, data read: 01, 02 and 03, lowest bit first.
_WRITE = b"\x80"
_STATUS = b"\x40"
_READ = b"\xc0"
_READY = 0x80
_WAKE_MS = 2
_RESET_MS = 10


def _reversed(byte):
    byte = (byte & 0x0F) << 4 | byte >> 4
    byte = (byte & 0x33) << 2 | byte >> 2 & 0x33
    return (byte & 0x55) << 1 | byte >> 1 & 0x55


# Controllers of small boards send the highest bit first, and the RP2 knows no other way.
_REVERSED = bytes([_reversed(byte) for byte in range(256)])


class Spi:
    """`spi` a machine.SPI, `select` and `reset` output pins, `irq` an input pin; without `irq` the chip is asked."""

    speeds = ()

    def __init__(self, spi, select, irq=None, reset=None):
        self._spi = spi
        self._select = select
        self._irq = irq
        self._reset = reset
        self._status = bytearray(1)
        select.value(1)

    def wake(self, speed):
        if self._reset is not None:
            self._reset.value(0)
            sleep_ms(_RESET_MS)
            self._reset.value(1)
            sleep_ms(_RESET_MS)
        self._select.value(0)
        sleep_ms(_WAKE_MS)
        self._select.value(1)

    def send(self, frame):
        _reverse(frame)
        self._select.value(0)
        self._spi.write(_WRITE)
        self._spi.write(frame)
        self._select.value(1)

    def open(self, timeout_ms):
        began = ticks_ms()
        while not self._has_frame():
            if not left_of(timeout_ms, began):
                return False
        self._select.value(0)
        self._spi.write(_READ)
        return True

    def read_into(self, view, last):
        self._spi.readinto(view)
        _reverse(view)

    def close(self):
        self._select.value(1)

    def _has_frame(self):
        """The status is asked after the line says so, too: the line may still be low from the frame before."""
        if self._irq is not None and self._irq.value():
            return False
        self._select.value(0)
        self._spi.write(_STATUS)
        self._spi.readinto(self._status)
        self._select.value(1)
        return self._status[0] == _READY


def _reverse(view, table=_REVERSED):
    """In place, and the inner loop of a tap: a local table, no second look at the view."""
    at = 0
    for byte in view:
        view[at] = table[byte]
        at += 1
