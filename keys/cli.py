"""`meedoen keys`: the vault of a municipality, day by day. What custodians do together is in keys/custody_cli.py."""

import getpass
import hashlib
import json
import os
import pwd
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from card.errors import CardError
from card.release import version_of
from keys import certificates, opening
from keys.audit_log import AuditLog
from keys.balance import SIGNED
from keys.days import today, utc_now
from keys.errors import KeyStoreError, ShareError
from keys.files import write_secret
from keys.hand_out import device_keys, hand_out
from keys.http import PARTIES, create_app
from keys.opening import Secret
from keys.register import Register, Terminal
from keys.server import Sockets, Tls
from keys.server import serve as run_server
from keys.store import Store
from keys.vault import DESK, Vault
from keys.words import SECRETS

app = typer.Typer(no_args_is_help=True, help="Make, hand out and use keys.")
terminal = typer.Typer(no_args_is_help=True, help="The keys of terminals.")
officer = typer.Typer(no_args_is_help=True, help="Officers, who sign together for the balance of a lost pass.")
app.add_typer(terminal, name="terminal")
app.add_typer(officer, name="officer")

DEFAULT_FOLDER = Path("var/keys")
FEWEST_CHARACTERS = 12
Folder = Annotated[Path, typer.Option("--data", help="Folder of the vault.")]
Passphrases = Annotated[
    Path | None,
    typer.Option(
        "--passphrases",
        envvar="MEEDOEN_PASSPHRASES",
        help="File with the passphrases (or the PIN), one a line; without it they are asked for.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer for machines.")]
Number = Annotated[int, typer.Argument(help="Number of the terminal.", min=DESK + 1, max=2**32 - 1)]


# What is let go of when the command that runs is over.
_at_the_end: ContextVar[ExitStack] = ContextVar("at_the_end")


@dataclass(frozen=True)
class Opened:
    """A vault's folder with everything in it at hand."""

    folder: Path
    store: Store
    register: Register

    def vault(self) -> Vault:
        return Vault(self.store, self.register, today)

    def save(self) -> None:
        opening.save(self.folder, self.register, self.store)


@contextmanager
def refusals(as_json: bool = False) -> Iterator[None]:
    """A refusal in one sentence (or JSON) and exit status 1; what the command claimed is free at the end."""
    with ExitStack() as at_the_end:
        _at_the_end.set(at_the_end)
        try:
            yield
        except KeyStoreError as error:
            typer.echo(json.dumps({"refused": str(error)}) if as_json else str(error), err=True)
            raise typer.Exit(1) from None


def asker(file: Path | None, language: str = "en") -> opening.Ask:
    """Secrets from a file, or from the people at the keyboard."""

    def ask(wanted: Sequence[Secret]) -> list[str]:
        if file is None:
            typed: list[str] = []
            for secret in wanted:
                typed.append(_typed(secret, language, typed))
            return typed
        try:
            return file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise KeyStoreError(f"{file} cannot be read; it should hold the passphrases, one a line.") from None

    return ask


def _typed(secret: Secret, language: str, taken: Sequence[str]) -> str:
    """What somebody types unseen; a new one twice, and not the same as another's."""
    what = SECRETS[secret.kind][language].format(**secret.about)
    if not secret.new:
        return _unseen(what)
    what = SECRETS["new"][language].format(what=what, fewest=FEWEST_CHARACTERS)
    while True:
        typed = _unseen(what)
        if len(typed) < FEWEST_CHARACTERS:
            wrong = "too_short"
        elif typed in taken:
            wrong = "of_another"
        elif _unseen(SECRETS["again"][language]) != typed:
            wrong = "not_the_same"
        else:
            return typed
        typer.echo(SECRETS[wrong][language])


def _unseen(what: str) -> str:
    """Raises ShareError when somebody types `stop`, as anywhere in a ceremony."""
    typed = getpass.getpass(f"{what}: ")
    if typed.strip().lower() == "stop":
        raise ShareError("stopped")
    return typed


def open_vault(data: Path, passphrases: Path | None, language: str = "en") -> Opened:
    """For one command; raises KeyStoreError when the vault does not open, or another command is at it."""
    _at_the_end.get().enter_context(opening.claim(data))
    store, register = opening.open_store(data, asker(passphrases, language))
    let_go_at_the_end(store)
    return Opened(data, store, register)


def let_go_at_the_end(store: Store) -> None:
    """A token is let go of when the command is over."""
    _at_the_end.get().callback(store.close)


def say(as_json: bool, facts: Any, *words: str) -> None:
    """What was done, for people or for machines."""
    typer.echo(json.dumps(facts, ensure_ascii=False) if as_json else "\n".join(words))


@app.command()
def desk(data: Folder = DEFAULT_FOLDER, passphrases: Passphrases = None, as_json: AsJson = False) -> None:
    """Renew the desk's and the backend's files: their keys go out of date."""
    with refusals(as_json):
        hand_out(data, open_vault(data, passphrases).vault())
    say(as_json, {"folder": str(data)}, f"New issuer.json and backend.json in {data}.")


@app.command()
def status(data: Folder = DEFAULT_FOLDER, passphrases: Passphrases = None, as_json: AsJson = False) -> None:
    """Say which keys there are, with their check values, and what needs doing."""
    with refusals(as_json):
        opened = open_vault(data, passphrases)
        register = opened.register
        absent = sorted(register.names() - opened.store.names())
    rows = [
        (purpose, version, key.check, key.until)
        for purpose, versions in register.keys.items()
        for version, key in versions.items()
    ]
    todo = _to_do(register) + [f"{purpose} {version} is not in the store: recover it." for purpose, version in absent]
    facts = {
        "municipality": register.municipality,
        "rehearsal": register.rehearsal,
        "shares": {"set": register.share_set, "needed": register.threshold, "of": register.custodians},
        "keys": [dict(zip(("purpose", "version", "check", "until"), row, strict=True)) for row in rows],
        "terminals": {number: each.revoked_on for number, each in register.terminals.items()},
        "officers": sorted(register.officers),
        "destroyed_years": register.destroyed_years,
        "to_do": todo,
    }
    words = [f"Municipality {register.municipality}{', REHEARSAL' if register.rehearsal else ''}."]
    words.append(f"Shares: set {register.share_set}, {register.threshold} of {register.custodians} are needed.")
    words += [
        f"  {purpose:<16}{version:>5}  {check}{f'  until {until}' if until else ''}"
        for purpose, version, check, until in rows
    ]
    revoked = sum(each.revoked_on is not None for each in register.terminals.values())
    words.append(f"{len(register.terminals)} terminals, {revoked} of them revoked. {len(register.officers)} officers.")
    say(as_json, facts, *words, *(f"To do: {each}" for each in todo))
    if absent:
        raise typer.Exit(1)


def _to_do(register: Register) -> list[str]:
    now = today()
    todo = []
    for year in (now.year, register.lease_ends(now).year, now.year + 1):
        line = f"make the keys of {year}: meedoen keys new-year {year}"
        if str(year) not in register.keys["nullifier"] and line not in todo and (year == now.year or now.month >= 10):
            todo.append(line)
    for purpose, versions in register.keys.items():
        for version, key in versions.items():
            if key.until and now.isoformat() > key.until:
                todo.append(f"take out an old key: meedoen keys retire {purpose} {version}")
    return todo


# Terminals


@terminal.command("issue")
def terminal_issue(
    number: Number,
    device: Annotated[str, typer.Option(help="Number of the device, from `meedoen terminal enrol`.")],
    data: Folder = DEFAULT_FOLDER,
    passphrases: Passphrases = None,
    as_json: AsJson = False,
) -> None:
    """Give a device its terminal number and its first keys. Bring the device file by hand; it opens everything."""
    with refusals(as_json):
        opened = open_vault(data, passphrases)
        opened.register.terminals[str(number)] = _new_terminal(opened.register, number, device)
        vault = opened.vault()
        lease = vault.lease(number, 0)
        files = [data / f"terminal-{number}.device.json", data / f"terminal-{number}.lease"]
        write_secret(files[0], device_keys(vault, number))
        write_secret(files[1], lease)
        opened.save()
    until = opened.register.lease_ends(today())
    words = (
        f"Terminal {number} on device {device.lower()}: {files[0]} and {files[1]}, good until {until} or the next sync."
    )
    say(as_json, {"files": [str(file) for file in files], "until": until.isoformat()}, words)


def _new_terminal(register: Register, number: int, device: str) -> Terminal:
    if len(device) != 16 or set(device.lower()) - set("0123456789abcdef"):
        raise KeyStoreError("A device has a number of 16 digits 0-9 or a-f, as `meedoen terminal enrol` says it.")
    held = register.terminals.get(str(number))
    if held and (held.device != device.lower() or held.revoked_on):
        # Its journal would begin anew under the same number, and look like a copy.
        raise KeyStoreError(f"Terminal {number} had another device, or was revoked. Give this one a new number.")
    for other, each in register.terminals.items():
        if each.device == device.lower() and other != str(number):
            raise KeyStoreError(f"This device is terminal {other} already.")
    return Terminal(device.lower())


@terminal.command("renew")
def terminal_renew(
    number: Number,
    lease: Annotated[
        int, typer.Option(help="Number of the lease that is next, from `meedoen terminal diagnose`.", min=0)
    ],
    data: Folder = DEFAULT_FOLDER,
    passphrases: Passphrases = None,
    as_json: AsJson = False,
) -> None:
    """Write the next keys of a terminal to a file, where a sync does not bring them."""
    with refusals(as_json):
        opened = open_vault(data, passphrases)
        path = data / f"terminal-{number}.lease"
        write_secret(path, opened.vault().lease(number, lease))
    until = opened.register.lease_ends(today())
    say(as_json, {"file": str(path), "until": until.isoformat()}, f"Keys of terminal {number} until {until}: {path}")


@terminal.command("lease-days")
def terminal_lease_days(
    days: Annotated[int, typer.Argument(help="Days that a terminal works after its last sync.", min=1, max=180)],
    data: Folder = DEFAULT_FOLDER,
    passphrases: Passphrases = None,
    as_json: AsJson = False,
) -> None:
    """Say how long a terminal may go without a sync. It counts for keys that are given from now on."""
    with refusals(as_json):
        opened = open_vault(data, passphrases)
        opened.register.lease_days = days
        opened.save()
    say(as_json, {"lease_days": days}, f"Terminals and desks stop {days} days after their keys were last renewed.")


@terminal.command("revoke")
def terminal_revoke(
    number: Number, data: Folder = DEFAULT_FOLDER, passphrases: Passphrases = None, as_json: AsJson = False
) -> None:
    """Give a terminal no keys any more; those that it has run out by themselves."""
    with refusals(as_json):
        opened = open_vault(data, passphrases)
        known = opened.register.terminals.get(str(number))
        if known is None:
            raise KeyStoreError(f"Terminal {number} is not known here.")
        known.revoked_on = known.revoked_on or today().isoformat()
        opened.save()
    until = opened.register.lease_ends(today())
    words = f"Terminal {number} gets no keys any more. What it has ends on {until} at the latest."
    say(as_json, {"terminal": number, "revoked_on": known.revoked_on, "until": until.isoformat()}, words)


# Officers


@officer.command("new-key")
def officer_new_key(
    file: Annotated[Path, typer.Argument(help="Where the officer's own key goes.")],
    passphrases: Passphrases = None,
    as_json: AsJson = False,
) -> None:
    """Make an officer's own key, behind a passphrase of their own; prints what the custodians register."""
    with refusals(as_json):
        if file.exists():
            raise KeyStoreError(f"{file} is there already.")
        (passphrase,) = asker(passphrases)([Secret("officer", {"name": "the officer"}, new=True)])[:1] or [""]
        if not passphrase:
            raise KeyStoreError("An officer's key needs a passphrase.")
        key = Ed25519PrivateKey.generate()
        sealed = BestAvailableEncryption(passphrase.encode())
        write_secret(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    say(as_json, {"public_key": public}, f"Public key of this officer: {public}")


@officer.command("add")
def officer_add(
    name: Annotated[str, typer.Argument(help="Name of the officer.")],
    public_key: Annotated[str, typer.Argument(help="From `meedoen keys officer new-key`.")],
    data: Folder = DEFAULT_FOLDER,
    passphrases: Passphrases = None,
    as_json: AsJson = False,
) -> None:
    """Register an officer. It takes the vault's passphrases, so nobody registers themselves alone."""
    with refusals(as_json):
        opened = open_vault(data, passphrases)
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        except (ValueError, UnsupportedAlgorithm):
            raise KeyStoreError("A public key has 64 digits 0-9 or a-f.") from None
        if name in opened.register.officers or public_key.lower() in opened.register.officers.values():
            raise KeyStoreError("This name or this key is registered already. Remove the officer first.")
        opened.register.officers[name] = public_key.lower()
        opened.save()
    say(as_json, {"officers": sorted(opened.register.officers)}, f"{name} is an officer of this vault.")


@officer.command("remove")
def officer_remove(
    name: Annotated[str, typer.Argument(help="Name of the officer.")],
    data: Folder = DEFAULT_FOLDER,
    passphrases: Passphrases = None,
    as_json: AsJson = False,
) -> None:
    """Take an officer out of the register."""
    with refusals(as_json):
        opened = open_vault(data, passphrases)
        if opened.register.officers.pop(name, None) is None:
            raise KeyStoreError(f"{name} is not an officer of this vault.")
        opened.save()
    say(as_json, {"officers": sorted(opened.register.officers)}, f"{name} is no officer any more.")


@officer.command("sign")
def officer_sign(
    request: Annotated[Path, typer.Argument(help="From `meedoen issuer balance-request`.", exists=True)],
    key: Annotated[Path, typer.Option(help="The officer's own key.", exists=True)],
    name: Annotated[str, typer.Option(help="Name of the officer, as registered.")],
    out: Annotated[Path, typer.Option(help="Where the signature goes.")],
    passphrases: Passphrases = None,
    as_json: AsJson = False,
) -> None:
    """Sign a request for the balance of a lost pass. Read it first: the reason is in it."""
    with refusals(as_json):
        (passphrase,) = asker(passphrases)([Secret("officer", {"name": name})])[:1] or [""]
        try:
            private = load_pem_private_key(key.read_bytes(), passphrase.encode())
        except (ValueError, TypeError):
            raise KeyStoreError(f"{key} does not open with this passphrase.") from None
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyStoreError(f"{key} is not an officer's key.")
        content = request.read_bytes()
        signature = private.sign(SIGNED + content).hex()
        write_secret(out, {"officer": name, "signature": signature})
    say(as_json, {"file": str(out)}, content.decode(errors="replace"), f"Signed by {name}: {out}")


# The process


@app.command("certificates")
def certificates_for(
    address: Annotated[str, typer.Argument(help="Where the vault will listen, as host:port.")],
    data: Folder = DEFAULT_FOLDER,
    passphrases: Passphrases = None,
    as_json: AsJson = False,
) -> None:
    """Make certificates for parties on other machines. Those that were there before count no more."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdigit():
        raise typer.BadParameter("Give host and port, as vault.example.nl:8441.")
    with refusals(as_json):
        opened = open_vault(data, passphrases)
        certificates.make(data / "tls", host, PARTIES, utc_now())
        opened.register.address = address
        opened.save()
        hand_out(data, opened.vault())
    words = f"Give issuer.json to the desk and backend.json to clearing, each with its own files of {data / 'tls'}."
    say(as_json, {"folder": str(data / "tls")}, words)


@app.command()
def serve(
    data: Folder = DEFAULT_FOLDER,
    issuer_user: Annotated[str | None, typer.Option(help="User of the desk on this machine; yourself.")] = None,
    backend_user: Annotated[str | None, typer.Option(help="User of clearing on this machine; yourself.")] = None,
    passphrases: Passphrases = None,
) -> None:
    """Run the vault: on sockets of this machine, or with TLS after `meedoen keys certificates`."""
    with refusals():
        ask = asker(passphrases)
        kept: list[str] = []

        def once(wanted: Sequence[Secret]) -> list[str]:
            # Asked for when it starts, and not again when it starts over with other keys.
            kept[:] = kept or ask(wanted)
            return list(kept)

        # Opened here to hear about a wrong passphrase before anything runs; a token is opened anew in each worker.
        store, register = opening.open_store(data, once)
        store.close()
        users = {"issuer": _user(issuer_user), "backend": _user(backend_user)}
        place = Tls(register.address, data / "tls") if register.address else Sockets(data / "run", users)

        def make(who: Any) -> Any:
            return create_app(Vault(*opening.open_store(data, once), today), AuditLog(data, utc_now), who)

        run_server(make, place, data / opening.PROCESS)


def _user(name: str | None) -> int:
    if name is None:
        return os.getuid()
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise KeyStoreError(f"There is no user {name} on this machine.") from None


@app.command()
def log(
    data: Folder = DEFAULT_FOLDER,
    last: Annotated[str | None, typer.Option(help="Hash that was noted earlier; the log must still hold it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check the chain of the audit log; note the hash that it prints, and give it the next time."""
    with refusals(as_json):
        count, head = AuditLog(data, utc_now).verify(last)
    say(as_json, {"lines": count, "last": head}, f"{count} lines, nothing changed. The last one: {head}")


@app.command("approve-firmware")
def approve_firmware(
    file: Annotated[
        Path, typer.Argument(help="Package from `meedoen terminal build-firmware`.", exists=True, dir_okay=False)
    ],
    data: Folder = DEFAULT_FOLDER,
    passphrases: Passphrases = None,
    as_json: AsJson = False,
) -> None:
    """Approve a release: every lease from now on says that terminals may take it, and no other."""
    with refusals(as_json):
        opened = open_vault(data, passphrases)
        content, signature = file.read_bytes(), file.with_name(file.name + ".sig")
        version = _signed_version(opened, file, content, signature)
        before = opened.register.release
        if before is not None and version < int(before["version"]):
            raise KeyStoreError(f"Version {before['version']} was approved; terminals take no older one.")
        digest = hashlib.sha256(content).hexdigest()
        opened.register.release = {"version": version, "sha256": digest}
        opened.save()
    words = f"Version {version} of the firmware is approved: {digest}. Terminals hear so at their next sync."
    say(as_json, {"version": version, "sha256": digest}, words)


def _signed_version(opened: Opened, file: Path, content: bytes, signature: Path) -> int:
    """The version of a package that the firmware key of this vault signed."""
    name = "firmware", opened.register.current("firmware")
    try:
        Ed25519PublicKey.from_public_bytes(opened.store.public_key(name)).verify(signature.read_bytes(), content)
    except (OSError, InvalidSignature):
        raise KeyStoreError(f"{file} has no signature of this vault; make it with `keys sign firmware`.") from None
    try:
        return int(version_of(content))
    except CardError as error:
        raise KeyStoreError(f"{file}: {error}.") from None


@app.command()
def sign(
    purpose: Annotated[str, typer.Argument(help="firmware; no other key signs files.")],
    file: Annotated[Path, typer.Argument(help="What is signed.", exists=True, dir_okay=False)],
    data: Folder = DEFAULT_FOLDER,
    passphrases: Passphrases = None,
    as_json: AsJson = False,
) -> None:
    """Sign a file with Ed25519; the signature goes next to it, as FILE.sig."""
    with refusals(as_json):
        # Not bundle: what that key signs says who may sign lists.
        if purpose != "firmware":
            raise KeyStoreError(f"{purpose} is not a key that signs files; firmware is.")
        opened = open_vault(data, passphrases)
        name = purpose, opened.register.current(purpose)
        path = file.with_name(file.name + ".sig")
        path.write_bytes(opened.store.sign(name, file.read_bytes()))
        public = opened.store.public_key(name).hex()
    say(as_json, {"file": str(path), "public_key": public}, f"{path}; public key {public}")
