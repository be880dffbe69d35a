"""The tables of clearing, step by step: a database of any version becomes one of this version, or of an earlier one.

To change a table: change it in `backend.schema`, run `python -m backend.migrations "what changes" 0002`, and read what
it wrote into `versions/`. Triggers, rights and row policies are no steps: `backend.schema.guards` lays them after each.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from backend.errors import ConfigError
from backend.schema import Moment, guards, metadata
from web.database import is_passing
from web.steps import Steps


def is_no_part(name: str | None, kind: str, _parents: Any) -> bool:
    """Whether a name in the database is of the metadata to answer for: a month of `entry` is made while it works."""
    return kind != "table" or not (name or "").startswith("entry_")


def _newer() -> ConfigError:
    return ConfigError("The database is of a newer version than this program. Update the program.")


STEPS = Steps(
    Path(__file__).parent,
    lambda: metadata,
    _newer,
    20261121,
    (Moment, "sa.DateTime(timezone=True)"),
    is_ours=is_no_part,
)


def upgrade(engine: Engine) -> None:
    """Bring the database to this version, all or nothing; when it is there already, one question to the database."""
    if not STEPS.lack(version(engine)):
        return
    with _changing(engine) as connection:
        if STEPS.lack(STEPS.version(connection)):
            STEPS.up(connection)
            guards.lay(connection)


def downgrade(engine: Engine, to: str) -> None:
    """Bring the database back to an earlier version ("base": no tables), for a program of that version to guard."""
    with _changing(engine) as connection:
        guards.lift(connection)
        STEPS.down(connection, to)


def version(engine: Engine) -> str | None:
    """Which version the database has; None when it has no tables."""
    try:
        # Who writes is not waited for.
        with engine.execution_options(reading=True).connect() as connection:
            return STEPS.version(connection)
    except OperationalError as error:
        if engine.dialect.name == "sqlite" and is_passing(error):
            raise  # a file is there, only somebody else is at it
        raise ConfigError("The database cannot be reached. Ask the administrator to start it.") from None


@contextmanager
def _changing(engine: Engine) -> Iterator[Connection]:
    """To change tables as their owner; a step of SQLite may make a table anew."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection, _sqlite_changing(connection):
            yield connection
        return
    with STEPS.changing(engine) as connection:
        _become_owner(connection)
        yield connection


@contextmanager
def _sqlite_changing(connection: Connection) -> Iterator[None]:
    """A table that is made anew is missed by those that refer to it, so what refers to what is looked at at the end."""
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        connection.begin()
        if not driver.in_transaction:
            # By itself the driver begins none for a change of a table.
            driver.execute("BEGIN IMMEDIATE")
        yield
        if driver.execute("PRAGMA foreign_key_check").fetchone():
            raise RuntimeError("a migration left rows that refer to nothing")
        connection.commit()
    finally:
        connection.rollback()
        driver.execute("PRAGMA foreign_keys = ON")


def _become_owner(connection: Connection) -> None:
    """Tables belong to a role that nothing else is done as. An administrator has it made; who may, makes it here."""
    try:
        if not connection.scalar(text(guards.HAS_ROLES)):
            connection.execute(text(guards.MAKE_ROLES))
        connection.execute(text(f"SET LOCAL ROLE {guards.OWNER}"))
    except DBAPIError:
        raise ConfigError(
            f"This user may not change tables. Migrate as a member of {guards.OWNER}; how an administrator makes that "
            "role is in docs/postgresql.md."
        ) from None
