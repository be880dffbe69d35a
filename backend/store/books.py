"""The books: postings and their transfers, added and never changed."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, case, func, insert, select, union_all

from backend.schema import account, offer, posting, transfer


class Books:
    """Double entry, within one transaction. A transfer goes from a source to a destination account of one unit."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def post(
        self,
        kind: str,
        happened_on: date,
        recorded_at: datetime,
        transfers: Iterable[tuple[str, str, str, int]],
        **about: Any,
    ) -> int:
        """Add a posting of `(source, destination, unit, amount)`; `about` are further columns. Gives its id."""
        values = {"kind": kind, "happened_on": happened_on, "recorded_at": recorded_at, **about}
        added = insert(posting).values(**values).returning(posting.c.id)
        number: int = self._connection.execute(added).scalar_one()
        for count, (source, destination, unit, amount) in enumerate(transfers, 1):
            self._open(source, unit)
            self._open(destination, unit)
            self._connection.execute(
                insert(transfer).values(
                    posting=number, number=count, source=source, destination=destination, unit=unit, amount=amount
                )
            )
        return number

    def _open(self, name: str, unit: str) -> None:
        chosen = account.c.name == name, account.c.unit == unit
        if self._connection.execute(select(account).where(*chosen)).one_or_none() is None:
            self._connection.execute(insert(account).values(name=name, unit=unit))

    def balances(self) -> dict[tuple[str, str], int]:
        """Of every account, by name and unit, what came in less what went out."""
        signed = union_all(
            select(transfer.c.destination.label("name"), transfer.c.unit, transfer.c.amount),
            select(transfer.c.source.label("name"), transfer.c.unit, -transfer.c.amount),
        ).subquery()
        rows = self._connection.execute(
            select(signed.c.name, signed.c.unit, func.sum(signed.c.amount)).group_by(signed.c.name, signed.c.unit)
        )
        return {(name, unit): int(total) for name, unit, total in rows}

    def flows(self) -> dict[tuple[str, str, str], int]:
        """Between each two accounts, by source, destination and unit, the sum that went that way."""
        rows = self._connection.execute(
            select(transfer.c.source, transfer.c.destination, transfer.c.unit, func.sum(transfer.c.amount)).group_by(
                transfer.c.source, transfer.c.destination, transfer.c.unit
            )
        )
        return {(source, destination, unit): int(total) for source, destination, unit, total in rows}

    def given_by_day(self, source: str) -> dict[date, int]:
        """What was taken from an account, by the day that it happened."""
        rows = self._connection.execute(
            select(posting.c.happened_on, func.sum(transfer.c.amount))
            .join(posting, posting.c.id == transfer.c.posting)
            .where(transfer.c.source == source)
            .group_by(posting.c.happened_on)
            .order_by(posting.c.happened_on)
        )
        return {day: int(total) for day, total in rows}

    def taps(self) -> dict[int, int]:
        """By venue, the number of taps less reversals."""
        rows = self._connection.execute(
            select(posting.c.venue, posting.c.kind, func.count())
            .where(posting.c.kind.in_(("tap", "reversal")))
            .group_by(posting.c.venue, posting.c.kind)
        )
        counts: dict[int, int] = {}
        for venue, kind, count in rows:
            counts[venue] = counts.get(venue, 0) + (count if kind == "tap" else -count)
        return counts

    def days_of(self, venue: int, first: date, last: date) -> Sequence[Row[Any]]:
        """By day, offer and kind: how many taps or reversals of a venue, and the cents that they brought it."""
        own = f"venue:{venue}"
        cents = case(
            (transfer.c.unit != "cent", 0),
            (transfer.c.destination == own, transfer.c.amount),
            (transfer.c.source == own, -transfer.c.amount),
            else_=0,
        )
        return self._connection.execute(
            select(
                posting.c.happened_on,
                offer.c.number,
                offer.c.name,
                posting.c.kind,
                func.count(posting.c.id.distinct()).label("times"),
                func.sum(cents).label("cents"),
            )
            .select_from(posting.join(offer).outerjoin(transfer))
            .where(posting.c.venue == venue, posting.c.happened_on.between(first, last))
            .group_by(posting.c.happened_on, offer.c.number, offer.c.name, posting.c.kind)
            .order_by(posting.c.happened_on.desc(), offer.c.number, offer.c.name, posting.c.kind.desc())
        ).all()

    def lines(self) -> Sequence[Row[Any]]:
        """The books as signed lines, `posting, number, account, unit, amount`: those of a posting sum to zero."""
        out = transfer.c.source.label("account"), transfer.c.unit, (-transfer.c.amount).label("amount")
        into = transfer.c.destination, transfer.c.unit, transfer.c.amount
        columns = transfer.c.posting, transfer.c.number
        query = union_all(select(*columns, *out), select(*columns, *into)).order_by("posting", "number", "amount")
        return list(self._connection.execute(query))
