"""Open to everybody: log in, in one step or two, by password or by the city's own login; log out; choose a language."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from web import accounts, attempts, login
from web.accounts import Account
from web.audit import audit
from web.oidc import Provider
from web.refusal import Refusal
from web.site import box, site
from web.words import LANGUAGES, _, said

pages = Blueprint("entrance", __name__)
_OIDC = "oidc"


@pages.get("/login")
def log_in() -> str:
    return _log_in()


@pages.post("/login")
def log_in_now() -> Response | tuple[str, int]:
    name, password = request.form.get("user_name", ""), request.form.get("password", "")
    _count(name)
    with site().transaction() as session:
        found = accounts.by_password(session, name, password)
        if found is None:
            audit(session, "log in", _about(accounts.named(session, name)), "refused")
            return _log_in(_("Deze naam en dit wachtwoord horen niet bij elkaar. Probeer het nog een keer.")), 401
        if found.totp_secret is not None:
            login.begin_half(found)
            return redirect(url_for("entrance.second_step", next=_next()), 303)
        return _enter(session, found, second_step=False)


@pages.get("/login/code")
def second_step() -> str | Response:
    with site().transaction() as session:
        if login.half(session) is None:
            return redirect(url_for("entrance.log_in", next=_next()))
    return render_template("login_code.html", next=_next())


@pages.post("/login/code")
def second_step_now() -> Response | tuple[str, int]:
    with site().transaction() as session:
        known = login.half(session)
    if known is None:
        flash(_("Dit duurde te lang. Log opnieuw in."), "warning")
        return redirect(url_for("entrance.log_in", next=_next()), 303)
    _count(known.user_name)
    with site().transaction() as session:
        found = accounts.account(session, known.id)
        if accounts.proves_second_step(session, found, request.form.get("code", ""), box(), site().now()):
            return _enter(session, found, second_step=True)
        audit(session, "log in", _about(found), "wrong code")
    wrong = _("Deze code klopt niet. Wacht op de volgende code op uw telefoon en typ die over.")
    return render_template("login_code.html", next=_next(), wrong=wrong), 401


@pages.get("/login/start")
def start_code() -> str:
    return render_template("login_start.html", user_name="", wrong={})


@pages.post("/login/start")
def start_code_now() -> Response | tuple[str, int]:
    form = request.form
    name, password = form.get("user_name", ""), form.get("password", "")
    wrong: dict[str, str] = {}
    if password != form.get("again", ""):
        wrong["again"] = _("De twee wachtwoorden zijn niet gelijk.")
        return render_template("login_start.html", user_name=name, wrong=wrong), 400
    _count(name)
    try:
        with site().transaction() as session:
            found = accounts.by_start_code(session, name, form.get("code", ""), site().now())
            if found is not None:
                accounts.choose_password(session, found, password)
                audit(session, "choose password", _about(found))
                attempts.succeeded(session, name)
                flash(_("Uw wachtwoord is gekozen. Log nu in."), "ok")
                return redirect(url_for("entrance.log_in"), 303)
            audit(session, "choose password", _about(accounts.named(session, name)), "refused")
            wrong["code"] = _("Deze naam en deze code horen niet bij elkaar, of de code is te oud.")
    except Refusal as error:
        # The code was right, so this was no guess.
        with site().transaction() as session:
            attempts.succeeded(session, name)
        wrong["password"] = said(error)
    return render_template("login_start.html", user_name=name, wrong=wrong), 400


@pages.get("/login/city")
def city() -> Response:
    settings = site().oidc
    if settings is None:
        return redirect(url_for("entrance.log_in"))
    address, kept = Provider(settings).ask(_back())
    cookie[_OIDC] = {**kept, "next": _next()}
    return redirect(address)


@pages.get("/login/city/return")
def city_return() -> Response:
    settings, kept = site().oidc, cookie.pop(_OIDC, None)
    if settings is None or kept is None:
        return redirect(url_for("entrance.log_in"))
    issuer, subject, claim = Provider(settings).who(
        request.args.get("state", ""), request.args.get("code", ""), _back(), kept, site().now()
    )
    with site().transaction() as session:
        found = accounts.by_oidc(session, issuer, subject, claim)
        if found is None:
            audit(session, "log in", "unknown account", "refused")
            flash(_("U hebt hier nog geen account. Vraag het aan uw beheerder."), "error")
            return redirect(url_for("entrance.log_in"))
        if found.totp_secret is not None and not settings.acr:
            login.begin_half(found)
            return redirect(url_for("entrance.second_step", next=kept["next"]))
        return _enter(session, found, second_step=bool(settings.acr), onward=kept["next"])


@pages.post("/logout")
def log_out() -> Response:
    with site().transaction() as session:
        login.end(session)
    flash(_("U bent uitgelogd."), "ok")
    return redirect(url_for("entrance.log_in"), 303)


@pages.post("/language")
def language() -> Response:
    if request.form.get("language") in LANGUAGES:
        with site().transaction() as session:
            login.speak(session, request.form["language"])
    return redirect(_next(), 303)


def _log_in(wrong: str = "") -> str:
    user_name = request.form.get("user_name", "")
    return render_template("login.html", next=_next(), oidc=site().oidc, wrong=wrong, user_name=user_name)


def _enter(session: Session, found: Account, second_step: bool, onward: str = "") -> Response:
    onward = onward or _next()
    attempts.succeeded(session, found.user_name)
    login.begin(session, found, second_step)
    audit(session, "log in", _about(found))
    return redirect(onward, 303)


def _count(user_name: str) -> None:
    """In a transaction of its own, so that the attempt counts whatever comes of it."""
    with site().transaction() as session:
        attempts.count(session, user_name, request.remote_addr or "", site().now())


def _about(found: Account | None) -> str:
    """Not what was typed: people type passwords in the wrong field."""
    return f"account {found.user_name}" if found is not None else "unknown account"


def _back() -> str:
    return url_for("entrance.city_return", _external=True)


def _next() -> str:
    """Where to go on to, within this app: nobody may send an officer elsewhere by a link to us."""
    address = request.values.get("next", "")
    # A browser reads a backslash as a slash and drops tabs and line ends: `/\t/elsewhere` is another site.
    if address.startswith("/") and not address.startswith("//") and "\\" not in address and address.isprintable():
        return address
    return url_for("start.home")
