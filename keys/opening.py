"""A vault's folder, opened: the register, and the store that its keys are in.

vault.json        the register: no secrets, protected by a key of the store
keys.sealed       the keys, behind the passphrases (or they are in a token)
years/YEAR.seed   without it the keys of that year can never be made again
audit.log         who asked what
run/              the sockets of a running vault, and its process number
tls/              certificates, when parties are on other machines
"""

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from keys import register as registers
from keys.errors import KeyStoreError
from keys.register import Register
from keys.sealed_file import FILE_NAME, SealedFile
from keys.store import Store
from keys.token import Token

PROCESS = Path("run/vault.pid")
# Asks people for so many secrets; the text says which.
Ask = Callable[[Sequence[str]], list[str]]


def create_store(folder: Path, register: Register, ask: Ask) -> Store:
    """A new, empty store of the kind that the register names."""
    if (folder / registers.FILE_NAME).exists():
        raise KeyStoreError(f"{folder} already holds the keys of a municipality; choose another folder.")
    if register.token:
        store: Store = _token(register, ask)
        if store.names():
            raise KeyStoreError(
                f"The token {register.token} already holds keys of this municipality. If they are left of a ceremony "
                "that was cut off, remove them with the token's own tool."
            )
        return store
    return SealedFile.create(folder / FILE_NAME, ask(_passphrases(register, "New passphrase")))


def open_store(folder: Path, ask: Ask) -> tuple[Store, Register]:
    """The store and the register of a folder; raises KeyStoreError, in one sentence, when they do not open."""
    seen = registers.peek(folder)
    if seen.token:
        store: Store = _token(seen, ask)
    else:
        store = SealedFile.open(folder / FILE_NAME, ask(_passphrases(seen, "Passphrase")))
    return store, registers.load(folder, store)


def save(folder: Path, register: Register, store: Store) -> None:
    """Keep what was changed, and let a running vault know."""
    registers.save(folder, register, store)
    with suppress(OSError, ValueError):
        os.kill(int((folder / PROCESS).read_text()), signal.SIGHUP)


def _token(register: Register, ask: Ask) -> Token:
    (pin,) = ask([f"PIN of the token {register.token}"])
    return Token(register.module, register.token, pin, register.municipality)


def _passphrases(register: Register, what: str) -> list[str]:
    if register.passphrases == 1:
        return [what]
    return [f"{what} of person {number} of {register.passphrases}" for number in range(1, register.passphrases + 1)]
