"""What every table is made with: the metadata, its names, columns of our kinds, and what may never change."""

from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import DDL, BigInteger, Column, DateTime, MetaData, Table, event
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


def table(name: str, *items: Any) -> Table:
    """A table of clearing."""
    return Table(name, metadata, *items)


def append_only(made: Table, changing: tuple[str, ...] = ()) -> None:
    """Rows stay for ever, as they are but for the columns in `changing`."""
    frozen = [column.name for column in made.columns if column.name not in changing]
    _refused(made, "UPDATE", f"OF {', '.join(frozen)}" if changing else "")
    _refused(made, "DELETE")


def final(made: Table, change: Literal["UPDATE", "DELETE"], when: str) -> None:
    """A row is not changed (or removed) when `when` is true of it, in SQL about OLD."""
    _refused(made, change, when=f"WHEN {when}")


def _refused(made: Table, change: str, of: str = "", when: str = "") -> None:
    """A trigger that stops an UPDATE or DELETE. SQLite has no rights to revoke; PostgreSQL takes them from the role."""
    name = f"{made.name}_{'final' if when else 'kept'}_{change.lower()}"
    statement = (
        f"CREATE TRIGGER {name} BEFORE {change} {of} ON {made.name} {when} "
        f"BEGIN SELECT RAISE(ABORT, '{made.name} is append-only'); END"
    )
    trigger = DDL(statement)  # type: ignore[no-untyped-call]
    event.listen(made, "after_create", trigger.execute_if(dialect="sqlite"))
