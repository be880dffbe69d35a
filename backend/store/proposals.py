"""Proposals of offers, within one transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from backend.schema import offer, proposal


class Proposals:
    """What venues proposed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, values: dict[str, Any]) -> int:
        number: int = self._connection.execute(insert(proposal).values(**values).returning(proposal.c.id)).scalar_one()
        return number

    def change(self, number: int, **values: Any) -> None:
        self._connection.execute(update(proposal).where(proposal.c.id == number).values(**values))

    def one(self, number: int) -> Row[Any] | None:
        return self._connection.execute(select(proposal).where(proposal.c.id == number)).one_or_none()

    def all(self, venue: int | None = None) -> Sequence[Row[Any]]:
        """The newest first."""
        query = select(proposal).order_by(proposal.c.id.desc())
        return self._connection.execute(query if venue is None else query.where(proposal.c.venue == venue)).all()

    def free_number(self) -> int:
        """A number that no offer has, nor any that was proposed."""
        highest = (self._connection.scalar(select(func.max(column))) for column in (offer.c.number, proposal.c.offer))
        return max(number or 0 for number in highest) + 1
