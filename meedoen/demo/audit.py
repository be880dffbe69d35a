"""Counts the money in the cards' own memory, and holds it against the ledger.

It reads what the emulated passes keep in their files, not what any terminal, desk or backend says, so that a fault in
the line cannot agree with itself.
"""

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from hardware.emulated_pass import inspect

_TMAC_FILE = 15


@dataclass(frozen=True)
class CardsMemory:
    """What is on all cards together: `balances` by purse in its unit, and `transactions` by their own counters."""

    cards: int
    balances: Mapping[int, int]
    transactions: int


@dataclass(frozen=True)
class Doubt:
    """A record in doubt: what it would have moved, by purse."""

    moves: Mapping[int, int]


def read_cards(paths: Iterable[Path]) -> CardsMemory:
    """Read every card's file."""
    balances: Counter[int] = Counter()
    cards = transactions = 0
    for path in paths:
        for application in inspect(path)["applications"].values():
            cards += 1
            for number, file in application["files"].items():
                if number == _TMAC_FILE:
                    transactions += file["tmc"]
                elif "value" in file:
                    balances[number] += file["value"]
    return CardsMemory(cards, balances, transactions)


def violations(
    memory: CardsMemory,
    totals: Mapping[str, Any],
    doubts: Sequence[Doubt],
    seen_at_venues: Mapping[str, int],
    pain001: Path | None,
) -> list[str]:
    """What does not add up, a sentence each; none when every cent is where it should be.

    `totals` are the backend's; `seen_at_venues` is what the screens at each venue said was taken, in cents.
    """
    found = _cards_against_ledger(memory, totals, doubts)
    owed = {venue["name"]: venue["earned"] for venue in totals["venues"]}
    for venue, cents in seen_at_venues.items():
        if owed.get(venue, 0) != cents:
            found.append(f"{venue} earned {owed.get(venue, 0)} cents, and its screens said {cents}")
    paid = sum(venue["paid"] for venue in totals["venues"])
    ordered = _ordered(pain001) if pain001 else 0
    if paid != ordered:
        found.append(f"{paid} cents are booked as paid, and the payment order says {ordered}")
    unpaid = {venue["name"]: venue["owed"] for venue in totals["venues"] if venue["owed"]}
    if unpaid:
        found.append(f"proven and not paid: {unpaid}")
    return found


def _cards_against_ledger(memory: CardsMemory, totals: Mapping[str, Any], doubts: Sequence[Doubt]) -> list[str]:
    """The cards differ from the ledger by some of the records in doubt, and by nothing else."""
    proven = totals["records"].get("proven", 0)
    more = memory.transactions - proven
    missing = {
        # What a lost pass held stands on its card and on the next one, and counts once in the ledger.
        purse["purse"]: purse["outstanding"] + purse.get("replaced", 0) - memory.balances.get(purse["purse"], 0)
        for purse in totals["purses"]
    }
    missing = {purse: amount for purse, amount in missing.items() if amount}
    if not 0 <= more <= len(doubts):
        return [f"the cards counted {memory.transactions} transactions, {proven} are proven and {len(doubts)} in doubt"]
    for happened in combinations(doubts, more):
        together: Counter[int] = Counter()
        for doubt in happened:
            together.update(doubt.moves)
        if {purse: amount for purse, amount in together.items() if amount} == missing:
            return []
    return [f"the cards and the ledger differ by {missing}, which {more} records in doubt do not explain"]


def _ordered(path: Path) -> int:
    """The control sum of a payment order, in cents."""
    for element in ElementTree.parse(path).getroot().iter():
        if element.tag.endswith("}CtrlSum"):
            whole, _, rest = str(element.text).partition(".")
            return int(whole) * 100 + int(rest.ljust(2, "0")[:2] or "0")
    return 0
