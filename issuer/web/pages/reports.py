"""Numbers without names: passes, budgets, the new year, and what was deleted. Small numbers are not shown."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, Response, current_app, render_template
from sqlalchemy.orm import Session

from issuer import renewal, retention
from issuer.registry import loads, passes
from issuer.renewal import FEW, SMALL_CELL, unless_few
from issuer.scheme import Unit
from issuer.web.config import here

pages = Blueprint("reports", __name__)
_FRESH = timedelta(minutes=5)
_HELD = "numbers"
_MOST_REPORTS = 10


@dataclass(frozen=True)
class Numbers:
    """Of passes by state, and of budgets: (name, people, amount, unit); as they were at a moment."""

    at: datetime
    states: list[tuple[str, int | str]]
    budgets: list[tuple[str, int | str, int | str, Unit]]


@pages.get("/reports")
def index() -> str:
    with here().registry.transaction() as session:
        runs = [run for run in renewal.runs(session) if run.state == "accepted"]
        return render_template(
            "reports.html",
            numbers=_numbers(session),
            year=here().scheme.pass_year(here().today()),
            renewals=[(run, renewal.for_others(run.counts)) for run in runs],
            retention=retention.reports(session)[:_MOST_REPORTS],
            classes=len(retention.KEPT),
        )


@pages.get("/reports/retention.csv")
def deleted() -> Response:
    """The last report for the data-protection officer."""
    with here().registry.transaction() as session:
        found = retention.reports(session)
    content = found[0].as_csv() if found else b""
    headers = {"Content-Disposition": 'attachment; filename="retention.csv"'}
    return Response(content, mimetype="text/csv", headers=headers)


def _numbers(session: Session) -> Numbers:
    """Counted over all passes and budgets, so not more often than every five minutes."""
    held: Numbers | None = current_app.extensions.get(_HELD)
    if held is None or not timedelta() <= here().now() - held.at < _FRESH:
        states = [(state, unless_few(count)) for state, count in passes.counts(session)]
        held = Numbers(here().now(), states, _budgets(session))
        current_app.extensions[_HELD] = held
    return held


def _budgets(session: Session) -> list[tuple[str, int | str, int | str, Unit]]:
    """(name, people, amount, unit) of what was planned or written per grant in this pass year."""
    scheme, today = here().scheme, here().today()
    given = loads.totals(session, (scheme.pass_year(today), "once"))
    rows: list[tuple[str, int | str, int | str, Unit]] = []
    for grant in scheme.grants:
        people, amount = given.get(grant.number, (0, 0))
        few = people < SMALL_CELL
        rows.append((grant.name, unless_few(people), FEW if few else amount, scheme.purses[grant.purse].unit))
    return rows
