"""`meedoen issuer`: the desk on the command line."""

import csv
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import track

from hardware.emulated_pass import EmulatedPass, Memory
from hardware.errors import ReaderError
from hardware.in_process import InProcessReader
from hardware.pcsc import PcscReader
from issuer.backend_client import hand_in as hand_in_loads
from issuer.balance import ask, request_for, sealed_table
from issuer.deciding import decide_for
from issuer.desk import Desk, DeskSecrets, Issued
from issuer.errors import DeskError
from issuer.import_file import Reading, read_people
from issuer.lifecycle import WORDS
from issuer.personalise import Reader
from issuer.registry import Registry, passes, people
from issuer.registry.tables import CardPass, Holder
from issuer.scheme import load_scheme
from issuer.vault_client import VaultClient
from issuer.wording import amount_words

app = typer.Typer(no_args_is_help=True, help="The municipal desk: people, passes and budgets.")

Data = Annotated[Path, typer.Option("--data", help="Folder of the desk.")]
SchemeFile = Annotated[Path, typer.Option("--scheme", help="Scheme of the municipality.", exists=True)]
Secrets = Annotated[Path, typer.Option("--secrets", help="The desk's file from the key custodian.")]
Vault = Annotated[str | None, typer.Option("--vault", help="Address of the vault, if not that of the desk's file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer for machines.")]

_DATA = Path("var/issuer")
_SECRETS = Path("var/keys/issuer.json")
_BACKEND = "http://127.0.0.1:8442"
_SCHEME = Path("schemes/gelrepas.toml")
# Who works at the command line is known to the machine, not to the registry.
_BY = "command line"
# What fits on a screen; the report has them all.
_MOST_FAULTS = 20


def _refuse(error: Exception) -> NoReturn:
    typer.echo(str(error), err=True)
    raise typer.Exit(1)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (DeskError, ReaderError) as error:
        _refuse(error)


def _today() -> date:
    return date.today()  # noqa: DTZ011 - the municipality's own calendar day


def _now() -> datetime:
    return datetime.now(UTC)


def _desk(data: Path, scheme: Path, secret_file: Path, vault: str | None) -> Desk:
    secret = DeskSecrets.read(secret_file)
    return Desk(Registry.at(data), load_scheme(scheme), secret, _vault(secret, vault), os.urandom, _now, _BY)


def _holder(data: Path, number: int) -> Holder:
    with Registry.at(data).transaction() as session:
        return people.holder(session, number)


def _vault(secret: DeskSecrets, address: str | None) -> VaultClient:
    return VaultClient(replace(secret.vault, address=address) if address else secret.vault)


@app.command("import")
def import_people(
    file: Annotated[Path, typer.Argument(help="CSV of the households.", exists=True, dir_okay=False)],
    scheme: SchemeFile = _SCHEME,
    data: Data = _DATA,
    accept: Annotated[bool, typer.Option("--accept", help="Take the rows in; without it, only look.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write what is wrong, a row each, to this CSV.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look at a CSV of households, say what is wrong per row, and take it in only when asked."""
    with _refusals():
        rules = load_scheme(scheme)
        reading = read_people(file.read_bytes(), _today())
        persons = [person for _, person in reading.people]
        taken = accept and not reading.faults
        with Registry.at(data).transaction() as session:
            found = people.compare(session, persons)
            if taken:
                people.take(session, persons, _BY, _today())
        if report:
            _write_report(report, reading)
    counts = {
        "new": len(found.new),
        "changed": len(found.changed),
        "unchanged": found.unchanged,
        "faults": len(reading.faults),
    }
    if as_json:
        faults = [vars(fault) for fault in reading.faults]
        typer.echo(json.dumps({"municipality": rules.name, "accepted": taken, **counts, "rows": faults}))
    else:
        _tell_import(reading, counts, taken)
    if reading.faults:
        raise typer.Exit(1)


def _write_report(path: Path, reading: Reading) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["rij", "kolom", "wat is er mis", "wat te doen", "what is wrong"])
        for fault in reading.faults:
            writer.writerow([fault.row, fault.column, fault.problem_nl, fault.advice_nl, fault.problem_en])


def _tell_import(reading: Reading, counts: dict[str, int], taken: bool) -> None:
    typer.echo(
        f"{counts['new']} nieuw, {counts['changed']} gewijzigd, {counts['unchanged']} gelijk, "
        f"{counts['faults']} {'fout' if counts['faults'] == 1 else 'fouten'}"
    )
    for fault in reading.faults[:_MOST_FAULTS]:
        typer.echo(f"  rij {fault.row}, {fault.column}: {fault.problem_nl} {fault.advice_nl}".rstrip())
    if len(reading.faults) > _MOST_FAULTS:
        typer.echo(f"  en nog {len(reading.faults) - _MOST_FAULTS}; --report BESTAND.csv geeft ze allemaal")
    if reading.faults:
        typer.echo("Er is niets ingelezen. Verbeter deze rijen en lees het bestand opnieuw in.")
    elif taken:
        typer.echo("Ingelezen.")
    else:
        typer.echo("Er is nog niets ingelezen. Klopt dit? Doe het dan nog eens met --accept.")


@app.command("people")
def list_people(data: Data = _DATA, as_json: AsJson = False) -> None:
    """Everybody the desk knows, with their number and the codes of their passes."""
    with Registry.at(data).transaction() as session:
        holders = people.holders(session)
        made: dict[int, list[CardPass]] = {holder.id: [] for holder in holders}
        for card in passes.listing(session):
            made[card.holder_id].append(card)
    if as_json:
        facts = [
            {
                "number": holder.id,
                "name": holder.person.full_name,
                "passes": [{"code": card.printed_code, "state": card.state} for card in made[holder.id]],
            }
            for holder in holders
        ]
        typer.echo(json.dumps(facts))
        return
    for holder in holders:
        codes = ", ".join(card.printed_code + _unless_in_use(card.state) for card in made[holder.id])
        typer.echo(f"{holder.id:5}  {holder.person.full_name:<30}  {codes}".rstrip())
    if not holders:
        typer.echo("Nobody yet; take households in with `meedoen issuer import`.")


def _unless_in_use(state: str) -> str:
    return "" if state == "active" else f" ({WORDS[state][1]})"


@app.command()
def explain(
    person: Annotated[int, typer.Argument(help="Number of the person.")],
    scheme: SchemeFile = _SCHEME,
    data: Data = _DATA,
    as_json: AsJson = False,
) -> None:
    """Why each budget follows for a person, or does not."""
    with _refusals():
        rules = load_scheme(scheme)
        with Registry.at(data).transaction() as session:
            decision = decide_for(session, people.holder(session, person), rules, _today())
    if as_json:
        yes = [{"grant": one.name, "amount": one.amount, "reason": one.reason} for one in decision.grants]
        no = [{"grant": one.name, "reason": one.reason} for one in decision.refused]
        typer.echo(json.dumps({"grants": yes, "refused": no}))
        return
    for granted in decision.grants:
        typer.echo(f"ja   {granted.name}: {granted.reason}")
    for refusal in decision.refused:
        typer.echo(f"nee  {refusal.name}: {refusal.reason}")


@app.command()
def issue(
    person: Annotated[int | None, typer.Option(help="Number of the person; without it, everybody in turn.")] = None,
    reader: Annotated[str, typer.Option(help="pcsc, or emulated for passes that are files.")] = "pcsc",
    cards: Annotated[Path, typer.Option(help="Folder of emulated passes.")] = Path("var/cards"),
    scheme: SchemeFile = _SCHEME,
    data: Data = _DATA,
    secret_file: Secrets = _SECRETS,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Make the card on the reader a pass, with the budgets that follow from the rules."""
    if reader not in ("pcsc", "emulated"):
        raise typer.BadParameter("The reader is pcsc or emulated.", param_hint="--reader")
    if person is None and reader == "pcsc":
        raise typer.BadParameter("Say for whom the card on the reader is.", param_hint="--person")
    done: list[Issued] = []
    try:
        with _refusals():
            desk = _desk(data, scheme, secret_file, vault)
            wanted = [_holder(data, person)] if person is not None else desk.waiting(_today())
            console = Console(stderr=True)
            quiet = len(wanted) < 2 or not console.is_terminal
            for holder in track(wanted, "Passes", console=console, transient=True, disable=quiet):
                issued = desk.issue(holder, _reader(reader, cards, holder.id), _today())
                # Who asks for one pass has the person at the counter, or before them in the row.
                desk.hand_over(issued.card.printed_code)
                done.append(issued)
            if not wanted and not as_json:
                typer.echo("Everybody who may have a pass has one.")
    finally:
        # Also those before one that was refused: they are with their holders.
        _tell_issued(done, as_json)


def _tell_issued(done: list[Issued], as_json: bool) -> None:
    if as_json:
        facts = [{"code": one.card.printed_code, "balances": one.balances, "renewed": one.renewed} for one in done]
        typer.echo(json.dumps(facts))
        return
    for one in done:
        renewed = " Its keys were renewed." if one.renewed else ""
        typer.echo(f"Pass {one.card.printed_code} is ready.{renewed}")


def _reader(kind: str, cards: Path, holder_id: int) -> Reader:
    if kind == "pcsc":
        return PcscReader()
    cards.mkdir(parents=True, exist_ok=True)
    path = cards / f"pass-{holder_id:05}.json"
    memory = Memory.load(path) if path.exists() else Memory.factory(path=path, uid=b"\x04" + secrets.token_bytes(6))
    return InProcessReader(EmulatedPass(memory, random=os.urandom))


@app.command()
def block(
    code: Annotated[str, typer.Argument(help="The code on the face of the pass.")],
    data: Data = _DATA,
    as_json: AsJson = False,
) -> None:
    """Block a pass; terminals know at their next sync."""
    with _refusals(), Registry.at(data).transaction() as session:
        blocked = passes.coded(session, code)
        passes.move(session, blocked, "blocked", _BY, _now())
    typer.echo(json.dumps({"blocked": blocked.printed_code}) if as_json else f"Pass {blocked.printed_code} is blocked.")


@app.command("balance-request")
def balance_request(
    code: Annotated[str, typer.Argument(help="The code on the face of the pass.")],
    reason: Annotated[str, typer.Option(help="Why; the officers sign that too.")],
    out: Annotated[Path, typer.Option(help="Where to write the request.")],
    scheme: SchemeFile = _SCHEME,
    data: Data = _DATA,
    as_json: AsJson = False,
) -> None:
    """Write a request for what a lost pass still holds. Two officers sign it, each with `meedoen keys officer sign`."""
    with _refusals():
        with Registry.at(data).transaction() as session:
            lost = passes.coded(session, code)
        asked = request_for(lost, load_scheme(scheme).number, reason, _today())
        out.write_bytes(asked)
    typer.echo(json.dumps({"file": str(out)}) if as_json else f"{out}: have it signed by two officers.")


@app.command()
def balance(
    request: Annotated[Path, typer.Argument(help="From `meedoen issuer balance-request`.", exists=True)],
    signature: Annotated[list[Path], typer.Option(help="From an officer; twice.", exists=True)],
    backend: Annotated[str, typer.Option(help="Address of the backend.")] = _BACKEND,
    scheme: SchemeFile = _SCHEME,
    secret_file: Secrets = _SECRETS,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Say what a lost pass still holds, from a request that two officers signed."""
    with _refusals():
        purses = load_scheme(scheme).purses
        client = _vault(DeskSecrets.read(secret_file), vault)
        found = ask(request.read_bytes(), signature, client, sealed_table(backend))
    if as_json:
        balances = [{"purse": purse, "amount": amount} for purse, amount in found.balances.items()]
        typer.echo(json.dumps({"balances": balances, "as_of": found.as_of.isoformat()}))
        return
    typer.echo(f"Up to and with {found.as_of}:")
    for purse, amount in found.balances.items():
        held = purses.get(purse)
        typer.echo(f"  {held.name}: {amount_words(amount, held.unit)}" if held else f"  purse {purse}: {amount}")
    if not found.balances:
        typer.echo("  nothing")


@app.command()
def hotlist(
    file: Annotated[Path, typer.Argument(help="Where to write the list.")],
    scheme: SchemeFile = _SCHEME,
    data: Data = _DATA,
    secret_file: Secrets = _SECRETS,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Write the list of blocked passes for the terminals."""
    with _refusals():
        content = _desk(data, scheme, secret_file, vault).hotlist(_today())
        file.write_bytes(content)
    typer.echo(json.dumps({"file": str(file), "bytes": len(content)}) if as_json else f"List written to {file}.")


@app.command("hand-in")
def hand_in(
    backend: Annotated[str, typer.Option(help="Address of the backend.")] = _BACKEND,
    scheme: SchemeFile = _SCHEME,
    data: Data = _DATA,
    secret_file: Secrets = _SECRETS,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Hand in to the backend what was loaded on passes."""
    with _refusals():
        desk = _desk(data, scheme, secret_file, vault)
        refused = hand_in_loads(desk.journal, DeskSecrets.read(secret_file).terminal, backend)
    typer.echo(json.dumps({"refused": refused}) if as_json else f"Handed in; {len(refused)} refused.")
    if refused:
        raise typer.Exit(1)
