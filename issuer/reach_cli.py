"""`meedoen issuer reach`: the one count that clearing hears of passes."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from issuer.options import DATA, SCHEME, AsJson, Data, SchemeFile, log, refusals, today
from issuer.reach import reach_of
from issuer.registry import Registry
from issuer.scheme import load_scheme

app = typer.Typer()


@app.command()
def reach(
    year: Annotated[int, typer.Option(help="Calendar year of the statistics.", min=2020, max=date.max.year - 1)],
    out: Annotated[Path | None, typer.Option(help="File for clearing.", dir_okay=False)] = None,
    scheme: SchemeFile = SCHEME,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Count the passes in use today, for the statistics of clearing; nothing about a person is in it."""
    with refusals(), Registry.at(data).transaction() as session:
        found = reach_of(session, load_scheme(scheme), year, today())
        log(session, "count passes in use", str(year))
    if out:
        out.write_text(found.as_json() + "\n")
    shown = f"fewer than {found.minimum}" if found.passes is None else found.passes
    written = f" Written to {out}." if out else ""
    typer.echo(found.as_json() if as_json else f"{shown} passes in use on {found.counted_on}.{written}")
