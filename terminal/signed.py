"""A list on its way to a terminal: was it signed by who has the vault's word for lists of its kind?

The host checks that. A terminal cannot: it knows its lists by keys that it has itself, so who took one apart could
make a list, and would have to get it past a host.
"""

from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from card.errors import CardError
from card.signing import (
    CERTIFICATE_BYTES,
    SEAL_BYTES,
    SIGNATURE_BYTES,
    certificate_input,
    content_input,
    read_certificate,
)


class NotSigned(Exception):
    """A list that nobody signed who may, or not all of one."""


def checked(use: bytes, signed: bytes, signers: Sequence[str], day: int) -> bytes:
    """The content of a list; `use` is what the signer's certificate has to be for, and `day` that of the list.

    `signers` are the vault's public keys (hex), as the terminal has them from its lease. Raises NotSigned.
    """
    content, seal = signed[:-SEAL_BYTES], signed[-SEAL_BYTES:]
    try:
        until, public_key, word = read_certificate(seal[:CERTIFICATE_BYTES])
        signature = seal[CERTIFICATE_BYTES:]
        if day > until or len(signature) != SIGNATURE_BYTES:
            raise NotSigned
        _verify_one(signers, word, certificate_input(use, until, public_key))
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content_input(use, content))
    except (CardError, InvalidSignature):
        raise NotSigned from None
    return content


def _verify_one(signers: Sequence[str], word: bytes, message: bytes) -> None:
    for signer in signers:
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer)).verify(word, message)
            return
        except InvalidSignature:
            continue
    raise NotSigned
