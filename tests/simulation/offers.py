"""What venues offer and what a tap of it must move, worked out apart from terminal and backend."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

VENUES = Path(__file__).parents[2] / "meedoen/demo/venues.toml"


@dataclass(frozen=True)
class Offer:
    """One line of the menu of a venue. `place`: which one, from 1 on."""

    venue: int
    place: int
    purse: int
    price: str
    amount: int
    percent: int
    cap: int
    compensated: bool

    def keys(self, price: int) -> str:
        """What staff press for it."""
        return f"{self.place}#" if self.price == "fixed" else f"{self.place}#{price}#"

    def takes(self, price: int) -> int:
        """What it takes from its purse, in the unit of that."""
        return price if self.price == "typed" else self.amount

    def discount(self, price: int) -> int:
        """In whole cents: the exact percentage without its fraction, and not above the cap."""
        if self.price != "percent":
            return 0
        exact = price * self.percent
        return min((exact - exact % 100) // 100, self.cap or price)

    def owed(self, price: int, unit: str) -> int:
        """Cents that the municipality owes the venue for it."""
        return (self.takes(price) if unit == "cent" else 0) + (self.discount(price) if self.compensated else 0)


@dataclass(frozen=True)
class Venue:
    """A venue as its agreement says."""

    number: int
    name: str
    purses: frozenset[int]
    terminals: tuple[int, ...]
    offers: tuple[Offer, ...]


def read_venues() -> list[Venue]:
    """All venues of the city."""
    return [
        Venue(
            entry["number"],
            entry["name"],
            frozenset(entry["purses"]),
            tuple(entry["terminals"]),
            tuple(_offer(entry["number"], place, each) for place, each in enumerate(entry["offer"], 1)),
        )
        for entry in tomllib.loads(VENUES.read_text(encoding="utf-8"))["venue"]
    ]


def _offer(venue: int, place: int, entry: dict[str, object]) -> Offer:
    fields = {"amount": 0, "percent": 0, "cap": 0, "compensated": False} | entry
    return Offer(
        venue, place, *(fields[name] for name in ("purse", "price", "amount", "percent", "cap", "compensated"))
    )
