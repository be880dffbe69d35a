"""Every key of a municipality from one root secret: one table, one derivation.

HKDF-SHA256 (RFC 5869) with the label `meedoen/<purpose>/<version>`, bound to the municipality's number. The root exists
at a ceremony only; what a store keeps is one level below it, and what other parties hold is one level below that.
"""

from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ROOT_BYTES = 32
SEED_BYTES = 32

# mac: AES-CMAC only; block: AES on single blocks; sign: Ed25519.
Kind = Literal["mac", "block", "sign"]
_SIZES: dict[Kind, int] = {"mac": 16, "block": 16, "sign": 32}


@dataclass(frozen=True)
class Purpose:
    """What a key of the vault is for, and who holds what is made with it.

    A `yearly` key has the year as its version and needs, next to the root, the seed of that year: with the seed
    destroyed nobody can make it again, not even all custodians together. One that is not `stored` exists at a
    ceremony only.
    """

    name: str
    kind: Kind
    use: str
    yearly: bool = False
    stored: bool = True

    @property
    def size(self) -> int:
        """Bytes."""
        return _SIZES[self.kind]


PURPOSES = {
    purpose.name: purpose
    for purpose in (
        Purpose("picc", "mac", "card master key of each pass, diversified"),
        Purpose("application", "mac", "application key of each pass, diversified"),
        Purpose("load", "mac", "load key of each pass, diversified"),
        Purpose("lookup", "mac", "makes the lookup key, the same on every pass; terminals hold that"),
        Purpose("tap", "mac", "makes the tap master, diversified by handle; terminals hold that"),
        Purpose("transaction_mac", "mac", "transaction-MAC key of each pass, diversified"),
        Purpose("handle", "block", "turns UID and generation into the handle of a pass, and back"),
        Purpose("nullifier", "mac", "makes the nullifiers of one calendar year", yearly=True),
        Purpose("sealing", "mac", "makes the sealing keys of every terminal for one calendar year", yearly=True),
        Purpose("link", "mac", "makes the link root, with which the backend knows its terminals"),
        Purpose("lease", "mac", "makes the key of each device that its terminal keys are wrapped with"),
        Purpose("hotlist", "mac", "makes the hotlist key; issuer and terminals hold that"),
        Purpose("table", "mac", "makes the key that the backend seals its table of nullifiers with, for the vault"),
        Purpose("register", "mac", "protects the vault's register"),
        Purpose("bundle", "sign", "says who may sign the lists that terminals get"),
        Purpose("firmware", "sign", "signs firmware"),
        Purpose("transcript", "sign", "signs the transcript of a ceremony", stored=False),
    )
}


def derive(root: bytes, municipality: int, purpose: str, version: int = 1, seed: bytes = b"") -> bytes:
    """The key of a purpose. `version` counts from 1, or is the year of a yearly key, which needs its year's seed."""
    what = PURPOSES[purpose]
    if len(seed) != (SEED_BYTES if what.yearly else 0):
        raise ValueError(f"the {purpose} key takes {'the seed of its year' if what.yearly else 'no seed'}")
    info = f"meedoen/{purpose}/{version}".encode()
    return HKDF(SHA256(), what.size, salt=municipality.to_bytes(2, "little") + seed, info=info).derive(root)
