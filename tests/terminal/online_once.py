"""One sync of a board with Wi-Fi, on MicroPython: `micropython online_once.py FLASH`. Prints how it ended."""

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


device = Device(sys.argv[1], Board())
made = online.online_of(device.flash, lambda: 0)
try:
    report = online.sync(device, made._settings)
    print("done", report.handed_in, report.warning)
except BackendUnreachable as error:
    print("later:", error)
except ListRefused as error:
    print("refused:", error)
