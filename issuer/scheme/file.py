"""The scheme of a municipality: who may have a pass, its purses and funds, and what is granted; from one TOML file.

Amounts and ceilings are whole numbers in the unit of the purse: cents, points, visits or items.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal, cast

from issuer.people import ROLES
from issuer.toml_table import Document, Table

Unit = Literal["cent", "point", "visit", "item"]
Period = Literal["year", "month"]
UNITS = ("cent", "point", "visit", "item")
PERIODS = ("year", "month")
# The upper limit of a value file on the card is a signed 32-bit number; the offer of a record has 32 bits.
_MOST = 2**31 - 1
_LAST_GRANT = 2**32 - 1
_LAST_MUNICIPALITY = 2**16 - 1
_LAST_PURSE = 14
_OLDEST = 150
_MOST_PERCENT = 1000
_LONGEST_OVERLAP_DAYS = 365
_MONTHS = 12
# Not a year with 29 February: the last day of a pass year must be there every year.
_COMMON_YEAR = 2025


@dataclass(frozen=True)
class Purse:
    """A budget on the pass. `ceiling` is the most that it can hold; `fund` is where its money comes from."""

    number: int
    name: str
    unit: Unit
    ceiling: int
    fund: str


@dataclass(frozen=True)
class Grant:
    """What is given, and to whom. `amount` per `per`; both ages are included; `role`: only for who has it."""

    number: int
    name: str
    purse: int
    amount: int
    per: Period
    from_age: int
    until_age: int | None = None
    role: str | None = None
    income_percent: int | None = None

    @property
    def amount_in_a_year(self) -> int:
        return self.amount * (_MONTHS if self.per == "month" else 1)

    def is_for_age(self, age: int) -> bool:
        return self.from_age <= age and (self.until_age is None or age <= self.until_age)


@dataclass(frozen=True)
class Scheme:
    """All rules of one municipality. `aid` as printed; `year_ends` is the (month, day) that closes a pass year."""

    name: str
    number: int
    aid: str
    df_name: str
    purses: dict[int, Purse]
    funds: tuple[str, ...]
    grants: tuple[Grant, ...]
    minimum_age: int
    income_percent: int
    year_ends: tuple[int, int]
    overlap_days: int

    def year_end(self, on: date) -> date:
        """The last day of the pass year that a day is in."""
        this_year = date(on.year, *self.year_ends)
        return this_year if on <= this_year else date(on.year + 1, *self.year_ends)

    def months_left(self, on: date) -> int:
        """Months of the pass year from a day on, with the month of that day; 1 to 12."""
        end = self.year_end(on)
        # 13 calendar months touch a year that does not end with a month.
        return min(_MONTHS, (end.year - on.year) * _MONTHS + end.month - on.month + 1)

    def validity(self, on: date) -> tuple[date, date]:
        """First and last day of a pass that is made on a day; both are included."""
        return on, self.year_end(on) + timedelta(days=self.overlap_days)

    def ceilings(self) -> dict[int, int]:
        """{purse: the most that it can hold}."""
        return {number: purse.ceiling for number, purse in self.purses.items()}


def load_scheme(path: Path) -> Scheme:
    """The scheme in a file; raises SchemeError with every fault, its line, its key and what is expected there."""
    document = Document(path)
    municipality = document.one("municipality")
    name = municipality.name()
    number = municipality.whole("number", 1, _LAST_MUNICIPALITY)
    # AID 000000 is the card itself.
    aid = municipality.text("aid", "(?!000000)[0-9A-F]{6}", "six hexadecimal digits in capitals, not 000000")
    df_name = municipality.text("df_name", "[!-~]{1,16}", "1 to 16 ASCII characters without spaces")
    municipality.close()

    rules = document.one("pass")
    minimum_age = rules.whole("minimum_age", 0, _OLDEST)
    income_percent = rules.whole("income_percent", 1, _MOST_PERCENT)
    year_ends = _month_and_day(rules, "year_ends")
    overlap_days = rules.whole("overlap_days", 0, _LONGEST_OVERLAP_DAYS)
    rules.close()

    funds = _funds(document.each("fund"))
    purses = _purses(document.each("purse"), funds)
    grants = _grants(document.each("grant"), purses, minimum_age, income_percent)
    if not document.faults:
        _refuse_more_than_a_purse_holds(document, purses, grants)
    document.finish()
    return Scheme(
        name=name,
        number=number,
        aid=aid,
        df_name=df_name,
        purses=purses,
        funds=funds,
        grants=grants,
        minimum_age=minimum_age,
        income_percent=income_percent,
        year_ends=year_ends,
        overlap_days=overlap_days,
    )


def _month_and_day(table: Table, key: str) -> tuple[int, int]:
    expected = 'a month and a day that every year has, such as "12-31"'
    text = table.text(key, r"[0-9]{2}-[0-9]{2}", expected, "12-31")
    month, day = int(text[:2]), int(text[3:])
    try:
        date(_COMMON_YEAR, month, day)
    except ValueError:
        table.fault(key, f"expected is {expected}")
    return month, day


def _funds(tables: list[Table]) -> tuple[str, ...]:
    names = tuple(table.name() for table in tables)
    for table in tables:
        table.close()
    _refuse_twice(tables, "name")
    return names


def _purses(tables: list[Table], funds: tuple[str, ...]) -> dict[int, Purse]:
    purses: dict[int, Purse] = {}
    for table in tables:
        purse = Purse(
            number=table.whole("number", 1, _LAST_PURSE),
            name=table.name(),
            unit=cast(Unit, table.one_of("unit", UNITS)),
            ceiling=table.whole("ceiling", 1, _MOST),
            fund=table.name("fund"),
        )
        table.close()
        if table.is_good("fund") and purse.fund not in funds:
            table.fault("fund", "expected is the name of a [[fund]]")
        if table.is_good("number"):
            purses.setdefault(purse.number, purse)
        if not table.is_good("ceiling") and table.is_good("number"):
            # The fault is known; what is granted needs no second one for it.
            purses[purse.number] = Purse(purse.number, purse.name, purse.unit, _MOST, purse.fund)
    _refuse_twice(tables, "number", "name")
    return purses


def _grants(tables: list[Table], purses: dict[int, Purse], minimum_age: int, income_percent: int) -> tuple[Grant, ...]:
    grants = []
    for table in tables:
        # An age or a percentage that is not in the file asks nothing beyond the pass itself.
        until_age = table.whole("until_age", 0, _OLDEST, _OLDEST)
        income = table.whole("income_percent", 1, _MOST_PERCENT, income_percent)
        grant = Grant(
            number=table.whole("number", 1, _LAST_GRANT),
            name=table.name(),
            purse=table.whole("purse", 1, _LAST_PURSE),
            amount=table.whole("amount", 1, _MOST),
            per=cast(Period, table.one_of("per", PERIODS)),
            from_age=table.whole("from_age", 0, _OLDEST, minimum_age),
            until_age=until_age if table.is_good("until_age") else None,
            role=table.one_of("role", ROLES, "") or None,
            income_percent=income if table.is_good("income_percent") else None,
        )
        table.close()
        _check_grant(table, grant, purses, minimum_age, income_percent)
        grants.append(grant)
    _refuse_twice(tables, "number", "name")
    return tuple(grants)


def _check_grant(table: Table, grant: Grant, purses: dict[int, Purse], minimum_age: int, income_percent: int) -> None:
    purse = purses.get(grant.purse)
    if purse is None and table.is_good("purse"):
        table.fault("purse", "expected is the number of a [[purse]]")
    if purse and table.is_good("amount", "purse", "per") and grant.amount_in_a_year > purse.ceiling:
        table.fault("amount", f"expected is at most the ceiling of its purse, {purse.ceiling}, over a whole year")
    if grant.until_age is not None and grant.until_age < max(grant.from_age, minimum_age):
        table.fault("until_age", f"expected is {max(grant.from_age, minimum_age)} or more, where the ages begin")
    if grant.income_percent is not None and grant.income_percent > income_percent:
        table.fault("income_percent", f"expected is at most {income_percent}, the income for a pass")


def _refuse_twice(tables: list[Table], *keys: str) -> None:
    for key in keys:
        seen = set()
        for table in tables:
            if not table.is_good(key):
                continue
            if table.values[key] in seen:
                table.fault(key, "given twice; expected is one that no other has")
            seen.add(table.values[key])


def _refuse_more_than_a_purse_holds(document: Document, purses: dict[int, Purse], grants: Iterable[Grant]) -> None:
    """Several grants may go to one purse; whoever gets them all in a year must be able to hold them."""
    grants = tuple(grants)
    for place, purse in enumerate(purses.values()):
        into = [grant for grant in grants if grant.purse == purse.number]
        # What is given together only rises where a grant begins.
        most = max(
            (sum(one.amount_in_a_year for one in into if one.is_for_age(first.from_age)) for first in into), default=0
        )
        if most > purse.ceiling:
            document.each("purse")[place].fault(
                "ceiling", f"expected is {most} or more, what one person can get a year"
            )
