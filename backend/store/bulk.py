"""Many rows at once, in the way that each database is fastest at."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Insert,
    Table,
    TableClause,
    TypeDecorator,
    bindparam,
    column,
    false,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

_COUNTED = {"preserve_rowcount": True}


class Clash(Exception):
    """A row has a key that is there already."""


def add_rows(connection: Connection, made: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows that all have the same columns; raises Clash, and then the transaction cannot go on."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        # By way of a table of the session: COPY cannot write where there are row policies.
        found = connection.execute(_stage(connection, made, rows).adding, execution_options=_COUNTED)
    else:
        adding = sqlite.insert(made).on_conflict_do_nothing()
        found = connection.execute(adding, rows, execution_options=_COUNTED)
    if found.rowcount != len(rows):
        raise Clash(f"{len(rows) - found.rowcount} of {len(rows)} rows of {made.name} are there already")


def change_rows(connection: Connection, made: Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Change the rows that are named by the columns in `key` to what the other columns of each say."""
    if not rows:
        return
    changing = [name for name in rows[0] if name not in key]
    if connection.dialect.name == "postgresql":
        waiting = _stage(connection, made, rows).table
        same = [made.c[name] == waiting.c[name] for name in key]
        connection.execute(update(made).where(*same).values({name: waiting.c[name] for name in changing}))
    else:
        chosen = [made.c[name] == bindparam(f"of_{name}") for name in key]
        change = update(made).where(*chosen).values({name: bindparam(f"to_{name}") for name in changing})
        connection.execute(
            change, [{f"of_{name}" if name in key else f"to_{name}": row[name] for name in row} for row in rows]
        )


@dataclass(frozen=True)
class _Stage:
    """A table of the session, with some columns of another one, and how rows get there and on."""

    table: TableClause
    making: str
    copying: str
    # As PostgreSQL calls them, without their lengths.
    types: list[str]
    # Only the types that are ours have something to say of a value.
    forms: list[Callable[[Any], Any] | None]
    adding: Insert


@lru_cache(maxsize=64)
def _stage_for(dialect: Dialect, made: Table, names: tuple[str, ...]) -> _Stage:
    """In words that are made once: that costs more than to carry them out."""
    waiting, columns = table(f"waiting_{made.name}", *map(column, names)), [made.c[name] for name in names]
    return _Stage(
        waiting,
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {waiting.name} ON COMMIT DELETE ROWS AS TABLE {made.name} WITH NO DATA;"
        # What another call in this transaction left there.
        f" DELETE FROM {waiting.name}",
        f"COPY {waiting.name} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)",
        [each.type.compile(dialect).lower().partition("(")[0] for each in columns],
        [each.type.bind_processor(dialect) if isinstance(each.type, TypeDecorator) else None for each in columns],
        postgresql.insert(made).from_select(list(names), select(waiting)).on_conflict_do_nothing(),
    )


def _stage(connection: Connection, made: Table, rows: Sequence[Mapping[str, Any]]) -> _Stage:
    """Bring rows, with the columns that they have, to a table of the session."""
    stage = _stage_for(connection.dialect, made, tuple(rows[0]))
    connection.exec_driver_sql(stage.making)
    cursor, columns = connection.connection.cursor(), list(zip(stage.forms, rows[0], strict=True))
    with cursor.copy(stage.copying) as copy:
        copy.set_types(stage.types)
        for row in rows:
            copy.write_row([form(row[name]) if form else row[name] for form, name in columns])
    return stage


def named(made: Table, names: Iterable[tuple[int, int]]) -> ColumnElement[bool]:
    """The rows with these pairs of terminal and sequence. What came in together mostly has numbers that follow on, and
    one range of them is far less to read for a database than a list."""
    ranges: list[tuple[int, int, int]] = []
    for terminal, sequence in sorted(names):
        if ranges and ranges[-1][0] == terminal and ranges[-1][2] == sequence - 1:
            ranges[-1] = terminal, ranges[-1][1], sequence
        else:
            ranges.append((terminal, sequence, sequence))
    inside = [(made.c.terminal == each) & made.c.sequence.between(first, last) for each, first, last in ranges]
    return or_(false(), *inside)
