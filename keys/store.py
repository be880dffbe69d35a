"""Where the vault's keys are: what a store can do with them, and the one that holds them in memory.

Messages come many at a time, because that is how records come. Nothing here gives a key out.
"""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from card.cmac import cmac, double
from keys.errors import KeyMissing, KeyStoreError

BLOCK = 16
Name = tuple[str, int]


class Store(Protocol):
    """Keys by (purpose, version). Every use of a key that is not there raises KeyMissing."""

    def names(self) -> set[Name]:
        """What is held."""

    def cmacs(self, name: Name, messages: bytes, size: int) -> bytes:
        """AES-CMACs (RFC 4493) of messages of `size` bytes (1 or more) each, put together: 16 bytes for each."""

    def encrypt(self, name: Name, blocks: bytes) -> bytes:
        """AES of whole blocks of 16 bytes, each on its own."""

    def decrypt(self, name: Name, blocks: bytes) -> bytes:
        """The reverse."""

    def sign(self, name: Name, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes."""

    def public_key(self, name: Name) -> bytes:
        """Ed25519 public key, 32 bytes."""

    def put(self, keys: dict[Name, bytes]) -> None:
        """Take keys in, all of them or none; one that is there already is refused with KeyStoreError."""

    def remove(self, names: Iterable[Name]) -> None:
        """Destroy keys."""

    def close(self) -> None:
        """Let go of it; nothing can be asked of it afterwards."""


class MemoryStore:
    """A store in this process's memory: under the encrypted file, and in tests."""

    def __init__(self, keys: dict[Name, bytes] | None = None) -> None:
        self._keys = dict(keys or {})

    def names(self) -> set[Name]:
        return set(self._keys)

    def cmacs(self, name: Name, messages: bytes, size: int) -> bytes:
        return cmacs(self._key(name), messages, size)

    def encrypt(self, name: Name, blocks: bytes) -> bytes:
        return Cipher(algorithms.AES(self._key(name)), modes.ECB()).encryptor().update(blocks)

    def decrypt(self, name: Name, blocks: bytes) -> bytes:
        return Cipher(algorithms.AES(self._key(name)), modes.ECB()).decryptor().update(blocks)

    def sign(self, name: Name, message: bytes) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self._key(name)).sign(message)

    def public_key(self, name: Name) -> bytes:
        key = Ed25519PrivateKey.from_private_bytes(self._key(name)).public_key()
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)

    def put(self, keys: dict[Name, bytes]) -> None:
        refuse_held(self, keys)
        self._keys.update(keys)

    def remove(self, names: Iterable[Name]) -> None:
        for name in names:
            self._keys.pop(name, None)

    def close(self) -> None:
        self._keys = {}

    def _key(self, name: Name) -> bytes:
        try:
            return self._keys[name]
        except KeyError:
            raise KeyMissing(*name) from None


def cmacs(key: bytes, messages: bytes, size: int) -> bytes:
    """AES-CMACs of many messages of one size under one key, a layer of blocks at a time.

    CBC is a chain within a message, and no chain between messages: so the first blocks of all go through AES in one
    call, then all second ones.
    """
    if len(messages) == size:
        one: bytes = cmac(key, messages)
        return one
    encrypt = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update
    subkey: bytes = double(encrypt(bytes(BLOCK)))
    rest = -size % BLOCK
    rows = np.frombuffer(messages, np.uint8).reshape(-1, size)
    if rest:
        subkey = double(subkey)
        padded = np.zeros((len(rows), size + rest), np.uint8)
        padded[:, :size] = rows
        padded[:, size] = 0x80
        rows = padded
    last = size + rest - BLOCK
    state = np.zeros((len(rows), BLOCK), np.uint8)
    for at in range(0, last, BLOCK):
        state = np.frombuffer(encrypt((state ^ rows[:, at : at + BLOCK]).tobytes()), np.uint8).reshape(-1, BLOCK)
    ending = state ^ rows[:, last:] ^ np.frombuffer(subkey, np.uint8)
    return encrypt(ending.tobytes())


def refuse_held(store: Store, keys: dict[Name, bytes]) -> None:
    """A key is never replaced: what was made with it would be lost."""
    for purpose, version in keys.keys() & store.names():
        raise KeyStoreError(f"The store holds {purpose} {version} already.")
