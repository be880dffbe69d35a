"""The venue that an account speaks for."""

from typing import Any

from sqlalchemy import Row

from backend.errors import NotFound
from backend.web.config import clearing
from web.login import officer


def own_venue() -> Row[Any]:
    """That of who asks; raises NotFound while nobody said which."""
    with clearing().store.transaction() as tx:
        number = tx.proposals.venue_of(officer().number)
        found = None if number is None else tx.catalogue.venue(number)
    if found is None:
        raise NotFound("no venue", "This account does not speak for a venue yet.")
    return found
