"""The tables of who works here: those that every app with officers has, and the venue that an account speaks for."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, Table

from backend.roles import ROLES
from web.schema import add_tables

metadata = MetaData()
add_tables(metadata, ROLES)
speaks = Table(
    "account_venue",
    metadata,
    Column("account", Integer, ForeignKey("account.id"), primary_key=True),
    Column("venue", BigInteger, nullable=False, index=True),
)
