"""Who is logged in on this browser: it begins, goes on, locks after a quarter of an hour, ends with the working day."""

import hashlib
import secrets
from datetime import timedelta

from flask import g
from flask import session as cookie
from sqlalchemy import delete
from sqlalchemy.orm import Session

from issuer.web.accounts import Account, Officer, OfficerSession
from issuer.web.config import here

WORKING_DAY = timedelta(hours=10)
IDLE = timedelta(minutes=15)
# Writing down that somebody is still there costs a write in the registry; once a minute is exact enough.
_SEEN_EVERY = timedelta(minutes=1)
_KEY = "key"


def officer() -> Officer:
    """Who asks; only in a page that needs somebody to be logged in."""
    found: Officer = g.officer
    return found


def begin(session: Session, account: Account) -> None:
    """Log in on this browser. Whatever the browser had before is forgotten, so nobody can prepare a session."""
    if _KEY in cookie:
        session.execute(delete(OfficerSession).where(OfficerSession.key_hash == _hash(cookie[_KEY])))
    cookie.clear()
    cookie.permanent = True
    cookie[_KEY] = secrets.token_urlsafe(32)
    now = here().now()
    session.add(OfficerSession(key_hash=_hash(cookie[_KEY]), account_id=account.id, began_at=now, seen_at=now))


def recognise() -> None:
    """Set `g.officer`, and `g.locked` when they were away too long; called before each page."""
    g.officer, g.locked = None, False
    g.language = cookie.get("language", here().language)
    if _KEY not in cookie:
        return
    now = here().now()
    with here().registry.transaction() as session:
        found = session.get(OfficerSession, _hash(cookie[_KEY]))
        if found is None or not found.account.active or now - found.began_at >= WORKING_DAY:
            cookie.pop(_KEY)
            return
        if now - found.seen_at >= IDLE:
            session.delete(found)
            cookie.pop(_KEY)
            g.locked = True
            return
        if now - found.seen_at >= _SEEN_EVERY:
            found.seen_at = now
        account = found.account
        g.officer = Officer(account.id, account.user_name, account.full_name, account.roles)


def end(session: Session) -> None:
    """Log out: the key in the cookie opens nothing any more, wherever it was copied to."""
    session.execute(delete(OfficerSession).where(OfficerSession.key_hash == _hash(cookie.get(_KEY, ""))))
    cookie.clear()


def end_all(session: Session, account: Account) -> None:
    """End every login of an officer, on all browsers."""
    session.execute(delete(OfficerSession).where(OfficerSession.account_id == account.id))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
