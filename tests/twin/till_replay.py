"""Recorded taps once more, from the flash as it was before; runs on both Pythons.

Usage: PYTHON till_replay.py FLASH RECORDING.json   Prints the screens; on MicroPython the heap that the last tap took.
"""

import binascii
import gc
import json
import sys

from terminal.firmware.device import Device
from terminal.firmware.storage import FileStorage

_SELECT = 0x5A
# In the first minute a terminal looks for what somebody may not have seen before the plug was pulled.
_AN_HOUR_S = 3600


class Replay:
    """Board and reader in one: answers as recorded, and refuses to go on when it is asked something else."""

    def __init__(self, recording):
        self.reader = self
        self._keys = list(recording["keys"])
        self._random = [binascii.unhexlify(text) for text in recording["random"]]
        self._exchanges = [(binascii.unhexlify(sent), binascii.unhexlify(got)) for sent, got in recording["exchanges"]]
        self.guests = len([sent for sent, _ in self._exchanges if sent[1] == _SELECT])
        self.screens = []
        self.present = False

    def press(self, keys):
        self._keys += keys

    def key(self):
        return self._keys.pop(0) if self._keys else None

    def show(self, state, code, lines):
        self.screens.append("|".join((state, code) + lines))

    def random(self, count):
        return self._random.pop(0)

    def seconds_on(self):
        return _AN_HOUR_S

    def storage(self, index):
        return FileStorage("%s/journal%d" % (sys.argv[1], index), 64)

    def today(self):
        return None

    def find_pass(self):
        return b"\x08\x00\x00\x00" if self.present else None

    def transmit(self, apdu):
        sent, answer = self._exchanges.pop(0)
        if sent != apdu:
            raise ValueError("asked %s in place of %s" % (binascii.hexlify(apdu), binascii.hexlify(sent)))
        return answer

    def release(self):
        pass

    def rest(self):
        pass


def main(flash, path):
    with open(path) as file:
        board = Replay(json.load(file))
    device = Device(flash, board)
    _arm(board, device)
    for _ in range(1, board.guests):
        device.turn()
        board.present = False
        board.press("*1#")
        _arm(board, device)
    if sys.implementation.name == "micropython":
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        device._serve_pass()
        print("heap %d" % (gc.mem_alloc() - before))
    else:
        device.turn()
        for screen in board.screens:
            print(screen)


def _arm(board, device):
    """A pass is there as soon as the terminal waits for one."""
    while board.screens[-1].split("|")[0] != "armed":
        device.turn()
    board.present = True


if __name__ == "__main__":
    main(*sys.argv[1:])
