"""What a venue sees of its visits: how many of each offer on a day, and what they brought. Never when, never whose."""

from datetime import date, timedelta

from flask import Blueprint, render_template, request

from backend.web.config import clearing
from backend.web.own_venue import own_venue
from web.site import site

pages = Blueprint("own_taps", __name__, url_prefix="/own/taps")
_DAYS = 31


@pages.get("")
def index() -> str:
    venue = own_venue()
    last = request.args.get("last", type=date.fromisoformat) or site().today()
    first = request.args.get("first", type=date.fromisoformat) or last - timedelta(days=_DAYS - 1)
    with clearing().store.transaction() as tx:
        rows = tx.books.days_of(venue.number, first, last)
    total = sum(int(row.cents or 0) for row in rows)
    return render_template("own/taps.html", rows=rows, first=first, last=last, total=total)
