"""What terminals handed in: entries by position, and the state of each record."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Date,
    Row,
    bindparam,
    func,
    insert,
    literal,
    select,
    text,
    tuple_,
    union_all,
    update,
)

from backend.schema import WAITS, closed_gap, entry, posting, terminal_progress, told
from backend.store.bulk import add_rows, change_rows, named

# PostgreSQL keeps a part for each month around the day of taking in; what a clock that stands wrong names is with the
# other days.
_MONTHS_BEFORE, _MONTHS_AFTER = timedelta(days=400), timedelta(days=31)


# What an entry says that decides nothing.
UNDECIDED: dict[str, Any] = dict.fromkeys(("state", "doubt_position", "reason", "nullifier", "decided_on", "posting"))
_KEY = ("terminal", "position", "happened_on")


class Journal:
    """The upload log and the records in it, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # Entries

    def entries(self, terminal: int, first: int, last: int) -> dict[int, Row[Any]]:
        """Held entries of a range of positions, by position."""
        rows = self._connection.execute(_ENTRIES, {"of": terminal, "first": first, "last": last})
        return {row.position: row for row in rows}

    def entry(self, terminal: int, position: int) -> Row[Any]:
        return self._connection.execute(
            select(entry).where(entry.c.terminal == terminal, entry.c.position == position)
        ).one()

    def has_room(self, days: Iterable[date], today: date) -> bool:
        """Whether each month of these days has a part, where it is to have one."""
        return not self._lacking(days, today)

    def make_room(self, days: Iterable[date], today: date) -> None:
        """Give each month of these days its part. Only for who is alone: it waits for all who look."""
        for month in self._lacking(days, today):
            self._connection.execute(text("SELECT entry_month(:month)"), {"month": month})

    def _lacking(self, days: Iterable[date], today: date) -> list[date]:
        if self._connection.dialect.name == "sqlite":
            return []
        months = {day.replace(day=1) for day in days if today - _MONTHS_BEFORE <= day <= today + _MONTHS_AFTER}
        return [
            month
            for month in sorted(months)
            if not self._connection.scalar(_IS_THERE, {"part": f"entry_{month:%Y_%m}"})
        ]

    def add_entries(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add entries with what each decides. Raises Clash when one is held, or proves what was proven before."""
        add_rows(self._connection, entry, rows)

    def gaps(self, terminal: int) -> tuple[int, list[tuple[int, int]]]:
        """The first position that is still wanted, and the ranges missing below the last one held.

        What two people closed as a gap is neither missing nor wanted; it is taken when it comes in after all.
        """
        known, lowest, highest, count = self._connection.execute(_BEYOND, {"of": terminal}).one()
        if highest is None:
            return known + 1, []
        if count == highest - known:
            return highest + 1, []
        missing = [(known + 1, lowest - 1)] if lowest > known + 1 else []
        following = func.lead(entry.c.position).over(order_by=entry.c.position).label("following")
        beyond = entry.c.terminal == terminal, entry.c.position > known
        ends = select(entry.c.position, following).where(*beyond).subquery()
        rows = self._connection.execute(
            select(ends.c.position, ends.c.following)
            .where(ends.c.following != ends.c.position + 1)
            .order_by(ends.c.position)
        )
        missing += [(row.position + 1, row.following - 1) for row in rows]
        for row in self.closed_gaps(terminal):
            missing = [part for gap in missing for part in _without(gap, row.first, row.last)]
        return (missing[0][0] if missing else highest + 1), missing

    def closed_gaps(self, terminal: int) -> Sequence[Row[Any]]:
        """`event, terminal, first, last` of the gaps that were closed."""
        return self._connection.execute(_CLOSED_GAPS, {"of": terminal}).all()

    def advance(self, terminal: int, seen_on: date | None = None) -> tuple[int, list[tuple[int, int]]]:
        """Remember up to where all is held, so that what is missing is found without looking at all of it again; and
        when the terminal was there (None: it was not). Gives `gaps`."""
        wanted, missing = self.gaps(terminal)
        changed = self._connection.execute(_ADVANCE, {"of": terminal, "last": wanted - 1, "day": seen_on})
        if not changed.rowcount and seen_on is not None:
            first = {"terminal": terminal, "held_to": wanted - 1, "seen_on": seen_on}
            self._connection.execute(insert(terminal_progress).values(first))
        return wanted, missing

    def seen(self) -> dict[int, date]:
        """By terminal, the last day on which it was there; terminals that never were are left out."""
        rows = self._connection.execute(select(terminal_progress.c.terminal, terminal_progress.c.seen_on))
        return {terminal: day for terminal, day in rows}

    def arrived_after(self, terminal: int, position: int) -> date:
        """On which day the first entry beyond a position came in."""
        chosen = entry.c.terminal == terminal, entry.c.position > position
        query = select(entry.c.recorded_on).where(*chosen).order_by(entry.c.position).limit(1)
        day: date = self._connection.execute(query).scalar_one()
        return day

    # Records: the entries that decide

    def record(self, terminal: int, sequence: int) -> Row[Any] | None:
        """The entry that decides."""
        chosen = _DECIDES, entry.c.terminal == terminal, entry.c.sequence == sequence
        return self._connection.execute(select(entry).where(*chosen)).one_or_none()

    def records(self, terminal: int, sequences: Iterable[int]) -> dict[int, dict[str, Any]]:
        """The entries that decide about these sequences of a terminal, as far as they are there, by sequence."""
        chosen = named(entry, [(terminal, sequence) for sequence in sequences])
        rows = self._connection.execute(select(entry).where(_DECIDES, chosen))
        return {row.sequence: row._asdict() for row in rows}

    def move(self, terminal: int, position: int, decision: Mapping[str, Any]) -> None:
        """An entry that is held decides from now on what this one does."""
        chosen = entry.c.terminal == terminal, entry.c.position == position
        values = {name: decision[name] for name in UNDECIDED}
        self._connection.execute(update(entry).where(*chosen).values(values))

    def standing(self, names: Sequence[tuple[int, int]]) -> dict[tuple[int, int], tuple[str, int]]:
        """State and position of records, by terminal and sequence."""
        columns = entry.c.terminal, entry.c.sequence, entry.c.state, entry.c.position
        rows = self._connection.execute(select(*columns).where(_DECIDES, named(entry, names)))
        return {(terminal, sequence): (state, position) for terminal, sequence, state, position in rows}

    def decide(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Have entries that are held decide what these rows say, which all have the same columns."""
        names = [*_KEY, *(name for name in UNDECIDED if rows and name in rows[0])]
        change_rows(self._connection, entry, _KEY, [{name: row[name] for name in names} for row in rows])

    def received(self, terminal: int | None, after: tuple[int, int], limit: int) -> Sequence[Row[Any]]:
        """Records that wait for proof, in order of terminal and sequence."""
        chosen: list[Any] = [WAITS, entry.c.state == "received", tuple_(entry.c.terminal, entry.c.sequence) > after]
        if terminal is not None:
            chosen.append(entry.c.terminal == terminal)
        query = select(entry).where(*chosen).order_by(entry.c.terminal, entry.c.sequence).limit(limit)
        return self._connection.execute(query).all()

    def waiting(self, terminal: int | None = None) -> int:
        """How many records wait for proof."""
        if terminal is None:
            return self._connection.scalar(_WAITING) or 0
        return self._connection.scalar(_WAITING_OF, {"of": terminal}) or 0

    def clear_records(self, state: str) -> list[bytes]:
        """The clear parts of all records in a state, by terminal and sequence."""
        query = select(entry.c.clear).where(entry.c.state == state)
        return list(self._connection.scalars(query.order_by(entry.c.terminal, entry.c.sequence)))

    def for_audit(self, since: date | None, until: date | None) -> Iterable[Row[Any]]:
        """Every record of a period that a pass may have committed."""
        chosen = [entry.c.state != "void"]
        chosen += [entry.c.happened_on >= since] if since is not None else []
        chosen += [entry.c.happened_on <= until] if until is not None else []
        query = select(entry).where(*chosen).order_by(entry.c.terminal, entry.c.sequence)
        return self._connection.execution_options(yield_per=1000).execute(query)

    def proven(self) -> Iterable[Row[Any]]:
        """Every proven record in order of nullifier: that order tells nothing."""
        query = select(entry).where(entry.c.state == "proven").order_by(entry.c.nullifier)
        return self._connection.execution_options(yield_per=1000).execute(query)

    def states(self) -> dict[str, int]:
        """How many records there are in each state. Those that are proven are counted in their postings."""
        waiting = select(entry.c.state, func.count().label("records")).where(WAITS).group_by(entry.c.state)
        booked = select(literal("proven"), func.sum(posting.c.records))
        rows = self._connection.execute(union_all(waiting, booked))
        return {state: int(count) for state, count in rows if count}

    def nullifiers(self, of: Iterable[tuple[str, date]]) -> dict[str, tuple[int, int]]:
        """Terminal and sequence of the records that have one of these nullifiers, each with the day that was signed."""
        asked = list(of)
        if self._connection.dialect.name == "postgresql":
            values = {"nullifiers": [nullifier for nullifier, _ in asked], "days": [day for _, day in asked]}
            rows = self._connection.execute(_HELD, values)
        else:
            columns = entry.c.nullifier, entry.c.terminal, entry.c.sequence
            rows = self._connection.execute(
                select(*columns).where(tuple_(entry.c.nullifier, entry.c.happened_on).in_(asked))
            )
        return {nullifier: (terminal, sequence) for nullifier, terminal, sequence in rows}


# Each is looked up by itself: left to choose, PostgreSQL reads all of a busy day.
_HELD = text(
    "SELECT held.* FROM unnest(CAST(:nullifiers AS varchar[]), CAST(:days AS date[])) AS asked (nullifier, day),"
    " LATERAL (SELECT nullifier, terminal, sequence FROM entry"
    " WHERE entry.nullifier = asked.nullifier AND entry.happened_on = asked.day OFFSET 0) AS held"
)
_DECIDES = entry.c.state.is_not(None)

# What every batch asks is put into words once: to make a query again costs more than to carry it out.
_OF = entry.c.terminal == bindparam("of")
_ENTRIES = select(entry).where(_OF, entry.c.position.between(bindparam("first"), bindparam("last")))
_IS_THERE = text("SELECT to_regclass(:part) IS NOT NULL")
_HELD_TO = func.coalesce(
    select(terminal_progress.c.held_to).where(terminal_progress.c.terminal == bindparam("of")).scalar_subquery(), 0
)
_BEYOND = select(_HELD_TO, func.min(entry.c.position), func.max(entry.c.position), func.count()).where(
    _OF, entry.c.position > _HELD_TO
)
_CLOSED_GAPS = select(*told(closed_gap)).where(closed_gap.c.terminal == bindparam("of")).order_by(closed_gap.c.first)
_ADVANCE = (
    update(terminal_progress)
    .where(terminal_progress.c.terminal == bindparam("of"))
    .values(
        held_to=bindparam("last"),
        seen_on=func.coalesce(bindparam("day", type_=Date), terminal_progress.c.seen_on),
    )
)
_WAITING = select(func.count()).select_from(entry).where(WAITS, entry.c.state == "received")
_WAITING_OF = _WAITING.where(_OF)


def _without(gap: tuple[int, int], first: int, last: int) -> list[tuple[int, int]]:
    """What is left of a range without another one."""
    parts = (gap[0], min(gap[1], first - 1)), (max(gap[0], last + 1), gap[1])
    return [part for part in parts if part[0] <= part[1]]
