"""A PN532 on I2C (PN532 user manual, 6.2.4).

A `machine.SoftI2C`, because the length of a frame stands at its start: the bus has to be held between the two, and the
hardware controllers of small boards end a transfer with each read.
"""

from terminal.firmware.errors import ReaderError
from terminal.firmware.ticks import left_of, sleep_ms, ticks_ms

_TO_WRITE = b"\x48"
_TO_READ = b"\x49"
_READY = 0x01
_RESET_MS = 10
# UM 6.2.4: right after an exchange the chip may not acknowledge its address.
_MOST_CALLS = 20


class I2c:
    """`i2c` a machine.SoftI2C, `irq` an input pin, `reset` an output pin; without `irq` the chip is asked."""

    speeds = ()

    def __init__(self, i2c, irq=None, reset=None):
        self._i2c = i2c
        self._irq = irq
        self._reset = reset
        self._status = bytearray(1)
        self._held = False

    def wake(self, speed):
        """The chip wakes up when it is called, and holds the bus until it is awake."""
        if self._reset is not None:
            self._reset.value(0)
            sleep_ms(_RESET_MS)
            self._reset.value(1)
            sleep_ms(_RESET_MS)

    def send(self, frame):
        self._call(_TO_WRITE)
        acknowledged = self._i2c.write(frame)
        self._i2c.stop()
        if acknowledged != len(frame):
            raise ReaderError("the reader does not take a command from the bus")

    def open(self, timeout_ms):
        began = ticks_ms()
        while not self._has_frame():
            if not left_of(timeout_ms, began):
                return False
            if self._irq is None:
                sleep_ms(1)
        return True

    def read_into(self, view, last):
        self._i2c.readinto(view, last)
        self._held = not last

    def close(self):
        if self._held:
            # The last byte is not acknowledged, or the chip goes on to send.
            self.read_into(self._status, True)
        self._i2c.stop()

    def _has_frame(self):
        """When True, the transfer goes on with the frame."""
        if self._irq is not None and self._irq.value():
            return False
        self._call(_TO_READ)
        self.read_into(self._status, False)
        if self._status[0] & _READY:
            return True
        self.close()
        return False

    def _call(self, address):
        for _ in range(_MOST_CALLS):
            self._i2c.start()
            if self._i2c.write(address) == 1:
                return
            self._i2c.stop()
            sleep_ms(1)
        raise ReaderError("the reader is not on the bus")
