"""A till on MicroPython that is run again and again from the same start: with the power cut at a chosen byte.

Usage: micropython tearing_terminal.py FLASH PIN
Standard input: `run START STEPS` (-1 for no cut), then answers of the pass.
Standard output: what the pass is asked (`find`, `apdu HEX`, `release`), `cut`, and at the end of a run `done JSON`.
"""

import binascii
import gc
import json
import os
import sys

from card.record import TAP, ClearRecord
from terminal.firmware import cards, offers, shelf
from terminal.firmware.book import Book
from terminal.firmware.errors import PassGone
from terminal.firmware.flash import Flash
from terminal.firmware.identity import Identity
from terminal.firmware.lock import Lock
from terminal.firmware.results import AGAIN
from tests.twin.nor_flash import NorFlash, PowerCut

KEY = b""
BLOCKS = 3
MOST_HOLDS = 6


def asked(line):
    print(line)
    return sys.stdin.readline().strip()


def transmit(apdu):
    answer = asked("apdu " + binascii.hexlify(apdu).decode())
    if answer == "gone":
        raise PassGone("the pass left")
    return binascii.unhexlify(answer)


class Board:
    """What a book needs of its machine."""

    def __init__(self, storage):
        self._storage = storage
        self.random = os.urandom

    def storage(self, index):
        return self._storage

    def seconds_on(self):
        return 0

    def today(self):
        return None

    def set_today(self, day):
        pass


def shift_key(folder, pin):
    """What the PIN opens; it takes its time, so once is enough."""
    flash = Flash(folder)
    identity = Identity(flash, os.urandom)
    return Lock(flash, identity.number, identity.secret).open(pin)


def switch_on(folder, storage, held):
    """A terminal whose shift is open."""
    flash = Flash(folder)
    (issuer,) = shelf.issuers_on(flash)
    slot, own = shelf.folder_of(flash, issuer)
    book = Book(issuer, slot, own, Identity(flash, os.urandom), Board(storage))
    book.journal.backend_holds(held)
    book.use_cards(*cards.read(book.flash, issuer, KEY))
    return book


def run(folder, storage, start, held, steps):
    """Hold the pass until the till says something else than "again"; the power goes once."""
    storage.content[:] = start
    storage.steps, storage.steps_left = 0, None
    book = switch_on(folder, storage, held)
    storage.steps_left = steps if steps >= 0 else None
    order = offers.order(book.bundle.offers[0])
    codes = []
    for _ in range(MOST_HOLDS):
        asked("find")
        try:
            code = book.tap(transmit, order).code
        except PowerCut:
            storage.steps_left = None
            code = "cut"
        asked("release")
        codes.append(code)
        if code == "cut":
            book = switch_on(folder, storage, held)
        elif code != AGAIN:
            break
    done = {"codes": codes, "steps": storage.steps, "doubts": book.journal.doubts}
    done["batch"] = binascii.hexlify(book.journal.batch(book.keys.link_key, 101, book.journal.first, 99)).decode()
    print("done " + json.dumps(done))


def nearly_full_block(folder):
    """A flash where the next tap has to begin a new block, and to erase an old one for it."""
    storage = NorFlash(BLOCKS)
    journal = switch_on(folder, storage, 0).journal
    while journal._serial < BLOCKS or journal._slots - journal._next != 1:
        journal.last_sequence += 1
        journal.void(ClearRecord(TAP, 101, journal.last_sequence, 2500, offer=1, purse1=1, amount1=1).to_bytes())
        journal.backend_holds(journal.count)
    return storage, bytes(storage.content), journal.count


def main(folder, pin):
    global KEY
    KEY = shift_key(folder, pin)
    fresh = NorFlash(BLOCKS)
    starts = {"fresh": (fresh, bytes(fresh.content), 0), "turning": nearly_full_block(folder)}
    while True:
        line = sys.stdin.readline().split()
        if not line:
            return
        gc.collect()
        run(folder, *starts[line[1]], int(line[2]))


main(*sys.argv[1:])
