"""The database: an SQLite file in a folder as the embedded default, or PostgreSQL; the same tables on both."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from issuer.errors import DeskError
from issuer.registry.migrations import STEPS
from web.database import keep_address, new_file, prepare

ADDRESS_FILE = "database.url"


class Registry:
    """The registry in a database. `transaction()` is all or nothing."""

    def __init__(self, engine: Engine) -> None:
        prepare(engine)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _names_by_index)
        STEPS.upgrade(engine)
        self._engine = engine

    @classmethod
    def at(cls, folder: Path) -> "Registry":
        """The registry of a desk's folder: in an SQLite file there, or in the database that it was moved to."""
        # Everybody's name is in it.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        address = folder / ADDRESS_FILE
        if address.exists():
            return cls.opened(address.read_text().strip())
        file = folder / "registry.sqlite"
        new_file(file)
        return cls(create_engine(f"sqlite:///{file}"))

    @classmethod
    def opened(cls, address: str) -> "Registry":
        """At an address such as `postgresql+psycopg://desk@localhost/registry`."""
        try:
            return cls(create_engine(address))
        except (ArgumentError, NoSuchModuleError):
            raise DeskError("This is not the address of a database. Write it as postgresql+psycopg://…") from None
        except OperationalError:
            raise DeskError("The database cannot be reached. Ask the administrator to start it.") from None

    @classmethod
    def move_to(cls, folder: Path, address: str) -> "Registry":
        """Keep the registry of a desk's folder in a database from now on; refused when there are people in the file."""
        if (folder / "registry.sqlite").exists():
            raise DeskError("This desk has a registry in a file already. Begin with an empty folder.")
        opened = cls.opened(address)
        folder.mkdir(parents=True, exist_ok=True)
        keep_address(folder / ADDRESS_FILE, address)
        return opened

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _names_by_index(connection: Any, _record: Any) -> None:
    # LIKE with a fixed beginning goes by the index only when it tells capitals apart; names are searched without.
    connection.execute("PRAGMA case_sensitive_like = ON")
