"""The tables of clearing: venues, journal, books, settlement."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("unit", sa.String(length=5), nullable=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("unit IN ('cent', 'point', 'visit', 'item')", name=op.f("ck_account_unit")),
        sa.PrimaryKeyConstraint("name", "unit", "municipality", name=op.f("pk_account")),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("terminal", sa.BigInteger(), nullable=True, comment="as claimed, when it is a batch"),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column(
            "body",
            sa.LargeBinary(),
            nullable=True,
            comment="the batch, when it could not be opened or contradicts what is held",
        ),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(body IS NULL) = (position IS NOT NULL) AND (body IS NULL) = (digest IS NULL)",
            name=op.f("ck_quarantine_batch"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("municipality", "digest", name=op.f("uq_quarantine_municipality_digest")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_quarantine_municipality_id")),
        sa.UniqueConstraint(
            "municipality", "terminal", "position", name=op.f("uq_quarantine_municipality_terminal_position")
        ),
    )
    op.create_table(
        "settlement",
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.Column("since", sa.Date(), nullable=True, comment="first day; none for the first settlement"),
        sa.Column("until", sa.Date(), nullable=False, comment="last day"),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("prepared_by", sa.String(length=60), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.String(length=60), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("execution_on", sa.Date(), nullable=True),
        sa.Column("debtor", sa.String(length=70), nullable=False),
        sa.Column("debtor_iban", sa.String(length=34), nullable=False),
        sa.Column("debtor_bic", sa.String(length=11), nullable=True),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'approved') = (approved_by IS NOT NULL)", name=op.f("ck_settlement_approved")),
        sa.CheckConstraint("state IN ('prepared', 'approved', 'withdrawn')", name=op.f("ck_settlement_state")),
        sa.CheckConstraint(
            "approved_by IS NULL OR lower(approved_by) <> lower(prepared_by)", name=op.f("ck_settlement_two_people")
        ),
        sa.PrimaryKeyConstraint("number", "municipality", name=op.f("pk_settlement")),
    )
    op.create_index(
        "ix_settlement_open",
        "settlement",
        ["municipality", "state"],
        unique=True,
        sqlite_where=sa.text("state = 'prepared'"),
        postgresql_where=sa.text("state = 'prepared'"),
    )
    op.create_table(
        "venue",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=70), nullable=False),
        sa.Column("iban", sa.String(length=34), nullable=False),
        sa.Column("bic", sa.String(length=11), nullable=True),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", "municipality", name=op.f("pk_venue")),
    )
    op.create_table(
        "venues_import",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("version", "municipality", name=op.f("pk_venues_import")),
    )
    op.create_table(
        "offer",
        sa.Column("id", sa.Integer(), nullable=False, comment="one version of an offer; terms never change in place"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("venue", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("price", sa.String(length=7), nullable=False),
        sa.Column("purse", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("purse2", sa.Integer(), nullable=True),
        sa.Column("amount2", sa.BigInteger(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=False, comment="cents; 0: no cap"),
        sa.Column("compensated", sa.Boolean(), nullable=False),
        sa.Column(
            "compensation", sa.BigInteger(), nullable=False, comment="cents that the municipality owes for each tap"
        ),
        sa.Column("offered_from", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("(price = 'typed') = (amount = 0) AND amount >= 0", name=op.f("ck_offer_amount")),
        sa.CheckConstraint("price IN ('fixed', 'typed', 'percent')", name=op.f("ck_offer_price")),
        sa.CheckConstraint("(purse2 IS NULL) = (amount2 = 0) AND amount2 >= 0", name=op.f("ck_offer_second_purse")),
        sa.CheckConstraint(
            "percent BETWEEN 0 AND 100 AND cap >= 0 AND compensation >= 0", name=op.f("ck_offer_discount")
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "venue"], ["venue.municipality", "venue.number"], name=op.f("fk_offer_municipality_venue")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_offer_municipality_id")),
    )
    op.create_index(
        "ix_offer_current",
        "offer",
        ["municipality", "number"],
        unique=True,
        sqlite_where=sa.text("withdrawn_on IS NULL"),
        postgresql_where=sa.text("withdrawn_on IS NULL"),
    )
    op.create_index("ix_offer_number", "offer", ["number"], unique=False)
    op.create_table(
        "settlement_line",
        sa.Column("settlement", sa.String(length=12), nullable=False),
        sa.Column("venue", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=70), nullable=False),
        sa.Column("iban", sa.String(length=34), nullable=False),
        sa.Column("bic", sa.String(length=11), nullable=True),
        sa.Column(
            "opening",
            sa.BigInteger(),
            nullable=False,
            comment="cents carried over from the settlement before; never above zero",
        ),
        sa.Column(
            "earned",
            sa.BigInteger(),
            nullable=False,
            comment="cents; reversals of an earlier period can bring it below zero",
        ),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("carried", sa.BigInteger(), nullable=False),
        sa.Column("end_to_end_id", sa.String(length=35), nullable=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("opening + earned = paid + carried", name=op.f("ck_settlement_line_adds_up")),
        sa.CheckConstraint(
            "paid >= 0 AND carried <= 0 AND opening <= 0 AND (paid = 0 OR carried = 0)",
            name=op.f("ck_settlement_line_signs"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "settlement"],
            ["settlement.municipality", "settlement.number"],
            name=op.f("fk_settlement_line_municipality_settlement"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "venue"],
            ["venue.municipality", "venue.number"],
            name=op.f("fk_settlement_line_municipality_venue"),
        ),
        sa.PrimaryKeyConstraint("settlement", "venue", "municipality", name=op.f("pk_settlement_line")),
        sa.UniqueConstraint(
            "municipality", "end_to_end_id", name=op.f("uq_settlement_line_municipality_end_to_end_id")
        ),
    )
    op.create_table(
        "terminal",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("venue", sa.BigInteger(), nullable=True, comment="none: a desk of the municipality"),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column(
            "in_use_since",
            sa.Date(),
            nullable=False,
            comment="when it was put into use, for the first time or again",
        ),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality", "venue"],
            ["venue.municipality", "venue.number"],
            name=op.f("fk_terminal_municipality_venue"),
        ),
        sa.PrimaryKeyConstraint("number", "municipality", name=op.f("pk_terminal")),
    )
    op.create_table(
        "venue_purse",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("venue", sa.BigInteger(), nullable=False),
        sa.Column("purse", sa.Integer(), nullable=False),
        sa.Column("offered_from", sa.Date(), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality", "venue"],
            ["venue.municipality", "venue.number"],
            name=op.f("fk_venue_purse_municipality_venue"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_venue_purse")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_venue_purse_municipality_id")),
    )
    op.create_index(
        "ix_venue_purse_current",
        "venue_purse",
        ["municipality", "venue", "purse"],
        unique=True,
        sqlite_where=sa.text("withdrawn_on IS NULL"),
        postgresql_where=sa.text("withdrawn_on IS NULL"),
    )
    op.create_table(
        "posting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.Column(
            "terminal", sa.BigInteger(), nullable=True, comment="whose records it books; none: no pass moved this"
        ),
        sa.Column(
            "records", sa.BigInteger(), nullable=False, comment="how many records it books, of one kind, day and offer"
        ),
        sa.Column("venue", sa.BigInteger(), nullable=True),
        sa.Column("offer", sa.Integer(), nullable=True),
        sa.Column("settlement", sa.String(length=12), nullable=True),
        sa.Column(
            "not_payable",
            sa.String(length=20),
            nullable=True,
            comment="why the venue is not paid, and the holder is due a new credit",
        ),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("(kind = 'payment') = (terminal IS NULL)", name=op.f("ck_posting_from_record")),
        sa.CheckConstraint("(kind = 'payment') = (settlement IS NOT NULL)", name=op.f("ck_posting_payment")),
        sa.CheckConstraint("kind IN ('tap', 'reversal', 'load', 'payment')", name=op.f("ck_posting_kind")),
        sa.CheckConstraint(
            "kind NOT IN ('tap', 'reversal') OR (venue IS NOT NULL AND offer IS NOT NULL)",
            name=op.f("ck_posting_at_venue"),
        ),
        sa.CheckConstraint(
            "(terminal IS NULL AND records = 0) OR (terminal IS NOT NULL AND records > 0)",
            name=op.f("ck_posting_records"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "offer"], ["offer.municipality", "offer.id"], name=op.f("fk_posting_municipality_offer")
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "settlement"],
            ["settlement.municipality", "settlement.number"],
            name=op.f("fk_posting_municipality_settlement"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "terminal"],
            ["terminal.municipality", "terminal.number"],
            name=op.f("fk_posting_municipality_terminal"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "venue"],
            ["venue.municipality", "venue.number"],
            name=op.f("fk_posting_municipality_venue"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_posting_municipality_id")),
        sa.UniqueConstraint(
            "municipality", "settlement", "venue", name=op.f("uq_posting_municipality_settlement_venue")
        ),
    )
    op.create_table(
        "entry",
        sa.Column("terminal", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Integer(), nullable=False),
        sa.Column("clear", sa.LargeBinary(length=42), nullable=False),
        sa.Column("sealed", sa.LargeBinary(length=60), nullable=False),
        sa.Column("previous_mac", sa.LargeBinary(length=16), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=16), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.String(length=10),
            nullable=True,
            comment="of the record about which it decides; none: it decides about nothing",
        ),
        sa.Column(
            "doubt_position",
            sa.BigInteger(),
            nullable=True,
            comment="the entry that left the record in doubt, once this one resolved it",
        ),
        sa.Column("reason", sa.String(length=20), nullable=True, comment="why it was rejected"),
        sa.Column("nullifier", sa.String(length=32), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column(
            "posting",
            sa.Integer(),
            nullable=True,
            comment="the posting that books it, with others of its kind, offer and day",
        ),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("outcome IN (1, 2, 3)", name=op.f("ck_entry_outcome")),
        sa.CheckConstraint("position > 0", name=op.f("ck_entry_position")),
        sa.CheckConstraint(
            "state IN ('received', 'proven', 'in_doubt', 'void', 'rejected')", name=op.f("ck_entry_state")
        ),
        *(
            sa.CheckConstraint(
                f"(coalesce(state, '') = '{state}') = ({column} IS NOT NULL)", name=op.f(f"ck_entry_{column}")
            )
            for column, state in (("nullifier", "proven"), ("posting", "proven"), ("reason", "rejected"))
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "posting"],
            ["posting.municipality", "posting.id"],
            name=op.f("fk_entry_municipality_posting"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "terminal"],
            ["terminal.municipality", "terminal.number"],
            name=op.f("fk_entry_municipality_terminal"),
        ),
        sa.PrimaryKeyConstraint("terminal", "position", "happened_on", "municipality", name=op.f("pk_entry")),
        sa.UniqueConstraint(
            "nullifier", "happened_on", "municipality", name=op.f("uq_entry_nullifier_happened_on_municipality")
        ),
        postgresql_partition_by="RANGE (happened_on)",
    )
    op.create_index(
        "ix_entry_record",
        "entry",
        ["terminal", "sequence", "happened_on", "municipality"],
        unique=True,
        sqlite_where=sa.text("state IS NOT NULL"),
        postgresql_where=sa.text("state IS NOT NULL"),
    )
    op.create_index(
        "ix_entry_waiting",
        "entry",
        ["state", "terminal"],
        unique=False,
        sqlite_where=sa.text("state <> 'proven'"),
        postgresql_where=sa.text("state <> 'proven'"),
    )
    if op.get_context().dialect.name == "postgresql":
        # What is of no month that has a part of its own.
        op.execute("CREATE TABLE entry_other PARTITION OF entry DEFAULT")
    op.create_table(
        "settlement_item",
        sa.Column("posting", sa.Integer(), nullable=False, comment="so each is settled at most once"),
        sa.Column("settlement", sa.String(length=12), nullable=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality", "posting"],
            ["posting.municipality", "posting.id"],
            name=op.f("fk_settlement_item_municipality_posting"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "settlement"],
            ["settlement.municipality", "settlement.number"],
            name=op.f("fk_settlement_item_municipality_settlement"),
        ),
        sa.PrimaryKeyConstraint("posting", "municipality", name=op.f("pk_settlement_item")),
    )
    op.create_index(op.f("ix_settlement_item_settlement"), "settlement_item", ["settlement"], unique=False)
    op.create_table(
        "transfer",
        sa.Column("posting", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("destination", sa.String(length=80), nullable=False),
        sa.Column("unit", sa.String(length=5), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_transfer_amount")),
        sa.CheckConstraint("source <> destination", name=op.f("ck_transfer_two_accounts")),
        sa.ForeignKeyConstraint(
            ["municipality", "destination", "unit"],
            ["account.municipality", "account.name", "account.unit"],
            name=op.f("fk_transfer_municipality_destination_unit"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "posting"],
            ["posting.municipality", "posting.id"],
            name=op.f("fk_transfer_municipality_posting"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "source", "unit"],
            ["account.municipality", "account.name", "account.unit"],
            name=op.f("fk_transfer_municipality_source_unit"),
        ),
        sa.PrimaryKeyConstraint("posting", "number", "municipality", name=op.f("pk_transfer")),
    )
    op.create_index("ix_transfer_destination", "transfer", ["destination", "unit"], unique=False)
    op.create_index("ix_transfer_source", "transfer", ["source", "unit"], unique=False)
    op.create_table(
        "flow",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("venue", sa.BigInteger(), nullable=False, comment="0: of no venue"),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("destination", sa.String(length=80), nullable=False),
        sa.Column("unit", sa.String(length=5), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="sum of the transfers of such postings"),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_flow_amount")),
        sa.ForeignKeyConstraint(
            ["municipality", "destination", "unit"],
            ["account.municipality", "account.name", "account.unit"],
            name=op.f("fk_flow_municipality_destination_unit"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "source", "unit"],
            ["account.municipality", "account.name", "account.unit"],
            name=op.f("fk_flow_municipality_source_unit"),
        ),
        sa.PrimaryKeyConstraint("kind", "venue", "source", "destination", "unit", "municipality", name=op.f("pk_flow")),
    )
    op.create_table(
        "tally",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("venue", sa.BigInteger(), nullable=False, comment="0: of no venue"),
        sa.Column("records", sa.BigInteger(), nullable=False, comment="how many records such postings book"),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("records > 0", name=op.f("ck_tally_records")),
        sa.PrimaryKeyConstraint("kind", "venue", "municipality", name=op.f("pk_tally")),
    )


def downgrade() -> None:
    op.drop_table("tally")
    op.drop_table("flow")
    op.drop_index("ix_transfer_source", table_name="transfer")
    op.drop_index("ix_transfer_destination", table_name="transfer")
    op.drop_table("transfer")
    op.drop_index(op.f("ix_settlement_item_settlement"), table_name="settlement_item")
    op.drop_table("settlement_item")
    op.drop_index("ix_entry_waiting", table_name="entry")
    op.drop_index("ix_entry_record", table_name="entry")
    op.drop_table("entry")
    op.drop_table("posting")
    op.drop_index(
        "ix_venue_purse_current",
        table_name="venue_purse",
        sqlite_where=sa.text("withdrawn_on IS NULL"),
        postgresql_where=sa.text("withdrawn_on IS NULL"),
    )
    op.drop_table("venue_purse")
    op.drop_table("terminal")
    op.drop_table("settlement_line")
    op.drop_index("ix_offer_number", table_name="offer")
    op.drop_index(
        "ix_offer_current",
        table_name="offer",
        sqlite_where=sa.text("withdrawn_on IS NULL"),
        postgresql_where=sa.text("withdrawn_on IS NULL"),
    )
    op.drop_table("offer")
    op.drop_table("venues_import")
    op.drop_table("venue")
    op.drop_index(
        "ix_settlement_open",
        table_name="settlement",
        sqlite_where=sa.text("state = 'prepared'"),
        postgresql_where=sa.text("state = 'prepared'"),
    )
    op.drop_table("settlement")
    op.drop_table("quarantine")
    op.drop_table("account")
