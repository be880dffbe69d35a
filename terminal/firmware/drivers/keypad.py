"""A keypad of 4 x 4 keys."""

from terminal.firmware.ticks import ticks_diff, ticks_ms

KEYS = "123A456B789C*0#D"
_STEADY_MS = 15


class Keypad:
    """`rows` output pins that drain only (open drain), `columns` input pins with pull-up; from the top and the left.

    A key counts once, when it is down alone and has been for 15 ms. Two keys at once are nobody's wish, and of three
    the pad makes four: nothing counts until all are up again.
    """

    def __init__(self, rows, columns):
        self._rows = rows
        self._columns = columns
        self._seen = self._taken = ""
        self._since = ticks_ms()
        for row in rows:
            row.value(1)

    def key(self):
        """The next key, or None. To be asked all the time."""
        now = ticks_ms()
        down = self._down()
        if down != self._seen:
            self._seen = down
            self._since = now
        if down == self._taken or ticks_diff(now, self._since) < _STEADY_MS:
            return None
        if self._taken and down:
            # From one key to more of them, or to another without letting go in between.
            self._taken = down
            return None
        self._taken = down
        return down if len(down) == 1 else None

    def _down(self):
        """All keys that seem to be down."""
        down = ""
        for y in range(len(self._rows)):
            self._rows[y].value(0)
            for x in range(len(self._columns)):
                if not self._columns[x].value():
                    down += KEYS[y * len(self._columns) + x]
            self._rows[y].value(1)
        return down
