"""Writes the next migration: what lacks between the last version and the tables as they are."""

import sys

from alembic import command
from sqlalchemy import create_engine

from backend.migrations import config


def main(what: str, number: str) -> None:
    """Compare, on an empty database, and write the file."""
    settings = config()
    with create_engine("sqlite://").connect() as connection:
        settings.attributes["connection"] = connection
        # Without its guards: those of the tables that the new step makes have nothing to stand on yet.
        command.upgrade(settings, "head")
        command.revision(settings, what, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
