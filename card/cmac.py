"""AES-CMAC (RFC 4493, NIST SP 800-38B)."""

from card.aes import BLOCK, ZERO_BLOCK, Ecb, chained_encryption
from card.wire import xor

_PIECE = 8 * BLOCK


def double(block):
    """Multiply by x in GF(2^128) (RFC 4493 section 2.3)."""
    number = int.from_bytes(block, "big") << 1
    if number >> 128:
        number ^= 1 << 128 | 0x87
    return number.to_bytes(BLOCK, "big")


def pad(data):
    """80 and zeros up to a whole block (ISO/IEC 9797-1 method 2); always adds at least one byte."""
    return data + b"\x80" + bytes(-(len(data) + 1) % BLOCK)


class Cmac:
    """One key with its subkeys kept, for many messages."""

    def __init__(self, key):
        self.key = key
        self.subkey1 = double(Ecb(key).encrypt(ZERO_BLOCK))
        self.subkey2 = double(self.subkey1)

    def full(self, message, before=b""):
        """The whole 16-byte MAC. `before`: whole blocks that come first; a long message need not be put together."""
        cut = len(message) - len(message) % BLOCK
        if message and cut == len(message):
            cut -= BLOCK
            last = xor(message[cut:], self.subkey1)
        else:
            last = xor(pad(message[cut:]), self.subkey2)
        encrypt = chained_encryption(self.key)
        for part in (before, message[:cut]):
            view = memoryview(part)
            # In short pieces: what comes out is not kept, and a small heap has no place for it at once.
            for at in range(0, len(part), _PIECE):
                encrypt(view[at : at + _PIECE])
        return encrypt(last)

    def short(self, message):
        """The 8 odd-numbered bytes, which DESFire sends (AN12343; NT4H2421Gx section 9.1.3)."""
        mac = self.full(message)
        # MicroPython has no slice step.
        return bytes([mac[1], mac[3], mac[5], mac[7], mac[9], mac[11], mac[13], mac[15]])


def cmac(key, message):
    """The whole 16-byte AES-CMAC of one message."""
    return Cmac(key).full(message)
