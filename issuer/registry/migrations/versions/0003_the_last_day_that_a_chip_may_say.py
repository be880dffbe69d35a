"""The last day that a chip may say"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("card_pass", sa.Column("renewing_until", sa.Date(), nullable=True))
