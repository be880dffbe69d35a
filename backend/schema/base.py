"""What every table is made with: the metadata, its names, columns of our kinds, and what may never change."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC; refuses one without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


def number(name: str, *rest: Any, **options: Any) -> Column[int]:
    """A column for an unsigned number of up to 32 bits."""
    return Column(name, BigInteger, *rest, **options)


def table(name: str, *items: Any, **options: Any) -> Table:
    """A table of clearing. Every row is of a municipality, and every key says of which: two of them may share a
    database, and both have a venue 1. Numbers that the database gives (`id`) are of the whole database."""
    columns = [item for item in items if isinstance(item, Column)]
    keys = [item for item in items if not isinstance(item, Column)]
    numbered = any(column.name == "id" for column in columns)
    columns.append(Column("municipality", Integer, primary_key=not numbered, default=_whose, nullable=False))
    if numbered:
        keys.append(unique("id"))
    return Table(name, metadata, *columns, *keys, **options)


def told(made: Table) -> list[Column[Any]]:
    """The columns that say something to who works for one municipality: all but that."""
    return [column for column in made.columns if column.name != "municipality"]


def _whose(context: Any) -> int:
    """The municipality of the store that writes."""
    number: int = context.root_connection.get_execution_options()["municipality"]
    return number


def refers(columns: str, target: str, keys: str) -> ForeignKeyConstraint:
    """Columns that hold the key of a row in another table, of the same municipality; names apart by spaces."""
    held = ["municipality", *columns.split()]
    return ForeignKeyConstraint(held, [f"{target}.{key}" for key in ("municipality", *keys.split())])


def unique(*columns: str) -> UniqueConstraint:
    """What no two rows of a municipality share."""
    return UniqueConstraint("municipality", *columns)


@dataclass
class Guard:
    """What may happen to the rows of a table. `final`: changes, each with when it is refused, in SQL about OLD."""

    changing: tuple[str, ...] = ()
    removable: bool = False
    final: list[tuple[Literal["UPDATE", "DELETE"], str]] = field(default_factory=list)


# By table; `backend.schema.guards` lays them. Of a table that is not in it anything may change.
guarded: dict[Table, Guard] = {}


def append_only(made: Table, changing: tuple[str, ...] = (), removable: bool = False) -> None:
    """Rows stay (unless `removable`) as they are, but for the columns in `changing`."""
    guarded[made] = Guard(changing, removable)


def final(made: Table, change: Literal["UPDATE", "DELETE"], when: str) -> None:
    """A row of an append-only table is not changed (or removed) when `when` is true of it, in SQL about OLD."""
    guarded[made].final.append((change, when))
