"""What a venue sees of its money: what it is owed, and each payment with its statement."""

from flask import Blueprint, Response, render_template

from backend.web.config import clearing
from backend.web.files import download
from backend.web.own_venue import own_venue
from backend.web.words import PAYMENT_STATES

pages = Blueprint("own", __name__, url_prefix="/own")


@pages.get("")
def index() -> str:
    venue = own_venue()
    approved = [each for each in clearing().settlements.all() if each.approved_at is not None]
    lines = [(each, line) for each in reversed(approved) for line in each.lines if line.venue == venue.number]
    owed = clearing().ledger.balances().get((f"venue:{venue.number}", "cent"), 0)
    invoiced = {each.number for each, _ in lines if venue.number in clearing().settlements.invoiced(each.number)}
    records = clearing().records.now().venues[venue.number]
    return render_template(
        "own/money.html", venue=venue, owed=owed, lines=lines, invoiced=invoiced, records=records, states=PAYMENT_STATES
    )


@pages.get("/statements/<number>.pdf")
def statement(number: str) -> Response:
    content = clearing().settlements.statement(number, own_venue().number)
    return download(content, "application/pdf", f"statement-{number}.pdf")


@pages.get("/invoices/<number>.xml")
def invoice(number: str) -> Response:
    content = clearing().settlements.invoice(number, own_venue().number)
    return download(content, "application/xml", f"invoice-{number}.xml")
