"""Where the money is: owed, on its way, paid, and what funds still have out; and what waits for a person."""

from flask import Blueprint, Response, render_template

from backend.web.charts import funds_chart
from backend.web.config import clearing
from backend.web.overview import overview
from web.words import _, language

pages = Blueprint("money", __name__, url_prefix="/money")


@pages.get("")
def index() -> str:
    return render_template("money/index.html", now=overview(clearing()))


@pages.get("/funds.svg")
def funds() -> Response:
    drawn = funds_chart(overview(clearing()).funds, _("Besteed"), _("Nog te besteden"), _("euro"), language())
    return Response(drawn, mimetype="image/svg+xml")
