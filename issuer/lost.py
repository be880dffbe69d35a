"""A lost pass, blocked by its holder or by a parent: with the code on its face and the holder's date of birth.

Who finds a pass has the code and not the date. A wrong code and a wrong date get one answer, after one and the same
question to the database, so that nobody learns which codes there are; and nobody may be wrong often.
"""

import ipaddress
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.errors import DeskError
from issuer.lifecycle import FOLLOWS
from issuer.printed_code import as_printed
from issuer.registry import passes
from issuer.registry.tables import CardPass, Holder
from web import audit_log

BY = "holder"
# With its holder, or it has been. A pass that is still being made cannot be lost; later it would work all the same.
_CAN_BE_LOST = ("encoded", "handed_over", "active", "blocked", "replaced", "expired", "destroyed")
_PER_CODE, _CODE_PERIOD = 10, timedelta(days=1)
_PER_ORIGIN, _ORIGIN_PERIOD = 20, timedelta(hours=1)
_MOST_KEYS = 100_000
# Whoever has one IPv6 address has all that begin with the same 64 bits.
_ONE_NETWORK = 64


class NoSuchPass(DeskError):
    """Code and date of birth do not belong together, or there is no such code; nobody is told which."""

    def __init__(self) -> None:
        super().__init__("No pass has this code and this date of birth. Look at both again, or call the desk.")


class TooOften(DeskError):
    """Wrong so often that it has to wait, whoever it is."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("This was tried too often. Try again later, or call the desk.")
        self.wait = wait


def block_by_holder(session: Session, code: str, born: date, at: datetime) -> None:
    """See to it that nobody can spend what is on a pass, from the next sync of each terminal on.

    A pass that no terminal takes any more is left as it is. Raises NoSuchPass.
    """
    wanted = (
        select(CardPass)
        .join(CardPass.holder)
        .where(CardPass.printed_code == as_printed(code), Holder.born == born, CardPass.state.in_(_CAN_BE_LOST))
    )
    card = session.scalar(wanted)
    if card is None:
        raise NoSuchPass
    if "blocked" in FOLLOWS[card.state]:
        passes.move(session, card, "blocked", BY, at, "lost")
        # No origin: where somebody is at home is not ours to keep.
        audit_log.add(session, at, BY, "-", "block", f"pass {card.printed_code}", "done")


class Tries:
    """Lets each key (a code, an origin) be wrong `most` times in a period.

    In the memory of this process: nothing of a try is written down.
    """

    def __init__(self, most: int, period: timedelta, now: Callable[[], datetime]) -> None:
        self._most, self._period, self._now = most, period, now
        # The end of its period and what was used, the one that ends first in front.
        self._used: dict[str, tuple[datetime, int]] = {}
        self._lock = threading.Lock()

    def take(self, key: str) -> None:
        """Use one; raises TooOften when there is none left."""
        with self._lock:
            now = self._now()
            self._forget(now)
            until, used = self._used.get(key, (now + self._period, 0))
            if used >= self._most:
                raise TooOften(until - now)
            self._used[key] = until, used + 1

    def give_back(self, key: str) -> None:
        """It was not wrong."""
        with self._lock:
            until, used = self._used.get(key, (self._now(), 0))
            if used:
                self._used[key] = until, used - 1

    def _forget(self, now: datetime) -> None:
        while self._used:
            first, (until, _) = next(iter(self._used.items()))
            if until > now and len(self._used) < _MOST_KEYS:
                return
            del self._used[first]


class Guard:
    """How often somebody may be wrong about a lost pass; one for all who ask a server."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._by_code = Tries(_PER_CODE, _CODE_PERIOD, now)
        self._by_origin = Tries(_PER_ORIGIN, _ORIGIN_PERIOD, now)

    @contextmanager
    def one_try(self, code: str, origin: str) -> Iterator[None]:
        """What is done within counts as one try, unless it ends well. Raises TooOften.

        `origin` is the address that somebody asks from. Codes that are not there count too, or it would show.
        """
        code, origin = as_printed(code), _network(origin)
        self._by_origin.take(origin)
        self._by_code.take(code)
        yield
        self._by_code.give_back(code)
        self._by_origin.give_back(origin)


def _network(origin: str) -> str:
    try:
        address = ipaddress.ip_address(origin)
    except ValueError:
        return origin
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address), _ONE_NETWORK), strict=False))
