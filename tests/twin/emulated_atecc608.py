"""An ATECC608 with one key, as an I2C bus sees it; runs on both Pythons.

Written from Microchip's data sheet of the ATECC608A-TFLXTLS (I2C Interface; Read; SHA - HMAC Digest); it shares no code
with the driver. Of the commands it knows Read of the configuration, and SHA as an HMAC of one block.
"""

import hashlib
import time

ADDRESS = 0x60
SLOT = 9
# Its own documentation: 60 microseconds of a low SDA wake it, 1.3 seconds later it sleeps whatever it does.
_WAKES_US = 60
_WATCHDOG_MS = 1300
_READ_MS = 5
_SHA_MS = 36
_NO_DEVICE = 19
_OK, _PARSE_ERROR, _EXECUTION_ERROR, _GARBLED = 0x00, 0x03, 0x0F, 0xFF


def _milliseconds():
    return time.ticks_ms() if hasattr(time, "ticks_ms") else time.monotonic_ns() // 1000000


class EmulatedAtecc608:
    """`now()` gives milliseconds. What a test breaks: `present`, `configuration`, `spoils`, `dies_after`, `slow_ms`."""

    def __init__(self, key, now=_milliseconds):
        self.present = True
        self.configuration = bytearray(128)
        self.configuration[86:88] = b"\x00\x00"
        self.configuration[20 + 2 * SLOT : 22 + 2 * SLOT] = b"\x8f\x8f"
        self.spoils = 0  # so many answers get a wrong CRC
        self.dies_after = None  # so many commands, and it never answers again
        self.slow_ms = 0  # what each command takes longer than it should
        self.heard = []  # the opcode and mode of each command
        self._key, self._now = key, now
        self._since = None
        self._busy_until = 0
        self._answer, self._at = b"", 0
        self._inner = None

    @property
    def awake(self):
        if self._since is not None and self._now() - self._since >= _WATCHDOG_MS:
            self._sleep()
        return self._since is not None

    def sda_was_low(self, microseconds):
        if self.present and microseconds >= _WAKES_US and not self.awake:
            self._since, self._busy_until = self._now(), self._now() + 1
            self._answer, self._at = b"\x04\x11\x33\x43", 0

    def take(self, data):
        """A write; OSError is what the bus says when nobody acknowledges."""
        self._acknowledge()
        if data[0] == 0x00:
            self._at = 0
        elif data[0] == 0x01:
            self._sleep()
        elif data[0] == 0x03:
            self._run(data[1:])
        else:
            raise ValueError("nobody should send the word address %02X" % data[0])

    def give(self, count):
        """A read; behind its last byte it sends ones."""
        self._acknowledge()
        given = self._answer[self._at : self._at + count]
        self._at += count
        return given + b"\xff" * (count - len(given))

    def _acknowledge(self):
        if not self.present or not self.awake or self._now() < self._busy_until:
            raise OSError(_NO_DEVICE)

    def _sleep(self):
        self._since = self._inner = None

    def _run(self, packet):
        if packet[0] != len(packet) or len(packet) < 7 or _checksum(packet[:-2]) != packet[-2:]:
            return self._reply(bytes([_GARBLED]), 1)
        opcode, mode, number, data = packet[1], packet[2], packet[3] | packet[4] << 8, packet[5:-2]
        self.heard.append((opcode, mode))
        if self.dies_after is not None and len(self.heard) > self.dies_after:
            self.present = False
            return None
        if opcode == 0x02 and mode == 0x00 and not data and number < 32:
            return self._reply(bytes(self.configuration[4 * number : 4 * number + 4]), _READ_MS)
        if opcode == 0x47:
            return self._reply(self._hmac(mode, number, data), _SHA_MS)
        return self._reply(bytes([_PARSE_ERROR]), 1)

    def _hmac(self, mode, number, data):
        if mode == 0x04 and not data:
            # NoMac, or nothing to be trusted yet.
            if self.configuration[20 + 2 * SLOT] & 0x10 or self.configuration[86] or number != SLOT:
                return bytes([_EXECUTION_ERROR])
            self._inner = hashlib.sha256(self._padded(0x36))
            return bytes([_OK])
        if mode not in (0x02, 0x42, 0xC2) or number != len(data) or len(data) > 64:
            return bytes([_PARSE_ERROR])
        if self._inner is None:
            return bytes([_EXECUTION_ERROR])
        inner, self._inner = self._inner, None
        inner.update(data)
        outer = hashlib.sha256(self._padded(0x5C))
        outer.update(inner.digest())
        return outer.digest()

    def _padded(self, byte):
        return bytes([one ^ byte for one in self._key]) + bytes([byte]) * 32

    def _reply(self, content, milliseconds):
        packet = bytes([len(content) + 3]) + content
        checksum = _checksum(packet)
        if self.spoils:
            self.spoils -= 1
            checksum = bytes([checksum[0] ^ 0x01, checksum[1]])
        self._answer, self._at = packet + checksum, 0
        self._busy_until = self._now() + milliseconds + self.slow_ms


def _checksum(data):
    """CRC-16/ARC, with its bits the other way round."""
    register = 0
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    turned = int("".join(["1" if register >> bit & 1 else "0" for bit in range(16)]), 2)
    return bytes([turned & 0xFF, turned >> 8])
