"""The exceptions desk: a screen for each kind, with what happened, what can be done, and who proposed what."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.errors import ReportRefused
from backend.exceptions import words
from backend.exceptions.names import BANK_ENTRY, CLOSE_REASONS, KINDS, RETURNED, TWO_JOURNALS, UNREADABLE
from backend.exceptions.service import Case
from backend.runs import AUDIT
from backend.web.acting import acting
from backend.web.config import clearing
from backend.web.permissions import needs
from backend.web.words import WHY_UNMATCHED, refused
from web.login import officer
from web.words import _, language

pages = Blueprint("exceptions", __name__, url_prefix="/exceptions")


@pages.get("")
def index() -> str:
    counts = clearing().exceptions.counts()
    kinds = [(kind, words.KINDS[language()][kind], count) for kind, count in counts.items() if count]
    return render_template("exceptions/index.html", kinds=kinds, run=clearing().runs.last(AUDIT))


@pages.get("/<kind>")
def kind(kind: str) -> str:
    if kind not in KINDS:
        abort(404)
    with clearing().store.reading() as tx:
        venues = {row.number: row.name for row in tx.catalogue.venues()}
    return render_template(
        "exceptions/kind.html",
        kind=words.KINDS[language()][kind],
        cases=clearing().exceptions.cases(kind),
        venues=venues,
        statuses=words.STATUSES[language()],
    )


@pages.get("/cases/<id>")
def case(id: str) -> str:
    held = clearing().exceptions.case(id)
    with clearing().store.reading() as tx:
        venue = None if held.venue is None else tx.catalogue.venue(held.venue)
    spoken = language()
    return render_template(
        "exceptions/case.html",
        case=held,
        venue=venue,
        kind=words.KINDS[spoken][held.kind],
        why=_why(held),
        found=words.FOUND[spoken].get(held.facts.get("found") or "", ""),
        purses=clearing().config.purses,
        actions=words.ACTIONS[spoken],
        events=words.EVENTS[spoken],
        statuses=words.STATUSES[spoken],
        close_reasons=[
            # None is chosen by itself, or the first would be why most are closed.
            ("", _("Kies een reden")),
            *((reason, words.CLOSE_REASONS[spoken][reason]) for reason in CLOSE_REASONS),
        ],
        reasons=words.CLOSE_REASONS[spoken],
        mine=next((each.by for each in reversed(held.events) if each.action == "proposed"), "") == officer().user_name,
    )


def _why(held: Case) -> str:
    """The reason of a case in words; that of a bank that brings a payment back is its own code."""
    reason = held.reason or ""
    if held.kind == RETURNED:
        return _("De bank zegt: %(reason)s.", reason=reason) if reason else ""
    if held.kind == BANK_ENTRY:
        return _(WHY_UNMATCHED[reason]) if reason in WHY_UNMATCHED else reason
    of_kind = words.BATCH_REASONS if held.kind in (UNREADABLE, TWO_JOURNALS) else words.ENTRY_REASONS
    return of_kind[language()].get(reason, "")


@pages.post("/cases/<id>/retry")
@needs("mend")
def retry(id: str) -> Response:
    with acting("retry exception", f"exception {id}"):
        tried = clearing().exceptions.retry(id, officer().user_name)
    if tried.resolved:
        flash(_("Gelukt. Dit is nu verwerkt."), "ok")
    else:
        flash(_("Het is weer geweigerd."), "warning")
    return _back(id)


@pages.post("/cases/<id>/close")
@needs("mend")
def close(id: str) -> Response:
    with acting("propose to close exception", f"exception {id}"):
        form = request.form
        clearing().exceptions.close(id, officer().user_name, form.get("reason", ""), form.get("note", ""))
    flash(_("Voorgesteld. Iemand anders bevestigt het."), "ok")
    return _back(id)


@pages.post("/cases/<id>/book")
@needs("mend")
def book(id: str) -> Response:
    with acting("propose to book exception", f"exception {id}"):
        clearing().exceptions.book(id, officer().user_name)
    flash(_("Voorgesteld. Iemand anders bevestigt het."), "ok")
    return _back(id)


@pages.post("/cases/<id>/confirm")
@needs("mend")
def confirm(id: str) -> Response:
    with acting("confirm exception", f"exception {id}"):
        clearing().exceptions.confirm(id, officer().user_name)
    flash(_("Bevestigd."), "ok")
    return _back(id)


@pages.post("/cases/<id>/decline")
@needs("mend")
def decline(id: str) -> Response:
    with acting("decline exception", f"exception {id}"):
        clearing().exceptions.decline(id, officer().user_name)
    flash(_("Het voorstel is van tafel."), "ok")
    return _back(id)


@pages.post("/audit")
@needs("mend")
def audit() -> Response:
    """Have the vault look for what is missing, what a doubt came to, and what differs."""
    try:
        with acting("begin to audit records", "all records"):
            clearing().runs.start(AUDIT, officer().user_name)
    except ReportRefused as error:
        flash(refused(error), "info")
    return redirect(url_for("exceptions.index"), 303)


def _back(id: str) -> Response:
    return redirect(url_for("exceptions.case", id=id), 303)
