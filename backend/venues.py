"""Venues and their offers: the import of a file, and the sealed bundle that each terminal works by.

Nothing is retroactive: what an import changes or withdraws still counts for as long as a bundle with it may be in use.
"""

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from backend.calendar import Calendar, day_number
from backend.config import Config, bic_of
from backend.errors import ImportRefused, NotFound
from backend.offers import BUNDLE_DAYS
from backend.store import Store, Transaction
from backend.venues_file import VenueIn, parse
from card.batch import link_key, siv_key
from card.record import NO_PURSE
from card.siv import siv_encrypt
from card.wire import uint

_TERMS = (
    "number", "venue", "name", "price", "purse", "amount", "purse2", "amount2",
    "percent", "cap", "compensated", "compensation", "until",
)  # fmt: skip


class Venues:
    """What venues may do, from a day on."""

    def __init__(self, store: Store, config: Config, calendar: Calendar) -> None:
        self._store = store
        self._config = config
        self._calendar = calendar

    def import_file(self, path: Path, on: date | None = None) -> dict[str, int]:
        """Take in a file of venues, with effect from `on` (today); venues that it does not name stay as they are.

        Raises ImportRefused with every fault, its line and its key; then nothing has changed.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ImportRefused([f"{path} cannot be read."]) from None
        day = on or self._calendar.today()
        venues = parse(text, self._config)
        with self._store.transaction() as tx:
            faults = [fault for venue in venues for fault in self._conflicts(tx, venue)]
            if faults:
                raise ImportRefused(faults)
            changed = sum(self._put(tx, venue, day) for venue in venues)
            version = tx.catalogue.note_import(hashlib.sha256(text.encode()).hexdigest(), self._calendar.now())
        offers = sum(len(venue.offer) for venue in venues)
        return {"venues": len(venues), "offers": offers, "changed": changed, "version": version}

    def _conflicts(self, tx: Transaction, venue: VenueIn) -> list[str]:
        """A terminal or an offer never moves to another venue: its records would move along."""
        faults = []
        for number in venue.terminals:
            held = tx.catalogue.terminal(number)
            if held is not None and held.venue != venue.number:
                owner = "the desk" if held.venue is None else f"venue {held.venue}"
                faults.append(f"venue {venue.number}, terminals: terminal {number} belongs to {owner}")
        for offer in venue.offer:
            owners = {version.venue for version in tx.catalogue.versions(offer.number)}
            if owners - {venue.number}:
                faults.append(f"venue {venue.number}, offer: offer {offer.number} belongs to venue {owners.pop()}")
        return faults

    def _put(self, tx: Transaction, venue: VenueIn, day: date) -> int:
        """Bring what is held in line with the file; how many offers and purses changed."""
        tx.catalogue.put_venue(venue.number, venue.name, venue.iban, venue.bic or bic_of(venue.iban))
        tx.catalogue.put_invoice(venue.number, None if venue.invoice is None else venue.invoice.model_dump())
        self._put_terminals(tx, venue, day)
        held = tx.catalogue.current_purses(venue.number)
        gone, new = held - set(venue.purses), set(venue.purses) - held
        for purse in sorted(gone):
            tx.catalogue.withdraw_purse(venue.number, purse, day)
        for purse in sorted(new):
            tx.catalogue.add_purse(venue.number, purse, day)
        return len(gone) + len(new) + self._put_offers(tx, venue, day)

    @staticmethod
    def _put_terminals(tx: Transaction, venue: VenueIn, day: date) -> None:
        held = {row.number for row in tx.catalogue.terminals_of(venue.number)}
        for number in sorted(held | set(venue.terminals)):
            if number not in held:
                tx.catalogue.add_terminal(number, venue.number, day)
            elif number in venue.terminals:
                tx.catalogue.use_terminal(number, day)
            else:
                tx.catalogue.retire_terminal(number)

    @staticmethod
    def _put_offers(tx: Transaction, venue: VenueIn, day: date) -> int:
        changed = 0
        held = {row.number: row for row in tx.catalogue.current_offers(venue.number)}
        for offer in venue.offer:
            terms = offer.terms(venue.number)
            old = held.pop(offer.number, None)
            if old is not None and all(getattr(old, name) == terms[name] for name in _TERMS):
                continue
            begins = max(day, offer.begins or day)
            if old is not None:
                tx.catalogue.withdraw_offer(old.id, begins)
            tx.catalogue.add_offer(terms, begins)
            changed += 1
        for old in held.values():
            tx.catalogue.withdraw_offer(old.id, day)
            changed += 1
        return changed

    def listing(self, day: date | None = None) -> list[dict[str, Any]]:
        """Every venue with its terminals, purses and the offers of a day (today)."""
        day = day or self._calendar.today()
        with self._store.reading() as tx:
            return [
                {
                    "venue": row.number,
                    "name": row.name,
                    "terminals": [each.number for each in tx.catalogue.terminals_of(row.number) if each.in_use],
                    "purses": sorted(tx.catalogue.purses_on(row.number, day)),
                    "offers": [_offer_out(offer) for offer in tx.catalogue.offers_on(row.number, day)],
                }
                for row in tx.catalogue.venues()
            ]

    # Bundles

    def bundle_for(self, terminal: int, day: date | None = None) -> bytes:
        """The sealed bundle of a terminal, good from a day (today) on; raises NotFound for one without a venue."""
        day = day or self._calendar.today()
        with self._store.reading() as tx:
            held = tx.catalogue.terminal(terminal)
            if held is None or held.venue is None or not held.in_use:
                raise NotFound("terminal", f"Terminal {terminal} is not in use at a venue.")
            content = self._bundle(tx, held, day)
        plain = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        key = siv_key(link_key(self._config.link_roots_bytes()[0], terminal))
        sealed: bytes = siv_encrypt(key, [b"bundle" + uint(terminal, 4)], plain)
        return sealed

    def _bundle(self, tx: Transaction, terminal: Row[Any], day: date) -> dict[str, Any]:
        venue = tx.catalogue.venue(terminal.venue)
        assert venue is not None  # the schema ties a terminal to its venue
        offers = tx.catalogue.offers_on(venue.number, day)
        ends = [offer.until for offer in offers if offer.until is not None]
        purses = self._config.purses
        return {
            "terminal": terminal.number,
            "version": tx.catalogue.version(),
            "day": day_number(day),
            "from": day_number(day),
            "until": day_number(min([day + timedelta(days=BUNDLE_DAYS - 1), *ends])),
            "venue": venue.name,
            "issuer": self._config.municipality.number,
            "municipality": self._config.municipality.name,
            "aid": self._config.municipality.aid,
            "purses": {str(number): purse.name for number, purse in purses.items()},
            "units": {str(number): purse.unit for number, purse in purses.items()},
            "allowed": sorted(tx.catalogue.purses_on(venue.number, day)),
            "offers": [_offer_out(offer) for offer in offers],
            # What the terminal need not keep any more.
            "held": tx.journal.gaps(terminal.number)[0] - 1,
        }


def _offer_out(offer: Row[Any]) -> dict[str, Any]:
    return {
        "n": offer.number,
        "name": offer.name,
        "purse": offer.purse,
        "price": offer.price,
        "amount": offer.amount,
        "purse2": NO_PURSE if offer.purse2 is None else offer.purse2,
        "amount2": offer.amount2,
        "percent": offer.percent,
        "cap": offer.cap,
    }
