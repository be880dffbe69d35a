"""AES-CMAC (RFC 4493, NIST SP 800-38B)."""

from card.aes import BLOCK, PADDING, ZERO_BLOCK, Scratch, chain, encryption, library_cmacs
from card.bytewise import double_in_place, odd_bytes


def double(block):
    """Multiply by x in GF(2^128) (RFC 4493 section 2.3)."""
    doubled = bytearray(block)
    double_in_place(doubled)
    return bytes(doubled)


class Cmac:
    """One key with its subkeys kept, for many messages. Those that share a `scratch` take turns."""

    def __init__(self, key, scratch=None):
        self.scratch = scratch or Scratch()
        self.subkey1 = bytearray(BLOCK)
        self.subkey2 = bytearray(BLOCK)
        self.rekey(key)

    def rekey(self, key):
        """Go on with another key, in the same memory."""
        self.cipher = encryption(key)
        self.cipher.encrypt(ZERO_BLOCK, self.subkey1)
        double_in_place(self.subkey1)
        self.subkey2[:] = self.subkey1
        double_in_place(self.subkey2)

    def wipe(self):
        """Forget the key."""
        self.cipher = None
        self.subkey1[:] = self.subkey2[:] = ZERO_BLOCK

    @classmethod
    def of(cls, key):
        """Of 16 bytes; or the Cmac itself, that somebody made of them once and kept."""
        return key if isinstance(key, cls) else cls(key)

    def full(self, message):
        """The whole 16-byte MAC."""
        self.start().write(message)
        return bytes(self.of_message(0, len(message)))

    def start(self):
        """Where to write a message from 0 on, a piece at a time, for `of_message`."""
        message = self.scratch.message
        message.seek(0)
        return message

    def short(self, message):
        """The 8 odd-numbered bytes of it, which DESFire sends (AN12343; NT4H2421Gx section 9.1.3)."""
        short = bytearray(8)
        odd_bytes(self.full(message), short)
        return bytes(short)

    def of_message(self, start, end, least_blocks=1):
        """The same of what stands in the scratch from `start` to its position `end`; in a buffer that all MACs use.

        What does not fill `least_blocks` is padded to them.
        """
        blocks = (end - start + BLOCK - 1) // BLOCK
        if blocks < least_blocks:
            blocks = least_blocks
        subkey = self.subkey1
        if end != start + blocks * BLOCK:
            self.scratch.message.write(PADDING)
            subkey = self.subkey2
        chain(self.cipher, self.scratch, subkey, start, blocks)
        return self.scratch.mac


def cmacs(key):
    """The whole 16-byte AES-CMAC under one key, as a function of the message."""
    return library_cmacs(key) if library_cmacs else Cmac(key).full


def cmac(key, message):
    """The whole 16-byte AES-CMAC of one message."""
    return cmacs(key)(message)
