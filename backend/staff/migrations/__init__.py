"""The tables of staff, step by step: a database of any version becomes one of this version, or of an earlier one.

To change a table: change it in `backend.staff.tables` or `web`, run `python -m backend.staff.migrations "what changes"
0002`, and read what it wrote into `versions/`.
"""

from pathlib import Path

from sqlalchemy import MetaData

from backend.errors import ConfigError
from web.moment import Moment
from web.steps import Steps


def _tables() -> MetaData:
    from backend.staff.tables import metadata

    return metadata


def _newer() -> ConfigError:
    return ConfigError("The accounts are of a newer version than this program. Update the program.")


STEPS = Steps(
    Path(__file__).parent,
    _tables,
    _newer,
    20261122,
    (Moment, "sa.String(25)"),
    # Of its own: a server may keep the books in the same database.
    version_table="staff_version",
    before_steps="account_venue",
)
