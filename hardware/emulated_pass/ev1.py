"""EV1 secure messaging, after Authenticate ISO or AES: one IV chains through every command and answer of a session.

No public data sheet prints it; this follows published notes of the field and what libfreefare sends and expects.
"""

from hardware.emulated_pass.crypto import Cipher, crc32, padded, xor
from hardware.emulated_pass.messaging import Answer, Guard, Wire
from hardware.emulated_pass.model import Mode
from hardware.emulated_pass.status import INTEGRITY_ERROR, LENGTH_ERROR, OK, Refused, require

MAC_LENGTH = 8
CRC_LENGTH = 4


class Ev1Channel:
    outlives_refusal = False

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher
        self._iv = bytes(cipher.block)

    def sealed_length(self, wire: Wire, length: int) -> int:
        if wire.mode is Mode.PLAIN or not length:
            return length
        if wire.mode is Mode.MAC:
            return length + MAC_LENGTH
        return len(padded(bytes(length + CRC_LENGTH), self._cipher.block))

    def open(self, wire: Wire, ins: int, header: bytes, sealed: bytes) -> bytes:
        command = bytes([ins]) + header
        if wire.mode is Mode.FULL and sealed:
            return self._open_full(wire, command, sealed)
        if wire.mode is Mode.MAC and wire.guard is Guard.FILE and sealed:
            require(len(sealed) > MAC_LENGTH, LENGTH_ERROR)
            data, mac = sealed[:-MAC_LENGTH], sealed[-MAC_LENGTH:]
            require(mac == self._chain(command + data)[:MAC_LENGTH], INTEGRITY_ERROR)
            return data
        self._chain(command + sealed)
        return sealed

    def _open_full(self, wire: Wire, command: bytes, sealed: bytes) -> bytes:
        require(len(sealed) % self._cipher.block == 0, LENGTH_ERROR)
        plain = self._cipher.decrypt(self._iv, sealed)
        self._iv = sealed[-self._cipher.block :]
        if wire.guard is Guard.KEY:
            return plain
        # How long the data are is not on the wire: they end where the checksum fits and only padding follows. The
        # first such place counts: this checksum over data, checksum and zeros is zero again, so it fits later too.
        for end in range(max(CRC_LENGTH, len(plain) - self._cipher.block - CRC_LENGTH) + 1, len(plain) + 1):
            data, crc, rest = plain[: end - CRC_LENGTH], plain[end - CRC_LENGTH : end], plain[end:]
            only_padding = rest.rstrip(b"\x00") in (b"", b"\x80")
            if only_padding and crc32(command + data) == crc:
                return data
        raise Refused(INTEGRITY_ERROR)

    def close(self, wire: Wire, answer: Answer) -> bytes:
        if wire.mode is Mode.FULL and answer.data:
            plain = answer.data + crc32(answer.data + bytes([OK]))
            if answer.open_ended:
                plain += b"\x80"
            sealed = self._cipher.encrypt(self._iv, padded(plain, self._cipher.block))
            self._iv = sealed[-self._cipher.block :]
            return sealed
        return answer.data + self._chain(answer.data + bytes([OK]))[:MAC_LENGTH]

    def new_key(self, header: bytes, opened: bytes, size: int, old: bytes | None) -> bytes:
        checks = 1 if old is None else 2
        end = size + CRC_LENGTH * checks
        require(len(opened) == len(padded(bytes(end), self._cipher.block)), LENGTH_ERROR)
        sent = opened[:size]
        require(crc32(b"\xc4" + header + sent) == opened[size : size + CRC_LENGTH], INTEGRITY_ERROR)
        if old is None:
            return sent
        new = xor(sent[: len(old)], old) + sent[len(old) :]
        require(crc32(new[: len(old)]) == opened[size + CRC_LENGTH : end], INTEGRITY_ERROR)
        return new

    def _chain(self, message: bytes) -> bytes:
        self._iv = self._cipher.cmac(self._iv, message)
        return self._iv
