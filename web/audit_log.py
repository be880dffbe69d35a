"""Who did what at the desk: a line for each change, in the transaction of the change, chained by hashes.

The six fields of BIO2 8.15.01: action, object, result, origin, actor, time stamp. An object is a number or a code,
never a name. Each line carries the SHA-256 of the line before it, so a line that was changed, taken out or put in
shows. Who notes the last hash now and then also sees it when everything after a line was made anew. Lines that are
old enough go from the beginning only, and the head keeps where the chain begins then.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import CheckConstraint, Select, String, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from web.moment import Moment
from web.refusal import Refusal
from web.tables import Base

_START = "0" * 64
_AT_ONCE = 1000


class AuditLine(Base):
    """A line of the log. Nothing here changes one."""

    __tablename__ = "audit_line"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    actor: Mapped[str] = mapped_column(String(64), index=True)
    origin: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64), index=True)
    object: Mapped[str] = mapped_column(String(128))
    result: Mapped[str] = mapped_column(String(64))
    before: Mapped[str] = mapped_column(String(64))

    @property
    def hash(self) -> str:
        """What the next line carries."""
        fields = [self.number, self.at.isoformat(), self.actor, self.origin, self.action, self.object, self.result]
        text = json.dumps([*fields, self.before], ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class AuditHead(Base):
    """Where the log ends; one row. Whoever adds a line holds it, so lines follow each other one by one.

    `trimmed` lines at the beginning are gone; the last of them had `trimmed_hash`.
    """

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    trimmed: Mapped[int] = mapped_column(default=0)
    trimmed_hash: Mapped[str] = mapped_column(String(64), default=_START)


def add(session: Session, at: datetime, actor: str, origin: str, action: str, about: str, result: str) -> None:
    """Append a line; it stands when the transaction does. Other writers wait from here to its end, so call it late."""
    counted = update(AuditHead).where(AuditHead.id == 1).values(number=AuditHead.number + 1)
    head = session.execute(counted.returning(AuditHead.number, AuditHead.hash)).one_or_none()
    number, before = head if head is not None else (1, _START)
    line = AuditLine(
        number=number,
        at=at.replace(microsecond=0),
        actor=actor,
        origin=origin,
        action=action,
        object=about,
        result=result,
        before=before,
    )
    session.add(line)
    if head is None:
        session.add(AuditHead(id=1, number=number, hash=line.hash))
    else:
        session.execute(update(AuditHead).where(AuditHead.id == 1).values(hash=line.hash))
    session.flush()


def verify(session: Session, noted: str = "") -> tuple[int, str]:
    """`(lines, hash of the last)`; raises Refusal with the first line that does not follow, or when lines at the end
    are gone, or when the hash that was noted earlier is not in it any more."""
    head = session.get(AuditHead, 1)
    before, count = (head.trimmed_hash, head.trimmed) if head is not None else (_START, 0)
    seen = noted in ("", before)
    for line in _lines(session):
        count += 1
        if line.number != count or line.before != before:
            raise Refusal("Line {number} of the log does not follow the one before.", number=line.number)
        before = line.hash
        seen = seen or before == noted
    if (head.number, head.hash) != (count, before) if head is not None else count > 0:
        raise Refusal("The end of the log, after line {number}, is gone or was changed.", number=count)
    if not seen:
        raise Refusal("The hash that you noted is not in the log any more.")
    return count, before


def trim(session: Session, until: date) -> int:
    """Delete the lines up to and with a day, but the last one of all; how many there were."""
    head = session.get(AuditHead, 1, with_for_update=True)
    if head is None:
        return 0
    young = select(func.min(AuditLine.number)).where(AuditLine.at >= _midnight(until + timedelta(days=1)))
    last = session.get(AuditLine, min(session.scalar(young) or head.number, head.number) - 1)
    if last is None:
        return 0
    trimmed, head.trimmed, head.trimmed_hash = head.trimmed, last.number, last.hash
    session.execute(delete(AuditLine).where(AuditLine.number <= last.number))
    session.flush()
    return head.trimmed - trimmed


def chosen(
    actor: str = "", action: str = "", about: str = "", first: date | None = None, last: date | None = None
) -> Select[AuditLine]:
    """Lines that match all that is given, the newest first; days are those of UTC, and both are included."""
    wanted = select(AuditLine).order_by(AuditLine.number.desc())
    for column, value in ((AuditLine.actor, actor), (AuditLine.action, action)):
        if value:
            wanted = wanted.where(column == value)
    if about:
        wanted = wanted.where(AuditLine.object.contains(about, autoescape=True))

    if first is not None:
        wanted = wanted.where(AuditLine.at >= _midnight(first))
    if last is not None:
        wanted = wanted.where(AuditLine.at < _midnight(last + timedelta(days=1)))
    return wanted


def _lines(session: Session) -> Iterator[AuditLine]:
    """All lines in order, a bounded number in memory."""
    last = 0
    while page := session.scalars(
        select(AuditLine)
        .where(AuditLine.number > last)
        .order_by(AuditLine.number)
        .limit(_AT_ONCE)
        .execution_options(populate_existing=True)
    ).all():
        yield from page
        last = page[-1].number
        session.expunge_all()


def _midnight(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, tzinfo=UTC)
