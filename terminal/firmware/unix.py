"""The unix port of MicroPython as a board: keypad and screen are lines on the terminal, reader and link are serial.

    micropython -m terminal.firmware.unix FLASH READER LINK [DISPLAY]

Each line on standard input is a row of key presses. Each change of the screen is one line: state|code|line 1|line 2.
DISPLAY is a file that stands for the display, its buzzer and its light.
"""

import gc
import os
import select
import sys
import termios
import time

from card.wire import uint
from terminal.firmware.storage import FileStorage

# As on the smallest board: 600 taps without a sync.
_JOURNAL_BLOCKS = 64
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


class Display:
    """A display of 128 x 64 that writes each screen to a file.

    Each is the length of a text (2, little-endian), the text in UTF-8, and 1024 bytes of picture, eight pixels below
    each other a byte, the upper one lowest. The text has six lines: state, code, line 1, line 2, tones as
    `Hz:milliseconds` with commas between, and the light as red,green,blue.
    """

    def __init__(self, path):
        import framebuf

        from terminal.firmware.screen import HEIGHT, WIDTH, draw
        from terminal.firmware.signals import of

        self._draw, self._signal = draw, of
        self._picture = bytearray(WIDTH * HEIGHT // 8)
        self._frame = framebuf.FrameBuffer(self._picture, WIDTH, HEIGHT, framebuf.MONO_VLSB)
        self._file = open(path, "wb")

    def show(self, state, code, lines):
        self._draw(self._frame, state, code, lines)
        tones, light = self._signal(code)
        rhythm = ",".join(["%d:%d" % tone for tone in tones])
        text = "\n".join((state, code) + lines + (rhythm, "%d,%d,%d" % light)).encode()
        self._file.write(uint(len(text), 2))
        self._file.write(text)
        self._file.write(self._picture)


class Board:
    """What a Device needs of the machine it runs on. `display` may be None."""

    def __init__(self, flash, reader, display):
        self._flash = flash
        self.reader = reader
        self._display = display
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
        if self._display is not None:
            self._display.show(state, code, lines)

    def rest(self):
        gc.collect()

    def storage(self, index):
        return FileStorage("%s/journal%d" % (self._flash, index), _JOURNAL_BLOCKS)

    def seconds_on(self):
        now = time.ticks_ms()
        self._passed_ms += time.ticks_diff(now, self._ticks)
        self._ticks = now
        return self._passed_ms // 1000

    def today(self):
        """It stands for a board without a battery clock."""

    def set_today(self, day):
        """There is nothing to set."""

    def feed(self):
        """There is no watchdog."""

    def radio(self, settings):
        """The machine has its network by itself."""


def main(flash, reader_path, link_path, display_path=None):
    # Before the application is loaded, which leaves most of the pieces.
    gc.threshold(_COLLECT_AFTER)
    from terminal.firmware import loop
    from terminal.firmware.device import Device
    from terminal.firmware.pn532 import Pn532
    from terminal.firmware.pn532_hsu import Hsu

    # Opening a serial line empties it, so that comes before the screen tells anybody that we are here.
    reader, line = Pn532(Hsu(Serial(reader_path))), Serial(link_path)
    board = Board(flash, reader, Display(display_path) if display_path else None)
    device = Device(flash, board)
    loop.run(device, line, loop.online_on(device, board))


if __name__ == "__main__":
    main(*sys.argv[1:])
