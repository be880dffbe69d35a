"""The reach of a scheme: how many passes are in use, as one count for the statistics of clearing.

It is a count of the day on which it is made: the registry knows what a pass is now, and what it was before for a year
only (`issuer.retention`). So a year is counted while it lasts or in the month after it, and the file says the day. A
count from 1 up to the least that clearing publishes is not told.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from issuer.errors import DeskError
from issuer.registry import passes
from issuer.scheme import Scheme

WHAT = "passes that are with their holder or on their way, and valid, on the day of counting"
# As clearing's own least count; its `statistics_minimum` may ask for more.
LEAST_COUNT = 10
_MONTH = timedelta(days=31)


@dataclass(frozen=True)
class Reach:
    """What the file holds, and all of it. `passes` None: some, and fewer than `minimum`."""

    municipality: int
    year: int
    counted_on: date
    counts: str
    minimum: int
    passes: int | None

    def as_json(self) -> str:
        return json.dumps(asdict(self), default=date.isoformat)


def reach_of(session: Session, scheme: Scheme, year: int, on: date) -> Reach:
    """Count the passes in use today, for the statistics of a calendar year; raises DeskError outside that year."""
    if not date(year, 1, 1) <= on <= date(year, 12, 31) + _MONTH:
        raise DeskError(
            "The passes in use are those of today: count them in {year}, or in the month after it.", year=year
        )
    count = passes.in_use(session, on)
    return Reach(scheme.number, year, on, WHAT, LEAST_COUNT, None if 0 < count < LEAST_COUNT else count)
