"""What terminals handed in, and the state of each record."""

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, LargeBinary, String

from backend.schema.base import Moment, append_only, number, refers, table, unique

entry = table(
    "entry",
    number("terminal", primary_key=True),
    number("position", primary_key=True),
    number("sequence", nullable=False),
    Column("outcome", Integer, nullable=False),
    Column("clear", LargeBinary(42), nullable=False),
    Column("sealed", LargeBinary(60), nullable=False),
    Column("previous_mac", LargeBinary(16), nullable=False),
    Column("mac", LargeBinary(16), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    CheckConstraint("position > 0", name="position"),
    CheckConstraint("outcome IN (1, 2, 3)", name="outcome"),
    refers("terminal", "terminal", "number"),
)

record = table(
    "record",
    number("terminal", primary_key=True),
    number("sequence", primary_key=True),
    number("position", nullable=False, comment="the entry that decides"),
    number("doubt_position", comment="the entry that left it in doubt, once another resolved it"),
    Column("state", String(10), nullable=False),
    Column("reason", String(20), comment="why it was rejected"),
    Column("nullifier", String(32)),
    Column("happened_on", Date, nullable=False),
    Column("decided_at", Moment),
    refers("terminal position", "entry", "terminal position"),
    CheckConstraint("state IN ('received', 'proven', 'in_doubt', 'void', 'rejected')", name="state"),
    CheckConstraint("state <> 'proven' OR nullifier IS NOT NULL", name="proven"),
    CheckConstraint("(state = 'rejected') = (reason IS NOT NULL)", name="reason"),
    Index("ix_record_state", "state"),
    unique("nullifier"),
)

terminal_progress = table(
    "terminal_progress",
    number("terminal", primary_key=True),
    number("held_to", nullable=False, comment="every position up to here is held, or was closed as a gap"),
    Column("seen_on", Date, nullable=False, comment="last day on which it handed in or got its offers"),
    refers("terminal", "terminal", "number"),
)

append_only(entry)
append_only(record, changing=("position", "doubt_position", "state", "reason", "nullifier", "decided_at"))
append_only(terminal_progress, changing=("held_to", "seen_on"))
