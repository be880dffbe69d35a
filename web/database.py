"""A database of people: an SQLite file as the embedded default, or an address that is kept in a file of its own."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event


def prepare(engine: Engine) -> None:
    """What SQLite does not do by itself; nothing for another database."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_settings)


def keep_address(file: Path, address: str) -> None:
    """Only its owner may read it: the address may hold a password."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as kept:
        kept.write(address + "\n")


def _sqlite_settings(connection: Any, _record: Any) -> None:
    for setting in ("foreign_keys = ON", "journal_mode = WAL", "busy_timeout = 10000"):
        connection.execute(f"PRAGMA {setting}")
