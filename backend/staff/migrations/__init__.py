"""The tables of staff, step by step: a database of any version becomes one of this version, or of an earlier one.

To change a table: change it in `backend.staff.tables` or `web`, run `python -m backend.staff.migrations "what changes"
0002`, and read what it wrote into `versions/`.
"""

from pathlib import Path

from sqlalchemy import Engine, MetaData, inspect

from backend.errors import ConfigError
from web.moment import Moment
from web.steps import NewerDatabase, Steps

# What a database has that was made before there were steps.
_FIRST, _OF_STAFF_ONLY = "0001", "account_venue"


def _tables() -> MetaData:
    from backend.staff.tables import metadata

    return metadata


# A version table of its own: a server may keep the books in the same database.
STEPS = Steps(Path(__file__).parent, _tables, 20261122, (Moment, "sa.String(25)"), "staff_version")


def upgrade(engine: Engine) -> None:
    """Bring the database to this version, all or nothing; when it is there already, one question to the database."""
    try:
        with engine.connect() as connection:
            if not STEPS.lack(STEPS.version(connection)):
                return
    except NewerDatabase:
        raise ConfigError("The accounts are of a newer version than this program. Update the program.") from None
    with STEPS.changing(engine) as connection:
        if STEPS.version(connection) is None and inspect(connection).has_table(_OF_STAFF_ONLY):
            STEPS.stamp(connection, _FIRST)
        STEPS.up(connection)


def downgrade(engine: Engine, to: str) -> None:
    """Bring the database back to an earlier version; "base": no tables."""
    with STEPS.changing(engine) as connection:
        STEPS.down(connection, to)
