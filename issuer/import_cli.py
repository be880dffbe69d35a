"""`meedoen issuer import`, `import-report`, `undo-import`, `retention`: what comes into the registry and leaves it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from issuer import import_report, importing
from issuer.import_file import Fault
from issuer.importing import CHANGED, NEW, UNCHANGED, Look
from issuer.letters.folder import LETTERS, forget_letters
from issuer.options import BY, DATA, SCHEME, AsJson, Data, SchemeFile, log, now, refusals, today
from issuer.registry import Registry, passes
from issuer.retention import run_retention
from issuer.scheme import load_scheme
from web.csv_export import csv_text

import_app = typer.Typer()

Households = Annotated[Path, typer.Argument(help="The households: CSV or .xlsx.", exists=True, dir_okay=False)]

# What fits on a screen; the report has them all.
_MOST_FAULTS = 20


@import_app.command("import")
def import_people(
    file: Households,
    scheme: SchemeFile = SCHEME,
    data: Data = DATA,
    accept: Annotated[bool, typer.Option("--accept", help="Take the rows in; without it, only look.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write what is wrong, a row each, to this CSV.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look at a file of households, say what is wrong per row, and take it in only when asked."""
    number = None
    with refusals():
        rules = load_scheme(scheme)
        raw, on = file.read_bytes(), today()
        with Registry.at(data).transaction() as session:
            if accept:
                run, seen = importing.upload(session, raw, BY, now(), on)
                if seen.faults:
                    importing.cancel(session, run.id)
                else:
                    number = importing.accept(session, run.id, BY, now(), on).id
                    log(session, "accept import", f"import {number}")
            else:
                seen = importing.look(session, raw, on)
        if report:
            report.write_bytes(_faults_as_csv(seen.faults))
    if as_json:
        faults = [vars(fault) for fault in seen.faults]
        facts = {"municipality": rules.name, "accepted": number is not None, "import": number, **_counts(seen)}
        typer.echo(json.dumps({**facts, "rows": faults}))
    else:
        _tell_import(seen, number)
    if seen.faults:
        raise typer.Exit(1)


def _counts(seen: Look) -> dict[str, int]:
    counts = {outcome: seen.count(outcome) for outcome in (NEW, CHANGED, UNCHANGED)}
    return {**counts, "faults": len(seen.faults)}


def _faults_as_csv(faults: tuple[Fault, ...]) -> bytes:
    header = ("rij", "kolom", "wat is er mis", "wat te doen", "what is wrong")
    rows = ((each.row, each.column, each.problem_nl, each.advice_nl, each.problem_en) for each in faults)
    return csv_text(header, rows).encode("utf-8-sig")


def _tell_import(seen: Look, number: int | None) -> None:
    counts = _counts(seen)
    typer.echo(
        f"{counts[NEW]} nieuw, {counts[CHANGED]} gewijzigd, {counts[UNCHANGED]} gelijk, "
        f"{counts['faults']} {'fout' if counts['faults'] == 1 else 'fouten'}"
    )
    for fault in seen.faults[:_MOST_FAULTS]:
        typer.echo(f"  rij {fault.row}, {fault.column}: {fault.problem_nl} {fault.advice_nl}".rstrip())
    if len(seen.faults) > _MOST_FAULTS:
        typer.echo(f"  en nog {len(seen.faults) - _MOST_FAULTS}; --report BESTAND.csv geeft ze allemaal")
    if seen.faults:
        typer.echo("Er is niets ingelezen. Verbeter deze rijen en lees het bestand opnieuw in.")
    elif number is not None:
        typer.echo(f"Ingelezen als import {number}.")
    else:
        typer.echo("Er is nog niets ingelezen. Klopt dit? Doe het dan nog eens met --accept.")


@import_app.command("import-report")
def write_import_report(
    file: Households,
    report: Annotated[Path, typer.Argument(help="Where to write it: .csv or .xlsx.", dir_okay=False)],
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Write what taking in a file would do to each row; takes nothing in."""
    if report.suffix.lower() not in (".csv", ".xlsx"):
        raise typer.BadParameter("The report is a .csv or .xlsx file.", param_hint="REPORT")
    with refusals():
        with Registry.at(data).transaction() as session:
            seen = importing.look(session, file.read_bytes(), today())
        write = import_report.as_xlsx if report.suffix.lower() == ".xlsx" else import_report.as_csv
        report.write_bytes(write(seen))
    typer.echo(json.dumps({"file": str(report), **_counts(seen)}) if as_json else f"Report written to {report}.")


@import_app.command("undo-import")
def undo_import(
    number: Annotated[int | None, typer.Argument(help="Number of the import; without it, the list.")] = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Make everybody what they were before an import, as long as nobody got a pass by it."""
    with refusals(), Registry.at(data).transaction() as session:
        if number is not None:
            importing.undo(session, number, BY, now())
            log(session, "undo import", f"import {number}")
        known = importing.runs(session)
    if as_json:
        facts = [
            {"import": run.id, "state": run.state, "new": run.new, "changed": run.changed, "unchanged": run.unchanged}
            for run in known
        ]
        typer.echo(json.dumps(facts))
        return
    for run in known:
        when = f"{run.at:%Y-%m-%d %H:%M}"
        typer.echo(
            f"{run.id:5}  {when}  {run.state:<9}  {run.new} new, {run.changed} changed, {run.unchanged} the same"
        )
    if not known:
        typer.echo("No file was taken in yet.")


@import_app.command()
def retention(
    data: Data = DATA,
    report: Annotated[Path | None, typer.Option(help="Write the report to this CSV as well.")] = None,
    as_json: AsJson = False,
) -> None:
    """Delete what is kept long enough, and report it to the data-protection officer. Run it every day."""
    with refusals(), Registry.at(data).transaction() as session:
        passes.expire(session, today(), now())
        done = run_retention(session, today())
        forget_letters(data / LETTERS, now())
    if report:
        report.write_bytes(done.as_csv())
    typer.echo(json.dumps(done.as_facts()) if as_json else done.as_text())
