"""Venues, terminals, purses of venues, and offers in all their versions."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, or_, select, update

from backend.schema import offer, terminal, venue, venue_invoice, venue_purse, venues_import


class Catalogue:
    """What is known of venues, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def remembering(self) -> "Catalogue":
        """The same for a batch of records in which nothing of it changes: each question goes to the database once."""
        return _Remembering(self._connection)

    # Terminals

    def terminal(self, number: int) -> Row[Any] | None:
        """`number, venue, in_use, in_use_since`; a venue of None is a desk."""
        return self._connection.execute(_TERMINAL, {"number": number}).one_or_none()

    def terminals(self) -> Sequence[Row[Any]]:
        return self._connection.execute(select(terminal).order_by(terminal.c.number)).all()

    def terminals_of(self, venue_number: int) -> Sequence[Row[Any]]:
        return self._connection.execute(select(terminal).where(terminal.c.venue == venue_number)).all()

    def add_terminal(self, number: int, venue_number: int | None, on: date) -> None:
        used = {"in_use": True, "in_use_since": on}
        self._connection.execute(insert(terminal).values(number=number, venue=venue_number, **used))

    def use_terminal(self, number: int, on: date) -> None:
        """Put it into use again; nothing when it is in use."""
        chosen = terminal.c.number == number, terminal.c.in_use.is_(False)
        self._connection.execute(update(terminal).where(*chosen).values(in_use=True, in_use_since=on))

    def retire_terminal(self, number: int) -> None:
        self._connection.execute(update(terminal).where(terminal.c.number == number).values(in_use=False))

    # Venues and their purses

    def venue(self, number: int) -> Row[Any] | None:
        return self._connection.execute(_VENUE, {"number": number}).one_or_none()

    def venues(self) -> Sequence[Row[Any]]:
        return self._connection.execute(select(venue).order_by(venue.c.number)).all()

    def put_venue(self, number: int, name: str, iban: str, bic: str | None) -> None:
        """Add a venue, or change its name and account."""
        values = {"name": name, "iban": iban, "bic": bic}
        if self.venue(number) is None:
            self._connection.execute(insert(venue).values(number=number, **values))
        else:
            self._connection.execute(update(venue).where(venue.c.number == number).values(**values))

    def put_invoice(self, number: int, terms: dict[str, Any] | None) -> None:
        """Who a venue is on the invoices that are made out for it; none: it wants none."""
        held = venue_invoice.c.venue == number
        if terms is None:
            self._connection.execute(delete(venue_invoice).where(held))
        elif self.invoice(number) is None:
            self._connection.execute(insert(venue_invoice).values(venue=number, **terms))
        else:
            self._connection.execute(update(venue_invoice).where(held).values(**terms))

    def invoice(self, number: int) -> Row[Any] | None:
        return self._connection.execute(select(venue_invoice).where(venue_invoice.c.venue == number)).one_or_none()

    def purses_on(self, venue_number: int, day: date, grace: timedelta = timedelta()) -> set[int]:
        """Purses that the venue may take from on a day; `grace`: how long one still counts after it was withdrawn."""
        asked = {"venue": venue_number, "day": day, "lasting": day - grace}
        return set(self._connection.scalars(_PURSES_ON, asked))

    def current_purses(self, venue_number: int) -> set[int]:
        """Purses that are not withdrawn."""
        chosen = venue_purse.c.venue == venue_number, venue_purse.c.withdrawn_on.is_(None)
        return set(self._connection.scalars(select(venue_purse.c.purse).where(*chosen)))

    def add_purse(self, venue_number: int, purse: int, offered_from: date) -> None:
        self._connection.execute(
            insert(venue_purse).values(venue=venue_number, purse=purse, offered_from=offered_from, withdrawn_on=None)
        )

    def withdraw_purse(self, venue_number: int, purse: int, on: date) -> None:
        chosen = venue_purse.c.venue == venue_number, venue_purse.c.purse == purse, venue_purse.c.withdrawn_on.is_(None)
        self._connection.execute(update(venue_purse).where(*chosen).values(withdrawn_on=on))

    # Offers

    def versions(self, number: int) -> Sequence[Row[Any]]:
        """Every version of an offer, the newest first."""
        return self._connection.execute(_VERSIONS, {"number": number}).all()

    def current_offers(self, venue_number: int) -> Sequence[Row[Any]]:
        """The versions that are not withdrawn, also those that begin later."""
        chosen = offer.c.venue == venue_number, offer.c.withdrawn_on.is_(None)
        return self._connection.execute(select(offer).where(*chosen).order_by(offer.c.number)).all()

    def offers_on(self, venue_number: int, day: date) -> Sequence[Row[Any]]:
        """The versions that a bundle of this day holds."""
        return self._connection.execute(_OFFERS_ON, {"venue": venue_number, "day": day}).all()

    def add_offer(self, terms: dict[str, Any], offered_from: date) -> None:
        self._connection.execute(insert(offer).values(**terms, offered_from=offered_from, withdrawn_on=None))

    def withdraw_offer(self, version: int, on: date) -> None:
        self._connection.execute(update(offer).where(offer.c.id == version).values(withdrawn_on=on))

    # Imports

    def note_import(self, digest: str, at: datetime) -> int:
        """The version that this import makes of all bundles."""
        version = self.version() + 1
        self._connection.execute(insert(venues_import).values(version=version, digest=digest, recorded_at=at))
        return version

    def version(self) -> int:
        return self._connection.scalar(_VERSION) or 0


# What the rules ask about every batch, and every bundle about its venue, is put into words once.
_TERMINAL = select(terminal).where(terminal.c.number == bindparam("number"))
_VERSIONS = select(offer).where(offer.c.number == bindparam("number")).order_by(offer.c.id.desc())
_VENUE = select(venue).where(venue.c.number == bindparam("number"))
_OFFERS_ON = (
    select(offer)
    .where(
        offer.c.venue == bindparam("venue"),
        offer.c.offered_from <= bindparam("day"),
        or_(offer.c.until.is_(None), offer.c.until >= bindparam("day")),
        or_(offer.c.withdrawn_on.is_(None), offer.c.withdrawn_on > bindparam("day")),
    )
    .order_by(offer.c.number, offer.c.id)
)
_VERSION = select(func.max(venues_import.c.version))
_PURSES_ON = select(venue_purse.c.purse).where(
    venue_purse.c.venue == bindparam("venue"),
    venue_purse.c.offered_from <= bindparam("day"),
    or_(venue_purse.c.withdrawn_on.is_(None), venue_purse.c.withdrawn_on > bindparam("lasting")),
)


class _Remembering(Catalogue):
    """What the rules ask about each record."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        # Of this object only, which is gone when its batch is posted.
        for asked in ("terminal", "versions", "purses_on"):
            setattr(self, asked, cache(getattr(super(), asked)))
