"""What a venue sees of its money: what it is owed, and each payment with its statement."""

from flask import Blueprint, Response, render_template

from backend.web.config import clearing
from backend.web.own_venue import own_venue
from backend.web.words import PAYMENT_STATES

pages = Blueprint("own", __name__, url_prefix="/own")


@pages.get("")
def index() -> str:
    venue = own_venue()
    approved = [each for each in clearing().settlements.all() if each.approved_at is not None]
    lines = [(each, line) for each in reversed(approved) for line in each.lines if line.venue == venue.number]
    owed = clearing().ledger.balances().get((f"venue:{venue.number}", "cent"), 0)
    return render_template("own/money.html", venue=venue, owed=owed, lines=lines, states=PAYMENT_STATES)


@pages.get("/statements/<number>.pdf")
def statement(number: str) -> Response:
    content = clearing().settlements.statement(number, own_venue().number)
    name = f'attachment; filename="statement-{number}.pdf"'
    return Response(content, mimetype="application/pdf", headers={"Content-Disposition": name})
