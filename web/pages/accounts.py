"""The administrator's pages: who has an account, with which roles, and a start code for who needs one."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from web import accounts
from web.audit import audit
from web.login import officer
from web.refusal import Refusal
from web.site import site
from web.words import _, said

pages = Blueprint("accounts", __name__, url_prefix="/accounts")


@pages.get("")
def index() -> str:
    with site().transaction() as session:
        return render_template("accounts.html", accounts=accounts.all_accounts(session))


@pages.get("/new")
def new() -> str:
    return render_template("account_new.html", form=request.form, roles=site().rights.roles, wrong="")


@pages.post("/new")
def add() -> str | tuple[str, int]:
    form = request.form
    try:
        with site().transaction() as session:
            name, claim = form.get("user_name", ""), form.get("oidc_claim", "")
            made = accounts.add_account(
                session, site().rights, name, form.get("full_name", ""), _roles(), site().language, claim
            )
            code = accounts.give_start_code(session, officer(), made.id, site().now(), second_step_too=False)
            audit(session, "add account", f"account {made.user_name}", ", ".join(sorted(made.roles)))
    except Refusal as error:
        return render_template("account_new.html", form=form, roles=site().rights.roles, wrong=said(error)), 400
    return render_template("start_code.html", account=made, code=code, days=accounts.START_CODE_DAYS)


@pages.get("/<int:number>")
def one(number: int) -> str:
    return _one(number)


@pages.post("/<int:number>")
def change(number: int) -> Response | tuple[str, int]:
    form = request.form
    try:
        with site().transaction() as session:
            active = form.get("active") == "yes"
            changed = accounts.change_account(
                session,
                site().rights,
                officer(),
                number,
                form.get("full_name", ""),
                _roles(),
                active,
                form.get("oidc_claim", ""),
            )
            result = ", ".join(sorted(changed.roles)) if active else "closed"
            audit(session, "change account", f"account {changed.user_name}", result)
    except Refusal as error:
        return _one(number, said(error)), 400
    flash(_("Het account is veranderd."), "ok")
    return redirect(url_for("accounts.index"), 303)


@pages.post("/<int:number>/start-code")
def start_code(number: int) -> str:
    with site().transaction() as session:
        too = request.form.get("second_step") == "yes"
        code = accounts.give_start_code(session, officer(), number, site().now(), second_step_too=too)
        found = accounts.account(session, number)
        done = "password and second step" if too else "password"
        audit(session, "give start code", f"account {found.user_name}", done)
    return render_template("start_code.html", account=found, code=code, days=accounts.START_CODE_DAYS)


def _one(number: int, wrong: str = "") -> str:
    with site().transaction() as session:
        found = accounts.account(session, number)
    return render_template(
        "account.html", account=found, roles=site().rights.roles, wrong=wrong, own=found.id == officer().number
    )


def _roles() -> frozenset[str]:
    return frozenset(request.form.getlist("roles"))
