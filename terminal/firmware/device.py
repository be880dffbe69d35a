"""A terminal as a whole: what is on its flash, what the host may ask, and one turn of its loop."""

import json
from binascii import unhexlify

from card.batch import chain_key
from card.errors import OutOfRange
from card.sealing import SealingKey
from card.wire import read_uint
from terminal.firmware import app, forms, link
from terminal.firmware.days import Days
from terminal.firmware.errors import FlashError, ListRefused, ReaderError
from terminal.firmware.flash import Flash
from terminal.firmware.identity import Identity
from terminal.firmware.journal import Journal
from terminal.firmware.keys import Keys
from terminal.firmware.lists import open_bundle, open_hotlist
from terminal.firmware.results import DUTCH, READER, SENTENCES, TERMINAL_FULL, Result
from terminal.firmware.till import Till

_MOST_ENTRIES = 8  # a batch is built in one piece of memory, of which a small heap has few: 8 entries are 1 KB


class Device:
    """`flash` is a folder; `board` is the machine: `reader`, `key()`, `show(state, code, lines)`, `random(n)` and more.

    `key()` gives the next key or None, `days_on()` the whole days since the terminal was switched on, and `rest()` is
    called between two guests, when there is time to tidy the memory.
    """

    def __init__(self, flash, board, language=DUTCH):
        self._flash = Flash(flash)
        self._board = board
        self._shift = app.Shift(language)
        self._identity = Identity(self._flash, board.random)
        self._days = Days(self._flash, board.days_on)
        self._day = None
        self._keys = Keys.kept(self._flash)
        self._till = self._open_till()
        self._finish_lease()
        self._shown = ""
        self._state, screen = app.start(self._shift)
        self._show("", screen)

    # Switching on

    def _open_till(self):
        """The Till, with the journal and the lists that are on flash; None while there are no keys."""
        keys = self._keys
        if keys is None:
            return None
        self._days.heard(keys.day)
        self._journal = Journal(self._board.storage(0), chain_key(keys.link_key), self._identity.tag_key)
        till = Till(keys, self._days, self._journal, self._board.random)
        self._take_lists(till)
        return till

    def _finish_lease(self):
        """When the power went after new keys were kept, and before the wrapping key made its step."""
        identity, keys = self._identity, self._keys
        if keys is None or identity.terminal is None:
            return
        if keys.device == identity.device and keys.lease == identity.next_lease:
            identity.step()

    def _take_lists(self, till):
        """A list that the flash spoilt counts as not there: the till asks for a sync."""
        bundle = self._kept_list("bundle", self._open_bundle, self._keys.link_keys)
        hotlist = self._kept_list("hotlist", open_hotlist, self._keys.hotlist_keys)
        if bundle is not None:
            self._days.heard(bundle.day)
            self._journal.backend_holds(bundle.held)
        till.lists_changed(bundle, hotlist)
        self._shift.bundle = bundle

    def _kept_list(self, name, open_with, keys):
        """A list that came before the keys changed opens with the key before."""
        content = self._flash.read(name)
        for key in keys if content is not None else ():
            try:
                return open_with(content, key)
            except ListRefused:
                pass
        return None

    def _open_bundle(self, content, link_key):
        return open_bundle(content, link_key, self._keys.terminal)

    # One turn of the loop

    def turn(self):
        """Attend to the day, to the keypad, and to the reader when a pass is expected."""
        if self._days.today != self._day:
            self._new_day()
        key = self._board.key()
        if key is not None:
            self._event(app.KEY, key)
        if self._state not in app.READING:
            return
        try:
            if self._board.reader.find_pass() is None:
                return
            result = self._serve_pass()
            self._board.reader.release()
        except ReaderError:
            if self._shown != READER:
                self._show(READER, (SENTENCES[READER][self._shift.language], ""))
            return
        except FlashError:
            result = Result(TERMINAL_FULL)
        self._event(app.RESULT, result)
        self._board.rest()
        self._journal.tidy()

    def _new_day(self):
        """What sealed yesterday is forgotten, also when nobody comes. When the flash fails, the next tap says so."""
        self._day = self._days.today
        try:
            self._days.begin()
        except FlashError:
            pass

    def _serve_pass(self):
        self._days.begin()
        day = self._days.today
        transmit = self._board.reader.transmit
        if self._state is app.reversing:
            return self._till.reverse(transmit, day)
        return self._till.tap(transmit, self._shift.order, day, self._board.seconds_on())

    def _event(self, event, value):
        self._state, screen = self._state(self._shift, event, value)
        if screen is not None:
            self._show(value.code if event == app.RESULT else "", screen)

    def _show(self, code, screen):
        self._shown = code
        self._board.show(self._state.__name__, code, screen)

    # What the host may ask

    def answer(self, kind, content):
        """The answer to a frame: `(kind, content)`; a refusal is `!` and the reason, and changed nothing."""
        self._board.rest()
        try:
            return kind, self._answer(kind, content)
        except MemoryError:
            return link.REFUSED, b"there is not memory enough for this now"
        except (ListRefused, FlashError, ValueError) as error:
            return link.REFUSED, str(error).encode()

    def _answer(self, kind, content):
        if kind == link.HELLO:
            return self._hello()
        if kind == link.DEVICE:
            self._identity.enrol(content, self._keys.terminal if self._keys else None)
            return b""
        if kind == link.LEASE:
            return self._lease(content)
        if self._till is None:
            raise ListRefused("this terminal has no keys yet; provision it first")
        if kind == link.JOURNAL and len(content) == 4:
            first = read_uint(content, 0, 4)
            return self._journal.batch(self._keys.link_key, self._keys.terminal, first, _MOST_ENTRIES)
        if kind == link.BUNDLE:
            self._not_older(self._open_bundle(content, self._keys.link_key), self._till.bundle)
            return self._keep("bundle", content)
        if kind == link.HOTLIST:
            self._not_older(open_hotlist(content, self._keys.hotlist_keys[0]), self._till.hotlist)
            return self._keep("hotlist", content)
        raise ListRefused("this terminal does not know the question")

    def _hello(self):
        identity, sealing = self._identity, self._days.sealing
        about = {"device": identity.device, "lease": identity.next_lease}
        about["enrolled"] = identity.terminal is not None
        about["terminal"] = identity.terminal
        about.update({"journal": 0, "bundle": 0, "hotlist": 0, "doubts": 0, "lease_until": None})
        if self._till is not None:
            about["terminal"] = self._keys.terminal
            about["journal"] = self._journal.count
            about["doubts"] = self._journal.doubts
            about["day"] = self._days.today
            if sealing is not None:
                about["lease_until"] = sealing.last_day
            if self._till.bundle is not None:
                about["bundle"] = self._till.bundle.version
            if self._till.hotlist is not None:
                about["hotlist"] = self._till.hotlist.version
        return json.dumps(about).encode()

    def _lease(self, wrapped):
        """Take new keys.

        The wrapping key steps last: wherever the power goes before that, the old keys still work, or the new ones do
        and the step is made up for at the next start.
        """
        number = self._identity.next_lease
        opened = forms.filled_in(forms.LEASE, self._identity.open(wrapped), "the lease")
        if opened["terminal"] != self._identity.terminal:
            raise ListRefused("these keys are for another terminal")
        keys = Keys.of_lease(opened, number, self._identity.device, self._keys)
        self._days.renew(_sealing_key(opened["sealing"]))
        keys.keep(self._flash)
        self._use(keys)
        self._identity.step()
        return b""

    def _use(self, keys):
        """Work with these keys from now on; the journal and the lists go on as they are."""
        self._keys = keys
        if self._till is None:
            self._till = self._open_till()
        else:
            self._journal.chain_with(chain_key(keys.link_key))
            self._till.keys_changed(keys)

    def _not_older(self, new, held):
        if held is not None and new.version < held.version:
            raise ListRefused("version %d is older than %d, which is here" % (new.version, held.version))

    def _keep(self, name, content):
        self._flash.replace(name, content)
        self._take_lists(self._till)
        self._days.begin()
        return b""


def _sealing_key(chains):
    try:
        return SealingKey([(unhexlify(state), day, last_day) for state, day, last_day in chains])
    except OutOfRange as error:
        raise ListRefused("the lease does not seal: %s" % error)
