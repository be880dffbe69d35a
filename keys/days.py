"""Days as records count them, and the calendar years that keys go by."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from card.record import DAY_ZERO

TIMEZONE = ZoneInfo("Europe/Amsterdam")

_ZERO = date(*DAY_ZERO)


def utc_now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def today() -> date:
    """The day in the municipality's own calendar."""
    return utc_now().astimezone(TIMEZONE).date()


def day_number(on: date) -> int:
    """Days since the day zero of records."""
    return (on - _ZERO).days


def date_of(day: int) -> date:
    """The reverse."""
    return _ZERO + timedelta(days=day)


def year_of(day: int) -> int:
    """The calendar year of a day."""
    return date_of(day).year
