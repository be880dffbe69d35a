"""How often passes were used in a year: published once, and shown as it was published."""

from datetime import date

from babel.dates import format_date
from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.errors import LedgerError, NotFound
from backend.reports.statistics import YearStatistics
from backend.web.acting import acting
from backend.web.config import clearing
from backend.web.permissions import needs
from backend.web.words import STATISTICS, refused
from web.login import officer
from web.site import site
from web.words import _, language

pages = Blueprint("statistics", __name__, url_prefix="/reports/statistics")
_YEARS_BACK = 3


@pages.get("")
def index() -> str:
    return _index(request.args.get("year", site().today().year - 1, type=int))


@pages.post("")
@needs("release")
def publish() -> Response | tuple[str, int]:
    year, reach = request.form.get("year", 0, type=int), request.files.get("reach")
    if year not in _years():
        return _index(_years()[0], _("Kies een jaar dat voorbij is.")), 400
    try:
        with acting("publish statistics", str(year)):
            counted = reach.read() if reach and reach.filename else None
            clearing().statistics.publish(year, officer().user_name, counted)
    except LedgerError as error:
        return _index(year, refused(error)), 400
    flash(_("Gepubliceerd. Deze cijfers blijven zoals ze zijn."), "ok")
    return redirect(url_for("statistics.index", year=year), 303)


def _years() -> list[int]:
    """Those that are over."""
    return [site().today().year - back for back in range(1, _YEARS_BACK + 1)]


def _published(year: int) -> YearStatistics | None:
    try:
        return clearing().statistics.of(year)
    except NotFound:
        return None


def _index(year: int, wrong: str = "") -> str:
    made = _published(year)
    return render_template(
        "reports/statistics.html",
        year=year,
        years=[(each, each) for each in _years()],
        made=made,
        minimum=made.minimum if made else clearing().config.statistics_minimum,
        may_publish=year in _years(),
        said=lambda word: _(STATISTICS[word]) if word in STATISTICS else word,
        columns=lambda table: [_(STATISTICS[each]) if each in STATISTICS else each for each in table.columns],
        day=date.fromisoformat,
        month=lambda number: format_date(date(year, int(number), 1), "LLLL", locale=language()),
        wrong=wrong,
    )
