"""The tables of accounts and of the log, for the database of a party."""

from collections.abc import Iterable

from sqlalchemy import CheckConstraint, MetaData

from web import accounts, attempts, audit_log
from web.tables import Base

# Every module that has tables.
_WITH_TABLES = (accounts, attempts, audit_log)


def add_tables(metadata: MetaData, roles: Iterable[str]) -> None:
    """Put them among a party's own, so that they are made and moved with those; `roles` are all that there are."""
    for table in Base.metadata.sorted_tables:
        added = table.to_metadata(metadata)
        if table.name == accounts.AccountRole.__tablename__:
            listed = ", ".join(f"'{role}'" for role in roles)
            added.append_constraint(CheckConstraint(f"role in ({listed})", name="role_is_known"))
