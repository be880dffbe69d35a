"""Statistics as they were published: kept, and never made again with other margins."""

from sqlalchemy import CheckConstraint, Column, Integer, String, Text

from backend.schema.base import Moment, append_only, table

published_statistics = table(
    "published_statistics",
    Column("year", Integer, primary_key=True),
    Column("minimum", Integer, nullable=False, comment="smaller counts are not shown"),
    Column("published_by", String(60), nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("content", Text, nullable=False, comment="the tables, as JSON; what is not shown is not in it"),
    CheckConstraint("minimum >= 2", name="minimum"),
)
append_only(published_statistics)
