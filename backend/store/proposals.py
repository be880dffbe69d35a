"""Proposals of offers, within one transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from backend.schema import offer, officer_venue, proposal


class Proposals:
    """What venues proposed, and who speaks for a venue."""

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

    # Who speaks for a venue

    def venue_of(self, account: int) -> int | None:
        """The venue that an account speaks for."""
        return self._connection.scalar(select(officer_venue.c.venue).where(officer_venue.c.account == account))

    def accounts_of(self, venue: int) -> set[int]:
        return set(self._connection.scalars(select(officer_venue.c.account).where(officer_venue.c.venue == venue)))

    def speaks_for(self, account: int, venue: int) -> None:
        """Tie an account to a venue, from now on this one."""
        if self.venue_of(account) is None:
            self._connection.execute(insert(officer_venue).values(account=account, venue=venue))
        else:
            chosen = officer_venue.c.account == account
            self._connection.execute(update(officer_venue).where(chosen).values(venue=venue))
