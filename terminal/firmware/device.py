"""A terminal as a whole: what is on its flash, what the host may ask, and one turn of its loop."""

import os
from binascii import unhexlify

from card.batch import CHALLENGE_BYTES, MAC_BYTES, NONCE_BYTES, chain_key, freshness_mac
from card.errors import OutOfRange
from card.sealing import SealingKey
from card.wire import read_uint, same
from terminal.firmware import app, forms, link
from terminal.firmware.briefly import briefly
from terminal.firmware.days import Days
from terminal.firmware.errors import FlashError, ListRefused, ReaderError
from terminal.firmware.flash import Flash
from terminal.firmware.identity import Identity
from terminal.firmware.journal import Journal
from terminal.firmware.keys import Keys
from terminal.firmware.lists import open_bundle, open_hotlist
from terminal.firmware.results import DUTCH, READER, SENTENCES, TERMINAL_FULL, Result
from terminal.firmware.till import Till

_MOST_ENTRIES = 4  # a batch is built in one piece of memory, of which a small heap has few: 4 entries are 0.5 KB


class Device:
    """`flash` is a folder; `board` is the machine: `reader`, `key()`, `show(state, code, lines)`, `random(n)` and more.

    `key()` gives the next key or None, `days_on()` the whole days since the terminal was switched on, and `rest()` is
    called between two guests, when there is time to tidy the memory.
    """

    def __init__(self, flash, board, language=DUTCH):
        self.flash = Flash(flash)
        self.board = board
        self._shift = app.Shift(language)
        self.identity = Identity(self.flash, board.random)
        self.days = Days(self.flash, board.days_on)
        self._day = None
        self.keys = Keys.kept(self.flash)
        self.till = self._open_till()
        self._finish_lease()
        self.slots = self._open_slots()
        # What the next bundle has to answer: the backend's, to the last thing that was said to it.
        self._nonce = None
        self._shown = ""
        self._state, screen = app.start(self._shift)
        self._show("", screen)

    # Switching on

    def _open_till(self):
        """The Till, with the journal and the lists that are on flash; None while there are no keys."""
        keys = self.keys
        if keys is None:
            return None
        self.days.heard(keys.day)
        self.journal = Journal(self.flash.folder, chain_key(keys.link_key), self.identity.tag_key)
        till = Till(keys, self.days, self.journal, self.board.random)
        self._take_lists(till)
        return till

    def _open_slots(self):
        """The slots of the firmware; None where `boot` does not start it, as on a PC."""
        if self.flash.size("slots/good") is None:
            return None
        return briefly("slots", "Slots", self.flash)

    def _finish_lease(self):
        """When the power went after new keys were kept, and before the wrapping key made its step."""
        identity, keys = self.identity, self.keys
        if keys is None or identity.terminal is None:
            return
        if keys.device == identity.device and keys.lease == identity.next_lease:
            identity.step()

    def _take_lists(self, till):
        """A list that the flash spoilt counts as not there: the till asks for a sync."""
        bundle = self._kept_list("bundle", self._open_bundle, self.keys.link_keys)
        hotlist = self._kept_list("hotlist", open_hotlist, self.keys.hotlist_keys)
        self._work_by(till, bundle, hotlist)

    def _work_by(self, till, bundle, hotlist):
        if bundle is not None:
            self.days.heard(bundle.day)
        till.lists_changed(bundle, hotlist)
        self._shift.bundle = bundle

    def _kept_list(self, name, open_with, keys):
        """A list that came before the keys changed opens with the key before."""
        content = self.flash.read(name)
        for key in keys if content is not None else ():
            try:
                return open_with(content, key)
            except ListRefused:
                pass
        return None

    def _open_bundle(self, content, link_key):
        return open_bundle(content, link_key, self.keys.terminal)

    # One turn of the loop

    def turn(self):
        """Attend to the day, to the keypad, and to the reader when a pass is expected."""
        if self.days.today != self._day:
            self._new_day()
        key = self.board.key()
        if key is not None:
            self._event(app.KEY, key)
        if self._state not in app.READING:
            return
        try:
            if self.board.reader.find_pass() is None:
                return
            result = self._serve_pass()
            self.board.reader.release()
        except ReaderError:
            if self._shown != READER:
                self._show(READER, (SENTENCES[READER][self._shift.language], ""))
            return
        except FlashError:
            result = Result(TERMINAL_FULL)
        self._event(app.RESULT, result)
        self.board.rest()

    def _new_day(self):
        """What sealed yesterday is forgotten, also when nobody comes. When the flash fails, the next tap says so."""
        self._day = self.days.today
        try:
            self.days.begin()
        except FlashError:
            pass

    def _serve_pass(self):
        self.days.begin()
        day = self.days.today
        transmit = self.board.reader.transmit
        if self._state is app.reversing:
            return self.till.reverse(transmit, day)
        return self.till.tap(transmit, self._shift.order, day)

    def _event(self, event, value):
        self._state, screen = self._state(self._shift, event, value)
        if screen is not None:
            self._show(value.code if event == app.RESULT else "", screen)

    def _show(self, code, screen):
        self._shown = code
        self.board.show(self._state.__name__, code, screen)

    # What the host may ask

    def answer(self, kind, issuer, content):
        """The answer to a frame: `(kind, content)`; a refusal is `!` and the reason, and changed nothing."""
        self.board.rest()
        try:
            return kind, self._answer(kind, issuer, content)
        except MemoryError:
            return link.REFUSED, b"there is not memory enough for this now"
        except (ListRefused, FlashError, ValueError) as error:
            return link.REFUSED, str(error).encode()

    def _answer(self, kind, issuer, content):
        if issuer == link.WHOLE_DEVICE:
            if kind == link.HELLO:
                return briefly("about", "hello", self)
            if kind == link.DEVICE:
                self.identity.enrol(content, self.keys.terminal if self.keys else None)
                return b""
            if kind == link.PART and content[:1] == link.FIRMWARE:
                return briefly("incoming", "part", self.flash, issuer, content, self._take)
            raise ListRefused("this terminal does not know the question")
        if issuer != self.identity.issuer:
            raise ListRefused("this terminal has no keys of municipality %d; provision it first" % issuer)
        if kind == link.LEASE:
            return self._lease(content)
        if self.till is None:
            raise ListRefused("this terminal has no keys yet; provision it first")
        if kind == link.HELLO and len(content) == CHALLENGE_BYTES:
            return self._statement(content)
        if kind == link.JOURNAL and len(content) == 4:
            first = read_uint(content, 0, 4)
            return self.journal.batch(self.keys.link_key, self.keys.terminal, first, _MOST_ENTRIES)
        if kind == link.BUNDLE:
            return self._bundle(content)
        if kind == link.PART and content[:1] != link.FIRMWARE:
            return briefly("incoming", "part", self.flash, issuer, content, self._take)
        raise ListRefused("this terminal does not know the question")

    def take_incoming(self, issuer, name):
        """Take what the board itself fetched into the file `incoming`."""
        return briefly("incoming", "take_whole", self.flash, issuer, name, self._take)

    @property
    def idle(self):
        """Whether nobody is being served."""
        return self._state is app.choosing

    def _statement(self, challenge):
        self._nonce = self.board.random(NONCE_BYTES)
        return briefly("about", "statement", self, challenge, self._nonce)

    def _bundle(self, content):
        """Take offers; the MAC behind them shows that they were made after the last statement."""
        sealed, mac = memoryview(content)[:-MAC_BYTES], content[-MAC_BYTES:]
        new = self._open_bundle(sealed, self.keys.link_key)
        self._not_older(new, self.till.bundle)
        if self._nonce is None or not same(mac, freshness_mac(self.keys.link_key, self._nonce, sealed)):
            raise ListRefused("these offers are of another moment; sync again")
        self.flash.replace("bundle", sealed)
        self._work_by(self.till, new, self.till.hotlist)
        self.days.begin()
        self._nonce = None
        return b""

    def _take(self, issuer, name, path):
        """A file that is here whole."""
        if name == link.FIRMWARE:
            if self.slots is None:
                raise ListRefused("this terminal has no slots for firmware; update the computer that it runs on")
            self.slots.take(path, [self.keys.release] if self.keys else [])
        elif name == link.HOTLIST:
            new = open_hotlist(self.flash.read("incoming"), self.keys.hotlist_keys[0])
            self._not_older(new, self.till.hotlist)
            os.rename(path, self.flash.path("hotlist"))
            self._work_by(self.till, self.till.bundle, new)
            self.days.begin()
        else:
            raise ListRefused("this terminal does not know the file")

    def _lease(self, wrapped):
        """Take new keys.

        The wrapping key steps last: wherever the power goes before that, the old keys still work, or the new ones do
        and the step is made up for at the next start.
        """
        number = self.identity.next_lease
        opened = forms.filled_in(forms.LEASE, self.identity.open(wrapped), "the lease")
        if opened["terminal"] != self.identity.terminal:
            raise ListRefused("these keys are for another terminal")
        keys = Keys.of_lease(opened, number, self.identity.device, self.keys)
        self.days.renew(_sealing_key(opened["sealing"]))
        keys.keep(self.flash)
        self._use(keys)
        self.identity.step()
        return b""

    def _use(self, keys):
        """Work with these keys from now on; the journal and the lists go on as they are."""
        self.keys = keys
        if self.till is None:
            self.till = self._open_till()
        else:
            self.journal.chain_with(chain_key(keys.link_key))
            self.till.keys_changed(keys)

    def _not_older(self, new, held):
        if held is not None and new.version < held.version:
            raise ListRefused("version %d is older than %d, which is here" % (new.version, held.version))


def _sealing_key(chains):
    try:
        return SealingKey([(unhexlify(state), day, last_day) for state, day, last_day in chains])
    except OutOfRange as error:
        raise ListRefused("the lease does not seal: %s" % error)
