"""A terminal at a venue: the firmware on this Python, with flash that wears, a clock that jumps and a plug to pull."""

from pathlib import Path
from typing import TYPE_CHECKING

from keys.hand_out import device_keys
from keys.register import Terminal as KnownTerminal
from terminal.errors import BackendUnreachable, NoHotlist, NoOffers, TerminalError
from terminal.firmware.app import WORKING
from terminal.firmware.days import MOST_STEP
from terminal.host import Backend, DirectLink, enrol, provision, sync
from tests.city import A_WHILE_S, PcTerminal
from tests.simulation.chips import WatchedPass
from tests.simulation.offers import Venue
from tests.twin.nor_flash import NorFlash, PowerCut

if TYPE_CHECKING:
    from tests.simulation.city import City


class Killed(BaseException):
    """The process of clearing is gone; nothing in it may catch this."""


BACKEND_URL = "http://clearing.internal"
LISTS_LAST = LEASE_LASTS = 30
# What the screen says when there is no power.
DARK = "dark"


class Place(PcTerminal):
    """`brought_on`: the day of the last whole sync; `blocked` are the passes on the list of then.

    `maybe_blocked` has also those of a sync that stopped halfway, and that had ended by then. `spoilt`: its flash lost
    something, or its owner did.
    """

    def __init__(self, city: "City", venue: Venue, number: int) -> None:
        self.city, self.venue = city, venue
        self.skew = 0
        self.booted_on = city.day
        self.brought_on = -1
        self.blocked: set[bytes] = set()
        self.maybe_blocked: set[bytes] = set()
        self.spoilt: set[str] = set()
        self.stolen = False
        flash = Path(city.folder) / f"terminal-{number}"
        super().__init__(flash, number, provision=False, vault=city.vault, random=city.chance, storage=NorFlash(64))
        self._provision()
        self.sync()

    def _provision(self) -> None:
        link, vault = DirectLink(self.device), self.city.vault
        vault.register.terminals[str(self.terminal)] = KnownTerminal(enrol(link))
        provision(link, device_keys(vault, self.terminal), vault.lease(self.terminal, 0))

    # Time

    def begin(self) -> None:
        """It is today, as far as its clock goes right."""
        self.days_on = self.city.day - self.booted_on
        self.clock = self.city.day + self.skew

    def boot(self) -> None:
        """Switch on, with the flash as it is, and open the shift."""
        self.booted_on, self.days_on, self.seconds = self.city.day, 0, 0
        self.clock = self.city.day + self.skew
        super().boot()

    # A guest

    def choose(self, keys: str) -> None:
        """A while after the guest before; staff choose an offer, or to put a tap back."""
        self.begin()
        self.seconds += A_WHILE_S
        self.press(keys)

    def offers_something(self) -> bool:
        """Whether the reader is on, for a pass."""
        return self.device.state in ("armed", "reversing")

    def code_for(self, card: WatchedPass, cut: int = -1) -> str:
        """Hold a pass; what the screen says. `cut`: after so many bytes of flash the plug is pulled.

        It may be pulled when the result was on the screen already: then everybody saw that.
        """
        self.storage.steps_left = cut if cut >= 0 else None
        try:
            return self.hold(card)[1]
        except PowerCut:
            self.reader.remove()
            state, code = self.screen[:2]
            if state != "showing":
                return DARK
            self.storage.steps_left = None
            self.boot()
            return code
        finally:
            self.storage.steps_left = None

    def put_away(self) -> None:
        """Whatever is on the screen, the next guest can be served."""
        self.press("*")
        while self.device.state in WORKING:
            self.device.turn()

    # Its host

    def sync(self) -> str:
        """Hand in and bring the lists; "" or what went wrong."""
        self.begin()
        blocked, maybe = self._on_the_list(), set(self.city.blocked)
        try:
            hotlist = self.city.desk.hotlist(self.city.today)
            report = sync(DirectLink(self.device), Backend(BACKEND_URL, self.city.network), hotlist)
        except NoOffers as error:
            # The list of blocked passes came all the same.
            self.blocked, self.maybe_blocked = blocked, maybe
            return str(error)
        except (TerminalError, BackendUnreachable, NoHotlist, Killed) as error:
            self.blocked, self.maybe_blocked = self.blocked & blocked, self.maybe_blocked | maybe
            return str(error)
        self.blocked, self.maybe_blocked = blocked, maybe
        if report.warning:  # the vault is down: the keys are those of before
            return str(report.warning)
        self.brought_on = self.city.day
        self.skew = 0
        return ""

    def _on_the_list(self) -> set[bytes]:
        """What a list of today must name: it may leave out passes that have ended, and those may be renewed later."""
        return {
            card.memory.picc.uid
            for card in self.city.cards()
            if card.memory.picc.uid in self.city.blocked and card.valid[1] >= self.city.day
        }

    @property
    def lists_may_be_old(self) -> bool:
        """Whether it has a reason to ask for a sync: its lists or keys end, or its clock runs far ahead."""
        age = self.city.day + max(self.skew, 0) - self.brought_on
        return self.brought_on < 0 or age > MOST_STEP or bool(self.skew) or bool(self.spoilt)

    @property
    def lists_are_old(self) -> bool:
        """Whether nothing that was brought counts any more, whatever its clock says."""
        return self.city.day - self.brought_on > LISTS_LAST and not self.skew
