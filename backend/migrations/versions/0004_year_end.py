"""What lapses at the end of a pass year, and statistics as they were published."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


_PAYMENTS = "kind IN ('payment', 'revoked', 'rejected', 'paid', 'returned')"
_BEFORE = {
    "kind": f"kind IN ('tap', 'reversal', 'load') OR {_PAYMENTS}",
    "from_record": f"({_PAYMENTS}) = (terminal IS NULL)",
}
_AFTER = {
    "kind": f"kind IN ('tap', 'reversal', 'load', 'lapse') OR {_PAYMENTS}",
    "from_record": f"(kind = 'lapse' OR {_PAYMENTS}) = (terminal IS NULL)",
}


def _demand(kinds: dict[str, str]) -> None:
    """Other demands on postings. In SQLite a table is made anew for it."""
    with op.batch_alter_table("posting") as posting:
        for name, condition in kinds.items():
            posting.drop_constraint(op.f(f"ck_posting_{name}"), type_="check")
            posting.create_check_constraint(op.f(f"ck_posting_{name}"), condition)


def upgrade() -> None:
    _demand(_AFTER)
    op.create_table(
        "published_statistics",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False, comment="smaller counts are not shown"),
        sa.Column("published_by", sa.String(length=60), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.Text(), nullable=False, comment="the tables, as JSON; what is not shown is not in it"),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("minimum >= 2", name=op.f("ck_published_statistics_minimum")),
        sa.PrimaryKeyConstraint("year", "municipality", name=op.f("pk_published_statistics")),
    )
    op.create_table(
        "year_closing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("until", sa.Date(), nullable=False, comment="last day of the pass year"),
        sa.Column("purse", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=5), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False, comment="what was left when it was proposed"),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="what was decided; never above `most`"),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("proposed_by", sa.String(length=60), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=60), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name=op.f("ck_year_closing_decided")),
        sa.CheckConstraint("kind IN ('lapse', 'restore')", name=op.f("ck_year_closing_kind")),
        sa.CheckConstraint(
            "state <> 'decided' OR lower(decided_by) <> lower(proposed_by)", name=op.f("ck_year_closing_two_people")
        ),
        sa.CheckConstraint("state IN ('proposed', 'decided', 'withdrawn')", name=op.f("ck_year_closing_state")),
        sa.CheckConstraint("unit IN ('cent', 'point', 'visit', 'item')", name=op.f("ck_year_closing_unit")),
        sa.CheckConstraint("amount BETWEEN 1 AND most", name=op.f("ck_year_closing_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_year_closing")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_year_closing_municipality_id")),
    )
    op.create_index(
        "ix_year_closing_once",
        "year_closing",
        ["municipality", "until", "purse"],
        unique=True,
        sqlite_where=sa.text("kind = 'lapse' AND state != 'withdrawn'"),
        postgresql_where=sa.text("kind = 'lapse' AND state != 'withdrawn'"),
    )
    op.create_table(
        "lapse",
        sa.Column("posting", sa.Integer(), nullable=False),
        sa.Column("closing", sa.Integer(), nullable=False),
        sa.Column(
            "cause",
            sa.Integer(),
            nullable=True,
            comment="the posting of late taps or reversals that corrected it; none: the decision",
        ),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality", "closing"],
            ["year_closing.municipality", "year_closing.id"],
            name=op.f("fk_lapse_municipality_closing"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "posting"],
            ["posting.municipality", "posting.id"],
            name=op.f("fk_lapse_municipality_posting"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "cause"],
            ["posting.municipality", "posting.id"],
            name=op.f("fk_lapse_municipality_cause"),
        ),
        sa.PrimaryKeyConstraint("posting", "municipality", name=op.f("pk_lapse")),
    )
    op.create_index(op.f("ix_lapse_closing"), "lapse", ["closing"], unique=False)


def downgrade() -> None:
    _demand(_BEFORE)
    op.drop_index(op.f("ix_lapse_closing"), table_name="lapse")
    op.drop_table("lapse")
    op.drop_index(
        "ix_year_closing_once",
        table_name="year_closing",
        sqlite_where=sa.text("kind = 'lapse' AND state != 'withdrawn'"),
        postgresql_where=sa.text("kind = 'lapse' AND state != 'withdrawn'"),
    )
    op.drop_table("year_closing")
    op.drop_table("published_statistics")
