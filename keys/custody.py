"""What custodians do with the root in their hands: make keys, new versions, a new year; and destroy a year.

The root comes from their shares and is gone when the command ends. Whoever calls this saves the register.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from keys.errors import KeyMissing, KeyStoreError
from keys.files import write_secret
from keys.hierarchy import PURPOSES, SEED_BYTES, Purpose, derive
from keys.register import FIRST_VERSION, KeyVersion, Register
from keys.store import BLOCK, MemoryStore, Name, Store

MOST_VERSIONS = 255  # the version of a key on a pass is one byte
_CHECK_DIGITS = 6
# The key that every vault has and that never changes: a root is known by it.
_KNOWN = ("register", FIRST_VERSION)


@dataclass(frozen=True)
class Destroyed:
    """What is gone for good. `seed_digest`: SHA-256 of the seed's file, to find every copy of it."""

    year: int
    checks: dict[str, str]
    seed_digest: str | None


class Seeds:
    """The seeds of years, a file each in `years/`. Without its seed a year's keys cannot be made, root or no root."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "years"

    def make(self, year: int) -> bytes:
        """A new seed; refuses to replace one."""
        path = self._path(year)
        if path.exists():
            raise KeyStoreError(f"{path} is there already.")
        seed = secrets.token_bytes(SEED_BYTES)
        self.keep(year, seed)
        return seed

    def keep(self, year: int, seed: bytes) -> None:
        """A seed that was made before, from a copy."""
        write_secret(self._path(year), seed.hex().encode())

    def read(self, year: int) -> bytes:
        """The seed of a year; raises KeyStoreError when it is not there or damaged."""
        path = self._path(year)
        try:
            seed = bytes.fromhex(path.read_text())
        except FileNotFoundError:
            raise KeyStoreError(
                f"{path} is missing. Put a copy of it in its place; without it {year} is lost."
            ) from None
        except ValueError:
            raise KeyStoreError(f"{path} is damaged. Put a copy of it in its place.") from None
        if len(seed) != SEED_BYTES:
            raise KeyStoreError(f"{path} is damaged. Put a copy of it in its place.")
        return seed

    def years(self) -> list[int]:
        """The years that have a seed here."""
        return sorted(int(path.stem) for path in self._folder.glob("[0-9]*.seed"))

    def destroy(self, year: int) -> str | None:
        """Overwrite and remove it; the SHA-256 of what it was, or None when there was none."""
        path = self._path(year)
        if not path.exists():
            return None
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with path.open("r+b") as file:
            file.write(bytes(2 * SEED_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        return digest

    def _path(self, year: int) -> Path:
        return self._folder / f"{year}.seed"


def check_value(store: Store, name: Name) -> str:
    """The key check value: six hex digits by which people compare keys without seeing them.

    For AES the first three bytes of the CMAC of a zero block (of its encryption, for a key that may do nothing else),
    for Ed25519 of the public key.
    """
    kind = PURPOSES[name[0]].kind
    if kind == "sign":
        value = store.public_key(name)
    elif kind == "block":
        value = store.encrypt(name, bytes(BLOCK))
    else:
        value = store.cmacs(name, bytes(BLOCK), BLOCK)
    return value[: _CHECK_DIGITS // 2].hex().upper()


def establish(root: bytes, register: Register, store: Store, seeds: Seeds, on: date) -> None:
    """The first keys of a municipality: version 1 of every purpose, and this year and the next."""
    for year in (on.year, on.year + 1):
        seeds.make(year)
    names = {(purpose.name, FIRST_VERSION) for purpose in PURPOSES.values() if purpose.stored and not purpose.yearly}
    names |= {(purpose.name, year) for purpose in _yearly() for year in (on.year, on.year + 1)}
    _put(root, register, store, seeds, names)


def rebuild(root: bytes, register: Register, store: Store, seeds: Seeds) -> None:
    """Every key that the register names, made again in an empty store; refuses when one comes out different."""
    _put(root, register, store, seeds, register.names())


def compare(root: bytes, register: Register, seeds: Seeds) -> int:
    """How many keys the root makes, all with the check values of the register; refuses when one is different."""
    compare_root(root, register)
    rebuild(root, register, MemoryStore(), seeds)
    return len(register.names())


def compare_root(root: bytes, register: Register) -> None:
    """Raises KeyStoreError when a root is not the one that these keys were made from."""
    store = MemoryStore({_KNOWN: derive(root, register.municipality, *_KNOWN)})
    if check_value(store, _KNOWN) != register.keys[_KNOWN[0]][str(_KNOWN[1])].check:
        raise KeyStoreError("These shares belong to other keys than those of this vault.")


def refuse_rotation(register: Register, purpose: str) -> None:
    """Raises KeyStoreError when a purpose cannot get a new version."""
    what = PURPOSES.get(purpose)
    if what is None or not what.stored or purpose == "register":
        raise KeyStoreError(f"{purpose} cannot be rotated. These can: {', '.join(rotatable())}.")
    if what.yearly:
        raise KeyStoreError(f"The {purpose} key is made anew every year, by `meedoen keys new-year`.")
    if register.current(purpose) >= MOST_VERSIONS:
        raise KeyStoreError(f"{purpose} had {MOST_VERSIONS} versions; the municipality needs a new ceremony.")


def rotate(root: bytes, register: Register, store: Store, purpose: str, until: date) -> int:
    """A new version of a purpose next to the one before, which counts up to and with `until`; the new version."""
    refuse_rotation(register, purpose)
    compare_root(root, register)
    before = register.current(purpose)
    _put(root, register, store, None, {(purpose, before + 1)})
    register.keys[purpose][str(before)].until = until.isoformat()
    return before + 1


def rotatable() -> list[str]:
    """The purposes that can get a new version at any time."""
    return [name for name, what in PURPOSES.items() if what.stored and not what.yearly and name != "register"]


def refuse_year(register: Register, year: int) -> None:
    """Raises KeyStoreError when a year has keys, or had them."""
    if year in register.destroyed_years:
        raise KeyStoreError(f"The keys of {year} were destroyed and are never made again.")
    if str(year) in register.keys["nullifier"]:
        raise KeyStoreError(f"The keys of {year} are there already.")


def new_year(root: bytes, register: Register, store: Store, seeds: Seeds, year: int) -> None:
    """The keys of a year; again after something went wrong half-way, it goes on with the seed that is there."""
    refuse_year(register, year)
    compare_root(root, register)
    if year not in seeds.years():
        seeds.make(year)
    _put(root, register, store, seeds, {(purpose.name, year) for purpose in _yearly()})


def retire(register: Register, store: Store, purpose: str, version: int, on: date) -> None:
    """Take an old version out of the store for good. Passes and terminals that still have it stop working."""
    key = register.keys.get(purpose, {}).get(str(version))
    if key is None or PURPOSES[purpose].yearly:
        raise KeyMissing(purpose, version)
    if key.until is None:
        raise KeyStoreError(f"{purpose} {version} is the current version. Rotate it first.")
    if on <= date.fromisoformat(key.until):
        raise KeyStoreError(f"{purpose} {version} is accepted until {key.until}. Retire it after that day.")
    del register.keys[purpose][str(version)]
    store.remove([(purpose, version)])


def refuse_destruction(register: Register, year: int, on: date) -> None:
    """Raises KeyStoreError when the keys of a year must not be destroyed, or are not there."""
    if year >= on.year:
        raise KeyStoreError(f"{year} is not over yet. Only a closed year can be destroyed.")
    if year in register.destroyed_years:
        raise KeyStoreError(f"The keys of {year} were destroyed already.")
    for purpose in _yearly():
        if str(year) not in register.keys[purpose.name]:
            raise KeyMissing(purpose.name, year)


def destroy_year(register: Register, store: Store, seeds: Seeds, year: int, on: date) -> Destroyed:
    """The yearly keys of a closed year and its seed: after it nobody can link two transactions of that year again."""
    refuse_destruction(register, year, on)
    checks = {purpose.name: register.keys[purpose.name].pop(str(year)).check for purpose in _yearly()}
    store.remove([(purpose.name, year) for purpose in _yearly()])
    register.destroyed_years.append(year)
    return Destroyed(year, checks, seeds.destroy(year))


def _yearly() -> list[Purpose]:
    return [purpose for purpose in PURPOSES.values() if purpose.yearly]


def _put(root: bytes, register: Register, store: Store, seeds: Seeds | None, names: set[Name]) -> None:
    # What the store has and the register does not is left of an attempt that was cut off.
    store.remove(names & store.names() - register.names())
    made = {}
    for purpose, version in names:
        seed = seeds.read(version) if PURPOSES[purpose].yearly and seeds else b""
        made[purpose, version] = derive(root, register.municipality, purpose, version, seed)
    store.put(made)
    for purpose, version in sorted(names):
        versions = register.keys.setdefault(purpose, {})
        check = check_value(store, (purpose, version))
        held = versions.setdefault(str(version), KeyVersion(check))
        if held.check != check:
            store.remove(names)
            raise KeyStoreError(
                f"The {purpose} key {version} comes out with check value {check}, and the register says {held.check}: "
                "these shares or this seed belong to other keys."
            )
