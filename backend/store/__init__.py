"""The only place that speaks SQL: one database, read and changed in transactions that happen whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session

from backend.schema import metadata
from backend.store.bank import BankRecords
from backend.store.books import Books
from backend.store.cases import Cases
from backend.store.catalogue import Catalogue
from backend.store.journal import Journal
from backend.store.payments import Payments
from backend.store.proposals import Proposals
from backend.store.quarantine import Quarantine


@dataclass(frozen=True)
class Transaction:
    """One database transaction, by subject."""

    catalogue: Catalogue
    journal: Journal
    quarantine: Quarantine
    books: Books
    payments: Payments
    proposals: Proposals
    bank: BankRecords
    cases: Cases


class Store:
    """A database by its URL."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            _set_up_sqlite(self._engine)

    def create(self) -> None:
        """Make the tables that are not there yet."""
        metadata.create_all(self._engine)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Committed when the block ends, undone when it raises."""
        with self._engine.begin() as connection:
            yield _transaction(connection)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The same, for the accounts and the log of who works with clearing, which `web` keeps as objects."""
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        self._engine.dispose()


def _transaction(connection: Connection) -> Transaction:
    return Transaction(
        Catalogue(connection),
        Journal(connection),
        Quarantine(connection),
        Books(connection),
        Payments(connection),
        Proposals(connection),
        BankRecords(connection),
        Cases(connection),
    )


def _set_up_sqlite(engine: Engine) -> None:
    """WAL, foreign keys, and a writer that takes its lock at the beginning, so that it never has to give up midway."""

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "busy_timeout=10000", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
