"""Taps one after the other on MicroPython, by honest passes: does the terminal keep a little of each?

Usage: micropython many_taps.py FLASH RECORDING.json TAPS   Prints how much more heap is in use after the taps.
"""

import binascii
import gc
import json
import sys

from terminal.firmware.device import Device
from tests.fuzz.paper_pass import PaperPass
from tests.twin.till_replay import Replay

# More than the terminal knows again, so that no pass is taken for one that tapped just now.
_PASSES = 9
_FIRST = 2 * _PASSES
_MOST_TURNS = 8
_PLENTY = 1000000000


class Town(Replay):
    """Whoever taps is `present`; the numbers are not random, and the clock stands still."""

    def __init__(self, recording):
        Replay.__init__(self, recording)
        self._salt = 0

    def show(self, state, code, lines):
        self.state = state
        self.code = code

    def random(self, count):
        self._salt += 1
        return self._salt.to_bytes(count, "little")

    def seconds_on(self):
        return 1000

    def transmit(self, apdu):
        return self.present.transmit(apdu)

    def find_pass(self):
        return b"\x08\x00\x00\x00" if self.present else None


class City:
    """What a pass has to know."""

    def __init__(self, recording):
        self.aid, self.lookup_key, self.tap_key = [
            binascii.unhexlify(recording["known"][name]) for name in ("aid", "lookup_key", "tap_key")
        ]
        self.issuer = recording["issuer"]


def tap(device, town, card):
    town.press("*1#")
    for _ in range(_MOST_TURNS):
        device.turn()
    card.leave()
    town.present = card
    device.turn()
    town.present = None
    if (town.state, town.code) != ("showing", "00"):
        raise ValueError("no yes: %s %s" % (town.state, town.code))
    # The backend takes what there is, so that the flash never fills.
    journal = device.books[0].journal
    journal.backend_holds(journal.count)


def main(flash, path, taps):
    with open(path) as file:
        recording = json.load(file)
    town, city = Town(recording), City(recording)
    device = Device(flash, town)
    while town.state != "armed":
        device.turn()
    valid, purses = (0, 65535), {purse: _PLENTY for purse in range(1, 15)}
    passes = [PaperPass(city, b"handle of a pass"[:15] + bytes([at]), valid, dict(purses)) for at in range(_PASSES)]
    before = 0
    for number in range(_FIRST + int(taps)):
        if number == _FIRST:
            gc.collect()
            before = gc.mem_alloc()
        tap(device, town, passes[number % _PASSES])
    gc.collect()
    print("growth %d" % (gc.mem_alloc() - before))


main(*sys.argv[1:])
