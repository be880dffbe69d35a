"""So many exchanges over SPI with a chip that answers from a string: `micropython driver_load.py COUNT`."""

import sys

from terminal.firmware.pn532 import Pn532
from terminal.firmware.pn532_spi import Spi, _reverse


def framed(body):
    return b"\x00\x00\xff" + bytes([len(body), -len(body) & 0xFF]) + body + bytes([-sum(body) & 0xFF, 0])


def wire(data):
    data = bytearray(data)
    _reverse(data)
    return bytes(data)


class Pin:
    def value(self, level=None):
        return 0


class Bus:
    """Gives ready, an ACK, ready, and an answer, over and over."""

    def __init__(self):
        self._said = wire(b"\x01\x00\x00\xff\x00\xff\x00\x01" + framed(b"\xd5\x41\x00" + bytes(range(30))))
        self._at = 0

    def write(self, data):
        pass

    def readinto(self, buffer):
        end = self._at + len(buffer)
        buffer[:] = self._said[self._at : end]
        self._at = end % len(self._said)


reader = Pn532(Spi(Bus(), Pin(), Pin()))
for _ in range(int(sys.argv[1])):
    reader.transmit(bytes(20))
