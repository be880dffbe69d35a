"""All books computed again from the signed entries, on a button; it changes nothing."""

from flask import Blueprint, render_template

from backend.web.acting import acting
from backend.web.config import clearing

pages = Blueprint("verification", __name__, url_prefix="/reports/verification")


@pages.get("")
def index() -> str:
    return render_template("reports/verification.html", found=None)


@pages.post("")
def run() -> str:
    with acting("verify books", "all entries"):
        found = clearing().verification.run()
    return render_template("reports/verification.html", found=found)
