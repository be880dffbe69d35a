"""The day of a handle, and the base of the hotlist"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # 0, as on the passes that are there: from before that day was written down.
    op.add_column("card_pass", sa.Column("issued_day", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "hotlist_base",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
