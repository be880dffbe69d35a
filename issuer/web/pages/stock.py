"""Blank cards: what came in, what was used, what was rejected, and whether the box agrees."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from issuer.errors import DeskError
from issuer.registry import cards
from issuer.stock import close_of_day
from issuer.web.config import here
from issuer.web.permissions import needs
from web.audit import audit
from web.login import officer
from web.words import _, language

pages = Blueprint("stock", __name__)
_MOST_REJECTS = 50


@pages.get("/stock")
def index() -> str:
    with here().registry.transaction() as session:
        deliveries = [(each, cards.stock(session, each)) for each in cards.deliveries(session)]
        rejects = cards.rejects(session)[:_MOST_REJECTS]
        return render_template("stock/index.html", deliveries=deliveries, rejects=rejects, counted=None)


@pages.post("/stock")
def receive() -> Response:
    with here().registry.transaction() as session:
        made = cards.receive(
            session,
            request.form.get("reference", "").strip(),
            request.form.get("supplier", "").strip(),
            _whole("count"),
            here().today(),
        )
        audit(session, "receive cards", f"delivery {made.id}")
    flash(_("De levering is genoteerd. Test nu eerst drie kaarten."), "ok")
    return redirect(url_for("stock.index"), 303)


@pages.post("/stock/<int:number>/count")
def count(number: int) -> str:
    """The close of the day: what is in the box, against the books."""
    with here().registry.transaction() as session:
        found = cards.numbered(session, number)
        counted = close_of_day(cards.stock(session, found), _whole("counted"))
        audit(session, "count cards", f"delivery {number}", "right" if counted.difference == 0 else "difference")
        deliveries = [(each, cards.stock(session, each)) for each in cards.deliveries(session)]
        return render_template(
            "stock/index.html",
            deliveries=deliveries,
            rejects=cards.rejects(session)[:_MOST_REJECTS],
            counted=counted,
            counted_number=number,
            advice=counted.advice[1 if language() == "en" else 0],
        )


@pages.post("/stock/<int:number>/correct")
@needs("approve")
def correct(number: int) -> Response:
    """Make the books as the box is; a team lead does so."""
    with here().registry.transaction() as session:
        found = cards.numbered(session, number)
        counted = close_of_day(cards.stock(session, found), _whole("counted"))
        move = counted.correction(here().today(), officer().user_name)
        if move is not None:
            cards.book(session, found, move)
        audit(session, "correct stock", f"delivery {number}")
    flash(_("Het verschil is geboekt."), "ok")
    return redirect(url_for("stock.index"), 303)


@pages.post("/stock/rejects")
def reject() -> Response:
    """A card at the counter that cannot become a pass."""
    with here().registry.transaction() as session:
        reason = request.form.get("reason", "").strip()[:200] or _("kapot")
        cards.reject(session, None, reason, cards.in_use(session), officer().user_name, here().now(), here().today())
        audit(session, "reject card", "card")
    flash(_("De kaart staat bij de afgekeurde kaarten. Leg de kaart apart."), "ok")
    return redirect(url_for("stock.index"), 303)


def _whole(name: str) -> int:
    text = request.form.get(name, "").strip()
    if not text.isdecimal() or len(text) > 9:
        raise DeskError("Type a whole number.")
    return int(text)
