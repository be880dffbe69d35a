"""AES-128 from the library that each Python has: `cryptography` on CPython, `cryptolib` on MicroPython.

A small heap has no room for every intermediate result of a tap. So a message stands in one piece of memory, blocks are
changed where they are, and a cipher is made once for a key.
"""

import io

from card.bytewise import xor_into
from card.wire import put_uint

BLOCK = 16
ZERO_BLOCK = bytes(BLOCK)
# 80 and zeros up to whole blocks (ISO/IEC 9797-1 method 2); more of them than needed do no harm behind a message.
PADDING = b"\x80" + bytes(2 * BLOCK - 1)
# More than the messages of a tap.
_NOTHING = bytes(16 * BLOCK)

try:
    import micropython
    from cryptolib import aes as _aes

    _ECB = 1
    _CBC = 2

    # There is none.
    library_cmacs = None

    def chained_encryption(key):
        """`encrypt(data)` that goes on where the call before it stopped; CBC from a zero IV."""
        return _aes(key, _CBC, ZERO_BLOCK).encrypt

    def encryption(key):
        """A cipher that stays scheduled: `encrypt(source, target)` for whole blocks, each on its own.

        Without a target it gives them as new bytes.
        """
        return _aes(key, _ECB)

    def decryption(key):
        """As `encryption`, with `decrypt(source, target)`."""
        return _aes(key, _ECB)

    @micropython.viper
    def chain(cipher, scratch, subkey, start: int, blocks: int):
        """CBC-MAC over blocks of the message, with a subkey in the last of them; into `scratch.mac`."""
        message, state, spare = scratch.message, scratch.state, scratch.spare
        to, by, key = ptr8(state), ptr8(spare), ptr8(subkey)
        message.seek(start)
        message.readinto(state)
        while blocks > 1:
            cipher.encrypt(state, state)
            message.readinto(spare)
            for at in range(16):
                to[at] = to[at] ^ by[at]
            blocks -= 1
        for at in range(16):
            to[at] = to[at] ^ key[at]
        cipher.encrypt(state, scratch.mac)

    @micropython.viper
    def cbc_encrypt(cipher, scratch, start: int, blocks: int):
        """Encrypt blocks of the message where they stand, `scratch.state` being the IV. The position is behind them."""
        message, state, spare = scratch.message, scratch.state, scratch.spare
        to, by = ptr8(state), ptr8(spare)
        message.seek(start)
        while blocks > 0:
            message.readinto(spare)
            for at in range(16):
                to[at] = to[at] ^ by[at]
            cipher.encrypt(state, state)
            message.seek(start)
            message.write(state)
            start += 16
            blocks -= 1

    @micropython.viper
    def cbc_decrypt(cipher, scratch, start: int, blocks: int):
        """Decrypt blocks of the message where they stand, `scratch.state` being the IV. The position is behind them."""
        message, state = scratch.message, scratch.state
        spare, plain = scratch.spare, scratch.plain
        to, by, out = ptr8(state), ptr8(spare), ptr8(plain)
        message.seek(start)
        while blocks > 0:
            message.readinto(spare)
            cipher.decrypt(spare, plain)
            for at in range(16):
                out[at] = out[at] ^ to[at]
                to[at] = by[at]
            message.seek(start)
            message.write(plain)
            start += 16
            blocks -= 1

    @micropython.viper
    def counter_mode(cipher, scratch, counter, start: int, blocks: int):
        """Encrypt, or decrypt, blocks of the message where they stand; `counter` counts up in its last four bytes."""
        message, state, spare = scratch.message, scratch.state, scratch.spare
        to, by, count = ptr8(state), ptr8(spare), ptr8(counter)
        message.seek(start)
        while blocks > 0:
            cipher.encrypt(counter, spare)
            message.readinto(state)
            for at in range(16):
                to[at] = to[at] ^ by[at]
            message.seek(start)
            message.write(state)
            carry = 1
            for at in range(4):
                carry += count[15 - at]
                count[15 - at] = carry
                carry >>= 8
            start += 16
            blocks -= 1

except ImportError:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.cmac import CMAC

    # To make a context for CBC takes as long as so many blocks on their own.
    _MANY_BLOCKS = 4

    class _Encryption:
        def __init__(self, key):
            self.algorithm = algorithms.AES(key)
            # ECB keeps no state between calls, so one context serves the life of the key.
            self._update = Cipher(self.algorithm, modes.ECB()).encryptor().update

        def encrypt(self, source, target=None):
            if target is None:
                return self._update(source)
            target[:] = self._update(source)
            return target

    class _Decryption:
        def __init__(self, key):
            self.algorithm = algorithms.AES(key)
            self._update = Cipher(self.algorithm, modes.ECB()).decryptor().update

        def decrypt(self, source, target):
            target[:] = self._update(source)

    def encryption(key):
        """A cipher that stays scheduled: `encrypt(source, target)` for whole blocks, each on its own.

        Without a target it gives them as new bytes.
        """
        return _Encryption(key)

    def decryption(key):
        """As `encryption`, with `decrypt(source, target)`."""
        return _Decryption(key)

    def chained_encryption(key):
        """`encrypt(data)` that goes on where the call before it stopped; CBC from a zero IV."""
        return Cipher(algorithms.AES(key), modes.CBC(ZERO_BLOCK)).encryptor().update

    def chain(cipher, scratch, subkey, start, blocks):
        """CBC-MAC over blocks of the message, with a subkey in the last of them; into `scratch.mac`."""
        message, state, spare = scratch.message, scratch.state, scratch.spare
        message.seek(start)
        if blocks > _MANY_BLOCKS:
            encrypt = Cipher(cipher.algorithm, modes.CBC(ZERO_BLOCK)).encryptor().update
            state[:] = encrypt(message.read((blocks - 1) * BLOCK))[-BLOCK:]
            message.readinto(spare)
            xor_into(state, spare)
        else:
            message.readinto(state)
            for _ in range(blocks - 1):
                cipher.encrypt(state, state)
                message.readinto(spare)
                xor_into(state, spare)
        xor_into(state, subkey)
        cipher.encrypt(state, scratch.mac)

    def library_cmacs(key):
        """The AES-CMAC under one key, as a function of the message."""
        fresh = CMAC(algorithms.AES(key))

        def of(message):
            mac = fresh.copy()
            mac.update(message)
            return mac.finalize()

        return of

    def cbc_encrypt(cipher, scratch, start, blocks):
        """Encrypt blocks of the message where they stand, `scratch.state` being the IV. The position is behind them."""
        _replace(scratch.message, Cipher(cipher.algorithm, modes.CBC(scratch.state)).encryptor(), start, blocks)

    def cbc_decrypt(cipher, scratch, start, blocks):
        """Decrypt blocks of the message where they stand, `scratch.state` being the IV. The position is behind them."""
        _replace(scratch.message, Cipher(cipher.algorithm, modes.CBC(scratch.state)).decryptor(), start, blocks)

    def counter_mode(cipher, scratch, counter, start, blocks):
        """Encrypt, or decrypt, blocks of the message where they stand; `counter` counts up in its last four bytes."""
        _replace(scratch.message, Cipher(cipher.algorithm, modes.CTR(counter)).encryptor(), start, blocks)

    def _replace(message, apply, start, blocks):
        message.seek(start)
        applied = apply.update(message.read(blocks * BLOCK))
        message.seek(start)
        message.write(applied)


class Scratch:
    """Memory for one message at a time, and for the blocks of it that are worked on. Not for two threads at once.

    What counts of `message` ends at its position; behind that stands what was left there before.
    """

    def __init__(self):
        self.message = io.BytesIO()
        self.state = bytearray(BLOCK)
        self.spare = bytearray(BLOCK)
        self.plain = bytearray(BLOCK)
        self.mac = bytearray(BLOCK)
        self._byte = bytearray(1)
        self._word = bytearray(4)

    def put(self, number, size):
        """Write a number of one byte or of four into the message, little-endian; refuses what does not fit."""
        room = self._byte if size == 1 else self._word
        put_uint(room, 0, number, size)
        self.message.write(room)

    def wipe(self):
        """Forget the message, and the blocks of it."""
        self.message.seek(0)
        self.message.write(_NOTHING)
        self.state[:] = self.spare[:] = self.plain[:] = self.mac[:] = ZERO_BLOCK
