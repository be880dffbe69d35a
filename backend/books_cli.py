"""`meedoen backend verify`, `reconcile`, `report`, `export`, `year-end`, `statistics`: what the books say to whom."""

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from backend.command import DEFAULT, AsJson, By, Folder, bar, clearing_in, say
from backend.money import euro
from backend.reports.funds import FundReport, NetworkVolume, Obligation
from backend.reports.periods import period
from backend.reports.reconciliation import Reconciliation
from backend.reports.statistics import YearStatistics
from backend.reports.year_end import Closing

app = typer.Typer()
export = typer.Typer(no_args_is_help=True, help="The books for accountants, spreadsheets and other software.")
year_end = typer.Typer(no_args_is_help=True, help="What lapses at the end of a pass year, with two people.")
app.add_typer(export, name="export")
app.add_typer(year_end, name="year-end")

OutFile = Annotated[Path, typer.Argument(dir_okay=False, help="File to write.")]
PeriodName = Annotated[str, typer.Option("--period", help="2026, 2026-Q4 or 2026-11.")]
YearEndDay = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Last day of the pass year.")]
Amounts = Annotated[list[str] | None, typer.Option("--amount", help="PURSE=AMOUNT in the unit of the purse, cents.")]


@app.command()
def verify(context: typer.Context, data: Folder = DEFAULT, as_json: AsJson = False) -> None:
    """Compute all books again from the signed entries, and name the first difference."""
    with clearing_in(context, data, as_json) as clearing, bar("Entries") as heard:
        found = clearing.verification.run(heard)
    words = [f"{found.entries} entries, {found.proven} proven, {found.waiting} wait for proof."]
    if found.difference is None:
        words.append("The books are what the signed entries say.")
    else:
        each = found.difference
        at = [f"terminal {each.terminal}, no. {each.sequence}"] if each.terminal is not None else []
        at += [str(part) for part in (each.account, each.settlement) if part is not None]
        words.append(f"DIFFERENCE ({each.what}) {'; '.join(at)}: expected {each.expected}, found {each.found}.")
    say(as_json, asdict(found), *words)
    if found.difference is not None:
        raise typer.Exit(1)


@app.command()
def reconcile(context: typer.Context, data: Folder = DEFAULT, as_json: AsJson = False) -> None:
    """What purses and venues moved by kind, and every record that is not in the books."""
    with clearing_in(context, data, as_json) as clearing:
        found = clearing.reconciling.now()
    say(as_json, asdict(found), *_reconciliation_words(found))


def _reconciliation_words(found: Reconciliation) -> list[str]:
    words = [f"{'Purse':<30}{'kind':<12}{'moved':>26}"]
    words += [f"{each.purse:<30}{each.kind:<12}{_in_unit(each.amount, each.unit):>26}" for each in found.purses]
    words += ["", f"{'Venue':<30}{'kind':<12}{'records':>13}{'earned':>13}"]
    words += [f"{each.name[:29]:<30}{each.kind:<12}{each.records:>13}{euro(each.cents):>13}" for each in found.venues]
    words += ["", f"{len(found.unmatched)} records are not in the books."]
    return words + [f"Terminal {each.terminal}, no. {each.sequence}: {each.state}" for each in found.unmatched]


@app.command()
def report(
    context: typer.Context,
    quarter: Annotated[str, typer.Option(help="2026-Q4; also a year or a month.")],
    bank_balance: Annotated[int | None, typer.Option(help="What the bank account holds, in cents.")] = None,
    csv: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the table of funds here as CSV.")] = None,
    xlsx: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the table of funds here as XLSX.")] = None,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """What each fund gave, what became of it, what is owed, and whether the account covers it."""
    with clearing_in(context, data, as_json) as clearing:
        chosen = period(quarter)
        made = clearing.funds.of(chosen)
        owed = clearing.funds.obligation(chosen.last, bank_balance)
        volume = clearing.funds.network_volume(chosen.last)
        if csv is not None:
            csv.write_text(clearing.spreadsheets.funds(made), encoding="utf-8-sig", newline="")
        if xlsx is not None:
            xlsx.write_bytes(clearing.spreadsheets.workbook(made))
    facts = asdict(made) | {"obligation": asdict(owed) | {"to_cover": owed.to_cover}, "network": asdict(volume)}
    say(as_json, facts, *_report_words(made, owed, volume))


def _report_words(made: FundReport, owed: Obligation, volume: NetworkVolume) -> list[str]:
    words = [f"{made.scheme}, {made.period.first} to {made.period.last}, made {made.made_at:%Y-%m-%d %H:%M} UTC", ""]
    names = ("loaded", "debited", "reversed", "expired", "outstanding")
    words.append(f"{'Fund, purse':<36}{'category':<12}" + "".join(f"{name:>13}" for name in (*names, "discounts")))
    for row in made.rows:
        sums = [_in_unit(getattr(row, name), row.unit) for name in names] + [euro(row.discounts)]
        label = f"{row.fund}, {row.name}"
        words.append(f"{label[:35]:<36}{row.category[:11]:<12}" + "".join(f"{each:>13}" for each in sums))
    words += ["", f"Holders may still spend {euro(owed.outstanding)}: loaded {euro(owed.loaded)}, spent"]
    words[-1] += f" {euro(owed.debited)}, expired {euro(owed.expired)}."
    words.append(f"Owed to venues {euro(owed.owed)}, on its way to them {euro(owed.on_its_way)},")
    words[-1] += f" due back to holders {euro(owed.due_back)}."
    covered = {None: "not known (--bank-balance)", True: "covers it", False: "DOES NOT COVER IT"}[owed.covered]
    words.append(f"Together {euro(owed.to_cover)}; the bank account: {covered}.")
    near = "" if volume.state == "below" else " The supervisor is told above the limit (PSD2 art. 37(2))."
    words.append(
        f"Paid with passes in twelve months: {euro(volume.cents)}, {volume.percent} % of {euro(volume.limit)}.{near}"
    )
    return words


def _in_unit(amount: int, unit: str) -> str:
    return euro(amount) if unit == "cent" else f"{amount} {unit}"


@export.command()
def beancount(
    context: typer.Context,
    file: OutFile,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day; today.")] = None,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """All books up to a day for beancount, whose bean-check adds up every balance itself."""
    with clearing_in(context, data, as_json) as clearing:
        last = until.date() if until else clearing.calendar.today()
        with file.open("w", encoding="utf-8") as out:
            count = sum(1 for line in clearing.beancount.lines(last) if out.write(line + "\n"))
    say(as_json, {"file": str(file), "lines": count}, f"{file}: {count} lines. Check it with: bean-check {file}")


@export.command()
def xaf(
    context: typer.Context,
    file: OutFile,
    name: PeriodName,
    tax_number: Annotated[str, typer.Option(help="RSIN of the municipality.")],
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """The books of a period in cents as XML Auditfile Financieel 3.2."""
    with clearing_in(context, data, as_json) as clearing:
        chosen = period(name)
        with file.open("wb") as out:
            count = clearing.auditfile(tax_number).write(out, chosen, clearing.calendar.today())
    say(as_json, {"file": str(file), "lines": count}, f"{file}: {count} lines.")


@export.command()
def csv(
    context: typer.Context, file: OutFile, name: PeriodName, data: Folder = DEFAULT, as_json: AsJson = False
) -> None:
    """Every transfer of a period for a spreadsheet."""
    with clearing_in(context, data, as_json) as clearing:
        content = clearing.spreadsheets.books(period(name))
    file.write_text(content, encoding="utf-8-sig", newline="")
    count = content.count("\r\n") - 1
    say(as_json, {"file": str(file), "lines": count}, f"{file}: {count} lines.")


@year_end.command("show")
def year_end_show(context: typer.Context, until: YearEndDay, data: Folder = DEFAULT, as_json: AsJson = False) -> None:
    """What is left of the loads of a pass year, and what was decided on it."""
    with clearing_in(context, data, as_json) as clearing:
        left = clearing.year_end.left(until.date())
        closings = [each for each in clearing.year_end.all() if each.until == until.date()]
        units = {purse: clearing.config.purses[purse].unit for purse in left}
    words = [f"Purse {purse}: {_in_unit(amount, units[purse])} is left." for purse, amount in left.items()]
    facts = {"left": left, "closings": [asdict(each) for each in closings]}
    say(as_json, facts, *(words or ["Nothing is left."]), *_closing_words(closings))


@year_end.command("propose")
def year_end_propose(
    context: typer.Context,
    until: YearEndDay,
    by: By,
    amount: Amounts = None,
    restore: Annotated[bool, typer.Option("--restore", help="Give back what lapsed.")] = False,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Propose what lapses: all that is left, or less for rests on renewed passes. Somebody else decides."""
    amounts = _amounts(amount)
    if restore and amounts is None:
        raise typer.BadParameter("what is given back is said with --amount PURSE=AMOUNT")
    with clearing_in(context, data, as_json) as clearing:
        person = clearing.answering(by, "settle")
        if restore:
            made = clearing.year_end.propose_restore(until.date(), person, amounts or {})
        else:
            made = clearing.year_end.propose(until.date(), person, amounts)
    next_step = f"Someone else decides: meedoen backend year-end decide {until:%Y-%m-%d} --by NAME"
    say(as_json, [asdict(each) for each in made], *_closing_words(made), next_step)


@year_end.command("decide")
def year_end_decide(
    context: typer.Context, until: YearEndDay, by: By, data: Folder = DEFAULT, as_json: AsJson = False
) -> None:
    """Carry out what somebody else proposed."""
    with clearing_in(context, data, as_json) as clearing:
        made = clearing.year_end.decide(until.date(), clearing.answering(by, "release"))
    say(as_json, [asdict(each) for each in made], *_closing_words(made))


@year_end.command("withdraw")
def year_end_withdraw(
    context: typer.Context, until: YearEndDay, by: By, data: Folder = DEFAULT, as_json: AsJson = False
) -> None:
    """Drop what was proposed."""
    with clearing_in(context, data, as_json) as clearing:
        clearing.year_end.withdraw(until.date(), clearing.answering(by, "settle"))
    say(as_json, {"until": until.date()}, "Withdrawn.")


def _amounts(given: list[str] | None) -> dict[int, int] | None:
    try:
        pairs = [each.split("=") for each in given or []]
        return {int(purse): int(amount) for purse, amount in pairs} if pairs else None
    except ValueError:
        raise typer.BadParameter("write PURSE=AMOUNT, as 1=14500") from None


def _closing_words(closings: list[Closing]) -> list[str]:
    verb = {"lapse": "lapses", "restore": "is given back"}
    return [
        f"Purse {each.purse}: {_in_unit(each.amount, each.unit)} of {_in_unit(each.most, each.unit)} "
        f"{verb[each.kind]}, {each.state}, by {each.decided_by or each.proposed_by}."
        for each in closings
    ]


@app.command()
def statistics(
    context: typer.Context,
    year: Annotated[int, typer.Option(help="Calendar year.", min=2020, max=date.max.year)],
    publish: Annotated[bool, typer.Option("--publish", help="Make the tables, once and for good.")] = False,
    by: By | None = None,
    reach: Annotated[
        Path | None, typer.Option(help="Count of passes, of `meedoen issuer reach`.", exists=True, dir_okay=False)
    ] = None,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """How often passes were used in a year, without small counts. Published once."""
    if publish and by is None:
        raise typer.BadParameter("who publishes says so with --by NAME")
    with clearing_in(context, data, as_json) as clearing:
        if publish and by is not None:
            counted = reach.read_bytes() if reach else None
            made = clearing.statistics.publish(year, clearing.answering(by, "release"), counted)
        else:
            made = clearing.statistics.of(year)
    say(as_json, asdict(made), *_statistics_words(made))


def _statistics_words(made: YearStatistics) -> list[str]:
    words = [f"{made.scheme}, taps in {made.year}. A dot: not shown, to protect a count below {made.minimum}."]
    for table in made.tables:
        words += ["", f"{table.name:<30}" + "".join(f"{column:>14}" for column in table.columns)]
        for label, counts in table.rows:
            words.append(f"{label[:29]:<30}" + "".join(f"{'.' if each is None else each:>14}" for each in counts))
    return words
