"""A lost pass: a new one takes its place, and what was left on it comes along when two officers agree."""

from datetime import timedelta

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from issuer import approvals
from issuer.approvals import Approval
from issuer.balance import request_for
from issuer.errors import DeskError
from issuer.lifecycle import ON_HOTLIST
from issuer.registry import loads, passes
from issuer.registry.tables import CardPass
from issuer.web.config import here
from web.audit import audit
from web.login import officer
from web.words import _

pages = Blueprint("lost", __name__)
KIND = "replace with balance"
# The vault answers a request of the last seven days.
_GOOD_FOR = timedelta(days=7)
_MOST_SIGNATURE_BYTES = 10_000


@pages.get("/passes/<code>/lost")
def start(code: str) -> str:
    with here().registry.transaction() as session:
        card = _lost(session, code)
        planned = loads.replacements(session, card)
        return render_template(
            "cards/lost.html",
            card=card,
            holder=card.holder,
            current=passes.of(session, card.holder_id),
            asked=_asked(session, card),
            planned=[(here().scheme.purses[load.purse], load) for load in planned],
        )


@pages.post("/passes/<code>/lost/balance")
def ask(code: str) -> AnyResponse:
    with here().registry.transaction() as session:
        card = _lost(session, code)
        approvals.ask(session, KIND, _about(card), None, request.form.get("reason", ""), officer(), here().now())
        audit(session, "ask balance", _about(card))
    flash(_("De aanvraag wacht nu op een teamleider."), "ok")
    return redirect(url_for("lost.start", code=code), 303)


@pages.get("/passes/<code>/lost/balance/request")
def signed_by_officers(code: str) -> Response:
    """The file that two officers sign."""
    with here().registry.transaction() as session:
        card = passes.coded(session, code)
        content = _request(session, card)
    headers = {"Content-Disposition": 'attachment; filename="aanvraag-tegoed.json"'}
    return Response(content, content_type="application/octet-stream", headers=headers)


@pages.post("/passes/<code>/lost/balance/signatures")
def answered(code: str) -> AnyResponse:
    """Two signatures: the vault says what the pass held, and the next pass gets it."""
    signatures = [sent.read(_MOST_SIGNATURE_BYTES) for sent in request.files.getlist("signature") if sent.filename]
    if len(signatures) != 2:
        raise DeskError("Choose two files: the signature of each of the two officers.")
    config = here()
    with config.registry.transaction() as session:
        card = passes.coded(session, code)
        content = _request(session, card)
    found = config.at_counter().balance(content, signatures)
    with config.registry.transaction() as session:
        card = passes.coded(session, code)
        approvals.use(session, KIND, _about(card), None, config.now())
        loads.plan_replacement(session, card, found.balances)
        audit(session, "replace balance", _about(card))
    flash(_("Het tegoed staat klaar voor de nieuwe pas."), "ok")
    return redirect(url_for("lost.start", code=code), 303)


def _lost(session: Session, code: str) -> CardPass:
    card = passes.coded(session, code)
    if card.state not in ON_HOTLIST:
        raise DeskError("This pass is not blocked. Block it first, so that nobody can spend what is on it.")
    return card


def _request(session: Session, card: CardPass) -> bytes:
    """The same bytes each time: what was asked, on the day that it was asked."""
    asked = _asked(session, card)
    if asked is None or asked.outcome != approvals.APPROVED:
        abort(404)
    return request_for(card, here().scheme.number, asked.reason, asked.asked_at.date())


def _asked(session: Session, card: CardPass) -> Approval | None:
    """What was asked last, unless it was approved too long ago for the vault."""
    found = approvals.latest(session, KIND, _about(card))
    if found is not None and found.outcome == approvals.APPROVED and here().now() - found.asked_at >= _GOOD_FOR:
        return None
    return found


def _about(card: CardPass) -> str:
    return f"pass {card.printed_code}"
