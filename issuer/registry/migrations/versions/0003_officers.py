"""Accounts of officers say so in the names of their tables: other parties have accounts that are no people"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.rename_table("account", "officer_account")
    op.rename_table("account_role", "officer_role")
