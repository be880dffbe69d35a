"""The books: postings and their transfers, added and never changed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Row,
    Table,
    bindparam,
    case,
    cast,
    func,
    insert,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite

from backend.schema import account, flow, offer, posting, tally, told, transfer

# What a transfer brings the venue of its posting, in cents.
_CENTS_TO_VENUE = case(
    (transfer.c.unit != "cent", 0),
    (transfer.c.destination.startswith("venue:"), transfer.c.amount),
    (transfer.c.source.startswith("venue:"), -transfer.c.amount),
    else_=0,
)

# What a posting brings its venue, in cents.
CENTS = select(func.coalesce(func.sum(_CENTS_TO_VENUE), 0)).where(transfer.c.posting == posting.c.id).scalar_subquery()

# From a source to a destination account, of a unit, an amount.
Transfers = Iterable[tuple[str, str, str, int]]


@dataclass(frozen=True)
class NewPosting:
    """A posting of records of one terminal; `about`: venue, offer and why it is not payable, where it has them."""

    kind: str
    happened_on: date
    recorded_on: date
    terminal: int
    records: int
    transfers: Transfers
    about: Mapping[str, Any]


_ABOUT: dict[str, Any] = dict.fromkeys(("venue", "offer", "not_payable"))


# What every batch asks is put into words once.
_NUMBERED = insert(posting).returning(posting.c.id, sort_by_parameter_order=True)
_ACCOUNTS = select(account.c.name, account.c.unit).where(
    tuple_(account.c.name, account.c.unit).in_(bindparam("these", expanding=True))
)


def _adding(database: str, made: Table) -> Any:
    """An insert that can say what to do when a row is there."""
    return (postgresql if database == "postgresql" else sqlite).insert(made)


@cache
def _adding_up(database: str, made: Table, what: Column[int]) -> Any:
    """An insert that adds to the row that is there."""
    adding = _adding(database, made)
    return adding.on_conflict_do_update(made.primary_key, set_={what.name: what + adding.excluded[what.name]})


class Books:
    """Double entry, within one transaction. A transfer goes from a source to a destination account of one unit."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def post(self, kind: str, happened_on: date, recorded_on: date, transfers: Transfers, **about: Any) -> int:
        """Add one posting of no record; `about` are further columns. Gives its id."""
        about |= {"kind": kind, "happened_on": happened_on, "recorded_on": recorded_on, "records": 0}
        return self._add([about], [transfers])[0]

    def post_records(self, postings: Sequence[NewPosting]) -> list[int]:
        """Add postings of records; their ids, which rise in the order given."""
        names = "kind", "happened_on", "recorded_on", "terminal", "records"
        rows = [_ABOUT | dict(each.about) | {name: getattr(each, name) for name in names} for each in postings]
        return self._add(rows, [each.transfers for each in postings])

    def _add(self, rows: Sequence[dict[str, Any]], transfers: Sequence[Transfers]) -> list[int]:
        numbers = list(self._connection.scalars(_NUMBERED, rows))
        names = "posting", "number", "source", "destination", "unit", "amount"
        moved = [
            dict(zip(names, (number, place, *move), strict=True))
            for number, each in zip(numbers, transfers, strict=True)
            for place, move in enumerate(each, 1)
        ]
        if moved:
            self._open({(row[side], row["unit"]) for row in moved for side in ("source", "destination")})
            self._connection.execute(insert(transfer), moved)
        self._add_up(rows, transfers)
        return numbers

    def _add_up(self, rows: Sequence[dict[str, Any]], transfers: Sequence[Transfers]) -> None:
        """Keep the sums of what was added."""
        flows: Counter[tuple[Any, ...]] = Counter()
        records: Counter[tuple[Any, ...]] = Counter()
        for row, moves in zip(rows, transfers, strict=True):
            about = row["kind"], row.get("venue") or 0
            records[about] += row["records"]
            for *way, amount in moves:
                flows[*about, *way] += amount
        for made, sums in ((flow, flows), (tally, +records)):
            *key, what = told(made)
            names = [each.name for each in key]
            # In one order, or two that add up at once would wait for each other.
            grown = [{**dict(zip(names, about, strict=True)), what.name: n} for about, n in sorted(sums.items())]
            if grown:
                self._connection.execute(_adding_up(self._connection.dialect.name, made, what), grown)

    def _open(self, accounts: set[tuple[str, str]]) -> None:
        rows = self._connection.execute(_ACCOUNTS, {"these": list(accounts)})
        new = accounts - {(name, unit) for name, unit in rows}
        if new:
            opened = [{"name": name, "unit": unit} for name, unit in sorted(new)]
            adding = _adding(self._connection.dialect.name, account)
            self._connection.execute(adding.on_conflict_do_nothing(), opened)

    def balances(self) -> dict[tuple[str, str], int]:
        """Of every account, by name and unit, what came in less what went out."""
        totals: dict[tuple[str, str], int] = {}
        for (source, destination, unit), amount in self.flows().items():
            totals[source, unit] = totals.get((source, unit), 0) - amount
            totals[destination, unit] = totals.get((destination, unit), 0) + amount
        return totals

    def flows(self) -> dict[tuple[str, str, str], int]:
        """Between each two accounts, by source, destination and unit, the sum that went that way."""
        by = flow.c.source, flow.c.destination, flow.c.unit
        rows = self._connection.execute(select(*by, func.sum(flow.c.amount)).group_by(*by))
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
        rows = self._connection.execute(select(tally).where(tally.c.kind.in_(("tap", "reversal"))))
        counts: dict[int, int] = {}
        for row in rows:
            counts[row.venue] = counts.get(row.venue, 0) + (row.records if row.kind == "tap" else -row.records)
        return counts

    def days_of(self, venue: int, first: date, last: date) -> Sequence[Row[Any]]:
        """By day, offer and kind: how many taps or reversals of a venue, and the cents that they brought it."""
        return self._connection.execute(
            select(
                posting.c.happened_on,
                offer.c.number,
                offer.c.name,
                posting.c.kind,
                cast(func.sum(posting.c.records), BigInteger).label("times"),
                cast(func.sum(CENTS), BigInteger).label("cents"),
            )
            .select_from(posting.join(offer))
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
