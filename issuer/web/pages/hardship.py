"""A budget against the rules, and everything that waits for a second person."""

from decimal import Decimal, DecimalException

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from issuer import approvals, hardship
from issuer.approvals import Approval
from issuer.errors import DeskError
from issuer.registry import passes, people
from issuer.registry.tables import Decision, Holder
from issuer.scheme import Grant
from issuer.web.config import here
from issuer.web.pages import lost
from issuer.web.permissions import needs
from web.audit import audit
from web.login import officer
from web.words import _

pages = Blueprint("hardship", __name__)


@pages.get("/people/<int:number>/exception")
def ask(number: int) -> str:
    with here().registry.transaction() as session:
        return _form(people.holder(session, number), {}, "")


@pages.post("/people/<int:number>/exception")
def asked(number: int) -> Response | tuple[str, int]:
    with here().registry.transaction() as session:
        holder = people.holder(session, number)
        grant = next((each for each in here().scheme.grants if str(each.number) == request.form.get("grant")), None)
        amount = _amount(request.form.get("amount", ""), grant)
        problem = ""
        if grant is None or amount is None:
            problem = _("Typ een bedrag in euro, of een aantal, zoals 150 of 12,50.")
            return _form(holder, request.form, problem), 400
        made = hardship.ask(
            session,
            here().scheme,
            holder,
            grant.number,
            amount,
            request.form.get("reason", ""),
            officer(),
            here().today(),
            here().now(),
        )
        audit(session, "ask hardship", hardship.about(made), made.state)
        waits = made.state == "proposed"
    if waits:
        flash(_("De aanvraag wacht op een tweede persoon."), "ok")
    else:
        flash(_("Besloten. Het tegoed komt op de pas zodra de pas op de lezer ligt."), "ok")
    return redirect(url_for("people.person", number=number), 303)


@pages.get("/approvals")
@needs("find")
def waiting() -> str:
    with here().registry.transaction() as session:
        rows = [(asked, *_who(session, asked)) for asked in approvals.waiting(session)]
        return render_template("approvals.html", rows=rows, me=officer().user_name)


@pages.post("/approvals/<int:number>")
@needs("approve")
def decide(number: int) -> Response:
    yes = request.form.get("answer") == "yes"
    with here().registry.transaction() as session:
        found = approvals.of(session, number)
        if found.kind == hardship.KIND:
            hardship.decide(session, found, yes, officer(), here().now())
        elif yes:
            approvals.approve(session, number, officer(), here().now())
        else:
            approvals.reject(session, number, officer(), here().now())
        audit(session, "approve" if yes else "reject", found.about)
    flash(_("Goedgekeurd.") if yes else _("Afgewezen."), "ok")
    return redirect(url_for("hardship.waiting"), 303)


@pages.post("/approvals/<int:number>/withdraw")
@needs("decide")
def withdraw(number: int) -> Response:
    with here().registry.transaction() as session:
        found = approvals.of(session, number)
        if found.kind == hardship.KIND:
            hardship.withdraw(session, found, officer(), here().now())
        else:
            approvals.withdraw(session, number, officer(), here().now())
        audit(session, "withdraw", found.about)
    flash(_("De aanvraag is ingetrokken."), "ok")
    return redirect(url_for("hardship.waiting"), 303)


def _form(holder: Holder, sent: dict[str, str], problem: str) -> str:
    scheme = here().scheme
    grants = [(grant.number, f"{grant.name} ({_unit(scheme.purses[grant.purse].unit)})") for grant in scheme.grants]
    return render_template("people/exception.html", holder=holder, grants=grants, sent=sent, problem=problem)


def _unit(unit: str) -> str:
    return {"cent": _("in euro"), "point": _("in punten"), "visit": _("in keren"), "item": _("in stuks")}[unit]


def _amount(text: str, grant: Grant | None) -> int | None:
    """An amount as people write it, in the unit of the purse: cents for euros."""
    if grant is None:
        return None
    cents = here().scheme.purses[grant.purse].unit == "cent"
    try:
        number = Decimal(text.strip().removeprefix("€").strip().replace(",", ".")) * (100 if cents else 1)
    except DecimalException:
        return None
    return int(number) if number.is_finite() and number == number.to_integral_value() and number < 2**31 else None


def _who(session: Session, asked: Approval) -> tuple[Holder | None, str]:
    """(for whom, what) of something that waits."""
    kind, _space, key = asked.about.partition(" ")
    if asked.kind == lost.KIND:
        try:
            return passes.coded(session, key).holder, _("tegoed van een verloren pas")
        except DeskError:
            return None, asked.about
    decision = session.get(Decision, int(key)) if kind == "decision" else None
    return (people.holder(session, decision.holder_id), decision.grant_name) if decision else (None, asked.about)
