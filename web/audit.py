"""The audit log from a page: who and where from are known, the page says what."""

from flask import g, request
from sqlalchemy.orm import Session

from web import audit_log
from web.site import site

NOBODY = "-"


def actor() -> str:
    """Who asks, by user name."""
    return g.officer.user_name if g.get("officer") else NOBODY


def audit(session: Session, action: str, about: str, result: str = "done") -> None:
    """Write down a change in its own transaction. `about` is a number or a code (`person 12`, `pass K7QW-M2XP`)."""
    audit_log.add(session, site().now(), actor(), request.remote_addr or NOBODY, action, about, result)
