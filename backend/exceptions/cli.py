"""`meedoen backend exceptions`: what is not in order, and what two people do about it."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from backend.command import DEFAULT, AsJson, By, Folder, clearing_in, say
from backend.exceptions.names import CLOSE_REASONS, KINDS
from backend.exceptions.schemas import CaseOut, case_out
from backend.exceptions.service import Case
from backend.exceptions.words import EVENTS, FOUND, STATUSES
from backend.exceptions.words import KINDS as IN_WORDS
from backend.money import euro

exceptions = typer.Typer(no_args_is_help=True, help="What is not in order, and what two people do about it.")

Id = Annotated[str, typer.Argument(metavar="CASE", help="As the list calls it, such as gap:101.5-7.")]
_TO_CONFIRM = "Somebody else confirms it: meedoen backend exceptions confirm {id} --by NAME"


@exceptions.command("list")
def listing(
    context: typer.Context,
    kind: Annotated[str | None, typer.Option(help=f"One of {', '.join(KINDS)}.")] = None,
    venue: Annotated[int | None, typer.Option(help="Of this venue only.")] = None,
    ended: Annotated[bool, typer.Option("--all", help="Those that were closed or solved too.")] = False,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show what is not in order, by kind."""
    if kind not in (None, *KINDS):
        raise typer.BadParameter(f"A kind is one of: {', '.join(KINDS)}.")
    with clearing_in(context, data, as_json) as clearing:
        found = clearing.exceptions.cases(kind, venue, ended)
        counts = clearing.exceptions.counts(venue)
    words: list[str] = []
    for each in KINDS:
        of_kind = [case for case in found if case.kind == each]
        if of_kind:
            words += [f"{IN_WORDS['en'][each].name}: {len(of_kind)}", *(f"  {_line(case)}" for case in of_kind)]
    facts = {"counts": counts, "cases": [_out(case) for case in found]}
    say(as_json, facts, *(words or ["Nothing to look at."]))


@exceptions.command()
def show(context: typer.Context, case: Id, data: Folder = DEFAULT, as_json: AsJson = False) -> None:
    """Show one case: what happened, what you can do, and who did what."""
    with clearing_in(context, data, as_json) as clearing:
        found = clearing.exceptions.case(case)
    words = IN_WORDS["en"][found.kind]
    lines = [f"{words.name}. {_line(found)}", words.happened, words.to_do]
    if found.actions:
        lines.append(f"Possible now: {', '.join(found.actions)}.")
    for event in found.events:
        what = " ".join(part for part in (event.outcome, event.reason, event.note) if part)
        lines.append(f"  {event.at:%Y-%m-%d %H:%M}  {EVENTS['en'][event.action]} {what}  {event.by or ''}".rstrip())
    say(as_json, _out(found), *lines)


@exceptions.command()
def retry(context: typer.Context, case: Id, by: By, data: Folder = DEFAULT, as_json: AsJson = False) -> None:
    """Try a refused batch or record once more."""
    with clearing_in(context, data, as_json) as clearing:
        tried = clearing.exceptions.retry(case, clearing.answering(by, "mend"))
    outcome = "solved" if tried.resolved else f"still refused: {tried.reason}"
    say(as_json, asdict(tried), f"{case}: {outcome}.")
    if not tried.resolved:
        raise typer.Exit(1)


@exceptions.command()
def close(
    context: typer.Context,
    case: Id,
    by: By,
    reason: Annotated[str, typer.Option(help=f"One of {', '.join(CLOSE_REASONS)}.")],
    note: Annotated[str, typer.Option(help="Why; needed for the reason other. Name no guest.")] = "",
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Propose to close a case."""
    with clearing_in(context, data, as_json) as clearing:
        found = clearing.exceptions.close(case, clearing.answering(by, "mend"), reason, note)
    say(as_json, _out(found), f"It is proposed to close {case}.", _TO_CONFIRM.format(id=case))


@exceptions.command()
def book(context: typer.Context, case: Id, by: By, data: Folder = DEFAULT, as_json: AsJson = False) -> None:
    """Propose to post a doubt of which the vault found that it happened."""
    with clearing_in(context, data, as_json) as clearing:
        found = clearing.exceptions.book(case, clearing.answering(by, "mend"))
    say(as_json, _out(found), f"It is proposed to book {case}.", _TO_CONFIRM.format(id=case))


@exceptions.command()
def confirm(context: typer.Context, case: Id, by: By, data: Folder = DEFAULT, as_json: AsJson = False) -> None:
    """Do what somebody else proposed."""
    with clearing_in(context, data, as_json) as clearing:
        found = clearing.exceptions.confirm(case, clearing.answering(by, "mend"))
    say(as_json, _out(found), f"{case} is {STATUSES['en'][found.status]}.")


@exceptions.command()
def decline(context: typer.Context, case: Id, by: By, data: Folder = DEFAULT, as_json: AsJson = False) -> None:
    """Drop what was proposed."""
    with clearing_in(context, data, as_json) as clearing:
        found = clearing.exceptions.decline(case, clearing.answering(by, "mend"))
    say(as_json, _out(found), f"{case} is {STATUSES['en'][found.status]}.")


def _out(case: Case) -> Any:
    """The same for machines as over HTTP."""
    return json.loads(json.dumps(CaseOut().dump(case_out(case))))


def _line(case: Case) -> str:
    if "amount" in case.facts:
        place = [case.facts["payment"] or case.facts["direction"], euro(case.facts["amount"])]
    else:
        place = [f"terminal {case.terminal}" if case.terminal is not None else "terminal unknown"]
    if case.first is not None:
        place.append(f"position {case.first}" if case.first == case.last else f"positions {case.first} to {case.last}")
    if case.sequence is not None:
        place.append(f"no. {case.sequence}")
    why = case.facts.get("detail") or FOUND["en"].get(case.facts.get("found") or "", case.reason or "")
    return f"{case.id:<16} {', '.join(place):<38} {STATUSES['en'][case.status]:<10} {why}".rstrip()
