"""A till on MicroPython that is run again and again from the same start: with the power cut at a chosen byte.

Usage: micropython tearing_terminal.py FLASH     Standard input: `run STEPS` (-1 for no cut), then answers of the pass.
Standard output: what the pass is asked (`find`, `apdu HEX`, `release`), `cut`, and at the end of a run `done JSON`.
"""

import binascii
import json
import os
import sys

from card.batch import chain_key
from card.record import TAP, ClearRecord
from terminal.firmware import offers
from terminal.firmware.days import Days
from terminal.firmware.errors import PassGone
from terminal.firmware.flash import Flash
from terminal.firmware.identity import Identity
from terminal.firmware.journal import Journal
from terminal.firmware.keys import Keys
from terminal.firmware.lists import open_bundle, open_hotlist
from terminal.firmware.results import AGAIN
from terminal.firmware.till import Till
from tests.twin.nor_flash import NorFlash, PowerCut

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


class Terminal:
    """The parts of a terminal that a tap needs, put together from its flash as the application does."""

    def __init__(self, folder, storage, held):
        flash = Flash(folder)
        keys = Keys.kept(flash)
        self.keys = keys
        self.days = Days(flash, lambda: 0)
        self.days.heard(keys.day)
        self.identity = Identity(flash, os.urandom)
        self.journal = Journal(storage, chain_key(keys.link_key), self.identity.tag_key)
        self.journal.backend_holds(held)
        self.till = Till(keys, self.days, self.journal, os.urandom)
        bundle = open_bundle(flash.read("bundle"), keys.link_key, keys.terminal)
        self.till.lists_changed(bundle, open_hotlist(flash.read("hotlist"), keys.hotlist_keys[0]))
        self.order = offers.order(bundle.offers[0])


def run(folder, storage, start, held, steps):
    """Hold the pass until the till says something else than "again"; the power goes once."""
    storage.content[:] = start
    storage.steps, storage.steps_left = 0, None
    terminal = Terminal(folder, storage, held)
    storage.steps_left = steps if steps >= 0 else None
    codes = []
    for _ in range(MOST_HOLDS):
        asked("find")
        try:
            code = terminal.till.tap(transmit, terminal.order, terminal.days.today, 0).code
        except PowerCut:
            storage.steps_left = None
            code = "cut"
        asked("release")
        codes.append(code)
        if code == "cut":
            terminal = Terminal(folder, storage, held)
        elif code != AGAIN:
            break
    done = {"codes": codes, "steps": storage.steps, "doubts": terminal.journal.doubts}
    first = terminal.journal.first
    done["batch"] = binascii.hexlify(terminal.journal.batch(terminal.keys.link_key, 101, first, 99)).decode()
    print("done " + json.dumps(done))


def nearly_full_block(folder):
    """A flash where the next tap has to begin a new block, and to erase an old one for it."""
    storage = NorFlash(BLOCKS)
    journal = Terminal(folder, storage, 0).journal
    while journal._serial < BLOCKS or journal._slots - journal._next != 1:
        journal.last_sequence += 1
        journal.void(ClearRecord(TAP, 101, journal.last_sequence, 2500, offer=1, purse1=1, amount1=1).to_bytes())
        journal.backend_holds(journal.count)
    return storage, bytes(storage.content), journal.count


def main(folder):
    fresh = NorFlash(BLOCKS)
    starts = {"fresh": (fresh, bytes(fresh.content), 0), "turning": nearly_full_block(folder)}
    while True:
        line = sys.stdin.readline().split()
        if not line:
            return
        run(folder, *starts[line[1]], int(line[2]))


main(sys.argv[1])
