"""A terminal as a whole: the books on its flash, what the host may ask, and one turn of its loop."""

import json

from card.wire import read_uint
from terminal.firmware import VERSION, app, link, offers, shelf, totals
from terminal.firmware.book import Book
from terminal.firmware.errors import FlashError, ListRefused, ReaderError
from terminal.firmware.flash import Flash
from terminal.firmware.identity import Identity
from terminal.firmware.lock import Lock
from terminal.firmware.results import (
    LIST_TOO_OLD,
    OTHER_MUNICIPALITY,
    PIN_SET,
    READER,
    SHIFT_CLOSED,
    SHIFT_OPEN,
    TERMINAL_FULL,
    TOO_MANY_WRONG,
    WRONG_PIN,
    Result,
)
from terminal.firmware.shift import KEY, RESULT, TICK, Shift
from terminal.firmware.texts import DUTCH, ENGLISH

_LANGUAGE_FILE = "language"


class Device:
    """`flash` is a folder; `board` is the machine: `reader`, `key()`, `show(state, code, lines)`, `random(n)` and more.

    `key()` gives the next key or None, `seconds_on()` the whole seconds since the terminal was switched on, `today()`
    the day that its battery clock says, or None, and `set_today(day)` sets that. `rest()` is called between two guests,
    when there is time to tidy the memory. A board with a chip that keeps a key has `secret(data)`: 16 bytes that only
    this device can make of `data`.
    """

    def __init__(self, flash, board):
        self._flash = Flash(flash)
        self._board = board
        self._identity = identity = Identity(self._flash, board.random)
        secret = getattr(board, "secret", identity.secret)
        self._lock = Lock(self._flash, identity.number, secret, board.random, board.seconds_on)
        self.books = [self._open_book(issuer) for issuer in shelf.issuers_on(self._flash)]
        self._language = ENGLISH if self._flash.read_checked(_LANGUAGE_FILE) == b"\x01" else DUTCH
        self._shift = Shift(self._language)
        self._lists_changed()
        self._shown = ""
        self._left = 0
        self._begin()

    def _begin(self):
        """The shift is closed: somebody has to type the PIN, or the first one."""
        self._shift.has_pin, self._shift.is_open = self._lock.has_pin, False
        state, screen = app.switched_on(self._shift)
        self._enter(app.waiting if self._lock.wait_s else state, screen)

    def _open_book(self, issuer):
        slot, folder = shelf.folder_of(self._flash, issuer)
        return Book(issuer, slot, folder, self._identity, self._lock, self._board)

    def _lists_changed(self):
        bundles = [book.bundle for book in self.books if book.bundle is not None]
        self._shift.menu = offers.menu(bundles)
        self._shift.bundles = {bundle.issuer: bundle for bundle in bundles}

    # One turn of the loop

    def turn(self):
        """Attend to the day, to the keypad, and to the reader when a pass is expected."""
        for book in self.books:
            book.attend()
        key = self._board.key()
        if key is not None:
            self._event(KEY, key)
        if self._state is app.waiting:
            self._tick()
        elif self._state in app.READING:
            self._read()
        elif self._state in app.WORKING:
            self._event(RESULT, self._work())
            self._board.rest()

    def _tick(self):
        left = self._lock.wait_s
        if left != self._left or not left:
            self._left = left
            self._event(TICK, left)

    def _read(self):
        try:
            if self._board.reader.find_pass() is None:
                return
            result = self._serve_pass()
            self._board.reader.release()
        except ReaderError:
            if self._shown != READER:
                self._enter(self._state, self._shift.said(READER))
            return
        self._event(RESULT, result)
        self._board.rest()

    def _serve_pass(self):
        """Each book in turn, until one knows the pass."""
        result = Result(OTHER_MUNICIPALITY if self.books else LIST_TOO_OLD)
        transmit = self._board.reader.transmit
        for book in self.books:
            if self._state is app.reversing:
                result = book.reverse(transmit)
            else:
                result = book.tap(transmit, self._shift.orders.get(book.issuer))
            if result.code != OTHER_MUNICIPALITY:
                break
        return result

    def _work(self):
        """What a state waits for that is no pass and no key."""
        try:
            if self._state is app.counting:
                return totals.pages(self._shift, self.books)
            if self._state is app.closing:
                return self._close_shift()
            if self._state is app.checking:
                return self._check_pin()
            self._lock.set_pin(self._shift.pin)
        except FlashError:
            return Result(TERMINAL_FULL)
        for book in self.books:
            book.open_shift()
        return Result(PIN_SET)

    def _check_pin(self):
        if self._lock.open(self._shift.pin):
            for book in self.books:
                book.open_shift()
            return Result(SHIFT_OPEN)
        self._close_shift()
        return Result(TOO_MANY_WRONG if self._lock.wait_s else WRONG_PIN)

    def _close_shift(self):
        self._lock.shut()
        self._shift.is_open = False
        for book in self.books:
            book.close_shift()
        return Result(SHIFT_CLOSED)

    def _event(self, event, value):
        state, screen = self._state(self._shift, event, value)
        self._enter(state, screen)
        if self._shift.language != self._language:
            self._language = self._shift.language
            try:
                self._flash.replace_checked(_LANGUAGE_FILE, bytes([self._language]))
            except FlashError:
                pass  # it is asked for again after the next start

    def _enter(self, state, screen):
        self._state = state
        if screen is not None:
            self._shown = screen[0]
            self._board.show(state.__name__, screen[0], screen[1:])

    # What the host may ask

    def answer(self, kind, issuer, content):
        """The answer to a frame: `(kind, content)`; a refusal is `!` and the reason, and changed nothing.

        `issuer`: the municipality that is asked about; 0 for the device as a whole.
        """
        self._board.rest()
        try:
            return kind, self._answer(kind, issuer, content)
        except MemoryError:
            return link.REFUSED, b"there is not memory enough for this now"
        except (ListRefused, FlashError, ValueError) as error:
            return link.REFUSED, str(error).encode()

    def _answer(self, kind, issuer, content):
        if kind == link.HELLO:
            return self._hello()
        if kind == link.DEVICE:
            return self._enrol(self._identity.read_paper(content))
        if kind == link.FORGET_PIN:
            return self._forget_pin()
        book = self._book_of(issuer)
        if kind == link.JOURNAL and len(content) == 4:
            return book.batch(read_uint(content, 0, 4))
        if kind == link.REMOVE and len(content) == 4:
            book.close(read_uint(content, 0, 4))
            return self._remove(book)
        if kind == link.LEASE:
            answer = book.take_lease(content)
        elif kind == link.BUNDLE:
            answer = book.take_bundle(content)
        elif kind == link.HOTLIST:
            answer = book.take_hotlist(content)
        else:
            raise ListRefused("this terminal does not know the question")
        self._lists_changed()
        return answer

    def _hello(self):
        about = {"device": self._identity.device, "version": VERSION, "clock": self._board.today()}
        about["pin"], about["shift"] = self._lock.has_pin, "open" if self._lock.is_open else "closed"
        about["books"] = [book.about() for book in self.books]
        return json.dumps(about).encode()

    def _book_of(self, issuer):
        for book in self.books:
            if book.issuer == issuer:
                return book
        raise ListRefused("this terminal does not serve municipality %d; provision it first" % issuer)

    def _enrol(self, paper):
        """A book is there from the moment that it has its wrapping key; its folder by itself is nothing yet."""
        for book in self.books:
            if book.issuer == paper["issuer"]:
                book.enrol(paper)
                return b""
        if len(self.books) == shelf.MOST_BOOKS:
            raise ListRefused("this terminal serves %d municipalities already" % shelf.MOST_BOOKS)
        shelf.make_folder(self._flash, paper["issuer"], [book.slot for book in self.books])
        book = self._open_book(paper["issuer"])
        book.enrol(paper)
        self.books.append(book)
        shelf.keep_order(self._flash, [book.issuer for book in self.books])
        return b""

    def _remove(self, book):
        self.books.remove(book)
        self._lists_changed()
        shelf.remove(self._flash, book.issuer)
        return b""

    def _forget_pin(self):
        """The card keys go with it: the next lease brings them to whoever opens the next shift."""
        self._lock.forget()
        for book in self.books:
            book.forget_cards()
        self._begin()
        return b""
