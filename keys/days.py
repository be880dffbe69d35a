"""Days as records count them, and the calendar years that keys go by."""

from datetime import date, timedelta

from card.record import DAY_ZERO

_ZERO = date(*DAY_ZERO)


def day_number(on: date) -> int:
    """Days since the day zero of records."""
    return (on - _ZERO).days


def date_of(day: int) -> date:
    """The reverse."""
    return _ZERO + timedelta(days=day)


def year_of(day: int) -> int:
    """The calendar year of a day."""
    return date_of(day).year
