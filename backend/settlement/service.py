"""A settlement: every proven tap and reversal up to a day, at most once, to one payment and one statement a venue."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row

from backend.calendar import Now
from backend.config import Config, Municipality, bic_of
from backend.errors import NotFound, SettlementRefused
from backend.people import named, same_person
from backend.settlement.invoice import KVK, OIN, Invoice, Party, ubl
from backend.settlement.pain import Payment, PaymentFile, pain_001
from backend.settlement.progress import add, state_of
from backend.settlement.statement import Statement, StatementLine, statement_pdf
from backend.store import Store, Transaction

# What follows on the municipality in a message id, and in an end-to-end id.
_REFERENCE = re.compile(r"([0-9]{4}-[0-9]{3,7})(?:-([0-9]{1,10}))?")


@dataclass(frozen=True)
class Reopened:
    """A payment that came back, and is in the opening amount of a later line. `how`: returned, rejected, revoked."""

    end_to_end_id: str
    how: str
    amount: int


@dataclass(frozen=True)
class Line:
    """What one venue gets, in cents: `opening` + `earned` = `paid` + `carried`.

    `state`: that of the settlement, or accepted, rejected, revoked, paid, returned. `account`: `known`, `first` (this
    venue was never paid), `new` (another account than the last payment, which went to `last_iban`) or `came back` (the
    last payment to this very account did).
    """

    venue: int
    name: str
    iban: str
    bic: str | None
    opening: int
    earned: int
    paid: int
    carried: int
    end_to_end_id: str
    state: str
    reason: str | None
    account: str
    last_iban: str | None
    reopened: tuple[Reopened, ...]


@dataclass(frozen=True)
class Settlement:
    """One settlement. `state`: prepared, approved, sent, revoked or withdrawn. Days count as the municipality's.

    `checked_by`: who checked it first, of the two that approve one above the municipality's threshold.
    """

    number: str
    since: date | None
    until: date
    state: str
    prepared_by: str
    prepared_at: datetime
    checked_by: str | None
    approved_by: str | None
    approved_at: datetime | None
    sent_by: str | None
    sent_at: datetime | None
    undone_by: str | None
    execution_on: date | None
    debtor: str
    debtor_iban: str
    debtor_bic: str | None
    needs_third: bool
    lines: list[Line]

    @property
    def total(self) -> int:
        """Cents that leave the bank."""
        return sum(line.paid for line in self.lines)


class Settlements:
    """The municipality's settlements, in a row: one is approved or withdrawn before the next is prepared."""

    def __init__(self, store: Store, config: Config, now: Now) -> None:
        self._store = store
        self._payer = config.municipality
        self._rules = config.payments
        self._address = config.invoice
        self._now = now

    def prepare(self, until: date, by: str) -> Settlement:
        """Gather what is proven up to and with a day. Raises SettlementRefused when there is nothing, or one waits."""
        by = named(by)
        with self._store.transaction() as tx:
            _not_behind(tx)
            waiting = tx.payments.waiting()
            if waiting is not None:
                raise SettlementRefused("waiting", f"Settlement {waiting} waits for approval.")
            last = tx.payments.last_day()
            if last is not None and until < last:
                raise SettlementRefused("period", f"Days up to {last} are settled already.")
            number = f"{until.year}-{_next_in(tx, until.year):03d}"
            owed, back = tx.payments.owed(), _back(tx)
            self._add(tx, number, last, until, by)
            earned = tx.payments.earned(number)
            # Who earned nothing is in it when a payment came back, or what was too little before is not any more.
            due = {venue for venue, cents in owed.items() if cents >= max(1, self._rules.minimum)}
            venues = sorted(set(earned) | {venue for venue in back if owed.get(venue, 0) > 0} | due)
            if not venues:
                raise SettlementRefused("nothing", f"There is nothing to settle up to {until}.")
            for venue in venues:
                self._add_line(tx, number, venue, owed.get(venue, 0), earned.get(venue, 0))
                for each in back.get(venue, []):
                    tx.payments.add_reopened(
                        settlement=number, end_to_end_id=each.end_to_end_id, kind=each.how, amount=each.amount
                    )
            return self._settlement(tx, number)

    def _add(self, tx: Transaction, number: str, last: date | None, until: date, by: str) -> None:
        tx.payments.add(
            {
                "number": number,
                # After one that was revoked, the same last day comes again.
                "since": None if last is None else min(last + timedelta(days=1), until),
                "until": until,
                "state": "prepared",
                "prepared_by": by,
                "prepared_at": self._now(),
                "debtor": self._payer.name,
                "debtor_iban": self._payer.iban,
                "debtor_bic": self._payer.bic or bic_of(self._payer.iban),
            }
        )
        tx.payments.collect(number, until)

    def _add_line(self, tx: Transaction, number: str, venue: int, opening: int, earned: int) -> None:
        held = tx.catalogue.venue(venue)
        assert held is not None  # the schema ties a posting to its venue
        whole = opening + earned
        paid = whole if whole >= max(1, self._rules.minimum) else 0
        tx.payments.add_line(
            {
                "settlement": number,
                "venue": venue,
                "name": held.name,
                "iban": held.iban,
                "bic": held.bic,
                "opening": opening,
                "earned": earned,
                "paid": paid,
                "carried": whole - paid,
                "end_to_end_id": f"MD-{self._payer.number}-{number}-{venue}",
            }
        )

    def approve(self, number: str, by: str, execution_on: date | None = None) -> Settlement:
        """Release the payments, to be carried out on a day (the next working day); never by who prepared them.

        Above the municipality's threshold the first who approves only checks, and a third person releases.
        """
        by = named(by)
        with self._store.transaction() as tx:
            _not_behind(tx)
            held = _prepared(tx, number)
            if same_person(by, held.prepared_by):
                raise SettlementRefused("two people", "Who prepared a settlement cannot approve it.")
            now = self._now()
            before = self._settlement(tx, number)
            if before.needs_third:
                if before.checked_by is None:
                    tx.payments.add_event(number, "checked", by, now)
                    return self._settlement(tx, number)
                if same_person(by, before.checked_by):
                    raise SettlementRefused("three people", "Who checked a settlement cannot approve it as well.")
            for line in tx.payments.lines(number):
                if line.paid:
                    add(tx, line, "payment", held.until, now)
            self.release(tx, number, by, now, execution_on or _working_day_after(now.date()))
            return self._settlement(tx, number)

    def release(self, tx: Transaction, number: str, by: str, at: datetime, execution_on: date) -> None:
        """Have a prepared settlement approved, with its invoices; what it pays is booked beside this."""
        tx.payments.change(number, state="approved", approved_by=by, approved_at=at, execution_on=execution_on)
        self._make_out_invoices(tx, self._settlement(tx, number))

    def _make_out_invoices(self, tx: Transaction, made: Settlement) -> None:
        """For each venue that wants one and earned something; what came back was invoiced when it was earned."""
        for line in made.lines:
            terms = tx.catalogue.invoice(line.venue)
            if terms is None or self._address is None:
                continue
            rows = [row for row in _statement_lines(tx, made, line.venue) if row.cents and not row.not_payable]
            if rows:
                tx.payments.add_invoice(made.number, line.venue, self._invoice(made, line, terms, rows))

    def _invoice(self, made: Settlement, line: Line, terms: Row[Any], rows: list[StatementLine]) -> bytes:
        assert self._address is not None  # who has no address makes out no invoices
        assert made.approved_at is not None  # the schema ties both to the state
        assert made.execution_on is not None
        place = terms.street, terms.postcode, terms.city
        buyer = self._address
        return ubl(
            Invoice(
                number=line.end_to_end_id,
                issued_on=made.approved_at.date(),
                due_on=made.execution_on,
                since=made.since,
                until=made.until,
                settlement=made.number,
                seller=Party(line.name, terms.company, KVK, *place, vat_number=terms.vat_number),
                buyer=Party(made.debtor, buyer.oin, OIN, buyer.street, buyer.postcode, buyer.city),
                iban=line.iban,
                reference=line.end_to_end_id,
                vat_rate=terms.vat_rate,
                lines=rows,
            )
        )

    def withdraw(self, number: str, by: str) -> Settlement:
        """Undo a preparation that must not be approved; what was in it is free for the next settlement."""
        by = named(by)
        with self._store.transaction() as tx:
            _prepared(tx, number)
            tx.payments.add_event(number, "withdrawn", by, self._now())
            tx.payments.release(number)
            tx.payments.change(number, state="withdrawn")
            return self._settlement(tx, number)

    def sent(self, number: str, by: str) -> Settlement:
        """Note that the file went to the bank; from here on it is not revoked."""
        by = named(by)
        with self._store.transaction() as tx:
            held = self._settlement(tx, number)
            if held.state != "approved" or not held.total:
                words = "pays nobody, so there is no file to send" if held.state == "approved" else f"is {held.state}"
                raise SettlementRefused("not approved", f"Settlement {number} {words}.")
            tx.payments.add_event(number, "sent", by, self._now())
            return self._settlement(tx, number)

    def revoke(self, number: str, by: str) -> Settlement:
        """Stop the payments of an approved settlement before its file goes out; the next settlement pays them."""
        by = named(by)
        with self._store.transaction() as tx:
            held = self._settlement(tx, number)
            if held.state != "approved":
                raise SettlementRefused(
                    held.state, f"Settlement {number} is {held.state}; only an approved one is revoked."
                )
            now = self._now()
            tx.payments.add_event(number, "revoked", by, now)
            for line in tx.payments.lines(number):
                if line.paid:
                    add(tx, line, "revoked", now.date(), now)
            return self._settlement(tx, number)

    # Reading

    def all(self) -> list[Settlement]:
        with self._store.reading() as tx:
            return [self._settlement(tx, row.number) for row in tx.payments.settlements()]

    def get(self, number: str) -> Settlement:
        """Raises NotFound."""
        with self._store.reading() as tx:
            return self._settlement(tx, number)

    def payment_file(self, number: str) -> bytes | None:
        """The pain.001.001.09 of an approved settlement, the same bytes each time; None when nobody is paid."""
        held = self._approved(number)
        if held.state == "revoked":
            raise SettlementRefused("revoked", f"Settlement {number} is revoked; its file must not go to the bank.")
        payments = [
            Payment(line.name, line.iban, line.bic, line.paid, line.end_to_end_id) for line in held.lines if line.paid
        ]
        if not payments:
            return None
        assert held.approved_at is not None  # the schema ties both to the state
        assert held.execution_on is not None
        debtor = held.debtor, held.debtor_iban, held.debtor_bic
        words = f"Stadspas {held.debtor}, afrekening {number}"
        message = message_id(self._payer, number)
        return pain_001(PaymentFile(message, held.approved_at, held.execution_on, *debtor, words, payments))

    def statement(self, number: str, venue: int) -> bytes:
        """The PDF for one venue of an approved settlement, the same bytes each time."""
        held = self._approved(number)
        line = next((line for line in held.lines if line.venue == venue), None)
        if line is None:
            raise NotFound("statement", f"Venue {venue} is not in settlement {number}.")
        with self._store.reading() as tx:
            rows = _statement_lines(tx, held, venue)
        assert held.approved_at is not None
        assert held.execution_on is not None
        return statement_pdf(
            Statement(
                number=number,
                municipality=held.debtor,
                venue=line.name,
                iban=line.iban,
                since=held.since,
                until=held.until,
                execution_on=held.execution_on,
                opening=line.opening - sum(each.amount for each in line.reopened),
                reopened=[(each.end_to_end_id, each.how, each.amount) for each in line.reopened],
                earned=line.earned,
                paid=line.paid,
                carried=line.carried,
                reference=line.end_to_end_id,
                made_at=held.approved_at,
                lines=rows,
            )
        )

    def invoiced(self, number: str) -> set[int]:
        """The venues for which an invoice was made out."""
        with self._store.reading() as tx:
            return tx.payments.invoiced(number)

    def invoice(self, number: str, venue: int) -> bytes:
        """The invoice that was made out for a venue, UBL 2.1; raises NotFound when there is none."""
        self._approved(number)
        with self._store.reading() as tx:
            xml = tx.payments.invoice(number, venue)
        if xml is None:
            raise NotFound("invoice", f"No invoice was made out for venue {venue} in settlement {number}.")
        return xml

    def _approved(self, number: str) -> Settlement:
        held = self.get(number)
        if held.approved_at is None:
            raise SettlementRefused("not approved", f"Settlement {number} is {held.state}, not approved.")
        return held

    def _settlement(self, tx: Transaction, number: str) -> Settlement:
        held = tx.payments.settlement(number)
        if held is None:
            raise NotFound("settlement", f"There is no settlement {number}.")
        said = {event.kind: event for event in tx.payments.events(number)}
        happened: dict[str, list[Row[Any]]] = {}
        for event in tx.payments.payment_events_of(number):
            happened.setdefault(event.end_to_end_id, []).append(event)
        values = held._asdict()
        # What the bank says of a payment tells that its file went out, whoever forgot to note it.
        told = any(event.kind != "revoked" for events in happened.values() for event in events)
        values["state"] = "revoked" if "revoked" in said else "sent" if "sent" in said or told else held.state
        again: dict[int, list[Reopened]] = {}
        for row in tx.payments.reopened(number):
            again.setdefault(row.venue, []).append(Reopened(row.end_to_end_id, row.kind, row.amount))
        last = tx.payments.last_payments(number)
        lines = [
            _line(
                row,
                values["state"],
                happened.get(row.end_to_end_id, []),
                last.get(row.venue),
                tuple(again.get(row.venue, ())),
            )
            for row in tx.payments.lines(number)
        ]
        total = sum(line.paid for line in lines)
        limit = self._rules.second_check_above
        return Settlement(
            **values,
            checked_by=said["checked"].by if "checked" in said else None,
            sent_by=said["sent"].by if "sent" in said else None,
            sent_at=said["sent"].recorded_at if "sent" in said else None,
            undone_by=next((said[kind].by for kind in ("revoked", "withdrawn") if kind in said), None),
            needs_third=held.state == "prepared" and limit is not None and total > limit,
            lines=lines,
        )


def _line(
    row: Row[Any],
    settlement: str,
    events: list[Row[Any]],
    last: tuple[str, bool] | None,
    reopened: tuple[Reopened, ...],
) -> Line:
    values = row._asdict()
    del values["settlement"]
    state = state_of({event.kind for event in events}, settlement)
    account, last_iban = _account(row.iban, last)
    reason = next((event.reason for event in reversed(events) if event.kind == state), None)
    return Line(**values, state=state, reason=reason, account=account, last_iban=last_iban, reopened=reopened)


def _statement_lines(tx: Transaction, held: Settlement, venue: int) -> list[StatementLine]:
    return [
        StatementLine(row.number, row.name, row.kind, row.times, int(row.cents or 0), row.not_payable, bool(row.late))
        for row in tx.payments.statement_rows(held.number, venue, held.since)
    ]


def message_id(payer: Municipality, number: str) -> str:
    """By which the bank knows the file of a settlement; the same each time, so that it refuses one sent twice."""
    return f"MD-{payer.number}-{number}"


def named_in(payer: Municipality, reference: str) -> tuple[str, int | None] | None:
    """The settlement, and the venue if it names one, of a reference as we write them; None for any other."""
    prefix = message_id(payer, "")
    found = _REFERENCE.fullmatch(reference.removeprefix(prefix)) if reference.startswith(prefix) else None
    return None if found is None else (found[1], int(found[2]) if found[2] else None)


def _account(iban: str, last: tuple[str, bool] | None) -> tuple[str, str | None]:
    """What is known of the account that a line pays to, and the account of the payment before."""
    if last is None:
        return "first", None
    last_iban, came_back = last
    if last_iban != iban:
        return "new", last_iban
    return "came back" if came_back else "known", last_iban


def _back(tx: Transaction) -> dict[int, list[Reopened]]:
    """By venue, the payments that came back and are paid by no settlement yet."""
    found: dict[int, list[Reopened]] = {}
    for row in tx.payments.came_back():
        events = {event.kind for event in tx.payments.payment_events(row.end_to_end_id)}
        # One that was revoked, paid by the bank all the same and then returned came back once, by its last word.
        if state_of(events, "") == row.kind:
            found.setdefault(row.venue, []).append(Reopened(row.end_to_end_id, row.kind, row.paid))
    return found


def _not_behind(tx: Transaction) -> None:
    """Raises SettlementRefused while the books may lack payments that the bank made."""
    if tx.recoveries.open() is not None:
        words = "A copy of the books was put back. Take in the payment orders and the bank's files since then"
        raise SettlementRefused("behind", f"{words}, and then: meedoen backend recover end.")


def _next_in(tx: Transaction, year: int) -> int:
    """How manyth the next settlement of a year is. The bank and the venues may have seen numbers that a copy of the
    books lacks, so after one was put back the next hundred begins: the bank refuses an order whose number it has."""
    last = tx.payments.last_in(year)
    return (last // 100 + 1) * 100 + 1 if tx.recoveries.lost_numbers(year) else last + 1


def _prepared(tx: Transaction, number: str) -> Row[Any]:
    held = tx.payments.settlement(number)
    if held is None:
        raise NotFound("settlement", f"There is no settlement {number}.")
    if held.state != "prepared":
        raise SettlementRefused(held.state, f"Settlement {number} is {held.state} already.")
    return held


def _working_day_after(day: date) -> date:
    """Saturdays and Sundays are skipped; the bank moves an execution day that is a holiday of TARGET."""
    day += timedelta(days=1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return day
