"""All that a party stores about each tap, in columns that nobody chose: rows of any table, bytes of any file.

A tap is known by what its record says of itself, terminal and sequence. Whatever stands in a row that has both, in a
row that such a row refers to (or that refers to it), or next to both in a file, is a column of that tap.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from typing import Any, NamedTuple

from card.errors import BadRecord
from card.record import CLEAR_BYTES, ClearRecord
from card.wire import uint
from tests.simulation.adversary.stores import Stored

Value = int | float | str | bytes
# Of what stands before and after the name of a tap in a file: a slot of a terminal's flash is 128 bytes.
_BEFORE, _AFTER = 16, 128
# A row to which more than so many refer says nothing about one tap.
_FEW = 4
_MOST_TIMES = 4


class TapName(NamedTuple):
    """As its record says."""

    terminal: int
    sequence: int


Columns = dict[str, dict[TapName, Value]]


def columns_of(stored: Stored, taps: set[TapName]) -> Columns:
    """By column, what it says of each of these taps."""
    made: Columns = {}
    for path in stored.databases:
        with closing(sqlite3.connect(path)) as database:
            for name, tap, value in _in_tables(database, taps):
                made.setdefault(f"{path.parent.name} {name}", {})[tap] = value
    for where, content in _apart_from_databases(stored).items():
        for name, tap, value in _in_bytes(content, taps):
            made.setdefault(f"{where} {name}", {})[tap] = value
    return made


def _apart_from_databases(stored: Stored) -> dict[str, bytes]:
    databases = {path.read_bytes()[:100] for path in stored.databases}
    return {where: content for where, content in stored.files.items() if content[:100] not in databases}


# Tables


def _in_tables(
    database: sqlite3.Connection, taps: set[TapName], alone: bool = False
) -> Iterator[tuple[str, TapName, Value]]:
    """`alone`: without the rows that a row refers to, and those that refer to it."""
    database.row_factory = sqlite3.Row
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    keys = [] if alone else _foreign_keys(database, tables)
    for table in tables:
        names = {row["name"] for row in database.execute(f"PRAGMA table_info({table})")}
        if not {"terminal", "sequence"} <= names:
            continue
        times: dict[TapName, int] = {}
        for row in database.execute(f"SELECT rowid AS row_number, * FROM {table} ORDER BY rowid").fetchall():
            tap = TapName(row["terminal"], row["sequence"])
            if tap in taps:
                times[tap] = times.get(tap, 0) + 1
                for name, value in _with_neighbours(database, keys, table, row):
                    yield f"{name} {times[tap]}", tap, value


class _Key(NamedTuple):
    """Rows of `table` refer to a row of `target`: `columns` by the name that each has there."""

    table: str
    target: str
    columns: Mapping[str, str]


def _foreign_keys(database: sqlite3.Connection, tables: list[str]) -> list[_Key]:
    made = []
    for table in tables:
        by_id: dict[int, list[Any]] = {}
        for row in database.execute(f"PRAGMA foreign_key_list({table})").fetchall():
            by_id.setdefault(row["id"], []).append(row)
        made += [_Key(table, rows[0]["table"], {row["from"]: row["to"] for row in rows}) for rows in by_id.values()]
    return made


def _with_neighbours(
    database: sqlite3.Connection, keys: list[_Key], table: str, row: sqlite3.Row
) -> Iterator[tuple[str, Value]]:
    """A row, the rows that it refers to, and the few that refer to it or to those."""
    yield from _told(table, row)
    rows = [(table, row)]
    for key in keys:
        if key.table == table and all(row[column] is not None for column in key.columns):
            wanted = {there: row[here] for here, there in key.columns.items()}
            rows += [(key.target, each) for each in _select(database, key.target, wanted)]
    for name, each in rows[1:]:
        yield from _told(f"{table} > {name}", each)
    for name, each in rows:
        for key in keys:
            if key.target == name:
                wanted = {here: each[there] for here, there in key.columns.items()}
                children = _select(database, key.table, wanted)
                if len(children) <= _FEW:
                    for number, child in enumerate(children):
                        yield from _told(f"{table} < {key.table}[{number}]", child)


def _select(database: sqlite3.Connection, table: str, wanted: Mapping[str, Value]) -> list[sqlite3.Row]:
    where = " AND ".join(f'"{name}" IS ?' for name in wanted)
    query = f"SELECT rowid AS row_number, * FROM {table} WHERE {where} ORDER BY rowid LIMIT {_FEW + 1}"
    return database.execute(query, list(wanted.values())).fetchall()


def _told(name: str, row: sqlite3.Row) -> Iterator[tuple[str, Value]]:
    for column in row.keys():  # noqa: SIM118  a Row iterates over its values
        if row[column] is not None:
            yield f"{name}.{column}", row[column]


# Bytes of files


def _in_bytes(content: bytes, taps: set[TapName]) -> Iterator[tuple[str, TapName, Value]]:
    for tap in taps:
        name, at = uint(tap.terminal, 4) + uint(tap.sequence, 4), -1
        for time in range(1, _MOST_TIMES + 1):
            at = content.find(name, at + 1)
            if at < 0:
                break
            yield f"place {time}", tap, at
            yield f"bytes {time}", tap, content[max(0, at - _BEFORE) : at + _AFTER]


def records_in(stored: Stored, taps: set[TapName]) -> dict[TapName, ClearRecord]:
    """What these taps say of themselves in clear, wherever that is stored."""
    found: dict[TapName, ClearRecord] = {}
    for path in stored.databases:
        with closing(sqlite3.connect(path)) as database:
            for _, tap, value in _in_tables(database, taps, alone=True):
                _look(found, tap, value)
    for content in _apart_from_databases(stored).values():
        for _, tap, value in _in_bytes(content, taps - found.keys()):
            _look(found, tap, value)
    return found


def _look(found: dict[TapName, ClearRecord], tap: TapName, value: Value) -> None:
    if tap in found or not isinstance(value, bytes):
        return
    at = value.find(uint(tap.terminal, 4) + uint(tap.sequence, 4)) - 2
    with suppress(BadRecord):
        found[tap] = ClearRecord.from_bytes(value[at : at + CLEAR_BYTES] if at >= 0 else b"")
