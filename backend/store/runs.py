"""Long work that a page began, within one transaction."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from backend.schema import run, told


class Runs:
    """Runs of every kind."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, values: dict[str, Any]) -> int:
        number: int = self._connection.execute(insert(run).values(**values).returning(run.c.id)).scalar_one()
        return number

    def last(self, kind: str) -> Row[Any] | None:
        query = select(*told(run)).where(run.c.kind == kind).order_by(run.c.id.desc()).limit(1)
        return self._connection.execute(query).one_or_none()

    def change(self, number: int, **values: Any) -> bool:
        """Whether it was not over yet, and so was changed."""
        query = update(run).where(run.c.id == number, run.c.ended_at.is_(None)).values(**values)
        return self._connection.execute(query).rowcount == 1
