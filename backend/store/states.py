"""How far records of venues came: sums of what is proven, rows of what is not, and what became of payments."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from backend.schema import (
    entry,
    payment_event,
    posting,
    settlement,
    settlement_item,
    settlement_line,
    settlement_reopened,
    terminal,
)
from backend.store.payments import place


class States:
    """Reads only, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def unproven(self) -> Iterable[Row[Any]]:
        """`venue, state, clear` of every record of a venue that is received, in doubt or rejected."""
        query = (
            select(terminal.c.venue, entry.c.state, entry.c.clear)
            .join(terminal, terminal.c.number == entry.c.terminal)
            .where(entry.c.state.in_(("received", "in_doubt", "rejected")), terminal.c.venue.is_not(None))
        )
        return self._connection.execution_options(yield_per=1000).execute(query)

    def settlements(self) -> dict[str, str]:
        """The state of each settlement that counts, by its number."""
        query = select(settlement.c.number, settlement.c.state).where(settlement.c.state != "withdrawn")
        return {number: state for number, state in self._connection.execute(query)}

    def settled(self, numbers: Iterable[str]) -> dict[tuple[str, int], int]:
        """How many taps and reversals are in each line of some settlements."""
        by = settlement_item.c.settlement, posting.c.venue
        joined = settlement_item.join(posting, posting.c.id == settlement_item.c.posting)
        query = select(*by, func.sum(posting.c.records)).select_from(joined).group_by(*by)
        rows = self._connection.execute(query.where(settlement_item.c.settlement.in_(list(numbers))))
        return {(number, venue): int(times) for number, venue, times in rows}

    def lines(self) -> Sequence[Row[Any]]:
        """`settlement, venue, earned, paid, carried, end_to_end_id` of settlements that count, the last first."""
        names = "settlement", "venue", "earned", "paid", "carried", "end_to_end_id"
        query = (
            select(*(settlement_line.c[name] for name in names))
            .join(settlement, settlement.c.number == settlement_line.c.settlement)
            .where(settlement.c.state != "withdrawn")
            .order_by(place(settlement.c.number).desc(), settlement_line.c.venue)
        )
        return list(self._connection.execute(query))

    def happened(self) -> dict[str, set[str]]:
        """What happened to each payment."""
        found: dict[str, set[str]] = {}
        for name, kind in self._connection.execute(select(payment_event.c.end_to_end_id, payment_event.c.kind)):
            found.setdefault(name, set()).add(kind)
        return found

    def paid_again(self) -> dict[str, str]:
        """By payment that came back, the settlement that pays it again."""
        query = (
            select(settlement_reopened.c.end_to_end_id, settlement_reopened.c.settlement)
            .join(settlement, settlement.c.number == settlement_reopened.c.settlement)
            .where(settlement.c.state != "withdrawn")
        )
        return {name: number for name, number in self._connection.execute(query)}
