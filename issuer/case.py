"""One grant for one person on one day: the facts that its rules look at, and what it comes to."""

from dataclasses import dataclass
from datetime import date

from issuer.people import Household, Person
from issuer.scheme import Grant, Scheme, Unit

_MONTHS = 12


@dataclass(frozen=True)
class Case:
    """`amount` is what the rule gives for its period in all, whether or not this person meets the rule."""

    grant: Grant
    person: Person
    household: Household
    scheme: Scheme
    on: date

    @property
    def unit(self) -> Unit:
        return self.scheme.purses[self.grant.purse].unit

    @property
    def age_on(self) -> date:
        """The day that the age is of."""
        return self.on if self.grant.age_on is None else self.scheme.in_year_of(self.on, self.grant.age_on)

    @property
    def age(self) -> int:
        """0 for who is born after the day that ages are counted on."""
        return max(0, self.person.age(self.age_on))

    @property
    def months(self) -> int:
        """Months of the pass year that count; pro rata, a newborn has had the right to it since birth."""
        born = self.person.born
        newborn = self.grant.pro_rata and self.scheme.year_start(self.on) <= born <= self.on
        return self.scheme.months_left(born if newborn else self.on)

    @property
    def quarters(self) -> int:
        return self.scheme.quarters_left(self.on)

    @property
    def amount(self) -> int:
        """Part of a year is rounded down to a whole cent, point, visit or item."""
        amount = self.grant.amount * (self.household.children if self.grant.per_child else 1)
        if self.grant.per == "month":
            return amount * self.months
        if self.grant.per == "quarter":
            return amount * self.quarters
        return amount * self.months // _MONTHS if self.grant.pro_rata else amount

    @property
    def period(self) -> str:
        """What the amount is for: the pass year, or "once" for ever."""
        return "once" if self.grant.per == "once" else self.scheme.pass_year(self.on)
