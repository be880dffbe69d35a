"""Payments on their way, what the bank says of them, and invoices made out for venues."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OF_RECORDS = "kind IN ('tap', 'reversal', 'load'"
_LATER = "kind IN ('payment', 'revoked', 'rejected', 'paid', 'returned')"
# What `posting` demands, by name: of what kinds it is, and which of them are of a settlement and of no record.
_KINDS = {
    "kind": f"{_OF_RECORDS}, 'payment')",
    "payment": "(kind = 'payment') = (settlement IS NOT NULL)",
    "from_record": "(kind = 'payment') = (terminal IS NULL)",
}
_LATER_KINDS = {
    "kind": f"{_OF_RECORDS}) OR {_LATER}",
    "payment": f"({_LATER}) = (settlement IS NOT NULL)",
    "from_record": f"({_LATER}) = (terminal IS NULL)",
}
_SIGNS = "paid >= 0 AND carried <= 0 AND opening <= 0 AND (paid = 0 OR carried = 0)"
_LATER_SIGNS = "paid >= 0 AND (paid = 0 OR carried = 0)"
_OPENING = "cents carried over from the settlement before; never above zero"
_LATER_OPENING = "cents owed from before: carried over, or paid and come back"


def _change(kinds: dict[str, str], once: tuple[str, ...], new_once: tuple[str, ...], signs: str, opening: str) -> None:
    """Other demands on postings and lines. In SQLite a table is made anew for it."""
    with op.batch_alter_table("posting") as posting:
        posting.drop_constraint(_named("uq_posting_municipality", once), type_="unique")
        for name, condition in kinds.items():
            posting.drop_constraint(op.f(f"ck_posting_{name}"), type_="check")
            posting.create_check_constraint(op.f(f"ck_posting_{name}"), condition)
        posting.create_unique_constraint(_named("uq_posting_municipality", new_once), ["municipality", *new_once])
    with op.batch_alter_table("settlement_line") as line:
        line.drop_constraint(op.f("ck_settlement_line_signs"), type_="check")
        line.create_check_constraint(op.f("ck_settlement_line_signs"), signs)
        line.alter_column("opening", existing_type=sa.BigInteger(), existing_nullable=False, comment=opening)


def _named(start: str, columns: tuple[str, ...]) -> str:
    return op.f("_".join((start, *columns)))


def upgrade() -> None:
    op.create_table(
        "bank_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("message_id", sa.String(length=35), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('camt.053', 'camt.054', 'pain.002')", name=op.f("ck_bank_file_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_file")),
        sa.UniqueConstraint("municipality", "digest", name=op.f("uq_bank_file_municipality_digest")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_bank_file_municipality_id")),
        sa.UniqueConstraint(
            "municipality", "kind", "message_id", name=op.f("uq_bank_file_municipality_kind_message_id")
        ),
    )
    op.create_table(
        "bank_statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Integer(), nullable=False),
        sa.Column("iban", sa.String(length=34), nullable=False),
        sa.Column(
            "number", sa.BigInteger(), nullable=True, comment="as the bank counts its statements; none when it does not"
        ),
        sa.Column("day", sa.Date(), nullable=False, comment="of the closing balance"),
        sa.Column("opening", sa.BigInteger(), nullable=False, comment="cents; below zero is overdrawn"),
        sa.Column("closing", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False, comment="cents, credits less debits"),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality", "file"],
            ["bank_file.municipality", "bank_file.id"],
            name=op.f("fk_bank_statement_municipality_file"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_bank_statement_municipality_id")),
    )
    op.create_index("ix_bank_statement_iban_day", "bank_statement", ["iban", "day"], unique=False)
    op.create_table(
        "settlement_event",
        sa.Column("settlement", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="1, 2, …: of two at once, one is refused"),
        sa.Column("kind", sa.String(length=9), nullable=False),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('checked', 'withdrawn', 'revoked', 'sent')", name=op.f("ck_settlement_event_kind")
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "settlement"],
            ["settlement.municipality", "settlement.number"],
            name=op.f("fk_settlement_event_municipality_settlement"),
        ),
        sa.PrimaryKeyConstraint("settlement", "number", "municipality", name=op.f("pk_settlement_event")),
        sa.UniqueConstraint(
            "municipality", "settlement", "kind", name=op.f("uq_settlement_event_municipality_settlement_kind")
        ),
    )
    op.create_table(
        "settlement_invoice",
        sa.Column("settlement", sa.String(length=12), nullable=False),
        sa.Column("venue", sa.BigInteger(), nullable=False),
        sa.Column("xml", sa.LargeBinary(), nullable=False, comment="as it was made out"),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality", "settlement"],
            ["settlement.municipality", "settlement.number"],
            name=op.f("fk_settlement_invoice_municipality_settlement"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "venue"],
            ["venue.municipality", "venue.number"],
            name=op.f("fk_settlement_invoice_municipality_venue"),
        ),
        sa.PrimaryKeyConstraint("settlement", "venue", "municipality", name=op.f("pk_settlement_invoice")),
    )
    op.create_table(
        "venue_invoice",
        sa.Column("venue", sa.BigInteger(), nullable=False),
        sa.Column("company", sa.String(length=8), nullable=False, comment="number in the trade register"),
        sa.Column("vat_number", sa.String(length=14), nullable=False),
        sa.Column("vat_rate", sa.Integer(), nullable=False, comment="percent; 0: exempt"),
        sa.Column("street", sa.String(length=70), nullable=False),
        sa.Column("postcode", sa.String(length=7), nullable=False),
        sa.Column("city", sa.String(length=70), nullable=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("vat_rate IN (0, 9, 21)", name=op.f("ck_venue_invoice_rate")),
        sa.ForeignKeyConstraint(
            ["municipality", "venue"],
            ["venue.municipality", "venue.number"],
            name=op.f("fk_venue_invoice_municipality_venue"),
        ),
        sa.PrimaryKeyConstraint("venue", "municipality", name=op.f("pk_venue_invoice")),
    )
    op.create_table(
        "bank_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="of its file: each kind tells an entry once"),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("direction", sa.String(length=6), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="cents"),
        sa.Column("happened_on", sa.Date(), nullable=False, comment="day of booking"),
        sa.Column("end_to_end_id", sa.String(length=35), nullable=True, comment="as the bank says it"),
        sa.Column("reference", sa.String(length=35), nullable=True, comment="the bank's own"),
        sa.Column("reason", sa.String(length=35), nullable=True, comment="why it came back, as the bank says it"),
        sa.Column("payment", sa.String(length=35), nullable=True, comment="the one of ours that it is"),
        sa.Column("unmatched", sa.String(length=12), nullable=True, comment="why it is none of ours by itself"),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("direction IN ('debit', 'credit') AND amount > 0", name=op.f("ck_bank_entry_amount")),
        sa.CheckConstraint("(payment IS NULL) = (unmatched IS NOT NULL)", name=op.f("ck_bank_entry_matched")),
        sa.ForeignKeyConstraint(
            ["municipality", "file"],
            ["bank_file.municipality", "bank_file.id"],
            name=op.f("fk_bank_entry_municipality_file"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "payment"],
            ["settlement_line.municipality", "settlement_line.end_to_end_id"],
            name=op.f("fk_bank_entry_municipality_payment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_entry")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_bank_entry_municipality_id")),
        sa.UniqueConstraint(
            "municipality", "kind", "fingerprint", name=op.f("uq_bank_entry_municipality_kind_fingerprint")
        ),
    )
    op.create_index("ix_bank_entry_payment", "bank_entry", ["payment"], unique=False)
    op.create_table(
        "settlement_reopened",
        sa.Column("settlement", sa.String(length=12), nullable=False, comment="that pays it again"),
        sa.Column("end_to_end_id", sa.String(length=35), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="cents"),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('returned', 'rejected', 'revoked') AND amount > 0", name=op.f("ck_settlement_reopened_kind")
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "end_to_end_id"],
            ["settlement_line.municipality", "settlement_line.end_to_end_id"],
            name=op.f("fk_settlement_reopened_municipality_end_to_end_id"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "settlement"],
            ["settlement.municipality", "settlement.number"],
            name=op.f("fk_settlement_reopened_municipality_settlement"),
        ),
        sa.PrimaryKeyConstraint("settlement", "end_to_end_id", "municipality", name=op.f("pk_settlement_reopened")),
    )
    op.create_table(
        "bank_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("payment", sa.String(length=35), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("(kind = 'not ours') = (payment IS NULL)", name=op.f("ck_bank_decision_payment")),
        sa.CheckConstraint("(kind = 'not ours') = (reason IS NOT NULL)", name=op.f("ck_bank_decision_reason")),
        sa.CheckConstraint("kind IN ('proposed', 'assigned', 'not ours')", name=op.f("ck_bank_decision_kind")),
        sa.ForeignKeyConstraint(
            ["municipality", "entry"],
            ["bank_entry.municipality", "bank_entry.id"],
            name=op.f("fk_bank_decision_municipality_entry"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "payment"],
            ["settlement_line.municipality", "settlement_line.end_to_end_id"],
            name=op.f("fk_bank_decision_municipality_payment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_decision")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_bank_decision_municipality_id")),
    )
    op.create_index(op.f("ix_bank_decision_entry"), "bank_decision", ["entry"], unique=False)
    op.create_table(
        "payment_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("end_to_end_id", sa.String(length=35), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=35), nullable=True, comment="ISO 20022 code of the bank"),
        sa.Column("entry", sa.Integer(), nullable=True, comment="that told it; none: a status report, or a person"),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('accepted', 'rejected', 'revoked', 'paid', 'returned')", name=op.f("ck_payment_event_kind")
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "end_to_end_id"],
            ["settlement_line.municipality", "settlement_line.end_to_end_id"],
            name=op.f("fk_payment_event_municipality_end_to_end_id"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "entry"],
            ["bank_entry.municipality", "bank_entry.id"],
            name=op.f("fk_payment_event_municipality_entry"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_event")),
        sa.UniqueConstraint(
            "municipality", "end_to_end_id", "kind", name=op.f("uq_payment_event_municipality_end_to_end_id_kind")
        ),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_payment_event_municipality_id")),
    )
    _change(_LATER_KINDS, ("settlement", "venue"), ("settlement", "venue", "kind"), _LATER_SIGNS, _LATER_OPENING)


def downgrade() -> None:
    _change(_KINDS, ("settlement", "venue", "kind"), ("settlement", "venue"), _SIGNS, _OPENING)
    op.drop_table("payment_event")
    op.drop_index(op.f("ix_bank_decision_entry"), table_name="bank_decision")
    op.drop_table("bank_decision")
    op.drop_table("settlement_reopened")
    op.drop_index("ix_bank_entry_payment", table_name="bank_entry")
    op.drop_table("bank_entry")
    op.drop_table("venue_invoice")
    op.drop_table("settlement_invoice")
    op.drop_table("settlement_event")
    op.drop_index("ix_bank_statement_iban_day", table_name="bank_statement")
    op.drop_table("bank_statement")
    op.drop_table("bank_file")
