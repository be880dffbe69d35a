"""Four eyes: one officer asks, a team lead who is somebody else decides, and what was allowed is done once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import CheckConstraint, ColumnElement, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from issuer.errors import DeskError
from issuer.registry import Base
from web.moment import Moment

OPEN, APPROVED, REJECTED, WITHDRAWN, USED = OUTCOMES = ("open", "approved", "rejected", "withdrawn", "used")
DECIDER = "team-lead"
# As much as the vault takes of a request for a balance.
LONGEST_REASON = 200


class Colleague(Protocol):
    """An officer, as far as deciding goes."""

    @property
    def user_name(self) -> str: ...

    @property
    def roles(self) -> frozenset[str]: ...


class Approval(Base):
    """Something that needs a second person. `about` is a number or a code; `amount` is in the unit of what it is of."""

    __tablename__ = "approval"
    __table_args__ = (
        CheckConstraint(f"outcome in {OUTCOMES}"),
        # The rule itself, also for who writes SQL: nobody decides on what they asked.
        CheckConstraint("outcome in ('open', 'withdrawn') or decided_by <> asked_by"),
        CheckConstraint("(outcome = 'open') = (decided_by is null)"),
        CheckConstraint("(outcome = 'open') = (decided_at is null)"),
        CheckConstraint("(outcome = 'used') = (used_at is not null)"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    about: Mapped[str] = mapped_column(String(64), index=True)
    amount: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    asked_by: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime] = mapped_column(Moment)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
    outcome: Mapped[str] = mapped_column(String(16), default=OPEN)


def ask(
    session: Session, kind: str, about: str, amount: int | None, reason: str, by: Colleague, at: datetime
) -> Approval:
    """Ask for something; the same thing is asked once at a time."""
    if not reason.strip():
        raise DeskError("Write down why this is needed.")
    if len(reason) > LONGEST_REASON:
        raise DeskError("The reason is too long; use at most {most} characters.", most=LONGEST_REASON)
    if session.scalar(select(Approval.id).where(Approval.kind == kind, Approval.about == about, _waits())) is not None:
        raise DeskError("This was asked already and waits for a decision.")
    asked = Approval(kind=kind, about=about, amount=amount, reason=reason.strip(), asked_by=by.user_name, asked_at=at)
    session.add(asked)
    session.flush()
    return asked


def approve(session: Session, number: int, by: Colleague, at: datetime) -> Approval:
    """Allow it."""
    return _decide(session, number, by, at, APPROVED)


def reject(session: Session, number: int, by: Colleague, at: datetime) -> Approval:
    """Refuse it."""
    return _decide(session, number, by, at, REJECTED)


def withdraw(session: Session, number: int, by: Colleague, at: datetime) -> Approval:
    """Take back what one asked oneself."""
    if _found(session, number).asked_by != by.user_name:
        raise DeskError("Only who asked this can take it back.")
    return _close(session, number, by, at, WITHDRAWN)


def use(session: Session, kind: str, about: str, amount: int | None, at: datetime) -> Approval:
    """Use what was approved, in the transaction that does it; raises DeskError when nobody approved exactly this."""
    same = (Approval.kind == kind, Approval.about == about, Approval.outcome == APPROVED)
    wanted = select(Approval.id).where(*same, Approval.amount.is_not_distinct_from(amount)).order_by(Approval.id.desc())
    number = session.scalar(wanted.limit(1))
    if number is None or not _change(session, number, APPROVED, outcome=USED, used_at=at):
        raise DeskError("This needs the approval of a team lead first. Ask for it.")
    return _found(session, number)


def waiting(session: Session) -> Sequence[Approval]:
    """What waits for a decision, the oldest first."""
    return session.scalars(select(Approval).where(_waits()).order_by(Approval.id)).all()


def latest(session: Session, kind: str, about: str) -> Approval | None:
    """What was asked last about this, whatever became of it."""
    wanted = select(Approval).where(Approval.kind == kind, Approval.about == about)
    return session.scalar(wanted.order_by(Approval.id.desc()).limit(1))


def of(session: Session, number: int) -> Approval:
    """What was asked under a number; raises DeskError when there is none."""
    return _found(session, number)


def _decide(session: Session, number: int, by: Colleague, at: datetime, outcome: str) -> Approval:
    if DECIDER not in by.roles:
        raise DeskError("Only a team lead decides on this.")
    if _found(session, number).asked_by == by.user_name:
        raise DeskError("You asked this yourself. Let another team lead decide.")
    return _close(session, number, by, at, outcome)


def _close(session: Session, number: int, by: Colleague, at: datetime, outcome: str) -> Approval:
    if not _change(session, number, OPEN, outcome=outcome, decided_by=by.user_name, decided_at=at):
        raise DeskError("This does not wait for a decision any more. Load the page again.")
    return _found(session, number)


def _change(session: Session, number: int, outcome_now: str, **values: object) -> bool:
    """Change one that is in a state. Of two who try at the same time, one does."""
    mine = update(Approval).where(Approval.id == number, Approval.outcome == outcome_now)
    return session.execute(mine.values(**values).returning(Approval.id)).one_or_none() is not None


def _found(session: Session, number: int) -> Approval:
    found = session.get(Approval, number, populate_existing=True)
    if found is None:
        raise DeskError("There is no request number {number}. Load the page again.", number=number)
    return found


def _waits() -> ColumnElement[bool]:
    return Approval.outcome == OPEN
