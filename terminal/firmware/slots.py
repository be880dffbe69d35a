"""The two slots for firmware on the flash, and what is known of them.

In `slots` stand the folders `a` and `b`, and files that each name a slot and its version: `good` came up and counts,
`trial` is to be tried at the next start, `tried` runs for the first time, `failed` did not come up. Only `boot` starts
a slot, and turns `trial` into `tried` before it does, and `tried` into `failed` when it comes back without a mark.
"""

from terminal.firmware import VERSION
from terminal.firmware.errors import ListRefused, ReaderError


class Slots:
    """`restart`: a new version waits to be tried."""

    def __init__(self, flash):
        self._flash = flash
        self._good = _marked(flash, "good")
        self._tried = _marked(flash, "tried")
        self.restart = False

    @property
    def on_trial(self):
        """Whether this start decides if what runs is kept."""
        return self._tried is not None

    def facts(self):
        """What HELLO says: the slot that runs, whether it is tried, and which version failed."""
        failed = _marked(self._flash, "failed")
        running = self._tried or self._good
        return {
            "slot": running[0] if running else None,
            "trial": self.on_trial,
            "failed": failed[1] if failed else None,
        }

    def came_up(self):
        """What is tried works: from now on it is the one to come back to."""
        self._mark("good", self._tried)
        self._good, self._tried = self._tried, None
        for name in ("slots/tried", "slots/failed", "error"):
            self._flash.remove(name)

    def take(self, path, releases):
        """Unpack the package at `path` for the next start; raises ListRefused, and then nothing changed.

        `releases`: what the lease of each municipality approves. All must agree: this firmware sees the keys of all.
        """
        if self.on_trial:
            raise ListRefused("version %d is still being tried here; bring the reader to work first" % VERSION)
        if self._good is None:
            raise ListRefused("the flash of this terminal lost which firmware is good; put it on anew over its cable")
        if not releases or None in releases:
            raise ListRefused("no firmware was approved for this terminal yet; sync it first")
        from terminal.firmware.update import unpack

        slot = "b" if self._good[0] == "a" else "a"
        version = unpack(self._flash, path, releases, "slots/" + slot)
        self._mark("trial", (slot, version))
        self.restart = True

    def _mark(self, name, marked):
        self._flash.replace("slots/" + name, ("%s %d" % marked).encode())


def came_up(device):
    """Whether all works: the reader answers, and what is on the flash opened. Decides if new firmware is kept."""
    try:
        device.board.reader.find_pass()
    except ReaderError:
        return False
    return all([_opened(book) for book in device.books])


def _opened(book):
    if book.keys is None:
        return book.flash.size("keys") is None
    if book.journal is None:
        return False
    lists = (("bundle", book.till.bundle), ("hotlist", book.till.hotlist))
    return all([held is not None or book.flash.size(name) is None for name, held in lists])


def _marked(flash, name):
    """`(slot, version)` in a mark, or None when there is none, or the flash spoilt it."""
    try:
        slot, version = (flash.read("slots/" + name) or b"").decode().split()
        return slot, int(version)
    except ValueError:
        return None
