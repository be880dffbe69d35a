"""Offers that a venue proposed, and what became of them; one that was published is a version in `offer`."""

from sqlalchemy import JSON, CheckConstraint, Column, Index, Integer, String, Text

from backend.schema.base import Moment, append_only, number, refers, table, unique

proposal = table(
    "proposal",
    Column("id", Integer, primary_key=True),
    number("venue", nullable=False),
    number("offer", nullable=False, comment="number of the offer that it makes, or changes"),
    Column("terms", JSON, nullable=False, comment="as backend.venues_file.OfferIn"),
    Column("state", String(9), nullable=False),
    Column("proposed_by", String(60), nullable=False),
    Column("proposed_at", Moment, nullable=False),
    Column("decided_by", String(60)),
    Column("decided_at", Moment),
    Column("reason", Text, comment="why it was rejected"),
    Column("published_by", String(60)),
    Column("published_at", Moment),
    Column("version", Integer),
    refers("venue", "venue", "number"),
    refers("version", "offer", "id"),
    unique("version"),
    Index("ix_proposal_venue", "municipality", "venue"),
    CheckConstraint("state IN ('proposed', 'approved', 'rejected', 'withdrawn', 'published')", name="state"),
    CheckConstraint("decided_by IS NULL OR lower(decided_by) <> lower(proposed_by)", name="two_people"),
    CheckConstraint("state NOT IN ('approved', 'rejected', 'published') OR decided_by IS NOT NULL", name="decided"),
    CheckConstraint("(state = 'published') = (version IS NOT NULL)", name="published"),
)
append_only(
    proposal,
    ("state", "decided_by", "decided_at", "reason", "published_by", "published_at", "version"),
)
