"""libfreefare, an independent DESFire reader in C, called from Python. It ends the process when a card surprises it."""

import ctypes as c
import os
import sys

AUTHENTICATION_ERROR = 0xAE
# libfreefare's own: the MAC of an answer is wrong.
CRYPTO_ERROR = 0x01


class Freefare:
    """Calls libfreefare by name: `call("authenticate", ...)` is mifare_desfire_authenticate on the pass."""

    def __init__(self, device: str) -> None:
        os.environ["LIBNFC_DEFAULT_DEVICE"] = "pn532_uart:" + device
        os.environ["LIBNFC_AUTO_SCAN"] = "false"
        nfc, self._library = c.CDLL("libnfc.so.6"), c.CDLL("libfreefare.so.0")
        nfc.nfc_open.restype = c.c_void_p
        self._library.freefare_get_tags.restype = c.POINTER(c.c_void_p)
        context = c.c_void_p()
        nfc.nfc_init(c.byref(context))
        self._tag = c.c_void_p(self._library.freefare_get_tags(c.c_void_p(nfc.nfc_open(context, None)))[0])
        self.call("connect")

    def call(self, name: str, *arguments: object) -> int:
        """The result; the program ends when the pass or libfreefare refuses."""
        result, error = self._call(name, *arguments)
        if result < 0:
            sys.exit(f"{name}: {result}, the error is {error:02X}")
        return result

    def refused(self, name: str, *arguments: object) -> int:
        """With what error the call is refused: the status of the pass, or one of libfreefare's own."""
        result, error = self._call(name, *arguments)
        if result >= 0:
            sys.exit(f"{name}: {result} instead of a refusal")
        return error

    def _call(self, name: str, *arguments: object) -> tuple[int, int]:
        result = int(getattr(self._library, "mifare_desfire_" + name)(self._tag, *arguments))
        picc = int(self._library.mifare_desfire_last_picc_error(self._tag)) & 0xFF
        return result, picc or int(self._library.mifare_desfire_last_pcd_error(self._tag)) & 0xFF

    def make(self, name: str, *arguments: object) -> c.c_void_p:
        function = getattr(self._library, f"mifare_desfire_{name}")
        function.restype = c.c_void_p
        return c.c_void_p(function(*arguments))


def expect(seen: object, wanted: object) -> None:
    if seen != wanted:
        sys.exit(f"{seen!r} instead of {wanted!r}")


def u8(number: int) -> c.c_uint8:
    return c.c_uint8(number)
