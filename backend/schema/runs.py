"""Long work that a page began: who began it, how far it is, and what it came to."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Text

from backend.schema.base import Moment, append_only, final, number, table

run = table(
    "run",
    Column("id", Integer, primary_key=True),
    Column("kind", String(6), nullable=False),
    Column("started_by", String(60), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("heard_at", Moment, nullable=False, comment="the last sign of life"),
    number("done", nullable=False),
    number("total", comment="none: not known"),
    Column("ended_at", Moment),
    Column("outcome", String(10)),
    Column("found", Text, comment="what was found, as JSON"),
    CheckConstraint("kind IN ('verify', 'audit')", name="kind"),
    CheckConstraint("outcome IN ('done', 'no vault', 'failed', 'broken off')", name="outcome"),
    CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ended"),
    CheckConstraint("(found IS NOT NULL) = (outcome IS NOT NULL AND outcome = 'done')", name="found"),
)
Index(
    "ix_run_one_at_a_time",
    run.c.municipality,
    run.c.kind,
    unique=True,
    sqlite_where=run.c.ended_at.is_(None),
    postgresql_where=run.c.ended_at.is_(None),
)
append_only(run, changing=("heard_at", "done", "total", "ended_at", "outcome", "found"))
final(run, "UPDATE", "OLD.ended_at IS NOT NULL")
