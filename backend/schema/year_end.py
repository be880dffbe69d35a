"""The end of a pass year: what two people decided to let lapse or to give back, and the postings that came of it."""

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, String

from backend.schema.base import Moment, append_only, final, number, refers, table
from backend.schema.books import UNITS

year_closing = table(
    "year_closing",
    Column("id", Integer, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("until", Date, nullable=False, comment="last day of the pass year"),
    Column("purse", Integer, nullable=False),
    Column("unit", String(5), nullable=False),
    number("most", nullable=False, comment="what was left when it was proposed"),
    number("amount", nullable=False, comment="what was decided; never above `most`"),
    Column("state", String(9), nullable=False),
    Column("proposed_by", String(60), nullable=False),
    Column("proposed_at", Moment, nullable=False),
    Column("decided_by", String(60)),
    Column("decided_at", Moment),
    CheckConstraint("kind IN ('lapse', 'restore')", name="kind"),
    CheckConstraint(f"unit IN {UNITS}", name="unit"),
    CheckConstraint("amount BETWEEN 1 AND most", name="amount"),
    CheckConstraint("state IN ('proposed', 'decided', 'withdrawn')", name="state"),
    CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided"),
    CheckConstraint("state <> 'decided' OR lower(decided_by) <> lower(proposed_by)", name="two_people"),
)
Index(
    "ix_year_closing_once",
    year_closing.c.municipality,
    year_closing.c.until,
    year_closing.c.purse,
    unique=True,
    sqlite_where=(year_closing.c.kind == "lapse") & (year_closing.c.state != "withdrawn"),
    postgresql_where=(year_closing.c.kind == "lapse") & (year_closing.c.state != "withdrawn"),
)
append_only(year_closing, changing=("state", "decided_by", "decided_at"))
final(year_closing, "UPDATE", "OLD.state <> 'proposed'")

lapse = table(
    "lapse",
    Column("posting", Integer, primary_key=True),
    Column("closing", Integer, nullable=False, index=True),
    Column("cause", Integer, comment="the posting of late taps or reversals that corrected it; none: the decision"),
    refers("posting", "posting", "id"),
    refers("closing", "year_closing", "id"),
    refers("cause", "posting", "id"),
)
append_only(lapse)
