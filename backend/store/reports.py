"""Sums over the books for reports: added up in the database, never row by row."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, and_, case, cast, func, or_, select, union_all

from backend.schema import entry, flow, offer, posting, tally, transfer


class Reports:
    """Reads only, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def flows(self, first: date, last: date) -> dict[tuple[bool, str, str, str, str], int]:
        """What went between accounts up to a day, by `(in the period, kind, source, destination, unit)`."""
        inside = case((posting.c.happened_on >= first, 1), else_=0).label("inside")
        by = inside, posting.c.kind, transfer.c.source, transfer.c.destination, transfer.c.unit
        rows = self._connection.execute(
            select(*by, func.sum(transfer.c.amount))
            .select_from(transfer.join(posting, posting.c.id == transfer.c.posting))
            .where(posting.c.happened_on <= last)
            .group_by(*by)
        )
        return {(bool(within), kind, *move): int(total) for within, kind, *move, total in rows}

    def discounts(self, first: date, last: date) -> dict[tuple[bool, str, int], int]:
        """Cents paid to venues besides what passes paid, by `(in the period, account, first purse of the offer)`."""
        inside = case((posting.c.happened_on >= first, 1), else_=0).label("inside")
        given = transfer.c.source.startswith("discounts:")
        account = case((given, transfer.c.source), else_=transfer.c.destination).label("account")
        signed = case((given, transfer.c.amount), else_=-transfer.c.amount)
        rows = self._connection.execute(
            select(inside, account, offer.c.purse, func.sum(signed))
            .select_from(
                transfer.join(posting, posting.c.id == transfer.c.posting).join(offer, offer.c.id == posting.c.offer)
            )
            .where(posting.c.happened_on <= last, or_(given, transfer.c.destination.startswith("discounts:")))
            .group_by(inside, account, offer.c.purse)
        )
        return {(bool(within), name, purse): int(total) for within, name, purse, total in rows}

    def paid_with_passes(self, first: date, last: date) -> int:
        """Cents that taps took from purses on the days of a period."""
        query = (
            select(func.sum(transfer.c.amount))
            .join(posting, posting.c.id == transfer.c.posting)
            .where(
                posting.c.kind == "tap",
                posting.c.happened_on.between(first, last),
                transfer.c.unit == "cent",
                transfer.c.source.startswith("purse:"),
            )
        )
        return int(self._connection.scalar(query) or 0)

    # Reconciling

    def per_purse(self) -> Sequence[Row[Any]]:
        """`purse, unit, kind, amount`: what each kind of posting added to each purse, below zero where it took."""
        into = select(flow.c.kind, flow.c.destination.label("purse"), flow.c.unit, flow.c.amount.label("amount"))
        out = select(flow.c.kind, flow.c.source, flow.c.unit, -flow.c.amount)
        moves = union_all(
            into.where(flow.c.destination.startswith("purse:")), out.where(flow.c.source.startswith("purse:"))
        ).subquery()
        by = moves.c.purse, moves.c.unit, moves.c.kind
        query = select(*by, cast(func.sum(moves.c.amount), BigInteger).label("amount")).group_by(*by).order_by(*by)
        return list(self._connection.execute(query))

    def per_venue(self) -> Sequence[Row[Any]]:
        """`venue, kind, times, cents`: records booked at each venue, and what they brought it."""
        signed = case(
            (flow.c.unit != "cent", 0),
            (flow.c.destination.startswith("venue:"), flow.c.amount),
            (flow.c.source.startswith("venue:"), -flow.c.amount),
            else_=0,
        )
        same = and_(flow.c.venue == tally.c.venue, flow.c.kind == tally.c.kind)
        by = tally.c.venue, tally.c.kind
        query = (
            select(
                *by, tally.c.records.label("times"), cast(func.coalesce(func.sum(signed), 0), BigInteger).label("cents")
            )
            .select_from(tally.outerjoin(flow, same))
            .where(tally.c.venue != 0)
            .group_by(*by, tally.c.records)
            .order_by(*by)
        )
        return list(self._connection.execute(query))

    def unmatched(self) -> Sequence[Row[Any]]:
        """`terminal, sequence, state`: records that a pass may have committed, and of which nothing is in the books."""
        columns = entry.c.terminal, entry.c.sequence, entry.c.state
        query = (
            select(*columns)
            .where(entry.c.state.in_(("received", "in_doubt", "rejected")))
            .order_by(entry.c.terminal, entry.c.sequence)
        )
        return list(self._connection.execute(query))

    # Exports

    def accounts_used(self, last: date) -> Sequence[Row[Any]]:
        """`account, unit, since`: every account that moved up to a day, and the first day that it did."""
        both = _lines().subquery()
        by = both.c.account, both.c.unit
        query = select(*by, func.min(both.c.happened_on).label("since")).where(both.c.happened_on <= last)
        return list(self._connection.execute(query.group_by(*by).order_by(*by)))

    def balances_before(self, day: date) -> dict[tuple[str, str], int]:
        """Of every account that moved before a day, by name and unit, what came in less what went out."""
        both = _lines().subquery()
        by = both.c.account, both.c.unit
        query = select(*by, func.sum(both.c.amount)).where(both.c.happened_on < day).group_by(*by).order_by(*by)
        return {(name, unit): int(total) for name, unit, total in self._connection.execute(query)}

    def cents_moved(self, first: date, last: date) -> tuple[int, int]:
        """How many transfers of cents there are in a period, and their sum."""
        query = (
            select(func.count(), func.coalesce(func.sum(transfer.c.amount), 0))
            .select_from(transfer.join(posting, posting.c.id == transfer.c.posting))
            .where(posting.c.happened_on.between(first, last), transfer.c.unit == "cent")
        )
        count, total = self._connection.execute(query).one()
        return int(count), int(total)

    def lines(self, first: date, last: date, kinds: Iterable[str] = (), unit: str | None = None) -> Iterable[Row[Any]]:
        """`id, kind, happened_on, recorded_on, settlement, terminal, records, number, source, destination, unit,
        amount` of every transfer of a period, of some kinds of posting or all, by day and posting."""
        columns = "id", "kind", "happened_on", "recorded_on", "settlement", "terminal", "records"
        query = (
            select(*(posting.c[name] for name in columns), *(each for each in transfer.c if each.name != "posting"))
            .join(transfer, transfer.c.posting == posting.c.id)
            .where(posting.c.happened_on.between(first, last))
            .order_by(posting.c.happened_on, posting.c.id, transfer.c.number)
        )
        if kinds:
            query = query.where(posting.c.kind.in_(list(kinds)))
        if unit is not None:
            query = query.where(transfer.c.unit == unit)
        return self._connection.execution_options(yield_per=1000).execute(query)


def _lines() -> Any:
    """Each transfer as two lines with a sign: `account, unit, amount, happened_on`."""
    joined = transfer.join(posting, posting.c.id == transfer.c.posting)
    rest = transfer.c.unit, posting.c.happened_on
    return union_all(
        select(transfer.c.destination.label("account"), *rest, transfer.c.amount.label("amount")).select_from(joined),
        select(transfer.c.source.label("account"), *rest, (-transfer.c.amount).label("amount")).select_from(joined),
    )
