"""A display of 128 x 64 with an SSD1306, SSD1309 or SH1106, on I2C or SPI.

All three know the page addressing that is used here (SSD1306 data sheet 10.1.3; the SH1106 knows nothing else), so they
are filled in the same way. The SH1106 has 132 columns, of which the display shows the middle ones.
"""

import framebuf

WIDTH = 128
HEIGHT = 64
_PAGES = 8
_SET_PAGE = 0xB0

# Off; clock, lines, offset; what the chip needs of its own; page addressing; mirrored as the glass is mounted; pins,
# contrast, precharge, level; show memory, not inverted; on.
_SETUPS = {
    "ssd1306": b"\xae\xd5\x80\xa8\x3f\xd3\x00\x40\x8d\x14\x20\x02\xa1\xc8\xda\x12\x81\xcf\xd9\xf1\xdb\x40\xa4\xa6\xaf",
    "ssd1309": b"\xae\xd5\xa0\xa8\x3f\xd3\x00\x40\x20\x02\xa1\xc8\xda\x12\x81\xdf\xd9\x82\xdb\x34\xa4\xa6\xaf",
    "sh1106": b"\xae\xd5\x80\xa8\x3f\xd3\x00\x40\xad\x8b\xa1\xc8\xda\x12\x81\x80\xd9\x22\xdb\x35\xa4\xa6\xaf",
}
_FIRST_COLUMN = {"ssd1306": 0, "ssd1309": 0, "sh1106": 2}


class OnI2c:
    """`i2c` a machine.I2C."""

    def __init__(self, i2c, address):
        self._i2c = i2c
        self._address = address

    def command(self, data):
        self._i2c.writevto(self._address, (b"\x00", data))

    def pixels(self, data):
        self._i2c.writevto(self._address, (b"\x40", data))


class OnSpi:
    """`spi` a machine.SPI; `select` and `data` output pins, `data` the one that tells pixels from commands."""

    def __init__(self, spi, select, data):
        self._spi = spi
        self._select = select
        self._data = data
        select.value(1)

    def command(self, data):
        self._write(0, data)

    def pixels(self, data):
        self._write(1, data)

    def _write(self, level, data):
        self._data.value(level)
        self._select.value(0)
        self._spi.write(data)
        self._select.value(1)


class Panel:
    """`frame` is what is drawn on, `show` puts it on the display. `kind`: the chip of the display."""

    def __init__(self, bus, kind):
        self.buffer = bytearray(WIDTH * _PAGES)
        self.frame = framebuf.FrameBuffer(self.buffer, WIDTH, HEIGHT, framebuf.MONO_VLSB)
        self._bus = bus
        column = _FIRST_COLUMN[kind]
        self._at = bytearray((_SET_PAGE, column & 0x0F, 0x10 | column >> 4))
        self._pages = memoryview(self.buffer)
        bus.command(_SETUPS[kind])
        self.show()

    def show(self):
        for page in range(_PAGES):
            self._at[0] = _SET_PAGE | page
            self._bus.command(self._at)
            self._bus.pixels(self._pages[page * WIDTH : (page + 1) * WIDTH])
