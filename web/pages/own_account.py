"""What officers arrange for themselves: password, second step, being logged in elsewhere."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from web import accounts, attempts, login
from web.audit import audit
from web.login import officer
from web.refusal import Refusal
from web.second_step import picture
from web.site import box, site
from web.words import _, said

pages = Blueprint("own_account", __name__, url_prefix="/account")


@pages.get("")
def index() -> str:
    return _index()


@pages.post("/password")
def password() -> Response | tuple[str, int]:
    form, wrong = request.form, {}
    with site().transaction() as session:
        attempts.count(session, officer().user_name, request.remote_addr or "", site().now())
    with site().transaction() as session:
        found = accounts.by_password(session, officer().user_name, form.get("old", ""))
        if found is None:
            audit(session, "change password", f"account {officer().user_name}", "refused")
            wrong["old"] = _("Dit is niet uw wachtwoord van nu.")
    if form.get("password") != form.get("again"):
        wrong["again"] = _("De twee wachtwoorden zijn niet gelijk.")
    if wrong:
        return _index(wrong), 400
    try:
        with site().transaction() as session:
            found = accounts.account(session, officer().number)
            accounts.choose_password(session, found, form.get("password", ""))
            attempts.succeeded(session, found.user_name)
            audit(session, "change password", f"account {found.user_name}")
            login.begin(session, found, second_step=not officer().must_enrol and found.totp_secret is not None)
    except Refusal as error:
        return _index({"password": said(error)}), 400
    flash(_("Uw wachtwoord is veranderd. Op andere computers bent u uitgelogd."), "ok")
    return redirect(url_for("own_account.index"), 303)


@pages.get("/second-step")
def second_step() -> str | Response:
    with site().transaction() as session:
        found = accounts.account(session, officer().number)
        if found.totp_secret is not None:
            return redirect(url_for("own_account.index"))
        return _enrol(accounts.new_phone(found, box()))


@pages.post("/second-step")
def second_step_now() -> str | tuple[str, int] | Response:
    with site().transaction() as session:
        found = accounts.account(session, officer().number)
        if found.totp_secret is not None:
            return redirect(url_for("own_account.index"), 303)
        codes = accounts.take_phone(session, found, request.form.get("code", ""), box(), site().now())
        if codes is None:
            wrong = _("Deze code klopt niet. Wacht op de volgende code op uw telefoon en typ die over.")
            return _enrol(accounts.new_phone(found, box()), wrong), 400
        audit(session, "set second step", f"account {found.user_name}")
        accounts.end_sessions(session, found)
        login.begin(session, found, second_step=True)
    return render_template("recovery_codes.html", codes=codes)


def _index(wrong: dict[str, str] | None = None) -> str:
    with site().transaction() as session:
        found = accounts.account(session, officer().number)
    return render_template("own_account.html", account=found, wrong=wrong or {})


def _enrol(secret: str, wrong: str = "") -> str:
    drawn = Markup(picture(secret, officer().user_name, site().city))
    spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return render_template("second_step.html", picture=drawn, secret=spaced, wrong=wrong)
