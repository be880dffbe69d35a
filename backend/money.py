"""Cents to words and back, at the edge. Everywhere else money is a whole number of cents."""

import re
from decimal import Decimal

from babel.numbers import format_currency


def euro(cents: int) -> str:
    """`123450` to `€ 1.234,50`."""
    return format_currency(Decimal(cents) / 100, "EUR", locale="nl_NL").replace("\xa0", " ")


def cents_of(text: str) -> int:
    """`12,50`, `12.50` or `12` to 1250; raises ValueError."""
    read = re.fullmatch(r"(\d{1,7})(?:[.,](\d{2}))?", text.strip(), re.ASCII)
    if read is None:
        raise ValueError("an amount is written like 12,50")
    return int(read[1]) * 100 + int(read[2] or 0)
