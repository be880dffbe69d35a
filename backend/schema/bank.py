"""What became of a payment, what was invoiced, what the bank said, and what people decided about that.

Of an entry that is not of ours only amount, day and references are kept: no name, account or words of anybody.
"""

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, LargeBinary, String

from backend.schema.base import Moment, append_only, number, refers, table, unique

settlement_event = table(
    "settlement_event",
    Column("settlement", String(12), primary_key=True),
    Column("number", Integer, primary_key=True, comment="1, 2, …: of two at once, one is refused"),
    Column("kind", String(9), nullable=False),
    Column("by", String(60), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    unique("settlement", "kind"),
    CheckConstraint("kind IN ('checked', 'withdrawn', 'revoked', 'sent')", name="kind"),
    refers("settlement", "settlement", "number"),
)

settlement_reopened = table(
    "settlement_reopened",
    Column("settlement", String(12), primary_key=True, comment="that pays it again"),
    Column("end_to_end_id", String(35), primary_key=True),
    Column("kind", String(8), nullable=False),
    number("amount", nullable=False, comment="cents"),
    CheckConstraint("kind IN ('returned', 'rejected', 'revoked') AND amount > 0", name="kind"),
    refers("settlement", "settlement", "number"),
    refers("end_to_end_id", "settlement_line", "end_to_end_id"),
)

venue_invoice = table(
    "venue_invoice",
    number("venue", primary_key=True),
    Column("company", String(8), nullable=False, comment="number in the trade register"),
    Column("vat_number", String(14), nullable=False),
    Column("vat_rate", Integer, nullable=False, comment="percent; 0: exempt"),
    Column("street", String(70), nullable=False),
    Column("postcode", String(7), nullable=False),
    Column("city", String(70), nullable=False),
    CheckConstraint("vat_rate IN (0, 9, 21)", name="rate"),
    refers("venue", "venue", "number"),
)

settlement_invoice = table(
    "settlement_invoice",
    Column("settlement", String(12), primary_key=True),
    number("venue", primary_key=True),
    Column("xml", LargeBinary, nullable=False, comment="as it was made out"),
    refers("settlement", "settlement", "number"),
    refers("venue", "venue", "number"),
)

bank_file = table(
    "bank_file",
    Column("id", Integer, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("message_id", String(35), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("by", String(60), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    unique("kind", "message_id"),
    CheckConstraint("kind IN ('camt.053', 'camt.054', 'pain.002')", name="kind"),
    unique("digest"),
)

bank_statement = table(
    "bank_statement",
    Column("id", Integer, primary_key=True),
    Column("file", Integer, nullable=False),
    Column("iban", String(34), nullable=False),
    number("number", comment="as the bank counts its statements; none when it does not"),
    Column("day", Date, nullable=False, comment="of the closing balance"),
    number("opening", nullable=False, comment="cents; below zero is overdrawn"),
    number("closing", nullable=False),
    number("entries", nullable=False, comment="cents, credits less debits"),
    Index("ix_bank_statement_iban_day", "iban", "day"),
    refers("file", "bank_file", "id"),
)

bank_entry = table(
    "bank_entry",
    Column("id", Integer, primary_key=True),
    Column("file", Integer, nullable=False),
    Column("kind", String(8), nullable=False, comment="of its file: each kind tells an entry once"),
    Column("fingerprint", String(64), nullable=False),
    Column("direction", String(6), nullable=False),
    number("amount", nullable=False, comment="cents"),
    Column("happened_on", Date, nullable=False, comment="day of booking"),
    Column("end_to_end_id", String(35), comment="as the bank says it"),
    Column("reference", String(35), comment="the bank's own"),
    Column("reason", String(35), comment="why it came back, as the bank says it"),
    Column("payment", String(35), comment="the one of ours that it is"),
    Column("unmatched", String(12), comment="why it is none of ours by itself"),
    unique("kind", "fingerprint"),
    CheckConstraint("direction IN ('debit', 'credit') AND amount > 0", name="amount"),
    CheckConstraint("(payment IS NULL) = (unmatched IS NOT NULL)", name="matched"),
    Index("ix_bank_entry_payment", "payment"),
    refers("file", "bank_file", "id"),
    refers("payment", "settlement_line", "end_to_end_id"),
)

bank_decision = table(
    "bank_decision",
    Column("id", Integer, primary_key=True),
    Column("entry", Integer, nullable=False, index=True),
    Column("kind", String(8), nullable=False),
    Column("payment", String(35)),
    Column("reason", String(200)),
    Column("by", String(60), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    CheckConstraint("kind IN ('proposed', 'assigned', 'not ours')", name="kind"),
    CheckConstraint("(kind = 'not ours') = (payment IS NULL)", name="payment"),
    CheckConstraint("(kind = 'not ours') = (reason IS NOT NULL)", name="reason"),
    refers("entry", "bank_entry", "id"),
    refers("payment", "settlement_line", "end_to_end_id"),
)

payment_event = table(
    "payment_event",
    Column("id", Integer, primary_key=True),
    Column("end_to_end_id", String(35), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("happened_on", Date, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("reason", String(35), comment="ISO 20022 code of the bank"),
    Column("entry", Integer, comment="that told it; none: a status report, or a person"),
    unique("end_to_end_id", "kind"),
    CheckConstraint("kind IN ('accepted', 'rejected', 'revoked', 'paid', 'returned')", name="kind"),
    refers("end_to_end_id", "settlement_line", "end_to_end_id"),
    refers("entry", "bank_entry", "id"),
)

for _each in (
    settlement_event, settlement_reopened, settlement_invoice,
    bank_file, bank_statement, bank_entry, bank_decision, payment_event,
):  # fmt: skip
    append_only(_each)
append_only(venue_invoice, changing=("company", "vat_number", "vat_rate", "street", "postcode", "city"), removable=True)
