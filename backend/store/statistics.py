"""Counts of taps, and the tables that were published of them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, case, extract, func, insert, select

from backend.schema import offer, posting, published_statistics


class Statistics:
    """Counts and publications, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def taps(self, first: date, last: date) -> Sequence[Row[Any]]:
        """`venue, purse, month, times`: taps less reversals of a period, by the first purse of the offer."""
        month = extract("month", posting.c.happened_on).label("month")
        by = posting.c.venue, offer.c.purse, month
        times = func.sum(case((posting.c.kind == "tap", posting.c.records), else_=-posting.c.records)).label("times")
        query = (
            select(*by, times)
            .select_from(posting.join(offer, offer.c.id == posting.c.offer))
            .where(posting.c.kind.in_(("tap", "reversal")), posting.c.happened_on.between(first, last))
            .group_by(*by)
        )
        return list(self._connection.execute(query))

    def offered(self) -> Sequence[Row[Any]]:
        """`venue, purse`: what everybody can see, which venues ever had offers of which purse."""
        query = select(offer.c.venue, offer.c.purse).distinct().order_by(offer.c.venue, offer.c.purse)
        return list(self._connection.execute(query))

    def published(self, year: int) -> Row[Any] | None:
        query = select(published_statistics).where(published_statistics.c.year == year)
        row: Row[Any] | None = self._connection.execute(query).one_or_none()
        return row

    def publish(self, values: dict[str, Any]) -> None:
        self._connection.execute(insert(published_statistics).values(**values))
