"""How often somebody tried to log in: after too many times nobody gets in for a while, right or wrong."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from web.moment import Moment
from web.refusal import Refusal
from web.tables import Base

WINDOW = timedelta(minutes=15)
MOST_OF_AN_ACCOUNT, MOST_OF_AN_ORIGIN = 5, 30


class LockedOut(Refusal):
    """Wait, then try again."""


class LoginAttempt(Base):
    """An attempt that did not succeed, or not yet. `whose` hides what was typed, which may be a password."""

    __tablename__ = "login_attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    whose: Mapped[str] = mapped_column(String(64), index=True)


def count(session: Session, user_name: str, origin: str, now: datetime) -> None:
    """Count an attempt before it is looked at; raises LockedOut. A name that is not there is counted like another."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.at < now - WINDOW))
    for whose, most in ((_account(user_name), MOST_OF_AN_ACCOUNT), (_origin(origin), MOST_OF_AN_ORIGIN)):
        tried = session.scalar(select(func.count()).where(LoginAttempt.whose == whose)) or 0
        if tried >= most:
            raise LockedOut("You tried too often. Wait a quarter of an hour, then try again.")
        session.add(LoginAttempt(at=now, whose=whose))


def succeeded(session: Session, user_name: str) -> None:
    """Forget the attempts on an account whose officer got in."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.whose == _account(user_name)))


def _account(user_name: str) -> str:
    return hashlib.sha256(b"account " + user_name.strip().lower().encode()).hexdigest()


def _origin(origin: str) -> str:
    return hashlib.sha256(b"origin " + origin.encode()).hexdigest()
