"""EV2 secure messaging (NT4H2421Gx data sheet, section 9.1), as DESFire EV2, EV3 and Light speak it too."""

from hardware.emulated_pass.crypto import AES, Cipher, aes_cmac, crc32, odd_bytes, xor
from hardware.emulated_pass.messaging import Answer, Guard, Wire
from hardware.emulated_pass.model import Mode
from hardware.emulated_pass.status import INTEGRITY_ERROR, LENGTH_ERROR, OK, require

MAC_LENGTH = 8
COUNTER_END = 0xFFFF


def session_keys(key: bytes, rnd_a: bytes, rnd_b: bytes) -> tuple[bytes, bytes]:
    """(encryption, MAC) keys of a session (section 9.1.7)."""
    tail = rnd_a[0:2] + xor(rnd_a[2:8], rnd_b[0:6]) + rnd_b[6:16] + rnd_a[8:16]
    return (
        aes_cmac(key, bytes.fromhex("A55A00010080") + tail),
        aes_cmac(key, bytes.fromhex("5AA500010080") + tail),
    )


class Ev2Channel:
    """`counter` counts the commands of the session; `identifier` is TI, 4 bytes."""

    outlives_refusal = False

    def __init__(self, encryption_key: bytes, mac_key: bytes, identifier: bytes, counter: int = 0) -> None:
        self._cipher = Cipher(AES, encryption_key)
        self._mac_key = mac_key
        self.identifier = identifier
        self.counter = counter

    def sealed_length(self, wire: Wire, length: int) -> int:
        if wire.mode is Mode.PLAIN:
            return length
        if wire.mode is Mode.MAC or not length:
            return length + MAC_LENGTH
        return length // 16 * 16 + 16 + MAC_LENGTH

    def open(self, wire: Wire, ins: int, header: bytes, sealed: bytes) -> bytes:
        if wire.guard is Guard.NONE:
            return sealed
        # A session whose counter is used up can prove nothing any more (section 9.1.2).
        require(self.counter < COUNTER_END, INTEGRITY_ERROR)
        before = self.counter
        self.counter += 1
        if wire.mode is Mode.PLAIN:
            return sealed
        require(len(sealed) >= MAC_LENGTH, LENGTH_ERROR)
        data, mac = sealed[:-MAC_LENGTH], sealed[-MAC_LENGTH:]
        require(mac == self._mac(ins, before, header + data), INTEGRITY_ERROR)
        if wire.mode is Mode.MAC or not data:
            return data
        require(len(data) % 16 == 0, LENGTH_ERROR)
        plain = self._cipher.decrypt(self._iv(b"\xa5\x5a", before), data)
        unpadded = plain.rstrip(b"\x00")
        require(unpadded.endswith(b"\x80") and len(plain) - len(unpadded) < 16, INTEGRITY_ERROR)
        return unpadded[:-1]

    def close(self, wire: Wire, answer: Answer) -> bytes:
        data = answer.data
        if wire.mode is Mode.PLAIN:
            return data
        if wire.mode is Mode.FULL and data:
            padding = b"\x80" + bytes(15 - len(data) % 16)
            data = self._cipher.encrypt(self._iv(b"\x5a\xa5", self.counter), data + padding)
        return data + self._mac(OK, self.counter, data)

    def new_key(self, header: bytes, opened: bytes, size: int, old: bytes | None) -> bytes:
        if old is None:
            require(len(opened) == size, LENGTH_ERROR)
            return opened
        require(len(opened) == size + 4, LENGTH_ERROR)
        new = xor(opened[: len(old)], old) + opened[len(old) : size]
        require(crc32(new[: len(old)]) == opened[size:], INTEGRITY_ERROR)
        return new

    def _mac(self, first: int, counter: int, message: bytes) -> bytes:
        return odd_bytes(
            aes_cmac(self._mac_key, bytes([first]) + counter.to_bytes(2, "little") + self.identifier + message)
        )

    def _iv(self, label: bytes, counter: int) -> bytes:
        return self._cipher.encrypt_block(label + self.identifier + counter.to_bytes(2, "little") + bytes(8))
