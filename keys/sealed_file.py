"""The vault's keys in one encrypted file: opens with the passphrases of all its custodians, and is replaced whole.

    magic 16 | people 1 | memory in KiB 4, passes 2, lanes 1 | salt 16 | nonce 12 | sealed keys | SHA-256 of all before

AES-256-GCM-SIV (RFC 8452), because a server that is put back from a snapshot may draw a nonce twice, and this is the
mode that survives it. It comes with OpenSSL 3.2, as Argon2id does, so asking for both asks for nothing extra.
"""

import fcntl
import json
import os
import secrets
import struct
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from keys.errors import KeyStoreError
from keys.store import MemoryStore, Name, refuse_held

FILE_NAME = "keys.sealed"
_MAGIC = b"meedoen sealed 1"
_HEADER = struct.Struct(">16sBIHB16s12s")
_SALT = 16
_NONCE = 12
_CHECKSUM = 32


@dataclass(frozen=True)
class Cost:
    """What one guess at the passphrases costs (Argon2id)."""

    memory_kib: int
    passes: int
    lanes: int

    @property
    def bearable(self) -> bool:
        """Argon2 can do it (RFC 9106, section 3.1) and a server can pay it; a made-up file may ask for terabytes."""
        return 1 <= self.lanes <= 16 and 1 <= self.passes <= 16 and 8 * self.lanes <= self.memory_kib <= 1024 * 1024


# RFC 9106, section 4: the second recommended option.
RECOMMENDED = Cost(memory_kib=64 * 1024, passes=3, lanes=4)


@dataclass(frozen=True)
class _Seal:
    """What a file is closed with, without the passphrases: those are forgotten when the key is made."""

    people: int
    cost: Cost
    salt: bytes
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, passphrases: Sequence[str], cost: Cost, salt: bytes) -> Self:
        argon2 = Argon2id(salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib)
        return cls(len(passphrases), cost, salt, argon2.derive(_together(passphrases)))

    def close(self, keys: dict[Name, bytes]) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        cost = self.cost
        header = _HEADER.pack(_MAGIC, self.people, cost.memory_kib, cost.passes, cost.lanes, self.salt, nonce)
        plain = json.dumps([[purpose, version, key.hex()] for (purpose, version), key in keys.items()]).encode()
        content = header + AESGCMSIV(self.key).encrypt(nonce, plain, header)
        return content + sha256(content).digest()

    def open(self, content: bytes) -> dict[Name, bytes]:
        header, sealed = content[: _HEADER.size], content[_HEADER.size : -_CHECKSUM]
        plain = AESGCMSIV(self.key).decrypt(header[-_NONCE:], sealed, header)
        return {(purpose, version): bytes.fromhex(key) for purpose, version, key in json.loads(plain)}


class SealedFile(MemoryStore):
    """A store that writes each change to its file before it counts; the keys in use are in this process's memory.

    What is removed is gone from the file, not from older copies of it: these open with the passphrases of their time.
    """

    def __init__(self, path: Path, seal: _Seal, content: bytes | None, keys: dict[Name, bytes]) -> None:
        super().__init__(keys)
        self._path, self._seal, self._content = path, seal, content

    @classmethod
    def create(cls, path: Path, passphrases: Sequence[str], cost: Cost = RECOMMENDED) -> Self:
        """An empty store; refuses to replace one that is there."""
        if path.exists():
            raise KeyStoreError(f"{path} already holds keys; choose another folder.")
        store = cls(path, _new_seal(passphrases, cost), None, {})
        store._write({})
        return store

    @classmethod
    def open(cls, path: Path, passphrases: Sequence[str]) -> Self:
        """The store that `create` made, with the passphrases in the same order."""
        content = _read(path)
        if content is None:
            raise KeyStoreError(f"There is no key store at {path}; check the folder, or put the back-up there.")
        people, cost, salt = _header(path, content)
        if len(passphrases) != people:
            raise KeyStoreError(
                f"This store needs the passphrases of {people} people, in the order in which they were set."
                if people > 1
                else "This store needs the passphrase of one person."
            )
        seal = _Seal.of(passphrases, cost, salt)
        try:
            return cls(path, seal, content, seal.open(content))
        except InvalidTag:
            raise KeyStoreError(f"{path} does not open with this: check each passphrase, and their order.") from None

    def put(self, keys: dict[Name, bytes]) -> None:
        refuse_held(self, keys)
        self._write(self._keys | keys)

    def remove(self, names: Iterable[Name]) -> None:
        gone = set(names)
        self._write({name: key for name, key in self._keys.items() if name not in gone})

    def change_passphrases(self, new: Sequence[str], cost: Cost = RECOMMENDED) -> None:
        """From now on the file opens with the new ones only; so older copies of it are to be destroyed."""
        self._write(self._keys, _new_seal(new, cost))

    def _write(self, keys: dict[Name, bytes], seal: _Seal | None = None) -> None:
        seal = seal or self._seal
        content = seal.close(keys)
        try:
            with _only_writer(self._path.parent):
                if _read(self._path) != self._content:
                    raise KeyStoreError(f"{self._path} was changed by another process; open it again.")
                _replace(self._path, content)
        except OSError as error:
            raise KeyStoreError(f"{self._path} cannot be written ({error.strerror}); it holds what it held.") from None
        self._seal, self._content, self._keys = seal, content, keys


def _new_seal(passphrases: Sequence[str], cost: Cost) -> _Seal:
    if not 1 <= len(passphrases) <= 255 or not all(passphrases):
        raise KeyStoreError("A store needs at least one passphrase, and none may be empty.")
    if not cost.bearable:
        raise KeyStoreError("A store cannot be sealed at this cost; take the recommended one.")
    return _Seal.of(passphrases, cost, secrets.token_bytes(_SALT))


def _together(passphrases: Sequence[str]) -> bytes:
    """Each with its length, so that no two lists of passphrases are the same bytes."""
    # NFC, as the OpaqueString profile has it (RFC 8265): keyboards differ in how they send an é. Half a character, as a
    # terminal may give it, passes as it is: the error for it would hold the passphrase.
    spelled = [unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass") for passphrase in passphrases]
    return b"".join(len(passphrase).to_bytes(4, "big") + passphrase for passphrase in spelled)


def _header(path: Path, content: bytes) -> tuple[int, Cost, bytes]:
    """Number of people, cost and salt of a file that came through undamaged."""
    if not content.startswith(_MAGIC):
        raise KeyStoreError(f"{path} is not a key store of meedoen.")
    if len(content) < _HEADER.size + _CHECKSUM or sha256(content[:-_CHECKSUM]).digest() != content[-_CHECKSUM:]:
        raise KeyStoreError(f"{path} is damaged; put the back-up in its place.")
    _, people, memory_kib, passes, lanes, salt, _ = _HEADER.unpack_from(content)
    cost = Cost(memory_kib, passes, lanes)
    if not cost.bearable:
        raise KeyStoreError(f"{path} asks for work that no store asks for; put the back-up in its place.")
    return people, cost, salt


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyStoreError(f"{path} cannot be read ({error.strerror}).") from None


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    """One process at a time; and what happened in the folder is on the disk when it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(path: Path, content: bytes) -> None:
    """The old file or the new one, whatever happens."""
    new = path.with_name(path.name + ".new")
    # What an earlier attempt left behind may have other rights.
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
