"""The first page after login: what there is to do for this officer."""

from flask import Blueprint, render_template

from web.login import officer

pages = Blueprint("start", __name__)


@pages.get("/")
def home() -> str:
    return render_template("start.html", officer=officer())
