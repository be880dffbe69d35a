"""What the rules say of a holder, with what people decided in cases of hardship."""

from datetime import date

from sqlalchemy.orm import Session

from issuer.registry import loads
from issuer.registry.tables import Holder
from issuer.rules import Decision, Hardship, decide
from issuer.scheme import Scheme


def decide_for(session: Session, holder: Holder, scheme: Scheme, on: date) -> Decision:
    """Which budgets follow for a holder on a day, and which not, with a reason for each."""
    return decide(holder.person, holder.household.facts(on), scheme, on, hardships(session, holder, scheme, on))


def hardships(session: Session, holder: Holder, scheme: Scheme, on: date) -> list[Hardship]:
    """What people decided for this pass year, and nobody has to look at any more."""
    periods = (str(scheme.year_end(on).year), "once")
    return [
        Hardship(each.grant_number, each.amount, each.reason)
        for each in reversed(loads.decisions(session, holder.id))
        if each.hardship and each.granted and each.state == "valid" and each.period in periods and each.grant_number
    ]
