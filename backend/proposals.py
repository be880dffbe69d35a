"""An offer on its way to the terminals: proposed by a venue, approved and then published by the municipality.

Nothing is retroactive: a published offer counts from its day, as one of an import does, and what it changes is honoured
for as long as a terminal may have the old terms.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row

from backend.calendar import Calendar
from backend.config import Config
from backend.errors import NotFound, OfferRefused
from backend.store import Store, Transaction
from backend.venues_file import OfferIn

PROPOSED, APPROVED, REJECTED, WITHDRAWN, PUBLISHED = "proposed", "approved", "rejected", "withdrawn", "published"
_LONGEST_REASON = 500


@dataclass(frozen=True)
class Proposal:
    """One proposal. `changes`: whether the venue has this offer already."""

    id: int
    venue: int
    offer: OfferIn
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    changes: bool


class Proposals:
    """The proposals of all venues, and the purses that a venue may take from."""

    def __init__(self, store: Store, config: Config, calendar: Calendar) -> None:
        self._store = store
        self._config = config
        self._calendar = calendar

    def propose(self, venue: int, terms: dict[str, Any], by: str) -> Proposal:
        """Put an offer forward; without a `number` it is a new one. Raises OfferRefused.

        `reason` of a refusal: `offer venue`, `venue purse`, or the key of OfferIn that does not fit.
        """
        by = _person(by)
        with self._store.transaction() as tx:
            number = terms.get("number") or tx.proposals.free_number()
            offer = _read({**terms, "number": number})
            self._check(tx, venue, offer)
            added = tx.proposals.add(
                {
                    "venue": venue,
                    "offer": number,
                    "terms": offer.model_dump(mode="json", by_alias=True),
                    "state": PROPOSED,
                    "proposed_by": by,
                    "proposed_at": self._calendar.now(),
                }
            )
            return _proposal(tx, _held(tx, added))

    def decide(self, number: int, yes: bool, by: str, reason: str = "") -> Proposal:
        """Approve what a venue proposed, or reject it and say why; never by who proposed it."""
        by, reason = _person(by), reason.strip()[:_LONGEST_REASON]
        if not yes and not reason:
            raise OfferRefused("no reason", "Say why it is rejected; the venue reads it.")
        with self._store.transaction() as tx:
            held = _in_state(tx, number, PROPOSED)
            if by.casefold() == held.proposed_by.casefold():
                raise OfferRefused("own proposal", "Who proposed an offer cannot approve it.")
            state = APPROVED if yes else REJECTED
            decided = {"state": state, "decided_by": by, "decided_at": self._calendar.now(), "reason": reason or None}
            tx.proposals.change(number, **decided)
            return _proposal(tx, _held(tx, number))

    def publish(self, number: int, by: str) -> date:
        """Put an approved offer in the next bundles; the first day on which it counts."""
        by, today = _person(by), self._calendar.today()
        with self._store.transaction() as tx:
            held = _in_state(tx, number, APPROVED)
            offer = _offer(held)
            begins = max(today, offer.begins or today)
            if offer.until is not None and offer.until < begins:
                raise OfferRefused("until", "The last day of this offer is over.")
            self._check(tx, held.venue, offer)
            for version in tx.catalogue.current_offers(held.venue):
                if version.number == held.offer:
                    tx.catalogue.withdraw_offer(version.id, begins)
            tx.catalogue.add_offer(offer.terms(held.venue), begins)
            version_id = tx.catalogue.versions(held.offer)[0].id
            now = self._calendar.now()
            values = {"state": PUBLISHED, "published_by": by, "published_at": now, "version": version_id}
            tx.proposals.change(number, **values)
            tx.catalogue.note_import(_digest(held.terms), now)
            return begins

    def withdraw(self, number: int, venue: int) -> None:
        """Take back what the venue proposed, while it is not published."""
        with self._store.transaction() as tx:
            held = _held(tx, number)
            if held.venue != venue:
                raise NotFound("proposal", f"Venue {venue} has no proposal {number}.")
            if held.state not in (PROPOSED, APPROVED):
                raise OfferRefused("decided", f"Proposal {number} is {held.state} already.")
            tx.proposals.change(number, state=WITHDRAWN)

    def all(self, venue: int | None = None) -> list[Proposal]:
        """The newest first, of one venue or of all."""
        with self._store.transaction() as tx:
            return [_proposal(tx, row) for row in tx.proposals.all(venue)]

    def allow(self, venue: int, purses: set[int]) -> None:
        """Say which purses a venue may take from, from today on. Raises OfferRefused while an offer needs one more."""
        if not purses or not purses <= set(self._config.purses):
            raise OfferRefused("purses", "A venue may take from at least one purse of the scheme.")
        today = self._calendar.today()
        with self._store.transaction() as tx:
            if tx.catalogue.venue(venue) is None:
                raise NotFound("venue", f"There is no venue {venue}.")
            held = tx.catalogue.current_purses(venue)
            used = {purse for offer in tx.catalogue.current_offers(venue) for purse in (offer.purse, offer.purse2)}
            if (held - purses) & used:
                raise OfferRefused("purse in use", "An offer takes from this purse. End that offer first.")
            for purse in sorted(held - purses):
                tx.catalogue.withdraw_purse(venue, purse, today)
            for purse in sorted(purses - held):
                tx.catalogue.add_purse(venue, purse, today)
            if purses != held:
                tx.catalogue.note_import(_digest([venue, *sorted(purses)]), self._calendar.now())

    def _check(self, tx: Transaction, venue: int, offer: OfferIn) -> None:
        if tx.catalogue.venue(venue) is None:
            raise NotFound("venue", f"There is no venue {venue}.")
        if {version.venue for version in tx.catalogue.versions(offer.number)} - {venue}:
            raise OfferRefused("offer venue", f"Offer {offer.number} is of another venue.")
        for key, words in offer.faults(self._config):
            raise OfferRefused(key, f"{key}: {words}.")
        if not {offer.purse, offer.purse2 or offer.purse} <= tx.catalogue.current_purses(venue):
            raise OfferRefused("venue purse", f"Venue {venue} may not take from this purse.")


def _person(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise OfferRefused("person", "This is done by someone with a name.")
    return name


def _held(tx: Transaction, number: int) -> Row[Any]:
    held = tx.proposals.one(number)
    if held is None:
        raise NotFound("proposal", f"There is no proposal {number}.")
    return held


def _in_state(tx: Transaction, number: int, state: str) -> Row[Any]:
    held = _held(tx, number)
    if held.state != state:
        raise OfferRefused("decided", f"Proposal {number} is {held.state} already.")
    return held


def _offer(held: Row[Any]) -> OfferIn:
    return _read(held.terms)


def _read(terms: dict[str, Any]) -> OfferIn:
    """As from a file of venues, but that days are text."""
    try:
        return OfferIn.model_validate_json(json.dumps(terms))
    except ValidationError as error:
        fault = error.errors()[0]
        key = str(fault["loc"][0])
        raise OfferRefused(key, f"{key}: {fault['msg']}.") from None


def _proposal(tx: Transaction, held: Row[Any]) -> Proposal:
    return Proposal(
        held.id,
        held.venue,
        _offer(held),
        held.state,
        held.proposed_by,
        held.proposed_at,
        held.decided_by,
        held.decided_at,
        held.reason,
        changes=bool(tx.catalogue.versions(held.offer)),
    )


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
