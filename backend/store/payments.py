"""Settlements: what is in them, what each venue is paid, and who said so."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, literal, select, update

from backend.schema import offer, posting, settlement, settlement_item, settlement_line, told, transfer

# What a transfer brings the venue of its posting, in cents.
_CENTS_TO_VENUE = case(
    (transfer.c.unit != "cent", 0),
    (transfer.c.destination.startswith("venue:"), transfer.c.amount),
    (transfer.c.source.startswith("venue:"), -transfer.c.amount),
    else_=0,
)


class Payments:
    """Settlements within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def settlements(self) -> Sequence[Row[Any]]:
        return self._connection.execute(select(*told(settlement)).order_by(settlement.c.number)).all()

    def settlement(self, number: str) -> Row[Any] | None:
        return self._connection.execute(select(*told(settlement)).where(settlement.c.number == number)).one_or_none()

    def waiting(self) -> str | None:
        """The settlement that is prepared and not yet approved or withdrawn; there is at most one."""
        return self._connection.scalar(select(settlement.c.number).where(settlement.c.state == "prepared"))

    def last_day(self) -> date | None:
        """The last day that an approved settlement covers."""
        approved = settlement.c.state == "approved"
        day: date | None = self._connection.scalar(select(func.max(settlement.c.until)).where(approved))
        return day

    def count_in(self, year: int) -> int:
        """How many settlements have a number of this year."""
        chosen = settlement.c.number.like(f"{year}-%")
        return self._connection.scalar(select(func.count()).select_from(settlement).where(chosen)) or 0

    def add(self, values: dict[str, Any]) -> None:
        self._connection.execute(insert(settlement).values(**values))

    def change(self, number: str, **values: Any) -> None:
        self._connection.execute(update(settlement).where(settlement.c.number == number).values(**values))

    # Items: the postings in it

    def collect(self, number: str, until: date) -> None:
        """Put every tap and reversal up to a day that is in no settlement yet into this one."""
        held = select(settlement_item.c.posting)
        free = select(posting.c.id, literal(number)).where(
            posting.c.kind.in_(("tap", "reversal")), posting.c.happened_on <= until, posting.c.id.not_in(held)
        )
        self._connection.execute(insert(settlement_item).from_select(["posting", "settlement"], free))

    def release(self, number: str) -> None:
        """Free what is in a settlement that was not approved."""
        self._connection.execute(delete(settlement_item).where(settlement_item.c.settlement == number))

    def earned(self, number: str) -> dict[int, int]:
        """By venue, the cents of the postings in a settlement; venues with unit movements only have 0."""
        rows = self._connection.execute(
            select(posting.c.venue, func.sum(_CENTS_TO_VENUE))
            .select_from(settlement_item.join(posting).outerjoin(transfer))
            .where(settlement_item.c.settlement == number)
            .group_by(posting.c.venue)
        )
        return {venue: int(total) for venue, total in rows}

    def statement_rows(self, number: str, venue: int) -> Sequence[Row[Any]]:
        """By offer and kind: how many, and the cents that they bring the venue."""
        return self._connection.execute(
            select(
                offer.c.number,
                offer.c.name,
                posting.c.kind,
                posting.c.not_payable,
                func.count(posting.c.id.distinct()).label("times"),
                func.sum(_CENTS_TO_VENUE).label("cents"),
            )
            .select_from(settlement_item.join(posting).join(offer).outerjoin(transfer))
            .where(settlement_item.c.settlement == number, posting.c.venue == venue)
            .group_by(offer.c.number, offer.c.name, posting.c.kind, posting.c.not_payable)
            .order_by(offer.c.number, offer.c.name, posting.c.kind.desc(), posting.c.not_payable)
        ).all()

    # Lines: what each venue is paid

    def add_line(self, values: dict[str, Any]) -> None:
        self._connection.execute(insert(settlement_line).values(**values))

    def lines(self, number: str) -> Sequence[Row[Any]]:
        chosen = settlement_line.c.settlement == number
        return self._connection.execute(
            select(*told(settlement_line)).where(chosen).order_by(settlement_line.c.venue)
        ).all()

    def carried(self) -> dict[int, int]:
        """By venue, what its last approved settlement carried over, in cents: zero or less."""
        rows = self._connection.execute(
            select(settlement_line.c.venue, settlement_line.c.carried)
            .join(settlement, settlement.c.number == settlement_line.c.settlement)
            .where(settlement.c.state == "approved")
            .order_by(settlement.c.approved_at, settlement.c.number)
        )
        return {venue: cents for venue, cents in rows}
