"""A copy of the database was put back, and the bank made payments since that it does not know.

From the beginning to the end of a recovery nobody is paid. In between, two people each take in every payment order
that the bank got since the copy: its payments are booked as they were ordered, and the bank's statements, read again,
say what became of them. Terminals and desks hand in again what the copy lacks, and the next settlement counts all of
that as earned, less what was paid. So each venue gets its money once, whatever the lost settlement was made of.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from backend.calendar import Now
from backend.config import Municipality
from backend.errors import RecoveryRefused
from backend.people import named, same_person
from backend.settlement.pain import PaymentFile, read_pain_001
from backend.settlement.progress import add
from backend.settlement.service import Settlements, named_in
from backend.store import Store, Transaction


@dataclass(frozen=True)
class Recovered:
    """A payment order that was taken in, in cents. `state`: proposed (by one person), or booked."""

    settlement: str
    total: int
    payments: int
    state: str


class Recovery:
    """`settlements`: those of the same store."""

    def __init__(self, store: Store, settlements: Settlements, payer: Municipality, now: Now) -> None:
        self._store = store
        self._settlements = settlements
        self._payer = payer
        self._now = now

    def begin(self, by: str) -> None:
        """Say that a copy was put back: no settlement is made or approved from now on."""
        by = named(by)
        with self._store.transaction() as tx:
            if tx.recoveries.open() is not None:
                raise RecoveryRefused("begun", "That a copy was put back is known already, and nobody is paid.")
            tx.recoveries.add("begun", by, self._now())

    def order(self, content: bytes, by: str) -> Recovered:
        """Take in a payment order (pain.001) that the bank got since the copy; booked when somebody else does the same.

        Raises RecoveryRefused.
        """
        by, digest = named(by), hashlib.sha256(content).hexdigest()
        order, number, venues = self._read(content)
        total = sum(payment.amount for payment in order.payments)
        with self._store.transaction() as tx:
            begun = tx.recoveries.open()
            if begun is None:
                raise RecoveryRefused("not begun", "First say that a copy was put back: meedoen backend recover begin.")
            self._fits(tx, order, number, venues)
            said = [row for row in tx.recoveries.orders(begun.id) if row.settlement == number]
            again = bool(said) and said[-1].digest == digest
            if again and same_person(said[-1].by, by):
                raise RecoveryRefused("two people", "Somebody else takes in the same order before it is booked.")
            now = self._now()
            if again:
                self._book(tx, order, number, venues, (said[-1].by, by), now)
            tx.recoveries.add("order", by, now, settlement=number, digest=digest)
        return Recovered(number, total, len(order.payments), "booked" if again else "proposed")

    def end(self, by: str, without: Collection[str] = ()) -> None:
        """Say that the books know every order that the bank got; never by who began.

        `without`: settlements whose order one person took in, and the bank never got. Raises RecoveryRefused.
        """
        by = named(by)
        for each in self._settlements.all():
            # Made before the copy: what became of it since is not known, and what it pays may be paid by another.
            if each.state == "prepared":
                words = f"Settlement {each.number} waits for approval since before the copy"
                raise RecoveryRefused("waiting", f"{words}: take in its order, or withdraw it.")
            if each.state == "approved" and each.total:
                words = f"Settlement {each.number} was approved before the copy, and not sent"
                raise RecoveryRefused("not sent", f"{words}: take in its order, or revoke it.")
        with self._store.transaction() as tx:
            begun = tx.recoveries.open()
            if begun is None:
                raise RecoveryRefused("not begun", "There is nothing to end: no copy was put back.")
            if same_person(by, begun.by):
                raise RecoveryRefused("two people", "Who began this cannot end it; ask somebody else.")
            digests: dict[str, list[str]] = {}
            for row in tx.recoveries.orders(begun.id):
                digests.setdefault(row.settlement, []).append(row.digest)
            for number, taken in digests.items():
                if number not in without and not any(one == other for one, other in pairwise(taken)):
                    raise RecoveryRefused("proposed", f"The order of settlement {number} waits for a second person.")
            tx.recoveries.add("ended", by, self._now())

    def _read(self, content: bytes) -> tuple[PaymentFile, str, list[int]]:
        """The order, the settlement that it pays, and the venue of each payment in it."""
        try:
            order = read_pain_001(content)
        except ValueError:
            raise RecoveryRefused("format", "This is no payment order as clearing writes one (pain.001).") from None
        found = named_in(self._payer, order.message_id)
        names = [named_in(self._payer, payment.end_to_end_id) for payment in order.payments]
        venues = [each[1] for each in names if each is not None and found is not None and each[0] == found[0]]
        if found is None or found[1] is not None or None in venues or len(set(venues)) != len(order.payments):
            raise RecoveryRefused("format", "This is a payment order of somebody else.")
        return order, found[0], [venue for venue in venues if venue is not None]

    def _fits(self, tx: Transaction, order: PaymentFile, number: str, venues: list[int]) -> None:
        """Refuse an order of another account or of venues that are not known, and one that is in the books as sent, or
        otherwise."""
        if order.debtor_iban not in tx.bank.accounts() | {self._payer.iban}:
            raise RecoveryRefused("account", f"No venue is paid from account {order.debtor_iban}.")
        unknown = [venue for venue in venues if tx.catalogue.venue(venue) is None]
        if unknown:
            words = f"Venue {unknown[0]} is not known. Take in the file of venues first"
            raise RecoveryRefused("venue", f"{words}: meedoen backend import-venues.")
        held = tx.payments.settlement(number)
        if held is None:
            return
        events = {event.kind for event in tx.payments.events(number)}
        if held.state == "withdrawn" or events & {"sent", "revoked"}:
            raise RecoveryRefused("known", f"Settlement {number} is in the books already; nothing is lacking.")
        lines = {(line.end_to_end_id, line.iban, line.paid) for line in tx.payments.lines(number) if line.paid}
        if lines != {(each.end_to_end_id, each.iban, each.amount) for each in order.payments}:
            raise RecoveryRefused("differs", f"Settlement {number} is in the books with other payments.")

    def _book(
        self,
        tx: Transaction,
        order: PaymentFile,
        number: str,
        venues: list[int],
        people: tuple[str, str],
        now: datetime,
    ) -> None:
        """As it was approved and sent. What was in it nobody knows: that is in the next settlement, less what it
        paid, which stands here as owed from before."""
        held = tx.payments.settlement(number)
        if held is None:
            self._add(tx, order, number, venues, people)
        elif held.state == "prepared":
            if same_person(held.prepared_by, people[1]):
                raise RecoveryRefused("two people", "Who prepared this settlement cannot be the second; ask another.")
            self._settlements.release(tx, number, people[1], order.made_at, order.execution_on)
        if held is None or held.state == "prepared":
            for line in tx.payments.lines(number):
                if line.paid:
                    add(tx, line, "payment", order.made_at.date(), now)
        tx.payments.add_event(number, "sent", people[1], now)

    def _add(
        self, tx: Transaction, order: PaymentFile, number: str, venues: list[int], people: tuple[str, str]
    ) -> None:
        day = order.made_at.date()
        tx.payments.add(
            {
                "number": number,
                "since": None,
                # It settles no day that the books did not know as settled.
                "until": tx.payments.last_day() or day,
                "state": "approved",
                "prepared_by": people[0],
                "prepared_at": order.made_at,
                "approved_by": people[1],
                "approved_at": order.made_at,
                "execution_on": order.execution_on,
                "debtor": order.debtor,
                "debtor_iban": order.debtor_iban,
                "debtor_bic": order.debtor_bic,
            }
        )
        for venue, payment in zip(venues, order.payments, strict=True):
            tx.payments.add_line(
                {
                    "settlement": number,
                    "venue": venue,
                    "name": payment.name,
                    "iban": payment.iban,
                    "bic": payment.bic,
                    "opening": payment.amount,
                    "earned": 0,
                    "paid": payment.amount,
                    "carried": 0,
                    "end_to_end_id": payment.end_to_end_id,
                }
            )
