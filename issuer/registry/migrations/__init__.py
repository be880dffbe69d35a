"""The schema of the registry, step by step: a database of any earlier version becomes one of this version.

To change a table: change it in `tables.py` (or beside its module), run `python -m issuer.registry.migrations "what
changes" 0003`, and read what it wrote into `versions/`.
"""

from pathlib import Path

from sqlalchemy import MetaData

from issuer.errors import DeskError
from web.moment import Moment
from web.steps import Steps


def _tables() -> MetaData:
    # Only now: what has tables needs the registry itself.
    from issuer.web.tables import metadata

    return metadata


def _newer() -> DeskError:
    return DeskError("The registry is of a newer version than this program. Update the program.")


STEPS = Steps(Path(__file__).parent, _tables, _newer, 20261121, (Moment, "sa.String(25)"))
