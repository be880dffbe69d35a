"""A terminal that serves one city, on flash that is as new when it is asked for; on both Pythons."""

import binascii
import hashlib
import json
import os

from terminal.firmware import app
from terminal.firmware.device import Device
from tests.fuzz.paper_pass import PaperPass
from tests.fuzz.worn_flash import WornFlash

BLOCKS = 4
CENTS, CLOTHES, VISITS = 1, 2, 4
_KEYS_PER_PRESS = 64
# The reader starts anew after it failed, and a torn tap is told by the next one.
_MOST_HOLDS = 4
A_WHILE_S = 61


class Kit:
    """What `tests.fuzz.kit` made: the files of a terminal that was provisioned, and the keys of the city."""

    def __init__(self, path):
        with open(path) as file:
            content = json.load(file)
        self.files = [(name, binascii.unhexlify(text)) for name, text in content["files"]]
        self.seeds = {name: binascii.unhexlify(text) for name, text in content["seeds"].items()}
        for name in ("shift_key", "lookup_key", "tap_key", "link_key", "hotlist_key", "aid", "handle", "blocked"):
            setattr(self, name, binascii.unhexlify(content[name]))
        self.issuer, self.terminal, self.day = content["issuer"], content["terminal"], content["day"]
        self.base_bytes = content["base_bytes"]
        self.lease_header, self.lease_key = [
            binascii.unhexlify(content[name]) for name in ("lease_header", "lease_key")
        ]


class World:
    """The machine of a Device, and who stands before it: `keys` to be pressed, `present` on the reader."""

    def __init__(self, kit, folder, storage=None):
        self.kit = kit
        self.folder = folder
        self.storages = {0: storage or WornFlash(BLOCKS)}
        self.touched = True
        self.screen = ""
        self.reader = self

    # As new

    def renewed(self, patience=0):
        """Itself, with flash, screen and memory as on the first day, unless hardly anything was written since.

        `patience`: how many bytes of journal may stay.
        """
        self.keys = []
        self.present = None
        self.released = True
        self.clock = None
        self.seconds = 1000
        self._salt = 0
        self.codes = []
        if self.touched or self.storages[0].steps > patience:
            self.write_files()
            self.boot()
            self.open_shift()
            self.touched = False
        else:
            self.reader = self
            self.press("***")
        return self

    def write_files(self):
        empty(self.folder)
        make_folder(self.folder)
        for name in (str(self.kit.issuer), "slots", "slots/a", "slots/b"):
            make_folder(self.folder + "/" + name)
        for name, content in self.kit.files:
            with open(self.folder + "/" + name, "wb") as file:
                file.write(content)
        for storage in self.storages.values():
            storage.renew()

    def boot(self):
        """Switch on; the shift is closed."""
        self.reader = self
        self.device = Device(self.folder, self)

    def open_shift(self):
        """As the PIN does, but for the second that it takes."""
        from terminal.firmware import cards

        device = self.device
        device.shift.key = self.kit.shift_key
        for book in device.books:
            book.use_cards(*cards.read(book.flash, book.issuer, self.kit.shift_key))
        device.shift.has_pin = True
        device._enter(*app.start(device.shift))

    @property
    def book(self):
        return self.device.books[0]

    # The machine

    def key(self):
        return self.keys.pop(0) if self.keys else None

    def show(self, state, code, lines):
        if state not in STATES or len(lines) != 2 or not all(isinstance(line, str) for line in lines):
            raise AssertionError("a screen that nobody knows: %s %s" % (state, code))
        self.screen = state
        if code:
            self.codes.append(code)

    def random(self, count):
        self._salt += 1
        return hashlib.sha256(b"%d" % self._salt).digest()[:count]

    def seconds_on(self):
        return self.seconds

    def today(self):
        return self.clock

    def set_today(self, day):
        if self.clock is not None:
            self.clock = day

    def rest(self):
        pass

    def storage(self, index):
        if index not in self.storages:
            self.storages[index] = WornFlash(BLOCKS)
        return self.storages[index]

    # The reader

    def find_pass(self):
        if self.present is None:
            return None
        self.present.leave()
        self.released = False
        return b"\x08\x01\x02\x03"

    def transmit(self, apdu):
        return self.present.transmit(apdu)

    def release(self):
        self.released = True

    # People

    def press(self, keys):
        self.keys += list(keys)
        for _ in range(_KEYS_PER_PRESS):
            if not self.keys and self.screen not in app.WORKING:
                return
            self.device.turn()

    def choose(self, keys="1#"):
        """From whatever is on the screen to an order."""
        self.seconds += A_WHILE_S
        if not self.device.shift.is_open:
            self.open_shift()
        self.press("***" + keys)

    def a_pass(self, handle=None, valid=None):
        day = self.kit.day
        purses = {CENTS: 2000, CLOTHES: 5000, VISITS: 10}
        return PaperPass(self.kit, handle or self.kit.handle, valid or (day - 30, day + 300), purses)

    def hold(self, card):
        """What a tap shows: the last code; it is held again while the terminal says so."""
        del self.codes[:]
        self.present = card
        for _ in range(_MOST_HOLDS):
            self.device.turn()
            if self.screen not in app.READING:
                break
        self.present = None
        return self.codes[-1] if self.codes else ""

    def spent_here(self):
        """Cents that the journal says were taken, and how many taps are in doubt."""
        total = doubts = 0
        for outcome, record in self.book.journal.day_entries(self.kit.day):
            if outcome != 1:
                doubts += 1
            else:
                total += sum([amount for _, amount in record.debits()]) * (1 if record.kind == 1 else -1)
        return total, doubts


STATES = ("choosing", "pricing", "armed", "reversing", "showing", "menu", "totals", "opening", "waiting")
STATES += ("choosing_pin", "repeating_pin", "checking", "setting", "closing", "counting")


def make_folder(path):
    try:
        os.mkdir(path)
    except OSError:
        pass  # there already


def empty(path):
    """Remove what is in a folder, and what is in that."""
    try:
        names = os.listdir(path)
    except OSError:
        return
    for name in names:
        inner = path + "/" + name
        try:
            os.remove(inner)
        except OSError:
            empty(inner)
            os.rmdir(inner)
