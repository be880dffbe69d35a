"""What finance sees first: where the money is, what funds still have out, and what waits for a person."""

from dataclasses import dataclass
from datetime import date

from backend.clearing import Clearing
from backend.reports.states import Sum

_CENT = "cent"


@dataclass(frozen=True)
class Fund:
    """Cents. `outstanding`: what holders can still spend of it, so what the municipality is bound to."""

    name: str
    loaded: int
    spent: int
    outstanding: int
    discounts: int


@dataclass(frozen=True)
class Overview:
    """Cents. `owed` to venues and in no approved settlement; `on_its_way`: approved, not on a statement of the bank."""

    owed: int
    on_its_way: int
    paid: int
    due_to_holders: int
    funds: list[Fund]
    states: dict[str, Sum]
    # What waits for a person.
    settlement: str | None
    exceptions: int
    unproven: int
    in_doubt: int
    last_day: date | None

    @property
    def outstanding(self) -> int:
        return sum(fund.outstanding for fund in self.funds)


def overview(clearing: Clearing) -> Overview:
    """As of this moment."""
    totals, balances = clearing.ledger.totals(), clearing.ledger.balances()
    with clearing.store.reading() as tx:
        waiting, last_day = tx.payments.waiting(), tx.payments.last_day()
    venues = {name: cents for (name, unit), cents in balances.items() if unit == _CENT and name.startswith("venue:")}
    records = totals["records"]
    return Overview(
        owed=sum(venues.values()),
        on_its_way=balances.get(("transit", _CENT), 0),
        paid=balances.get(("bank", _CENT), 0),
        due_to_holders=totals["suspense"],
        funds=[
            Fund(row["fund"], row["loaded"], row["spent"], row["outstanding"], row["discounts"])
            for row in totals["funds"]
        ],
        states=clearing.records.now().in_all,
        settlement=waiting,
        exceptions=sum(clearing.exceptions.counts().values()),
        unproven=records.get("received", 0),
        in_doubt=records.get("in_doubt", 0),
        last_day=last_day,
    )
