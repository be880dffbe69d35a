"""What is done after a copy of the database was put back"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recovery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=5), nullable=False),
        sa.Column(
            "settlement",
            sa.String(length=12),
            nullable=True,
            comment="of a payment order; before two people took it in it may not be there",
        ),
        sa.Column("digest", sa.String(length=64), nullable=True, comment="of that order"),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("(kind = 'order') = (settlement IS NOT NULL)", name=op.f("ck_recovery_settlement")),
        sa.CheckConstraint("(settlement IS NULL) = (digest IS NULL)", name=op.f("ck_recovery_digest")),
        sa.CheckConstraint("kind IN ('begun', 'order', 'ended')", name=op.f("ck_recovery_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_recovery_municipality_id")),
    )


def downgrade() -> None:
    op.drop_table("recovery")
