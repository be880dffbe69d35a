"""Many rows at once, in the way that each database is fastest at."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, column, delete, select, table
from sqlalchemy.dialects import postgresql, sqlite


def add_rows(connection: Connection, made: Table, rows: Sequence[Mapping[str, Any]], again: bool = False) -> None:
    """Add rows that all have the same columns. `again`: one that is there already is left as it is, and no error."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _by_copy(connection, made, rows, again)
    else:
        adding = sqlite.insert(made)
        connection.execute(adding.on_conflict_do_nothing() if again else adding, rows)


def _by_copy(connection: Connection, made: Table, rows: Sequence[Mapping[str, Any]], again: bool) -> None:
    """By way of a table of the session: COPY cannot leave out what is there, nor write where there are row policies."""
    names, waiting = list(rows[0]), table(f"waiting_{made.name}", *(column(name) for name in rows[0]))
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {waiting.name} ON COMMIT DELETE ROWS AS TABLE {made.name} WITH NO DATA"
    )
    to_text = [made.c[name].type.bind_processor(connection.dialect) or _as_it_is for name in names]
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {waiting.name} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([form(row[name]) for form, name in zip(to_text, names, strict=True)])
    adding = postgresql.insert(made).from_select(names, select(waiting))
    connection.execute(adding.on_conflict_do_nothing() if again else adding)
    connection.execute(delete(waiting))


def _as_it_is(value: Any) -> Any:
    return value
