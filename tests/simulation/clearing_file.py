"""Clearing's database as it is on disk, read apart from clearing: whether it changed, and what became of records."""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.simulation.chips import Name

_DECIDED = (
    "SELECT state, reason, clear FROM entry"
    " WHERE state IS NOT NULL AND municipality = ? AND terminal = ? AND sequence = ?"
)


class Decided(NamedTuple):
    """What the entry says that decides about a record. `reason`: why it was rejected."""

    state: str
    reason: str | None
    clear: bytes


class ClearingFile:
    """`let_go` before the file is moved, copied or replaced."""

    def __init__(self, path: Path, municipality: int) -> None:
        self._path, self._municipality = path, municipality
        self._connection: sqlite3.Connection | None = None
        self._opened = 0

    def version(self) -> tuple[int, int]:
        """Another one after each transaction that changed something (https://sqlite.org/pragma.html#pragma_data_version)."""
        (changes,) = self._open().execute("PRAGMA data_version").fetchone()
        return self._opened, changes

    def decided(self, names: Iterable[Name]) -> Iterator[tuple[Name, Decided]]:
        """Those of these records that are there."""
        database = self._open()
        for name in list(names):
            row = database.execute(_DECIDED, (self._municipality, name.terminal, name.sequence)).fetchone()
            if row is not None:
                yield name, Decided(*row)

    def let_go(self) -> None:
        """It is opened again when somebody asks."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
            self._opened += 1
        return self._connection
