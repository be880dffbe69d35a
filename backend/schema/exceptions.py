"""What was refused, missing or in doubt, what the vault found of it, and who dealt with it."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
)

from backend.schema.base import Moment, append_only, number, refers, table, unique

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

# What the vault found

audit = table(
    "audit",
    Column("id", Integer, primary_key=True),
    Column("since", Date, comment="none: from the first record on"),
    Column("until", Date, comment="none: up to the last record"),
    number("records", nullable=False),
    number("unnamed", nullable=False, comment="transactions that passes counted and of which nothing more is known"),
    Column("recorded_at", Moment, nullable=False),
)

finding = table(
    "finding",
    Column("id", Integer, primary_key=True),
    Column("kind", String(14), nullable=False),
    number("terminal", nullable=False, comment="as the pass named it; it may be none of ours"),
    number("sequence", nullable=False),
    Column("nullifier", String(32), comment="only of a doubt that happened; none when the keys of its year are gone"),
    Column("recorded_at", Moment, nullable=False),
    unique("kind", "terminal", "sequence"),
    CheckConstraint("kind IN ('missing', 'happened', 'did_not_happen', 'not_ours', 'differs')", name="kind"),
    CheckConstraint("nullifier IS NULL OR kind = 'happened'", name="nullifier"),
)

# Who dealt with it

exception_event = table(
    "exception_event",
    Column("id", Integer, primary_key=True),
    Column("about", String(40), nullable=False, comment="the case, as gap:101.5-7"),
    Column("action", String(9), nullable=False),
    Column("done_by", String(60), comment="none: clearing itself"),
    Column("outcome", String(5), comment="what is proposed"),
    Column("reason", String(20)),
    Column("note", String(200), nullable=False),
    Column("answers", Integer, comment="the proposal; each is answered once"),
    Column("proposed_by", String(60)),
    Column("recorded_at", Moment, nullable=False),
    unique("answers"),
    unique("id", "done_by"),
    refers("answers proposed_by", "exception_event", "id done_by"),
    Index("ix_exception_event_about", "about"),
    CheckConstraint("action IN ('retried', 'proposed', 'confirmed', 'declined', 'arrived')", name="action"),
    CheckConstraint("(action = 'arrived') = (done_by IS NULL)", name="person"),
    CheckConstraint("(action = 'proposed') = (outcome IS NOT NULL)", name="proposal"),
    CheckConstraint("outcome IN ('close', 'book')", name="outcome"),
    CheckConstraint("(outcome IS NOT NULL AND outcome = 'close') = (reason IS NOT NULL)", name="reason"),
    CheckConstraint("(action IN ('confirmed', 'declined')) = (answers IS NOT NULL)", name="answer"),
    CheckConstraint("(answers IS NULL) = (proposed_by IS NULL)", name="answered"),
    CheckConstraint("action <> 'confirmed' OR lower(done_by) <> lower(proposed_by)", name="two_people"),
)

closed_gap = table(
    "closed_gap",
    Column("event", Integer, primary_key=True, comment="the confirmation"),
    number("terminal", nullable=False, index=True),
    number("first", nullable=False),
    number("last", nullable=False),
    refers("event", "exception_event", "id"),
    refers("terminal", "terminal", "number"),
    CheckConstraint("first > 0 AND first <= last", name="range"),
)

append_only(audit)
append_only(finding)
append_only(exception_event)
append_only(closed_gap)
