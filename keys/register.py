"""What the vault knows that is no secret: which keys there are, which terminals and officers. `vault.json`.

It is protected by a MAC under a key of the store: who can write on the disk still cannot add an officer or bring back a
revoked terminal.
"""

import hmac
import json
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from keys.errors import KeyMissing, KeyStoreError
from keys.files import write_secret
from keys.hierarchy import PURPOSES
from keys.store import Name, Store
from web.outside import from_json

FILE_NAME = "vault.json"
LEASE_DAYS = 30
FIRST_VERSION = 1
_REGISTER = ("register", FIRST_VERSION)


@dataclass
class KeyVersion:
    """One version of a purpose. `until`: the last day on which an old one is accepted; none for the current one."""

    check: str
    until: str | None = None


@dataclass
class Terminal:
    """A device that may have keys; `device` is its own number, 16 hex digits."""

    device: str
    revoked_on: str | None = None


@dataclass
class Register:
    """`keys[purpose][version]`; `share_set`, `threshold` and `custodians` say which sheets belong to these keys.

    The keys are in a file behind `passphrases`, or in the PKCS#11 `token` behind `module`. `address`: host and port of
    the vault for parties on other machines; without it they are on this one.
    """

    municipality: int
    aid: str
    rehearsal: bool = False
    share_set: int = 0
    threshold: int = 1
    custodians: int = 1
    lease_days: int = LEASE_DAYS
    passphrases: int = 1
    module: str = ""
    token: str = ""
    address: str = ""
    keys: dict[str, dict[str, KeyVersion]] = field(default_factory=dict)
    terminals: dict[str, Terminal] = field(default_factory=dict)
    officers: dict[str, str] = field(default_factory=dict)
    destroyed_years: list[int] = field(default_factory=list)
    # The firmware that terminals may take: its version and the SHA-256 of its package.
    release: dict[str, int | str] | None = None

    # Which keys count

    def current(self, purpose: str) -> int:
        """The newest version of a purpose. (Yearly purposes are asked for by their year.)"""
        versions = self.keys.get(purpose)
        if not versions or PURPOSES[purpose].yearly:
            raise KeyMissing(purpose, 0)
        return max(map(int, versions))

    def accepted(self, purpose: str, on: date) -> list[int]:
        """The versions that count on a day, newest first."""
        return [
            version
            for version, key in sorted(((int(name), key) for name, key in self.keys[purpose].items()), reverse=True)
            if key.until is None or on <= date.fromisoformat(key.until)
        ]

    def names(self) -> set[Name]:
        """Every key that the store should hold."""
        return {(purpose, int(version)) for purpose, versions in self.keys.items() for version in versions}

    def lease_ends(self, on: date) -> date:
        """The last day that keys given on a day are good for, without a sync after it."""
        return on + timedelta(days=self.lease_days)

    def years_end(self, on: date) -> date:
        """The last day of this year, or of the last one after it that has keys as each year before it."""
        year = on.year
        while str(year + 1) in self.keys["sealing"]:
            year += 1
        return date(year, 12, 31)


def load(folder: Path, store: Store) -> Register:
    """The register of a vault; raises KeyStoreError when it is not there, damaged, or not protected by this store."""
    path = folder / FILE_NAME
    found = _read(path)
    try:
        content = found["content"]
        if not hmac.compare_digest(bytes.fromhex(found["mac"]), _mac(store, content)):
            raise KeyStoreError(
                f"{path} was changed by somebody who does not hold the keys. Put the back-up in its place."
            )
        return _parsed(content)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise KeyStoreError(
            f"{path} is not the register of a vault, or it is damaged. Put the back-up in its place."
        ) from None


def peek(folder: Path) -> Register:
    """The register without its protection being checked, for what must be known before the store can be opened."""
    path = folder / FILE_NAME
    try:
        return _parsed(_read(path)["content"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise KeyStoreError(
            f"{path} is not the register of a vault, or it is damaged. Put the back-up in its place."
        ) from None


def save(folder: Path, register: Register, store: Store) -> None:
    """Write it, complete or not at all."""
    content = asdict(register)
    write_secret(folder / FILE_NAME, {"content": content, "mac": _mac(store, content).hex()})


def _read(path: Path) -> dict[str, Any]:
    try:
        found = from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KeyStoreError(
            f"No keys in {path.parent}; make them with `meedoen keys ceremony`, or `keys init` to try."
        ) from None
    except ValueError:
        raise KeyStoreError(
            f"{path} is not the register of a vault, or it is damaged. Put the back-up in its place."
        ) from None
    if not isinstance(found, dict):
        raise KeyStoreError(f"{path} is not the register of a vault, or it is damaged. Put the back-up in its place.")
    return found


def _parsed(content: dict[str, Any]) -> Register:
    given = dict(content)
    given["keys"] = {
        purpose: {version: KeyVersion(**key) for version, key in versions.items()}
        for purpose, versions in given["keys"].items()
    }
    given["terminals"] = {number: Terminal(**terminal) for number, terminal in given["terminals"].items()}
    return Register(**given)


def _mac(store: Store, content: dict[str, Any]) -> bytes:
    message = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return store.cmacs(_REGISTER, message, len(message))
