"""AES-SIV (RFC 5297) of many records of one shape at once: 42 bytes bound, 44 bytes hidden.

`card.siv` says what AES-SIV is, one message at a time; the tests hold this against it and against `cryptography`.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from card.cmac import double
from keys.store import BLOCK

Bytes = npt.NDArray[np.uint8]
Encrypt = Callable[[bytes], bytes]


class SivKey:
    """A 32-byte key, kept ready: two AES schedules and what S2V needs of the first."""

    def __init__(self, key: bytes) -> None:
        self.mac, self.stream = (
            Cipher(algorithms.AES(half), modes.ECB()).encryptor().update for half in (key[:BLOCK], key[BLOCK:])
        )
        self.subkey1 = double(self.mac(bytes(BLOCK)))
        self.subkey2 = double(self.subkey1)
        # RFC 5297 section 2.4: the chain starts from the doubled CMAC of a zero block.
        self.start = double(self.mac(self.subkey1))


Groups = Sequence[tuple[int, int, SivKey]]


def open_all(groups: Groups, bound: Bytes, sealed: Bytes) -> tuple[Bytes, npt.NDArray[np.bool_]]:
    """The plain parts, and which rows are genuine; of the others the plain part means nothing.

    `groups` are `(first row, row after the last, key)` and cover all rows in order.
    """
    mac_of = [(start, end, key.mac) for start, end, key in groups]
    iv, hidden = sealed[:, :BLOCK], sealed[:, BLOCK:]
    plain = hidden ^ _stream([(start, end, key.stream) for start, end, key in groups], iv, hidden.shape[1])

    subkey2 = _for_rows(groups, len(sealed), lambda key: key.subkey2)
    associated = _cmacs(mac_of, subkey2, bound)
    ending = plain.copy()
    ending[:, -BLOCK:] ^= _for_rows(groups, len(sealed), lambda key: key.start) ^ associated
    return plain, same_rows(_cmacs(mac_of, subkey2, ending), iv)


def same_rows(left: Bytes, right: Bytes) -> npt.NDArray[np.bool_]:
    """Which rows are equal, without telling by time where they differ."""
    differs: npt.NDArray[np.bool_] = np.bitwise_or.reduce(left ^ right, axis=1) != 0
    return ~differs


def _stream(groups: Sequence[tuple[int, int, Encrypt]], iv: Bytes, size: int) -> Bytes:
    """RFC 5297 section 2.5: the counter starts from the IV with bits 63 and 31 cleared, so here it never carries."""
    blocks = -(-size // BLOCK)
    counters = np.repeat(iv, blocks, axis=0).reshape(-1, blocks, BLOCK)
    counters[:, :, 8] &= 0x7F
    counters[:, :, 12] &= 0x7F
    low = np.ascontiguousarray(counters[:, :, 12:]).view(">u4")[:, :, 0]
    low = low + np.arange(blocks, dtype=np.uint32)
    counters[:, :, 12:] = np.ascontiguousarray(low, ">u4").view(np.uint8).reshape(*low.shape, 4)
    return _encrypt(groups, counters.reshape(-1, blocks * BLOCK))[:, :size]


def _cmacs(groups: Sequence[tuple[int, int, Encrypt]], subkey: Bytes, messages: Bytes) -> Bytes:
    """CMACs of messages that do not end on a block."""
    size = messages.shape[1]
    padded = np.zeros((len(messages), size + -size % BLOCK), np.uint8)
    padded[:, :size] = messages
    padded[:, size] = 0x80
    state = np.zeros((len(messages), BLOCK), np.uint8)
    for at in range(0, padded.shape[1] - BLOCK, BLOCK):
        state = _encrypt(groups, state ^ padded[:, at : at + BLOCK])
    return _encrypt(groups, state ^ padded[:, -BLOCK:] ^ subkey)


def _encrypt(groups: Sequence[tuple[int, int, Encrypt]], rows: Bytes) -> Bytes:
    """Each row of whole blocks under the key of its group."""
    size, data = rows.shape[1], rows.tobytes()
    done = [encrypt(data[start * size : end * size]) for start, end, encrypt in groups]
    return np.frombuffer(b"".join(done), np.uint8).reshape(-1, size)


def _for_rows(groups: Groups, rows: int, value_of: Callable[[SivKey], bytes]) -> Bytes:
    """A value of each group's key, repeated for its rows."""
    if not groups:
        return np.zeros((rows, BLOCK), np.uint8)
    values = np.frombuffer(b"".join(value_of(key) for _, _, key in groups), np.uint8)
    return np.repeat(values.reshape(-1, BLOCK), [end - start for start, end, _ in groups], axis=0)
