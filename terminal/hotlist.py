"""The list of blocked passes on its way to a terminal: is it the city's, and which part of it does the terminal lack?

The host checks who signed it. A terminal cannot: it knows its list by a key that every terminal has, so who took one
apart could make a list, and would have to get it past a host.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from card.errors import CardError
from card.hotlist import HEAD_BYTES, BaseHead, ChangesHead, begins_with_base
from card.signing import (
    CERTIFICATE_BYTES,
    HOTLIST,
    SEAL_BYTES,
    SIGNATURE_BYTES,
    certificate_input,
    content_input,
    read_certificate,
)

_VERSIONS_A_DAY = 1 << 16


class NotSigned(Exception):
    """A list that the city's desk did not sign, or not all of one."""


@dataclass(frozen=True)
class HotlistFile:
    """A list as the desk signed it: base and changes, or changes alone (`base_bytes` is 0).

    `base` is the version of the base that the changes belong to.
    """

    content: bytes
    base_bytes: int
    base: int
    version: int

    def for_terminal(self, base: int) -> bytes | None:
        """What a terminal with this base lacks; None when this has changes to another base only."""
        if base == self.base:
            return self.content[self.base_bytes :]
        return self.content if self.base_bytes else None


def opened(signed: bytes, signers: Sequence[str]) -> HotlistFile:
    """A list from the desk; `signers` are the vault's public keys (hex), as the terminal has them from its lease.

    Raises NotSigned.
    """
    content, seal = signed[:-SEAL_BYTES], signed[-SEAL_BYTES:]
    try:
        found = _taken_apart(content)
        _check(seal[:CERTIFICATE_BYTES], content, seal[CERTIFICATE_BYTES:], signers, found.version // _VERSIONS_A_DAY)
    except (CardError, InvalidSignature):
        raise NotSigned from None
    return found


def _taken_apart(content: bytes) -> HotlistFile:
    base_bytes = BaseHead.from_bytes(content[:HEAD_BYTES]).bytes if begins_with_base(content) else 0
    head = ChangesHead.from_bytes(content[base_bytes : base_bytes + HEAD_BYTES])
    if len(content) != base_bytes + head.bytes:
        raise NotSigned
    return HotlistFile(content, base_bytes, head.base, head.version)


def _check(certificate: bytes, content: bytes, signature: bytes, signers: Sequence[str], day: int) -> None:
    """One of the vault's keys stands behind the key that signed this, on the day of the list."""
    until, public_key, word = read_certificate(certificate)
    if day > until or len(signature) != SIGNATURE_BYTES:
        raise NotSigned
    _verify_one(signers, word, certificate_input(HOTLIST, until, public_key))
    Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content_input(HOTLIST, content))


def _verify_one(signers: Sequence[str], word: bytes, message: bytes) -> None:
    for signer in signers:
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer)).verify(word, message)
            return
        except InvalidSignature:
            continue
    raise NotSigned
