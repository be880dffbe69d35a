"""A copy of the database was put back: who said so, which payment orders were taken in again, and who ended it."""

from sqlalchemy import CheckConstraint, Column, Integer, String

from backend.schema.base import Moment, append_only, table

recovery = table(
    "recovery",
    Column("id", Integer, primary_key=True),
    Column("kind", String(5), nullable=False),
    Column("settlement", String(12), comment="of a payment order; before two people took it in it may not be there"),
    Column("digest", String(64), comment="of that order"),
    Column("by", String(60), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    CheckConstraint("kind IN ('begun', 'order', 'ended')", name="kind"),
    CheckConstraint("(kind = 'order') = (settlement IS NOT NULL)", name="settlement"),
    CheckConstraint("(settlement IS NULL) = (digest IS NULL)", name="digest"),
)
append_only(recovery)
