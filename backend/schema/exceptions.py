"""What was refused, and stays until somebody has dealt with it."""

from sqlalchemy import CheckConstraint, Column, Integer, LargeBinary, String, Text

from backend.schema.base import Moment, append_only, number, table, unique

quarantine = table(
    "quarantine",
    Column("id", Integer, primary_key=True),
    Column("reason", String(20), nullable=False),
    Column("detail", Text, nullable=False),
    number("terminal", comment="as claimed, when it is a batch"),
    number("position"),
    number("sequence"),
    Column("body", LargeBinary, comment="the batch, when it could not be opened or contradicts what is held"),
    Column("digest", String(64)),
    Column("recorded_at", Moment, nullable=False),
    Column("tried_at", Moment, nullable=False),
    Column("resolved_at", Moment),
    unique("terminal", "position"),
    CheckConstraint("(body IS NULL) = (position IS NOT NULL) AND (body IS NULL) = (digest IS NULL)", name="batch"),
    unique("digest"),
)

append_only(quarantine, changing=("reason", "detail", "tried_at", "resolved_at"))
