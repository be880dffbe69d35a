"""Which day it is, and the sealing key of that day. Neither goes back, also not by taking the plug out."""

from card.sealing import SealingKey
from card.wire import read_uint, uint
from terminal.firmware.errors import ListRefused

_FILE = "sealing"


class Days:
    """A terminal has no calendar: it knows the days that its host brought, and counts `days_on()` since it was started.

    The file `sealing` holds the last day that was begun, and the sealing key from that day on. `sealing` is None when
    the lease has ended, or the flash lost it: no tap is accepted then.
    """

    def __init__(self, flash, days_on):
        self._flash = flash
        self._days_on = days_on
        self._start = 0
        self.sealing = None
        kept = flash.read_checked(_FILE)
        if kept is None:
            if flash.read(_FILE) is not None:
                self._keep(0, None)  # what the flash spoilt may be one bit away from what it was
            return
        self.heard(read_uint(kept, 0, 2))
        if len(kept) > 2:
            self.sealing = SealingKey.from_bytes(kept[2:])

    @property
    def today(self):
        return self._start + self._days_on()

    def heard(self, day):
        """Something is of this day: today is that day, or later."""
        self._start = max(self._start, day - self._days_on())

    def begin(self):
        """Forget how the days before today were sealed. Raises FlashError; then no tap may be accepted."""
        day, sealing = self.today, self.sealing
        if sealing is None or day == sealing.day:
            return
        self._keep(day, _advanced(sealing, day) if day <= sealing.last_day else None)

    def renew(self, sealing):
        """Seal with the key of a new lease, from today on: it begins on the day that the vault made it, or later."""
        day = max(self.today, sealing.day)
        if day > sealing.last_day:
            raise ListRefused("these keys end before today; ask for new ones")
        self._keep(day, _advanced(sealing, day))

    def _keep(self, day, sealing):
        self._flash.replace_checked(_FILE, uint(day, 2) + (sealing.to_bytes() if sealing else b""))
        self.sealing = sealing
        self.heard(day)


def _advanced(sealing, day):
    """A copy: the one in use stays what is on flash until the new one is there."""
    ahead = SealingKey.from_bytes(sealing.to_bytes())
    ahead.advance(day)
    return ahead
