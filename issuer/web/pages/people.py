"""Who is at the counter: find somebody, see what follows from the rules and why, take in a household by hand."""

from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from issuer.deciding import decide_for
from issuer.entering import Entered, Form, read_form
from issuer.errors import DeskError
from issuer.import_fields import Problem
from issuer.people import ROLES, SCHOOLS
from issuer.registry import loads, passes, people
from issuer.registry.tables import Decision, Holder, PlannedLoad
from issuer.rules import Granted, Refusal
from issuer.web.config import here
from issuer.web.permissions import needs
from web.audit import audit
from web.login import officer
from web.words import _, language, mark

pages = Blueprint("people", __name__)

_MOST_FOUND = 50
ROLE_WORDS = {
    "carer": mark("mantelzorger"),
    "volunteer": mark("vrijwilliger"),
    "student": mark("student"),
}
SCHOOL_WORDS = {
    "": mark("geen school"),
    "primary": mark("basisschool"),
    "secondary": mark("middelbare school"),
    "vocational": mark("mbo"),
}


@dataclass(frozen=True)
class Budget:
    """A budget as the clerk sees it: what it is, how much, why, and where it is now (`on-pass`, `waits`, `new`)."""

    name: str
    amount: int
    unit: str
    why: str
    where: str


@pages.get("/people")
def find() -> str:
    return render_template("people/find.html", asked="", rows=[], most=_MOST_FOUND, today=here().today())


@pages.post("/people/find")
def found() -> str:
    """A name is never in an address: that would stay in the history of a browser that several people use."""
    asked = request.form.get("q", "")
    with here().registry.transaction() as session:
        holders = people.find(session, asked, _MOST_FOUND)
        cards = passes.of_each(session, [holder.id for holder in holders])
        rows = [(holder, cards.get(holder.id)) for holder in holders]
    template = "people/found.html" if "HX-Request" in request.headers else "people/find.html"
    return render_template(template, asked=asked, rows=rows, most=_MOST_FOUND, today=here().today())


@pages.get("/people/<int:number>")
def person(number: int) -> str:
    today = here().today()
    with here().registry.transaction() as session:
        holder = _holder(session, number)
        decided = decide_for(session, holder, here().scheme, today)
        planned = loads.of(session, holder.id)
        cards = passes.all_of(session, holder.id)
        return render_template(
            "people/person.html",
            holder=holder,
            age=holder.person.age(today),
            members=[each for each in holder.household.members if each.id != holder.id],
            guardians=people.guardians(session, holder, today),
            card=passes.of(session, holder.id),
            cards=cards,
            events={card.id: passes.events(session, card) for card in cards},
            budgets=[_budget(grant, planned) for grant in decided.grants],
            refused=[(each.name, _reason(each)) for each in decided.refused],
            waiting=[each for each in planned if each.state == "planned"],
            replacements=[each for each in planned if each.grant_number == loads.REPLACEMENT],
            purses=here().scheme.purses,
            prints=here().artwork is not None,
            decisions=loads.decisions(session, holder.id),
            roles=[_(ROLE_WORDS[role]) for role in sorted(holder.roles)],
            school=_(SCHOOL_WORDS[holder.school]),
        )


@pages.get("/people/new")
@needs("decide")
def new() -> str:
    household = request.args.get("household", "")
    form = Form(household=household)
    if household:
        with here().registry.transaction() as session:
            form = Form.for_household(session, household)
    return _form(form, {}, None)


@pages.get("/people/<int:number>/edit")
@needs("decide")
def edit(number: int) -> str:
    with here().registry.transaction() as session:
        return _form(Form.of(_holder(session, number)), {}, number)


@pages.post("/people")
@needs("decide")
def add() -> Response | tuple[str, int]:
    return _keep(None)


@pages.post("/people/<int:number>")
@needs("decide")
def change(number: int) -> Response | tuple[str, int]:
    return _keep(number)


@pages.post("/people/<int:number>/guardians")
@needs("decide")
def add_guardian(number: int) -> Response:
    with here().registry.transaction() as session:
        child = _holder(session, number)
        guardian = people.holder(session, _number(request.form.get("guardian", "")))
        people.add_guardian(session, child, guardian, here().today())
        audit(session, "add guardian", f"person {number}", "done")
    flash(_("De gezaghebber is genoteerd."), "ok")
    return redirect(url_for("people.person", number=number), 303)


def _keep(number: int | None) -> Response | tuple[str, int]:
    entered = read_form(request.form, here().today())
    if not isinstance(entered, Entered):
        return _form(Form.from_request(request.form), entered, number), 400
    with here().registry.transaction() as session:
        holder = people.enter(session, number, entered.person, entered.address, officer().user_name, here().today())
        audit(session, "change person" if number else "add person", f"person {holder.id}", "done")
        kept = holder.id
    flash(_("De gegevens zijn bewaard."), "ok")
    return redirect(url_for("people.person", number=kept), 303)


def _form(form: Form, problems: dict[str, Problem], number: int | None) -> str:
    return render_template(
        "people/edit.html",
        form=form,
        errors={name: _said(problem) for name, problem in problems.items()},
        number=number,
        bands=sorted({here().scheme.income_percent, *_bands()}),
        roles=[(role, _(ROLE_WORDS[role])) for role in ROLES],
        schools=[(school, _(SCHOOL_WORDS[school])) for school in SCHOOLS],
    )


def _said(problem: Problem) -> str:
    return problem.en if language() == "en" else f"{problem.nl} {problem.advice_nl}".strip()


def _bands() -> set[int]:
    """The bands that make a difference in this scheme."""
    scheme = here().scheme
    grants = {grant.income_percent for grant in scheme.grants if grant.income_percent is not None}
    return {100, *grants}


def _holder(session: Session, number: int) -> Holder:
    try:
        return people.holder(session, number)
    except DeskError:
        abort(404)


def _budget(grant: Granted, planned: list[PlannedLoad]) -> Budget:
    parts = [each for each in planned if (each.grant_number, each.period) == (grant.number, grant.period)]
    where = "new"
    if parts:
        where = "waits" if any(each.state == "planned" for each in parts) else "on-pass"
    purse = here().scheme.purses[grant.purse]
    return Budget(grant.name, grant.amount, purse.unit, _reason(grant), where)


def _number(text: str) -> int:
    text = text.strip()
    if not text.isdecimal() or len(text) > 9:
        raise DeskError("Type a whole number.")
    return int(text)


def _reason(said: Granted | Refusal | Decision) -> str:
    return said.reason_en if language() == "en" else said.reason
