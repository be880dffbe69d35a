"""The schema of the registry, step by step: a database of any earlier version becomes one of this version.

To change a table: change it in `tables.py` (or beside its module), run `python -m issuer.registry.migrations "what
changes" 0002`, and read what it wrote into `versions/`.
"""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

# Any number, the same for all who open this database: one of them changes it, the others wait.
_LOCK = 20261121


def upgrade(engine: Engine) -> None:
    """Bring the database to this version, all or nothing; when it is there already, one question to the database."""
    with engine.connect() as connection:
        if _version(connection) == _newest():
            return
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Its driver begins no transaction by itself for a change of a table.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        if _version(connection) != _newest():
            settings = config()
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")
        connection.commit()


@cache
def _newest() -> str | None:
    # Alembic compiles every step to know which is the last.
    return ScriptDirectory.from_config(config()).get_current_head()


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def config() -> Config:
    """Where the steps are."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    return made
