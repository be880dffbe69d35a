"""A scheme from its TOML file, or every fault in it with its line, its key and what is expected there.

Every key is explained in docs/add-a-scheme.md.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import cast, get_args

from issuer.people import ROLES, SCHOOLS
from issuer.scheme.model import Fund, Grant, MonthDay, Period, Purse, Scheme, Split, Unit
from issuer.toml_table import Document, Table

# The upper limit of a value file on the card is a signed 32-bit number; the offer of a record has 32 bits.
_MOST = 2**31 - 1
_LAST_GRANT = 2**32 - 1
_LAST_MUNICIPALITY = 2**16 - 1
_LAST_PURSE = 14
_LARGEST_BUDGET = 10**15
_OLDEST = 150
_LARGEST_HOUSEHOLD = 30
_MOST_PERCENT = 1000
_WHOLE = 100
_LONGEST_OVERLAP_DAYS = 365
# Not a year with 29 February: a day of the pass year must be there every year.
_COMMON_YEAR = 2025
_STAGES = tuple(stage for stage in SCHOOLS if stage)


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
    year_ends = _month_and_day(rules, "year_ends") or (12, 31)
    overlap_days = rules.whole("overlap_days", 0, _LONGEST_OVERLAP_DAYS)
    transferable = rules.flag("transferable")
    rules.close()
    if not rules.is_good("income_percent"):
        # The fault is known; what a grant asks needs no second one for it.
        income_percent = _MOST_PERCENT

    hardship = document.one("hardship", optional=True)
    second_person_above = hardship.whole("second_person_above", 0, _MOST, 0)
    hardship.close()

    # How venues are paid and invoiced is for clearing; here it is only held against its form.
    payments = document.one("payments", optional=True)
    payments.whole("minimum", 0, _MOST, 0)
    payments.whole("second_check_above", 0, _MOST, 0)
    payments.close()
    _address(document.one("invoice", optional=True))

    funds = _funds(document.each("fund"))
    purses = _purses(document.each("purse"), [fund.name for fund in funds])
    grants = _grants(document.each("grant"), purses, [fund.name for fund in funds], minimum_age, income_percent)
    if not document.faults:
        _refuse_more_than_a_purse_holds(document, purses, grants)
        _refuse_a_budget_of_two_units(document, funds, purses, grants)
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
        transferable=transferable,
        second_person_above=second_person_above,
    )


def _address(invoice: Table) -> None:
    """Who the municipality is on an invoice: all of it, or no such table, whose faults count for nothing."""
    invoice.text("oin", "[0-9]{20}", "twenty digits")
    invoice.text("street", ".{1,70}", "1 to 70 characters")
    invoice.text("postcode", "[0-9]{4} ?[A-Z]{2}", "four digits and two capitals")
    invoice.text("city", ".{1,70}", "1 to 70 characters")
    invoice.close()


def _month_and_day(table: Table, key: str, optional: bool = False) -> MonthDay | None:
    expected = 'a month and a day that every year has, such as "12-31"'
    text = table.text(key, r"[0-9]{2}-[0-9]{2}", expected, unless_given="" if optional else None)
    if not text:
        return None
    month, day = int(text[:2]), int(text[3:])
    try:
        date(_COMMON_YEAR, month, day)
    except ValueError:
        table.fault(key, f"expected is {expected}")
    return month, day


def _funds(tables: list[Table]) -> tuple[Fund, ...]:
    funds = tuple(Fund(table.name(), table.whole("budget", 1, _LARGEST_BUDGET, 0) or None) for table in tables)
    for table in tables:
        table.close()
    _refuse_twice(tables, "name")
    return funds


def _purses(tables: list[Table], funds: list[str]) -> dict[int, Purse]:
    purses: dict[int, Purse] = {}
    for table in tables:
        purse = Purse(
            number=table.whole("number", 1, _LAST_PURSE),
            name=table.name(),
            unit=cast(Unit, table.one_of("unit", get_args(Unit))),
            ceiling=table.whole("ceiling", 1, _MOST),
            class_=table.text("class", "[a-z][a-z-]{0,30}", "a word in small letters, such as sport", unless_given=""),
            funds=_funds_of_purse(table, funds),
            split=cast(Split, table.one_of("split", get_args(Split), "order")),
            shares=table.wholes("shares", 1, _WHOLE),
        )
        table.close()
        _check_split(table, purse)
        if not table.is_good("ceiling"):
            # The fault is known; what is granted needs no second one for it.
            purse = replace(purse, ceiling=_MOST)
        if table.is_good("number"):
            purses.setdefault(purse.number, purse)
    _refuse_twice(tables, "number", "name")
    return purses


def _funds_of_purse(table: Table, funds: list[str]) -> tuple[str, ...]:
    one, several = table.name("fund", ""), table.chosen("funds", funds, "the names of two [[fund]] or more")
    if one and several:
        table.fault("funds", "expected is `fund` or `funds`, not both")
    if not ("fund" in table.values or "funds" in table.values):
        table.fault("fund", "missing; expected is the name of a [[fund]]")
    _check_fund(table, funds)
    return several or (one,)


def _check_fund(table: Table, funds: list[str]) -> None:
    if table.is_good("fund") and table.values["fund"] not in funds:
        table.fault("fund", "expected is the name of a [[fund]]")


def _check_split(table: Table, purse: Purse) -> None:
    if table.is_good("funds"):
        if len(purse.funds) == 1:
            table.fault("funds", "expected is the names of two [[fund]] or more; for one, write `fund`")
        if "split" not in table.values:
            table.fault("split", 'missing; expected is one of "order", "share"')
    elif table.is_good("fund", "split"):
        table.fault("split", "expected is `funds` with two [[fund]] or more beside it")
    expected = f"expected is a percentage for each of the funds, together {_WHOLE}"
    if table.is_good("split", "shares") and purse.split != "share":
        table.fault("shares", 'expected is only with split = "share"')
    elif table.is_good("split") and purse.split == "share" and "shares" not in table.values:
        table.fault("shares", f"missing; {expected}")
    elif table.is_good("shares", "funds") and (len(purse.shares) != len(purse.funds) or sum(purse.shares) != _WHOLE):
        table.fault("shares", expected)


def _grants(
    tables: list[Table], purses: dict[int, Purse], funds: list[str], minimum_age: int, income_percent: int
) -> tuple[Grant, ...]:
    grants = []
    for table in tables:
        grant = _grant(table, minimum_age, income_percent)
        if grant.tailored:
            _refuse_rules_beside_tailored(table)
        table.close()
        _check_fund(table, funds)
        _check_grant(table, grant, purses, minimum_age, income_percent)
        _check_amount(table, grant)
        grants.append(grant)
    _refuse_twice(tables, "number", "name")
    return tuple(grants)


def _grant(table: Table, minimum_age: int, income_percent: int) -> Grant:
    """What is not in the file asks nothing beyond the pass itself."""
    tailored = table.flag("tailored")
    until_age = table.whole("until_age", 0, _OLDEST, _OLDEST)
    income = table.whole("income_percent", 1, _MOST_PERCENT, income_percent)
    return Grant(
        number=table.whole("number", 1, _LAST_GRANT),
        name=table.name(),
        purse=table.whole("purse", 1, _LAST_PURSE),
        amount=table.whole("amount", 1, _MOST, 0 if tailored else None),
        per=cast(Period, table.one_of("per", get_args(Period))),
        from_age=table.whole("from_age", 0, _OLDEST, minimum_age),
        until_age=until_age if table.is_good("until_age") else None,
        age_on=_month_and_day(table, "age_on", optional=True),
        school=table.chosen("school", _STAGES, "some of " + ", ".join(f'"{stage}"' for stage in _STAGES)),
        role=table.one_of("role", ROLES, "") or None,
        household_from=table.whole("household_from", 1, _LARGEST_HOUSEHOLD, 0) or None,
        household_until=table.whole("household_until", 1, _LARGEST_HOUSEHOLD, 0) or None,
        per_child=table.flag("per_child"),
        refill=table.flag("refill"),
        pro_rata=bool(table.one_of("pro_rata", ("month",), "")),
        income_percent=income if table.is_good("income_percent") else None,
        tailored=tailored,
        fund=table.name("fund", "") or None,
    )


def _refuse_rules_beside_tailored(table: Table) -> None:
    for key in sorted(set(table.values) - {"number", "name", "purse", "per", "tailored", "fund"}):
        table.fault(key, "expected is none with tailored = true: people decide how much, and for whom")
    if table.is_good("per") and table.values["per"] not in ("year", "once"):
        table.fault("per", 'expected is "year" or "once" with tailored = true')


def _check_grant(table: Table, grant: Grant, purses: dict[int, Purse], minimum_age: int, income_percent: int) -> None:
    purse = purses.get(grant.purse)
    if purse is None and table.is_good("purse"):
        table.fault("purse", "expected is the number of a [[purse]]")
    if purse and table.is_good("amount", "purse") and grant.amount_in_a_year > purse.ceiling:
        table.fault("amount", f"expected is at most the ceiling of its purse, {purse.ceiling}, over a whole year")
    # On another day than that of the decision somebody can be younger than the pass asks.
    youngest = grant.from_age if grant.age_on else max(grant.from_age, minimum_age)
    if grant.until_age is not None and grant.until_age < youngest:
        table.fault("until_age", f"expected is {youngest} or more, where the ages begin")
    if grant.income_percent is not None and grant.income_percent > income_percent:
        table.fault("income_percent", f"expected is at most {income_percent}, the income for a pass")
    if grant.household_until is not None and grant.household_until < (grant.household_from or 0):
        table.fault("household_until", f"expected is {grant.household_from} or more, as household_from")


def _check_amount(table: Table, grant: Grant) -> None:
    """Refuse what would not tell one amount for a whole year."""
    if grant.pro_rata and grant.per != "year":
        table.fault("pro_rata", 'expected is with per = "year", and only there')
    if grant.refill and (grant.per != "year" or grant.pro_rata):
        table.fault("refill", 'expected is with per = "year" and without pro_rata')
    # The second child of July would make up for the months that the first had before it.
    if grant.per_child and (grant.per in ("month", "quarter") or grant.pro_rata):
        table.fault("per_child", 'expected is with per = "year" or "once" and without pro_rata')


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
        if (most := _most_in_a_year(into)) > purse.ceiling:
            document.each("purse")[place].fault(
                "ceiling", f"expected is {most} or more, what one person can get a year"
            )


def _most_in_a_year(grants: list[Grant]) -> int:
    """What one person can get of some grants together. It only rises where the ages or households of one begin."""
    ages = {grant.from_age for grant in grants}
    sizes = {grant.household_from or 0 for grant in grants}
    return max(
        (
            sum(
                grant.amount_in_a_year
                for grant in grants
                if grant.is_for_age(age) and grant.is_for_school(stage) and grant.is_for_household(size)
            )
            for age, stage, size in product(ages, SCHOOLS, sizes)
        ),
        default=0,
    )


def _refuse_a_budget_of_two_units(
    document: Document, funds: Iterable[Fund], purses: dict[int, Purse], grants: Iterable[Grant]
) -> None:
    """A budget is one number, so all that it pays must be in one unit."""
    paid = [(name, purse.unit) for purse in purses.values() for name in purse.funds]
    paid += [(grant.fund, purses[grant.purse].unit) for grant in grants if grant.fund]
    for table, fund in zip(document.each("fund"), funds, strict=True):
        if fund.budget is not None and len({unit for name, unit in paid if name == fund.name}) > 1:
            table.fault("budget", "expected is a fund that pays for purses of one unit only")
