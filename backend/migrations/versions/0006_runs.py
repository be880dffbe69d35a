"""Long work that a page began"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("started_by", sa.String(length=60), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False, comment="the last sign of life"),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True, comment="none: not known"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("found", sa.Text(), nullable=True, comment="what was found, as JSON"),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(found IS NOT NULL) = (outcome IS NOT NULL AND outcome = 'done')", name=op.f("ck_run_found")
        ),
        sa.CheckConstraint("kind IN ('verify', 'audit')", name=op.f("ck_run_kind")),
        sa.CheckConstraint("outcome IN ('done', 'no vault', 'failed', 'broken off')", name=op.f("ck_run_outcome")),
        sa.CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name=op.f("ck_run_ended")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_run_municipality_id")),
    )
    op.create_index(
        "ix_run_one_at_a_time",
        "run",
        ["municipality", "kind"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_run_one_at_a_time",
        table_name="run",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_table("run")
