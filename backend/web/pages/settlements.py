"""Settlements: one person prepares, another approves, and the files for the bank and the venues come out."""

from datetime import date, timedelta

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from backend.errors import LedgerError
from backend.web.acting import acting
from backend.web.config import clearing
from backend.web.files import download
from backend.web.permissions import needs
from backend.web.words import ACCOUNTS, PAYMENT_STATES, refused
from web.login import officer
from web.site import site
from web.words import _

pages = Blueprint("settlements", __name__, url_prefix="/settlements")


@pages.get("")
def index() -> str:
    return _index()


@pages.post("")
@needs("settle")
def prepare() -> AnyResponse | tuple[str, int]:
    until = request.form.get("until", type=date.fromisoformat)
    if until is None:
        return _index(_("Kies de laatste dag.")), 400
    if until >= site().today():
        return _index(_("Kies een dag die voorbij is.")), 400
    try:
        with acting("prepare settlement", f"until {until}"):
            made = clearing().settlements.prepare(until, officer().user_name)
    except LedgerError as error:
        return _index(refused(error)), 400
    return redirect(url_for("settlements.one", number=made.number), 303)


@pages.get("/<number>")
def one(number: str) -> str:
    return _one(number)


@pages.post("/<number>/approve")
@needs("release")
def approve(number: str) -> AnyResponse | tuple[str, int]:
    try:
        with acting("approve settlement", f"settlement {number}"):
            made = clearing().settlements.approve(number, officer().user_name)
    except LedgerError as error:
        return _one(number, refused(error)), 400
    if made.state == "prepared":
        flash(_("Nagekeken. Het is zo veel geld dat een derde persoon moet goedkeuren."), "ok")
    else:
        flash(_("Goedgekeurd. Haal nu het bestand voor de bank op."), "ok")
    return redirect(url_for("settlements.one", number=number), 303)


@pages.post("/<number>/withdraw")
@needs("settle")
def withdraw(number: str) -> AnyResponse | tuple[str, int]:
    try:
        with acting("withdraw settlement", f"settlement {number}"):
            clearing().settlements.withdraw(number, officer().user_name)
    except LedgerError as error:
        return _one(number, refused(error)), 400
    flash(_("Ingetrokken. Wat erin zat, komt in de volgende afrekening."), "ok")
    return redirect(url_for("settlements.index"), 303)


@pages.post("/<number>/sent")
@needs("settle")
def sent(number: str) -> AnyResponse | tuple[str, int]:
    try:
        with acting("note settlement as sent", f"settlement {number}"):
            clearing().settlements.sent(number, officer().user_name)
    except LedgerError as error:
        return _one(number, refused(error)), 400
    flash(_("Genoteerd. Lees het afschrift van de bank in zodra het er is."), "ok")
    return redirect(url_for("settlements.one", number=number), 303)


@pages.post("/<number>/revoke")
@needs("release")
def revoke(number: str) -> AnyResponse | tuple[str, int]:
    try:
        with acting("revoke settlement", f"settlement {number}"):
            clearing().settlements.revoke(number, officer().user_name)
    except LedgerError as error:
        return _one(number, refused(error)), 400
    flash(_("Teruggehaald. Gooi het bestand weg. De volgende afrekening betaalt dit."), "ok")
    return redirect(url_for("settlements.one", number=number), 303)


@pages.get("/<number>/payments.xml")
@needs("settle")
def payments(number: str) -> Response:
    """The order for the bank. Whoever takes it along stands in the log: it is what money is paid by."""
    content = clearing().settlements.payment_file(number)
    if content is None:
        abort(404)
    with acting("fetch payment file", f"settlement {number}"):
        return download(content, "application/xml", f"pain.001-{number}.xml")


@pages.get("/<number>/statements/<int:venue>.pdf")
def statement(number: str, venue: int) -> Response:
    return download(
        clearing().settlements.statement(number, venue), "application/pdf", f"statement-{number}-{venue}.pdf"
    )


@pages.get("/<number>/invoices/<int:venue>.xml")
def invoice(number: str, venue: int) -> Response:
    return download(clearing().settlements.invoice(number, venue), "application/xml", f"invoice-{number}-{venue}.xml")


def _index(wrong: str = "") -> str:
    held = clearing().settlements.all()[::-1]
    waiting = next((each for each in held if each.state == "prepared"), None)
    yesterday = site().today() - timedelta(days=1)
    return render_template(
        "settlements/index.html",
        settlements=held,
        waiting=waiting,
        states=PAYMENT_STATES,
        until=request.form.get("until", yesterday.isoformat()),
        latest=yesterday.isoformat(),
        wrong=wrong,
    )


def _one(number: str, wrong: str = "") -> str:
    held = clearing().settlements.get(number)
    return render_template(
        "settlements/one.html",
        settlement=held,
        states=PAYMENT_STATES,
        accounts=ACCOUNTS,
        invoiced=clearing().settlements.invoiced(number),
        mine=officer().user_name in {(name or "").casefold() for name in (held.prepared_by, held.checked_by)},
        wrong=wrong,
    )
