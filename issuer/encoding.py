"""The passes that wait for a card, as jobs of a batch, in the registry."""

import threading
from collections.abc import Callable
from datetime import date, datetime

from issuer.batch import Job
from issuer.desk import Desk
from issuer.errors import CardRefused, DeskError
from issuer.personalise import Reader
from issuer.registry import Registry, cards, passes, people
from issuer.registry.tables import CardPass, Holder

_IN_HAND = "A card with the same number is being made on another reader. Lay this one with the rejected ones."


class RegistryJobs:
    """issuer.batch.Jobs for all who wait on a day, and for what an earlier run began. `by` is the officer.

    `printed`: only those whose card has its face already; otherwise only those whose card has not. With `delivery`,
    each card is booked off it.
    """

    def __init__(
        self,
        registry: Registry,
        desk: Desk,
        on: date,
        now: Callable[[], datetime],
        by: str,
        delivery: str | None = None,
        printed: bool = False,
    ) -> None:
        self._registry = registry
        self._desk = desk
        self._on = on
        self._now = now
        self._by = by
        self._printed = printed
        # Which jobs there are, and in whose hand, is this process's own: one at a time.
        self._one_at_a_time = threading.Lock()
        self._in_hand: set[int] = set()
        with registry.transaction() as session:
            self._delivery = cards.usable(session, delivery) if delivery else None
            begun = {card.holder_id for card in cards.begun(session)}
            faces = {card.holder_id for card in passes.listing(session, ("printed",))}
        self._new = [
            holder.id for holder in desk.waiting(on) if holder.id not in begun and (holder.id in faces) is printed
        ]
        self._new.reverse()
        self._waiting = {*self._new, *begun}

    def waiting(self) -> int:
        with self._one_at_a_time:
            return len(self._waiting)

    def next(self) -> Job | None:
        while True:
            with self._one_at_a_time:
                if not self._new:
                    return None
                number = self._new.pop()
                self._in_hand.add(number)
            try:
                return self._job(self._desk.set_aside(self._holder(number), self._on))
            except DeskError:
                # Something changed since this list was made: this person gets no pass any more.
                with self._one_at_a_time:
                    self._in_hand.discard(number)
                    self._waiting.discard(number)

    def of_card(self, uid: bytes) -> Job | None:
        with self._registry.transaction() as session:
            card = cards.begun_with(session, uid)
        if card is None:
            return None
        with self._one_at_a_time:
            if card.holder_id in self._in_hand:
                raise CardRefused(_IN_HAND)
            self._in_hand.add(card.holder_id)
            if card.holder_id in self._new:
                self._new.remove(card.holder_id)
            self._waiting.add(card.holder_id)
        return self._job(card)

    def begin(self, job: Job, uid: bytes) -> None:
        with self._one_at_a_time, self._registry.transaction() as session:
            cards.begin(session, passes.coded(session, job.code), uid)

    def put_back(self, job: Job) -> None:
        self._let_go(job.number)

    def done(self, job: Job) -> None:
        with self._one_at_a_time, self._registry.transaction() as session:
            cards.finished(session, passes.coded(session, job.code), self._delivery, self._by, self._on)
        self._not_waiting(job)

    def reject(self, job: Job | None, uid: bytes | None, reason: str) -> bool:
        with self._one_at_a_time, self._registry.transaction() as session:
            rejected = cards.reject(session, uid, reason, self._delivery, self._by, self._now(), self._on)
        # A face that is gone has to be printed again first.
        if job is not None and (self._printed or not rejected):
            self._not_waiting(job)
        return rejected

    def give_up(self, job: Job, reason: str) -> None:
        self._not_waiting(job)

    def _not_waiting(self, job: Job) -> None:
        with self._one_at_a_time:
            self._waiting.discard(job.number)

    def _let_go(self, number: int) -> None:
        with self._one_at_a_time, self._registry.transaction() as session:
            self._in_hand.discard(number)
            begun = any(card.holder_id == number for card in cards.begun(session))
            if number in self._waiting and not begun and number not in self._new:
                self._new.append(number)

    def _holder(self, number: int) -> Holder:
        with self._registry.transaction() as session:
            return people.holder(session, number)

    def _job(self, card: CardPass) -> Job:
        return Job(card.holder_id, card.printed_code)

    # What a job asks for

    def encode(self, job: Job, reader: Reader) -> None:
        """issuer.batch.Encode: make the card, and load what is planned."""
        self._desk.issue(self._holder(job.number), reader, self._on)
