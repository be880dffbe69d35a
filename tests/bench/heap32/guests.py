"""Guests in a row on MicroPython, replayed from files so that the recording takes no heap.

`switch_on()` starts the device from the flash as it was, `guest()` is one tap that has to show a yes.
"""

from till_replay import Replay

from terminal.firmware.device import Device
from terminal.firmware.storage import FileStorage

_MOST_TURNS = 8
_JOURNAL_BLOCKS = 64


class Guests(Replay):
    """The board of a replay whose exchanges and random numbers come from the folder `air`."""

    def __init__(self, flash, folder):
        self._flash = flash
        Replay.__init__(self, {"keys": "", "random": (), "exchanges": ()})
        self._exchanges = open(folder + "/exchanges", "rb")
        self._random = open(folder + "/random", "rb")
        self._sent = memoryview(bytearray(256))

    def show(self, state, code, lines):
        self.state = state
        self.code = code

    def storage(self, index):
        return FileStorage("%s/journal%d" % (self._flash, index), _JOURNAL_BLOCKS)

    def random(self, count):
        return self._random.read(count)

    def transmit(self, apdu):
        count = self._exchanges.read(1)[0]
        self._exchanges.readinto(self._sent[:count])
        if self._sent[:count] != apdu:
            raise ValueError("this is not what was asked in the recording")
        return self._exchanges.read(self._exchanges.read(1)[0])


def switch_on(flash, air):
    global _board, _device
    _board = Guests(flash, air)
    _device = Device(flash, _board)


def guest():
    _board.press("*1#")
    for _ in range(_MOST_TURNS):
        _device.turn()
    if _board.state != "armed":
        raise ValueError("the terminal waits for no pass: " + _board.state)
    _board.present = True
    _device.turn()
    _board.present = False
    if _board.state != "showing" or _board.code != "00":
        raise ValueError("no yes: %s %s" % (_board.state, _board.code))
