"""A budget against the rules: asked by a person with a reason, and above an amount decided by a second one."""

from datetime import date, datetime

from sqlalchemy.orm import Session

from issuer import approvals
from issuer.approvals import Colleague
from issuer.errors import DeskError
from issuer.registry.tables import Decision, Holder
from issuer.scheme import Scheme

KIND = "hardship"


def ask(
    session: Session,
    scheme: Scheme,
    holder: Holder,
    grant_number: int,
    amount: int,
    reason: str,
    by: Colleague,
    on: date,
    at: datetime,
) -> Decision:
    """Decide that somebody gets `amount` of a grant in this pass year; valid at once where one person is enough."""
    grant = next((each for each in scheme.grants if each.number == grant_number), None)
    if grant is None:
        raise DeskError("Choose a budget.")
    ceiling = scheme.purses[grant.purse].ceiling
    if not 0 < amount <= ceiling:
        raise DeskError("Type an amount above zero that the pass can hold.")
    if not reason.strip():
        raise DeskError("Write down why this is needed.")
    needs_second = scheme.needs_second_person(grant_number, amount)
    made = Decision(
        holder_id=holder.id,
        grant_number=grant_number,
        grant_name=grant.name,
        period="once" if grant.per == "once" else str(scheme.year_end(on).year),
        granted=True,
        hardship=True,
        state="proposed" if needs_second else "valid",
        amount=amount,
        reason=reason.strip(),
        reason_en=reason.strip(),
        income_percent=holder.household.income_percent,
        on=on,
        by=by.user_name,
    )
    session.add(made)
    session.flush()
    if needs_second:
        approvals.ask(session, KIND, about(made), amount, reason, by, at)
    return made


def decide(session: Session, asked: approvals.Approval, yes: bool, by: Colleague, at: datetime) -> Decision:
    """The second person says yes or no."""
    made = session.get_one(Decision, int(asked.about.removeprefix("decision ")))
    if yes:
        approvals.approve(session, asked.id, by, at)
        approvals.use(session, KIND, asked.about, asked.amount, at)
        made.state = "valid"
    else:
        approvals.reject(session, asked.id, by, at)
        made.state = "rejected"
    made.second_by = by.user_name
    return made


def withdraw(session: Session, asked: approvals.Approval, by: Colleague, at: datetime) -> Decision:
    """Who asked it takes it back."""
    approvals.withdraw(session, asked.id, by, at)
    made = session.get_one(Decision, int(asked.about.removeprefix("decision ")))
    made.state = "rejected"
    return made


def about(decision: Decision) -> str:
    """What the second person decides on, for the log: a number."""
    return f"decision {decision.id}"
