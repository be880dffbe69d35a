"""The audit log around work of clearing, whose services have transactions of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

from backend.errors import LedgerError, LinkError
from web.audit import audit
from web.site import site


@contextmanager
def acting(action: str, about: str) -> Iterator[None]:
    """A line before the work and one after it, so that no work is without one, whenever the machine stops."""
    _write(action, about, "asked")
    try:
        yield
    except (LedgerError, LinkError):
        _write(action, about, "refused")
        raise
    _write(action, about, "done")


def _write(action: str, about: str, result: str) -> None:
    with site().transaction() as session:
        audit(session, action, about, result)
