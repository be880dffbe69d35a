"""The database: an SQLite file in a folder as the embedded default, or PostgreSQL; the same tables on both."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session

from issuer.registry.migrations import upgrade


class Registry:
    """The registry in a database. `transaction()` is all or nothing."""

    def __init__(self, engine: Engine) -> None:
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _sqlite_settings)
        upgrade(engine)
        self._engine = engine

    @classmethod
    def at(cls, place: Path | str) -> "Registry":
        """In a folder (SQLite), or at an address such as `postgresql+psycopg://desk@localhost/registry`."""
        if isinstance(place, str) and "://" in place:
            return cls(create_engine(place))
        folder = Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        return cls(create_engine(f"sqlite:///{folder / 'registry.sqlite'}"))

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _sqlite_settings(connection, _record) -> None:  # type: ignore[no-untyped-def]
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA busy_timeout = 10000")
    # LIKE with a fixed beginning goes by the index only when it tells capitals apart; names are searched without.
    connection.execute("PRAGMA case_sensitive_like = ON")
