"""Who is logged in on this browser: it begins, goes on, locks after a quarter of an hour, ends with the working day."""

import hashlib
import secrets
from datetime import datetime, timedelta

from flask import g
from flask import session as cookie
from sqlalchemy import delete
from sqlalchemy.orm import Session

from web.accounts import Account, Officer, OfficerSession
from web.site import site

WORKING_DAY = timedelta(hours=10)
IDLE = timedelta(minutes=15)
# Writing down that somebody is still there costs a write in the registry; once a minute is exact enough.
_SEEN_EVERY = timedelta(minutes=1)
_HALF_WAY = timedelta(minutes=5)
_KEY, _HALF, _LANGUAGE = "key", "half", "language"


def officer() -> Officer:
    """Who asks; only in a page that needs somebody to be logged in."""
    found: Officer = g.officer
    return found


def begin(session: Session, account: Account, second_step: bool) -> None:
    """Log in on this browser. Whatever the browser had before is forgotten, so nobody can prepare a session."""
    session.execute(delete(OfficerSession).where(OfficerSession.key_hash == _hash(cookie.get(_KEY, ""))))
    account.language = cookie.get(_LANGUAGE, account.language)
    cookie.clear()
    cookie.permanent = True
    cookie[_KEY] = secrets.token_urlsafe(32)
    cookie[_LANGUAGE] = account.language
    now = site().now()
    begun = OfficerSession(key_hash=_hash(cookie[_KEY]), began_at=now, seen_at=now, second_step=second_step)
    begun.account = account
    session.add(begun)
    g.officer = _officer(begun)


def begin_half(account: Account) -> None:
    """The first step is done, the second is asked for; it opens nothing yet."""
    cookie[_HALF] = {"account": account.id, "at": site().now().isoformat()}


def half(session: Session) -> Account | None:
    """Who did the first step on this browser, a few minutes ago at most."""
    if _HALF not in cookie or site().now() - datetime.fromisoformat(cookie[_HALF]["at"]) > _HALF_WAY:
        return None
    found = session.get(Account, cookie[_HALF]["account"])
    return found if found is not None and found.active else None


def recognise() -> None:
    """Set `g.officer`, and `g.locked` when they were away too long; called before each page."""
    g.officer, g.locked = None, False
    g.language = cookie.get(_LANGUAGE, site().language)
    if _KEY not in cookie:
        return
    now = site().now()
    with site().transaction() as session:
        found = session.get(OfficerSession, _hash(cookie[_KEY]))
        if found is None or not found.account.active:
            cookie.pop(_KEY)
        elif now - found.seen_at >= IDLE or now - found.began_at >= WORKING_DAY:
            session.delete(found)
            cookie.pop(_KEY)
            g.locked = True
        else:
            g.officer = _officer(found)
            if now - found.seen_at >= _SEEN_EVERY:
                found.seen_at = now


def end(session: Session) -> None:
    """Log out: the key in the cookie opens nothing any more, wherever it was copied to."""
    session.execute(delete(OfficerSession).where(OfficerSession.key_hash == _hash(cookie.get(_KEY, ""))))
    language = g.language
    cookie.clear()
    cookie[_LANGUAGE] = language


def speak(session: Session, language: str) -> None:
    """Go on in a language, here and at the next login."""
    cookie[_LANGUAGE] = language
    if g.officer is not None and (account := session.get(Account, g.officer.number)) is not None:
        account.language = language


def _officer(session: OfficerSession) -> Officer:
    account = session.account
    rights = site().rights
    must_enrol = account.needs_second_step(rights) and not session.second_step
    may = rights.of(account.roles)
    return Officer(account.id, account.user_name, account.full_name, account.roles, may, must_enrol)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
