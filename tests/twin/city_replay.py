"""A terminal of a simulated city once more, from its tape (tests/simulation/tape.py); runs on both Pythons.

Usage: PYTHON city_replay.py FLASH TAPE   FLASH is an empty folder, and has all files of the terminal in the end.

Ends with an error as soon as the terminal does anything that is not on the tape: a command to a pass, a screen, an
answer to its host, or a question to its board, in their order. Prints how many of these there were.
"""

import json
import sys
from binascii import hexlify, unhexlify

from card.batch import statement_mac
from terminal.firmware import errors
from terminal.firmware.device import Device
from terminal.firmware.flash import Flash
from tests.twin.nor_flash import NorFlash, PowerCut

BLOCKS = 64
# The firmware as it is built has no names for its numbers.
CHALLENGE_BYTES = MAC_BYTES = 16
HELLO = b"H"
# What every terminal says how much room it has, for that is no fact of the terminal here.
ROOM = 1000000
JOURNAL = "nor-flash"


class Tape:
    """The lines of a file, one at a time."""

    def __init__(self, path):
        self._file = open(path)
        self.read = 0

    def next(self):
        """The next line as a list; None at the end."""
        line = self._file.readline()
        self.read += 1
        return json.loads(line) if line else None

    def expect(self, *did):
        """What the terminal does is what is on the tape; what came in answer to it."""
        line = self.next() or ["the end"]
        if tuple(line[: len(did)]) != did:
            raise ValueError("line %d: %r on the tape, %r here" % (self.read, line, did))
        return line[len(did) :]


class Board:
    """Board and reader in one: answers what is on the tape."""

    def __init__(self, tape, storages):
        self._tape, self._storages = tape, storages
        self.reader = self

    def key(self):
        return self._tape.expect("key")[0]

    def seconds_on(self):
        return self._tape.expect("seconds_on")[0]

    def today(self):
        return self._tape.expect("today")[0]

    def random(self, count):
        drawn = unhexlify(self._tape.expect("random")[0])
        if len(drawn) != count:
            raise ValueError("line %d: %d random bytes are asked for" % (self._tape.read, count))
        return drawn

    def show(self, state, code, lines):
        self._tape.expect("show", state, code, *lines)

    def set_today(self, day):
        self._tape.expect("set_today", day)

    def storage(self, index):
        self._tape.expect("storage", index)
        if index not in self._storages:
            self._storages[index] = NorFlash(BLOCKS)
        return self._storages[index]

    def rest(self):
        self._tape.expect("rest")

    def find_pass(self):
        return self._came(*self._tape.expect("find_pass"))

    def transmit(self, apdu):
        return self._came(*self._tape.expect("transmit", hexlify(apdu).decode()))

    def release(self):
        return self._came(*self._tape.expect("release"))

    @staticmethod
    def _came(error, what):
        if error:
            raise getattr(errors, error)(what)
        return unhexlify(what) if what is not None else None


class Replay:
    def __init__(self, flash, path):
        self._flash = flash
        self._tape = Tape(path)
        self.storage = NorFlash(BLOCKS)
        self._storages = {0: self.storage}
        self._device = None

    def run(self):
        """All of the tape; the number of its lines."""
        line = self._tape.next()
        while line is not None:
            self._do(*line)
            line = self._tape.next()
        return self._tape.read - 1

    def _do(self, what, *about):
        if what == "rotted":
            at, byte = about
            self.storage.content[at] = byte
        elif what == "power":
            self.storage.steps_left = about[0]
        else:
            try:
                self._told(what, *about)
            except PowerCut:
                self._tape.expect("cut")
            self.storage.steps_left = None

    def _told(self, what, *about):
        if what == "ask":
            self._ask(about[0].encode(), about[1], unhexlify(about[2]))
            return
        if what == "start":
            self._device = Device(self._flash, Board(self._tape, self._storages))
        elif what == "turn":
            self._device.turn()
        else:
            raise ValueError("line %d: the terminal did not do %s" % (self._tape.read, what))
        self._tape.expect("is", self._device.state)

    def _ask(self, kind, issuer, content):
        answered, said = self._device.answer(kind, issuer, content)
        wanted = unhexlify(self._tape.expect("said", answered.decode())[0])
        if answered == HELLO:
            # The names in a JSON object have no order, and those of a dict of MicroPython have another.
            if len(content) == CHALLENGE_BYTES:
                key = self._device.book_of(issuer).keys.link_key
                if statement_mac(key, content, said[MAC_BYTES:]) != said[:MAC_BYTES]:
                    raise ValueError("line %d: the MAC of the statement is wrong" % self._tape.read)
                said, wanted = said[MAC_BYTES:], wanted[MAC_BYTES:]
            said, wanted = json.loads(said), json.loads(wanted)
        if said != wanted:
            raise ValueError("line %d: %r on the tape, %r said here" % (self._tape.read, wanted, said))


def main(flash, path):
    Flash.room = lambda flash: ROOM
    replay = Replay(flash, path)
    print(replay.run())
    with open(flash + "/" + JOURNAL, "wb") as file:
        file.write(replay.storage.content)


if __name__ == "__main__":
    main(*sys.argv[1:])
