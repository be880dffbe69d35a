"""`meedoen keys`: make a municipality's keys, hand each party its own, run the vault."""

import json
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from card.record import DAY_ZERO
from keys import keyfile
from keys.errors import KeyStoreError
from keys.vault import Vault

app = typer.Typer(no_args_is_help=True, help="Make, hand out and use keys.")

Folder = Annotated[Path, typer.Option("--data", help="Folder of the vault.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer for machines.")]

_DEFAULT_FOLDER = Path("var/keys")
_DESK = 1
_MOST_MUNICIPALITIES = 0xFFFF


def day_number(on: date) -> int:
    """Days since the day zero of records."""
    return (on - date(*DAY_ZERO)).days


def _today() -> int:
    return day_number(date.today())  # noqa: DTZ011 - the municipality's own calendar day


def _say(as_json: bool, words: str, **facts: object) -> None:
    typer.echo(json.dumps(facts) if as_json else words)


def hand_out(folder: Path, vault: Vault, tokens: dict[str, str], day: int) -> None:
    """Write what the desk and the backend need to `issuer.json` and `backend.json`."""
    issuer = {"vault_token": tokens["issuer"], **vault.desk_keys(_DESK, day)}
    keyfile.write_secret(folder / "issuer.json", issuer)
    backend: dict[str, object] = {"vault_token": tokens["backend"], "link_root": vault.link_root().hex()}
    keyfile.write_secret(folder / "backend.json", backend)


@app.command()
def init(
    scheme: Annotated[Path, typer.Option(help="Scheme of the municipality.", exists=True, dir_okay=False)],
    data: Folder = _DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Make the keys of a municipality, once."""
    try:
        made = keyfile.create(data, *_number_and_aid(scheme))
    except KeyStoreError as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
    hand_out(data, Vault(made), made.tokens, _today())
    _say(as_json, f"Keys made in {data}. Give issuer.json to the desk and backend.json to clearing.", folder=str(data))


def _number_and_aid(scheme: Path) -> tuple[int, str]:
    try:
        municipality = tomllib.loads(scheme.read_text(encoding="utf-8"))["municipality"]
        number, aid = municipality["number"], municipality["aid"]
    except (ValueError, TypeError, KeyError):
        raise KeyStoreError(f"{scheme} is not a scheme: it needs [municipality] with number and aid.") from None
    # Before anything is made: keys of a municipality that nobody can use would still stand in the way of others.
    if not isinstance(number, int) or not 1 <= number <= _MOST_MUNICIPALITIES:
        raise KeyStoreError(f"{scheme}: the number of a municipality is 1 to {_MOST_MUNICIPALITIES}.")
    if not isinstance(aid, str) or not re.fullmatch("(?!000000)[0-9A-F]{6}", aid):
        raise KeyStoreError(f'{scheme}: an aid is six digits 0-9 or A-F in quotes, not 000000, as "F0E0D1".')
    return number, aid


@app.command()
def desk(data: Folder = _DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Renew the desk's and the backend's files, with the desk's sealing key of today; its keys run out in time."""
    try:
        held = keyfile.load(data)
    except KeyStoreError as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
    hand_out(data, Vault(held), held.tokens, _today())
    _say(as_json, f"New issuer.json and backend.json in {data}.", folder=str(data))


@app.command()
def terminal(
    number: Annotated[int, typer.Argument(help="Number of the terminal.", min=2, max=2**32 - 1)],
    data: Folder = _DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Write the keys of one terminal to `terminal-NUMBER.json`, good from today."""
    try:
        vault = Vault(keyfile.load(data))
    except KeyStoreError as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
    path = data / f"terminal-{number}.json"
    keyfile.write_secret(path, vault.terminal_keys(number, _today()))
    _say(as_json, f"Keys of terminal {number}: {path}", file=str(path))


@app.command()
def serve(
    data: Folder = _DEFAULT_FOLDER,
    port: Annotated[int, typer.Option(help="Port on this machine only.", min=1, max=65535)] = 8441,
) -> None:
    """Run the vault on the loopback address."""
    from keys.http import create_app

    try:
        create_app(keyfile.load(data)).run("127.0.0.1", port)
    except KeyStoreError as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
