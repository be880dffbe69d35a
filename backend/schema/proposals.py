"""Offers that a venue proposed, and what became of them; one that was published is a version in `offer`."""

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, Integer, String, Text

from backend.schema.base import Moment, number, table

proposal = table(
    "proposal",
    Column("id", Integer, primary_key=True),
    number("venue", ForeignKey("venue.number"), nullable=False, index=True),
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
    Column("version", Integer, ForeignKey("offer.id"), unique=True),
    CheckConstraint("state IN ('proposed', 'approved', 'rejected', 'withdrawn', 'published')", name="state"),
    CheckConstraint("decided_by IS NULL OR lower(decided_by) <> lower(proposed_by)", name="two_people"),
    CheckConstraint("state NOT IN ('approved', 'rejected', 'published') OR decided_by IS NOT NULL", name="decided"),
    CheckConstraint("(state = 'published') = (version IS NOT NULL)", name="published"),
)
