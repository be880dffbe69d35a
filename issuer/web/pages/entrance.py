"""Open to everybody: log in, log out, choose a language."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from issuer.web.config import here
from issuer.web.login import end
from issuer.web.words import LANGUAGES

pages = Blueprint("entrance", __name__)


@pages.get("/login")
def login() -> str:
    return render_template("login.html", next=local(request.args.get("next")))


@pages.post("/logout")
def logout() -> Response:
    with here().registry.transaction() as session:
        end(session)
    return redirect(url_for("entrance.login"))


@pages.post("/language")
def language() -> Response:
    if request.form.get("language") in LANGUAGES:
        cookie["language"] = request.form["language"]
    return redirect(local(request.form.get("next")))


def local(address: str | None) -> str:
    """An address of this app to go on to: nobody may send an officer elsewhere by a link to us."""
    if address and address.startswith("/") and not address.startswith(("//", "/\\")):
        return address
    return url_for("start.home")
