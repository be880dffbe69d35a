"""Settlements: what is in them, what each venue is paid, and who said so."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from backend.schema import (
    offer,
    payment_event,
    posting,
    settlement,
    settlement_event,
    settlement_invoice,
    settlement_item,
    settlement_line,
    settlement_reopened,
    told,
)
from backend.store.books import CENTS

# More than a year has settlements: a number has seven digits for them.
_MOST = 10_000_000


def place(number: ColumnElement[str]) -> ColumnElement[int]:
    """Where a settlement is among those that count, by its number: year, dash, and how manyth, 1000 after 999."""
    year, how_manyth = (cast(part, BigInteger) for part in (func.substr(number, 1, 4), func.substr(number, 6)))
    return year * _MOST + how_manyth


class Payments:
    """Settlements within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def settlements(self) -> Sequence[Row[Any]]:
        return self._connection.execute(select(*told(settlement)).order_by(place(settlement.c.number))).all()

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

    def last_in(self, year: int) -> int:
        """How manyth the last settlement of this year is, by its number; 0 when there is none."""
        how_manyth = cast(func.substr(settlement.c.number, 6), BigInteger)
        chosen = settlement.c.number.like(f"{year}-%")
        return int(self._connection.scalar(select(func.max(how_manyth)).where(chosen)) or 0)

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
            select(posting.c.venue, func.sum(CENTS))
            .select_from(settlement_item.join(posting))
            .where(settlement_item.c.settlement == number)
            .group_by(posting.c.venue)
        )
        return {venue: int(total) for venue, total in rows}

    def statement_rows(self, number: str, venue: int, since: date | None) -> Sequence[Row[Any]]:
        """By offer, kind and whether it is from before `since`: how many, and the cents that they bring the venue."""
        late = literal(False) if since is None else posting.c.happened_on < since
        return self._connection.execute(
            select(
                offer.c.number,
                offer.c.name,
                posting.c.kind,
                posting.c.not_payable,
                late.label("late"),
                cast(func.sum(posting.c.records), BigInteger).label("times"),
                cast(func.sum(CENTS), BigInteger).label("cents"),
            )
            .select_from(settlement_item.join(posting).join(offer))
            .where(settlement_item.c.settlement == number, posting.c.venue == venue)
            .group_by(offer.c.number, offer.c.name, posting.c.kind, posting.c.not_payable, text("late"))
            .order_by(offer.c.number, offer.c.name, posting.c.kind.desc(), posting.c.not_payable, text("late"))
        ).all()

    # Lines: what each venue is paid

    def add_line(self, values: dict[str, Any]) -> None:
        self._connection.execute(insert(settlement_line).values(**values))

    def lines(self, number: str) -> Sequence[Row[Any]]:
        chosen = settlement_line.c.settlement == number
        return self._connection.execute(
            select(*told(settlement_line)).where(chosen).order_by(settlement_line.c.venue)
        ).all()

    def line(self, end_to_end_id: str) -> Row[Any] | None:
        chosen = settlement_line.c.end_to_end_id == end_to_end_id
        return self._connection.execute(select(settlement_line).where(chosen)).one_or_none()

    def lines_of(self, amount: int) -> Sequence[Row[Any]]:
        """Every line that pays this amount."""
        chosen = settlement_line.c.paid == amount
        return self._connection.execute(
            select(settlement_line).where(chosen).order_by(place(settlement_line.c.settlement), settlement_line.c.venue)
        ).all()

    def last_payments(self, number: str) -> dict[int, tuple[str, bool]]:
        """By venue, the account of its last payment in an approved settlement before this, and whether it came back."""
        at = place(settlement_line.c.settlement)
        last = (
            select(settlement_line.c.venue, func.max(at).label("at"))
            .join(settlement, settlement.c.number == settlement_line.c.settlement)
            .where(settlement_line.c.paid > 0, settlement.c.state == "approved", at < place(literal(number)))
            .group_by(settlement_line.c.venue)
            .subquery()
        )
        came_back = select(payment_event.c.end_to_end_id).where(payment_event.c.kind.in_(("returned", "rejected")))
        rows = self._connection.execute(
            select(
                settlement_line.c.venue, settlement_line.c.iban, settlement_line.c.end_to_end_id.in_(came_back)
            ).join(last, (last.c.venue == settlement_line.c.venue) & (last.c.at == at))
        )
        return {venue: (iban, bool(back)) for venue, iban, back in rows}

    def owed(self) -> dict[int, int]:
        """By venue, what approved settlements found earned less what was paid and stayed paid, in cents."""
        earned = self._connection.execute(
            select(settlement_line.c.venue, func.sum(settlement_line.c.earned))
            .join(settlement, settlement.c.number == settlement_line.c.settlement)
            .where(settlement.c.state == "approved")
            .group_by(settlement_line.c.venue)
        )
        moved = self._connection.execute(
            select(posting.c.venue, func.sum(CENTS)).where(posting.c.settlement.is_not(None)).group_by(posting.c.venue)
        )
        totals: dict[int, int] = {}
        for venue, cents in (*earned, *moved):
            totals[venue] = totals.get(venue, 0) + int(cents)
        return totals

    # Events: what became of a settlement, and of each payment in it

    def add_event(self, number: str, kind: str, by: str, at: datetime) -> None:
        """Refused by the schema when another event came in at the same time."""
        last = select(func.max(settlement_event.c.number)).where(settlement_event.c.settlement == number)
        count = (self._connection.scalar(last) or 0) + 1
        values = {"settlement": number, "number": count, "kind": kind, "by": by, "recorded_at": at}
        self._connection.execute(insert(settlement_event).values(**values))

    def events(self, number: str) -> Sequence[Row[Any]]:
        chosen = settlement_event.c.settlement == number
        return self._connection.execute(
            select(settlement_event).where(chosen).order_by(settlement_event.c.number)
        ).all()

    def add_payment_event(self, **values: Any) -> None:
        self._connection.execute(insert(payment_event).values(**values))

    def payment_events(self, end_to_end_id: str) -> Sequence[Row[Any]]:
        chosen = payment_event.c.end_to_end_id == end_to_end_id
        return self._connection.execute(select(payment_event).where(chosen).order_by(payment_event.c.id)).all()

    def payment_events_of(self, number: str) -> Sequence[Row[Any]]:
        """The events of every payment in a settlement, in their order."""
        return self._connection.execute(
            select(payment_event)
            .join(settlement_line, settlement_line.c.end_to_end_id == payment_event.c.end_to_end_id)
            .where(settlement_line.c.settlement == number)
            .order_by(payment_event.c.id)
        ).all()

    # Invoices

    def add_invoice(self, number: str, venue: int, xml: bytes) -> None:
        self._connection.execute(insert(settlement_invoice).values(settlement=number, venue=venue, xml=xml))

    def invoiced(self, number: str) -> set[int]:
        """The venues for which an invoice was made out."""
        chosen = settlement_invoice.c.settlement == number
        return set(self._connection.scalars(select(settlement_invoice.c.venue).where(chosen)))

    def invoice(self, number: str, venue: int) -> bytes | None:
        chosen = settlement_invoice.c.settlement == number, settlement_invoice.c.venue == venue
        xml: bytes | None = self._connection.scalar(select(settlement_invoice.c.xml).where(*chosen))
        return xml

    # Payments that came back

    def came_back(self, with_paid_again: bool = False) -> Sequence[Row[Any]]:
        """Events by which a payment came back that no settlement pays again yet (or any), with the columns of its
        line."""
        claimed = (
            select(settlement_reopened.c.end_to_end_id)
            .join(settlement, settlement.c.number == settlement_reopened.c.settlement)
            .where(settlement.c.state != "withdrawn")
        )
        columns = (payment_event.c[name] for name in ("kind", "happened_on", "recorded_at", "reason"))
        query: Select[Any] = (
            select(*columns, settlement_line)
            .join(settlement_line, settlement_line.c.end_to_end_id == payment_event.c.end_to_end_id)
            .where(payment_event.c.kind.in_(("returned", "rejected", "revoked")))
            .order_by(payment_event.c.id)
        )
        if not with_paid_again:
            query = query.where(payment_event.c.end_to_end_id.not_in(claimed))
        return self._connection.execute(query).all()

    def add_reopened(self, **values: Any) -> None:
        self._connection.execute(insert(settlement_reopened).values(**values))

    def reopened(self, number: str) -> Sequence[Row[Any]]:
        """The payments that a settlement pays again, with their venue."""
        return self._connection.execute(
            select(settlement_reopened, settlement_line.c.venue)
            .join(settlement_line, settlement_line.c.end_to_end_id == settlement_reopened.c.end_to_end_id)
            .where(settlement_reopened.c.settlement == number)
            .order_by(place(settlement_line.c.settlement), settlement_line.c.venue)
        ).all()
