"""One municipality on a terminal: a folder of its own on the flash, with its keys, days, lists and journal.

Nothing of one book is ever used for another: each is opened, filled and emptied by its own municipality alone.
"""

from binascii import unhexlify

from card.batch import chain_key
from card.commands import SelectApplication
from card.errors import CardError, NoSuchApplication, OutOfRange
from card.sealing import SealingKey
from card.session import Session
from terminal.firmware import forms, link
from terminal.firmware.days import Days
from terminal.firmware.errors import FlashError, ListRefused, PassGone
from terminal.firmware.hotlist import open_hotlist, take_hotlist
from terminal.firmware.identity import Enrolment
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

_INCOMING = "incoming"
_MOST_ENTRIES = 8  # a batch is built in one piece of memory, of which a small heap has few: 8 entries are 1 KB


class Book:
    """`flash` is the Flash of its folder, `identity` and `board` are the device's. `issuer`: the municipality's number.

    `slot`: which part of the raw flash its journal has, for as long as it is on this terminal.

    `keys`, `till` and `journal` are None until the first lease came.
    """

    def __init__(self, issuer, slot, flash, identity, board):
        self.issuer = issuer
        self.slot = slot
        self._flash = flash
        self._identity = identity
        self._board = board
        self._enrolment = Enrolment(flash, identity)
        self.days = Days(flash, board)
        self._day = None
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
            journal = Journal(self._board.storage(self.slot), chain_key(keys.link_key), self._identity.tag_key)
        except FlashError:
            return None, None  # it can be read at another start, or never
        till = Till(keys, self.days, journal, self._board.random)
        self._take_lists(till)
        return journal, till

    def _finish_lease(self):
        """When the power went after new keys were kept, and before the wrapping key made its step."""
        enrolment, keys = self._enrolment, self.keys
        if keys is None or enrolment.terminal is None:
            return
        if keys.device == self._identity.device and keys.lease == enrolment.next_lease:
            enrolment.step()

    def _take_lists(self, till):
        """A list that the flash spoilt counts as not there: the till asks for a sync."""
        bundle = self._kept_bundle()
        if till.hotlist is not None:
            till.hotlist.close()
        hotlist = open_hotlist(self._flash.folder, self.keys.hotlist_keys)
        if bundle is not None:
            self.days.heard(bundle.day)
            till.journal.backend_holds(bundle.held)
        till.lists_changed(bundle, hotlist)

    def _kept_bundle(self):
        """One that came before the keys changed opens with the key before."""
        content = self._flash.read("bundle")
        for key in self.keys.link_keys if content is not None else ():
            try:
                return self._open_bundle(content, key)
            except ListRefused:
                pass
        return None

    def _open_bundle(self, content, link_key):
        return open_bundle(content, link_key, self.keys.terminal)

    # What guests bring

    def attend(self):
        """What sealed yesterday is forgotten, also when nobody comes. When the flash fails, the next tap says so."""
        if self.days.today != self._day:
            self._day = self.days.today
            try:
                self.days.begin()
            except FlashError:
                pass

    def tidy(self):
        """Between two guests: make ready what the next tap may have to wait for."""
        if self.journal is not None:
            self.journal.tidy()

    def tap(self, transmit, order):
        """Charge an Order to the pass behind `transmit`; None is an offer that this municipality does not have here."""
        if order is None:
            return self._if_ours(transmit, WRONG_VENUE)
        return self._with_till(transmit, lambda till, day: till.tap(transmit, order, day, self._board.seconds_on()))

    def reverse(self, transmit):
        """Give back the last tap to the pass that made it."""
        return self._with_till(transmit, lambda till, day: till.reverse(transmit, day))

    def _with_till(self, transmit, action):
        """A book that cannot serve now says so to its own passes only: another book may know the pass."""
        result = Result(LIST_TOO_OLD)
        if self.till is not None and not self.days.unsure:
            try:
                self.days.begin()
                result = action(self.till, self.days.today)
            except FlashError:
                result = Result(TERMINAL_FULL)
        if result.code in (LIST_TOO_OLD, TERMINAL_FULL):
            result = self._if_ours(transmit, result.code)
        result.bundle = self.bundle
        return result

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

    # What its host asks and brings

    def enrol(self, paper):
        """Take what somebody brought by hand."""
        self._enrolment.take(paper, self.keys.terminal if self.keys else None)

    def about(self):
        """What the terminal says of this municipality."""
        enrolment, keys = self._enrolment, self.keys
        about = {"issuer": self.issuer, "terminal": enrolment.terminal, "enrolled": enrolment.terminal is not None}
        about.update({"lease": enrolment.next_lease, "lease_until": None, "release": None})
        about.update({"journal": 0, "first": 1, "bundle": 0, "hotlist": 0, "changes": 0, "doubts": 0})
        if keys is not None and self.journal is not None:
            about["terminal"] = keys.terminal
            about["release"] = keys.release
            about["journal"] = self.journal.count
            about["first"] = self.journal.first
            about["room"] = self.journal.room
            about["doubts"] = self.journal.doubts
            about["day"] = self.days.today
            if self.days.sealing is not None:
                about["lease_until"] = self.days.sealing.last_day
            if self.till.bundle is not None:
                about["bundle"] = self.till.bundle.version
            about["signers"] = keys.signers
            if self.till.hotlist is not None:
                about["hotlist"], about["changes"] = self.till.hotlist.base.version, self.till.hotlist.version
        return about

    def take_lease(self, wrapped):
        """Take new keys.

        The wrapping key steps last: wherever the power goes before that, the old keys still work, or the new ones do
        and the step is made up for at the next start.
        """
        number = self._enrolment.next_lease
        opened = forms.filled_in(forms.LEASE, self._enrolment.open(wrapped), "the lease")
        if opened["terminal"] != self._enrolment.terminal or opened["issuer"] != self.issuer:
            raise ListRefused("these keys are for another terminal")
        keys = Keys.of_lease(opened, number, self._identity.device, self.keys)
        self.days.renew(_sealing_key(opened["sealing"]), opened["day"])
        keys.keep(self._flash)
        self._use(keys)
        self._enrolment.step()
        return b""

    def _use(self, keys):
        """Work with these keys from now on; the journal and the lists go on as they are."""
        self.keys = keys
        if self.till is None:
            self.journal, self.till = self._open_till()
        else:
            self.journal.chain_with(chain_key(keys.link_key))
            self.till.keys_changed(keys)

    def batch(self, first):
        """Entries of the journal from a position on, sealed for the backend."""
        self._require_keys()
        return self.journal.batch(self.keys.link_key, self.keys.terminal, first, _MOST_ENTRIES)

    def take_bundle(self, content):
        """Take the offers of the day."""
        self._require_keys()
        new = self._open_bundle(content, self.keys.link_key)
        if new.issuer != self.issuer:
            raise ListRefused("these offers are of another municipality")
        held = self.till.bundle
        if held is not None and new.version < held.version:
            raise ListRefused("version %d is older than %d, which is here" % (new.version, held.version))
        self._flash.replace("bundle", content)
        self.days.brought(new.day)
        self._take_lists(self.till)
        self.days.begin()
        return b""

    def take_hotlist(self, content):
        """Take the list of blocked passes."""
        self._flash.replace(_INCOMING, content)
        return self.take(link.HOTLIST, self._flash.folder + "/" + _INCOMING)

    def take(self, name, path):
        """Take the list called `name` from the file at `path`; it moves into place when it is genuine and not older.

        A hotlist says itself whether it is a whole one or the changes to the one that is here.
        """
        self._require_keys()
        if name != link.HOTLIST:
            raise ListRefused("this terminal does not know such a list")
        try:
            take_hotlist(path, self._flash.folder, self.keys.hotlist_keys[0], self.till.hotlist)
        finally:
            self._take_lists(self.till)
        return b""

    def _require_keys(self):
        if self.till is None:
            if self.keys is not None:
                raise ListRefused("this terminal cannot read its journal; switch it off and on")
            raise ListRefused("this terminal has no keys yet; provision it first")

    def close(self, handed_in):
        """Before it is removed; raises ListRefused while there are entries after position `handed_in`."""
        if self.keys is not None:
            self._require_keys()
        if self.journal is not None and handed_in < self.journal.count:
            raise ListRefused("records %d to %d are not handed in yet" % (handed_in + 1, self.journal.count))


def _sealing_key(chains):
    try:
        return SealingKey([(unhexlify(state), day, last_day) for state, day, last_day in chains])
    except OutOfRange as error:
        raise ListRefused("the lease does not seal: %s" % error)
