"""Who works with clearing: the accounts and the log of `web`, and for which venue an account of a venue speaks.

These are officials and people of venues, who answer for what they do; nobody here holds a pass.
"""

from sqlalchemy import Column, ForeignKey, Integer

from backend.roles import ROLES
from backend.schema.base import metadata, number, table
from web.schema import add_tables

add_tables(metadata, ROLES)

officer_venue = table(
    "officer_venue",
    Column("account", Integer, ForeignKey("officer_account.id"), primary_key=True),
    number("venue", ForeignKey("venue.number"), nullable=False, index=True),
)
