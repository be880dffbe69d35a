"""The bank's files held against our payments: an entry counts once, and one that fits nothing waits for people.

camt.054 tells of an entry when it happens and camt.053 when the day is over; each kind tells it once. So a second file
of one kind that tells of the same payment is money that moved twice, and is shown.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from backend.bank.messages import AccountFile, AccountReport, Movement, Status, StatusFile, read
from backend.bank.statements import BankStatement, in_order
from backend.calendar import Now
from backend.config import Municipality
from backend.errors import BankEntryRefused, BankFileRefused, NotFound
from backend.people import named, same_person
from backend.settlement.progress import add, refusal_of
from backend.settlement.service import message_id, named_in
from backend.store import Store, Transaction

# What a bank says of what it will carry out. (ISO 20022, ExternalPaymentTransactionStatus1Code.)
_ACCEPTED = frozenset({"ACTC", "ACCP", "ACSP", "ACSC", "ACWC", "ACCC"})
_REJECTED = "RJCT"
# The file was there already: the first one is being paid. (ExternalStatusReason1Code.)
_DUPLICATE = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DU05", "DUPL"})
_HAPPENS = {"debit": "paid", "credit": "returned"}


@dataclass(frozen=True)
class BankFile:
    """A file of the bank that was taken in."""

    kind: str
    message_id: str
    by: str
    recorded_at: datetime


@dataclass(frozen=True)
class BankReceipt:
    """What a file brought. `known`: it was taken in before, and nothing was done. `duplicate`: the bank refused a
    payment file because it has it already, so its payments go on. Counts are of payments and entries."""

    kind: str
    message_id: str
    known: bool = False
    duplicate: bool = False
    counts: tuple[tuple[str, int], ...] = ()

    def __getitem__(self, what: str) -> int:
        """How many were `accepted`, `rejected`, `paid`, `returned`, `repeated` or `unmatched`."""
        return dict(self.counts).get(what, 0)


@dataclass(frozen=True)
class Unmatched:
    """An entry that is no payment of ours by itself.

    `why`: unknown (no reference of ours), amount (ours, another amount), not approved, again (that payment was told of
    already), or what had happened to the payment: rejected, revoked, paid. `state`: open, proposed (for `payment`, by
    one person), assigned, not ours. `candidates`: payments of this amount to which it can be assigned.
    """

    id: int
    kind: str
    direction: str
    amount: int
    happened_on: date
    end_to_end_id: str | None
    reference: str | None
    reason: str | None
    why: str
    state: str
    payment: str | None
    by: str | None
    words: str | None
    candidates: tuple[str, ...]


class Bank:
    """What the bank says of the account that pays the venues."""

    def __init__(self, store: Store, payer: Municipality, now: Now) -> None:
        self._store = store
        self._payer = payer
        self._now = now

    def take(self, content: bytes, by: str) -> BankReceipt:
        """Take in a file, all of it or nothing; the same file again does nothing. Raises BankFileRefused.

        One that tells of a settlement that the books do not have shows that a copy was put back: nobody is paid until
        the order of that settlement is taken in.
        """
        by = named(by)
        try:
            return self._take(content, by)
        except _Behind as lacking:
            with self._store.transaction() as tx:
                if tx.recoveries.open() is None:
                    tx.recoveries.add("begun", by, self._now())
            words = (
                f"The file tells of settlement {lacking}, which the books do not have: they are older than the bank's"
            )
            advice = "Until its payment order is taken in nobody is paid: meedoen backend recover order"
            raise BankFileRefused("behind", f"{words}. {advice}.") from None

    def _take(self, content: bytes, by: str) -> BankReceipt:
        message = read(content)
        digest = hashlib.sha256(content).hexdigest()
        with self._store.transaction() as tx:
            held = tx.bank.file(message.kind, message.message_id)
            if held is not None:
                if held.digest != digest:
                    raise BankFileRefused(
                        "two files", f"Message {message.message_id} was taken in with another content. Ask the bank."
                    )
                return BankReceipt(message.kind, message.message_id, known=True)
            now = self._now()
            file = tx.bank.add_file(
                kind=message.kind, message_id=message.message_id, digest=digest, by=by, recorded_at=now
            )
            work = _Taking(tx, self._payer, message.kind, file, now)
            duplicate = work.status(message) if isinstance(message, StatusFile) else work.account(message)
        return BankReceipt(message.kind, message.message_id, False, duplicate, tuple(sorted(work.counts.items())))

    def files(self) -> list[BankFile]:
        with self._store.reading() as tx:
            return [BankFile(row.kind, row.message_id, row.by, row.recorded_at) for row in tx.bank.files()]

    def statements(self) -> list[BankStatement]:
        """Every statement, by account and day, with what is missing before it and what does not add up in it."""
        with self._store.reading() as tx:
            return in_order(tx.bank.statements())

    def newest_statement(self, iban: str, until: date) -> BankStatement | None:
        """The last one of an account up to and with a day."""
        of_account = (each for each in self.statements() if each.iban == iban and each.day <= until)
        return max(of_account, key=lambda each: each.day, default=None)

    def unmatched(self, with_decided: bool = False) -> list[Unmatched]:
        """Entries that wait for people, the oldest first."""
        with self._store.reading() as tx:
            decisions = tx.bank.decisions()
            found = [_unmatched(tx, row, decisions.get(row.id)) for row in tx.bank.unmatched()]
        return [each for each in found if with_decided or each.state in ("open", "proposed")]

    def assign(self, entry: int, end_to_end_id: str, by: str) -> Unmatched:
        """Say of which payment an entry is; it is booked when a second person says the same."""
        by = named(by)
        with self._store.transaction() as tx:
            row, last = _open(tx, entry)
            line = tx.payments.line(end_to_end_id)
            if line is None:
                raise NotFound("payment", f"There is no payment {end_to_end_id}.")
            fault = _cannot_be(tx, row, line)
            if fault:
                raise BankEntryRefused(fault, f"Entry {entry} cannot be payment {end_to_end_id}: {fault}.")
            again = last is not None and last.kind == "proposed" and last.payment == end_to_end_id
            if again and last is not None and same_person(last.by, by):
                raise BankEntryRefused("two people", "Somebody else says the same before it is booked.")
            now = self._now()
            if again:
                add(tx, line, _HAPPENS[row.direction], row.happened_on, now, reason=row.reason, entry=row.id)
            kind = "assigned" if again else "proposed"
            tx.bank.add_decision(entry=entry, kind=kind, payment=end_to_end_id, reason=None, by=by, recorded_at=now)
            return _unmatched(tx, row, tx.bank.decisions()[entry])

    def not_ours(self, entry: int, reason: str, by: str) -> Unmatched:
        """Say that an entry has nothing to do with payments to venues, and why; nothing is booked."""
        by, reason = named(by), " ".join(reason.split())
        if not 0 < len(reason) <= 200:
            raise BankEntryRefused("reason", "Say in at most 200 characters why it is not ours.")
        with self._store.transaction() as tx:
            row, _ = _open(tx, entry)
            tx.bank.add_decision(
                entry=entry, kind="not ours", payment=None, reason=reason, by=by, recorded_at=self._now()
            )
            return _unmatched(tx, row, tx.bank.decisions()[entry])


class _Behind(Exception):
    """The bank tells of a payment of ours that the books do not know."""


class _Taking:
    """One file on its way in."""

    def __init__(self, tx: Transaction, payer: Municipality, kind: str, file: int, now: datetime) -> None:
        self._tx = tx
        self._payer = payer
        self._kind = kind
        self._file = file
        self._now = now
        self._seen: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()

    # Statements and notifications

    def account(self, message: AccountFile) -> bool:
        ours = self._tx.bank.accounts() | {self._payer.iban}
        for report in message.reports:
            if report.iban not in ours:
                words = f"The file is about account {report.iban}, from which no venue is paid."
                raise BankFileRefused("account", words)
            self._statement(report)
            for movement in report.movements:
                self._knows(movement)
                for each in self._single(movement):
                    self._entry(report.iban, each)
        return False

    def _statement(self, report: AccountReport) -> None:
        if report.balance is None:
            return
        signed = sum(each.amount if each.direction == "credit" else -each.amount for each in report.movements)
        held = report.balance
        self._tx.bank.add_statement(
            file=self._file,
            iban=report.iban,
            number=held.number,
            day=held.day,
            opening=held.opening,
            closing=held.closing,
            entries=signed,
        )

    def _knows(self, movement: Movement) -> None:
        """Raises _Behind when an order of ours was carried out that is not in the books as approved."""
        found = named_in(self._payer, movement.end_to_end_id or movement.batch or "")
        # What comes in can have any reference that somebody gave it.
        if found is None or movement.direction != "debit":
            return
        number, venue = found
        if movement.end_to_end_id and (venue is None or self._tx.catalogue.venue(venue) is None):
            return
        held = self._tx.payments.settlement(number)
        if held is None or (held.state == "prepared" and self._tx.recoveries.open() is not None):
            raise _Behind(number)

    def _single(self, movement: Movement) -> list[Movement]:
        """The payments of one entry for a whole file of ours, when they are all of it; or the entry itself."""
        if movement.batch is None or movement.end_to_end_id is not None:
            return [movement]
        number = movement.batch.removesuffix("-1").removeprefix(message_id(self._payer, ""))
        happens, lines = _HAPPENS[movement.direction], []
        for line in self._tx.bank.batch(number):
            events = {event.kind for event in self._tx.payments.payment_events(line.end_to_end_id)}
            if not events & {"revoked", "rejected"} or happens in events:
                lines.append(line)
        if sum(line.paid for line in lines) != movement.amount:
            return [movement]
        return [replace(movement, end_to_end_id=line.end_to_end_id, amount=line.paid) for line in lines]

    def _entry(self, iban: str, movement: Movement) -> None:
        name = f"{iban}|{movement.reference or movement.booked_on}|{movement.direction}|{movement.amount}"
        name += f"|{movement.end_to_end_id}"
        self._seen[name] += 1
        fingerprint = hashlib.sha256(f"{name}|{self._seen[name]}".encode()).hexdigest()
        if self._tx.bank.holds(self._kind, fingerprint):
            self.counts["repeated"] += 1
            return
        happens = _HAPPENS[movement.direction]
        line = self._tx.payments.line(movement.end_to_end_id) if movement.end_to_end_id else None
        why, told = self._judge(line, movement, happens)
        elsewhere = self._tx.bank.held_elsewhere(fingerprint)
        entry = self._tx.bank.add_entry(
            file=self._file,
            kind=self._kind,
            fingerprint=fingerprint,
            direction=movement.direction,
            amount=movement.amount,
            happened_on=movement.booked_on,
            end_to_end_id=movement.end_to_end_id,
            reference=movement.reference,
            reason=movement.reason,
            payment=movement.end_to_end_id if why is None else None,
            unmatched=why,
        )
        if told or (why and elsewhere):
            self.counts["repeated"] += 1
        elif why or line is None:
            self.counts["unmatched"] += 1
        else:
            add(self._tx, line, happens, movement.booked_on, self._now, reason=movement.reason, entry=entry)
            self.counts[happens] += 1

    def _judge(self, line: Row[Any] | None, movement: Movement, happens: str) -> tuple[str | None, bool]:
        """Why an entry is no payment of ours (none: it is), and whether another kind of file told of it before."""
        if line is None:
            return "unknown", False
        if line.paid != movement.amount:
            return "amount", False
        if not _is_approved(self._tx, line):
            return "not approved", False
        kinds = self._tx.bank.told_by(line.end_to_end_id, movement.direction)
        if self._kind in kinds:
            return "again", False
        if kinds:
            return None, True
        events = {event.kind for event in self._tx.payments.payment_events(line.end_to_end_id)}
        refusal = refusal_of(happens, events)
        return ("again" if refusal == happens else refusal), False

    # Status reports

    def status(self, message: StatusFile) -> bool:
        """True when the bank has the file already, and goes on with the first."""
        number = message.original.removeprefix(message_id(self._payer, ""))
        settlement = self._tx.payments.settlement(number)
        if settlement is None or message.original != message_id(self._payer, number) or settlement.approved_at is None:
            raise BankFileRefused("unknown file", f"The bank speaks of file {message.original}, which is none of ours.")
        lines = {line.end_to_end_id: line for line in self._tx.bank.batch(number)}
        strange = sorted(set(message.payments) - set(lines))
        if strange:
            raise BankFileRefused("unknown payment", f"Settlement {number} has no payment {strange[0]}.")
        whole = message.group if message.group.code else next(iter(message.batches), message.group)
        if whole.code == _REJECTED and whole.reason in _DUPLICATE:
            return True
        # One batch in each file of ours: its word, like that of the file, is about every payment in it.
        rejected = next((each for each in (whole, *message.batches) if each.code == _REJECTED), None)
        for end_to_end_id, line in lines.items():
            self._payment_status(line, rejected or message.payments.get(end_to_end_id) or whole, message)
        return False

    def _payment_status(self, line: Row[Any], status: Status, message: StatusFile) -> None:
        kind = "accepted" if status.code in _ACCEPTED else "rejected" if status.code == _REJECTED else None
        if kind is None:
            return
        events = {event.kind for event in self._tx.payments.payment_events(line.end_to_end_id)}
        refusal = refusal_of(kind, events)
        if refusal is None:
            add(self._tx, line, kind, message.made_on, self._now, reason=status.reason)
            self.counts[kind] += 1
        elif kind == "rejected" and refusal not in ("rejected", "revoked"):
            # It was paid, and now the bank says that it was not: people look.
            self._tx.bank.add_entry(
                file=self._file,
                kind=self._kind,
                fingerprint=hashlib.sha256(f"{message.message_id}|{line.end_to_end_id}".encode()).hexdigest(),
                direction="debit",
                amount=line.paid,
                happened_on=message.made_on,
                end_to_end_id=line.end_to_end_id,
                reason=status.reason,
                unmatched=refusal,
            )
            self.counts["unmatched"] += 1


def _is_approved(tx: Transaction, line: Row[Any]) -> bool:
    settlement = tx.payments.settlement(line.settlement)
    return settlement is not None and settlement.state == "approved"


def _open(tx: Transaction, entry: int) -> tuple[Row[Any], Row[Any] | None]:
    """An entry that waits, and what was last said of it."""
    row = tx.bank.entry(entry)
    if row is None or row.unmatched is None:
        raise NotFound("entry", f"There is no unmatched entry {entry}.")
    last = tx.bank.decisions().get(entry)
    if last is not None and last.kind != "proposed":
        raise BankEntryRefused("decided", f"Entry {entry} is decided on already: {last.kind}, by {last.by}.")
    return row, last


def _cannot_be(tx: Transaction, entry: Row[Any], line: Row[Any]) -> str | None:
    """Why an entry cannot be that of a payment. People may say that one was paid after all that we took back."""
    if entry.kind == "pain.002":
        return "status report"
    if line.paid != entry.amount:
        return "amount"
    if not _is_approved(tx, line):
        return "not approved"
    events = {event.kind for event in tx.payments.payment_events(line.end_to_end_id)}
    happens = _HAPPENS[entry.direction]
    if happens == "paid":
        return "paid" if "paid" in events else None
    return refusal_of(happens, events)


def _unmatched(tx: Transaction, row: Row[Any], decision: Row[Any] | None) -> Unmatched:
    state = "open" if decision is None else decision.kind
    candidates = [
        line.end_to_end_id
        for line in (tx.payments.lines_of(row.amount) if state in ("open", "proposed") else ())
        if _cannot_be(tx, row, line) is None
    ]
    return Unmatched(
        id=row.id,
        kind=row.kind,
        direction=row.direction,
        amount=row.amount,
        happened_on=row.happened_on,
        end_to_end_id=row.end_to_end_id,
        reference=row.reference,
        reason=row.reason,
        why=row.unmatched,
        state=state,
        payment=None if decision is None else decision.payment,
        by=None if decision is None else decision.by,
        words=None if decision is None else decision.reason,
        candidates=tuple(candidates),
    )
