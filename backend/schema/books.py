"""The books: accounts, postings, their transfers, and the sums of these."""

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, String

from backend.schema.base import append_only, number, refers, table, unique

UNITS = "('cent', 'point', 'visit', 'item')"
# What happens to money on its way to a venue; each once for a venue in a settlement.
PAYMENT_KINDS = "('payment', 'revoked', 'rejected', 'paid', 'returned')"

account = table(
    "account",
    Column("name", String(80), primary_key=True),
    Column("unit", String(5), primary_key=True),
    CheckConstraint(f"unit IN {UNITS}", name="unit"),
)

posting = table(
    "posting",
    Column("id", Integer, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("happened_on", Date, nullable=False),
    Column("recorded_on", Date, nullable=False),
    number("terminal", comment="whose records it books; none: no pass moved this"),
    number("records", nullable=False, comment="how many records it books, of one kind, day and offer"),
    number("venue"),
    Column("offer", Integer),
    Column("settlement", String(12)),
    Column("not_payable", String(20), comment="why the venue is not paid, and the holder is due a new credit"),
    unique("settlement", "venue", "kind"),
    CheckConstraint(f"kind IN ('tap', 'reversal', 'load', 'lapse') OR kind IN {PAYMENT_KINDS}", name="kind"),
    CheckConstraint(f"(kind IN {PAYMENT_KINDS}) = (settlement IS NOT NULL)", name="payment"),
    CheckConstraint(f"(kind = 'lapse' OR kind IN {PAYMENT_KINDS}) = (terminal IS NULL)", name="from_record"),
    CheckConstraint("(terminal IS NULL AND records = 0) OR (terminal IS NOT NULL AND records > 0)", name="records"),
    CheckConstraint("kind NOT IN ('tap', 'reversal') OR (venue IS NOT NULL AND offer IS NOT NULL)", name="at_venue"),
    refers("terminal", "terminal", "number"),
    refers("venue", "venue", "number"),
    refers("offer", "offer", "id"),
    refers("settlement", "settlement", "number"),
)

transfer = table(
    "transfer",
    Column("posting", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("source", String(80), nullable=False),
    Column("destination", String(80), nullable=False),
    Column("unit", String(5), nullable=False),
    number("amount", nullable=False),
    refers("source unit", "account", "name unit"),
    refers("destination unit", "account", "name unit"),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("source <> destination", name="two_accounts"),
    Index("ix_transfer_source", "source", "unit"),
    Index("ix_transfer_destination", "destination", "unit"),
    refers("posting", "posting", "id"),
)

# Kept as postings are added, so that nobody adds up a year to see where it stands. `verify` adds it up.

_OF_NONE = "0: of no venue"

flow = table(
    "flow",
    Column("kind", String(10), primary_key=True),
    number("venue", primary_key=True, comment=_OF_NONE),
    Column("source", String(80), primary_key=True),
    Column("destination", String(80), primary_key=True),
    Column("unit", String(5), primary_key=True),
    number("amount", nullable=False, comment="sum of the transfers of such postings"),
    refers("source unit", "account", "name unit"),
    refers("destination unit", "account", "name unit"),
    CheckConstraint("amount > 0", name="amount"),
)

tally = table(
    "tally",
    Column("kind", String(10), primary_key=True),
    number("venue", primary_key=True, comment=_OF_NONE),
    number("records", nullable=False, comment="how many records such postings book"),
    CheckConstraint("records > 0", name="records"),
)

for _each in (account, posting, transfer):
    append_only(_each)
append_only(flow, changing=("amount",))
append_only(tally, changing=("records",))
