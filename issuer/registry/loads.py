"""Budgets on their way to a pass, and the decisions that they follow from."""

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import bindparam, case, func, select
from sqlalchemy.orm import Session

from issuer.errors import DeskError
from issuer.lifecycle import ON_HOTLIST
from issuer.registry.tables import CardPass, Decision, Holder, OpenIntent, PlannedLoad
from issuer.rules import Decision as Decided
from issuer.rules import Granted, Refusal

# In the place of a grant: what a pass held that another one replaces.
REPLACEMENT = 0
# What a load counts for; that which came to nothing counts for nothing.
_COUNTS = case((PlannedLoad.state == "cancelled", 0), else_=PlannedLoad.amount)

# What every visit to the desk asks is put into words once.
_WAITING = (
    select(PlannedLoad)
    .where(
        PlannedLoad.holder_id == bindparam("holder"),
        PlannedLoad.state == "planned",
        PlannedLoad.id.not_in(select(OpenIntent.load_id).where(OpenIntent.handle != bindparam("handle"))),
    )
    .order_by(PlannedLoad.grant_number, PlannedLoad.id)
)
_GIVEN = (
    select(
        PlannedLoad.holder_id,
        PlannedLoad.grant_number,
        PlannedLoad.period,
        func.sum(_COUNTS),
        func.max(PlannedLoad.part),
    )
    .where(
        PlannedLoad.period.in_(bindparam("periods", expanding=True)),
        PlannedLoad.holder_id.between(bindparam("first"), bindparam("last")),
    )
    .group_by(PlannedLoad.holder_id, PlannedLoad.grant_number, PlannedLoad.period)
)
_HARDSHIPS = select(Decision).where(Decision.holder_id == bindparam("holder"), Decision.hardship).order_by(Decision.id)
_BY_RULES = (
    select(Decision.grant_name, Decision.granted)
    .where(Decision.holder_id == bindparam("holder"), ~Decision.hardship)
    .order_by(Decision.id)
)


def plan(session: Session, holder: Holder, decided: Decided, by: str, on: date) -> None:
    """Plan what the rules give and is not planned or written yet, and keep the decision when it is a new one.

    An amount that grew within its period is topped up; what was given is never taken back.
    """
    before = given(session, {grant.period for grant in decided.grants}, (holder.id, holder.id))
    for grant in decided.grants:
        amount, parts = before.get((holder.id, grant.number, grant.period), (0, 0))
        adds = lacking(grant, amount, parts)
        if parts and not adds:
            continue
        session.add(
            PlannedLoad(
                holder_id=holder.id,
                grant_number=grant.number,
                period=grant.period,
                part=parts + 1,
                purse=grant.purse,
                amount=adds,
                refill=grant.refill,
            )
        )
        _keep(session, holder, by, on, grant, grant)
    # The latest on each grant counts.
    granted = {name: granted for name, granted in session.execute(_BY_RULES, {"holder": holder.id})}
    for refusal in decided.refused:
        if granted.get(refusal.name, True):
            _keep(session, holder, by, on, refusal)
    session.flush()


def lacking(grant: Granted, given: int, parts: int) -> int:
    """What is still to be planned of a grant of which `given` was, in so many parts. A level is filled up once."""
    return 0 if parts and grant.refill else max(0, grant.amount - given)


def waiting(session: Session, card: CardPass) -> list[PlannedLoad]:
    """What is to be written on a pass. What is in doubt on another pass of the holder waits until finance knows."""
    return list(session.scalars(_WAITING, {"holder": card.holder_id, "handle": card.handle}))


def due(planned: Sequence[PlannedLoad], pass_year: str) -> list[PlannedLoad]:
    """Without what is for a pass year that is still to come: next year's money is not spent in this one."""
    return [each for each in planned if not each.period.isdecimal() or int(each.period) <= int(pass_year)]


def fill_up(session: Session, planned: Sequence[PlannedLoad], held: dict[int, int]) -> None:
    """Make of a level what lacks to it; what lacks nothing is cancelled, unless its own commit is still in doubt."""
    doubtful = set(session.scalars(select(OpenIntent.load_id)))
    for load in planned:
        if load.refill and load.id not in doubtful:
            lacking, load.refill = load.amount - held.get(load.purse, 0), False
            if lacking > 0:
                load.amount = lacking
            else:
                load.state = "cancelled"
    session.flush()


def of(session: Session, holder_id: int) -> list[PlannedLoad]:
    """Everything that was ever planned for a holder, the latest first."""
    wanted = select(PlannedLoad).where(PlannedLoad.holder_id == holder_id)
    return list(session.scalars(wanted.order_by(PlannedLoad.id.desc())))


def plan_replacement(session: Session, lost: CardPass, balances: dict[int, int]) -> None:
    """Plan what a lost pass held, by purse, for the one that replaces it; once a pass, however often it is asked."""
    if lost.state not in ON_HOTLIST:
        raise DeskError("This pass is not blocked. Block it first, so that nobody can spend what is on it.")
    period = _period_of(lost)
    there = select(func.count(PlannedLoad.id)).where(
        PlannedLoad.holder_id == lost.holder_id, PlannedLoad.grant_number == REPLACEMENT, PlannedLoad.period == period
    )
    if session.scalar(there):
        return
    session.add_all(
        PlannedLoad(
            holder_id=lost.holder_id, grant_number=REPLACEMENT, period=period, part=purse, purse=purse, amount=amount
        )
        for purse, amount in balances.items()
        if amount > 0
    )
    session.flush()


def totals(session: Session, periods: Sequence[str]) -> dict[int, tuple[int, int]]:
    """{grant: (people, amount)} of what was planned or written in some periods. Everybody has one first part."""
    people = func.count().filter(PlannedLoad.part == 1)
    wanted = select(PlannedLoad.grant_number, people, func.sum(PlannedLoad.amount)).where(
        PlannedLoad.period.in_(periods), PlannedLoad.state != "cancelled"
    )
    rows = session.execute(wanted.group_by(PlannedLoad.grant_number))
    return {grant: (people, int(amount)) for grant, people, amount in rows}


def take_back_replacement(session: Session, found: CardPass) -> None:
    """A lost pass was found: what it holds is not to be given a second time. Refused when that was done already."""
    ours = (
        PlannedLoad.holder_id == found.holder_id,
        PlannedLoad.grant_number == REPLACEMENT,
        PlannedLoad.period == _period_of(found),
    )
    planned = list(session.scalars(select(PlannedLoad).where(*ours)))
    doubtful = set(session.scalars(select(OpenIntent.load_id)))
    if any(each.state == "written" or each.id in doubtful for each in planned):
        raise DeskError("What this pass held is on another pass already. Shred this one.")
    for each in planned:
        session.delete(each)
    session.flush()


def decisions(session: Session, holder_id: int) -> list[Decision]:
    """What was decided for a holder, the latest first."""
    wanted = select(Decision).where(Decision.holder_id == holder_id)
    return list(session.scalars(wanted.order_by(Decision.id.desc())))


def hardships(session: Session, holder_id: int) -> list[Decision]:
    """What people decided for a holder, the earliest first."""
    return list(session.scalars(_HARDSHIPS, {"holder": holder_id}))


def given(
    session: Session, periods: Collection[str], numbers: tuple[int, int]
) -> dict[tuple[int, int, str], tuple[int, int]]:
    """What holders from one number up to another were given: {(holder, grant, period): (amount, parts)}, the parts that
    came to nothing included."""
    rows = session.execute(_GIVEN, {"periods": list(periods), "first": numbers[0], "last": numbers[1]})
    return {(holder, grant, of): (int(amount), parts) for holder, grant, of, amount, parts in rows}


def replacements(session: Session, lost: CardPass) -> list[PlannedLoad]:
    """What was planned of what a lost pass held."""
    return [
        each
        for each in of(session, lost.holder_id)
        if each.grant_number == REPLACEMENT and each.period == _period_of(lost)
    ]


def _period_of(lost: CardPass) -> str:
    return f"pass {lost.id}"


def _keep(
    session: Session, holder: Holder, by: str, on: date, said: Granted | Refusal, granted: Granted | None = None
) -> None:
    session.add(
        Decision(
            holder_id=holder.id,
            grant_number=granted.number if granted else None,
            grant_name=said.name,
            period=granted.period if granted else "",
            granted=granted is not None,
            amount=granted.amount if granted else None,
            reason=said.reason,
            reason_en=said.reason_en,
            income_percent=holder.household.income_percent,
            on=on,
            by=by,
        )
    )
