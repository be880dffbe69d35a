"""A settlement: every proven tap and reversal up to a day, at most once, to one payment and one statement a venue."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row

from backend.calendar import Now
from backend.config import Municipality, bic_of
from backend.errors import NotFound, SettlementRefused
from backend.ledger import BANK, venue_account
from backend.settlement.pain import Payment, PaymentFile, pain_001
from backend.settlement.statement import Statement, StatementLine, statement_pdf
from backend.store import Store, Transaction


@dataclass(frozen=True)
class Line:
    """What one venue gets, in cents: `opening` + `earned` = `paid` + `carried`."""

    venue: int
    name: str
    iban: str
    bic: str | None
    opening: int
    earned: int
    paid: int
    carried: int
    end_to_end_id: str


@dataclass(frozen=True)
class Settlement:
    """One settlement. `state`: prepared, approved or withdrawn. Days count as the municipality's."""

    number: str
    since: date | None
    until: date
    state: str
    prepared_by: str
    prepared_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    execution_on: date | None
    debtor: str
    debtor_iban: str
    debtor_bic: str | None
    lines: list[Line]

    @property
    def total(self) -> int:
        """Cents that leave the bank."""
        return sum(line.paid for line in self.lines)


class Settlements:
    """The municipality's settlements, in a row: one is approved or withdrawn before the next is prepared."""

    def __init__(self, store: Store, payer: Municipality, now: Now) -> None:
        self._store = store
        self._payer = payer
        self._now = now

    def prepare(self, until: date, by: str) -> Settlement:
        """Gather what is proven up to and with a day. Raises SettlementRefused when there is nothing, or one waits."""
        by = _person(by)
        with self._store.transaction() as tx:
            waiting = tx.payments.waiting()
            if waiting is not None:
                raise SettlementRefused("waiting", f"Settlement {waiting} waits for approval.")
            last = tx.payments.last_day()
            if last is not None and until < last:
                raise SettlementRefused("period", f"Days up to {last} are settled already.")
            number = f"{until.year}-{tx.payments.count_in(until.year) + 1:03d}"
            self._add(tx, number, last, until, by)
            earned, carried = tx.payments.earned(number), tx.payments.carried()
            if not earned:
                raise SettlementRefused("nothing", f"There is nothing to settle up to {until}.")
            for venue in sorted(earned):
                self._add_line(tx, number, venue, carried.get(venue, 0), earned[venue])
            return _settlement(tx, number)

    def _add(self, tx: Transaction, number: str, last: date | None, until: date, by: str) -> None:
        tx.payments.add(
            {
                "number": number,
                "since": None if last is None else last + timedelta(days=1),
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
        tx.payments.add_line(
            {
                "settlement": number,
                "venue": venue,
                "name": held.name,
                "iban": held.iban,
                "bic": held.bic,
                "opening": opening,
                "earned": earned,
                "paid": max(whole, 0),
                "carried": min(whole, 0),
                "end_to_end_id": f"MD-{self._payer.number}-{number}-{venue}",
            }
        )

    def approve(self, number: str, by: str, execution_on: date | None = None) -> Settlement:
        """Release the payments, to be carried out on a day (the next working day); never by who prepared them."""
        by = _person(by)
        with self._store.transaction() as tx:
            held = _prepared(tx, number)
            if by.casefold() == held.prepared_by.casefold():
                raise SettlementRefused("two people", "Who prepared a settlement cannot approve it.")
            now = self._now()
            for line in tx.payments.lines(number):
                if line.paid:
                    transfers = [(venue_account(line.venue), BANK, "cent", line.paid)]
                    tx.books.post("payment", held.until, now, transfers, venue=line.venue, settlement=number)
            execution_on = execution_on or _working_day_after(now.date())
            tx.payments.change(number, state="approved", approved_by=by, approved_at=now, execution_on=execution_on)
            return _settlement(tx, number)

    def withdraw(self, number: str) -> Settlement:
        """Undo a preparation that must not be approved; what was in it is free for the next settlement."""
        with self._store.transaction() as tx:
            _prepared(tx, number)
            tx.payments.release(number)
            tx.payments.change(number, state="withdrawn")
            return _settlement(tx, number)

    # Reading

    def all(self) -> list[Settlement]:
        with self._store.transaction() as tx:
            return [_settlement(tx, row.number) for row in tx.payments.settlements()]

    def get(self, number: str) -> Settlement:
        """Raises NotFound."""
        with self._store.transaction() as tx:
            return _settlement(tx, number)

    def payment_file(self, number: str) -> bytes | None:
        """The pain.001.001.09 of an approved settlement, the same bytes each time; None when nobody is paid."""
        held = self._approved(number)
        payments = [
            Payment(line.name, line.iban, line.bic, line.paid, line.end_to_end_id) for line in held.lines if line.paid
        ]
        if not payments:
            return None
        assert held.approved_at is not None  # the schema ties both to the state
        assert held.execution_on is not None
        message = f"MD-{self._payer.number}-{number}"
        debtor = held.debtor, held.debtor_iban, held.debtor_bic
        words = f"Stadspas {held.debtor}, afrekening {number}"
        return pain_001(PaymentFile(message, held.approved_at, held.execution_on, *debtor, words, payments))

    def statement(self, number: str, venue: int) -> bytes:
        """The PDF for one venue of an approved settlement, the same bytes each time."""
        held = self._approved(number)
        line = next((line for line in held.lines if line.venue == venue), None)
        if line is None:
            raise NotFound("statement", f"Venue {venue} is not in settlement {number}.")
        with self._store.transaction() as tx:
            rows = [
                StatementLine(row.number, row.name, row.kind, row.times, int(row.cents or 0), row.not_payable)
                for row in tx.payments.statement_rows(number, venue)
            ]
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
                opening=line.opening,
                earned=line.earned,
                paid=line.paid,
                carried=line.carried,
                reference=line.end_to_end_id,
                made_at=held.approved_at,
                lines=rows,
            )
        )

    def _approved(self, number: str) -> Settlement:
        held = self.get(number)
        if held.state != "approved":
            raise SettlementRefused("not approved", f"Settlement {number} is {held.state}, not approved.")
        return held


def _person(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise SettlementRefused("person", "A settlement is prepared and approved by someone with a name.")
    return name


def _prepared(tx: Transaction, number: str) -> Row[Any]:
    held = tx.payments.settlement(number)
    if held is None:
        raise NotFound("settlement", f"There is no settlement {number}.")
    if held.state != "prepared":
        raise SettlementRefused(held.state, f"Settlement {number} is {held.state} already.")
    return held


def _settlement(tx: Transaction, number: str) -> Settlement:
    held = tx.payments.settlement(number)
    if held is None:
        raise NotFound("settlement", f"There is no settlement {number}.")
    lines = []
    for row in tx.payments.lines(number):
        values = row._asdict()
        del values["settlement"]
        lines.append(Line(**values))
    return Settlement(**held._asdict(), lines=lines)


def _working_day_after(day: date) -> date:
    """Saturdays and Sundays are skipped; the bank moves an execution day that is a holiday of TARGET."""
    day += timedelta(days=1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return day
