"""Every table of clearing, and the constraints that hold whoever writes.

Nothing here names a pass, a handle or a holder, and nothing links two taps of one pass: `entry.sealed` only opens in
the vault, and `record.nullifier` is another value for every transaction.

The books are `posting` and `transfer`. A transfer moves an amount above zero from one account to another of the same
unit, so a posting always sums to zero and cents never mix with points. Books and journal are append-only.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC; refuses one without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


def _number(name: str, *rest: Any, **options: Any) -> Column[int]:
    """A column for an unsigned number of up to 32 bits."""
    return Column(name, BigInteger, *rest, **options)


_UNITS = "('cent', 'point', 'visit', 'item')"

# Who may hand in, and what is on offer

venue = Table(
    "venue",
    metadata,
    _number("number", primary_key=True, autoincrement=False),
    Column("name", String(70), nullable=False),
    Column("iban", String(34), nullable=False),
    Column("bic", String(11)),
)

terminal = Table(
    "terminal",
    metadata,
    _number("number", primary_key=True, autoincrement=False),
    _number("venue", ForeignKey("venue.number"), comment="none: a desk of the municipality"),
    Column("in_use", Boolean, nullable=False),
)

venue_purse = Table(
    "venue_purse",
    metadata,
    Column("id", Integer, primary_key=True),
    _number("venue", ForeignKey("venue.number"), nullable=False),
    Column("purse", Integer, nullable=False),
    Column("offered_from", Date, nullable=False),
    Column("withdrawn_on", Date),
)
Index(
    "ix_venue_purse_current",
    venue_purse.c.venue,
    venue_purse.c.purse,
    unique=True,
    sqlite_where=venue_purse.c.withdrawn_on.is_(None),
    postgresql_where=venue_purse.c.withdrawn_on.is_(None),
)

offer = Table(
    "offer",
    metadata,
    Column("id", Integer, primary_key=True, comment="one version of an offer; terms never change in place"),
    _number("number", nullable=False),
    _number("venue", ForeignKey("venue.number"), nullable=False),
    Column("name", String(60), nullable=False),
    Column("price", String(7), nullable=False),
    Column("purse", Integer, nullable=False),
    _number("amount", nullable=False),
    Column("purse2", Integer),
    _number("amount2", nullable=False),
    Column("percent", Integer, nullable=False),
    _number("cap", nullable=False, comment="cents; 0: no cap"),
    Column("compensated", Boolean, nullable=False),
    _number("compensation", nullable=False, comment="cents that the municipality owes for each tap"),
    Column("offered_from", Date, nullable=False),
    Column("until", Date),
    Column("withdrawn_on", Date),
    CheckConstraint("price IN ('fixed', 'typed', 'percent')", name="price"),
    CheckConstraint("(price = 'typed') = (amount = 0) AND amount >= 0", name="amount"),
    CheckConstraint("(purse2 IS NULL) = (amount2 = 0) AND amount2 >= 0", name="second_purse"),
    CheckConstraint("percent BETWEEN 0 AND 100 AND cap >= 0 AND compensation >= 0", name="discount"),
    Index("ix_offer_number", "number"),
)
Index(
    "ix_offer_current",
    offer.c.number,
    unique=True,
    sqlite_where=offer.c.withdrawn_on.is_(None),
    postgresql_where=offer.c.withdrawn_on.is_(None),
)

venues_import = Table(
    "venues_import",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("recorded_at", Moment, nullable=False),
)

# What terminals handed in

entry = Table(
    "entry",
    metadata,
    _number("terminal", ForeignKey("terminal.number"), primary_key=True),
    _number("position", primary_key=True),
    _number("sequence", nullable=False),
    Column("outcome", Integer, nullable=False),
    Column("clear", LargeBinary(42), nullable=False),
    Column("sealed", LargeBinary(60), nullable=False),
    Column("previous_mac", LargeBinary(16), nullable=False),
    Column("mac", LargeBinary(16), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    CheckConstraint("position > 0", name="position"),
    CheckConstraint("outcome IN (1, 2, 3)", name="outcome"),
)

record = Table(
    "record",
    metadata,
    _number("terminal", primary_key=True),
    _number("sequence", primary_key=True),
    _number("position", nullable=False, comment="the entry that decides"),
    _number("doubt_position", comment="the entry that left it in doubt, once another resolved it"),
    Column("state", String(10), nullable=False),
    Column("reason", String(20), comment="why it was rejected"),
    Column("nullifier", String(32), unique=True),
    Column("happened_on", Date, nullable=False),
    Column("decided_at", Moment),
    ForeignKeyConstraint(["terminal", "position"], ["entry.terminal", "entry.position"]),
    CheckConstraint("state IN ('received', 'proven', 'in_doubt', 'void', 'rejected')", name="state"),
    CheckConstraint("state <> 'proven' OR nullifier IS NOT NULL", name="proven"),
    CheckConstraint("(state = 'rejected') = (reason IS NOT NULL)", name="reason"),
    Index("ix_record_state", "state"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("reason", String(20), nullable=False),
    Column("detail", Text, nullable=False),
    _number("terminal", comment="as claimed, when it is a batch"),
    _number("position"),
    _number("sequence"),
    Column("body", LargeBinary, comment="the batch, when it could not be opened or contradicts what is held"),
    Column("digest", String(64), unique=True),
    Column("recorded_at", Moment, nullable=False),
    Column("tried_at", Moment, nullable=False),
    Column("resolved_at", Moment),
    UniqueConstraint("terminal", "position"),
    CheckConstraint("(body IS NULL) = (position IS NOT NULL) AND (body IS NULL) = (digest IS NULL)", name="batch"),
)

# The books

account = Table(
    "account",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("unit", String(5), primary_key=True),
    CheckConstraint(f"unit IN {_UNITS}", name="unit"),
)

settlement = Table(
    "settlement",
    metadata,
    Column("number", String(12), primary_key=True),
    Column("since", Date, comment="first day; none for the first settlement"),
    Column("until", Date, nullable=False, comment="last day"),
    Column("state", String(9), nullable=False),
    Column("prepared_by", String(60), nullable=False),
    Column("prepared_at", Moment, nullable=False),
    Column("approved_by", String(60)),
    Column("approved_at", Moment),
    Column("execution_on", Date),
    Column("debtor", String(70), nullable=False),
    Column("debtor_iban", String(34), nullable=False),
    Column("debtor_bic", String(11)),
    CheckConstraint("state IN ('prepared', 'approved', 'withdrawn')", name="state"),
    CheckConstraint("approved_by IS NULL OR lower(approved_by) <> lower(prepared_by)", name="two_people"),
    CheckConstraint("(state = 'approved') = (approved_by IS NOT NULL)", name="approved"),
)
Index(
    "ix_settlement_open",
    settlement.c.state,
    unique=True,
    sqlite_where=settlement.c.state == "prepared",
    postgresql_where=settlement.c.state == "prepared",
)

posting = Table(
    "posting",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("happened_on", Date, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    _number("terminal"),
    _number("sequence"),
    _number("venue", ForeignKey("venue.number")),
    Column("offer", Integer, ForeignKey("offer.id")),
    Column("settlement", String(12), ForeignKey("settlement.number")),
    Column("not_payable", String(20), comment="why the venue is not paid, and the holder is due a new credit"),
    ForeignKeyConstraint(["terminal", "sequence"], ["record.terminal", "record.sequence"]),
    UniqueConstraint("terminal", "sequence"),
    UniqueConstraint("settlement", "venue"),
    CheckConstraint("kind IN ('tap', 'reversal', 'load', 'payment')", name="kind"),
    CheckConstraint("(kind = 'payment') = (settlement IS NOT NULL)", name="payment"),
    CheckConstraint("(kind = 'payment') = (sequence IS NULL)", name="from_record"),
    CheckConstraint("kind NOT IN ('tap', 'reversal') OR (venue IS NOT NULL AND offer IS NOT NULL)", name="at_venue"),
)

transfer = Table(
    "transfer",
    metadata,
    Column("posting", Integer, ForeignKey("posting.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("source", String(80), nullable=False),
    Column("destination", String(80), nullable=False),
    Column("unit", String(5), nullable=False),
    _number("amount", nullable=False),
    ForeignKeyConstraint(["source", "unit"], ["account.name", "account.unit"]),
    ForeignKeyConstraint(["destination", "unit"], ["account.name", "account.unit"]),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("source <> destination", name="two_accounts"),
    Index("ix_transfer_source", "source", "unit"),
    Index("ix_transfer_destination", "destination", "unit"),
)

# Settlement

settlement_item = Table(
    "settlement_item",
    metadata,
    Column("posting", Integer, ForeignKey("posting.id"), primary_key=True, comment="so each is settled at most once"),
    Column("settlement", String(12), ForeignKey("settlement.number"), nullable=False, index=True),
)

settlement_line = Table(
    "settlement_line",
    metadata,
    Column("settlement", String(12), ForeignKey("settlement.number"), primary_key=True),
    _number("venue", ForeignKey("venue.number"), primary_key=True, autoincrement=False),
    Column("name", String(70), nullable=False),
    Column("iban", String(34), nullable=False),
    Column("bic", String(11)),
    _number("opening", nullable=False, comment="cents carried over from the settlement before; never above zero"),
    _number("earned", nullable=False, comment="cents; reversals of an earlier period can bring it below zero"),
    _number("paid", nullable=False),
    _number("carried", nullable=False),
    Column("end_to_end_id", String(35), nullable=False, unique=True),
    CheckConstraint("opening + earned = paid + carried", name="adds_up"),
    CheckConstraint("paid >= 0 AND carried <= 0 AND opening <= 0 AND (paid = 0 OR carried = 0)", name="signs"),
)


def _refuses(change: str, table: Table, when: str = "") -> None:
    """A trigger that stops an UPDATE or DELETE. SQLite has no rights to revoke; PostgreSQL takes them from the role."""
    statement = (
        f"CREATE TRIGGER {table.name}_no_{change.lower()} BEFORE {change} ON {table.name} {when} "
        f"BEGIN SELECT RAISE(ABORT, '{table.name} is append-only'); END"
    )
    trigger = DDL(statement)  # type: ignore[no-untyped-call]
    event.listen(table, "after_create", trigger.execute_if(dialect="sqlite"))


_APPROVED = "WHEN (SELECT state FROM settlement WHERE number = OLD.settlement) = 'approved'"

for _table in (entry, account, posting, transfer, settlement_line):
    _refuses("UPDATE", _table)
    _refuses("DELETE", _table)
_refuses("UPDATE", settlement_item)
# Only what was prepared and then withdrawn is freed for the next settlement.
_refuses("DELETE", settlement_item, _APPROVED)
_refuses("UPDATE", settlement, "WHEN OLD.state <> 'prepared'")
_refuses("DELETE", settlement)
_refuses("DELETE", quarantine)
_refuses("DELETE", record)
