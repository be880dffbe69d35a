"""How far every tap and reversal came, as finance sees it: counts and cents per state, of each venue and in all.

| state | means |
|---|---|
| `received` | handed in; the vault did not say yet |
| `in_doubt` | the pass left before the terminal had its answer |
| `rejected` | refused, and among the exceptions |
| `proven` | proven, and in no settlement yet |
| `settled` | in a settlement that was not paid yet |
| `paid` | the bank's statement says that its venue was paid |
| `returned` | the payment came back, and no settlement pays it again yet |

What was too little to pay, and what came back, goes on to a later line of its venue: its state is that of the payment
that pays it in the end. Loads and what never happened (`void`) are in none.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from backend.config import Config
from backend.settlement.progress import state_of
from backend.store import Store, Transaction
from card.record import LOAD, REVERSAL, ClearRecord

STATES = ("received", "in_doubt", "rejected", "proven", "settled", "paid", "returned")


@dataclass(frozen=True)
class Sum:
    """`cents` are what the venue gets, less what was reversed; while nothing is proven, what the records say that
    passes paid."""

    records: int
    cents: int


@dataclass(frozen=True)
class RecordStates:
    """Every state is there, in the order of STATES."""

    in_all: dict[str, Sum]
    venues: dict[int, dict[str, Sum]]


class RecordReports:
    """Of one municipality."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        # Of approved settlements, in which nothing changes any more: how many records are in each line.
        self._approved: dict[str, dict[int, int]] = {}
        self._cents = {number for number, purse in config.purses.items() if purse.unit == "cent"}

    def now(self) -> RecordStates:
        """All of one moment; every venue is there."""
        with self._store.reading() as tx:
            counted = self._counted(tx)
            venues = [row.number for row in tx.catalogue.venues()]
        by_venue = {venue: {state: Sum(*counted[venue, state]) for state in STATES} for venue in venues}
        in_all = {
            state: Sum(
                sum(sums[state].records for sums in by_venue.values()),
                sum(sums[state].cents for sums in by_venue.values()),
            )
            for state in STATES
        }
        return RecordStates(in_all, by_venue)

    def _counted(self, tx: Transaction) -> Mapping[tuple[int, str], list[int]]:
        counted: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])

        def add(venue: int, state: str, records: int, cents: int) -> None:
            counted[venue, state][0] += records
            counted[venue, state][1] += cents

        for row in tx.states.unproven():
            record = ClearRecord.from_bytes(row.clear)
            if record.kind != LOAD:
                add(row.venue, row.state, 1, self._said(record))
        for row in tx.reports.per_venue():
            add(row.venue, "proven", row.times, row.cents)
        times, happened, again = self._settled(tx), tx.states.happened(), tx.states.paid_again()
        later: dict[int, str] = {}
        known: dict[tuple[str, int], str] = {}
        for line in tx.states.lines():
            # The last lines come first, so what a line leaves to a later one is known.
            state = _state(line, happened.get(line.end_to_end_id, ()), later.get(line.venue), again, known)
            later[line.venue] = known[line.settlement, line.venue] = state
            settled = times[line.settlement].get(line.venue, 0)
            add(line.venue, state, settled, line.earned)
            # What is in a settlement is no longer among what was only proven.
            add(line.venue, "proven", -settled, -line.earned)
        return counted

    def _settled(self, tx: Transaction) -> Mapping[str, Mapping[int, int]]:
        """By settlement and venue, how many records are in it. Those of an approved settlement are read once."""
        states = tx.states.settlements()
        asked: dict[str, dict[int, int]] = {number: {} for number in states if number not in self._approved}
        if asked:
            for (number, venue), times in tx.states.settled(asked).items():
                asked[number][venue] = times
        self._approved |= {number: venues for number, venues in asked.items() if states[number] == "approved"}
        return self._approved | asked

    def _said(self, record: ClearRecord) -> int:
        """Cents that a record says a pass paid; below zero where they went back to it."""
        cents: int = sum(amount for purse, amount in record.debits() if purse in self._cents)
        return -cents if record.kind == REVERSAL else cents


def _state(
    line: Row[Any],
    happened: Collection[str],
    later: str | None,
    again: Mapping[str, str],
    known: Mapping[tuple[str, int], str],
) -> str:
    if not line.paid:
        if line.carried:
            return later or "settled"
        # Nothing is left of what it earned: the venue had been paid that much more before.
        return "paid" if line.earned > 0 else "settled"
    state = state_of(happened, "settled")
    if state in ("returned", "rejected", "revoked"):
        pays = again.get(line.end_to_end_id)
        return "returned" if pays is None else known[pays, line.venue]
    return "paid" if state == "paid" else "settled"
