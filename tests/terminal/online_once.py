"""One sync of a board with Wi-Fi, on MicroPython: `micropython online_once.py FLASH`.

Prints how often the watchdog was fed, and how it ended.
"""

import os
import sys

from terminal.firmware import online
from terminal.firmware.device import Device
from terminal.firmware.errors import BackendUnreachable, ListRefused
from terminal.firmware.storage import FileStorage

online._TIMEOUT_S = 1


class Board:
    """Nobody is there."""

    reader = None
    random = os.urandom
    fed = 0

    def feed(self):
        self.fed += 1

    def radio(self, settings):
        return None

    def key(self):
        return None

    def show(self, state, code, lines):
        pass

    def seconds_on(self):
        return 0

    def today(self):
        return None

    def set_today(self, day):
        pass

    def storage(self, index):
        return FileStorage(f"{sys.argv[1]}/journal{index}", 64)

    def rest(self):
        pass


board = Board()
device = Device(sys.argv[1], board)
made = online.online_of(device, board)
try:
    report = online.sync(device, made._settings, board.feed)
    ended = f"done {report.handed_in} {report.warning}"
except BackendUnreachable as error:
    ended = f"later: {error}"
except ListRefused as error:
    ended = f"refused: {error}"
print("fed", board.fed)
print(ended)
