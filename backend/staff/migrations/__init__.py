"""The tables of staff, step by step: a database of any version becomes one of this version, or of an earlier one.

To change a table: change it in `backend.staff.tables` or `web`, run `python -m backend.staff.migrations "what changes"
0002`, and read what it wrote into `versions/`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

from backend.errors import ConfigError

# Of its own: a server may keep the books in the same database.
VERSION_TABLE = "staff_version"
# Any number, the same for all who change these tables: one does, the others wait.
_LOCK = 20261122
# What a database has that was made before there were steps.
_FIRST, _OF_STAFF_ONLY = "0001", "account_venue"


def upgrade(engine: Engine) -> None:
    """Bring the database to this version, all or nothing; when it is there already, one question to the database."""
    with engine.connect() as connection:
        held = version(connection)
    if held == _versions()[0]:
        return
    if held not in (None, *_versions()):
        raise ConfigError("The accounts are of a newer version than this program. Update the program.")
    with _changing(engine) as connection:
        if version(connection) is None and inspect(connection).has_table(_OF_STAFF_ONLY):
            command.stamp(_on(connection), _FIRST)
        command.upgrade(_on(connection), "head")


def downgrade(engine: Engine, to: str) -> None:
    """Bring the database back to an earlier version; "base": no tables."""
    with _changing(engine) as connection:
        command.downgrade(_on(connection), to)


@cache
def _versions() -> tuple[str, ...]:
    """All that this program knows, the newest first."""
    # Alembic compiles every step to know their order.
    return tuple(step.revision for step in ScriptDirectory.from_config(config()).walk_revisions())


def version(connection: Connection) -> str | None:
    """None when it has no tables, or those of before there were steps."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


@contextmanager
def _changing(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Its driver begins no transaction by itself for a change of a table.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        yield connection
        connection.commit()


def _on(connection: Connection) -> Config:
    settings = config()
    settings.attributes["connection"] = connection
    return settings


def config() -> Config:
    """Where the steps are."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    return made
