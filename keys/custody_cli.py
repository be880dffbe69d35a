"""`meedoen keys`: what custodians do together, with the root in their hands for as long as the command runs."""

import os
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from keys import custody, opening
from keys import register as registers
from keys.audit_log import AuditLog
from keys.ceremony import City, TerminalConsole, hold, read_shares
from keys.cli import (
    DEFAULT_FOLDER,
    AsJson,
    Folder,
    Opened,
    Passphrases,
    asker,
    let_go_at_the_end,
    open_vault,
    refusals,
    say,
)
from keys.cli import app as app
from keys.custody import Seeds
from keys.days import today, utc_now
from keys.errors import KeyStoreError, ShareError
from keys.files import write_secret
from keys.hand_out import hand_out
from keys.hierarchy import ROOT_BYTES, derive
from keys.register import Register
from keys.sealed_file import FILE_NAME
from keys.shares import Shares, share_set, split
from keys.sheets import transcript_pdf
from keys.store import MemoryStore
from keys.transcript import KeyCheck, Transcript, verify
from keys.words import SENTENCES
from web.outside import from_toml

TRANSCRIPT = "transcript.json"
REHEARSAL_FOLDER = Path("var/keys-rehearsal")
_MOST_MUNICIPALITIES = 0xFFFF

Rehearsal = Annotated[bool, typer.Option("--rehearsal", help="On throw-away keys. Real ones stay as they are.")]
ShareFiles = Annotated[
    list[Path] | None,
    typer.Option("--share", help="File with a share; without it the custodians are asked to type theirs."),
]
Language = Annotated[str, typer.Option("--language", help="nl or en.")]
SchemeFile = Annotated[Path, typer.Option("--scheme", help="Scheme of the municipality.", exists=True, dir_okay=False)]
Module = Annotated[str, typer.Option("--pkcs11-module", help="Library of a PKCS#11 token, to keep the keys in that.")]
TokenLabel = Annotated[str, typer.Option("--pkcs11-token", help="Label of the token.")]
People = Annotated[int, typer.Option("--people", help="How many people each set a passphrase.", min=1, max=7)]


def _folder(data: Path, rehearsal: bool) -> Path:
    return REHEARSAL_FOLDER if rehearsal and data == DEFAULT_FOLDER else data


def _open(data: Path, passphrases: Path | None, rehearsal: bool, language: str = "en") -> Opened:
    """A vault of the kind that is meant: nobody takes real keys for a rehearsal, or the other way round."""
    folder = _folder(data, rehearsal)
    if registers.peek(folder).rehearsal != rehearsal:
        kind = "real keys; leave out --rehearsal" if rehearsal else "keys of a rehearsal; say --rehearsal"
        raise KeyStoreError(f"{folder} holds {kind}.")
    return open_vault(folder, passphrases, _language(language))


def _root(register: Register, files: Sequence[Path] | None, language: str) -> bytes:
    """The root, from files or from what custodians type."""
    if not files:
        return read_shares(TerminalConsole(), register.share_set, register.threshold, _language(language))
    shares = Shares(register.share_set)
    for file in files:
        try:
            shares.add(file.read_text())
        except (OSError, UnicodeDecodeError):
            raise ShareError("file", file=file) from None
    return shares.root()


def _language(name: str) -> str:
    if name not in ("nl", "en"):
        raise typer.BadParameter("The languages are nl and en.")
    return name


def _log(opened: Opened, action: str, kind: str) -> None:
    """What custodians change is in the same log as what parties ask."""
    AuditLog(opened.folder, utc_now).add("custodians", "console", action, kind, 1, "done")


# Making


@app.command()
def ceremony(
    scheme: SchemeFile,
    data: Folder = DEFAULT_FOLDER,
    rehearsal: Rehearsal = False,
    custodian: Annotated[list[str] | None, typer.Option(help="Name of a custodian; once for each. Else asked.")] = None,
    needed: Annotated[int, typer.Option(help="How many shares will be needed. Else asked.", min=0, max=7)] = 0,
    sheets: Annotated[Path | None, typer.Option(help="Empty folder for the sheets, best on a memory disk.")] = None,
    people: People = 2,
    module: Module = "",
    token: TokenLabel = "",
    language: Language = "nl",
    passphrases: Passphrases = None,
) -> None:
    """Make a municipality's keys with three to seven custodians, who each take a share of the root home on paper."""
    folder = _folder(data, rehearsal)
    with refusals():
        name, number, aid = _municipality(scheme)
        if (folder / registers.FILE_NAME).exists():
            raise KeyStoreError(opening.held_already(folder))
        register = Register(number, aid, rehearsal, passphrases=1 if token else people, module=module, token=token)
        made: list[Opened] = []

        def establish(root: bytes, transcript: Transcript) -> list[KeyCheck]:
            register.share_set, register.threshold = transcript.share_set, transcript.threshold
            register.custodians = len(transcript.custodians)
            made.append(_establish(root, register, folder, asker(passphrases, _language(language))))
            return [
                KeyCheck(purpose, int(version), key.check)
                for purpose, versions in register.keys.items()
                for version, key in versions.items()
            ]

        transcript = hold(
            TerminalConsole(),
            City(number, name),
            custodian or [],
            needed,
            rehearsal,
            sheets or folder / "sheets",
            establish,
            utc_now,
            os.urandom,
            _language(language),
        )
        (opened,) = made
        write_secret(folder / TRANSCRIPT, transcript.signed_json)
        write_secret(folder / "transcript.pdf", transcript_pdf(transcript))
        hand_out(folder, opened.vault())
        _log(opened, "ceremony", "keys of a municipality")
    typer.echo(SENTENCES["files"][language].format(folder=folder))


def _establish(root: bytes, register: Register, folder: Path, ask: opening.Ask) -> Opened:
    """The first keys, in a new store; nothing of it is left when that fails."""
    seeds = Seeds(folder)
    there = seeds.years()
    store = opening.create_store(folder, register, ask)
    let_go_at_the_end(store)
    try:
        custody.establish(root, register, store, seeds, today())
        registers.save(folder, register, store)
    except BaseException:
        store.remove(store.names())
        for year in set(seeds.years()) - set(there):
            seeds.destroy(year)
        (folder / FILE_NAME).unlink(missing_ok=True)
        raise
    return Opened(folder, store, register)


@app.command()
def init(
    scheme: SchemeFile, data: Folder = DEFAULT_FOLDER, passphrases: Passphrases = None, as_json: AsJson = False
) -> None:
    """Make keys alone, for a trial on one machine: the only share stays in a file. A city holds a ceremony."""
    with refusals(as_json):
        _, number, aid = _municipality(scheme)
        root = secrets.token_bytes(ROOT_BYTES)
        (share,) = split(root, 1, 1)
        opened = _establish(root, Register(number, aid, share_set=share_set(share)), data, asker(passphrases))
        write_secret(data / "share-1.txt", share.encode())
        hand_out(data, opened.vault())
    words = f"Keys made in {data}. Give issuer.json to the desk and backend.json to clearing."
    say(as_json, {"folder": str(data)}, words)


def _municipality(scheme: Path) -> tuple[str, int, str]:
    """Name, number and AID of a scheme."""
    try:
        found = from_toml(scheme.read_text(encoding="utf-8"))["municipality"]
        name, number, aid = str(found.get("name", "")), found["number"], found["aid"]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise KeyStoreError(f"{scheme} is not a scheme: it needs [municipality] with number and aid.") from None
    # Before anything is made: keys of a municipality that nobody can use would still stand in the way of others.
    if not isinstance(number, int) or not 1 <= number <= _MOST_MUNICIPALITIES:
        raise KeyStoreError(f"{scheme}: the number of a municipality is 1 to {_MOST_MUNICIPALITIES}.")
    if not isinstance(aid, str) or not re.fullmatch("(?!000000)[0-9A-F]{6}", aid):
        raise KeyStoreError(f'{scheme}: an aid is six digits 0-9 or A-F in quotes, not 000000, as "F0E0D1".')
    return name, number, aid


# With the shares


@app.command()
def verify_shares(
    data: Folder = DEFAULT_FOLDER,
    rehearsal: Rehearsal = False,
    share: ShareFiles = None,
    passphrases: Passphrases = None,
    language: Language = "nl",
    as_json: AsJson = False,
) -> None:
    """See whether shares can still make the keys that are in use, and signed the record. It changes nothing."""
    with refusals(as_json):
        opened = _open(data, passphrases, rehearsal, language)
        root = _root(opened.register, share, language)
        checked = custody.compare(root, opened.register, Seeds(opened.folder))
        words = [f"These shares make all {checked} keys of this vault."]
        record = opened.folder / TRANSCRIPT
        if record.exists():
            verify(record.read_bytes(), derive(root, opened.register.municipality, "transcript"))
            words.append(f"{TRANSCRIPT} is as it was signed at the ceremony.")
    say(as_json, {"keys": checked}, *words)


@app.command()
def recover(
    backup: Annotated[
        Path, typer.Option("--from", help="Folder with a back-up of vault.json and years/.", exists=True)
    ],
    data: Folder = DEFAULT_FOLDER,
    rehearsal: Rehearsal = False,
    people: People = 2,
    module: Module = "",
    token: TokenLabel = "",
    share: ShareFiles = None,
    passphrases: Passphrases = None,
    language: Language = "nl",
    as_json: AsJson = False,
) -> None:
    """Make all keys again in a new folder or token, from the shares and the back-up of what is no secret."""
    folder = _folder(data, rehearsal)
    with refusals(as_json):
        if not (backup / registers.FILE_NAME).is_file():
            raise KeyStoreError(f"{backup} has no {registers.FILE_NAME}. Put the back-up of it there, next to years.")
        if (folder / registers.FILE_NAME).exists():
            raise KeyStoreError(opening.held_already(folder))
        seen = registers.peek(backup)
        if seen.rehearsal != rehearsal:
            raise KeyStoreError("Real keys are recovered without --rehearsal, those of a rehearsal with it.")
        root, seeds = _root(seen, share, language), Seeds(backup)
        # All of it is checked before anything is made: that nobody touched the back-up, the shares, and the seeds.
        custody.compare_root(root, seen)
        known = MemoryStore({("register", 1): derive(root, seen.municipality, "register")})
        register = registers.load(backup, known)
        custody.compare(root, register, seeds)
        register.passphrases, register.module, register.token = (1 if token else people), module, token
        store = opening.create_store(folder, register, asker(passphrases, _language(language)))
        let_go_at_the_end(store)
        custody.rebuild(root, register, store, seeds)
        for year in seeds.years():
            Seeds(folder).keep(year, seeds.read(year))
        registers.save(folder, register, store)
        opened = Opened(folder, store, register)
        hand_out(folder, opened.vault())
        _log(opened, "recover", "keys of a municipality")
    say(as_json, {"folder": str(folder)}, f"All keys are in {folder} again. `meedoen keys status` shows them.")


@app.command()
def rotate(
    purpose: Annotated[str, typer.Argument(help="Which key; `meedoen keys status` lists them.")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day that the old one is accepted.")],
    data: Folder = DEFAULT_FOLDER,
    rehearsal: Rehearsal = False,
    share: ShareFiles = None,
    passphrases: Passphrases = None,
    language: Language = "nl",
    as_json: AsJson = False,
) -> None:
    """Make a new version of a key. Passes and terminals with the old one go on until a date."""
    with refusals(as_json):
        if until.date() < today():
            raise KeyStoreError("The last day of the old key must not be in the past.")
        # Before anybody has typed anything.
        custody.refuse_rotation(registers.peek(_folder(data, rehearsal)), purpose)
        opened = _open(data, passphrases, rehearsal, language)
        root = _root(opened.register, share, language)
        version = custody.rotate(root, opened.register, opened.store, purpose, until.date())
        opened.save()
        hand_out(opened.folder, opened.vault())
        _log(opened, "rotate", f"{purpose} {version}")
    words = f"{purpose} is at version {version}; version {version - 1} is accepted until {until.date()}."
    advice = "Give the desk and clearing their new files. Terminals get theirs at a sync, passes at the desk."
    say(as_json, {"purpose": purpose, "version": version, "old_until": until.date().isoformat()}, words, advice)


@app.command()
def new_year(
    year: Annotated[int, typer.Argument(help="The year that needs keys.", min=2020, max=2199)],
    data: Folder = DEFAULT_FOLDER,
    rehearsal: Rehearsal = False,
    share: ShareFiles = None,
    passphrases: Passphrases = None,
    language: Language = "nl",
    as_json: AsJson = False,
) -> None:
    """Make the keys of a calendar year, at the latest some weeks before it begins."""
    with refusals(as_json):
        opened = _open(data, passphrases, rehearsal, language)
        custody.refuse_year(opened.register, year)
        root = _root(opened.register, share, language)
        custody.new_year(root, opened.register, opened.store, Seeds(opened.folder), year)
        opened.save()
        _log(opened, "new year", str(year))
        hand_out(opened.folder, opened.vault())
    words = f"The keys of {year} are made. Keep a copy of years/{year}.seed with each custodian."
    advice = "Give clearing its new backend.json: what it signs for terminals counts until the last day of that year."
    say(as_json, {"year": year}, words, advice)


# Without the shares


@app.command()
def retire(
    purpose: Annotated[str, typer.Argument(help="Which key.")],
    version: Annotated[int, typer.Argument(help="Which version of it.", min=1, max=255)],
    data: Folder = DEFAULT_FOLDER,
    rehearsal: Rehearsal = False,
    passphrases: Passphrases = None,
    as_json: AsJson = False,
) -> None:
    """Take an old version out of the vault, after its last day."""
    with refusals(as_json):
        opened = _open(data, passphrases, rehearsal)
        custody.retire(opened.register, opened.store, purpose, version, today())
        opened.save()
        hand_out(opened.folder, opened.vault())
        _log(opened, "retire", f"{purpose} {version}")
    say(as_json, {"purpose": purpose, "version": version}, f"{purpose} {version} is out of the vault.")


@app.command()
def destroy(
    year: Annotated[int, typer.Option(help="A year that is closed.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether this is meant.")] = False,
    data: Folder = DEFAULT_FOLDER,
    rehearsal: Rehearsal = False,
    passphrases: Passphrases = None,
    as_json: AsJson = False,
) -> None:
    """Destroy the keys of a closed year: after it nobody can link two transactions of that year again."""
    with refusals(as_json):
        opened = _open(data, passphrases, rehearsal)
        custody.refuse_destruction(opened.register, year, today())
        if not yes and not typer.confirm(f"Destroy the keys of {year}? This can never be undone"):
            raise KeyStoreError("Nothing was destroyed.")
        gone = custody.destroy_year(opened.register, opened.store, Seeds(opened.folder), year, today())
        opened.save()
        _log(opened, "destroy", str(year))
        report = _report(gone)
        facts = {"year": year, "keys": gone.checks, "seed_sha256": gone.seed_digest, "report": report}
        write_secret(opened.folder / f"destroyed-{year}.json", facts)
    say(as_json, facts, *report)


def _report(gone: custody.Destroyed) -> list[str]:
    """What is no longer possible, and what is left to do by hand."""
    checks = ", ".join(f"{purpose} {check}" for purpose, check in gone.checks.items())
    return [
        f"The keys of {gone.year} are destroyed: {checks}.",
        f"Nobody can tell any more which transactions of {gone.year} were made with one pass: not from the sealed "
        "records, not from the nullifiers, and not with all shares of the root together.",
        f"Records of {gone.year} can no longer be proven, audited or counted in the balance of a lost pass.",
        f"Still to do: destroy every copy of years/{gone.year}.seed (SHA-256 {gone.seed_digest or 'unknown'}), which "
        "could undo this together with the shares, and every back-up of keys.sealed from before today, which could "
        "undo it with the passphrases of then.",
    ]
