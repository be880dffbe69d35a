"""A vault's folder, opened: the register, and the store that its keys are in.

vault.json        the register: no secrets, protected by a key of the store
keys.sealed       the keys, behind the passphrases (or they are in a token)
years/YEAR.seed   without it the keys of that year can never be made again
audit.log         who asked what
run/              the sockets of a running vault, and its process number
tls/              certificates, when parties are on other machines
"""

import fcntl
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from keys import register as registers
from keys.errors import KeyStoreError
from keys.register import Register
from keys.sealed_file import FILE_NAME, SealedFile
from keys.store import Store
from keys.token import Token

PROCESS = Path("run/vault.pid")


class Secret(NamedTuple):
    """What somebody must type: one of keys.words.SECRETS, and what its sentence tells."""

    kind: str
    about: dict[str, object]
    new: bool = False


# Asks people for secrets.
Ask = Callable[[Sequence[Secret]], list[str]]


def create_store(folder: Path, register: Register, ask: Ask) -> Store:
    """A new, empty store of the kind that the register names."""
    if (folder / registers.FILE_NAME).exists():
        raise KeyStoreError(held_already(folder))
    if register.token:
        store: Store = _token(register, ask)
        if store.names():
            store.close()
            raise KeyStoreError(
                f"The token {register.token} already holds keys of this municipality. If they are left of a ceremony "
                "that was cut off, remove them with the token's own tool."
            )
        return store
    return SealedFile.create(folder / FILE_NAME, ask(_passphrases(register, new=True)))


def held_already(folder: Path) -> str:
    """Why nothing is made in a folder."""
    return f"{folder} already holds the keys of a municipality. Choose another folder with --data."


def open_store(folder: Path, ask: Ask) -> tuple[Store, Register]:
    """The store and the register of a folder; raises KeyStoreError, in one sentence, when they do not open."""
    seen = registers.peek(folder)
    if seen.token:
        store: Store = _token(seen, ask)
    else:
        store = SealedFile.open(folder / FILE_NAME, ask(_passphrases(seen)))
    try:
        return store, registers.load(folder, store)
    except BaseException:
        store.close()
        raise


def claim(folder: Path) -> BinaryIO:
    """This vault for one command at a time, until what is returned is closed. A running vault is not in the way."""
    registers.peek(folder)
    file = (folder / registers.FILE_NAME).open("rb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise KeyStoreError("Another command is at work on this vault. Wait until that is done.") from None
    return file


def save(folder: Path, register: Register, store: Store) -> None:
    """Keep what was changed, and let a running vault know."""
    registers.save(folder, register, store)
    with suppress(OSError, ValueError):
        number = int((folder / PROCESS).read_text())
        # A file that a crash left behind may name somebody else's process by now.
        command = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        if b"keys" in command and b"serve" in command:
            os.kill(number, signal.SIGHUP)


def _token(register: Register, ask: Ask) -> Token:
    pins = ask([Secret("pin", {"token": register.token})])
    return Token(register.module, register.token, "".join(pins[:1]), register.municipality)


def _passphrases(register: Register, new: bool = False) -> list[Secret]:
    people = register.passphrases
    if people == 1:
        return [Secret("passphrase", {}, new)]
    return [Secret("passphrase_of", {"number": number, "people": people}, new) for number in range(1, people + 1)]
