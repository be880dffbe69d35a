"""Days as cards, records and terminals count them."""

from datetime import date

from card.record import DAY_ZERO


def day_number(on: date) -> int:
    """Days since the day zero of records."""
    return (on - date(*DAY_ZERO)).days
