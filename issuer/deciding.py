"""What the rules say of a holder, with what people decided in cases of hardship."""

from collections.abc import Iterable, Iterator
from datetime import date

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from issuer.people import Household as HouseholdFacts
from issuer.registry import loads
from issuer.registry.tables import Decision as Decided
from issuer.registry.tables import Holder, Household
from issuer.rules import Decision, Hardship, decide
from issuer.scheme import Scheme

# All that a decision needs of the others in a household, put into words once.
_BORN = select(Holder.born).where(Holder.household_id == bindparam("household"))


def decide_for(session: Session, holder: Holder, scheme: Scheme, on: date) -> Decision:
    """Which budgets follow for a holder on a day, and which not, with a reason for each."""
    household = HouseholdFacts.of(session.scalars(_BORN, {"household": holder.household_id}).all(), on)
    return decide(holder.person, household, scheme, on, hardships(session, holder, scheme, on))


def decide_all(
    session: Session, scheme: Scheme, on: date, numbers: tuple[int, int]
) -> Iterator[tuple[Holder, Decision]]:
    """The same for every holder from one number up to another, both included, with a handful of questions in all."""
    wanted = select(Holder).where(Holder.id.between(*numbers)).order_by(Holder.id)
    everybody = session.scalars(wanted.options(joinedload(Holder.household).selectinload(Household.members))).all()
    decided: dict[int, list[Decided]] = {}
    hardship = select(Decided).where(Decided.hardship, Decided.holder_id.between(*numbers))
    for each in session.scalars(hardship.order_by(Decided.id)):
        decided.setdefault(each.holder_id, []).append(each)
    facts: dict[int, HouseholdFacts] = {}
    for holder in everybody:
        if holder.household_id not in facts:
            facts[holder.household_id] = holder.household.facts(on)
        counting = _counting(decided.get(holder.id, []), scheme, on)
        yield holder, decide(holder.person, facts[holder.household_id], scheme, on, counting)


def hardships(session: Session, holder: Holder, scheme: Scheme, on: date) -> list[Hardship]:
    """What people decided for this pass year, and nobody has to look at any more."""
    return _counting(loads.hardships(session, holder.id), scheme, on)


def _counting(decided: Iterable[Decided], scheme: Scheme, on: date) -> list[Hardship]:
    periods = (scheme.pass_year(on), "once")
    return [
        Hardship(each.grant_number, each.amount, each.reason)
        for each in decided
        if each.granted and each.state == "valid" and each.period in periods and each.grant_number
    ]
