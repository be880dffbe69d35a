"""Which day it is, and the sealing key of that day. Neither goes back, also not by taking the plug out."""

from card.errors import CardError
from card.sealing import SealingKey
from card.wire import read_uint, uint
from terminal.firmware.errors import FlashError, ListRefused

_FILE = "sealing"
_DAY_S = 86400
# A clock that runs further ahead of what is known needs a sync: a week's holiday with the weekends at both its ends
# passes, and a clock that is wrong dates the taps at most so far ahead at a time, and never past the lease.
MOST_STEP = 10


class Days:
    """A day is the latest of three: the one that was begun here, what the city said last and the days that the terminal
    was on since, and what `board.today()` says, when that can be.

    The file `sealing` holds the last day that was begun, and the sealing key from that day on. `sealing` is None when
    the lease has ended, or the flash lost it: no tap is accepted then.
    """

    def __init__(self, flash, board):
        self._flash = flash
        self._board = board
        self._begun = 0
        self._start = 0  # which day it would have been when the terminal was switched on
        self.sealing = None
        kept = flash.read_checked(_FILE)
        try:
            if kept is None:
                if flash.read(_FILE) is not None:
                    self._keep(0, None)  # what the flash spoilt may be one bit away from what it was
                return
            self._begun = read_uint(kept, 0, 2)
            self.heard(self._begun)
            sealing = SealingKey.from_bytes(kept[2:]) if len(kept) > 2 else None
            if sealing is not None and sealing.day == self._begun:
                self.sealing = sealing  # of another day, it is no file of this terminal
        except (CardError, FlashError):
            pass  # no key: what is there is another file, or the flash takes nothing in its place

    def _days_on(self):
        return self._board.seconds_on() // _DAY_S

    @property
    def today(self):
        known = self._known()
        ahead = self._ahead(known)
        return known + ahead if ahead <= MOST_STEP else known

    @property
    def unsure(self):
        """The clock is so far ahead that only a sync can say who is right; no tap is accepted until then."""
        return self._ahead(self._known()) > MOST_STEP

    def _known(self):
        return max(self._begun, self._start + self._days_on())

    def _ahead(self, known):
        """How far the clock runs ahead; 0 when it stood still, or says a day that is past or beyond the lease."""
        clock = self._board.today()
        if clock is None or self.sealing is None or not known < clock <= self.sealing.last_day:
            return 0
        return clock - known

    def heard(self, day):
        """Something of the city is of this day: today is that day, or later."""
        self._start = max(self._start, day - self._days_on())

    def brought(self, day):
        """Something of the city that may have come before is of this day: the clock is set, unless that is behind."""
        if day >= self._known():
            self._board.set_today(day)
        self.heard(day)

    def renew(self, sealing, day):
        """Seal with the key of a new lease, from today on: it begins on the day that the vault made it, or later.

        A lease counts once, so `day`, which it says, also sets right a clock or a count that ran ahead; the day that
        was begun already stays until that day comes.
        """
        begins = max(self.today, sealing.day)
        if begins > sealing.last_day:
            raise ListRefused("these keys end before today; ask for new ones")
        self._keep(begins, _advanced(sealing, begins))
        self._start = day - self._days_on()
        self._board.set_today(day)

    def begin(self):
        """Forget how the days before today were sealed; the day. Raises FlashError; then no tap may be accepted."""
        day, sealing = self.today, self.sealing
        if sealing is not None and day != sealing.day:
            self._keep(day, _advanced(sealing, day) if day <= sealing.last_day else None)
        return day

    def _keep(self, day, sealing):
        self._flash.replace_checked(_FILE, uint(day, 2) + (sealing.to_bytes() if sealing else b""))
        self.sealing = sealing
        self._begun = day
        self.heard(day)


def _advanced(sealing, day):
    """A copy: the one in use stays what is on flash until the new one is there."""
    ahead = SealingKey.from_bytes(sealing.to_bytes())
    ahead.advance(day)
    return ahead
