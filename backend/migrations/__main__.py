"""Writes the next migration: what lacks between the last version and the tables as they are."""

import sys

from alembic import command
from sqlalchemy import create_engine

from backend.migrations import config


def main(what: str, number: str) -> None:
    """Compare, on an empty database, and write the file."""
    settings = config()
    with create_engine("sqlite://").begin() as connection:
        settings.attributes["connection"] = connection
        # Without guards: they are of the tables as they will be.
        command.upgrade(settings, "head")
        command.revision(settings, what, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
