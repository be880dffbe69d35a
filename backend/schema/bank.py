"""What became of a payment, and what the bank said: files, statements, entries, and what people decided about them.

Of an entry that is not of ours only amount, day and references are kept: no name, account or words of anybody.
"""

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, Integer, String, UniqueConstraint

from backend.schema.base import Moment, append_only, number, table

settlement_event = table(
    "settlement_event",
    Column("settlement", String(12), ForeignKey("settlement.number"), primary_key=True),
    Column("number", Integer, primary_key=True, comment="1, 2, …: of two at once, one is refused"),
    Column("kind", String(9), nullable=False),
    Column("by", String(60), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    UniqueConstraint("settlement", "kind"),
    CheckConstraint("kind IN ('checked', 'withdrawn', 'revoked', 'sent')", name="kind"),
)

settlement_reopened = table(
    "settlement_reopened",
    Column("settlement", String(12), ForeignKey("settlement.number"), primary_key=True, comment="that pays it again"),
    Column("end_to_end_id", String(35), ForeignKey("settlement_line.end_to_end_id"), primary_key=True),
    Column("kind", String(8), nullable=False),
    number("amount", nullable=False, comment="cents"),
    CheckConstraint("kind IN ('returned', 'rejected', 'revoked') AND amount > 0", name="kind"),
)

bank_file = table(
    "bank_file",
    Column("id", Integer, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("message_id", String(35), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("by", String(60), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    UniqueConstraint("kind", "message_id"),
    CheckConstraint("kind IN ('camt.053', 'camt.054', 'pain.002')", name="kind"),
)

bank_statement = table(
    "bank_statement",
    Column("id", Integer, primary_key=True),
    Column("file", Integer, ForeignKey("bank_file.id"), nullable=False),
    Column("iban", String(34), nullable=False),
    number("number", comment="as the bank counts its statements; none when it does not"),
    Column("day", Date, nullable=False, comment="of the closing balance"),
    number("opening", nullable=False, comment="cents; below zero is overdrawn"),
    number("closing", nullable=False),
    number("entries", nullable=False, comment="cents, credits less debits"),
    Index("ix_bank_statement_iban_day", "iban", "day"),
)

bank_entry = table(
    "bank_entry",
    Column("id", Integer, primary_key=True),
    Column("file", Integer, ForeignKey("bank_file.id"), nullable=False),
    Column("kind", String(8), nullable=False, comment="of its file: each kind tells an entry once"),
    Column("fingerprint", String(64), nullable=False),
    Column("direction", String(6), nullable=False),
    number("amount", nullable=False, comment="cents"),
    Column("happened_on", Date, nullable=False, comment="day of booking"),
    Column("end_to_end_id", String(35), comment="as the bank says it"),
    Column("reference", String(35), comment="the bank's own"),
    Column("reason", String(35), comment="why it came back, as the bank says it"),
    Column("payment", String(35), ForeignKey("settlement_line.end_to_end_id"), comment="the one of ours that it is"),
    Column("unmatched", String(12), comment="why it is none of ours by itself"),
    UniqueConstraint("kind", "fingerprint"),
    CheckConstraint("direction IN ('debit', 'credit') AND amount > 0", name="amount"),
    CheckConstraint("(payment IS NULL) = (unmatched IS NOT NULL)", name="matched"),
    Index("ix_bank_entry_payment", "payment"),
)

bank_decision = table(
    "bank_decision",
    Column("id", Integer, primary_key=True),
    Column("entry", Integer, ForeignKey("bank_entry.id"), nullable=False, index=True),
    Column("kind", String(8), nullable=False),
    Column("payment", String(35), ForeignKey("settlement_line.end_to_end_id")),
    Column("reason", String(200)),
    Column("by", String(60), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    CheckConstraint("kind IN ('proposed', 'assigned', 'not ours')", name="kind"),
    CheckConstraint("(kind = 'not ours') = (payment IS NULL)", name="payment"),
    CheckConstraint("(kind = 'not ours') = (reason IS NOT NULL)", name="reason"),
)

payment_event = table(
    "payment_event",
    Column("id", Integer, primary_key=True),
    Column("end_to_end_id", String(35), ForeignKey("settlement_line.end_to_end_id"), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("happened_on", Date, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("reason", String(35), comment="ISO 20022 code of the bank"),
    Column("entry", Integer, ForeignKey("bank_entry.id"), comment="that told it; none: a status report, or a person"),
    UniqueConstraint("end_to_end_id", "kind"),
    CheckConstraint("kind IN ('accepted', 'rejected', 'revoked', 'paid', 'returned')", name="kind"),
)

for _each in (
    settlement_event, settlement_reopened, bank_file, bank_statement, bank_entry, bank_decision, payment_event,
):  # fmt: skip
    append_only(_each)
