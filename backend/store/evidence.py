"""What a verification reads: every entry with what was made of it, and what in the tables comes from no entry."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from backend.schema import (
    entry,
    finding,
    flow,
    posting,
    quarantine,
    settlement,
    settlement_item,
    settlement_line,
    tally,
    told,
    transfer,
)
from backend.store.books import CENTS
from backend.store.payments import place
from card.batch import VOID

_AT_ONCE = 400


class Evidence:
    """Reads only, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _one(self, query: Select[Any]) -> Row[Any] | None:
        row: Row[Any] | None = self._connection.execute(query).one_or_none()
        return row

    def count(self) -> int:
        """How many entries there are."""
        return self._connection.scalar(select(func.count()).select_from(entry)) or 0

    def entries(self, after: tuple[int, int], limit: int) -> Sequence[Row[Any]]:
        """Entries by terminal and position, each with its place in quarantine, and beside the entry that decides about
        the same record: its position as `decides`, and the doubt that it resolved as `resolves`."""
        set_apart = and_(
            quarantine.c.municipality == entry.c.municipality,
            quarantine.c.terminal == entry.c.terminal,
            quarantine.c.position == entry.c.position,
        )
        other = entry.alias()
        same = (
            other.c.municipality == entry.c.municipality,
            other.c.terminal == entry.c.terminal,
            other.c.sequence == entry.c.sequence,
            other.c.state.is_not(None),
        )
        columns = [
            select(func.min(other.c[name])).where(*same).correlate(entry).scalar_subquery().label(label)
            for name, label in (("position", "decides"), ("doubt_position", "resolves"))
        ]
        query = (
            select(entry, *columns, quarantine.c.id.label("set_apart"))
            .select_from(entry.outerjoin(quarantine, set_apart))
            .where(tuple_(entry.c.terminal, entry.c.position) > after)
            .order_by(entry.c.terminal, entry.c.position)
            .limit(limit)
        )
        return list(self._connection.execute(query))

    def records(self) -> Iterable[Row[Any]]:
        """Every entry that decides about a record that a pass may have committed, as its journal has it."""
        query = select(entry).where(entry.c.state.is_not(None), entry.c.outcome != VOID)
        return self._connection.execution_options(yield_per=1000).execute(query)

    def last_posting(self) -> int:
        """The number of the last posting that there is."""
        return self._connection.scalar(select(func.max(posting.c.id))) or 0

    def postings(self, numbers: Iterable[int]) -> dict[int, Row[Any]]:
        """Postings by their ids."""
        found: dict[int, Row[Any]] = {}
        for part in _parts(list(numbers)):
            rows = self._connection.execute(select(posting).where(posting.c.id.in_(part)))
            found |= {row.id: row for row in rows}
        return found

    def postings_of(self, terminal: int, last: int) -> dict[int, Row[Any]]:
        """The postings of a terminal up to one, by their ids."""
        query = select(posting).where(posting.c.terminal == terminal, posting.c.id <= last).order_by(posting.c.id)
        return {row.id: row for row in self._connection.execute(query)}

    def terminals_posted(self) -> set[int]:
        """The terminals of which there are postings."""
        query = select(posting.c.terminal).where(posting.c.terminal.is_not(None)).distinct()
        return set(self._connection.scalars(query))

    def transfers(self, postings: Iterable[int]) -> dict[int, list[tuple[str, str, str, int]]]:
        """The transfers of postings, each `(source, destination, unit, amount)`, in order of their number."""
        found: dict[int, list[tuple[str, str, str, int]]] = {}
        for part in _parts(list(postings)):
            query = select(transfer).where(transfer.c.posting.in_(part)).order_by(transfer.c.posting, transfer.c.number)
            for row in self._connection.execute(query):
                found.setdefault(row.posting, []).append((row.source, row.destination, row.unit, row.amount))
        return found

    # What comes from no entry

    def nullifier_twice(self) -> Row[Any] | None:
        """The first record with a nullifier that an earlier one has too."""
        again = entry.alias()
        earlier = tuple_(again.c.terminal, again.c.sequence) < tuple_(entry.c.terminal, entry.c.sequence)
        same = and_(again.c.municipality == entry.c.municipality, again.c.nullifier == entry.c.nullifier)
        query = select(entry).join(again, and_(same, earlier))
        return self._one(query.order_by(entry.c.terminal, entry.c.sequence).limit(1))

    def postings_of_no_terminal(self) -> Row[Any] | None:
        """The first posting of records that does not say whose."""
        kinds = posting.c.kind.in_(("tap", "reversal", "load"))
        query = select(posting).where(kinds, posting.c.terminal.is_(None))
        return self._one(query.order_by(posting.c.id).limit(1))

    def transfers_without_posting(self) -> Row[Any] | None:
        query = select(transfer).select_from(transfer.outerjoin(posting, posting.c.id == transfer.c.posting))
        chosen = posting.c.id.is_(None)
        return self._one(query.where(chosen).order_by(transfer.c.posting).limit(1))

    # Sums that are kept

    def flow_that_differs(self) -> Row[Any] | None:
        """The first sum of transfers that is not what is kept of it: `kind, venue, source, destination, unit` and the
        amount as `expected` and `found`, where there is one."""
        ways = transfer.c.source, transfer.c.destination, transfer.c.unit
        joined = transfer.join(posting, posting.c.id == transfer.c.posting)
        return self._differing(
            flow, _of_postings(*ways, func.sum(transfer.c.amount)).select_from(joined).group_by(*ways)
        )

    def tally_that_differs(self) -> Row[Any] | None:
        """The first count of records that is not what is kept of it: `kind, venue, expected, found`."""
        return self._differing(tally, _of_postings(func.sum(posting.c.records)).where(posting.c.records > 0))

    def _differing(self, kept: Table, summed: Select[Any]) -> Row[Any] | None:
        *key, what = told(kept)
        found = select(*key, cast(what, BigInteger)).subquery()
        sums = summed.subquery()
        pairs = list(zip(sums.columns, found.columns, strict=True))
        same = and_(*(mine == its for mine, its in pairs[:-1]))
        (expected, held) = pairs[-1]
        parts = sums.join(found, same, full=True)
        query = select(
            *(func.coalesce(mine, its).label(column.name) for (mine, its), column in zip(pairs, key, strict=False)),
            expected.label("expected"),
            held.label("found"),
        ).select_from(parts)
        differs = or_(expected.is_(None), held.is_(None), expected != held)
        return self._one(query.where(differs).order_by(*(column.name for column in key)).limit(1))

    # Settlements

    def items_out_of_place(self) -> Row[Any] | None:
        """The first settlement item that is there twice, or whose posting no settlement may hold."""
        taps = posting.c.kind.in_(("tap", "reversal"))
        in_time = posting.c.happened_on <= settlement.c.until
        why = case((func.count() > 1, "twice"), (func.count(posting.c.id) == 0, "no posting"), else_="not payable here")
        query = (
            select(
                settlement_item.c.posting, func.min(settlement_item.c.settlement).label("settlement"), why.label("why")
            )
            .select_from(
                settlement_item.outerjoin(settlement, settlement.c.number == settlement_item.c.settlement).outerjoin(
                    posting, and_(posting.c.id == settlement_item.c.posting, taps, in_time)
                )
            )
            .group_by(settlement_item.c.posting)
            .having(or_(func.count() > 1, func.count(posting.c.id) == 0))
            .order_by(settlement_item.c.posting)
        )
        return self._one(query.limit(1))

    def lines_that_differ(self) -> Row[Any] | None:
        """The first line of a settlement that is not the sum of its items: `settlement, venue, expected, found`."""
        items = (
            select(
                settlement_item.c.settlement,
                posting.c.venue,
                func.coalesce(func.sum(CENTS), 0).label("cents"),
            )
            .select_from(settlement_item.join(posting, posting.c.id == settlement_item.c.posting))
            .group_by(settlement_item.c.settlement, posting.c.venue)
            .subquery()
        )
        same = and_(items.c.settlement == settlement_line.c.settlement, items.c.venue == settlement_line.c.venue)
        lines = (
            select(
                settlement_line.c.settlement,
                settlement_line.c.venue,
                func.coalesce(items.c.cents, 0).label("expected"),
                settlement_line.c.earned.label("found"),
            )
            .select_from(settlement_line.join(settlement).outerjoin(items, same))
            .where(settlement.c.state != "withdrawn", settlement_line.c.earned != func.coalesce(items.c.cents, 0))
        )
        unlisted = (
            select(items.c.settlement, items.c.venue, items.c.cents.label("expected"), literal(None).label("found"))
            .select_from(items.outerjoin(settlement_line, same))
            .where(settlement_line.c.venue.is_(None))
        )
        for query in (lines, unlisted):
            row = self._one(query.order_by(place(query.selected_columns.settlement), "venue").limit(1))
            if row is not None:
                return row
        return None

    def finding_of_doubt(self, terminal: int, sequence: int) -> Row[Any] | None:
        """What an audit found first of a record in doubt, `kind` (happened, did_not_happen) and `nullifier`."""
        chosen = finding.c.terminal == terminal, finding.c.sequence == sequence
        kinds = finding.c.kind.in_(("happened", "did_not_happen"))
        query = select(finding.c.kind, finding.c.nullifier).where(*chosen, kinds)
        return self._one(query.order_by(finding.c.id).limit(1))

    def moves_that_differ(self) -> Row[Any] | None:
        """The first posting of money on its way whose amount is not that of its payment: `…, expected, found`."""
        moved = (
            select(posting.c.settlement, posting.c.venue, posting.c.id, func.sum(transfer.c.amount).label("cents"))
            .join(transfer, transfer.c.posting == posting.c.id)
            .where(posting.c.kind.in_(("revoked", "rejected", "paid", "returned")))
            .group_by(posting.c.settlement, posting.c.venue, posting.c.id)
            .subquery()
        )
        same = and_(moved.c.settlement == settlement_line.c.settlement, moved.c.venue == settlement_line.c.venue)
        due = func.coalesce(settlement_line.c.paid, 0)
        query = (
            select(moved.c.settlement, moved.c.venue, due.label("expected"), moved.c.cents.label("found"))
            .select_from(moved.outerjoin(settlement_line, same))
            .where(due != moved.c.cents)
            .order_by(moved.c.id)
        )
        return self._one(query.limit(1))

    def payments_that_differ(self) -> Row[Any] | None:
        """The first line of an approved settlement that has no posting of its amount: `…, expected, found`."""
        own = literal("venue:").concat(cast(posting.c.venue, String))
        paid = (
            select(posting.c.settlement, posting.c.venue, func.sum(transfer.c.amount).label("cents"))
            .join(transfer, transfer.c.posting == posting.c.id)
            .where(posting.c.kind == "payment", transfer.c.source == own)
            .group_by(posting.c.settlement, posting.c.venue)
            .subquery()
        )
        same = and_(paid.c.settlement == settlement_line.c.settlement, paid.c.venue == settlement_line.c.venue)
        query = (
            select(
                settlement_line.c.settlement,
                settlement_line.c.venue,
                _ordered().label("expected"),
                func.coalesce(paid.c.cents, 0).label("found"),
            )
            .select_from(settlement_line.join(settlement).outerjoin(paid, same))
            .where(_ordered() != func.coalesce(paid.c.cents, 0))
            .order_by(place(settlement_line.c.settlement), settlement_line.c.venue)
        )
        return self._one(query.limit(1))


def _of_postings(*columns: Any) -> Select[Any]:
    """Columns by kind and venue of their postings, 0 for none; the last is a sum."""
    kind, venue = posting.c.kind, func.coalesce(posting.c.venue, 0)
    *by, total = columns
    return select(kind.label("kind"), venue.label("venue"), *by, cast(total, BigInteger).label("total")).group_by(
        kind, venue
    )


def _ordered() -> Any:
    """What was ordered for a line; one that was revoked since was ordered first."""
    return case((settlement.c.state == "approved", settlement_line.c.paid), else_=0)


def _parts(names: list[Any]) -> Iterable[list[Any]]:
    return (names[at : at + _AT_ONCE] for at in range(0, len(names), _AT_ONCE))
