"""Settlements: what is in them, what each venue is paid, and who said so."""

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, String

from backend.schema.base import Moment, append_only, final, number, refers, table, unique

settlement = table(
    "settlement",
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
    settlement.c.municipality,
    settlement.c.state,
    unique=True,
    sqlite_where=settlement.c.state == "prepared",
    postgresql_where=settlement.c.state == "prepared",
)

settlement_item = table(
    "settlement_item",
    Column("posting", Integer, primary_key=True, comment="so each is settled at most once"),
    Column("settlement", String(12), nullable=False, index=True),
    refers("posting", "posting", "id"),
    refers("settlement", "settlement", "number"),
)

settlement_line = table(
    "settlement_line",
    Column("settlement", String(12), primary_key=True),
    number("venue", primary_key=True),
    Column("name", String(70), nullable=False),
    Column("iban", String(34), nullable=False),
    Column("bic", String(11)),
    number("opening", nullable=False, comment="cents owed from before: carried over, or paid and come back"),
    number("earned", nullable=False, comment="cents; reversals of an earlier period can bring it below zero"),
    number("paid", nullable=False),
    number("carried", nullable=False),
    Column("end_to_end_id", String(35), nullable=False),
    CheckConstraint("opening + earned = paid + carried", name="adds_up"),
    CheckConstraint("paid >= 0 AND (paid = 0 OR carried = 0)", name="signs"),
    refers("settlement", "settlement", "number"),
    refers("venue", "venue", "number"),
    unique("end_to_end_id"),
)

append_only(settlement, changing=("state", "approved_by", "approved_at", "execution_on"))
final(settlement, "UPDATE", "OLD.state <> 'prepared'")
append_only(settlement_line)
# Only what was prepared and then withdrawn is freed for the next settlement.
append_only(settlement_item, removable=True)
final(settlement_item, "DELETE", "(SELECT state FROM settlement WHERE number = OLD.settlement) = 'approved'")
