"""Cents to words, at the edge. Everywhere else money is a whole number of cents."""

from decimal import Decimal

from babel.numbers import format_currency


def euro(cents: int) -> str:
    """`123450` to `€ 1.234,50`."""
    return format_currency(Decimal(cents) / 100, "EUR", locale="nl_NL").replace("\xa0", " ")
