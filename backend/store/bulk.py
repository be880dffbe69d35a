"""Many rows at once, in the way that each database is fastest at."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    TableClause,
    TypeDecorator,
    bindparam,
    column,
    delete,
    false,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

_COUNTED = {"preserve_rowcount": True}


def add_rows(connection: Connection, made: Table, rows: Sequence[Mapping[str, Any]], again: bool = False) -> int:
    """Add rows that all have the same columns; how many. `again`: one of which a key is there is left out, and no
    error."""
    if not rows:
        return 0
    if connection.dialect.name == "postgresql":
        # By way of a table of the session: COPY cannot leave out what is there, nor write where there are row policies.
        names, waiting = list(rows[0]), _staged(connection, made, rows)
        adding = postgresql.insert(made).from_select(names, select(waiting))
        found = connection.execute(adding.on_conflict_do_nothing() if again else adding, execution_options=_COUNTED)
    else:
        one_by_one = sqlite.insert(made)
        one_by_one = one_by_one.on_conflict_do_nothing() if again else one_by_one
        found = connection.execute(one_by_one, rows, execution_options=_COUNTED)
    return found.rowcount


def change_rows(connection: Connection, made: Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Change the rows that are named by the columns in `key` to what the other columns of each say."""
    if not rows:
        return
    changing = [name for name in rows[0] if name not in key]
    if connection.dialect.name == "postgresql":
        waiting = _staged(connection, made, rows)
        same = [made.c[name] == waiting.c[name] for name in key]
        connection.execute(update(made).where(*same).values({name: waiting.c[name] for name in changing}))
    else:
        chosen = [made.c[name] == bindparam(f"of_{name}") for name in key]
        change = update(made).where(*chosen).values({name: bindparam(f"to_{name}") for name in changing})
        connection.execute(
            change, [{f"of_{name}" if name in key else f"to_{name}": row[name] for name in row} for row in rows]
        )


def _staged(connection: Connection, made: Table, rows: Sequence[Mapping[str, Any]]) -> TableClause:
    """The rows in a table of the session, with the columns that they have."""
    names, waiting = list(rows[0]), table(f"waiting_{made.name}", *(column(name) for name in rows[0]))
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {waiting.name} ON COMMIT DELETE ROWS AS TABLE {made.name} WITH NO DATA"
    )
    # Only the types that are ours have something to say of a value.
    forms = [_form(made.c[name], connection.dialect) for name in names]
    # What another call in this transaction left there.
    connection.execute(delete(waiting))
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {waiting.name} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types([_kind(made.c[name], connection.dialect) for name in names])
        for row in rows:
            copy.write_row([form(row[name]) if form else row[name] for form, name in zip(forms, names, strict=True)])
    return waiting


def _kind(of: Column[Any], dialect: Dialect) -> str:
    """The type of a column as PostgreSQL calls it, without its length."""
    return of.type.compile(dialect).lower().partition("(")[0]


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


def _form(of: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return of.type.bind_processor(dialect) if isinstance(of.type, TypeDecorator) else None
