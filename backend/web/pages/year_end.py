"""The end of a pass year: one person proposes what lapses, or what of it is given back; another decides."""

from collections.abc import Iterable
from datetime import date, timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.errors import LedgerError, ReportRefused
from backend.money import cents_of
from backend.web.acting import acting
from backend.web.config import clearing
from backend.web.permissions import needs
from backend.web.words import CLOSING_KINDS, CLOSING_STATES, refused
from web.login import officer
from web.site import site
from web.words import _

pages = Blueprint("year_end", __name__, url_prefix="/reports/year-end")


@pages.get("")
def index() -> str:
    last = clearing().config.pass_year(site().today())[0] - timedelta(days=1)
    return _index(request.args.get("until", last, type=date.fromisoformat))


@pages.post("/propose")
@needs("settle")
def propose() -> Response | tuple[str, int]:
    until = _until()
    try:
        with acting("propose end of pass year", str(until)):
            amounts = _amounts(clearing().year_end.left(until))
            clearing().year_end.propose(until, officer().user_name, amounts)
    except LedgerError as error:
        return _index(until, refused(error)), 400
    return _proposed(until)


@pages.post("/restore")
@needs("settle")
def restore() -> Response | tuple[str, int]:
    until = _until()
    try:
        with acting("propose to give back what lapsed", str(until)):
            amounts = _amounts(clearing().year_end.lapsed(until))
            clearing().year_end.propose_restore(until, officer().user_name, amounts)
    except LedgerError as error:
        return _index(until, refused(error)), 400
    return _proposed(until)


@pages.post("/decide")
@needs("release")
def decide() -> Response | tuple[str, int]:
    until = _until()
    try:
        with acting("decide end of pass year", str(until)):
            clearing().year_end.decide(until, officer().user_name)
    except LedgerError as error:
        return _index(until, refused(error)), 400
    flash(_("Besloten en geboekt."), "ok")
    return _back(until)


@pages.post("/withdraw")
@needs("settle")
def withdraw() -> Response | tuple[str, int]:
    until = _until()
    try:
        with acting("withdraw end of pass year", str(until)):
            clearing().year_end.withdraw(until, officer().user_name)
    except LedgerError as error:
        return _index(until, refused(error)), 400
    flash(_("Het voorstel is van tafel."), "ok")
    return _back(until)


def _until() -> date:
    until = request.form.get("until", type=date.fromisoformat)
    if until is None:
        abort(400)
    return until


def _proposed(until: date) -> Response:
    flash(_("Voorgesteld. Een teamleider die dit niet voorstelde, besluit."), "ok")
    return _back(until)


def _amounts(purses: Iterable[int]) -> dict[int, int]:
    """What was filled in for each purse, in its unit; a purse that was left empty keeps what it has."""
    amounts = {}
    for purse in purses:
        text = request.form.get(f"amount-{purse}", "").strip()
        try:
            amount = cents_of(text or "0") if clearing().config.purses[purse].unit == "cent" else int(text or "0")
        except ValueError:
            raise ReportRefused("amount", f"{text} is no amount of purse {purse}.") from None
        if amount:
            amounts[purse] = amount
    if not amounts:
        raise ReportRefused("nothing", "Say of a purse at least how much.")
    return amounts


def _index(until: date, wrong: str = "") -> str:
    held, mine = clearing(), officer().user_name
    closings = [each for each in held.year_end.all() if each.until == until]
    waiting = [each for each in closings if each.state == "proposed"]
    return render_template(
        "reports/year_end.html",
        until=until,
        left=held.year_end.left(until),
        lapsed=held.year_end.lapsed(until),
        purses=held.config.purses,
        closings=closings,
        waiting=waiting,
        may_propose=not any(each.kind == "lapse" and each.state != "withdrawn" for each in closings),
        mine=any(each.proposed_by == mine for each in waiting),
        kinds=CLOSING_KINDS,
        states=CLOSING_STATES,
        wrong=wrong,
    )


def _back(until: date) -> Response:
    return redirect(url_for("year_end.index", until=until), 303)
