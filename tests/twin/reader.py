"""The reader driver on a bus at the other end of a TCP connection; runs on both Pythons.

Usage: PYTHON reader.py spi|i2c PORT    Each line of standard input is find, release, or a command to the pass in hex.
"""

import binascii
import gc
import socket
import sys

from terminal.firmware.errors import PassGone, ReaderError
from terminal.firmware.pn532 import Pn532
from terminal.firmware.pn532_i2c import I2c
from terminal.firmware.pn532_spi import Spi


class Wire:
    """One operation of the bus: kind, count of bytes there and back (2 each), bytes; the answer is as long as asked."""

    def __init__(self, port):
        self._socket = socket.socket()
        self._socket.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])

    def ask(self, kind, data, back):
        self._socket.send(kind + bytes([len(data) >> 8, len(data) & 255, back >> 8, back & 255]) + data)
        answer = b""
        while len(answer) < back:
            answer += self._socket.recv(back - len(answer))
        return answer


class Pin:
    def __init__(self, wire):
        self._wire = wire

    def value(self, level=None):
        return self._wire.ask(b"I", b"", 1)[0] if level is None else self._wire.ask(b"S", bytes([level]), 1)[0]


class FakeSpi:
    def __init__(self, wire):
        self._wire = wire

    def write(self, data):
        self._wire.ask(b"T", bytes(data), len(data))

    def readinto(self, buffer):
        buffer[:] = self._wire.ask(b"T", bytes(len(buffer)), len(buffer))


class FakeSoftI2c:
    def __init__(self, wire):
        self._wire = wire

    def start(self):
        self._wire.ask(b"a", b"", 1)

    def stop(self):
        self._wire.ask(b"o", b"", 1)

    def write(self, data):
        high, low = self._wire.ask(b"w", bytes(data), 2)
        return high << 8 | low

    def readinto(self, buffer, nack=True):
        buffer[:] = self._wire.ask(b"l" if nack else b"r", b"", len(buffer))


def main(kind, port):
    wire = Wire(int(port))
    if kind == "spi":
        reader = Pn532(Spi(FakeSpi(wire), Pin(wire), Pin(wire)))
    else:
        reader = Pn532(I2c(FakeSoftI2c(wire), Pin(wire)))
    for line in sys.stdin:
        asked = line.strip()
        try:
            if asked == "find":
                found = reader.find_pass()
                print(found and binascii.hexlify(found).decode())
            elif asked == "release":
                print(reader.release())
            else:
                print(binascii.hexlify(reader.transmit(binascii.unhexlify(asked))).decode())
        except PassGone as error:
            print("PassGone", error)
        except ReaderError as error:
            print("ReaderError", error)
        gc.collect()


main(*sys.argv[1:])
