"""What terminals handed in, entry by entry, and what became of each.

Of taking in only the day is kept: at a terminal that is always on line its hour is that of the tap.

A record is one transaction of a pass, by terminal and sequence. The entry that decides about it has a state; an entry
in doubt that another one resolved, or one that has no place in its record, has none.

Keys name the day that the pass signed, because PostgreSQL keeps a part for each month of it. So nobody can prove one
transaction in two months; that no terminal has two entries at one position is looked at by who writes, alone.
"""

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, LargeBinary, String, UniqueConstraint, text

from backend.schema.base import append_only, number, refers, table

entry = table(
    "entry",
    number("terminal", primary_key=True),
    number("position", primary_key=True),
    Column("happened_on", Date, primary_key=True),
    number("sequence", nullable=False),
    Column("outcome", Integer, nullable=False),
    Column("clear", LargeBinary(42), nullable=False),
    Column("sealed", LargeBinary(60), nullable=False),
    Column("previous_mac", LargeBinary(16), nullable=False),
    Column("mac", LargeBinary(16), nullable=False),
    Column("recorded_on", Date, nullable=False),
    Column("state", String(10), comment="of the record about which it decides; none: it decides about nothing"),
    number("doubt_position", comment="the entry that left the record in doubt, once this one resolved it"),
    Column("reason", String(20), comment="why it was rejected"),
    Column("nullifier", String(32)),
    Column("decided_on", Date),
    Column("posting", Integer, comment="the posting that books it, with others of its kind, offer and day"),
    CheckConstraint("position > 0", name="position"),
    CheckConstraint("outcome IN (1, 2, 3)", name="outcome"),
    CheckConstraint("state IN ('received', 'proven', 'in_doubt', 'void', 'rejected')", name="state"),
    CheckConstraint("(coalesce(state, '') = 'proven') = (nullifier IS NOT NULL)", name="nullifier"),
    CheckConstraint("(coalesce(state, '') = 'proven') = (posting IS NOT NULL)", name="posting"),
    CheckConstraint("(coalesce(state, '') = 'rejected') = (reason IS NOT NULL)", name="reason"),
    # Terminal and nullifier come first: a database of one municipality is not asked for it.
    UniqueConstraint("nullifier", "happened_on", "municipality"),
    refers("terminal", "terminal", "number"),
    refers("posting", "posting", "id"),
    postgresql_partition_by="RANGE (happened_on)",
)
_DECIDES = text("state IS NOT NULL")
# To be said in these words by whoever wants to find its index on SQLite.
WAITS = text("state <> 'proven'")
Index(
    "ix_entry_record",
    entry.c.terminal,
    entry.c.sequence,
    entry.c.happened_on,
    entry.c.municipality,
    unique=True,
    sqlite_where=_DECIDES,
    postgresql_where=_DECIDES,
)
Index("ix_entry_waiting", entry.c.state, entry.c.terminal, sqlite_where=WAITS, postgresql_where=WAITS)

terminal_progress = table(
    "terminal_progress",
    number("terminal", primary_key=True),
    number("held_to", nullable=False, comment="every position up to here is held, or was closed as a gap"),
    Column("seen_on", Date, nullable=False, comment="last day on which it handed in or got its offers"),
    refers("terminal", "terminal", "number"),
)

append_only(entry, changing=("state", "doubt_position", "reason", "nullifier", "decided_on", "posting"))
append_only(terminal_progress, changing=("held_to", "seen_on"))
