"""What terminals handed in: entries by position, and the state of each record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, select, tuple_, update

from backend.schema import closed_gap, entry, record, terminal_progress, told
from backend.store.bulk import add_rows


@dataclass(frozen=True)
class Place:
    """A record, with outcome and clear part of the entry that decides; `doubt_position`: the one that it resolved."""

    sequence: int
    position: int
    doubt_position: int | None
    state: str
    happened_on: date
    outcome: int
    clear: bytes


class Journal:
    """The upload log and the records in it, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # Entries

    def entries(self, terminal: int, first: int, last: int) -> dict[int, Row[Any]]:
        """Held entries of a range of positions, by position."""
        rows = self._connection.execute(
            select(entry).where(entry.c.terminal == terminal, entry.c.position.between(first, last))
        )
        return {row.position: row for row in rows}

    def entry(self, terminal: int, position: int) -> Row[Any]:
        return self._connection.execute(
            select(entry).where(entry.c.terminal == terminal, entry.c.position == position)
        ).one()

    def add_entries(self, rows: list[dict[str, Any]]) -> None:
        add_rows(self._connection, entry, rows, again=True)

    def gaps(self, terminal: int) -> tuple[int, list[tuple[int, int]]]:
        """The first position that is still wanted, and the ranges missing below the last one held.

        What two people closed as a gap is neither missing nor wanted; it is taken when it comes in after all.
        """
        held_to = self._held_to(terminal)
        beyond = entry.c.terminal == terminal, entry.c.position > held_to
        following = func.lead(entry.c.position).over(order_by=entry.c.position).label("following")
        ends = select(entry.c.position, following).where(*beyond).subquery()
        rows = self._connection.execute(
            select(ends.c.position, ends.c.following)
            .where(ends.c.following != ends.c.position + 1)
            .order_by(ends.c.position)
        ).all()
        lowest, highest = self._connection.execute(
            select(func.min(entry.c.position), func.max(entry.c.position)).where(*beyond)
        ).one()
        if lowest is None:
            return held_to + 1, []
        missing = [(held_to + 1, lowest - 1)] if lowest > held_to + 1 else []
        missing += [(row.position + 1, row.following - 1) for row in rows]
        for row in self.closed_gaps(terminal):
            missing = [part for gap in missing for part in _without(gap, row.first, row.last)]
        return (missing[0][0] if missing else highest + 1), missing

    def _held_to(self, terminal: int) -> int:
        chosen = terminal_progress.c.terminal == terminal
        return self._connection.scalar(select(terminal_progress.c.held_to).where(chosen)) or 0

    def closed_gaps(self, terminal: int) -> Sequence[Row[Any]]:
        """`event, terminal, first, last` of the gaps that were closed."""
        query = select(*told(closed_gap)).where(closed_gap.c.terminal == terminal).order_by(closed_gap.c.first)
        return self._connection.execute(query).all()

    def advance(self, terminal: int, seen_on: date | None = None) -> None:
        """Remember up to where all is held, so that what is missing is found without looking at all of it again; and
        when the terminal was there (None: it was not)."""
        held_to = self.gaps(terminal)[0] - 1
        values = {"held_to": held_to} | ({} if seen_on is None else {"seen_on": seen_on})
        chosen = terminal_progress.c.terminal == terminal
        changed = self._connection.execute(update(terminal_progress).where(chosen).values(**values))
        if not changed.rowcount and seen_on is not None:
            self._connection.execute(insert(terminal_progress).values(terminal=terminal, **values))

    def seen(self) -> dict[int, date]:
        """By terminal, the last day on which it was there; terminals that never were are left out."""
        rows = self._connection.execute(select(terminal_progress.c.terminal, terminal_progress.c.seen_on))
        return {terminal: day for terminal, day in rows}

    def arrived_after(self, terminal: int, position: int) -> datetime:
        """When the first entry beyond a position came in."""
        chosen = entry.c.terminal == terminal, entry.c.position > position
        query = select(entry.c.recorded_at).where(*chosen).order_by(entry.c.position).limit(1)
        moment: datetime = self._connection.execute(query).scalar_one()
        return moment

    # Records

    def record(self, terminal: int, sequence: int) -> Row[Any] | None:
        return self._connection.execute(
            select(record).where(record.c.terminal == terminal, record.c.sequence == sequence)
        ).one_or_none()

    def places(self, terminal: int, sequences: Iterable[int]) -> dict[int, Place]:
        """The records of a terminal that are there of these sequences, by sequence."""
        columns = [getattr(source.c, name) for source, name in _PLACE]
        chosen = record.c.terminal == terminal, record.c.sequence.in_(sequences)
        rows = self._connection.execute(select(*columns).select_from(_DECIDED).where(*chosen))
        return {row.sequence: Place(*row) for row in rows}

    def add_records(self, terminal: int, places: Sequence[Place]) -> None:
        if places:
            names = ("sequence", "position", "doubt_position", "state", "happened_on")
            rows = [{name: getattr(place, name) for name in names} | {"terminal": terminal} for place in places]
            add_rows(self._connection, record, rows)

    def move_records(self, terminal: int, places: Sequence[Place]) -> None:
        """Other entries decide about these records, or another one is known; what was decided is open again, unless it
        is proven."""
        for place in places:
            values = {"position": place.position, "doubt_position": place.doubt_position, "state": place.state}
            if place.state != "proven":
                values |= {"reason": None, "decided_at": None}
            chosen = record.c.terminal == terminal, record.c.sequence == place.sequence
            self._connection.execute(update(record).where(*chosen).values(**values))

    def standing(self, names: Sequence[tuple[int, int]]) -> dict[tuple[int, int], tuple[str, int]]:
        """State and position of records, by terminal and sequence."""
        columns = record.c.terminal, record.c.sequence, record.c.state, record.c.position
        rows = self._connection.execute(select(*columns).where(_named(names)))
        return {(terminal, sequence): (state, position) for terminal, sequence, state, position in rows}

    def decide(self, decisions: Sequence[dict[str, Any]]) -> None:
        """Set `state, reason, nullifier, decided_at` of the records `terminal, sequence`."""
        if decisions:
            chosen = record.c.terminal == bindparam("of_terminal"), record.c.sequence == bindparam("of_sequence")
            columns = ("state", "reason", "nullifier", "decided_at")
            change = update(record).where(*chosen).values({name: bindparam(f"new_{name}") for name in columns})
            rows = [
                {"of_terminal": each["terminal"], "of_sequence": each["sequence"]}
                | {f"new_{name}": each[name] for name in columns}
                for each in decisions
            ]
            self._connection.execute(change, rows)

    def received(self, terminal: int | None, after: tuple[int, int], limit: int) -> Sequence[Row[Any]]:
        """Records that wait for proof, with clear and sealed part, in order of terminal and sequence."""
        chosen = [
            record.c.state == "received",
            (record.c.terminal > after[0]) | and_(record.c.terminal == after[0], record.c.sequence > after[1]),
        ]
        if terminal is not None:
            chosen.append(record.c.terminal == terminal)
        query = _with_entry().where(*chosen).order_by(record.c.terminal, record.c.sequence).limit(limit)
        return self._connection.execute(query).all()

    def with_entry(self, terminal: int, sequence: int) -> Row[Any] | None:
        """One record with the clear and sealed part of the entry that decides."""
        chosen = record.c.terminal == terminal, record.c.sequence == sequence
        return self._connection.execute(_with_entry().where(*chosen)).one_or_none()

    def waiting(self, terminal: int | None = None) -> int:
        """How many records wait for proof."""
        query = select(func.count()).select_from(record).where(record.c.state == "received")
        if terminal is not None:
            query = query.where(record.c.terminal == terminal)
        return self._connection.scalar(query) or 0

    def clear_records(self, state: str) -> list[bytes]:
        """The clear parts of all records in a state, by terminal and sequence."""
        same = (entry.c.terminal == record.c.terminal) & (entry.c.position == record.c.position)
        query = select(entry.c.clear).select_from(record.join(entry, same)).where(record.c.state == state)
        return list(self._connection.scalars(query.order_by(record.c.terminal, record.c.sequence)))

    def for_audit(self, since: date | None, until: date | None) -> Iterable[Row[Any]]:
        """`state, clear, sealed` of every record of a period that a pass may have committed."""
        chosen = [record.c.state != "void"]
        chosen += [record.c.happened_on >= since] if since is not None else []
        chosen += [record.c.happened_on <= until] if until is not None else []
        query = _with_entry().where(*chosen).order_by(record.c.terminal, record.c.sequence)
        return self._connection.execution_options(yield_per=1000).execute(query)

    def proven(self) -> Iterable[Row[Any]]:
        """`nullifier, clear` of every proven record, in order of nullifier: that order tells nothing."""
        query = _with_entry().where(record.c.state == "proven").order_by(record.c.nullifier)
        return self._connection.execution_options(yield_per=1000).execute(query)

    def states(self) -> dict[str, int]:
        """How many records there are in each state."""
        rows = self._connection.execute(select(record.c.state, func.count()).group_by(record.c.state))
        return {state: count for state, count in rows}

    def nullifiers(self, of: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Terminal and sequence of the records that have one of these nullifiers."""
        columns = record.c.nullifier, record.c.terminal, record.c.sequence
        rows = self._connection.execute(select(*columns).where(record.c.nullifier.in_(of)))
        return {nullifier: (terminal, sequence) for nullifier, terminal, sequence in rows}


_DECIDED = record.join(entry, and_(entry.c.terminal == record.c.terminal, entry.c.position == record.c.position))
_PLACE = [(record, name) for name in ("sequence", "position", "doubt_position", "state", "happened_on")]
_PLACE += [(entry, name) for name in ("outcome", "clear")]


def _without(gap: tuple[int, int], first: int, last: int) -> list[tuple[int, int]]:
    """What is left of a range without another one."""
    parts = (gap[0], min(gap[1], first - 1)), (max(gap[0], last + 1), gap[1])
    return [part for part in parts if part[0] <= part[1]]


def _named(names: Sequence[tuple[int, int]]) -> Any:
    return tuple_(record.c.terminal, record.c.sequence).in_(names)


def _with_entry() -> Any:
    return select(record, entry.c.clear, entry.c.sealed, entry.c.outcome).select_from(_DECIDED)
