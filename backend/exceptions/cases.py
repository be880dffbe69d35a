"""Every case there is, read from what clearing holds: facts in codes, no words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from backend.calendar import day_of
from backend.exceptions.names import (
    BANK_ENTRY,
    BATCH_REASONS,
    DIFFERS,
    DOUBT,
    ENTRY_REASONS,
    FOREIGN,
    GAP,
    MISSING,
    OVERDUE,
    RETURNED,
    bank_entry_id,
    gap_id,
    item_id,
    overdue_id,
    record_id,
    returned_id,
)
from backend.ledger import KINDS as RECORD_KINDS
from backend.settlement.progress import state_of
from backend.store import Transaction
from card.record import ClearRecord


@dataclass(frozen=True)
class Found:
    """A case, without what people did about it.

    `since`: when it was first there; `changed_at`: when something new was last heard of it; what was done before that
    does not close it (none: nothing was, or it is no matter). `venue`: where no terminal says it. For who acts upon it:
    `item` in quarantine, `gap` (terminal, first, last), `bookable` (terminal, sequence, nullifier) of what did happen.
    """

    id: str
    kind: str
    terminal: int | None
    since: datetime | date | None
    changed_at: datetime | None
    reason: str | None = None
    first: int | None = None
    last: int | None = None
    sequence: int | None = None
    venue: int | None = None
    item: int | None = None
    gap: tuple[int, int, int] | None = None
    bookable: tuple[int, int, str] | None = None
    resolved: bool = False
    closed: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


def items(tx: Transaction, ended: bool) -> Iterator[Found]:
    """What is in quarantine: batches, and entries with what they say."""
    for item in tx.quarantine.items(with_resolved=ended):
        whole = item.position is None
        kind = (BATCH_REASONS if whole else ENTRY_REASONS)[item.reason]
        facts = {} if whole else _said(tx.journal.entry(item.terminal, item.position).clear)
        yield Found(
            id=item_id(item.id),
            kind=kind,
            terminal=item.terminal,
            since=item.recorded_at,
            changed_at=item.tried_at,
            reason=item.reason,
            first=item.position,
            last=item.position,
            sequence=item.sequence,
            item=item.id,
            resolved=item.resolved_at is not None,
            facts=facts | {"detail": item.detail},
        )


def gaps(tx: Transaction, ended: bool) -> Iterator[Found]:
    """Positions that no batch brought though later ones came in; those that were closed have an end of their own."""
    for terminal in tx.catalogue.terminals():
        for first, last in tx.journal.gaps(terminal.number)[1]:
            since = tx.journal.arrived_after(terminal.number, last)
            yield _gap(terminal.number, first, last, since)
    if ended:
        for row in tx.cases.closed_gaps():
            yield _gap(row.terminal, row.first, row.last, row.recorded_at, closed=True)


def _gap(terminal: int, first: int, last: int, since: datetime | date, closed: bool = False) -> Found:
    return Found(
        id=gap_id(terminal, first, last),
        kind=GAP,
        terminal=terminal,
        since=since,
        changed_at=None,
        first=first,
        last=last,
        gap=(terminal, first, last),
        closed=closed,
        facts={"entries": last - first + 1},
    )


def doubts(tx: Transaction, ended: bool) -> Iterator[Found]:
    """Taps, reversals and loads that end in doubt, and whether the vault found that they happened."""
    for row in tx.cases.doubts(ended):
        yield Found(
            id=record_id(DOUBT, row.terminal, row.sequence),
            kind=DOUBT,
            terminal=row.terminal,
            since=row.recorded_on,
            changed_at=row.found_at,
            first=row.position,
            last=row.position,
            sequence=row.sequence,
            bookable=(row.terminal, row.sequence, row.nullifier) if row.nullifier else None,
            resolved=row.state != "in_doubt",
            facts=_said(row.clear) | {"found": row.found_as, "held_as": row.state},
        )


def _findings(found_as: str, kind: str) -> Callable[[Transaction, bool], Iterator[Found]]:
    def source(tx: Transaction, ended: bool) -> Iterator[Found]:
        for row in tx.cases.findings(found_as):
            # A record that was missing came in; one that is void is there, and its terminal says that it never was.
            resolved = kind == MISSING and row.state not in (None, "void")
            if ended or not resolved:
                yield Found(
                    id=record_id(kind, row.terminal, row.sequence),
                    kind=kind,
                    terminal=row.terminal,
                    since=row.recorded_at,
                    changed_at=row.recorded_at,
                    sequence=row.sequence,
                    resolved=resolved,
                    facts={"held_as": row.state},
                )

    return source


def overdue(after_days: int, today: Callable[[], date]) -> Callable[[Transaction, bool], Iterator[Found]]:
    """Terminals at venues that were not there for some days, nor put into use since."""

    def source(tx: Transaction, ended: bool) -> Iterator[Found]:
        seen, limit = tx.journal.seen(), today() - timedelta(days=after_days)
        for terminal in tx.catalogue.terminals():
            if not terminal.in_use or terminal.venue is None:
                continue
            last = seen.get(terminal.number)
            since = max(last or terminal.in_use_since, terminal.in_use_since)
            if since < limit:
                yield Found(
                    id=overdue_id(terminal.number),
                    kind=OVERDUE,
                    terminal=terminal.number,
                    since=since,
                    changed_at=None,
                    facts={"days": None if last is None else (today() - last).days},
                )

    return source


def returned(tx: Transaction, ended: bool) -> Iterator[Found]:
    """Payments that the bank refused or brought back, until a settlement pays them again."""
    waiting, happened = {row.end_to_end_id for row in tx.payments.came_back()}, tx.states.happened()
    for row in tx.payments.came_back(with_paid_again=ended):
        # The last word counts: one that was refused may be paid all the same, and then come back.
        if row.kind != "revoked" and state_of(happened[row.end_to_end_id], "") == row.kind:
            yield Found(
                id=returned_id(row.end_to_end_id),
                kind=RETURNED,
                terminal=None,
                since=row.recorded_at,
                changed_at=row.recorded_at,
                reason=row.reason,
                venue=row.venue,
                resolved=row.end_to_end_id not in waiting,
                facts={
                    "happened_on": row.happened_on,
                    "amount": row.paid,
                    "payment": row.end_to_end_id,
                    "settlement": row.settlement,
                },
            )


def bank_entries(tx: Transaction, ended: bool) -> Iterator[Found]:
    """Entries of the bank that are no payment of ours by themselves, until people decided on them."""
    decisions = tx.bank.decisions()
    for row in tx.bank.unmatched():
        last = decisions.get(row.id)
        decided = last is not None and last.kind != "proposed"
        if ended or not decided:
            yield Found(
                id=bank_entry_id(row.id),
                kind=BANK_ENTRY,
                terminal=None,
                since=row.happened_on,
                changed_at=None,
                reason=row.unmatched,
                resolved=decided,
                facts={
                    "happened_on": row.happened_on,
                    "amount": row.amount,
                    "direction": row.direction,
                    "payment": row.end_to_end_id,
                    "entry": row.id,
                },
            )


missing = _findings("missing", MISSING)
foreign = _findings("not_ours", FOREIGN)
differing = _findings("differs", DIFFERS)


def _said(clear: bytes) -> dict[str, Any]:
    """What a record says in clear."""
    record = ClearRecord.from_bytes(clear)
    return {
        "move": RECORD_KINDS[record.kind],
        "happened_on": day_of(record.day),
        "offer": record.offer,
        "purses": [{"purse": purse, "amount": amount} for purse, amount in record.debits()],
        "price": record.price,
    }
