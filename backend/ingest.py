"""Takes in batches, has their records proven, and posts what is proven.

The vault is asked first, and then one database transaction keeps the entries and applies what it said. A record of
which it said nothing is `received`, and stays so until `prove_pending`. Uploads may come in any order, overlap, repeat
and be cut off: the books end up the same.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import Row

from backend.calendar import Now, day_of
from backend.errors import BatchRefused, LinkError, NotFound, RecordRefused, TwoJournals
from backend.exceptions.names import gap_id
from backend.ledger import Rules
from backend.postings import Postings
from backend.reports.year_end import YearEnd
from backend.store import Store, Transaction
from backend.store.bulk import Clash
from backend.store.journal import UNDECIDED
from backend.vault import MOST_RECORDS, Question, VaultClient, Verdict
from card.batch import COMMITTED, FIRST_MAC, IN_DOUBT, VOID, Batch, link_key, open_batch
from card.errors import BadBatch
from card.record import LOAD, ClearRecord

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


class _NotBeside(Exception):
    """A batch depends on what others bring: it is late for a pass year that is closed, or the first of a month. That,
    and a Clash because it proves what was proven before, is so rare that nobody looks for it until it shows."""


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
        self._known: set[int] = set()

    # Taking in

    def accept(self, body: bytes, terminal: int | None = None) -> Receipt:
        """Keep a batch and post what can be proven now; `terminal` is who the sender says it is from.

        Raises BatchRefused or TwoJournals; then the whole batch is in quarantine and nothing else has changed.
        """
        batch = self._open(body, terminal)
        verdicts = self._first_verdicts(batch)
        try:
            receipt = self._take(body, batch, verdicts or {}, alone=_has_load(batch))
        except (_NotBeside, Clash):
            receipt = self._take(body, batch, verdicts or {}, alone=True)
        _log.info("batch of terminal %d: %d new, %d refused", batch.terminal, receipt.accepted, len(receipt.refused))
        if verdicts is None or not receipt.pending or not self._prove_if_possible(batch.terminal):
            return receipt
        with self._store.transaction() as tx:
            return self._receipt(tx, batch, receipt.accepted)

    def _take(self, body: bytes, batch: Batch, verdicts: Mapping[int, Verdict], alone: bool) -> Receipt:
        """In one database transaction, `alone`, or beside batches of other terminals; then it may raise _NotBeside, or
        Clash."""
        rows = _as_rows(batch, self._now().date())
        with self._store.transaction(None if alone else batch.terminal) as tx:
            held = tx.journal.entries(batch.terminal, batch.first - 1, batch.first + len(rows))
            fault = _contradiction(batch, rows, held)
            if fault is None:
                new = [row for row in rows if row["position"] not in held]
                self._keep(tx, batch, new, verdicts, alone)
                tx.quarantine.resolve_batch(body, self._now())
                return self._receipt(tx, batch, len(new))
            tx.quarantine.keep_batch(body, batch.terminal, "two journals", fault, self._now())
        _log.warning("batch of terminal %d refused: two journals", batch.terminal)
        raise TwoJournals(fault)

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
        if terminal not in self._known:
            with self._store.reading() as tx:
                if tx.catalogue.terminal(terminal) is None:
                    return []
            # It goes out of use some day, and never out of the catalogue.
            self._known.add(terminal)
        return [link_key(root, terminal) for root in self._link_roots]

    def _first_verdicts(self, batch: Batch) -> dict[int, Verdict] | None:
        """What the vault says of the entries of a batch, by position; None when it does not answer.

        It is asked again about what is held already: that happens once in a while, and to look first is work always.
        """
        asked = [entry for entry in batch.entries if entry.outcome == COMMITTED]
        verdicts: list[Verdict] = []
        try:
            for start in range(0, len(asked), MOST_RECORDS):
                verdicts += self._vault.prove(
                    [
                        Question(batch.terminal, entry.clear.sequence, entry.clear_bytes, entry.sealed)
                        for entry in asked[start : start + MOST_RECORDS]
                    ]
                )
        except LinkError as error:
            self._waits(batch.terminal, error)
            return None
        return {entry.position: verdict for entry, verdict in zip(asked, verdicts, strict=True)}

    def _keep(
        self,
        tx: Transaction,
        batch: Batch,
        new: Sequence[dict[str, Any]],
        verdicts: Mapping[int, Verdict],
        alone: bool,
    ) -> None:
        """Keep entries that are not held yet, and decide what the vault was asked about; one that has no place in a
        record goes to quarantine."""
        if not new:
            return
        now, terminal, days = self._now(), batch.terminal, {row["happened_on"] for row in new}
        if alone:
            tx.journal.make_room(days, now.date())
        elif not tx.journal.has_room(days, now.date()):
            raise _NotBeside
        left_over = self._enter(tx, terminal, new)
        ready = [row for row in new if row["state"] == "received" and row["position"] in verdicts]
        said = [batch.entries[row["position"] - batch.first].clear for row in ready]
        self._judge(tx, ready, said, [verdicts[row["position"]] for row in ready], alone)
        tx.journal.add_entries(new)
        for row, held in left_over:
            tx.quarantine.keep_entry(terminal, row["position"], row["sequence"], "sequence", _no_place(row, held), now)
        for gap in tx.journal.closed_gaps(terminal):
            late = [row["position"] for row in new if gap.first <= row["position"] <= gap.last]
            if late:
                about, note = gap_id(terminal, gap.first, gap.last), f"{late[0]}-{late[-1]}"
                tx.cases.add_event(about=about, action="arrived", note=note, recorded_at=now)

    def _enter(
        self, tx: Transaction, terminal: int, rows: Sequence[dict[str, Any]]
    ) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Give each entry its place in the record of its sequence; those that have none, each with the one that has it.

        Entries that were held are changed at once.
        """
        before = tx.journal.records(terminal, {row["sequence"] for row in rows})
        deciding = {sequence: dict(held) for sequence, held in before.items()}
        left_over = []
        for row in rows:
            held = deciding.setdefault(row["sequence"], row)
            if held is row:
                continue
            if not _has_place(held, row):
                left_over.append((row, dict(held)))
                row.update(UNDECIDED)
            elif row["outcome"] == IN_DOUBT:
                held["doubt_position"] = row["position"]
                row.update(UNDECIDED)
            else:
                _resolve(held, row)
                deciding[row["sequence"]] = row
        for sequence, held in before.items():
            decides = deciding[sequence]
            if decides["position"] != held["position"]:
                # What was said of the entry in doubt is said of the one that decides from now on.
                tx.journal.move(terminal, held["position"], UNDECIDED)
                tx.quarantine.resolve_entry(terminal, held["position"], self._now())
            elif decides != held:
                tx.journal.move(terminal, held["position"], decides)
        return left_over

    def _receipt(self, tx: Transaction, batch: Batch, accepted: int) -> Receipt:
        """What became of a batch, with the terminal's progress remembered."""
        first, last = batch.first, batch.first + len(batch.entries) - 1
        next_position, gaps = tx.journal.advance(batch.terminal, self._now().date())
        refused = [
            Refused(row.position, row.sequence, row.reason)
            for row in tx.quarantine.entries(batch.terminal, first, last)
        ]
        pending, duplicates = tx.journal.waiting(batch.terminal), len(batch.entries) - accepted
        return Receipt(batch.terminal, accepted, duplicates, next_position, gaps, pending, refused)

    def journal_of(self, terminal: int) -> dict[str, Any]:
        """Where a terminal's journal goes on, and what is missing before; raises NotFound."""
        if not self._link_keys(terminal):
            raise NotFound("terminal", f"Terminal {terminal} is not known.")
        with self._store.reading() as tx:
            next_position, gaps = tx.journal.gaps(terminal)
        return {"terminal": terminal, "nextPosition": next_position, "gaps": gaps}

    def clear_records(self, state: str) -> list[bytes]:
        """What all records in a state say in clear, 42 bytes each."""
        with self._store.reading() as tx:
            return tx.journal.clear_records(state)

    def next_position(self, terminal: int) -> int:
        """The first position of a terminal that is wanted next."""
        with self._store.reading() as tx:
            return tx.journal.gaps(terminal)[0]

    # Proving

    def prove_pending(self, terminal: int | None = None) -> int:
        """Have every received record (of one terminal) proven; how many were decided. Raises LinkError when the vault
        does not answer: what was decided up to then stays."""
        decided, after = 0, (-1, -1)
        while True:
            with self._store.reading() as tx:
                rows = tx.journal.received(terminal, after, MOST_RECORDS)
            if not rows:
                return decided
            verdicts = self._vault.prove([_question(row._asdict()) for row in rows])
            with self._store.transaction() as tx:
                decided += self._decide(tx, rows, verdicts)
            if len(rows) < MOST_RECORDS:
                return decided
            after = rows[-1].terminal, rows[-1].sequence

    def _prove_if_possible(self, terminal: int) -> bool:
        """Whether the vault answered."""
        try:
            self.prove_pending(terminal)
        except LinkError as error:
            self._waits(terminal, error)
            return False
        return True

    @staticmethod
    def _waits(terminal: int, error: LinkError) -> None:
        _log.warning("records of terminal %d wait for proof: %s", terminal, error)

    def _decide(self, tx: Transaction, asked: Sequence[Row[Any]], verdicts: Sequence[Verdict]) -> int:
        """Apply verdicts, but for records that somebody else decided since they were asked about; how many."""
        held = tx.journal.standing([(row.terminal, row.sequence) for row in asked])
        still = [
            (row, verdict)
            for row, verdict in zip(asked, verdicts, strict=True)
            if held.get((row.terminal, row.sequence)) == (row.state, row.position)
        ]
        rows = [row._asdict() for row, _ in still]
        said = [ClearRecord.from_bytes(row["clear"]) for row in rows]
        proofs = [verdict for _, verdict in still]
        self._judge(tx, rows, said, proofs, alone=True)
        tx.journal.decide(rows)
        tx.quarantine.resolve_proven([(row["terminal"], row["sequence"]) for row in rows], self._now())
        return len(rows)

    def _judge(
        self,
        tx: Transaction,
        rows: Sequence[dict[str, Any]],
        said: Sequence[ClearRecord],
        verdicts: Sequence[Verdict],
        alone: bool,
    ) -> None:
        """Decide records by their verdicts, and book them: `state, reason, nullifier, decided_on, posting` of each row.

        Not `alone`, it does not look which nullifiers are there already, and may raise _NotBeside.
        """
        proven = _proven(tx, rows, verdicts) if alone else {}
        rules = self._rules.for_many(replace(tx, catalogue=tx.catalogue.remembering()))
        now, postings = self._now(), Postings()
        today = now.date()
        for row, record, verdict in zip(rows, said, verdicts, strict=True):
            if record.kind == LOAD:
                # What a fund still has to give depends on all that it gave before.
                self._post(tx, postings, alone)
            name = row["terminal"], row["sequence"]
            row["decided_on"], row["reason"], row["nullifier"], row["posting"] = today, None, None, None
            try:
                nullifier = _proof(name, verdict, proven)
                booking = rules(record, row["clear"])
            except RecordRefused as refusal:
                row["state"], row["reason"] = "rejected", refusal.reason
                tx.quarantine.keep_entry(
                    row["terminal"], row["position"], row["sequence"], refusal.reason, str(refusal), now
                )
                continue
            proven[nullifier] = name
            row["state"], row["nullifier"] = "proven", nullifier
            postings.add(record, booking, row)
        self._post(tx, postings, alone)

    def _post(self, tx: Transaction, postings: Postings, alone: bool) -> None:
        late = self._year_end.late(tx, postings.post(tx, self._now().date()))
        if late and not alone:
            raise _NotBeside
        self._year_end.correct(tx, late)

    def book(self, tx: Transaction, terminal: int, sequence: int, nullifier: str) -> None:
        """Post a record in doubt of which the vault found that it happened; refused by the rules, it is rejected."""
        row = tx.journal.record(terminal, sequence)
        assert row is not None  # records are never removed
        self._decide(tx, [row], [Verdict(nullifier, None)])

    # Quarantine

    def retry(self, number: int) -> Retried:
        """Try a quarantined item once more; it stays there when it is refused again.

        Raises NotFound, and LinkError when it takes a proof and the vault does not answer.
        """
        with self._store.reading() as tx:
            item = tx.quarantine.item(number)
        if item is None:
            raise NotFound("quarantine", f"There is no item {number} in quarantine.")
        if item.resolved_at is None:
            if item.body is not None:
                self._retry_batch(item)
            else:
                self._retry_entry(item)
        with self._store.reading() as tx:
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
            row = tx.journal.record(*name)
            if row is None or row.position != item.position:
                entry = tx.journal.entry(item.terminal, item.position)._asdict()
                entry["state"] = _STATE[entry["outcome"]]
                if not self._enter(tx, item.terminal, [entry]):
                    tx.journal.move(item.terminal, item.position, entry)
                    tx.quarantine.resolve_entry(item.terminal, item.position, self._now())
                return
            if row.outcome == IN_DOUBT:
                # Two people booked it and the rules refused; by itself it still proves nothing.
                found = tx.evidence.finding_of_doubt(*name)
                assert found is not None  # or nobody could have booked it
                self.book(tx, *name, found.nullifier)
                return
        verdict = self._vault.prove([_question(row._asdict())])[0]
        with self._store.transaction() as tx:
            self._decide(tx, [row], [verdict])


def _has_place(held: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether one entry more has a place in the record of which `held` decides.

    A sequence has one entry, or one in doubt and a later one that says how it ended, whichever comes in first.
    """
    if held["doubt_position"] is not None or held["clear"] != row["clear"]:
        return False
    if row["outcome"] == IN_DOUBT:
        return bool(held["outcome"] != IN_DOUBT and row["position"] < held["position"])
    if held["outcome"] != IN_DOUBT or held["position"] > row["position"]:
        return False
    # A later transaction of the pass may say that it did happen.
    return not (row["outcome"] == VOID and held["state"] in ("proven", "rejected"))


def _resolve(held: dict[str, Any], row: dict[str, Any]) -> None:
    """Have an entry decide about the record that `held` left in doubt: as was proven meanwhile, or by itself."""
    if held["state"] == "proven":
        row.update({name: held[name] for name in UNDECIDED})
    row["doubt_position"] = held["position"]
    held.update(UNDECIDED)


def _no_place(row: dict[str, Any], held: dict[str, Any]) -> str:
    return f"Sequence {row['sequence']} already has entry {held['position']}, and this one does not resolve it."


def _proof(name: tuple[int, int], verdict: Verdict, proven: Mapping[str, tuple[int, int]]) -> str:
    """The nullifier of a record that is proven for the first time; raises RecordRefused."""
    if verdict.nullifier is None:
        reason = verdict.reason or "record"
        raise RecordRefused(reason, _VAULT_SAYS[reason])
    if proven.get(verdict.nullifier, name) != name:
        raise RecordRefused("replay", "This transaction was already handed in under another number.")
    return verdict.nullifier


def _has_load(batch: Batch) -> bool:
    """What a fund still has to give depends on what other desks loaded."""
    return any(entry.clear.kind == LOAD for entry in batch.entries)


def _proven(tx: Transaction, rows: Sequence[dict[str, Any]], verdicts: Sequence[Verdict]) -> dict[str, tuple[int, int]]:
    """By nullifier, the records that were proven before with what these verdicts say."""
    asked = zip(rows, verdicts, strict=True)
    return tx.journal.nullifiers((each.nullifier, row["happened_on"]) for row, each in asked if each.nullifier)


def _question(row: Mapping[str, Any]) -> Question:
    return Question(row["terminal"], row["sequence"], row["clear"], row["sealed"])


def _as_rows(batch: Batch, today: date) -> list[dict[str, Any]]:
    """Each entry as it is held, with the MAC that it follows, deciding what it says by itself."""
    previous_mac, rows = batch.previous_mac, []
    for entry in batch.entries:
        rows.append(
            {
                "terminal": batch.terminal,
                "position": entry.position,
                "happened_on": day_of(entry.clear.day),
                "sequence": entry.clear.sequence,
                "outcome": entry.outcome,
                "clear": entry.clear_bytes,
                "sealed": entry.sealed,
                "previous_mac": previous_mac,
                "mac": entry.mac,
                "recorded_on": today,
                **UNDECIDED,
                "state": _STATE[entry.outcome],
            }
        )
        previous_mac = entry.mac
    return rows


def differing_field(held: Any, entry: dict[str, Any]) -> str | None:
    """The first field in which a held entry and one handed in again differ; None when they are the same."""
    return next((name for name in _SAME_FIELDS if getattr(held, name) != entry[name]), None)


def _contradiction(batch: Batch, rows: Sequence[dict[str, Any]], held: Mapping[int, Any]) -> str | None:
    """Where a batch does not fit what is held of this terminal: the same entries, and neighbours that follow on."""
    last = batch.first + len(rows) - 1
    before, after = held.get(batch.first - 1), held.get(last + 1)
    expected = FIRST_MAC if batch.first == 1 else before.mac if before else batch.previous_mac
    if batch.previous_mac != expected:
        return f"Entry {batch.first} does not follow the entry {batch.first - 1} that is held."
    for row in rows:
        same = held.get(row["position"])
        differs = differing_field(same, row) if same else None
        if differs:
            return f"Entry {row['position']} is held with another {differs}."
    if after and after.previous_mac != batch.last_mac:
        return f"The entry {last + 1} that is held does not follow entry {last}."
    return None
