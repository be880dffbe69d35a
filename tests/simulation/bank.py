"""A bank that pays what an order says, and tells so in statements (camt.053), some of which are wrong."""

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tests.backend.a_bank import camt
from tests.simulation.city import ACCOUNT_OF_THE_CITY

# The statement names another amount, or a payment that nobody ordered; or it comes twice; or the money comes back.
AMOUNT, STRANGE, TWICE, RETURNED = "amount", "strange", "twice", "returned"
WRONGS = (AMOUNT, STRANGE, TWICE, RETURNED)
_DEBIT, _CREDIT = "DBIT", "CRDT"


@dataclass(frozen=True)
class Transfer:
    """One payment, by the name that the order gave it."""

    end_to_end_id: str
    to: str
    cents: int


class Statement(NamedTuple):
    """The files, what they rightly say that was paid, and what they say that came back."""

    files: list[bytes]
    paid: list[Transfer]
    back: list[Transfer]


class PaperBank:
    """`orders` that it got, `statements` that it gave, and `untold`: what was carried out and is on none yet.

    `received`: the cents that each name got and kept. All of it stays, whatever becomes of the city's books.
    """

    def __init__(self) -> None:
        self.orders: list[bytes] = []
        self.statements: list[Statement] = []
        self.untold: list[Transfer] = []
        self.received: Counter[str] = Counter()
        self._holds = 100_000_000
        self._statements = 0

    def carry_out(self, order: bytes) -> list[Transfer]:
        """Read from the order's XML, and from nothing that clearing says of it."""
        found = transfers_in(order)
        self.orders.append(order)
        self.untold += found
        for each in found:
            self.received[each.to] += each.cents
        return found

    def state(self, day: str, wrong: str = "") -> None:
        """Give a statement of what is untold."""
        right, back = self.untold, self.untold[:1] if wrong == RETURNED else []
        entries = [(_DEBIT, each.cents, each.end_to_end_id) for each in right]
        files = []
        if wrong == AMOUNT:
            files.append(self._file(day, [(_DEBIT, right[0].cents + 1, right[0].end_to_end_id)]))
        if wrong == STRANGE:
            entries.append((_DEBIT, 4200, "MD-1-2026-999-9"))
        files.append(self._file(day, entries))
        if back:
            files.append(self._file(day, [(_CREDIT, each.cents, each.end_to_end_id) for each in back]))
        for each in back:
            self.received[each.to] -= each.cents
        self.untold = []
        self.statements.append(Statement(files + (files[-1:] if wrong == TWICE else []), right, back))

    def _file(self, day: str, entries: list[tuple[str, int, str]]) -> bytes:
        self._statements += 1
        number = self._statements
        made: bytes = camt(
            entries, message=f"S{number}", iban=ACCOUNT_OF_THE_CITY, opening=self._holds, number=number, day=day
        )
        self._holds -= sum(cents if direction == _DEBIT else -cents for direction, cents, _ in entries)
        return made


def transfers_in(order: bytes) -> list[Transfer]:
    """What an order asks for."""
    return [
        Transfer(_text(each, "EndToEndId"), _text(next(_all(each, "Cdtr")), "Nm"), _cents(each))
        for each in _all(ElementTree.fromstring(order), "CdtTrfTxInf")
    ]


def _all(root: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (element for element in root.iter() if element.tag.endswith("}" + name))


def _text(root: ElementTree.Element, name: str) -> str:
    return str(next(_all(root, name)).text)


def _cents(root: ElementTree.Element) -> int:
    return int(_text(root, "InstdAmt").replace(".", ""))
