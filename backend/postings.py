"""Bookings of proven records on their way into the books: those that only differ in their number become one posting.

A posting is of one terminal, kind and day, and of one version of an offer; it says how many records it books. So a year
of a city is some thousands of postings a venue, whoever counts them need not touch every tap, and each entry of the
journal names the posting that books it. A load is a posting of its own: which fund gives it depends on those before,
so whoever adds one posts first what was added.
"""

from datetime import date
from typing import Any

from backend.calendar import day_of
from backend.ledger import Booking
from backend.store import Transaction
from backend.store.books import NewPosting
from card.record import ClearRecord


class _Sum:
    """Records that are booked together, and their rows, which are to name the posting."""

    def __init__(self, record: ClearRecord, booking: Booking) -> None:
        self._record = record
        self._booking = booking
        self._amounts: dict[tuple[str, str, str], int] = {}
        self.rows: list[dict[str, Any]] = []

    def add(self, booking: Booking, row: dict[str, Any]) -> None:
        for source, destination, unit, amount in booking.transfers:
            move = source, destination, unit
            self._amounts[move] = self._amounts.get(move, 0) + amount
        self.rows.append(row)

    def posting(self, today: date) -> NewPosting:
        transfers = [(*move, amount) for move, amount in self._amounts.items()]
        return NewPosting(
            self._booking.kind,
            day_of(self._record.day),
            today,
            self._record.terminal,
            len(self.rows),
            transfers,
            self._booking.about,
        )


class Postings:
    """What was added and not posted yet."""

    def __init__(self) -> None:
        self._sums: dict[tuple[Any, ...], _Sum] = {}

    def add(self, record: ClearRecord, booking: Booking, row: dict[str, Any]) -> None:
        """`row` gets the number of the posting when that is made."""
        key = self._key(record, booking)
        if key not in self._sums:
            self._sums[key] = _Sum(record, booking)
        self._sums[key].add(booking, row)

    @staticmethod
    def _key(record: ClearRecord, booking: Booking) -> tuple[Any, ...]:
        return record.terminal, booking.kind, record.day, tuple(booking.about.values())

    def post(self, tx: Transaction, today: date) -> list[tuple[int, NewPosting]]:
        """Post what was added, in the order in which each began; with the number of each."""
        sums, self._sums = list(self._sums.values()), {}
        made = [each.posting(today) for each in sums]
        numbers = tx.books.post_records(made) if made else []
        for number, each in zip(numbers, sums, strict=True):
            for row in each.rows:
                row["posting"] = number
        return list(zip(numbers, made, strict=True))
