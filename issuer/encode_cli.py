"""`meedoen issuer batch`, `reject-card`, `accept-delivery`, `stock`: many cards, from the supplier to the counter."""

import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from card.blueprint import Blueprint
from hardware.emulated_pass import EmulatedPass, Memory
from hardware.errors import ReaderError
from hardware.in_process import InProcessReader
from hardware.nfc_frontend import NfcpyReader
from hardware.pcsc import PcscReader, readers
from issuer.acceptance import SAMPLES, Acceptance, Check, Report
from issuer.batch import Batch, Line, Step
from issuer.batch import Progress as Done
from issuer.emulated_stack import EmulatedStack
from issuer.encoding import RegistryJobs
from issuer.errors import CardLeft, CardRefused, DeskError
from issuer.options import (
    BY,
    DATA,
    SCHEME,
    SECRETS,
    AsJson,
    Data,
    SchemeFile,
    Secrets,
    Vault,
    log,
    now,
    open_desk,
    refusals,
    today,
)
from issuer.personalise import Reader
from issuer.registry import Registry, cards, passes
from issuer.scheme import load_scheme
from issuer.stock import Stock, close_of_day

app = typer.Typer(no_args_is_help=True, help="Many cards.")

Readers = Annotated[
    list[str] | None,
    typer.Option("--reader", help="Name of a PC/SC reader, or nfcpy:DEVICE; several times. All PC/SC readers if none."),
]

_CARDS = Path("var/cards")
_NFCPY = "nfcpy:"
_REFRESHES_A_SECOND = 4
_POLL_SECONDS = 0.3


def _opened(names: list[str] | None) -> dict[str, Reader]:
    """The readers by name; every PC/SC reader when none is named."""
    wanted = names or readers()
    if not wanted:
        raise ReaderError("no reader: plug one in")
    return {
        name: NfcpyReader(name.removeprefix(_NFCPY)) if name.startswith(_NFCPY) else PcscReader(name) for name in wanted
    }


# batch


@app.command()
def batch(
    reader: Readers = None,
    emulated: Annotated[int, typer.Option(min=0, help="That many emulated readers, for a try-out.")] = 0,
    cards_folder: Annotated[Path, typer.Option("--cards", help="Folder of emulated cards.")] = _CARDS,
    delivery: Annotated[str | None, typer.Option(help="The delivery that the cards are from.")] = None,
    printed: Annotated[bool, typer.Option("--printed", help="The cards have their faces already.")] = False,
    scheme: SchemeFile = SCHEME,
    data: Data = DATA,
    secret_file: Secrets = SECRETS,
    vault: Vault = None,
    as_json: AsJson = False,
) -> None:
    """Make the passes of all who wait, on several readers at once. Start it again after whatever stopped it."""
    if reader and emulated:
        raise typer.BadParameter("Readers have names or are emulated, not both.", param_hint="--emulated")
    with refusals():
        desk = open_desk(data, scheme, secret_file, vault)
        jobs = RegistryJobs(Registry.at(data), desk, today(), now, BY, delivery, printed)
        asked = _Asked(None)
        found: Mapping[str, Reader]
        if emulated:
            stack = EmulatedStack(cards_folder, emulated)
            found, asked = stack.readers, _Asked(stack.show)
        else:
            found = _opened(reader) if jobs.waiting() else {}
        made = Batch(found, jobs, jobs.encode, desk.identify, asked.show, ahead=printed)
        with _watched(made, jobs.waiting(), asked):
            done = _until_interrupted(made)
    _tell(done, asked, as_json)
    if done.waiting or done.by_hand:
        raise typer.Exit(1)


@dataclass
class _Asked:
    """What readers asked for, and who does it when nobody is there. Keeps the rejects and their reasons."""

    act: Callable[[str, Line], None] | None

    def __post_init__(self) -> None:
        self.aside: list[Line] = []

    def show(self, reader: str, line: Line) -> None:
        if line.step in (Step.REJECTED, Step.BY_HAND, Step.WRONG_CARD, Step.BROKEN):
            self.aside.append(line)
        if self.act is not None:
            self.act(reader, line)


def _until_interrupted(made: Batch) -> Done:
    try:
        return made.run()
    except KeyboardInterrupt:
        return made.progress()


@contextmanager
def _watched(made: Batch, total: int, asked: _Asked) -> Iterator[None]:
    """A line a reader on the screen, and how far it is; nothing where nobody looks."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with Live(get_renderable=lambda: _screen(made, total), console=console, refresh_per_second=_REFRESHES_A_SECOND):
        yield


def _screen(made: Batch, total: int) -> RenderableType:
    done = made.progress()
    bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar.add_task(_estimate(done), total=total, completed=done.done)
    lines = Table.grid(padding=(0, 2))
    for reader, line in sorted(made.lines().items()):
        lines.add_row(reader, line.step.dutch, line.code, line.reason)
        lines.add_row("", line.step.english)
    return Group(bar, lines)


def _estimate(done: Done) -> str:
    if done.per_hour is None or done.minutes_left is None:
        return "..."
    return f"{done.per_hour} per uur, nog {done.minutes_left} min, {done.rejected} afgekeurd"


def _tell(done: Done, asked: _Asked, as_json: bool) -> None:
    if as_json:
        aside = [{"step": line.step.name.lower(), "code": line.code, "reason": line.reason} for line in asked.aside]
        facts = {"done": done.done, "rejected": done.rejected, "by_hand": done.by_hand, "waiting": done.waiting}
        typer.echo(json.dumps({**facts, "per_hour": done.per_hour, "aside": aside}))
        return
    typer.echo(f"{done.done} klaar, {done.rejected} afgekeurd, {done.by_hand} voor de balie, {done.waiting} te gaan.")
    for line in asked.aside:
        typer.echo(f"  {line.code} {line.step.dutch} {line.reason}".replace("   ", "  "))


# reject-card


@app.command("reject-card")
def reject_card(
    code: Annotated[str, typer.Argument(help="Code of the pass that the card was begun for.")],
    reason: Annotated[str, typer.Option(help="Why: lost, or it does not answer any more.")],
    delivery: Annotated[str | None, typer.Option(help="The delivery that the card was from.")] = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Give up a card that was begun and cannot be put back, so that its pass gets another one."""
    with refusals(), Registry.at(data).transaction() as session:
        uid = cards.begun_for(session, passes.coded(session, code))
        box = cards.usable(session, delivery) if delivery else None
        log(session, "reject card", "card")
        if not cards.reject(session, uid, reason, box, BY, now(), today()):
            raise DeskError("There may be a budget on this card. Block the pass and replace it at the desk.")
    typer.echo(json.dumps({"rejected": True}) if as_json else "The card is on the list of rejects.")


# accept-delivery


@app.command("accept-delivery")
def accept_delivery(
    reference: Annotated[str, typer.Argument(help="What the delivery is called, as on its packing note.")],
    count: Annotated[int, typer.Option(min=1, help="How many cards there are.")],
    supplier: Annotated[str, typer.Option(help="Who delivered them.")],
    reader: Readers = None,
    emulated: Annotated[bool, typer.Option("--emulated", help="Emulated cards, for a try-out.")] = False,
    samples: Annotated[int, typer.Option(min=1, help="How many cards to test; the last is used up.")] = SAMPLES,
    scheme: SchemeFile = SCHEME,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Write a delivery of blank cards down and test a few of them, before any becomes a pass."""
    if samples > count:
        raise typer.BadParameter("There are not that many cards.", param_hint="--samples")
    registry = Registry.at(data)
    with refusals():
        rules = load_scheme(scheme)
        test = Acceptance(Blueprint(rules.aid, rules.df_name, rules.ceilings()), os.urandom, samples)
        with registry.transaction() as session:
            found = cards.named(session, reference) or cards.receive(session, reference, supplier, count, today())
            if found.state != "waiting":
                raise DeskError("Delivery {reference} was tested already.", reference=reference)
        _examine_all(test, _BlankCards() if emulated else next(iter(_opened(reader).values())))
        report = test.report()
        with registry.transaction() as session:
            found = cards.delivery(session, reference)
            cards.judge(session, found, report.accepted, report.rows(), report.spent, BY, today())
    _tell_report(report, as_json)
    if not report.accepted:
        raise typer.Exit(1)


class _BlankCards(InProcessReader):
    """A reader on which there is always another blank card."""

    def next_card(self) -> None:
        self.present(EmulatedPass(Memory.factory(uid=b"\x04" + secrets.token_bytes(6)), random=os.urandom))


def _examine_all(test: Acceptance, reader: Reader) -> None:
    pause = threading.Event()
    while (number := test.next_sample) is not None:
        typer.echo(f"Leg kaart {number} op de lezer. / Put card {number} on the reader.", err=True)
        if isinstance(reader, _BlankCards):
            reader.next_card()
        while test.next_sample == number:
            try:
                _show_checks(test.examine(reader))
            except CardLeft as error:
                typer.echo(str(error), err=True)
            except CardRefused:
                pause.wait(_POLL_SECONDS)
        typer.echo("Neem de kaart weg. / Take the card away.", err=True)
        if isinstance(reader, _BlankCards):
            reader.remove()
        while reader.find_pass() is not None:
            reader.release()
            pause.wait(_POLL_SECONDS)


def _show_checks(checks: list[Check]) -> None:
    for check in checks:
        typer.echo(f"  {'ja ' if check.passed else 'nee'} {check.words[0]} {check.found}".rstrip(), err=True)


def _tell_report(report: Report, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"accepted": report.accepted, "spent": report.spent, "checks": report.rows()}))
        return
    if report.accepted:
        typer.echo("De levering is goed. / The delivery is accepted.")
    else:
        typer.echo("Niet gebruiken. Zeg tegen de leverancier: / Do not use it. Tell the supplier:")
        for check in report.complaints:
            typer.echo(f"  kaart {check.sample}: {check.words[0]} / {check.words[1]} {check.found}".rstrip())
    if report.spent:
        typer.echo(f"Vernietig {report.spent} proefkaart(en). / Destroy {report.spent} sample card(s).")


# stock


@app.command()
def stock(
    reference: Annotated[str | None, typer.Option("--delivery", help="One delivery; all of them if none.")] = None,
    counted: Annotated[int | None, typer.Option(min=0, help="How many blank cards are in its box now.")] = None,
    write_off: Annotated[bool, typer.Option("--write-off", help="Book the difference, as the team lead.")] = False,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """What became of each delivery, and at the end of the day whether its box adds up."""
    if reference is None and (counted is not None or write_off):
        raise typer.BadParameter("Say which delivery was counted.", param_hint="--delivery")
    with refusals(), Registry.at(data).transaction() as session:
        every = [cards.delivery(session, reference)] if reference else cards.deliveries(session)
        stocks = [cards.stock(session, each) for each in every]
        count = close_of_day(stocks[0], counted) if counted is not None else None
        move = count.correction(today(), BY) if count is not None and write_off else None
        if move is not None:
            cards.book(session, every[0], move)
            log(session, "correct stock", f"delivery {every[0].id}")
    difference = count.difference if count is not None else 0
    if as_json:
        rows = [{**vars(each), "left": each.left} for each in stocks]
        typer.echo(json.dumps({"deliveries": rows, "difference": difference, "booked": move is not None}))
    else:
        for each in stocks:
            typer.echo(_row(each))
        if count is not None:
            typer.echo(f"Geteld {count.counted}, verwacht {count.expected}. {count.advice[0]} / {count.advice[1]}")
    if difference and move is None:
        raise typer.Exit(1)


def _row(each: Stock) -> str:
    return (
        f"{each.delivery}: {each.received} ontvangen, {each.used} gebruikt, {each.rejected} afgekeurd, "
        f"{each.destroyed} vernietigd, {each.corrected:+} geteld, {each.left} over"
    )
