"""Moments and days. A moment is aware and in UTC; a day is the municipality's own."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from card.record import DAY_ZERO

Now = Callable[[], datetime]

_ZERO = date(*DAY_ZERO)


def utc_now() -> datetime:
    return datetime.now(UTC)


def day_of(number: int) -> date:
    """The date of a record's day number."""
    return _ZERO + timedelta(days=number)


def day_number(day: date) -> int:
    """The day number of a date, as in records and bundles."""
    return (day - _ZERO).days


class Calendar:
    """The clock of one municipality."""

    def __init__(self, now: Now, timezone: str) -> None:
        self.now = now
        self._zone = ZoneInfo(timezone)

    def today(self) -> date:
        return self.now().astimezone(self._zone).date()
