"""AES-CMAC (RFC 4493, NIST SP 800-38B)."""

from card.aes import BLOCK, ZERO_BLOCK, Ecb, cbc_encrypt
from card.wire import xor


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

    def full(self, message):
        """The whole 16-byte MAC."""
        if message and len(message) % BLOCK == 0:
            head, last = message[:-BLOCK], xor(message[-BLOCK:], self.subkey1)
        else:
            cut = len(message) - len(message) % BLOCK
            head, last = message[:cut], xor(pad(message[cut:]), self.subkey2)
        return cbc_encrypt(self.key, ZERO_BLOCK, head + last)[-BLOCK:]

    def short(self, message):
        """The 8 odd-numbered bytes, which DESFire sends (AN12343; NT4H2421Gx section 9.1.3)."""
        mac = self.full(message)
        # MicroPython has no slice step.
        return bytes([mac[1], mac[3], mac[5], mac[7], mac[9], mac[11], mac[13], mac[15]])


def cmac(key, message):
    """The whole 16-byte AES-CMAC of one message."""
    return Cmac(key).full(message)
