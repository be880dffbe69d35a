"""AES-128 from the library that each Python has: `cryptography` on CPython, `cryptolib` on MicroPython."""

BLOCK = 16
ZERO_BLOCK = bytes(BLOCK)

try:
    from cryptolib import aes as _aes

    _ECB = 1
    _CBC = 2

    class Ecb:
        """One key, kept scheduled: `encrypt(data)` for whole blocks, each on its own."""

        def __init__(self, key):
            self._cipher = _aes(key, _ECB)

        def encrypt(self, data):
            return self._cipher.encrypt(data)

        def encrypt_into(self, data, out):
            """The same into a bytearray of that length, without taking memory."""
            self._cipher.encrypt(data, out)

    def ecb_decrypt(key, data):
        return _aes(key, _ECB).decrypt(data)

    def cbc_encrypt(key, iv, data):
        return _aes(key, _CBC, iv).encrypt(data)

    def cbc_decrypt(key, iv, data):
        return _aes(key, _CBC, iv).decrypt(data)

    def chained_encryption(key):
        """`encrypt(data)` that goes on where the call before it stopped; CBC from a zero IV."""
        return _aes(key, _CBC, ZERO_BLOCK).encrypt

except ImportError:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    class Ecb:  # type: ignore[no-redef]
        """One key, kept scheduled: `encrypt(data)` for whole blocks, each on its own."""

        def __init__(self, key):
            # ECB keeps no state between calls, so one context serves the life of the key.
            self._update = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update

        def encrypt(self, data):
            return self._update(data)

        def encrypt_into(self, data, out):
            """The same into a bytearray of that length, without taking memory."""
            out[:] = self._update(data)

    def ecb_decrypt(key, data):
        return Cipher(algorithms.AES(key), modes.ECB()).decryptor().update(data)

    def cbc_encrypt(key, iv, data):
        return Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor().update(data)

    def cbc_decrypt(key, iv, data):
        return Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor().update(data)

    def chained_encryption(key):
        """`encrypt(data)` that goes on where the call before it stopped; CBC from a zero IV."""
        return Cipher(algorithms.AES(key), modes.CBC(ZERO_BLOCK)).encryptor().update
