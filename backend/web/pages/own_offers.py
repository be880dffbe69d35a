"""The offers of a venue, and what it proposes to change."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.errors import LedgerError, OfferRefused
from backend.money import cents_of
from backend.web.acting import acting
from backend.web.config import clearing
from backend.web.own_venue import own_venue
from backend.web.words import PROPOSAL_STATES, refused
from web.login import officer
from web.words import _, mark

pages = Blueprint("own_offers", __name__, url_prefix="/own/offers")
PRICES = {
    "fixed": mark("Een vast bedrag of aantal"),
    "typed": mark("Wat de kassa intypt"),
    "percent": mark("Korting in procenten"),
}


@pages.get("")
def index() -> str:
    return _index({})


@pages.post("")
def propose() -> Response | tuple[str, int]:
    venue = own_venue()
    try:
        with acting("propose offer", f"venue {venue.number}"):
            clearing().proposals.propose(venue.number, _terms(request.form), officer().user_name)
    except LedgerError as error:
        return _index(request.form, refused(error)), 400
    flash(_("Uw voorstel is verstuurd. De gemeente besluit erover."), "ok")
    return redirect(url_for("own_offers.index"), 303)


@pages.post("/<int:number>/withdraw")
def withdraw(number: int) -> Response:
    venue = own_venue()
    with acting("withdraw offer", f"proposal {number}"):
        clearing().proposals.withdraw(number, venue.number)
    flash(_("Uw voorstel is ingetrokken."), "ok")
    return redirect(url_for("own_offers.index"), 303)


def _index(form: Any, wrong: str = "") -> str:
    venue = own_venue()
    with clearing().store.transaction() as tx:
        offers, allowed = tx.catalogue.current_offers(venue.number), tx.catalogue.current_purses(venue.number)
    return render_template(
        "own/offers.html",
        offers=offers,
        proposals=clearing().proposals.all(venue.number),
        purses=clearing().config.purses,
        choices=[("", _("Nieuw aanbod")), *((each.number, _("Verander %(name)s", name=each.name)) for each in offers)],
        allowed=[(number, clearing().config.purses[number].name) for number in sorted(allowed)],
        prices=[(name, _(words)) for name, words in PRICES.items()],
        states=PROPOSAL_STATES,
        form=form,
        wrong=wrong,
    )


def _terms(form: Any) -> dict[str, Any]:
    """What was filled in, as OfferIn wants it; raises OfferRefused with the key of what cannot be read."""
    purse, purses = _whole(form, "purse"), clearing().config.purses
    if purse not in purses:
        raise OfferRefused("purse", "purse: not one of the scheme.")
    money = purses[purse].unit == "cent"
    read = {
        "number": _whole(form, "number"),
        "name": form.get("name", "").strip() or None,
        "price": form.get("price"),
        "purse": purse,
        "amount": _cents(form, "amount") if money else _whole(form, "amount"),
        "percent": _whole(form, "percent"),
        "cap": _cents(form, "cap"),
        "compensation": _cents(form, "compensation"),
        "compensated": form.get("compensated") == "yes",
        "from": form.get("from") or None,
        "until": form.get("until") or None,
    }
    return {name: value for name, value in read.items() if value is not None}


def _whole(form: Any, name: str) -> int | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise OfferRefused(name, f"{name}: not a whole number.")
    return int(text)


def _cents(form: Any, name: str) -> int | None:
    text = form.get(name, "").strip()
    try:
        return cents_of(text) if text else None
    except ValueError:
        raise OfferRefused(name, f"{name}: not an amount.") from None
