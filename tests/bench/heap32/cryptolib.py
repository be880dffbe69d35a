"""MicroPython's `cryptolib` where there is none: the ciphers are those of the host (wasi.py).

Bytes go by their address, and each cipher holds as much memory as that of a board does, so the heap counts the same.
"""

from host import call
from uctypes import addressof

# mp_obj_aes_t with mbedtls, as on RP2 and ESP32: the schedule (280), the IV (16), mode and type.
_CONTEXT_BYTES = 304


class aes:
    """AES-128, mode 1 (ECB) or 2 (CBC, whose IV goes on from one call to the next)."""

    def __init__(self, key, mode, iv=None):
        if len(key) != 16 or (mode == 2 and len(iv) != 16):
            raise ValueError
        self._context = bytearray(_CONTEXT_BYTES)
        self._number = int(call("make", "%d %d" % (addressof(key), addressof(iv) if mode == 2 else 0)))

    def encrypt(self, data, into=None):
        return self._run("encrypt", data, into)

    def decrypt(self, data, into=None):
        return self._run("decrypt", data, into)

    def _run(self, what, data, into):
        if into is None:
            into = bytes(len(data))
        if len(data) % 16 or len(into) < len(data):
            raise ValueError
        about = self._number, addressof(data), len(data), addressof(into)
        if call(what, "%d %d %d %d" % about) != "done":
            raise ValueError
        return into
