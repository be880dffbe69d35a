"""AES-SIV (RFC 5297) with a 32-byte key: authenticated encryption that a repeated nonce cannot break.

A terminal has no trustworthy source of nonces after a power cut; SIV needs none.
"""

from card.aes import BLOCK, PADDING, ZERO_BLOCK, Scratch, counter_mode, encryption
from card.bytewise import double_in_place, same, xor_into
from card.cmac import Cmac
from card.errors import BadMac
from card.wire import exactly

KEY_BYTES = 32
OVERHEAD_BYTES = BLOCK


class Siv:
    """One key, kept scheduled for many messages. In the scratch the synthetic IV comes first, and then the text."""

    def __init__(self, key, scratch=None):
        exactly(key, KEY_BYTES, "AES-SIV key")
        self.scratch = scratch or Scratch()
        self._mac = Cmac(key[:BLOCK], self.scratch)
        self._cipher = encryption(key[BLOCK:])
        self._first = self._mac.full(ZERO_BLOCK)
        self._bound = bytearray(BLOCK)

    @classmethod
    def of(cls, key):
        """Of 32 bytes; or the Siv itself, that somebody made of them once and kept."""
        return key if isinstance(key, cls) else cls(key)

    def start(self, associated):
        """Where to write a plaintext, a piece at a time, for `finish`; `associated` lists what is bound, not hidden."""
        self._bind(associated)
        message = self.scratch.message
        message.seek(BLOCK)
        return message

    def finish(self):
        """16 bytes of synthetic IV, then the ciphertext."""
        message = self.scratch.message
        length = message.tell() - BLOCK
        synthetic_iv = self._synthetic_iv(length)
        message.seek(0)
        message.write(synthetic_iv)
        self._apply(synthetic_iv, length)
        message.seek(0)
        return message.read(BLOCK + length)

    def encrypt(self, associated, plaintext):
        """`finish` for a plaintext that is there in one piece."""
        self.start(associated).write(plaintext)
        return self.finish()

    def decrypt(self, associated, sealed):
        """The plaintext; raises BadMac when key, associated data or ciphertext differ in one bit."""
        if len(sealed) < OVERHEAD_BYTES:
            raise BadMac("sealed data is shorter than its own seal")
        self._bind(associated)
        message, length = self.scratch.message, len(sealed) - BLOCK
        message.seek(0)
        message.write(sealed)
        self._apply(bytearray(sealed[:BLOCK]), length)
        message.seek(BLOCK)
        plaintext = message.read(length)
        if not same(self._synthetic_iv(length), sealed[:BLOCK]):
            raise BadMac("the seal does not fit the key or the data")
        return plaintext

    def _bind(self, associated):
        """RFC 5297 section 2.4, all but the text."""
        bound = self._bound
        bound[:] = self._first
        for part in associated:
            double_in_place(bound)
            self._mac.start().write(part)
            xor_into(bound, self._mac.of_message(0, len(part)))

    def _synthetic_iv(self, length):
        """The end of RFC 5297 section 2.4: what is bound goes into the last block of the text, which is whole then."""
        last = length
        if length < BLOCK:
            message = self.scratch.message
            message.seek(BLOCK + length)
            message.write(PADDING)
            double_in_place(self._bound)
            last = BLOCK
        self._mix(last)
        synthetic_iv = self._mac.of_message(BLOCK, BLOCK + last)
        self._mix(last)
        return synthetic_iv

    def _mix(self, at):
        """Exclusive or into the block at `at`; a second time takes it out again."""
        message, spare = self.scratch.message, self.scratch.spare
        message.seek(at)
        message.readinto(spare)
        xor_into(spare, self._bound)
        message.seek(at)
        message.write(spare)

    def _apply(self, counter, length):
        """RFC 5297 section 2.5: two bits of the counter are cleared, so that it never carries past 31 bits in use."""
        counter[8] &= 0x7F
        counter[12] &= 0x7F
        counter_mode(self._cipher, self.scratch, counter, BLOCK, (length + BLOCK - 1) // BLOCK)


def siv_encrypt(key, associated, plaintext):
    """`Siv.encrypt` under a key of 32 bytes, or their Siv."""
    return Siv.of(key).encrypt(associated, plaintext)


def siv_decrypt(key, associated, sealed):
    """`Siv.decrypt` under a key of 32 bytes, or their Siv."""
    return Siv.of(key).decrypt(associated, sealed)
