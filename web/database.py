"""A database of people, and which faults of any database pass by themselves.

It is an SQLite file as the embedded default, or at an address that is kept in a file of its own.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError, TimeoutError

from web.made_once import made_once


def prepare(engine: Engine) -> None:
    """What SQLite does not do by itself; nothing for another database."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_settings)


def new_file(path: Path) -> None:
    """Make an SQLite file that several may open at once, readable to its owner only; nothing when it is there.

    It has its write-ahead log from its first moment: where two go over to one at once, one of them is refused without
    waiting, lest they wait for each other (https://www.sqlite.org/c3ref/busy_handler.html).
    """
    made_once(path, _with_log)


def _with_log(draft: Path) -> None:
    with closing(sqlite3.connect(draft)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def keep_address(file: Path, address: str) -> None:
    """Only its owner may read it: the address may hold a password."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as kept:
        kept.write(address + "\n")


def is_passing(error: SQLAlchemyError) -> bool:
    """Whether the database only could not just now: somebody held a lock for too long, two wrote the same at once, or
    the server was not there. The same may go well in a moment."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, TimeoutError)  # all connections are in use
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        # Without what it says beyond its first byte: https://www.sqlite.org/rescode.html
        return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return isinstance(error, OperationalError) or error.connection_invalidated


def _sqlite_settings(connection: Any, _record: Any) -> None:
    for setting in ("foreign_keys = ON", "journal_mode = WAL", "busy_timeout = 10000"):
        connection.execute(f"PRAGMA {setting}")
