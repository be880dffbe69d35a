"""What terminals handed in: entries by position, and the state of each record."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select, update

from backend.schema import entry, record
from backend.store.bulk import add_rows


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
        add_rows(self._connection, entry, rows)

    def gaps(self, terminal: int) -> tuple[int, list[tuple[int, int]]]:
        """The first position not held, and the ranges missing below the last one held."""
        following = func.lead(entry.c.position).over(order_by=entry.c.position).label("following")
        ends = select(entry.c.position, following).where(entry.c.terminal == terminal).subquery()
        rows = self._connection.execute(
            select(ends.c.position, ends.c.following)
            .where(ends.c.following != ends.c.position + 1)
            .order_by(ends.c.position)
        ).all()
        lowest, highest = self._connection.execute(
            select(func.min(entry.c.position), func.max(entry.c.position)).where(entry.c.terminal == terminal)
        ).one()
        if lowest is None:
            return 1, []
        missing = [(1, lowest - 1)] if lowest > 1 else []
        missing += [(row.position + 1, row.following - 1) for row in rows]
        return (missing[0][0] if missing else highest + 1), missing

    # Records

    def record(self, terminal: int, sequence: int) -> Row[Any] | None:
        return self._connection.execute(
            select(record).where(record.c.terminal == terminal, record.c.sequence == sequence)
        ).one_or_none()

    def add_record(self, terminal: int, sequence: int, position: int, state: str, happened_on: date) -> None:
        self._connection.execute(
            insert(record).values(
                terminal=terminal, sequence=sequence, position=position, state=state, happened_on=happened_on
            )
        )

    def change_record(self, terminal: int, sequence: int, **values: Any) -> None:
        chosen = record.c.terminal == terminal, record.c.sequence == sequence
        self._connection.execute(update(record).where(*chosen).values(**values))

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

    def for_audit(self) -> Iterable[Row[Any]]:
        """`outcome, clear, sealed` of every record that a pass may have committed."""
        query = _with_entry().where(record.c.state != "void").order_by(record.c.terminal, record.c.sequence)
        return self._connection.execution_options(yield_per=1000).execute(query)

    def proven(self) -> Iterable[Row[Any]]:
        """`nullifier, clear` of every proven record, in order of nullifier: that order tells nothing."""
        query = _with_entry().where(record.c.state == "proven").order_by(record.c.nullifier)
        return self._connection.execution_options(yield_per=1000).execute(query)

    def count_for_audit(self) -> int:
        """How many `for_audit` gives."""
        query = select(func.count()).select_from(record).where(record.c.state != "void")
        return self._connection.scalar(query) or 0

    def states(self) -> dict[str, int]:
        """How many records there are in each state."""
        rows = self._connection.execute(select(record.c.state, func.count()).group_by(record.c.state))
        return {state: count for state, count in rows}

    def nullifier_held(self, nullifier: str, terminal: int, sequence: int) -> bool:
        """Whether another record already has this nullifier."""
        row = self._connection.execute(
            select(record.c.terminal, record.c.sequence).where(record.c.nullifier == nullifier)
        ).one_or_none()
        return row is not None and (row.terminal, row.sequence) != (terminal, sequence)


def _with_entry() -> Any:
    joined = record.join(entry, and_(entry.c.terminal == record.c.terminal, entry.c.position == record.c.position))
    return select(record, entry.c.clear, entry.c.sealed, entry.c.outcome).select_from(joined)
