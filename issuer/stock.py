"""Blank cards that add up: what was received is what was used, rejected or destroyed, and what is left.

A box is counted at the end of the day. A difference is not explained away: it is shown, and only an officer writes it
off, as a move of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from issuer.errors import DeskError

KINDS = ("used", "rejected", "destroyed", "counted")


@dataclass(frozen=True)
class Move:
    """What the stock of a delivery changes by: less for a card that leaves, either way for a count."""

    delivery: str
    kind: str
    count: int
    on: date
    by: str


@dataclass(frozen=True)
class Received:
    """Cards as a supplier delivered them."""

    delivery: str
    count: int


@dataclass(frozen=True)
class Stock:
    """One delivery added up. `corrected` is what counts found too many (or, below zero, too few) until now."""

    delivery: str
    received: int
    used: int
    rejected: int
    destroyed: int
    corrected: int

    @property
    def left(self) -> int:
        """What must be in the box."""
        return self.received + self.corrected - self.used - self.rejected - self.destroyed


@dataclass(frozen=True)
class Count:
    """A count at the end of the day against the books. `difference` below zero: cards are missing."""

    delivery: str
    expected: int
    counted: int

    @property
    def difference(self) -> int:
        return self.counted - self.expected

    @property
    def advice(self) -> tuple[str, str]:
        """What to do about it, in Dutch and in English."""
        if self.difference == 0:
            return "De telling klopt.", "The count is right."
        if self.difference < 0:
            return (
                "Er zijn kaarten te weinig. Kijk in de lezers, de printer en de afvalbak en tel nog eens. "
                "Klopt het dan nog niet? Laat de teamleider het verschil afboeken.",
                "Cards are missing. Look in the readers, the printer and the bin, and count again. "
                "Still not right? Have the team lead write off the difference.",
            )
        return (
            "Er zijn kaarten te veel. Ligt er een kaart uit een andere doos bij, of een afgekeurde? "
            "Leg die apart en tel nog eens. Klopt het dan nog niet? Laat de teamleider het verschil bijboeken.",
            "There are too many cards. Is there one from another box among them, or a rejected one? "
            "Lay it aside and count again. Still not right? Have the team lead book the difference.",
        )

    def correction(self, on: date, by: str) -> Move | None:
        """The move that makes the books as the box is; None when they are."""
        return Move(self.delivery, "counted", self.difference, on, by) if self.difference else None


def add_up(received: Received, moves: Iterable[Move]) -> Stock:
    """The stock of one delivery after its moves; raises DeskError when more cards left than there were."""
    totals = dict.fromkeys(KINDS, 0)
    for move in moves:
        if move.delivery == received.delivery:
            if move.kind != "counted" and move.count >= 0:
                raise DeskError("A card can leave a delivery only once; it comes back to it by a count.")
            totals[move.kind] += move.count
    stock = Stock(
        received.delivery,
        received.count,
        used=-totals["used"],
        rejected=-totals["rejected"],
        destroyed=-totals["destroyed"],
        corrected=totals["counted"],
    )
    if stock.left < 0:
        raise DeskError(
            "More cards left delivery {delivery} than there were. Count the box; look for cards of another delivery.",
            delivery=received.delivery,
        )
    return stock


def close_of_day(stock: Stock, counted: int) -> Count:
    """The count of a box against the books."""
    if counted < 0:
        raise DeskError("A count is zero or more.")
    return Count(stock.delivery, stock.left, counted)
