"""The books: postings and their transfers, added and never changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, case, func, insert, select, tuple_, union_all

from backend.schema import account, offer, posting, told, transfer
from backend.store.bulk import add_rows


@dataclass(frozen=True)
class NewPosting:
    """A posting of a record: `(source, destination, unit, amount)`, and in `about` terminal, sequence and more."""

    kind: str
    happened_on: date
    recorded_at: datetime
    transfers: Iterable[tuple[str, str, str, int]]
    about: Mapping[str, Any]


_NOTHING_MORE = {column.name: None for column in told(posting) if column.name != "id"}


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
        """Add one posting of `(source, destination, unit, amount)`; `about` are further columns. Gives its id."""
        values = {"kind": kind, "happened_on": happened_on, "recorded_at": recorded_at, **about}
        added = insert(posting).values(**values).returning(posting.c.id)
        number: int = self._connection.execute(added).scalar_one()
        self._move({number: transfers})
        return number

    def post_records(self, postings: Sequence[NewPosting]) -> None:
        """Add postings of records, in their order."""
        if not postings:
            return
        rows = [
            _NOTHING_MORE
            | {"kind": each.kind, "happened_on": each.happened_on, "recorded_at": each.recorded_at, **each.about}
            for each in postings
        ]
        add_rows(self._connection, posting, rows)
        # By terminal and sequence: not every database gives the numbers of many rows back in their order.
        names = {(row["terminal"], row["sequence"]): each.transfers for row, each in zip(rows, postings, strict=True)}
        key = tuple_(posting.c.terminal, posting.c.sequence)
        found = self._connection.execute(
            select(posting.c.id, posting.c.terminal, posting.c.sequence).where(key.in_(names)).order_by(posting.c.id)
        )
        self._move({number: names[terminal, sequence] for number, terminal, sequence in found})

    def _move(self, transfers: Mapping[int, Iterable[tuple[str, str, str, int]]]) -> None:
        """Add the transfers of postings, by the number of the posting."""
        moves = [(number, count, *move) for number, each in transfers.items() for count, move in enumerate(each, 1)]
        if moves:
            self._open({(name, unit) for _, _, *sides, unit, _ in moves for name in sides})
            names = ("posting", "number", "source", "destination", "unit", "amount")
            add_rows(self._connection, transfer, [dict(zip(names, move, strict=True)) for move in moves])

    def _open(self, accounts: set[tuple[str, str]]) -> None:
        names = tuple_(account.c.name, account.c.unit)
        rows = self._connection.execute(select(account.c.name, account.c.unit).where(names.in_(accounts)))
        new = accounts - {(name, unit) for name, unit in rows}
        if new:
            self._connection.execute(insert(account), [{"name": name, "unit": unit} for name, unit in sorted(new)])

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

    def given_between(self, source: str, first: date, last: date, before: int | None = None) -> int:
        """What was taken from an account for days of a period, by postings before one (None: by all)."""
        query = (
            select(func.sum(transfer.c.amount))
            .join(posting, posting.c.id == transfer.c.posting)
            .where(transfer.c.source == source, posting.c.happened_on.between(first, last))
        )
        if before is not None:
            query = query.where(posting.c.id < before)
        return int(self._connection.scalar(query) or 0)

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
