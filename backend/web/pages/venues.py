"""Venues: their offers, the purses that they may take from, and who speaks for them."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from backend.errors import LedgerError, NotFound
from backend.roles import VENUE
from backend.staff import accounts_of, speaks_for
from backend.web.acting import acting
from backend.web.config import clearing
from backend.web.permissions import needs
from backend.web.words import refused
from web.accounts import Account
from web.audit import audit
from web.login import officer
from web.site import site
from web.words import _

pages = Blueprint("venues", __name__, url_prefix="/venues")


@pages.get("")
def index() -> str:
    return render_template("venues/index.html", venues=clearing().venues.listing())


@pages.get("/<int:number>")
def one(number: int) -> str:
    return _one(number)


@pages.post("/<int:number>/purses")
@needs("offers")
def purses(number: int) -> Response | tuple[str, int]:
    chosen = {int(each) for each in request.form.getlist("purses") if each.isdecimal() and len(each) < 3}
    try:
        with acting("change purses", f"venue {number}"):
            clearing().proposals.allow(number, chosen)
    except LedgerError as error:
        return _one(number, refused(error)), 400
    flash(_("Bewaard. Apparaten krijgen het bij de volgende keer inleveren."), "ok")
    return redirect(url_for("venues.one", number=number), 303)


@pages.post("/<int:number>/people")
@needs("offers")
def people(number: int) -> Response | tuple[str, int]:
    """Let an account with the role of a venue speak for this one."""
    name = request.form.get("user_name", "").strip().lower()
    with site().transaction() as session:
        found = session.scalar(select(Account).where(Account.user_name == name, Account.active))
    if found is None or VENUE not in found.roles:
        return _one(number, _("Er is geen account met deze naam en de rol aanbieder. Vraag het aan uw beheerder.")), 400
    with clearing().store.reading() as tx:
        if tx.catalogue.venue(number) is None:
            raise NotFound("venue", f"There is no venue {number}.")
    with site().transaction() as session:
        speaks_for(session, found.id, number)
        audit(session, "tie account", f"account {name}, venue {number}")
    flash(_("Deze persoon ziet nu de pagina's van deze aanbieder."), "ok")
    return redirect(url_for("venues.one", number=number), 303)


def _one(number: int, wrong: str = "") -> str:
    with clearing().store.reading() as tx:
        held = tx.catalogue.venue(number)
        if held is None:
            raise NotFound("venue", f"There is no venue {number}.")
        offers, allowed = tx.catalogue.current_offers(number), tx.catalogue.current_purses(number)
    with site().transaction() as session:
        accounts = accounts_of(session, number)
        speakers = session.scalars(select(Account).where(Account.id.in_(accounts)).order_by(Account.user_name)).all()
    return render_template(
        "venues/one.html",
        venue=held,
        offers=offers,
        allowed=allowed,
        purses=clearing().config.purses,
        speakers=speakers,
        states=clearing().records.now().venues[number] if officer().may("money") else None,
        wrong=wrong,
    )
