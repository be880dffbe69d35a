"""The venue that an account speaks for."""

from typing import Any

from sqlalchemy import Row

from backend.errors import NotFound
from backend.staff import venue_of
from backend.web.config import clearing
from web.login import officer
from web.site import site


def own_venue() -> Row[Any]:
    """That of who asks; raises NotFound while nobody said which."""
    with site().transaction() as session:
        number = venue_of(session, officer().number)
    with clearing().store.reading() as tx:
        found = None if number is None else tx.catalogue.venue(number)
    if found is None:
        raise NotFound("no venue", "This account does not speak for a venue yet.")
    return found
