"""The pass on the reader: what it holds, to show to its holder; and opening a blocked one that was found."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from issuer.desk import OnPass
from issuer.personalise import unheard
from issuer.registry import loads, passes
from issuer.web.config import here
from issuer.web.permissions import needs
from web.audit import audit
from web.login import officer
from web.words import _

pages = Blueprint("reader", __name__)


@pages.get("/reader")
def index() -> str:
    return render_template("cards/reader.html", on_pass=None)


@pages.post("/reader")
def read() -> str:
    """What the pass on the reader holds, to show to its holder; nothing of it is kept."""
    config = here()
    counter = config.at_counter()
    found: OnPass = counter.desk(officer().user_name, unheard).read(counter.reader())
    with config.registry.transaction() as session:
        card = passes.coded(session, found.card.printed_code)
        audit(session, "read pass", f"pass {card.printed_code}")
        planned = loads.waiting(session, card) if card.state in ("encoded", "handed_over", "active") else []
        return render_template(
            "cards/reader.html",
            on_pass=found,
            card=card,
            holder=card.holder,
            purses=here().purses(found.balances),
            waits=bool(planned),
        )


@pages.post("/passes/<code>/unblock")
@needs("passes")
def unblocked(code: str) -> Response:
    config = here()
    counter = config.at_counter()
    card = counter.desk(officer().user_name, unheard).unblock(code, counter.reader())
    with config.registry.transaction() as session:
        audit(session, "open pass", f"pass {card.printed_code}")
    flash(_("De pas werkt weer bij een apparaat, zodra dat weer verbinding maakt."), "ok")
    return redirect(url_for("people.person", number=card.holder_id), 303)
