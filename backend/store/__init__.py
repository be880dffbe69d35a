"""The only place that speaks SQL: one database, read and changed in transactions that happen whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, TextClause, create_engine, event, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from backend.errors import ConfigError
from backend.migrations import downgrade, upgrade
from backend.store.bank import BankRecords
from backend.store.books import Books
from backend.store.cases import Cases
from backend.store.catalogue import Catalogue
from backend.store.evidence import Evidence
from backend.store.journal import Journal
from backend.store.payments import Payments
from backend.store.proposals import Proposals
from backend.store.quarantine import Quarantine
from backend.store.recoveries import Recoveries
from backend.store.reports import Reports
from backend.store.runs import Runs
from backend.store.states import States
from backend.store.statistics import Statistics
from backend.store.year_ends import YearEnds
from web.database import new_file


@dataclass(frozen=True)
class Transaction:
    """One database transaction, by subject."""

    catalogue: Catalogue
    journal: Journal
    quarantine: Quarantine
    books: Books
    payments: Payments
    bank: BankRecords
    cases: Cases
    evidence: Evidence
    reports: Reports
    year_ends: YearEnds
    statistics: Statistics
    proposals: Proposals
    states: States
    runs: Runs
    recoveries: Recoveries


# Whoever connects works with the rights of clearing and on the rows of one municipality. Settings and lock end with
# the transaction, so that a pooled session carries nothing on.
_AS = (
    "SELECT set_config('role', 'meedoen_clearing', true), set_config('meedoen.municipality', :name, true),"
    " set_config('lock_timeout', '10s', true)"
)
_TO_READ = text(_AS)
# What BEGIN IMMEDIATE is to SQLite.
_TO_BE_ALONE = text(_AS + ", pg_advisory_xact_lock(20261121, :number)")
# Alone with a terminal, and with nobody who is alone with everything.
_TO_BE_BESIDE = text(
    _AS + ", pg_advisory_xact_lock_shared(20261121, :number)"
    ", pg_advisory_xact_lock((CAST(:number AS bigint) << 32) + CAST(:terminal AS bigint))"
)


class Store:
    """The database of a municipality by its URL: an SQLite file of its own, or PostgreSQL, which others may share."""

    def __init__(self, url: str, municipality: int) -> None:
        try:
            engine = create_engine(url).execution_options(municipality=municipality)
        except (ArgumentError, NoSuchModuleError):
            raise ConfigError("This is not the address of a database. Write it as postgresql://…") from None
        self._engine, self._readers = engine, engine.execution_options(reading=True)
        self._municipality = municipality
        if engine.dialect.name == "sqlite":
            _set_up_sqlite(engine)
        else:
            self._readers = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def migrate(self, to: str | None = None) -> None:
        """Bring the tables to this version, or back to an earlier one."""
        file = self._engine.url.database
        if self._engine.dialect.name == "sqlite" and file:
            # What SQLite puts beside it gets the same mode.
            new_file(Path(file))
            Path(file).chmod(0o600)
        if to is None:
            upgrade(self._engine)
        else:
            downgrade(self._engine, to)

    @contextmanager
    def transaction(self, terminal: int | None = None) -> Iterator[Transaction]:
        """Committed when the block ends, undone when it raises. Transactions of a municipality wait for each other, so
        what one has looked at holds until it has written. Only those that say of which terminal they are go on beside
        each other, where the database can: of these, what is of that terminal holds, and the catalogue."""
        with self._engine.begin() as connection:
            self._introduce(connection, _TO_BE_ALONE if terminal is None else _TO_BE_BESIDE, terminal)
            yield _transaction(connection)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """All as it was at one moment, without waiting for who writes; changes nothing."""
        with self._readers.begin() as connection:
            self._introduce(connection, _TO_READ)
            yield _transaction(connection)

    def _introduce(self, connection: Connection, words: TextClause, terminal: int | None = None) -> None:
        if connection.dialect.name == "postgresql":
            whose = {"name": str(self._municipality), "number": self._municipality, "terminal": terminal}
            connection.execute(words, whose)

    def close(self) -> None:
        self._engine.dispose()


def _transaction(connection: Connection) -> Transaction:
    return Transaction(
        Catalogue(connection),
        Journal(connection),
        Quarantine(connection),
        Books(connection),
        Payments(connection),
        BankRecords(connection),
        Cases(connection),
        Evidence(connection),
        Reports(connection),
        YearEnds(connection),
        Statistics(connection),
        Proposals(connection),
        States(connection),
        Runs(connection),
        Recoveries(connection),
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
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
