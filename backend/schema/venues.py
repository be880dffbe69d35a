"""Who may hand in, and what is on offer."""

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, String

from backend.schema.base import Moment, append_only, number, refers, table

venue = table(
    "venue",
    number("number", primary_key=True),
    Column("name", String(70), nullable=False),
    Column("iban", String(34), nullable=False),
    Column("bic", String(11)),
)

terminal = table(
    "terminal",
    number("number", primary_key=True),
    number("venue", comment="none: a desk of the municipality"),
    Column("in_use", Boolean, nullable=False),
    Column("in_use_since", Date, nullable=False, comment="when it was put into use, for the first time or again"),
    refers("venue", "venue", "number"),
)

venue_purse = table(
    "venue_purse",
    Column("id", Integer, primary_key=True),
    number("venue", nullable=False),
    Column("purse", Integer, nullable=False),
    Column("offered_from", Date, nullable=False),
    Column("withdrawn_on", Date),
    refers("venue", "venue", "number"),
)
Index(
    "ix_venue_purse_current",
    venue_purse.c.municipality,
    venue_purse.c.venue,
    venue_purse.c.purse,
    unique=True,
    sqlite_where=venue_purse.c.withdrawn_on.is_(None),
    postgresql_where=venue_purse.c.withdrawn_on.is_(None),
)

offer = table(
    "offer",
    Column("id", Integer, primary_key=True, comment="one version of an offer; terms never change in place"),
    number("number", nullable=False),
    number("venue", nullable=False),
    Column("name", String(60), nullable=False),
    Column("price", String(7), nullable=False),
    Column("purse", Integer, nullable=False),
    number("amount", nullable=False),
    Column("purse2", Integer),
    number("amount2", nullable=False),
    Column("percent", Integer, nullable=False),
    number("cap", nullable=False, comment="cents; 0: no cap"),
    Column("compensated", Boolean, nullable=False),
    number("compensation", nullable=False, comment="cents that the municipality owes for each tap"),
    Column("offered_from", Date, nullable=False),
    Column("until", Date),
    Column("withdrawn_on", Date),
    CheckConstraint("price IN ('fixed', 'typed', 'percent')", name="price"),
    CheckConstraint("(price = 'typed') = (amount = 0) AND amount >= 0", name="amount"),
    CheckConstraint("(purse2 IS NULL) = (amount2 = 0) AND amount2 >= 0", name="second_purse"),
    CheckConstraint("percent BETWEEN 0 AND 100 AND cap >= 0 AND compensation >= 0", name="discount"),
    Index("ix_offer_number", "number"),
    refers("venue", "venue", "number"),
)
Index(
    "ix_offer_current",
    offer.c.municipality,
    offer.c.number,
    unique=True,
    sqlite_where=offer.c.withdrawn_on.is_(None),
    postgresql_where=offer.c.withdrawn_on.is_(None),
)

venues_import = table(
    "venues_import",
    Column("version", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("recorded_at", Moment, nullable=False),
)

append_only(venue, changing=("name", "iban", "bic"))
append_only(terminal, changing=("in_use", "in_use_since"))
append_only(venue_purse, changing=("withdrawn_on",))
append_only(offer, changing=("withdrawn_on",))
append_only(venues_import)
