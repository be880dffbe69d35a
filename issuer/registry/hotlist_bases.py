"""The base of the list of blocked passes that terminals have: the last one that was made."""

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from issuer.errors import DeskError
from issuer.registry.tables import HotlistBase

# What every list asks is put into words once.
_LATEST = select(HotlistBase.content).order_by(HotlistBase.version.desc()).limit(1)


def latest(session: Session) -> bytes | None:
    """The last one that was made."""
    return session.scalar(_LATEST)


def next_version(session: Session, version: int) -> int:
    """This version for the next one, or a higher one: no two have the same, so that it tells them apart."""
    last = session.scalar(select(func.max(HotlistBase.version)))
    return version if last is None else max(version, last + 1)


def keep(session: Session, version: int, content: bytes) -> None:
    """In place of the last one. Raises DeskError when another desk made one of this version in the meantime."""
    session.execute(delete(HotlistBase).where(HotlistBase.version < version))
    session.add(HotlistBase(version=version, content=content))
    try:
        session.flush()
    except IntegrityError:
        raise DeskError("Another desk makes the list at this moment. Try again.") from None
