"""When a version of an offer counts, and whether a record follows its terms. Whole cents; a percentage rounds down."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row

from card.record import MOST_PRICE, NO_PURSE, ClearRecord

# A terminal may be without a network this long, so what was withdrawn still counts until its last bundle has run out.
BUNDLE_DAYS = 31
GRACE = timedelta(days=BUNDLE_DAYS)


def honoured(versions: Iterable[Row[Any]], day: date) -> list[Row[Any]]:
    """The versions that a terminal could rightly have had on a day: those offered on it first, then those withdrawn."""
    good = [
        version
        for version in versions
        if version.offered_from <= day
        and (version.until is None or day <= version.until)
        and (version.withdrawn_on is None or day < version.withdrawn_on + GRACE)
    ]
    return sorted(good, key=lambda version: version.withdrawn_on is not None and version.withdrawn_on <= day)


def agrees(version: Row[Any], record: ClearRecord) -> bool:
    """Whether purses, amounts, price, discount and co-payment are what this version of the offer says."""
    second = (NO_PURSE, 0) if version.purse2 is None else (version.purse2, version.amount2)
    if record.purse1 != version.purse or (record.purse2, record.amount2) != second:
        return False
    if version.price != "fixed" and not 0 < record.price <= MOST_PRICE:
        return False
    if version.price == "typed":
        return bool(record.discount == 0 and record.amount1 + record.copayment == record.price)
    if record.amount1 != version.amount:
        return False
    if version.price == "fixed":
        return bool(record.price in (0, version.amount) and record.discount == 0 and record.copayment == 0)
    discount = discount_of(version, record.price)
    return bool(record.discount == discount and record.copayment == record.price - discount)


def discount_of(version: Row[Any], price: int) -> int:
    """The discount on a price, both in cents."""
    discount: int = price * version.percent // 100
    return min(discount, version.cap) if version.cap else discount
