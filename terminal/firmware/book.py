"""One municipality on a terminal: a folder of its own on the flash, with its keys, days, lists and journal.

Nothing of one book is ever used for another: each is opened, filled and emptied by its own municipality alone.
"""

from card.batch import chain_key
from card.commands import SelectApplication
from card.errors import CardError, NoSuchApplication
from card.session import Session
from terminal.firmware.days import Days
from terminal.firmware.errors import FlashError, ListRefused, PassGone
from terminal.firmware.hotlist import open_hotlist
from terminal.firmware.journal import Journal
from terminal.firmware.keys import Keys
from terminal.firmware.lists import open_bundle
from terminal.firmware.results import (
    AGAIN,
    LIST_TOO_OLD,
    NOT_A_PASS,
    OTHER_MUNICIPALITY,
    TERMINAL_FULL,
    WRONG_VENUE,
    Result,
)
from terminal.firmware.till import Till

_MOST_ENTRIES = 8  # a batch is built in one piece of memory, of which a small heap has few: 8 entries are 1 KB


class Book:
    """`flash` is the Flash of its folder; `identity` and `board` are the device's. `issuer`: the municipality.

    `slot`: which part of the raw flash its journal has, for as long as it is on this terminal. `keys`, `till` and
    `journal` are None until the first lease came.
    """

    def __init__(self, issuer, slot, flash, identity, board):
        self.issuer = issuer
        self.slot = slot
        self.flash = flash
        self.identity = identity
        self._board = board
        self.days = Days(flash, board)
        self._day = None
        # What the next bundle has to answer: the backend's, to the last thing that was said to it.
        self.nonce = None
        self.keys = Keys.kept(flash)
        self.journal, self.till = self._open_till()
        self._finish_lease()

    @property
    def bundle(self):
        """The Bundle, or None when none came yet."""
        return self.till.bundle if self.till is not None else None

    # Switching on

    def _open_till(self):
        """The journal, and the till with the lists that are on flash; None and None while there are no keys."""
        keys = self.keys
        if keys is None:
            return None, None
        self.days.heard(keys.day)
        try:
            journal = Journal(self._board.storage(self.slot), chain_key(keys.link_key))
        except FlashError:
            return None, None  # it can be read at another start, or never
        till = Till(keys, self.days, journal, self._board.random)
        self._take_lists(till)
        return journal, till

    def _finish_lease(self):
        from terminal.firmware.enrolment import Enrolment

        if self.keys is not None and self.keys.device == self.identity.device:
            Enrolment(self.flash, self.identity.number).finish(self.keys)

    def _take_lists(self, till, bundle=None):
        """A list that the flash spoilt counts as not there: the till asks for a sync."""
        if bundle is None:
            bundle = self._kept_bundle()
        if till.hotlist is not None:
            till.hotlist.close()
        hotlist = open_hotlist(self.flash.folder, self.keys.hotlist_keys)
        if bundle is not None:
            self.days.heard(bundle.day)
            till.journal.backend_holds(bundle.held)
        till.lists_changed(bundle, hotlist)

    def _kept_bundle(self):
        """One that came before the keys changed opens with the key before."""
        content = self.flash.read("bundle")
        for key in self.keys.link_keys if content is not None else ():
            try:
                return self.open_bundle(content, key)
            except ListRefused:
                pass
        return None

    # What its host asks for, again and again

    def batch(self, first):
        """Entries of the journal from a position on, sealed for the backend."""
        self.require_keys()
        return self.journal.batch(self.keys.link_key, self.keys.terminal, first, _MOST_ENTRIES)

    def require_keys(self):
        if self.till is None:
            if self.keys is not None:
                raise ListRefused("this terminal cannot read its journal; switch it off and on")
            raise ListRefused("this terminal has no keys yet; provision it first")

    # What changes while it is on: see terminal.firmware.intake

    def open_bundle(self, content, link_key):
        return open_bundle(content, link_key, self.keys.terminal)

    def use_lists(self, bundle):
        """There are others on flash from now on. `bundle` is the one there when it is open: a second takes its room."""
        self._take_lists(self.till, bundle)
        self.days.begin()

    def use_keys(self, keys):
        """Work with these keys from now on; the journal and the lists go on as they are."""
        self.keys = keys
        if self.till is None:
            self.journal, self.till = self._open_till()
        else:
            self.journal.chain_with(chain_key(keys.link_key))
            self.till.keys_changed(keys)

    def use_cards(self, lookup, tap):
        """The card keys of an open shift, newest first; none when it closes."""
        if self.keys is not None:
            self.keys.lookup_keys, self.keys.tap_keys = lookup, tap
        if self.till is not None:
            self.till.keys_changed(self.keys)

    # What guests bring

    def attend(self):
        """Yesterday's keys are forgotten, also when nobody comes. When the flash fails, the next tap says so."""
        if self.days.today != self._day:
            self._day = self.days.today
            try:
                self.days.begin()
            except FlashError:
                pass
            if self.days.sealing is not None:
                self.days.sealing.siv()  # so that no guest waits for it
                if self.journal is not None:
                    self.journal.mark_with(self.days.sealing)

    def tidy(self):
        """Between two guests: make ready what the next tap may have to wait for, and see that its list did not rot."""
        if self.till is None:
            return
        self.journal.tidy()
        if self.till.hotlist is not None:
            try:
                self.till.hotlist.check()
            except FlashError:
                self._take_lists(self.till)

    def read_back(self):
        """After a tap that stopped half-way: the flash says how far it came."""
        if self.till is not None:
            self.till.read_back(self._board.seconds_on())

    def tap(self, transmit, order):
        """Charge an Order to the pass behind `transmit`; None is an offer that this municipality does not have here."""
        if order is None:
            return self._if_ours(transmit, WRONG_VENUE)
        return self._with_till(transmit, order)

    def reverse(self, transmit):
        """Give back the last tap to the pass that made it."""
        return self._with_till(transmit, None)

    def _with_till(self, transmit, order):
        """A book that cannot serve now says so to its own passes only: another book may know the pass.

        `order`: None for a reversal.
        """
        try:
            result = self._served(transmit, order)
        except FlashError:
            result = Result(TERMINAL_FULL)
        if result.code == LIST_TOO_OLD or result.code == TERMINAL_FULL:
            result = self._if_ours(transmit, result.code)
        result.bundle = self.bundle
        return result

    def _served(self, transmit, order):
        if self.till is None or not self.keys.tap_keys or self.days.unsure:
            return Result(LIST_TOO_OLD)
        day = self.days.begin()
        if order is None:
            return self.till.reverse(transmit, day)
        return self.till.tap(transmit, order, day, self._board.seconds_on())

    def _if_ours(self, transmit, code):
        """The Result with this code when the pass carries the application of this municipality."""
        if self.keys is None:
            return Result(OTHER_MUNICIPALITY)
        try:
            Session(transmit).run(SelectApplication(self.keys.aid))
            return Result(code)
        except PassGone:
            return Result(AGAIN)
        except NoSuchApplication:
            return Result(OTHER_MUNICIPALITY)
        except CardError:
            return Result(NOT_A_PASS)
