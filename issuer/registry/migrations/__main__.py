"""Writes the next migration: what lacks between the last version and the tables as they are."""

import sys

from alembic import command
from sqlalchemy import create_engine

from issuer.registry.migrations import config, upgrade

engine = create_engine("sqlite://")
upgrade(engine)
settings = config()
with engine.connect() as connection:
    settings.attributes["connection"] = connection
    command.revision(settings, sys.argv[1], autogenerate=True, rev_id=sys.argv[2])
