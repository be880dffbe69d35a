"""The sealing key of a terminal or desk: it moves one way, a step a day, so a stolen terminal cannot open its past.

The vault starts a new chain for each period of days; a terminal that was not renewed by then stops.
"""

from card.cmac import cmac
from card.errors import OutOfRange
from card.wire import exactly, uint

PERIOD_DAYS = 512


def first_state(sealing_root, terminal, period):
    """The state of a terminal on the first day of a period; only the vault can make it."""
    return cmac(sealing_root, b"meedoen seal" + uint(terminal, 4) + uint(period, 2))


class SealingKey:
    """`state` (16 bytes) is good for `day`; `key()` seals that day's records."""

    def __init__(self, state, day):
        self.state = exactly(state, 16, "sealing state")
        self.day = day

    def last_day(self):
        """The last day this chain reaches."""
        return self.day - self.day % PERIOD_DAYS + PERIOD_DAYS - 1

    def advance(self, day):
        """Forget every day before `day`. Refuses to go back, or past the end of the period; then nothing changes."""
        if not self.day <= day <= self.last_day():
            raise OutOfRange("sealing key of day %d cannot serve day %d" % (self.day, day))
        while self.day < day:
            self.state = cmac(self.state, b"next day")
            self.day += 1

    def key(self):
        """The 32-byte AES-SIV key of the day."""
        return cmac(self.state, b"seal 1") + cmac(self.state, b"seal 2")


def sealing_key(sealing_root, terminal, day):
    """A terminal's SealingKey on a day, from the root."""
    period = day // PERIOD_DAYS
    key = SealingKey(first_state(sealing_root, terminal, period), period * PERIOD_DAYS)
    key.advance(day)
    return key
