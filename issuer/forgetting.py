"""What goes when it is kept long enough: one function for each class of data, with what others need left alone.

Each takes the last day that goes, and says how many rows it deleted or emptied.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Delete, Select, Update, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from card.record import CLEAR_BYTES, DAY_ZERO, ClearRecord
from issuer.approvals import Approval
from issuer.people import Address
from issuer.registry import people
from issuer.registry.loads import REPLACEMENT
from issuer.registry.passes import last_day
from issuer.registry.tables import (
    BegunCard,
    CardPass,
    Decision,
    Guardian,
    HandedIn,
    Holder,
    Household,
    ImportedHousehold,
    ImportedRow,
    ImportRun,
    JournalEntry,
    Message,
    OpenIntent,
    PassEvent,
    PastLoads,
    PlannedLoad,
    RejectedCard,
    RenewalRun,
    RetentionRun,
    StockMove,
)
from web.accounts import OfficerSession
from web.attempts import LoginAttempt

_ADULT = 18
_NOBODY = ""


def after(until: date) -> datetime:
    """The first moment after a day."""
    return datetime(until.year, until.month, until.day, tzinfo=UTC) + timedelta(days=1)


def _do(session: Session, what: Delete | Update) -> int:
    done: Any = session.execute(what, execution_options={"synchronize_session": False})
    session.expire_all()
    return int(done.rowcount)


# Imports


def waiting_files(session: Session, until: date) -> int:
    old = update(ImportRun).where(ImportRun.state == "looked", ImportRun.at < after(until))
    return _do(session, old.values(state="cancelled", content=None))


def what_was_before_imports(session: Session, until: date) -> int:
    old = select(ImportRun.id).where(ImportRun.accepted_at < after(until))
    homes = _do(session, delete(ImportedHousehold).where(ImportedHousehold.run_id.in_(old)))
    return homes + _do(session, delete(ImportedRow).where(ImportedRow.run_id.in_(old)))


def imports(session: Session, until: date) -> int:
    undoable = (exists().where(table.run_id == ImportRun.id) for table in (ImportedRow, ImportedHousehold))
    old = delete(ImportRun).where(ImportRun.at < after(until), ImportRun.state != "looked", ~or_(*undoable))
    return _do(session, old)


# Passes


def pass_events(session: Session, until: date) -> int:
    latest = select(func.max(PassEvent.id)).group_by(PassEvent.pass_id)
    return _do(session, delete(PassEvent).where(PassEvent.at < after(until), PassEvent.id.not_in(latest)))


def ended_passes(session: Session, until: date) -> int:
    doubtful = select(OpenIntent.handle)
    in_doubt = CardPass.handle.is_not(None) & CardPass.handle.in_(doubtful)
    half_made = exists().where(BegunCard.pass_id == CardPass.id)
    # Terminals refuse a pass after its last day, so nothing here is needed on a hotlist.
    old = select(CardPass.id).where(last_day <= until, ~in_doubt, ~half_made)
    gone = list(session.scalars(old))
    _do(session, delete(PassEvent).where(PassEvent.pass_id.in_(gone)))
    _do(session, update(CardPass).where(CardPass.replaces_id.in_(gone)).values(replaces_id=None))
    return _do(session, delete(CardPass).where(CardPass.id.in_(gone)))


def rejected_cards(session: Session, until: date) -> int:
    return _do(session, delete(RejectedCard).where(RejectedCard.on <= until))


def who_moved_stock(session: Session, until: date) -> int:
    old = update(StockMove).where(StockMove.on <= until, StockMove.by != _NOBODY)
    return _do(session, old.values(by=_NOBODY))


# Budgets


def decisions(session: Session, until: date) -> int:
    gone = [each.id for each in session.scalars(select(Decision)) if last_day_of(each) <= until]
    return _do(session, delete(Decision).where(Decision.id.in_(gone)))


def last_day_of(decision: Decision) -> date:
    """The end of the year that a pass year is called by; for what is given once, the day of the decision."""
    return date(int(decision.period), 12, 31) if decision.period.isdecimal() else decision.on


def renewals(session: Session, until: date) -> int:
    """Whole runs; their rows go with them."""
    return _do(session, delete(RenewalRun).where(RenewalRun.made_at < after(until)))


def messages(session: Session, until: date) -> int:
    return _do(session, delete(Message).where(Message.sent_on <= until))


def journal(session: Session, until: date) -> int:
    """Entries that the backend has. The last one stays, as the next one follows from it; so does the highest number."""
    gone = 0
    for handed_in in session.scalars(select(HandedIn)).all():
        ours = JournalEntry.terminal == handed_in.terminal
        last, highest = session.execute(
            select(func.max(JournalEntry.position), func.max(JournalEntry.sequence)).where(ours)
        ).one()
        if last is None:
            continue
        may = select(JournalEntry).where(ours, JournalEntry.position < min(last, handed_in.position))
        old = [
            row.position for row in session.scalars(may.where(JournalEntry.sequence != highest)) if day_of(row) <= until
        ]
        gone += _do(session, delete(JournalEntry).where(ours, JournalEntry.position.in_(old)))
    return gone


def day_of(row: JournalEntry) -> date:
    """The day of the load."""
    clear = ClearRecord.from_bytes(row.entry[1 : 1 + CLEAR_BYTES])
    return date(*DAY_ZERO) + timedelta(days=clear.day)


# People


def guardians(session: Session, until: date) -> int:
    """`until`: the last birthday that counts."""
    grown_up = date(until.year - _ADULT, until.month, until.day) if (until.month, until.day) != (2, 29) else None
    born = grown_up or date(until.year - _ADULT, 2, 28)
    return _do(session, delete(Guardian).where(Guardian.child_id.in_(select(Holder.id).where(Holder.born <= born))))


def addresses(session: Session, until: date) -> int:
    """Of households of which nobody has a pass, a letter on its way, or was seen since."""
    needed = or_(
        _seen_after(until),
        exists().where(CardPass.holder_id == Holder.id, CardPass.valid_until > until),
        exists().where(Message.holder_id == Holder.id, Message.sent_on.is_(None)),
    )
    old = update(Household).where(
        ~exists().where(Holder.household_id == Household.id, needed),
        Household.band_on <= until,
        or_(Household.street != "", Household.postcode != "", Household.town != ""),
    )
    nowhere = Address()
    return _do(session, old.values(street=nowhere.street, postcode=nowhere.postcode, town=nowhere.town))


def households(session: Session, until: date) -> int:
    """Whole households, as the rules count who is in one. What was written on their passes stays as a count."""
    needed = or_(
        _seen_after(until),
        *(
            exists().where(column == Holder.id)
            for column in (Decision.holder_id, CardPass.holder_id, Guardian.guardian_id, ImportedRow.holder_id)
        ),
        exists().where(Message.holder_id == Holder.id, Message.sent_on.is_(None)),
        exists().where(PlannedLoad.holder_id == Holder.id, PlannedLoad.state == "planned"),
        exists().where(PlannedLoad.holder_id == Holder.id, PlannedLoad.id.in_(select(OpenIntent.load_id))),
    )
    kept = exists().where(Holder.household_id == Household.id, needed)
    before = {row["household"] for row in session.scalars(select(ImportedRow.before)) if row}
    left = [
        number
        for number in session.scalars(select(Household.id).where(~kept, Household.band_on <= until))
        if number not in before
    ]
    gone = select(Holder.id).where(Holder.household_id.in_(left))
    count = session.scalar(select(func.count()).select_from(gone.subquery())) or 0
    _count_loads(session, gone)
    people.forget(session, gone)
    _do(session, delete(Household).where(Household.id.in_(left)))
    return count


def _seen_after(until: date) -> ColumnElement[bool]:
    return Holder.seen_on > until


def _count_loads(session: Session, gone: Select[int]) -> None:
    kinds = (PlannedLoad.period, PlannedLoad.grant_number, PlannedLoad.purse)
    written = select(*kinds, func.count(), func.sum(PlannedLoad.amount)).where(
        PlannedLoad.holder_id.in_(gone), PlannedLoad.state == "written"
    )
    for period, grant, purse, count, amount in session.execute(written.group_by(*kinds)).all():
        # What a pass held that another one replaced was written for another grant before, and its period names a pass.
        if grant == REPLACEMENT:
            continue
        past = session.get(PastLoads, (period, grant, purse))
        if past is None:
            past = PastLoads(period=period, grant_number=grant, purse=purse, count=0, amount=0)
            session.add(past)
        past.count += count
        past.amount += int(amount)
    session.flush()


# The desk itself


def approvals(session: Session, until: date) -> int:
    """An open one has no day of decision, so it stays."""
    return _do(session, delete(Approval).where(Approval.decided_at < after(until)))


def logins(session: Session, until: date) -> int:
    tried = _do(session, delete(LoginAttempt).where(LoginAttempt.at < after(until)))
    return tried + _do(session, delete(OfficerSession).where(OfficerSession.seen_at < after(until)))


def reports(session: Session, until: date) -> int:
    return _do(session, delete(RetentionRun).where(RetentionRun.on <= until))
