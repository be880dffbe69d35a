"""What was done after a copy of the database was put back, within one transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from backend.schema import recovery, settlement, told


class Recoveries:
    """Begun and ended, with payment orders in between; all of it is added and never changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, kind: str, by: str, at: Any, **about: Any) -> None:
        values = {"kind": kind, "by": by, "recorded_at": at, **about}
        self._connection.execute(insert(recovery).values(**values))

    def open(self) -> Row[Any] | None:
        """The beginning of the one that has not ended."""
        last = self._connection.execute(
            select(*told(recovery)).where(recovery.c.kind != "order").order_by(recovery.c.id.desc()).limit(1)
        ).one_or_none()
        return last if last is not None and last.kind == "begun" else None

    def orders(self, since: int) -> Sequence[Row[Any]]:
        """Who gave which payment order since a beginning, in their order."""
        chosen = recovery.c.kind == "order", recovery.c.id > since
        return self._connection.execute(select(*told(recovery)).where(*chosen).order_by(recovery.c.id)).all()

    def lost_numbers(self, year: int) -> bool:
        """Whether settlements of a year may have had numbers that nobody here knows: none of it was prepared since a
        copy was put back."""
        begun = self._connection.scalar(select(func.max(recovery.c.recorded_at)).where(recovery.c.kind == "begun"))
        if begun is None:
            return False
        again = select(recovery.c.settlement).where(recovery.c.kind == "order")
        since = select(func.count()).where(
            settlement.c.number.like(f"{year}-%"),
            settlement.c.prepared_at > begun,
            settlement.c.number.not_in(again),
        )
        return not self._connection.scalar(since)
