"""A key in a chip, the ATECC608: the chip computes with it and never tells it, so a copy of the flash opens nothing.

Nobody has tried this on a real chip. What it relies on is in Microchip's public data sheets of the ATECC608A-TFLXTLS
(sections I2C Interface, SHA - HMAC Digest, Read) and in cryptoauthlib (calib_sha.c, calib_command.h); CRC and lock
bytes also in Adafruit_CircuitPython_ATECC and dmazzella/ucryptoauthlib, the bits of a slot in wirenboard/atecc-util.
"""

from card.wire import uint
from terminal.firmware.errors import KeyChipError
from terminal.firmware.ticks import sleep_ms

# The first byte of what is written.
_SLEEP = b"\x01"
_COMMAND = b"\x03"
_AWAKE = b"\x04\x11\x33\x43"
_WAKE_MS = 2
# SHA takes 75 ms on the slowest setting of its clock; it does not answer while it computes.
_POLL_MS = 2
_POLLS = 100
_AGAIN_MS = 100
_TRIES = 3

_READ = 0x02
_CONFIGURATION = 0x00
_SLOTS_AT = 20
_LOCKS_AT = 84
_LOCKED = b"\x00\x00"
# Of the first byte of a slot's configuration: IsSecret and EncryptRead; with the first alone nobody reads it.
_READABLE = 0xC0
_NEVER = 0x80

_SHA = 0x47
_HMAC_START = 0x04
# As the ATECC608 has it; the digest goes out and stays nowhere in the chip.
_HMAC_END = 0xC2
_DIGEST_BYTES = 32
_ABOUT = b"meedoen device secret 1"
# Count, status or digest, CRC.
_AROUND = 3
_SHORTEST = 4
_DONE = 0x00
_ARRIVED_GARBLED = 0xFF


class Atecc608:
    """`i2c`: a bus of 100 kHz or less, on which a byte of zeros holds SDA low for the 60 microseconds that wake it."""

    def __init__(self, i2c, address, slot):
        self._i2c = i2c
        self._address = address
        self._slot = slot

    def secret(self, content):
        """16 bytes that only this chip can make of `content`, of at most 41 bytes; raises KeyChipError."""
        try:
            for _ in range(_TRIES):
                try:
                    return self._secret(content)
                except OSError:
                    sleep_ms(_AGAIN_MS)  # noise on the line, or it still computes what an earlier start asked
        finally:
            self._rest()
        raise KeyChipError("the key chip does not answer as it should: check its wires")

    def _secret(self, content):
        self._wake()
        if self._configuration(_LOCKS_AT + 2) != _LOCKED:
            raise KeyChipError("the key chip is not locked: prepare it as docs/build-a-terminal.md says")
        if self._configuration(_SLOTS_AT + 2 * self._slot)[0] & _READABLE != _NEVER:
            raise KeyChipError("the key in the key chip can be read: prepare another chip for this terminal")
        self._ask(_SHA, _HMAC_START, self._slot, b"", 1)
        message = _ABOUT + content
        return self._ask(_SHA, _HMAC_END, len(message), message, _DIGEST_BYTES)[:16]

    def _wake(self):
        """From wherever a start that was cut off left it."""
        self._rest()
        try:
            self._i2c.writeto(0, b"")
        except OSError:
            pass  # nobody has this address; it is for its zeros
        sleep_ms(_WAKE_MS)
        if self._i2c.readfrom(self._address, len(_AWAKE)) != _AWAKE:
            raise OSError("no key chip")

    def _rest(self):
        try:
            self._i2c.writeto(self._address, _SLEEP)
        except OSError:
            pass  # it sleeps already, or soon: it never stays awake for longer than 1.3 seconds

    def _configuration(self, at):
        """Two bytes, which are read as half of a word of four."""
        return self._ask(_READ, _CONFIGURATION, at // 4, b"", 4)[at % 4 :][:2]

    def _ask(self, opcode, mode, number, data, count):
        """The `count` bytes of the answer; raises OSError when something is lost on the line."""
        command = uint(7 + len(data), 1) + bytes((opcode, mode)) + uint(number, 2) + data
        self._i2c.writeto(self._address, _COMMAND + command + _crc(command))
        answer = self._answer(count + _AROUND)
        end = answer[0] - 2
        if not _SHORTEST <= end + 2 <= len(answer) or _crc(answer[:end]) != answer[end : end + 2]:
            raise OSError("noise")
        if end + 2 == _SHORTEST and answer[1] not in (_DONE, _ARRIVED_GARBLED):
            raise KeyChipError("the key chip refuses (%02X): prepare it as docs/build-a-terminal.md says" % answer[1])
        if end + 2 != len(answer) or (count == 1 and answer[1] != _DONE):
            raise OSError("noise")
        return answer[1:end]

    def _answer(self, count):
        for _ in range(_POLLS):
            sleep_ms(_POLL_MS)
            try:
                return self._i2c.readfrom(self._address, count)
            except OSError:
                pass  # it still computes
        raise OSError("no answer")


def _crc(data):
    """Polynomial 0x8005, each byte from its lowest bit on; low byte first."""
    crc = 0
    for byte in data:
        for bit in range(8):
            differs = (byte >> bit ^ crc >> 15) & 1
            crc = crc << 1 & 0xFFFF ^ (0x8005 if differs else 0)
    return uint(crc, 2)
