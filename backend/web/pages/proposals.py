"""Offers on their way: what venues proposed, what the partner manager says to it, and into the bundles."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.errors import LedgerError
from backend.web.acting import acting
from backend.web.config import clearing
from backend.web.permissions import needs
from backend.web.words import PROPOSAL_STATES, refused
from web.login import officer
from web.words import _, day

pages = Blueprint("proposals", __name__, url_prefix="/proposals")


@pages.get("")
def index() -> str:
    return _index()


@pages.post("/<int:number>/decide")
@needs("offers")
def decide(number: int) -> Response | tuple[str, int]:
    yes = request.form.get("answer") == "yes"
    try:
        with acting("approve offer" if yes else "reject offer", f"proposal {number}"):
            clearing().proposals.decide(number, yes, officer().user_name, request.form.get(f"reason-{number}", ""))
    except LedgerError as error:
        return _index(refused(error)), 400
    flash(_("Goedgekeurd. Zet het nu op de apparaten.") if yes else _("Afgewezen. De aanbieder leest waarom."), "ok")
    return redirect(url_for("proposals.index"), 303)


@pages.post("/<int:number>/publish")
@needs("offers")
def publish(number: int) -> Response | tuple[str, int]:
    try:
        with acting("publish offer", f"proposal {number}"):
            begins = clearing().proposals.publish(number, officer().user_name)
    except LedgerError as error:
        return _index(refused(error)), 400
    flash(_("Dit aanbod geldt vanaf %(day)s. Apparaten krijgen het als ze inleveren.", day=day(begins)), "ok")
    return redirect(url_for("proposals.index"), 303)


def _index(wrong: str = "") -> str:
    held = clearing().proposals.all()
    with clearing().store.transaction() as tx:
        venues = {row.number: row.name for row in tx.catalogue.venues()}
        now = {offer.number: offer for number in venues for offer in tx.catalogue.current_offers(number)}
    return render_template(
        "venues/proposals.html",
        waiting=[each for each in held if each.state in ("proposed", "approved")],
        done=[each for each in held if each.state not in ("proposed", "approved")],
        venues=venues,
        now=now,
        purses=clearing().config.purses,
        states=PROPOSAL_STATES,
        wrong=wrong,
    )
