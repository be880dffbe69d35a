"""A terminal as a whole: the books on its flash, what the host may ask, and one turn of its loop."""

import json

from card.errors import CardError
from card.wire import read_uint
from terminal.firmware import VERSION, app, link, offers, shelf
from terminal.firmware.book import Book
from terminal.firmware.errors import FlashError, ListRefused, ReaderError
from terminal.firmware.flash import Flash
from terminal.firmware.identity import Identity
from terminal.firmware.results import DUTCH, LIST_TOO_OLD, OTHER_MUNICIPALITY, READER, SENTENCES, Result
from terminal.firmware.storage import wipe


class Device:
    """`flash` is a folder; `board` is the machine: `reader`, `key()`, `show(state, code, lines)`, `random(n)` and more.

    `key()` gives the next key or None, `seconds_on()` the whole seconds since the terminal was switched on, `today()`
    the day that its battery clock says, or None, and `set_today(day)` sets that. `rest()` is called between two guests,
    when there is time to tidy the memory.
    """

    def __init__(self, flash, board, language=DUTCH):
        self._flash = Flash(flash)
        self._board = board
        self._shift = app.Shift(language)
        self._identity = Identity(self._flash, board.random)
        self.books = [self._open_book(issuer) for issuer in shelf.issuers_on(self._flash)]
        self._lists_changed()
        self._shown = ""
        self._state, screen = app.start(self._shift)
        self._show("", screen)

    def _open_book(self, issuer):
        slot, folder = shelf.folder_of(self._flash, issuer)
        return Book(issuer, slot, folder, self._identity, self._board)

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
            self._event(app.KEY, key)
        if self._state not in app.READING:
            return
        try:
            if self._board.reader.find_pass() is None:
                return
            result = self._serve_pass()
        except ReaderError:
            if self._shown != READER:
                self._show(READER, (SENTENCES[READER][self._shift.language], ""))
            return
        try:
            self._board.reader.release()
        except ReaderError:
            pass  # the next guest finds out; this one has a result, and may have paid
        self._event(app.RESULT, result)
        self._board.rest()
        for book in self.books:
            book.tidy()

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

    def _event(self, event, value):
        self._state, screen = self._state(self._shift, event, value)
        if screen is not None:
            self._show(value.code if event == app.RESULT else "", screen)

    def _show(self, code, screen):
        self._shown = code
        self._board.show(self._state.__name__, code, screen)

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
        except (ListRefused, FlashError, CardError, ValueError) as error:
            return link.REFUSED, str(error).encode()
        except OSError:
            return link.REFUSED, b"the flash does not work"

    def _answer(self, kind, issuer, content):
        if kind == link.HELLO:
            books = [book.about() for book in self.books]
            return json.dumps({"device": self._identity.device, "version": VERSION, "books": books}).encode()
        if kind == link.DEVICE:
            return self._enrol(self._identity.read_paper(content))
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
        wipe(self._board.storage(book.slot))
        book.enrol(paper)
        self.books.append(book)
        shelf.keep_order(self._flash, [book.issuer for book in self.books])
        return b""

    def _remove(self, book):
        self.books.remove(book)
        self._lists_changed()
        shelf.remove(self._flash, book.issuer)
        return b""
