"""The record of a ceremony: who was there, what was done, which keys came of it. No secret; signed with the root."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keys.errors import KeyStoreError
from web.outside import from_json


@dataclass(frozen=True)
class KeyCheck:
    """The check value of one key."""

    purpose: str
    version: int
    value: str


@dataclass(frozen=True)
class Step:
    """What was done, and when (UTC)."""

    at: str
    what: str


@dataclass
class Transcript:
    """Filled while the ceremony goes on. `custodians` by the number of their share, from 1."""

    municipality: int
    name: str
    rehearsal: bool
    language: str
    threshold: int
    custodians: list[str]
    share_set: int = 0
    steps: list[Step] = field(default_factory=list)
    keys: list[KeyCheck] = field(default_factory=list)
    signature: str = ""
    public_key: str = ""

    def add(self, at: datetime, what: str) -> None:
        """Note a step."""
        self.steps.append(Step(at.isoformat(timespec="seconds"), what))

    def sign(self, private_key: bytes) -> None:
        """With an Ed25519 key of 32 bytes, which only the root can make again."""
        key = Ed25519PrivateKey.from_private_bytes(private_key)
        self.signature = key.sign(self._content()).hex()
        self.public_key = key.public_key().public_bytes_raw().hex()

    @property
    def signed_json(self) -> bytes:
        """The file: content, signature and public key."""
        signed = {"content": self._fields(), "signature": self.signature, "public_key": self.public_key}
        return json.dumps(signed, ensure_ascii=False, indent=1, sort_keys=True).encode()

    def _fields(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name not in ("signature", "public_key")}

    def _content(self) -> bytes:
        return canonical(self._fields())


def canonical(content: dict[str, Any]) -> bytes:
    """The bytes that are signed."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def verify(file: bytes, private_key: bytes) -> dict[str, Any]:
    """The content of a transcript that this key signed; raises KeyStoreError.

    It takes the shares to verify: the public key in the file is only worth what the paper with the signatures is worth.
    """
    public_key = Ed25519PrivateKey.from_private_bytes(private_key).public_key()
    try:
        found = from_json(file)
        content: dict[str, Any] = found["content"]
        public_key.verify(bytes.fromhex(found["signature"]), canonical(content))
        return content
    except (ValueError, TypeError, KeyError):
        raise KeyStoreError("This is not the transcript of a ceremony.") from None
    except InvalidSignature:
        raise KeyStoreError("The transcript was changed, or belongs to other keys.") from None
