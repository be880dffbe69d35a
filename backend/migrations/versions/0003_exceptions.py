"""What the desk for exceptions keeps, and how far each terminal is."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=True, comment="none: from the first record on"),
        sa.Column("until", sa.Date(), nullable=True, comment="none: up to the last record"),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column(
            "unnamed",
            sa.BigInteger(),
            nullable=False,
            comment="transactions that passes counted and of which nothing more is known",
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_audit_municipality_id")),
    )
    op.create_table(
        "exception_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("about", sa.String(length=40), nullable=False, comment="the case, as gap:101.5-7"),
        sa.Column("action", sa.String(length=9), nullable=False),
        sa.Column("done_by", sa.String(length=60), nullable=True, comment="none: clearing itself"),
        sa.Column("outcome", sa.String(length=5), nullable=True, comment="what is proposed"),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=True, comment="the proposal; each is answered once"),
        sa.Column("proposed_by", sa.String(length=60), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("(action = 'arrived') = (done_by IS NULL)", name=op.f("ck_exception_event_person")),
        sa.CheckConstraint("(action = 'proposed') = (outcome IS NOT NULL)", name=op.f("ck_exception_event_proposal")),
        sa.CheckConstraint(
            "(action IN ('confirmed', 'declined')) = (answers IS NOT NULL)", name=op.f("ck_exception_event_answer")
        ),
        sa.CheckConstraint(
            "(outcome IS NOT NULL AND outcome = 'close') = (reason IS NOT NULL)", name=op.f("ck_exception_event_reason")
        ),
        sa.CheckConstraint(
            "action <> 'confirmed' OR lower(done_by) <> lower(proposed_by)", name=op.f("ck_exception_event_two_people")
        ),
        sa.CheckConstraint(
            "action IN ('retried', 'proposed', 'confirmed', 'declined', 'arrived')",
            name=op.f("ck_exception_event_action"),
        ),
        sa.CheckConstraint("outcome IN ('close', 'book')", name=op.f("ck_exception_event_outcome")),
        sa.CheckConstraint("(answers IS NULL) = (proposed_by IS NULL)", name=op.f("ck_exception_event_answered")),
        sa.ForeignKeyConstraint(
            ["municipality", "answers", "proposed_by"],
            ["exception_event.municipality", "exception_event.id", "exception_event.done_by"],
            name=op.f("fk_exception_event_municipality_answers_proposed_by"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exception_event")),
        sa.UniqueConstraint("municipality", "answers", name=op.f("uq_exception_event_municipality_answers")),
        sa.UniqueConstraint("municipality", "id", "done_by", name=op.f("uq_exception_event_municipality_id_done_by")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_exception_event_municipality_id")),
    )
    op.create_index("ix_exception_event_about", "exception_event", ["about"], unique=False)
    op.create_table(
        "finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=14), nullable=False),
        sa.Column("terminal", sa.BigInteger(), nullable=False, comment="as the pass named it; it may be none of ours"),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column(
            "nullifier",
            sa.String(length=32),
            nullable=True,
            comment="only of a doubt that happened; none when the keys of its year are gone",
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('missing', 'happened', 'did_not_happen', 'not_ours', 'differs')", name=op.f("ck_finding_kind")
        ),
        sa.CheckConstraint("nullifier IS NULL OR kind = 'happened'", name=op.f("ck_finding_nullifier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        sa.UniqueConstraint("municipality", "id", name=op.f("uq_finding_municipality_id")),
        sa.UniqueConstraint(
            "municipality", "kind", "terminal", "sequence", name=op.f("uq_finding_municipality_kind_terminal_sequence")
        ),
    )
    op.create_table(
        "closed_gap",
        sa.Column("event", sa.Integer(), nullable=False, comment="the confirmation"),
        sa.Column("terminal", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.CheckConstraint("first > 0 AND first <= last", name=op.f("ck_closed_gap_range")),
        sa.ForeignKeyConstraint(
            ["municipality", "event"],
            ["exception_event.municipality", "exception_event.id"],
            name=op.f("fk_closed_gap_municipality_event"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality", "terminal"],
            ["terminal.municipality", "terminal.number"],
            name=op.f("fk_closed_gap_municipality_terminal"),
        ),
        sa.PrimaryKeyConstraint("event", "municipality", name=op.f("pk_closed_gap")),
    )
    op.create_index(op.f("ix_closed_gap_terminal"), "closed_gap", ["terminal"], unique=False)
    op.create_table(
        "terminal_progress",
        sa.Column("terminal", sa.BigInteger(), nullable=False),
        sa.Column(
            "held_to",
            sa.BigInteger(),
            nullable=False,
            comment="every position up to here is held, or was closed as a gap",
        ),
        sa.Column("seen_on", sa.Date(), nullable=False, comment="last day on which it handed in or got its offers"),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality", "terminal"],
            ["terminal.municipality", "terminal.number"],
            name=op.f("fk_terminal_progress_municipality_terminal"),
        ),
        sa.PrimaryKeyConstraint("terminal", "municipality", name=op.f("pk_terminal_progress")),
    )


def downgrade() -> None:
    op.drop_table("terminal_progress")
    op.drop_index(op.f("ix_closed_gap_terminal"), table_name="closed_gap")
    op.drop_table("closed_gap")
    op.drop_table("finding")
    op.drop_index("ix_exception_event_about", table_name="exception_event")
    op.drop_table("exception_event")
    op.drop_table("audit")
