"""The board of a replayed shift: answers as recorded, and refuses to go on when it is asked something else."""

import gc
import sys

import framebuf

from terminal.firmware import link, screen, signals
from terminal.firmware.storage import FileStorage

_JOURNAL_BLOCKS = 64
_AN_HOUR_S = 3600
_MOST_TURNS = 8
_PIECE = 64
_LONGEST_FRAME = 275
_PLENTY = 1000000


class Nothing:
    """In place of the modules of a board, which are in its flash."""


class Replayed:
    """Board and reader in one. `recording` is a folder with what was random, exchanged and asked, and the steps."""

    def __init__(self, flash, recording):
        self._flash = flash
        self._exchanges = open(recording + "/exchanges", "rb")
        self._random = open(recording + "/random", "rb")
        self._questions = open(recording + "/questions", "rb")
        self._steps = open(recording + "/steps", "rb")
        self.reader = self
        self._sent = memoryview(bytearray(256))
        self._keys = ""
        self._present = False
        self.state = self.code = ""
        # What a board has besides: its display, and the buffer of its reader.
        self._frame = framebuf.FrameBuffer(bytearray(1024), 128, 64, framebuf.MONO_VLSB)
        self._buffer = bytearray(_LONGEST_FRAME)

    def run(self):
        for name in ("machine", "neopixel", "rp2"):
            sys.modules[name] = Nothing
        # What else runs on a Pico W.
        from terminal.firmware import board, loop, pn532, pn532_spi  # noqa: F401
        from terminal.firmware.boards import pico_w  # noqa: F401
        from terminal.firmware.device import Device
        from terminal.firmware.drivers import rp2_flash  # noqa: F401
        from terminal.firmware.flash import Flash

        self._say("loaded")
        # WASI does not say how much room there is.
        Flash.room = lambda flash: _PLENTY
        self._device = Device(self._flash, self)
        self._frames = link.Frames()
        for line in self._steps:
            what, value = line.decode().split()
            self._step(what, value)

    def _step(self, what, value):
        if what == "stage":
            self._say(value)
        elif what == "keys":
            self._press(value)
        elif what == "guest":
            self._guest(value)
        else:
            self._ask(int(value))

    # Steps

    def _say(self, stage):
        gc.collect()
        print(stage, gc.mem_alloc())

    def _press(self, keys):
        self._keys = keys
        for _ in range(_MOST_TURNS + len(keys)):
            self._device.turn()

    def _guest(self, code):
        self._present = True
        self._device.turn()
        self._present = False
        if self.code != code:
            raise ValueError("%s %s in place of %s" % (self.state, self.code, code))

    def _ask(self, left):
        """As terminal/firmware/loop.py does."""
        asked = None
        while left:
            data = self._questions.read(min(left, _PIECE))
            left -= len(data)
            asked = self._frames.feed(data)
        kind, content = self._device.answer(*asked)
        link.frame(kind, asked[1], content)
        if kind != asked[0]:
            raise ValueError(content)

    # Board

    def key(self):
        key, self._keys = self._keys[:1], self._keys[1:]
        return key or None

    def show(self, state, code, lines):
        self.state, self.code = state, code
        signals.of(code)
        screen.draw(self._frame, state, code, lines)

    def rest(self):
        gc.collect()

    def storage(self, index):
        return FileStorage("%s/journal%d" % (self._flash, index), _JOURNAL_BLOCKS)

    def random(self, count):
        return self._random.read(count)

    def seconds_on(self):
        return _AN_HOUR_S

    def today(self):
        return None

    def set_today(self, day):
        pass

    # Reader

    def find_pass(self):
        return b"\x08\x00\x00\x00" if self._present else None

    def transmit(self, apdu):
        count = self._exchanges.read(1)[0]
        self._exchanges.readinto(self._sent[:count])
        if self._sent[:count] != apdu:
            raise ValueError("this is not what was asked in the recording")
        return self._exchanges.read(self._exchanges.read(1)[0])

    def release(self):
        pass
