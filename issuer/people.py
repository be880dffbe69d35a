"""Who the desk knows: only what a decision needs. No income figure, no citizen number."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

ROLES = ("carer", "volunteer", "student")
# The stage that somebody is in; "" for nobody's pupil, or not known.
SCHOOLS = ("", "primary", "secondary", "vocational")


@dataclass(frozen=True)
class Person:
    """A member of a household. `income_percent`: upper end of the household's band, in percent of the norm.

    `roles` are of ROLES, `school` is one of SCHOOLS.
    """

    household: str
    family_name: str
    infix: str
    given_name: str
    born: date
    income_percent: int
    roles: frozenset[str] = frozenset()
    school: str = ""

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.given_name, self.infix, self.family_name) if part)

    @property
    def identity(self) -> str:
        """Who this is, whatever the household and however the name is capitalised: nobody gets a budget twice."""
        names = (self.given_name, self.infix, self.family_name)
        return "\t".join([self.born.isoformat(), *(" ".join(name.split()).casefold() for name in names)])

    def age(self, on: date) -> int:
        """Whole years on a day."""
        return _age(self.born, on)


def _age(born: date, on: date) -> int:
    """Someone born on 29 February has their birthday on 1 March in other years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


@dataclass(frozen=True)
class Household:
    """The people in it, and how many of them are under 18 on the day of the decision."""

    size: int
    children: int

    @classmethod
    def of(cls, born: Sequence[date], on: date) -> "Household":
        """Of people who were born on these days."""
        return cls(len(born), sum(_age(each, on) < 18 for each in born))


@dataclass(frozen=True)
class Address:
    """Where letters to a household go. `street` with the number; all empty when there is none."""

    street: str = ""
    postcode: str = ""
    town: str = ""


def plain(text: str) -> str:
    """A name without capitals, accents and double spaces: what a clerk types to find it."""
    split = unicodedata.normalize("NFKD", " ".join(text.split()).casefold())
    return "".join(letter for letter in split if not unicodedata.combining(letter))
