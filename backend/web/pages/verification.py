"""All books computed again from the signed entries, on a button; it changes nothing."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from backend.errors import ReportRefused
from backend.runs import VERIFY
from backend.web.acting import acting
from backend.web.config import clearing
from backend.web.words import refused
from web.login import officer

pages = Blueprint("verification", __name__, url_prefix="/reports/verification")


@pages.get("")
def index() -> str:
    return render_template("reports/verification.html", run=clearing().runs.last(VERIFY))


@pages.post("")
def run() -> Response:
    try:
        with acting("begin to verify books", "all entries"):
            clearing().runs.start(VERIFY, officer().user_name)
    except ReportRefused as error:
        flash(refused(error), "info")
    return redirect(url_for("verification.index"), 303)
