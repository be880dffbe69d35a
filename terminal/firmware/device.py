"""A terminal as a whole: what is on its flash, what the host may ask, and one turn of its loop."""

import binascii
import json
import os

from card.batch import chain_key
from card.errors import OutOfRange
from card.sealing import SealingKey
from card.wire import read_uint, uint
from terminal.firmware import app, link
from terminal.firmware.errors import FlashError, ListRefused, ReaderError
from terminal.firmware.journal import CHECK_BYTES, Journal, checksum
from terminal.firmware.lists import open_bundle, open_hotlist
from terminal.firmware.results import DUTCH, READER, SENTENCES, TERMINAL_FULL, Result
from terminal.firmware.till import Till

_MOST_ENTRIES = 8  # a batch is built in one piece of memory, of which a small heap has few: 8 entries are 1 KB
_HEX_KEYS = ("link_key", "lookup_key", "tap_key", "hotlist_key")


class Device:
    """`flash` is a folder; `board` is the machine: `reader`, `key()`, `show(state, code, lines)`, `random(n)` and more.

    `key()` gives the next key or None, `days_on()` the whole days since the terminal was switched on, and `rest()` is
    called between two guests, when there is time to tidy the memory.
    """

    def __init__(self, flash, board, language=DUTCH):
        self._flash = flash
        self._board = board
        self._shift = app.Shift(language)
        self._day_zero = 0
        self._till = self._load()
        self._shown = ""
        self._state, screen = app.start(self._shift)
        self._show("", screen)

    # Switching on

    def _load(self):
        """The Till, or None while the terminal has no keys."""
        keys = self._read("keys")
        if keys is None:
            return None
        keys = json.loads(keys)
        for name in _HEX_KEYS:
            keys[name] = binascii.unhexlify(keys[name])
        self._keys = keys
        self._sealing = self._sealing_key()
        self._journal = Journal(self._flash, chain_key(keys["link_key"]))
        till = Till(keys, self._sealing, self._journal, self._board.random)
        self._take_lists(till)
        return till

    def _sealing_key(self):
        """Of the last day that was used; from the day of the keys again when the flash lost it."""
        kept = self._read("sealing")
        if kept is not None and kept[-CHECK_BYTES:] == checksum(kept[:-CHECK_BYTES]):
            return SealingKey(kept[2:-CHECK_BYTES], read_uint(kept, 0, 2))
        return SealingKey(binascii.unhexlify(self._keys["sealing_state"]), self._keys["sealing_day"])

    def _take_lists(self, till):
        """A list that the flash spoilt counts as not there: the till asks for a sync."""
        bundle, hotlist = self._read("bundle"), self._read("hotlist")
        try:
            bundle = bundle and open_bundle(bundle, self._keys["link_key"], self._keys["terminal"])
        except ListRefused:
            bundle = None
        try:
            hotlist = hotlist and open_hotlist(hotlist, self._keys["hotlist_key"])
        except ListRefused:
            hotlist = None
        if bundle:
            self._day_zero = bundle.day - self._board.days_on()
        till.lists_changed(bundle or None, hotlist or None)
        self._shift.bundle = bundle or None

    def _read(self, name):
        try:
            with open(self._flash + "/" + name, "rb") as file:
                return file.read()
        except OSError:
            return None

    def _replace(self, name, content):
        """The new content whole, or the old one."""
        path = self._flash + "/" + name
        try:
            with open(path + ".new", "wb") as file:
                file.write(content)
            os.rename(path + ".new", path)
        except OSError:
            raise FlashError("the flash does not take what is written")

    # The day

    def _today(self):
        """The day of the last sync plus the days since, and never a day before one that was sealed already."""
        return max(self._day_zero + self._board.days_on(), self._sealing.day)

    def _new_day(self, day):
        if day == self._sealing.day:
            return
        try:
            self._sealing.advance(day)
        except OutOfRange:
            return  # the till sees that its key is not of today, and says so
        content = uint(day, 2) + self._sealing.state
        self._replace("sealing", content + checksum(content))

    # One turn of the loop

    def turn(self):
        """Attend to the keypad, and to the reader when a pass is expected."""
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

    def _serve_pass(self):
        day = self._today()
        self._new_day(day)
        transmit = self._board.reader.transmit
        if self._state is app.reversing:
            return self._till.reverse(transmit, day)
        return self._till.tap(transmit, self._shift.order, day)

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
        if kind == link.PROVISION:
            return self._provision(content)
        if self._till is None:
            raise ListRefused("this terminal has no keys yet; provision it first")
        if kind == link.JOURNAL and len(content) == 4:
            first = read_uint(content, 0, 4)
            return self._journal.batch(self._keys["link_key"], self._keys["terminal"], first, _MOST_ENTRIES)
        if kind == link.BUNDLE:
            bundle = open_bundle(content, self._keys["link_key"], self._keys["terminal"])
            self._not_older(bundle, self._till.bundle)
            return self._keep("bundle", content)
        if kind == link.HOTLIST:
            hotlist = open_hotlist(content, self._keys["hotlist_key"])
            self._not_older(hotlist, self._till.hotlist)
            return self._keep("hotlist", content)
        raise ListRefused("this terminal does not know the question")

    def _hello(self):
        about = {"terminal": None, "journal": 0, "bundle": 0, "hotlist": 0, "doubts": 0}
        if self._till is not None:
            about["terminal"] = self._keys["terminal"]
            about["journal"] = self._journal.count
            about["doubts"] = len(self._journal.doubts)
            about["day"] = self._today()
            if self._till.bundle is not None:
                about["bundle"] = self._till.bundle.version
            if self._till.hotlist is not None:
                about["hotlist"] = self._till.hotlist.version
        return json.dumps(about).encode()

    def _provision(self, content):
        if self._till is not None:
            raise ListRefused("this terminal has keys already; reset it before it gets others")
        keys = json.loads(content)
        for name in _HEX_KEYS + ("sealing_state", "sealing_day", "terminal", "issuer", "aid"):
            if name not in keys:
                raise ListRefused("the key file lacks %s" % name)
        self._replace("keys", content)
        self._till = self._load()
        return b""

    def _not_older(self, new, held):
        if held is not None and new.version < held.version:
            raise ListRefused("version %d is older than %d, which is here" % (new.version, held.version))

    def _keep(self, name, content):
        self._replace(name, content)
        self._take_lists(self._till)
        self._new_day(self._today())
        return b""
