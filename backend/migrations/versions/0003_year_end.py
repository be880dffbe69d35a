"""What lapses at the end of a pass year, and statistics as they were published."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None


_KINDS = "kind IN ('tap', 'reversal', 'load', 'payment')", "kind IN ('tap', 'reversal', 'load', 'payment', 'lapse')"
_FROM_RECORD = "(kind = 'payment') = (sequence IS NULL)", "(kind IN ('payment', 'lapse')) = (sequence IS NULL)"


def _checks(before: int, after: int) -> None:
    """Other checks on the postings that are there. SQLite changes the words of a check where they stand: "Making Other
    Kinds Of Table Schema Changes", https://sqlite.org/lang_altertable.html"""
    for name, words in (("ck_posting_kind", _KINDS), ("ck_posting_from_record", _FROM_RECORD)):
        if op.get_bind().dialect.name == "sqlite":
            _reworded(words[before], words[after])
        else:
            op.drop_constraint(op.f(name), "posting", type_="check")
            op.create_check_constraint(op.f(name), "posting", words[after])


def _reworded(old: str, new: str) -> None:
    bind = op.get_bind()
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    bind.exec_driver_sql("UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = 'posting'", (old, new))
    bind.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")


def upgrade() -> None:
    _checks(0, 1)
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
            "terminal",
            sa.BigInteger(),
            nullable=True,
            comment="with `sequence`, the late tap or reversal that corrected it; none: the decision itself",
        ),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
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
            ["municipality", "terminal", "sequence"],
            ["record.municipality", "record.terminal", "record.sequence"],
            name=op.f("fk_lapse_municipality_terminal_sequence"),
        ),
        sa.PrimaryKeyConstraint("posting", "municipality", name=op.f("pk_lapse")),
    )
    op.create_index(op.f("ix_lapse_closing"), "lapse", ["closing"], unique=False)


def downgrade() -> None:
    _checks(1, 0)
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
