"""The schema of the registry, step by step: a database of any earlier version becomes one of this version.

To change a table: change it in `tables.py` (or beside its module), run `python -m issuer.registry.migrations "what
changes" 0003`, and read what it wrote into `versions/`.
"""

from pathlib import Path

from sqlalchemy import Engine, MetaData

from issuer.errors import DeskError
from web.moment import Moment
from web.steps import NewerDatabase, Steps


def _tables() -> MetaData:
    # Only now: what has tables needs the registry itself.
    from issuer.web.tables import metadata

    return metadata


STEPS = Steps(Path(__file__).parent, _tables, 20261121, (Moment, "sa.String(25)"))


def upgrade(engine: Engine) -> None:
    """Bring the database to this version, all or nothing; when it is there already, one question to the database."""
    try:
        with engine.connect() as connection:
            if not STEPS.lack(STEPS.version(connection)):
                return
    except NewerDatabase:
        raise DeskError("The registry is of a newer version than this program. Update the program.") from None
    with STEPS.changing(engine) as connection:
        STEPS.up(connection)
