"""The tables of a database, step by step: one of any version becomes one of this version, all or nothing.

A step is a migration of Alembic in the folder `versions` of a party's package of migrations. Alembic finds `env.py` and
`script.py.mako` here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, create_engine, inspect


def _all(_name: str | None, _kind: str, _parents: Any) -> bool:
    return True


@dataclass(frozen=True)
class Steps:
    """The steps in a folder of a package of migrations.

    `metadata()`: the tables as they are, which the steps lead to. `newer()`: what is raised for a database of a newer
    version than this program. `lock`: any number, the same for all who change this database: one does, the others wait.
    `moment`: the own type of a moment, and what a step says in its place, so that it stays when the type changes.
    `version_table`: of its own where others may share the database. `is_ours(name, kind, parents)`: whether a name in
    the database is one that the tables answer for. `before_steps`: a table that tells a database which was made when
    there were no steps, and has what the first one makes.
    """

    folder: Path
    metadata: Callable[[], MetaData]
    newer: Callable[[], Exception]
    lock: int
    moment: tuple[type, str]
    version_table: str = "alembic_version"
    is_ours: Callable[[str | None, str, Any], bool] = _all
    before_steps: str | None = None

    def upgrade(self, engine: Engine) -> None:
        """Bring a database to the newest version, all or nothing; when it is there already, one question to it."""
        with engine.connect() as connection:
            behind = self.lack(self.version(connection))
        if behind:
            with self.changing(engine) as connection:
                self.up(connection)

    def downgrade(self, engine: Engine, to: str) -> None:
        """Bring a database back to an earlier version; "base": no tables."""
        with self.changing(engine) as connection:
            self.down(connection, to)

    def version(self, connection: Connection) -> str | None:
        """Which version the database has; None when it has no tables."""
        return MigrationContext.configure(connection, opts={"version_table": self.version_table}).get_current_revision()

    def lack(self, held: str | None) -> bool:
        """Whether a database of this version is to be brought to the newest. Raises what `newer` gives."""
        if held not in (None, *self.known):
            raise self.newer()
        return held != self.known[0]

    @contextmanager
    def changing(self, engine: Engine) -> Iterator[Connection]:
        """A connection that changes tables while nobody else does; committed when the block ends."""
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                # Its driver begins no transaction by itself for a change of a table.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({self.lock})")
            yield connection
            connection.commit()

    def up(self, connection: Connection) -> None:
        """To the newest version."""
        if self.before_steps and self.version(connection) is None and inspect(connection).has_table(self.before_steps):
            command.stamp(self._on(connection), self.known[-1])
        command.upgrade(self._on(connection), "head")

    def down(self, connection: Connection, to: str) -> None:
        """To an earlier version; "base": no tables."""
        command.downgrade(self._on(connection), to)

    def write_next(self, what: str, number: str) -> None:
        """Write the file of the next step: what lacks between the last version and the tables as they are."""
        with create_engine("sqlite://").connect() as connection:
            self.up(connection)
            command.revision(self._on(connection), what, autogenerate=True, rev_id=number)

    @cached_property
    def known(self) -> tuple[str, ...]:
        """All versions that this program knows, the newest first."""
        # Alembic compiles every step to know their order.
        return tuple(step.revision for step in ScriptDirectory.from_config(self._config()).walk_revisions())

    def _on(self, connection: Connection) -> Config:
        made = self._config()
        made.attributes.update(connection=connection, steps=self)
        return made

    def _config(self) -> Config:
        made = Config()
        places = {"script_location": Path(__file__).parent, "version_locations": self.folder / "versions"}
        for option, place in places.items():
            # The parser of settings takes a lone per cent sign for a name to be filled in.
            made.set_main_option(option, str(place).replace("%", "%%"))
        # A folder may have a space or a colon in its name.
        made.set_main_option("path_separator", "newline")
        return made
