"""Every key of a municipality from one root secret: one table, one derivation.

HKDF-SHA256 (RFC 5869) with the label `meedoen/<purpose>/<version>` bound to the municipality's number.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ROOT_BYTES = 32


@dataclass(frozen=True)
class Purpose:
    """What a key is for, how many bytes it has, and who may hold it besides the vault."""

    name: str
    size: int
    holders: str


PURPOSES = {
    purpose.name: purpose
    for purpose in (
        Purpose("picc", 16, "vault; diversified on each pass"),
        Purpose("application", 16, "vault; diversified on each pass"),
        Purpose("load", 16, "vault; diversified on each pass"),
        Purpose("lookup", 16, "every terminal; the same on every pass, because nothing is known of a pass before it"),
        Purpose("tap", 16, "every terminal; diversified by handle on each pass"),
        Purpose("transaction_mac", 16, "vault; diversified on each pass"),
        Purpose("handle", 16, "vault"),
        Purpose("nullifier", 16, "vault; one a calendar year"),
        Purpose("sealing", 16, "vault; each terminal a state of the day"),
        Purpose("link", 16, "backend; each terminal its own"),
        Purpose("hotlist", 32, "issuer and every terminal"),
    )
}


def derive(root: bytes, municipality: int, purpose: str, version: int = 1) -> bytes:
    """The key of a purpose. `version` is the year for the nullifier key, else the generation of the key."""
    size = PURPOSES[purpose].size
    info = f"meedoen/{purpose}/{version}".encode()
    return HKDF(SHA256(), size, salt=municipality.to_bytes(2, "little"), info=info).derive(root)
