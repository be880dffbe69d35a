"""A terminal as a whole: its books, the state of its shift, and one turn of its loop."""

from card.errors import CardError
from card.wire import read_uint
from terminal.firmware import app, offers, seldom
from terminal.firmware.book import Book
from terminal.firmware.errors import FlashError, KeyChipError, ListRefused, ReaderError
from terminal.firmware.flash import Flash
from terminal.firmware.identity import Identity
from terminal.firmware.link import JOURNAL, REFUSED
from terminal.firmware.results import BUSY, LIST_TOO_OLD, OTHER_MUNICIPALITY, READER, Result
from terminal.firmware.shift import KEY, RESULT, TICK, Shift
from terminal.firmware.texts import DUTCH, ENGLISH

LANGUAGE_FILE = "language"


class Device:
    """`flash` is a folder; `board` is the machine: `reader`, `key()`, `show(state, code, lines)`, `random(n)` and more.

    `key()` gives the next key or None, `seconds_on()` the whole seconds since the terminal was switched on, `today()`
    the day that its battery clock says, or None, and `set_today(day)` sets that. `storage(index)` is raw flash, for the
    journal of one book. `rest()` is called between two guests, when there is time to tidy the memory. A board with a
    chip that keeps a key has `secret(data)`: 16 bytes that only this chip can make of `data`.
    """

    def __init__(self, flash, board):
        from terminal.firmware import shelf

        self.flash = Flash(flash)
        self.board = board
        self.identity = Identity(self.flash, board.random, getattr(board, "secret", None))
        self.books = [self.open_book(issuer) for issuer in shelf.issuers_on(self.flash)]
        self._language = ENGLISH if self.flash.read_checked(LANGUAGE_FILE) == b"\x01" else DUTCH
        self.shift = Shift(self._language)
        self.slots = self._open_slots()
        # Why the last sync over Wi-Fi failed; None when it did not.
        self.online = None
        self.lists_changed()
        self._screen = self._covered = None
        self._failed_once = False
        self._tidied_at = 0
        seldom.unload()
        self.begin()
        self._crowded = True

    def _open_slots(self):
        """The slots of the firmware; None where `boot` does not start it, as on a PC."""
        if self.flash.size("slots/good") is None:
            return None
        from terminal.firmware.slots import Slots

        return Slots(self.flash)

    @property
    def idle(self):
        """Whether nobody is being served."""
        return self.state in app.IDLE

    def begin(self):
        """The shift is closed: somebody has to type the PIN, or the first one."""
        from terminal.firmware import staff
        from terminal.firmware.lock import lock_of

        lock = lock_of(self)
        self.shift.has_pin = lock.has_pin
        self.wait(lock.wait_s)
        state, screen = staff.switched_on(self.shift)
        self._enter(staff.waiting if lock.wait_s else state, screen)

    def wait(self, seconds):
        """No PIN is taken for so long."""
        self._left = seconds
        self._wait_until = self.board.seconds_on() + seconds

    def open_book(self, issuer):
        from terminal.firmware import shelf

        slot, folder = shelf.folder_of(self.flash, issuer)
        return Book(issuer, slot, folder, self.identity, self.board)

    def book_of(self, issuer):
        """The Book of a municipality; raises ListRefused."""
        for book in self.books:
            if book.issuer == issuer:
                return book
        raise ListRefused("this terminal does not serve municipality %d; provision it first" % issuer)

    def lists_changed(self):
        """Some municipality has other offers, or is gone."""
        bundles = [book.bundle for book in self.books if book.bundle is not None]
        self.shift.menu = offers.menu(bundles)
        self.shift.bundles = {bundle.issuer: bundle for bundle in bundles}

    # One turn of the loop

    @property
    def state(self):
        """The name of the state."""
        return self._state.__name__

    def turn(self):
        """Attend to the day, to the keypad, and to the reader when a pass is expected.

        Raises MemoryError when there is too little for that, and then only a restart helps.
        """
        try:
            self._attend()
        except MemoryError:
            if self.state == "closing":
                raise  # a restart forgets what opens passes
            self._begin_again()

    def _begin_again(self):
        """Memory ran out: make room, read back how far a tap came, and ask for the same once more."""
        self._crowded = True
        self._tidy()
        for book in self.books:
            book.read_back()
        if self.state in app.READING:
            self._released(Result(BUSY))
            return
        if self.shift.is_open:
            self._enter(*app.start(self.shift))
        else:
            self.begin()
        self._enter(self._state, self.shift.said(BUSY))

    def _attend(self):
        for book in self.books:
            book.attend()
        key = self.board.key()
        if key is not None:
            self._tidy()
            self._event(KEY, key)
        if self.state in app.READING:
            self._read()
        elif self.state in app.WORKING:
            from terminal.firmware import duty

            result = duty.do(self, self.state)
            self._event(RESULT, result)
            self._crowded = True
        elif self.state in app.TICKING:
            self._tick()
        elif self.idle and self.board.seconds_on() != self._tidied_at:
            self._tidied_at = self.board.seconds_on()
            for book in self.books:
                book.tidy()

    def _tick(self):
        left = max(0, self._wait_until - self.board.seconds_on())
        if left != self._left or not left:
            self._left = left
            self._event(TICK, left)

    def _read(self):
        try:
            if self.board.reader.find_pass() is None:
                self._reader_works()
                return
            self._tidy()
            result = self._serve_pass()
        except ReaderError:
            self._reader_failed()
            return
        self._failed_once = False
        self._released(result)
        self.board.rest()
        for book in self.books:
            book.tidy()

    def _reader_failed(self):
        """Said when it fails twice in a row: after one disturbance the driver starts anew, and it is over."""
        if self._failed_once and self._covered is None:
            covered = self._screen
            self._enter(self._state, self.shift.said(READER))
            self._covered = covered
        self._failed_once = True

    def _reader_works(self):
        """What it said before it failed is on the screen again: that may be somebody's result."""
        self._failed_once = False
        if self._covered is not None:
            self._enter(self._state, self._covered)

    def _released(self, result):
        """Let the pass go, and show the result."""
        try:
            self.board.reader.release()
        except ReaderError:
            pass  # the next guest finds out; this one has a result, and may have paid
        self._event(RESULT, result)

    def _serve_pass(self):
        """Each book in turn, until one knows the pass."""
        result = None
        transmit = self.board.reader.transmit
        for book in self.books:
            if self._state is app.reversing:
                result = book.reverse(transmit)
            else:
                result = book.tap(transmit, self.shift.orders.get(book.issuer))
            if result.code != OTHER_MUNICIPALITY:
                break
        return result or Result(LIST_TOO_OLD)

    def _event(self, event, value):
        state, screen = self._state(self.shift, event, value)
        self._enter(state, screen)
        if self.shift.language != self._language:
            self._language = self.shift.language
            try:
                self.flash.replace_checked(LANGUAGE_FILE, bytes([self._language]))
            except FlashError:
                pass  # it is asked for again after the next start

    def _enter(self, state, screen):
        self._state = state
        if screen is not None:
            self._screen, self._covered = screen, None
            self.board.show(state.__name__, screen[0], screen[1:])

    def _tidy(self):
        """What the host asked, or staff did, left more in the memory than a tap should find there."""
        if self._crowded:
            self._crowded = False
            seldom.unload()
            self.board.rest()

    # What the host may ask

    def take_incoming(self, issuer, name):
        """Take what the board itself fetched into the file `incoming`."""
        from terminal.firmware import answers

        self._crowded = True
        answers.take_incoming(self, issuer, name)

    def answer(self, kind, issuer, content):
        """The answer to a frame: `(kind, content)`; a refusal is `!` and the reason, and changed nothing.

        `issuer`: the municipality that is asked about; 0 for the device as a whole.
        """
        self._tidy()
        self.board.rest()
        try:
            if kind == JOURNAL and len(content) == 4:
                return kind, self.book_of(issuer).batch(read_uint(content, 0, 4))
            from terminal.firmware import answers

            self._crowded = True
            return kind, answers.answer(self, kind, issuer, content)
        except MemoryError:
            return REFUSED, b"there is not memory enough for this now"
        except (ListRefused, FlashError, KeyChipError, CardError, ValueError) as error:
            return REFUSED, str(error).encode()
        except OSError:
            return REFUSED, b"the flash does not work"
        finally:
            # The next question may be a long one.
            self._tidy()
