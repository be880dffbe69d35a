"""Proposals of offers"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("venue", sa.BigInteger(), nullable=False),
        sa.Column("offer", sa.BigInteger(), nullable=False, comment="number of the offer that it makes, or changes"),
        sa.Column("terms", sa.JSON(), nullable=False, comment="as backend.venues_file.OfferIn"),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("proposed_by", sa.String(length=60), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=60), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was rejected"),
        sa.Column("published_by", sa.String(length=60), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'published') = (version IS NOT NULL)", name=op.f("ck_proposal_published")),
        sa.CheckConstraint(
            "state IN ('proposed', 'approved', 'rejected', 'withdrawn', 'published')", name=op.f("ck_proposal_state")
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'rejected', 'published') OR decided_by IS NOT NULL",
            name=op.f("ck_proposal_decided"),
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR lower(decided_by) <> lower(proposed_by)", name=op.f("ck_proposal_two_people")
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "venue"],
            ["venue.municipality", "venue.number"],
            name=op.f("fk_proposal_municipality_venue"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "version"],
            ["offer.municipality", "offer.id"],
            name=op.f("fk_proposal_municipality_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_proposal_municipality_id")),
        sa.UniqueConstraint("municipality", "version", name=op.f("uq_proposal_municipality_version")),
    )
    op.create_index("ix_proposal_venue", "proposal", ["municipality", "venue"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_proposal_venue", table_name="proposal")
    op.drop_table("proposal")
