"""What becomes of one payment: each thing that happens is added, with its posting, and nothing is changed.

| happens | books | who says it |
|---|---|---|
| `payment` | venue → transit | the second person, with the settlement |
| `revoked` | transit → venue | a person, before the file goes to the bank |
| `accepted` | nothing | the bank's status report |
| `rejected` | transit → venue | the bank's status report |
| `paid` | transit → bank | the bank's statement; from the venue, when the money had come back in our books already |
| `returned` | bank → venue | the bank's statement |
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from backend.ledger import BANK, TRANSIT, Transfer, venue_account
from backend.store import Transaction

# The last word first.
_BY_WEIGHT = ("returned", "paid", "revoked", "rejected", "accepted")


def state_of(events: Collection[str], settlement: str) -> str:
    """The state of a payment: the weightiest thing that happened to it, or the state of its settlement."""
    return next((kind for kind in _BY_WEIGHT if kind in events), settlement)


def refusal_of(kind: str, events: Collection[str]) -> str | None:
    """Why this cannot happen to a payment after what happened already; None when it can."""
    if kind in events:
        return kind
    if kind in ("accepted", "rejected", "revoked"):
        return next((each for each in _BY_WEIGHT if each in events and (each, kind) != ("accepted", "rejected")), None)
    if kind == "returned":
        return next((each for each in ("revoked", "rejected") if each in events and "paid" not in events), None)
    return next((each for each in ("revoked", "rejected") if each in events), None)


def add(tx: Transaction, line: Row[Any], kind: str, day: date, now: datetime, **about: Any) -> None:
    """Book what happened to the payment of a line. `about`: the bank's `reason`, and the `entry` that told it."""
    transfers = _transfers(tx, line, kind)
    if transfers:
        tx.books.post(kind, day, now.date(), transfers, venue=line.venue, settlement=line.settlement)
    if kind != "payment":
        tx.payments.add_payment_event(
            end_to_end_id=line.end_to_end_id, kind=kind, happened_on=day, recorded_at=now, **about
        )


def _transfers(tx: Transaction, line: Row[Any], kind: str) -> list[Transfer]:
    venue = venue_account(line.venue)
    if kind == "payment":
        return [(venue, TRANSIT, "cent", line.paid)]
    if kind in ("revoked", "rejected"):
        return [(TRANSIT, venue, "cent", line.paid)]
    if kind == "returned":
        return [(BANK, venue, "cent", line.paid)]
    if kind == "paid":
        events = {event.kind for event in tx.payments.payment_events(line.end_to_end_id)}
        return [(venue if events & {"revoked", "rejected"} else TRANSIT, BANK, "cent", line.paid)]
    return []
