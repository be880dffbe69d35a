"""`meedoen issuer renew`, `notices` and `letters`: a team lead renews all passes in an afternoon."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from issuer import messages, renewal
from issuer.errors import DeskError
from issuer.letters.batch import waiting, write
from issuer.letters.office import Office, file_of, load_office
from issuer.options import BY, DATA, SCHEME, AsJson, Data, SchemeFile, log, now, refusals, today
from issuer.registry import Registry
from issuer.registry.tables import RenewalRun
from issuer.scheme import Unit, load_scheme
from issuer.wording import amount_words_en

app = typer.Typer(no_args_is_help=True, help="The yearly test of all holders, and what they are told.")
renew = typer.Typer(no_args_is_help=True, help="The yearly test: who keeps the pass, who loses it, and what it costs.")
app.add_typer(renew, name="renew")

LettersFile = Annotated[Path | None, typer.Option("--letters", help="Who writes; beside the scheme if not given.")]
Today = Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day; today if not given.")]
Number = Annotated[int, typer.Argument(help="Number of the preview.")]

_OUTCOMES = {"keeps": "keep the pass", "loses": "lose it", "gains": "get one", "cards": "cards to make"}
_CHANGES = ("begins", "stops", "more", "less")


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Hears how many of how many are done, and shows it to who looks."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _day(on: datetime | None) -> date:
    return on.date() if on else today()


def _office(scheme: Path, letters: Path | None) -> Office:
    return load_office(letters or file_of(scheme))


@renew.command()
def preview(
    on: Today = None,
    scheme: SchemeFile = SCHEME,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Test everybody for the next pass year, or for that of a day; changes nothing for anybody."""
    with refusals(), _bar("Testing") as tell:
        rules = load_scheme(scheme)
        day = _day(on) if on else rules.year_end(today()) + timedelta(days=1)
        with Registry.at(data).transaction() as session:
            run = renewal.preview(session, rules, day, BY, now(), tell)
            log(session, "preview renewal", f"renewal {run.id}")
            facts = _facts(run, {})
    _say(facts, as_json)


@renew.command()
def report(
    number: Number,
    for_others: Annotated[bool, typer.Option(help="For outside the team: no number of fewer than 5 people.")] = False,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """What a preview said, and how far its acceptance is."""
    with refusals(), Registry.at(data).transaction() as session:
        run = renewal.find(session, number)
        facts = _facts(run, {} if for_others else renewal.progress(session, run))
        if for_others:
            facts |= renewal.for_others(run.counts)
    _say(facts, as_json)


def _facts(run: RenewalRun, progress: Mapping[str, int]) -> dict[str, Any]:
    return {"number": run.id, "pass_year": run.pass_year, "state": run.state, **run.counts, **progress}


def _say(facts: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
        return
    typer.echo(f"Renewal {facts['number']} for {facts['pass_year']}: {facts['state']}")
    for name, words in _OUTCOMES.items():
        typer.echo(f"{facts[name]:>8}  {words}")
    for why in facts["why"]:
        typer.echo(f"{why['people']:>8}    {why['en']}")
    for grant in facts["grants"]:
        changes = ", ".join(f"{grant[name]} {name}" for name in _CHANGES if grant[name])
        costs = _amount(grant["costs"], grant["unit"])
        typer.echo(f"{grant['people']:>8}  get {grant['name']}: {costs}{f' ({changes})' if changes else ''}")
    for fund in facts["funds"]:
        budget = f" of {_amount(fund['budget'], fund['unit'])}" if fund["budget"] is not None else ""
        typer.echo(f"{'':8}  {fund['fund']} pays {_amount(fund['amount'], fund['unit'])}{budget}")
    if "done" in facts:
        typer.echo(f"{facts['done']} of {facts['rows']} planned, {facts['different']} otherwise than the preview said")


def _amount(amount: int | str, unit: Unit) -> str:
    return amount if isinstance(amount, str) else amount_words_en(amount, unit)


@app.command()
def notices(
    on: Today = None,
    language: Annotated[str, typer.Option(help="nl or en.")] = "nl",
    scheme: SchemeFile = SCHEME,
    letters_file: LettersFile = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Put down a notice for everybody whose pass ends within 90 days; once a pass year each."""
    if language not in messages.LANGUAGES:
        raise typer.BadParameter("The language is nl or en.", param_hint="--language")
    with refusals(), _bar("Notices") as tell:
        office, rules, day = _office(scheme, letters_file), load_scheme(scheme), _day(on)
        with Registry.at(data).transaction() as session:
            proof_before = office.proof_before(rules.year_end(day))
            count = messages.notices(session, rules, day, proof_before, language, tell)
    typer.echo(json.dumps({"notices": count}) if as_json else f"{count} notices are ready; print them with `letters`.")


@app.command()
def letters(
    out: Annotated[Path, typer.Option(help="Folder for the PDFs.", file_okay=False)],
    kind: Annotated[list[str] | None, typer.Option(help="Only these: notice, granted, ended, post, blocked.")] = None,
    printed: Annotated[bool, typer.Option("--printed", help="They were printed: do not print them again.")] = False,
    on: Today = None,
    scheme: SchemeFile = SCHEME,
    letters_file: LettersFile = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Write the letters that wait as PDFs, sorted by postcode; with --printed, count those PDFs as sent."""
    if set(kind or ()) - set(messages.KINDS):
        raise typer.BadParameter(f"A kind is one of {', '.join(messages.KINDS)}.", param_hint="--kind")
    with refusals():
        if printed:
            _printed(out, _day(on), data, as_json)
            return
        with Registry.at(data).transaction() as session:
            batches, unreachable = waiting(session, _office(scheme, letters_file), _day(on), kind or messages.KINDS)
        total, files = sum(len(batch.letters) for batch in batches), []
        with _bar("Letters") as tell:
            done = iter(range(1, total + 1))
            for number, batch in enumerate(batches, start=1):
                path = out / f"letters-{number:03}.pdf"
                write(batch, path, lambda: tell(next(done), total))
                path.with_suffix(".json").write_text(json.dumps(batch.numbers))
                files.append(str(path))
    facts = {"letters": total, "files": files, "without_address": len(unreachable)}
    if as_json:
        typer.echo(json.dumps(facts))
        return
    typer.echo(f"{total} letters in {len(files)} files in {out}. Print them, then say so with --printed.")
    if unreachable:
        typer.echo(f"{len(unreachable)} letters wait: their households have no address.")


def _printed(out: Path, on: date, data: Path, as_json: bool) -> None:
    lists = sorted(out.glob("letters-*.json"))
    if not lists:
        raise DeskError("{folder} holds no letters. Write them first, without --printed.", folder=out)
    with Registry.at(data).transaction() as session:
        count = sum(messages.sent(session, json.loads(path.read_text()), on) for path in lists)
    for path in lists:
        path.unlink()
    typer.echo(json.dumps({"sent": count}) if as_json else f"{count} letters count as sent.")
