"""A city with those who watch it, and how it ends."""

import copy
from collections.abc import Callable
from typing import Any

from tests.simulation.bank import PaperBank
from tests.simulation.city import City
from tests.simulation.dishonest import Forger
from tests.simulation.invariants import Books, Bystander

Deed = Callable[["Run", dict[str, Any]], None]
BACKUP = "backend-copy"


class Run:
    """`forgers` and `cloned` are the dishonest venues, by terminal."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.bystander = Bystander(city)
        self.books = Books(city, self.bystander)
        self.forgers: list[tuple[int, Forger]] = []
        self.cloned: list[int] = []
        self.events = self.taps = self.settled = 0
        self.bank = PaperBank()
        self._kept: tuple[int, Books] | None = None

    def venue_named(self, name: str) -> int:
        """Its number, by the name on a payment."""
        return next(venue.number for venue in self.city.venues if venue.name[:70] == name)

    # A copy of clearing

    def keep_books(self) -> None:
        """What is known of the books now belongs to the copy that is made of clearing."""
        self._kept = self.settled, self._copied(self.books)

    @property
    def may_go_back(self) -> bool:
        """Whether the bank did nothing since the copy."""
        return self._kept is not None and self._kept[0] == self.settled

    def books_of_then(self) -> None:
        """The copy took the place of clearing."""
        assert self._kept is not None
        self.books = self._copied(self._kept[1])

    @staticmethod
    def _copied(books: Books) -> Books:
        return Books(
            books.city,
            books.bystander,
            set(books.proven),
            copy.copy(books.expected),
            copy.copy(books.paid),
            dict(books.waiting),
            books.known,
        )
