"""Writes the next migration: what lacks between the last version and the tables as they are."""

import sys

from alembic import command
from sqlalchemy import create_engine

from backend.staff.migrations import config, upgrade


def main(what: str, number: str) -> None:
    """Compare, on an empty database, and write the file."""
    engine = create_engine("sqlite://")
    upgrade(engine)
    settings = config()
    with engine.connect() as connection:
        settings.attributes["connection"] = connection
        command.revision(settings, what, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
