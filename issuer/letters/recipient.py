"""To whom a letter goes: a holder, the parents of a child, or who else was put down for it."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from issuer.letters.office import Address
from issuer.registry import people
from issuer.registry.tables import Holder, Household

_ADULT = 18


@dataclass(frozen=True)
class Recipient:
    """`child` is the given name of the child that the letter is about, "" when it is to the holder."""

    name: str
    child: str
    household: Household

    def address(self, parents: str) -> Address:
        """`parents` is how parents are called on an envelope."""
        to = f"{parents} {self.name}" if self.child else self.name
        return Address(to, self.household.street, self.household.postcode, self.household.town)

    @property
    def is_reachable(self) -> bool:
        return bool(self.household.street and self.household.postcode and self.household.town)


def recipient(session: Session, holder: Holder, on: date) -> Recipient:
    """Who gets a letter about a holder on a day. A child without adults in its household has somebody elsewhere."""
    if holder.person.age(on) >= _ADULT:
        return Recipient(holder.person.full_name, "", holder.household)
    guardians = people.guardians(session, holder, on)
    home = guardians[0].household if guardians else holder.household
    return Recipient(holder.person.full_name, holder.given_name, home)
