"""What a scheme is: its purses, funds and grants, and its pass year.

Amounts and ceilings are whole numbers in the unit of the purse: cents, points, visits or items.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Unit = Literal["cent", "point", "visit", "item"]
Period = Literal["year", "month", "quarter", "once"]
Split = Literal["order", "share"]
MonthDay = tuple[int, int]

MONTHS = 12
_MONTHS_IN_A_QUARTER = 3
_IN_A_YEAR: dict[Period, int] = {"year": 1, "month": 12, "quarter": 4, "once": 1}


@dataclass(frozen=True)
class Fund:
    """Where money comes from. `budget`: what it may give in a pass year, in the unit of its purses; None for no end."""

    name: str
    budget: int | None = None


@dataclass(frozen=True)
class Purse:
    """A budget on the pass. `ceiling` is the most that it can hold; `class_`: what kind of offers it may be spent on.

    `funds` is where its money comes from: the first until its budget is used up, then the next ("order"), or each its
    percentage in `shares` ("share").
    """

    number: int
    name: str
    unit: Unit
    ceiling: int
    funds: tuple[str, ...]
    split: Split = "order"
    shares: tuple[int, ...] = ()
    class_: str = ""


@dataclass(frozen=True)
class Grant:
    """What is given, and to whom: `amount` per `per`. What is None or empty asks nothing; limits are included.

    `age_on`: the day of the pass year that ages are counted on, None for the day of the decision. `per_child`: the
    amount is for each child in the household. `refill`: the amount is a level. `pro_rata`: of a year that has begun,
    only the months that are left. `tailored`: people decide on it for one person at a time, and no rule gives it.
    `fund`: where the money comes from, instead of the funds of the purse.
    """

    number: int
    name: str
    purse: int
    amount: int
    per: Period
    from_age: int
    until_age: int | None = None
    age_on: MonthDay | None = None
    school: tuple[str, ...] = ()
    role: str | None = None
    household_from: int | None = None
    household_until: int | None = None
    per_child: bool = False
    refill: bool = False
    pro_rata: bool = False
    income_percent: int | None = None
    tailored: bool = False
    fund: str | None = None

    @property
    def amount_in_a_year(self) -> int:
        """What one person can get of it in a pass year, with one child where it is per child."""
        return self.amount * _IN_A_YEAR[self.per]

    def is_for_age(self, age: int) -> bool:
        return self.from_age <= age and (self.until_age is None or age <= self.until_age)

    def is_for_household(self, size: int) -> bool:
        return (self.household_from or 0) <= size and (self.household_until is None or size <= self.household_until)

    def is_for_school(self, stage: str) -> bool:
        return not self.school or stage in self.school


@dataclass(frozen=True)
class Scheme:
    """All rules of one municipality. `aid` as printed; `year_ends` is the (month, day) that closes a pass year.

    `transferable`: others may use the pass too. `second_person_above`: in cents, see `needs_second_person`.
    """

    name: str
    number: int
    aid: str
    df_name: str
    purses: dict[int, Purse]
    funds: tuple[Fund, ...]
    grants: tuple[Grant, ...]
    minimum_age: int
    income_percent: int
    year_ends: MonthDay
    overlap_days: int
    transferable: bool = False
    second_person_above: int = 0

    def year_end(self, on: date) -> date:
        """The last day of the pass year that a day is in."""
        this_year = date(on.year, *self.year_ends)
        return this_year if on <= this_year else date(on.year + 1, *self.year_ends)

    def year_start(self, on: date) -> date:
        """The first day of the pass year that a day is in."""
        end = self.year_end(on)
        return date(end.year - 1, *self.year_ends) + timedelta(days=1)

    def pass_year(self, on: date) -> str:
        """The name of the pass year that a day is in: the year that it ends in."""
        return str(self.year_end(on).year)

    def in_year_of(self, on: date, day: MonthDay) -> date:
        """The one (month, day) of the pass year that `on` is in."""
        end = self.year_end(on)
        found = date(end.year, *day)
        return found if found <= end else date(end.year - 1, *day)

    def months_left(self, on: date) -> int:
        """Months of the pass year from a day on, with the month of that day; 1 to 12."""
        end = self.year_end(on)
        # 13 calendar months touch a year that does not end with a month.
        return min(MONTHS, (end.year - on.year) * MONTHS + end.month - on.month + 1)

    def quarters_left(self, on: date) -> int:
        """Quarters of the pass year from a day on, with the quarter of that day; 1 to 4."""
        return -(-self.months_left(on) // _MONTHS_IN_A_QUARTER)

    def validity(self, on: date) -> tuple[date, date]:
        """First and last day of a pass that is made on a day; both are included."""
        return on, self.year_end(on) + timedelta(days=self.overlap_days)

    def ceilings(self) -> dict[int, int]:
        """{purse: the most that it can hold}."""
        return {number: purse.ceiling for number, purse in self.purses.items()}

    def needs_second_person(self, grant: int, amount: int) -> bool:
        """Whether a decision by a person on this amount of a grant needs a second person.

        Points, visits and items have no price here, so for them it always does.
        """
        purse = next(self.purses[each.purse] for each in self.grants if each.number == grant)
        return purse.unit != "cent" or amount > self.second_person_above
