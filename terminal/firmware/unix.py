"""The unix port of MicroPython as a board: keypad and screen are lines on the terminal, reader and link are serial.

    micropython -m terminal.firmware.unix FLASH READER LINK

Each line on standard input is a row of key presses. Each change of the screen is one line: state|code|line 1|line 2.
"""

import gc
import os
import select
import sys
import termios
import time

_DAY_S = 86400
# Collect after so many bytes: the longer one waits, the more pieces a small heap falls into.
_COLLECT_AFTER = 4096


class Serial:
    """A serial line; reads end on time, because a read of this port blocks until all bytes are there."""

    def __init__(self, path):
        self._file = open(path, "r+b")
        termios.setraw(self._file.fileno())
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def write(self, data):
        self._file.write(data)

    def read(self, count, timeout_ms):
        """`count` bytes, or fewer when the line is silent for `timeout_ms`."""
        data = bytearray(count)
        for at in range(count):
            if not self._poll.poll(timeout_ms):
                return bytes(data[:at])
            byte = self._file.read(1)
            if not byte:
                return bytes(data[:at])
            data[at] = byte[0]
        return bytes(data)


class Board:
    """What a Device needs of the machine it runs on."""

    def __init__(self, reader):
        self.reader = reader
        self.random = os.urandom
        self._keys = select.poll()
        self._keys.register(sys.stdin, select.POLLIN)
        self._passed_ms = 0
        self._ticks = time.ticks_ms()

    def key(self):
        """The next key, or None; ends the program when standard input is closed."""
        if not self._keys.poll(0):
            return None
        key = sys.stdin.read(1)
        if not key:
            sys.exit()
        return key if key != "\n" else None

    def show(self, state, code, lines):
        print("|".join((state, code) + lines))

    def rest(self):
        gc.collect()

    def seconds_on(self):
        now = time.ticks_ms()
        self._passed_ms += time.ticks_diff(now, self._ticks)
        self._ticks = now
        return self._passed_ms // 1000

    def days_on(self):
        return self.seconds_on() // _DAY_S


def main(flash, reader_path, link_path):
    # Before the application is loaded, which leaves most of the pieces.
    gc.threshold(_COLLECT_AFTER)
    from terminal.firmware import loop
    from terminal.firmware.device import Device
    from terminal.firmware.pn532 import Pn532

    # Opening a serial line empties it, so that comes before the screen tells anybody that we are here.
    reader, line = Pn532(Serial(reader_path)), Serial(link_path)
    board = Board(reader)
    device = Device(flash, board)
    online = None
    if device.flash.size("online.json") is not None:
        from terminal.firmware.online import online_of

        online = online_of(device.flash, board.seconds_on)
    loop.run(device, line, online)


if __name__ == "__main__":
    main(*sys.argv[1:])
