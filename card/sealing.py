"""The sealing key of a terminal or desk: it moves one way, a step a day, so a stolen terminal cannot open its past.

The vault starts a new chain for each terminal in each calendar year, and gives a terminal its chains up to the last day
that it may work without a sync; after that day the terminal stops.
"""

from card.cmac import cmac
from card.errors import OutOfRange
from card.siv import Siv
from card.wire import exactly, read_uint, uint

_CHAIN_BYTES = 20
# A year's end at most lies between two syncs; a third chain would be a mistake.
MOST_CHAINS = 2


def first_state_input(terminal, year):
    """What the vault's sealing key of a year is asked to MAC for a terminal's state on the first of January."""
    return b"meedoen seal" + uint(terminal, 4) + uint(year, 2)


class SealingKey:
    """`chains`: `[(state, day, last_day)]`, 16 bytes and two day numbers each, one after the other.

    `day` is the day that it stands at; `key()` seals its records, `mark_key()` marks them in a terminal's journal.
    """

    def __init__(self, chains):
        if not 1 <= len(chains) <= MOST_CHAINS:
            raise OutOfRange("a sealing key has 1 to %d chains, not %d" % (MOST_CHAINS, len(chains)))
        begins = chains[0][1]
        for state, day, last_day in chains:
            exactly(state, 16, "sealing state")
            if not day <= last_day:
                raise OutOfRange("a sealing chain ends before it begins")
            if day != begins:
                raise OutOfRange("a sealing chain does not begin on the day after the one before it")
            begins = last_day + 1
        self._chains = list(chains)
        self._siv = None

    @property
    def day(self):
        return self._chains[0][1]

    @property
    def last_day(self):
        """The last day this key reaches."""
        return self._chains[-1][2]

    def advance(self, day):
        """Forget every day before `day`. Refuses to go back, or to a day it does not reach; then nothing changes."""
        ahead = [chain for chain in self._chains if chain[2] >= day]
        if not ahead or ahead[0][1] > day:
            raise OutOfRange("sealing key of day %d cannot serve day %d" % (self.day, day))
        state, at, last_day = ahead[0]
        while at < day:
            state = cmac(state, b"next day")
            at += 1
        ahead[0] = (state, at, last_day)
        self._chains = ahead
        self._siv = None

    def key(self):
        """The 32-byte AES-SIV key of the day."""
        state = self._chains[0][0]
        return cmac(state, b"seal 1") + cmac(state, b"seal 2")

    def mark_key(self):
        """The 16-byte key of the marks by which a terminal knows the passes of the day again."""
        return cmac(self._chains[0][0], b"mark")

    def siv(self):
        """The Siv of the day's key, made once and kept until the key moves on."""
        if self._siv is None:
            self._siv = Siv(self.key())
        return self._siv

    def to_bytes(self):
        """20 bytes for each chain."""
        return b"".join([state + uint(day, 2) + uint(last_day, 2) for state, day, last_day in self._chains])

    @classmethod
    def from_bytes(cls, data):
        """Raises OutOfRange for anything that is not 1 or 2 chains."""
        if len(data) % _CHAIN_BYTES:
            raise OutOfRange("%d bytes are not a sealing key" % len(data))
        chains = []
        for at in range(0, len(data), _CHAIN_BYTES):
            chains.append((data[at : at + 16], read_uint(data, at + 16, 2), read_uint(data, at + 18, 2)))
        return cls(chains)
