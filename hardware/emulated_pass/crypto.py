"""Block ciphers, CMAC and checksums of the pass, over the `cryptography` package.

`Cipher` hides whether a key is AES-128, two-key or three-key triple DES: everything above sees a block size.
"""

import zlib
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher as _Cipher
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

TDEA2: Final = "2TDEA"
TDEA3: Final = "3TDEA"
AES: Final = "AES"
KEY_LENGTH: Final = {TDEA2: 16, TDEA3: 24, AES: 16}


class Cipher:
    """A key of one kind. `kind` is TDEA2, TDEA3 or AES; a TDEA2 key with equal halves is single DES."""

    def __init__(self, kind: str, key: bytes) -> None:
        if len(key) != KEY_LENGTH[kind]:
            raise ValueError(f"a {kind} key has {KEY_LENGTH[kind]} bytes")
        self.kind = kind
        self.block = 16 if kind == AES else 8
        # Two-key triple DES is triple DES with the first key again in third place.
        self._algorithm = algorithms.AES(key) if kind == AES else TripleDES((key + key[:8])[:24])

    def encrypt(self, iv: bytes, data: bytes) -> bytes:
        """CBC. The length of `data` is a multiple of the block; there is no padding."""
        return _Cipher(self._algorithm, modes.CBC(iv)).encryptor().update(data)

    def decrypt(self, iv: bytes, data: bytes) -> bytes:
        return _Cipher(self._algorithm, modes.CBC(iv)).decryptor().update(data)

    def encrypt_block(self, data: bytes) -> bytes:
        return self.encrypt(bytes(self.block), data)

    def cmac(self, iv: bytes, message: bytes) -> bytes:
        """The whole CMAC (NIST SP 800-38B), started from `iv`: EV1 messaging carries its IV through every MAC."""
        first, second = self._subkeys()
        if message and len(message) % self.block == 0:
            last, mask = message[-self.block :], first
        else:
            tail = len(message) % self.block
            last = (message[len(message) - tail :] + b"\x80").ljust(self.block, b"\x00")
            mask = second
        body = message[: (len(message) - 1) // self.block * self.block] if message else b""
        return self.encrypt(iv, body + xor(last, mask))[-self.block :]

    def _subkeys(self) -> tuple[bytes, bytes]:
        first = self._double(self.encrypt_block(bytes(self.block)))
        return first, self._double(first)

    def _double(self, value: bytes) -> bytes:
        shifted = int.from_bytes(value, "big") << 1
        if value[0] & 0x80:
            shifted ^= 0x87 if self.block == 16 else 0x1B
        return (shifted & ((1 << 8 * self.block) - 1)).to_bytes(self.block, "big")


def aes_cmac(key: bytes, message: bytes) -> bytes:
    """AES-CMAC (RFC 4493), 16 bytes."""
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def odd_bytes(mac: bytes) -> bytes:
    """The eight bytes of a CMAC that EV2 messaging and the transaction MAC send: 1, 3, 5 ... 15."""
    return mac[1::2]


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def rotated(challenge: bytes) -> bytes:
    """The challenge rotated left by one byte, as both sides prove they read it."""
    return challenge[1:] + challenge[:1]


def padded(data: bytes, block: int) -> bytes:
    """ISO/IEC 9797-1 padding method 1: zeros up to a whole block, none if it is whole already."""
    return data + bytes(-len(data) % block)


def crc32(data: bytes) -> bytes:
    """CRC-32 without the final complement, least significant byte first (as ChangeKey and EV1 messaging use it)."""
    return (zlib.crc32(data) ^ 0xFFFFFFFF).to_bytes(4, "little")


def crc16(data: bytes) -> bytes:
    """CRC_A of ISO/IEC 14443-3, least significant byte first (as the legacy messaging uses it)."""
    crc = 0x6363
    for byte in data:
        byte ^= crc & 0xFF
        byte ^= (byte << 4) & 0xFF
        crc = (crc >> 8) ^ (byte << 8) ^ (byte << 3) ^ (byte >> 4)
    return crc.to_bytes(2, "little")
