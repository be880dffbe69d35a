"""`meedoen issuer`: the desk on the command line."""

import json
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from hardware.emulated_pass import EmulatedPass, Memory
from hardware.in_process import InProcessReader
from hardware.pcsc import PcscReader
from hardware.printer import IppPrinter
from issuer.backend_client import hand_in as hand_in_loads
from issuer.balance import ask, pass_of, request_for, sealed_table
from issuer.deciding import decide_for
from issuer.desk import DeskSecrets, Issued
from issuer.encode_cli import app as encode_app
from issuer.errors import DeskError
from issuer.import_cli import import_app
from issuer.lifecycle import WORDS
from issuer.options import (
    BACKEND,
    BY,
    DATA,
    SCHEME,
    SECRETS,
    AsJson,
    BackendAddress,
    Data,
    SchemeFile,
    Secrets,
    Vault,
    log,
    now,
    open_desk,
    open_vault,
    refusals,
    today,
)
from issuer.personalise import Reader
from issuer.printing.artwork import load_artwork
from issuer.printing.check import check_artwork
from issuer.printing.job import face_of, job_name, last_day
from issuer.reach_cli import app as reach_app
from issuer.registry import Registry, passes, people
from issuer.registry.tables import CardPass, Holder
from issuer.renewal_cli import app as renewal_app
from issuer.scheme import load_scheme
from issuer.web_cli import app as web_app
from issuer.wording import amount_words

app = typer.Typer(no_args_is_help=True, help="The municipal desk: people, passes and budgets.")
app.add_typer(web_app)
app.add_typer(import_app)
app.add_typer(renewal_app)
app.add_typer(encode_app)
app.add_typer(reach_app)

Code = Annotated[str, typer.Argument(help="The code on the face of the pass.")]

# What fits on a screen; the report has them all.
_MOST_FAULTS = 20


def _holder(data: Path, number: int) -> Holder:
    with Registry.at(data).transaction() as session:
        return people.holder(session, number)


@app.command("people")
def list_people(data: Data = DATA, as_json: AsJson = False) -> None:
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
    scheme: SchemeFile = SCHEME,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Why each budget follows for a person, or does not."""
    with refusals():
        rules = load_scheme(scheme)
        with Registry.at(data).transaction() as session:
            decision = decide_for(session, people.holder(session, person), rules, today())
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
    scheme: SchemeFile = SCHEME,
    data: Data = DATA,
    secret_file: Secrets = SECRETS,
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
        with refusals():
            desk = open_desk(data, scheme, secret_file, vault)
            wanted = [_holder(data, person)] if person is not None else desk.waiting(today())
            console = Console(stderr=True)
            quiet = len(wanted) < 2 or not console.is_terminal
            for holder in track(wanted, "Passes", console=console, transient=True, disable=quiet):
                issued = desk.issue(holder, _reader(reader, cards, holder.id), today())
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


@app.command("hand-over")
def hand_over(
    code: Code,
    to: Annotated[str, typer.Option(help="Who took it along, when it was somebody else.")] = "",
    by_post: Annotated[bool, typer.Option("--by-post", help="It is on its way by post.")] = False,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """The pass is with its holder, or on its way by post."""
    with refusals(), Registry.at(data).transaction() as session:
        card = passes.coded(session, code)
        passes.hand_over(session, card, by_post, BY, now(), to)
        action = "send pass" if by_post else "hand over pass"
        log(session, action, f"pass {card.printed_code}")
    said = f"Pass {card.printed_code} is {WORDS[card.state][1]}."
    typer.echo(json.dumps({"code": card.printed_code, "state": card.state}) if as_json else said)


@app.command()
def block(
    code: Code,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Block a pass; terminals know at their next sync."""
    with refusals(), Registry.at(data).transaction() as session:
        blocked = passes.coded(session, code)
        passes.move(session, blocked, "blocked", BY, now(), reason)
        log(session, "block pass", f"pass {blocked.printed_code}")
    typer.echo(json.dumps({"blocked": blocked.printed_code}) if as_json else f"Pass {blocked.printed_code} is blocked.")


@app.command()
def destroy(code: Code, data: Data = DATA, as_json: AsJson = False) -> None:
    """A pass that came back or was spoiled went through the shredder."""
    with refusals(), Registry.at(data).transaction() as session:
        card = passes.coded(session, code)
        if passes.destroy(session, card, BY, now()):
            log(session, "destroy pass", f"pass {card.printed_code}")
    said = f"Pass {card.printed_code} is destroyed."
    typer.echo(json.dumps({"code": card.printed_code, "state": card.state}) if as_json else said)


@app.command()
def unblock(
    code: Code,
    scheme: SchemeFile = SCHEME,
    data: Data = DATA,
    secret_file: Secrets = SECRETS,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Open a blocked pass again that was found; it has to be on the reader."""
    with refusals():
        card = open_desk(data, scheme, secret_file, vault).unblock(code, PcscReader())
    typer.echo(json.dumps({"code": card.printed_code}) if as_json else f"Pass {card.printed_code} works again.")


@app.command()
def read(
    scheme: SchemeFile = SCHEME,
    data: Data = DATA,
    secret_file: Secrets = SECRETS,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Say what the pass on the reader holds, to its holder; nothing of it is kept."""
    with refusals():
        found = open_desk(data, scheme, secret_file, vault).read(PcscReader())
        purses = load_scheme(scheme).purses
    if as_json:
        typer.echo(json.dumps({"code": found.card.printed_code, "balances": found.balances}))
        return
    typer.echo(f"Pass {found.card.printed_code} is {WORDS[found.card.state][1]}, until {found.card.valid_until}.")
    for purse, amount in found.balances.items():
        typer.echo(f"  {purses[purse].name}: {amount_words(amount, purses[purse].unit)}")


@app.command("print")
def print_faces(
    code: Annotated[list[str], typer.Argument(help="The codes of passes that were set aside.")],
    pdf: Annotated[Path | None, typer.Option(help="Write the faces to this file.")] = None,
    printer: Annotated[str | None, typer.Option(help="Print them, such as on ipp://cardprinter:631/ipp/print.")] = None,
    artwork: Annotated[Path | None, typer.Option(help="Folder with face.typ and face.toml; ours if not given.")] = None,
    photo: Annotated[Path | None, typer.Option(help="Photo, for one pass.", exists=True)] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what the printer has printed before.")] = False,
    scheme: SchemeFile = SCHEME,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Put the faces of passes on cards, or in a file."""
    if (pdf is None) == (printer is None):
        raise typer.BadParameter("Say where to: --pdf or --printer.", param_hint="--pdf")
    with refusals():
        design = load_artwork(artwork)
        check_artwork(design, load_scheme(scheme))
        registry = Registry.at(data)
        with registry.transaction() as session:
            cards = [passes.coded(session, each) for each in code]
            picture = photo.read_bytes() if photo else None
            document = design.pdf([face_of(design, card, picture) for card in cards], last_day(design, cards))
        if pdf:
            pdf.write_bytes(document)
        else:
            IppPrinter(str(printer)).print_pdf(document, job_name(cards), again)
        with registry.transaction() as session:
            for each in code:
                card = passes.coded(session, each)
                if card.state == "stock":
                    passes.move(session, card, "printed", BY, now())
    typer.echo(json.dumps({"printed": code}) if as_json else f"{len(code)} printed.")


@app.command("balance-request")
def balance_request(
    code: Annotated[str, typer.Argument(help="The code on the face of the pass.")],
    reason: Annotated[str, typer.Option(help="Why; the officers sign that too.")],
    out: Annotated[Path, typer.Option(help="Where to write the request.")],
    scheme: SchemeFile = SCHEME,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Write a request for what a lost pass still holds. Two officers sign it, each with `meedoen keys officer sign`."""
    with refusals():
        with Registry.at(data).transaction() as session:
            lost = passes.coded(session, code)
        asked = request_for(lost, load_scheme(scheme).number, reason, today())
        out.write_bytes(asked)
    typer.echo(json.dumps({"file": str(out)}) if as_json else f"{out}: have it signed by two officers.")


@app.command()
def balance(
    request: Annotated[Path, typer.Argument(help="From `meedoen issuer balance-request`.", exists=True)],
    signature: Annotated[list[Path], typer.Option(help="From an officer; twice.", exists=True)],
    replace: Annotated[bool, typer.Option("--replace", help="Plan it for the pass that takes its place.")] = False,
    backend: BackendAddress = BACKEND,
    scheme: SchemeFile = SCHEME,
    data: Data = DATA,
    secret_file: Secrets = SECRETS,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Say what a lost pass still holds, from a request that two officers signed."""
    with refusals():
        purses = load_scheme(scheme).purses
        client = open_vault(DeskSecrets.read(secret_file), vault)
        found = ask(request.read_bytes(), [each.read_bytes() for each in signature], client, sealed_table(backend))
        if replace:
            # Which pass it is about is what the officers signed.
            with Registry.at(data).transaction() as session:
                lost = passes.with_uid(session, pass_of(request.read_bytes()))
            if lost is None:
                raise DeskError("This pass is not in the registry. Ask the administrator.")
            open_desk(data, scheme, secret_file, vault).replace_balance(lost.printed_code, found.balances)
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
    scheme: SchemeFile = SCHEME,
    data: Data = DATA,
    secret_file: Secrets = SECRETS,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Write the list of blocked passes for the terminals."""
    with refusals():
        content = open_desk(data, scheme, secret_file, vault).hotlist(today())
        file.write_bytes(content)
    typer.echo(json.dumps({"file": str(file), "bytes": len(content)}) if as_json else f"List written to {file}.")


@app.command("hand-in")
def hand_in(
    backend: BackendAddress = BACKEND,
    scheme: SchemeFile = SCHEME,
    data: Data = DATA,
    secret_file: Secrets = SECRETS,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Hand in to the backend what was loaded on passes."""
    with refusals():
        desk = open_desk(data, scheme, secret_file, vault)
        refused = hand_in_loads(desk.journal, DeskSecrets.read(secret_file).terminal, backend)
    typer.echo(json.dumps({"refused": refused}) if as_json else f"Handed in; {len(refused)} refused.")
    if refused:
        raise typer.Exit(1)
