"""To hold the books against a bank, a venue or another ledger: what purses and venues moved, by kind, and which records
are not in the books."""

from dataclasses import dataclass

from backend.store import Store

_PURSE = "purse:"


@dataclass(frozen=True)
class PurseMoves:
    """What postings of a kind added to a purse, in its unit; below zero where they took."""

    purse: int
    unit: str
    kind: str
    amount: int


@dataclass(frozen=True)
class VenueMoves:
    """How many records of a kind are booked at a venue, and the cents they brought it, below zero where they took."""

    venue: int
    name: str
    kind: str
    records: int
    cents: int


@dataclass(frozen=True)
class Unmatched:
    """A record that a pass may have committed and of which nothing is booked: received, in doubt or rejected."""

    terminal: int
    sequence: int
    state: str


@dataclass(frozen=True)
class Reconciliation:
    """All of one moment, since the first record. What a purse moved adds up to what stands on its passes."""

    purses: list[PurseMoves]
    venues: list[VenueMoves]
    unmatched: list[Unmatched]


class Reconciling:
    """The books of one municipality."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def now(self) -> Reconciliation:
        with self._store.reading() as tx:
            purses, venues, unmatched = tx.reports.per_purse(), tx.reports.per_venue(), tx.reports.unmatched()
            names = {row.number: row.name for row in tx.catalogue.venues()}
        return Reconciliation(
            [PurseMoves(int(row.purse.removeprefix(_PURSE)), row.unit, row.kind, row.amount) for row in purses],
            [VenueMoves(row.venue, names[row.venue], row.kind, row.times, row.cents) for row in venues],
            [Unmatched(row.terminal, row.sequence, row.state) for row in unmatched],
        )
