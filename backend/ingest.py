"""Takes in batches, has their records proven, and posts what is proven.

Two steps, each one database transaction: first the entries are kept, then the vault is asked, then its verdicts are
applied. Between them a record is `received`; when the vault does not answer it stays so until `prove_pending`.
Uploads may come in any order, overlap, repeat and be cut off: the books end up the same.
"""

import logging
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from backend.calendar import Now, day_of
from backend.errors import BatchRefused, LinkError, NotFound, RecordRefused, TwoJournals
from backend.ledger import Rules
from backend.reports.year_end import YearEnd
from backend.store import Store, Transaction
from backend.vault import MOST_RECORDS, Question, VaultClient, Verdict
from card.batch import COMMITTED, FIRST_MAC, IN_DOUBT, VOID, Batch, Entry, link_key, open_batch
from card.errors import BadBatch
from card.record import ClearRecord

_log = logging.getLogger("meedoen.backend")
# Only who runs a server wants to read it; a command answers by itself.
_log.addHandler(logging.NullHandler())

_STATE = {COMMITTED: "received", VOID: "void", IN_DOUBT: "in_doubt"}
_SAME_FIELDS = ("sequence", "outcome", "clear", "sealed", "previous_mac", "mac")
_VAULT_SAYS = {
    "seal": "The sealed part does not belong to this record.",
    "handle": "The pass is not one of ours.",
    "mac": "The pass did not commit this transaction.",
    "record": "The record cannot be read.",
    "year": "The vault has no keys of that year.",
}


@dataclass(frozen=True)
class Refused:
    """An entry of a batch that is in quarantine."""

    position: int
    sequence: int
    reason: str


@dataclass(frozen=True)
class Receipt:
    """What became of a batch. `next_position`: the first one not held; `pending`: records that wait for proof."""

    terminal: int
    accepted: int
    duplicates: int
    next_position: int
    gaps: list[tuple[int, int]]
    pending: int
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True)
class Retried:
    """What became of a quarantined item: resolved, or still refused and why."""

    id: int
    resolved: bool
    reason: str | None


class Ingest:
    """The way in."""

    def __init__(
        self,
        store: Store,
        vault: VaultClient,
        rules: Rules,
        year_end: YearEnd,
        link_roots: list[bytes],
        now: Now,
    ) -> None:
        self._store = store
        self._vault = vault
        self._rules = rules
        self._year_end = year_end
        self._link_roots = link_roots
        self._now = now

    # Taking in

    def accept(self, body: bytes, terminal: int | None = None) -> Receipt:
        """Keep a batch and post what can be proven now; `terminal` is who the sender says it is from.

        Raises BatchRefused or TwoJournals; then the whole batch is in quarantine and nothing else has changed.
        """
        batch = self._open(body, terminal)
        with self._store.transaction() as tx:
            fault = _contradiction(tx, batch)
            if fault is None:
                accepted = self._keep(tx, batch)
                tx.quarantine.resolve_batch(body, self._now())
            else:
                tx.quarantine.keep_batch(body, batch.terminal, "two journals", fault, self._now())
        if fault is not None:
            _log.warning("batch of terminal %d refused: two journals", batch.terminal)
            raise TwoJournals(fault)
        self._prove_if_possible(batch.terminal)
        return self._receipt(batch, accepted)

    def _open(self, body: bytes, terminal: int | None) -> Batch:
        try:
            batch: Batch = open_batch(body, self._link_keys)
            if terminal not in (None, batch.terminal):
                raise BadBatch("format", f"the batch is of terminal {batch.terminal}, not {terminal}")
        except BadBatch as error:
            claimed = int.from_bytes(body[4:8], "little") if error.reason != "format" else terminal
            with self._store.transaction() as tx:
                tx.quarantine.keep_batch(body, claimed, error.reason, str(error), self._now())
            _log.warning("batch refused: %s", error.reason)
            raise BatchRefused(error.reason, f"{error}.") from None
        return batch

    def _link_keys(self, terminal: int) -> list[bytes]:
        with self._store.transaction() as tx:
            if tx.catalogue.terminal(terminal) is None:
                return []
        return [link_key(root, terminal) for root in self._link_roots]

    def _keep(self, tx: Transaction, batch: Batch) -> int:
        """Keep the entries that are not held yet; how many."""
        last = batch.first + len(batch.entries) - 1
        held = tx.journal.entries(batch.terminal, batch.first, last)
        new = [values for values in _as_rows(batch) if values["position"] not in held]
        now = self._now()
        for values in new:
            tx.journal.add_entry(values | {"recorded_at": now})
            self._enter(tx, values)
        return len(new)

    def _enter(self, tx: Transaction, entry: dict[str, Any]) -> bool:
        """Give an entry its place in the record of its sequence; one that has no place goes to quarantine.

        A sequence has one entry, or one in doubt and a later one that says how it ended, whichever comes in first.
        """
        terminal, sequence, position = entry["terminal"], entry["sequence"], entry["position"]
        held, state = tx.journal.record(terminal, sequence), _STATE[entry["outcome"]]
        if held is None:
            happened_on = day_of(ClearRecord.from_bytes(entry["clear"]).day)
            tx.journal.add_record(terminal, sequence, position, state, happened_on)
            return True
        other = tx.journal.entry(terminal, held.position)
        if held.doubt_position is None and other.clear == entry["clear"]:
            if other.outcome == IN_DOUBT != entry["outcome"] and other.position < position:
                values = {"position": position, "doubt_position": other.position, "state": state}
                tx.journal.change_record(terminal, sequence, **values)
                return True
            if other.outcome != IN_DOUBT == entry["outcome"] and position < other.position:
                tx.journal.change_record(terminal, sequence, doubt_position=position)
                return True
        detail = f"Sequence {sequence} already has entry {held.position}, and this one does not resolve it."
        tx.quarantine.keep_entry(terminal, position, sequence, "sequence", detail, self._now())
        return False

    def _receipt(self, batch: Batch, accepted: int) -> Receipt:
        first, last = batch.first, batch.first + len(batch.entries) - 1
        with self._store.transaction() as tx:
            next_position, gaps = tx.journal.gaps(batch.terminal)
            pending = tx.journal.waiting(batch.terminal)
            refused = [
                Refused(row.position, row.sequence, row.reason)
                for row in tx.quarantine.entries(batch.terminal, first, last)
            ]
        duplicates = len(batch.entries) - accepted
        _log.info("batch of terminal %d: %d new, %d refused", batch.terminal, accepted, len(refused))
        return Receipt(batch.terminal, accepted, duplicates, next_position, gaps, pending, refused)

    def journal_of(self, terminal: int) -> dict[str, Any]:
        """Where a terminal's journal goes on, and what is missing before; raises NotFound."""
        if not self._link_keys(terminal):
            raise NotFound("terminal", f"Terminal {terminal} is not known.")
        with self._store.transaction() as tx:
            next_position, gaps = tx.journal.gaps(terminal)
        return {"terminal": terminal, "nextPosition": next_position, "gaps": gaps}

    def clear_records(self, state: str) -> list[bytes]:
        """What all records in a state say in clear, 42 bytes each."""
        with self._store.transaction() as tx:
            return tx.journal.clear_records(state)

    def next_position(self, terminal: int) -> int:
        """The first position of a terminal that is not held."""
        with self._store.transaction() as tx:
            return tx.journal.gaps(terminal)[0]

    # Proving

    def prove_pending(self, terminal: int | None = None) -> int:
        """Have every received record (of one terminal) proven; how many were decided. Raises LinkError when the vault
        does not answer: what was decided up to then stays."""
        decided, after = 0, (-1, -1)
        while True:
            with self._store.transaction() as tx:
                rows = tx.journal.received(terminal, after, MOST_RECORDS)
            if not rows:
                return decided
            verdicts = self._vault.prove([_question(row) for row in rows])
            with self._store.transaction() as tx:
                for row, verdict in zip(rows, verdicts, strict=True):
                    decided += self._decide(tx, row, verdict)
            after = rows[-1].terminal, rows[-1].sequence

    def _prove_if_possible(self, terminal: int) -> None:
        try:
            self.prove_pending(terminal)
        except LinkError as error:
            _log.warning("records of terminal %d wait for proof: %s", terminal, error)

    def _decide(self, tx: Transaction, asked: Row[Any], verdict: Verdict) -> bool:
        """Apply a verdict, unless the record was decided by someone else since it was asked about."""
        row = tx.journal.record(asked.terminal, asked.sequence)
        if row is None or (row.state, row.position) != (asked.state, asked.position):
            return False
        name = row.terminal, row.sequence
        values: dict[str, Any] = {"decided_at": self._now(), "nullifier": None}
        try:
            self._check(tx, asked, verdict)
            values["nullifier"] = verdict.nullifier
            record = ClearRecord.from_bytes(asked.clear)
            booking = self._rules.book(tx, record)
        except RecordRefused as refusal:
            tx.journal.change_record(*name, state="rejected", reason=refusal.reason, **values)
            where = row.terminal, row.position, row.sequence
            tx.quarantine.keep_entry(*where, refusal.reason, str(refusal), self._now())
            return True
        tx.journal.change_record(*name, state="proven", reason=None, **values)
        about = booking.about | {"terminal": row.terminal, "sequence": row.sequence}
        tx.books.post(booking.kind, day_of(record.day), self._now(), booking.transfers, **about)
        self._year_end.correct(tx, record)
        tx.quarantine.resolve_entry(row.terminal, row.position, self._now())
        return True

    @staticmethod
    def _check(tx: Transaction, asked: Row[Any], verdict: Verdict) -> None:
        if verdict.nullifier is None:
            reason = verdict.reason or "record"
            raise RecordRefused(reason, _VAULT_SAYS[reason])
        if tx.journal.nullifier_held(verdict.nullifier, asked.terminal, asked.sequence):
            raise RecordRefused("replay", "This transaction was already handed in under another number.")

    # Quarantine

    def retry(self, number: int) -> Retried:
        """Try a quarantined item once more; it stays there when it is refused again.

        Raises NotFound, and LinkError when it takes a proof and the vault does not answer.
        """
        with self._store.transaction() as tx:
            item = tx.quarantine.item(number)
        if item is None:
            raise NotFound("quarantine", f"There is no item {number} in quarantine.")
        if item.resolved_at is None:
            if item.body is not None:
                self._retry_batch(item)
            else:
                self._retry_entry(item)
        with self._store.transaction() as tx:
            after = tx.quarantine.item(number)
        assert after is not None  # items are never removed
        resolved = after.resolved_at is not None
        return Retried(number, resolved, None if resolved else after.reason)

    def _retry_batch(self, item: Row[Any]) -> None:
        try:
            self.accept(item.body)
        except (BatchRefused, TwoJournals):
            return  # accept has written down why

    def _retry_entry(self, item: Row[Any]) -> None:
        name = item.terminal, item.sequence
        with self._store.transaction() as tx:
            row = tx.journal.with_entry(*name)
            if row is None or row.position != item.position:
                entry = tx.journal.entry(item.terminal, item.position)
                if self._enter(tx, entry._asdict()):
                    tx.quarantine.resolve_entry(item.terminal, item.position, self._now())
                return
        verdict = self._vault.prove([_question(row)])[0]
        with self._store.transaction() as tx:
            self._decide(tx, row, verdict)


def _question(row: Row[Any]) -> Question:
    return Question(row.terminal, row.sequence, row.clear, row.sealed)


def _as_rows(batch: Batch) -> list[dict[str, Any]]:
    """Each entry as it is held, with the MAC that it follows."""
    previous_mac, rows = batch.previous_mac, []
    for entry in batch.entries:
        rows.append(_as_row(batch.terminal, entry, previous_mac))
        previous_mac = entry.mac
    return rows


def _as_row(terminal: int, entry: Entry, previous_mac: bytes) -> dict[str, Any]:
    return {
        "terminal": terminal,
        "position": entry.position,
        "sequence": entry.clear.sequence,
        "outcome": entry.outcome,
        "clear": entry.clear_bytes,
        "sealed": entry.sealed,
        "previous_mac": previous_mac,
        "mac": entry.mac,
    }


def differing_field(held: Any, entry: dict[str, Any]) -> str | None:
    """The first field in which a held entry and one handed in again differ; None when they are the same."""
    return next((name for name in _SAME_FIELDS if getattr(held, name) != entry[name]), None)


def _contradiction(tx: Transaction, batch: Batch) -> str | None:
    """Where a batch does not fit what is held of this terminal: the same entries, and neighbours that follow on."""
    last = batch.first + len(batch.entries) - 1
    held = tx.journal.entries(batch.terminal, batch.first - 1, last + 1)
    before, after = held.get(batch.first - 1), held.get(last + 1)
    expected = FIRST_MAC if batch.first == 1 else before.mac if before else batch.previous_mac
    if batch.previous_mac != expected:
        return f"Entry {batch.first} does not follow the entry {batch.first - 1} that is held."
    for entry in _as_rows(batch):
        same = held.get(entry["position"])
        differs = differing_field(same, entry) if same else None
        if differs:
            return f"Entry {entry['position']} is held with another {differs}."
    if after and after.previous_mac != batch.last_mac:
        return f"The entry {last + 1} that is held does not follow entry {last}."
    return None
