"""The legacy messaging of the first DESFire (after Authenticate 0A): single or two-key triple DES, no chaining.

The pass only ever enciphers: what the reader sends it has "deciphered" beforehand. Every message starts with IV zero.
MACs are four bytes, checksums CRC_A. Follows what libfreefare sends; kept because a new pass starts with it.
"""

from hardware.emulated_pass.crypto import Cipher, crc16, padded, xor
from hardware.emulated_pass.messaging import Answer, Guard, Wire
from hardware.emulated_pass.model import Mode
from hardware.emulated_pass.status import INTEGRITY_ERROR, LENGTH_ERROR, Refused, require

MAC_LENGTH = 4
CRC_LENGTH = 2
BLOCK = 8


def receive(cipher: Cipher, sent: bytes) -> bytes:
    """Undo the reader's deciphering: encipher each block and take off the ciphertext block before it."""
    plain, previous = b"", bytes(BLOCK)
    for start in range(0, len(sent), BLOCK):
        block = sent[start : start + BLOCK]
        plain += xor(cipher.encrypt_block(block), previous)
        previous = block
    return plain


class D40Channel:
    # There is no IV and no counter that a refusal could put out of step. Seen on cards after 9D.
    outlives_refusal = True

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher

    def sealed_length(self, wire: Wire, length: int) -> int:
        if wire.mode is Mode.PLAIN or not length:
            return length
        if wire.mode is Mode.MAC:
            return length + MAC_LENGTH
        return len(padded(bytes(length + CRC_LENGTH), BLOCK))

    def open(self, wire: Wire, ins: int, header: bytes, sealed: bytes) -> bytes:
        if wire.mode is Mode.FULL and sealed:
            require(len(sealed) % BLOCK == 0, LENGTH_ERROR)
            plain = receive(self._cipher, sealed)
            return plain if wire.guard is Guard.KEY else self._checked(plain)
        if wire.mode is Mode.MAC and wire.guard is Guard.FILE and sealed:
            require(len(sealed) > MAC_LENGTH, LENGTH_ERROR)
            data, mac = sealed[:-MAC_LENGTH], sealed[-MAC_LENGTH:]
            require(mac == self._mac(data), INTEGRITY_ERROR)
            return data
        return sealed

    def _checked(self, plain: bytes) -> bytes:
        # The first place where the checksum fits and only padding follows (see ev1: it fits later as well).
        for end in range(max(CRC_LENGTH, len(plain) - BLOCK - CRC_LENGTH) + 1, len(plain) + 1):
            data, crc, rest = plain[: end - CRC_LENGTH], plain[end - CRC_LENGTH : end], plain[end:]
            only_padding = rest.rstrip(b"\x00") in (b"", b"\x80")
            if only_padding and crc16(data) == crc:
                return data
        raise Refused(INTEGRITY_ERROR)

    def close(self, wire: Wire, answer: Answer) -> bytes:
        data = answer.data
        if wire.mode is Mode.FULL and data:
            plain = data + crc16(data)
            # libfreefare looks for the checksum in the last nine bytes: the 80 never costs a block of its own.
            if answer.open_ended and len(plain) % BLOCK:
                plain += b"\x80"
            return self._cipher.encrypt(bytes(BLOCK), padded(plain, BLOCK))
        if wire.mode is Mode.MAC and wire.guard is Guard.FILE and data:
            return data + self._mac(data)
        return data

    def new_key(self, header: bytes, opened: bytes, size: int, old: bytes | None) -> bytes:
        checks = 1 if old is None else 2
        end = size + CRC_LENGTH * checks
        require(len(opened) == len(padded(bytes(end), BLOCK)), LENGTH_ERROR)
        sent = opened[:size]
        require(crc16(sent) == opened[size : size + CRC_LENGTH], INTEGRITY_ERROR)
        if old is None:
            return sent
        new = xor(sent[: len(old)], old) + sent[len(old) :]
        require(crc16(new[: len(old)]) == opened[size + CRC_LENGTH : end], INTEGRITY_ERROR)
        return new

    def _mac(self, data: bytes) -> bytes:
        return self._cipher.encrypt(bytes(BLOCK), padded(data, BLOCK))[-BLOCK:][:MAC_LENGTH]
