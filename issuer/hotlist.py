"""The list of blocked passes for terminals, sealed: anybody may carry it, and nobody but a terminal can read it.

A terminal refuses a list with a lower version than that of the one it has. The version rises within the day too, so the
list of this morning, brought once more, does not open a pass that was blocked since.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.orm import Session

from card.siv import siv_encrypt
from card.wire import uint
from issuer.days import day_number
from issuer.errors import DeskError
from issuer.registry import passes

_ENTRY_BYTES = 8
_CHANGES_A_DAY = 1 << 16


def version(session: Session, on: date) -> int:
    """The version of the list of a day: the day, times 65536, and a count of what changed the list since.

    Two lists with the same version block the same passes. Read it before the list: a change that comes between the two
    is then on a list that counts as older, and never missing on one that counts as newer.
    """
    # Since the day before in UTC: the municipality's own day may begin in it. More changes than a day has numbers for
    # run into the next one, and are counted there again.
    since = datetime.combine(on - timedelta(days=1), time(), UTC)
    return day_number(on) * _CHANGES_A_DAY + passes.hotlist_changes(session, since)


def sealed(session: Session, on: date, number: int, key: bytes) -> bytes:
    """The list of a day with `number` for its version."""
    entries = sorted(handle[:_ENTRY_BYTES] for handle in passes.handles_on_hotlist(session, on))
    if entries:
        _refuse_false_alarms(entries, passes.handles_off_hotlist(session))
    head = uint(number, 4)
    plain = head + uint(day_number(on), 2) + uint(len(entries), 4) + b"".join(entries)
    content: bytes = head + siv_encrypt(key, [b"hotlist" + head], plain)
    return content


def _refuse_false_alarms(entries: Sequence[bytes], handles: Sequence[bytes]) -> None:
    if not set(entries).isdisjoint(handle[:_ENTRY_BYTES] for handle in handles):
        raise DeskError("A pass that is not blocked looks like a blocked one; replace it before the next list.")
