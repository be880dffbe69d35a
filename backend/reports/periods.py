"""Periods as they are named: a year `2026`, a quarter `2026-Q4`, a month `2026-11`."""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from backend.errors import ReportRefused

_NAMED = re.compile(r"(20\d\d)(?:-Q([1-4])|-(0[1-9]|1[0-2]))?")
_IN_A_QUARTER = 3
_MONTHS = 12


@dataclass(frozen=True)
class Period:
    """First and last day, both included."""

    name: str
    first: date
    last: date


def period(name: str) -> Period:
    """The period of a name; raises ReportRefused."""
    found = _NAMED.fullmatch(name)
    if found is None:
        raise ReportRefused("period", f"{name} is no period; write 2026, 2026-Q4 or 2026-11.")
    year, quarter, month = int(found[1]), found[2], found[3]
    if quarter is not None:
        until = int(quarter) * _IN_A_QUARTER
        since = until - _IN_A_QUARTER + 1
    else:
        since, until = (int(month),) * 2 if month is not None else (1, _MONTHS)
    return Period(name, date(year, since, 1), date(year, until, monthrange(year, until)[1]))


def months(first: date, last: date) -> Iterator[Period]:
    """The calendar months that the days of a period are in."""
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        yield period(f"{year}-{month:02d}")
        year, month = (year, month + 1) if month < _MONTHS else (year + 1, 1)
