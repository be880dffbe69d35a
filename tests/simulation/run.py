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
    """`forgers` and `cloned` are the dishonest venues, by terminal.

    `read`: how many of the bank's statements clearing has. `lacking`: the orders that the bank got and a copy of
    clearing did not know, from when it was put back until finance took them in; else None.
    """

    def __init__(self, city: City) -> None:
        self.city = city
        self.bystander = Bystander(city)
        self.books = Books(city, self.bystander)
        self.forgers: list[tuple[int, Forger]] = []
        self.cloned: list[int] = []
        self.events = self.taps = self.read = 0
        self.bank = PaperBank()
        self.lacking: list[bytes] | None = None
        self._kept: tuple[int, int, Books] | None = None

    def venue_named(self, name: str) -> int:
        """Its number, by the name on a payment."""
        return next(venue.number for venue in self.city.venues if venue.name[:70] == name)

    # A copy of clearing

    def keep_books(self) -> None:
        """What is known of the books now belongs to the copy that is made of clearing."""
        self._kept = len(self.bank.orders), self.read, self._copied(self.books)

    @property
    def may_go_back(self) -> bool:
        """Whether there is a copy."""
        return self._kept is not None

    def books_of_then(self) -> None:
        """The copy took the place of clearing."""
        assert self._kept is not None
        orders, self.read, books = self._kept
        self.books = self._copied(books)
        self.lacking = self.bank.orders[orders:]

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
