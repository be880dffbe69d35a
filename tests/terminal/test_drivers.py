"""Display, keypad, buzzer, clock and flash, each on a stand-in that behaves as its data sheet says."""

import datetime
import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.firmware import boards
from terminal.firmware.boards import esp32_s3, pico_2_w, pico_w
from terminal.firmware.drivers import keypad as keypad_module
from terminal.firmware.drivers.buzzer import Buzzer
from terminal.firmware.drivers.ds3231 import Ds3231
from terminal.firmware.drivers.keypad import Keypad
from terminal.firmware.drivers.raw_flash import RawFlash
from tests.twin import machine_parts as parts

ROWS, COLUMNS = (1, 2, 3, 4), (5, 6, 7, 8)
ZERO = datetime.date(2020, 1, 1)


@pytest.fixture(autouse=True)
def nothing_soldered():
    for held in (parts.PINS, parts.MADE, parts.DEVICES, parts.PRESSED, parts.LOG, parts.RUNNING):
        held.clear()


# Display


@pytest.fixture
def panel_module(monkeypatch):
    """Framebuf is MicroPython's; here only its memory is needed."""
    framebuf = types.SimpleNamespace(MONO_VLSB=0, FrameBuffer=lambda buffer, width, height, kind: buffer)
    monkeypatch.setitem(sys.modules, "framebuf", framebuf)
    from terminal.firmware.drivers import panel

    return panel


@pytest.mark.parametrize("kind", ["ssd1306", "ssd1309", "sh1106"])
@pytest.mark.parametrize("bus", ["i2c", "spi"])
def test_every_pixel_reaches_its_place_on_every_display(panel_module, kind, bus):
    if bus == "i2c":
        display = parts.DEVICES[0x3C] = parts.Display(kind)
        on = panel_module.OnI2c(parts.I2C(0), 0x3C)
    else:
        display = parts.DEVICES["spi"] = parts.Display(kind, select=1, data=2)
        on = panel_module.OnSpi(parts.SPI(0), parts.Pin(1, parts.Pin.OUT), parts.Pin(2, parts.Pin.OUT))
    panel = panel_module.Panel(on, kind)
    assert display.on
    assert display.seen() == bytes(1024)
    panel.buffer[:] = bytes((at * 7 + at // 256) & 0xFF for at in range(1024))
    panel.show()
    assert display.seen() == bytes(panel.buffer)
    panel.buffer[1023] ^= 0xFF
    panel.show()
    assert display.seen() == bytes(panel.buffer)


# Keypad


class Finger:
    """Presses and lets go, in milliseconds of a clock of its own."""

    def __init__(self, monkeypatch):
        parts.KEYPAD.update(rows=ROWS, columns=COLUMNS)
        self.now = 0
        monkeypatch.setattr(keypad_module, "ticks_ms", lambda: self.now)
        self._pad = Keypad(
            [parts.Pin(pin, parts.Pin.OPEN_DRAIN) for pin in ROWS], [parts.Pin(pin, parts.Pin.IN) for pin in COLUMNS]
        )

    def hold(self, keys, length_ms=40):
        """The keys that the terminal noticed while these were down."""
        parts.PRESSED.clear()
        parts.PRESSED.update(keys)
        noticed = ""
        for _ in range(0, length_ms, 5):
            noticed += self._pad.key() or ""
            self.now += 5
        return noticed


@pytest.fixture
def finger(monkeypatch):
    return Finger(monkeypatch)


@pytest.mark.parametrize("key", "123A456B789C*0#D")
def test_a_key_counts_once_however_long_it_is_held(finger, key):
    assert finger.hold("") == ""
    assert finger.hold(key, 2000) == key
    assert finger.hold("") == ""
    assert finger.hold(key) == key


def test_a_contact_that_bounces_is_one_press(finger):
    noticed = "".join(finger.hold(keys, 5) for keys in ("5", "", "5", "", "5"))
    noticed += finger.hold("5")
    noticed += "".join(finger.hold(keys, 5) for keys in ("", "5", "", "5"))
    assert noticed + finger.hold("") == "5"


def test_a_touch_too_short_to_be_meant_is_none(finger):
    assert finger.hold("5", 10) + finger.hold("") == ""


@pytest.mark.parametrize("keys", ["12", "15", "14", "125", "1234567890"])
def test_of_several_keys_at_once_none_counts_until_all_are_up(finger, keys):
    """Three corners of a square press the fourth as well."""
    assert finger.hold(keys) == ""
    assert finger.hold(keys[:1]) == ""
    assert finger.hold("") == ""
    assert finger.hold("9") == "9"


def test_a_second_key_before_the_first_is_up_does_not_count(finger):
    assert finger.hold("1") == "1"
    assert finger.hold("12") == ""
    assert finger.hold("2") == ""
    assert finger.hold("") == ""
    assert finger.hold("2") == "2"


# Buzzer


def test_a_melody_plays_on_by_itself_and_ends_in_silence():
    buzzer = Buzzer(parts.PWM(None), parts.Timer(0), parts.Timer.ONE_SHOT)
    buzzer.play([(1000, 100), (0, 50), (2000, 100)])
    assert parts.LOG[1:] == [("tone", 1000), ("wait", 100)]
    parts.let_timers_run()
    assert parts.LOG[3:] == [("tone", 0), ("wait", 50), ("tone", 2000), ("wait", 100), ("tone", 0)]


def test_a_new_melody_ends_the_one_before():
    buzzer = Buzzer(parts.PWM(None), parts.Timer(0), parts.Timer.ONE_SHOT)
    buzzer.play([(1000, 100), (3000, 100)])
    buzzer.play([(500, 10)])
    parts.let_timers_run()
    assert ("tone", 3000) not in parts.LOG
    buzzer.play([])
    assert parts.LOG[-1] == ("tone", 0)


# Clock


@pytest.fixture
def clock():
    parts.DEVICES[0x68] = parts.Registers()
    return Ds3231(parts.I2C(0))


def set_chip(date, time=b"\x30\x15\x23"):
    """The registers as the chip would count them; it no longer stands still."""
    bcd = [int(str(number), 16) for number in (date.isoweekday(), date.day, date.month, date.year % 100)]
    parts.DEVICES[0x68].write(0, time + bytes(bcd))
    parts.DEVICES[0x68].write(15, b"\x08")


@given(st.dates(datetime.date(2025, 1, 1), datetime.date(2099, 12, 31)))
def test_every_day_is_read_and_set_as_the_calendar_has_it(date):
    parts.DEVICES[0x68] = parts.Registers()
    clock = Ds3231(parts.I2C(0))
    assert clock.today() is None
    clock.set_today((date - ZERO).days)
    assert clock.today() == (date - ZERO).days
    assert parts.DEVICES[0x68].bytes[15] == 0x08
    set_chip(date)
    assert clock.today() == (date - ZERO).days


def test_setting_the_date_leaves_the_time_of_a_clock_that_runs(clock):
    set_chip(datetime.date(2026, 2, 28))
    clock.set_today((datetime.date(2026, 3, 1) - ZERO).days)
    assert bytes(parts.DEVICES[0x68].bytes[:3]) == b"\x30\x15\x23"
    assert clock.today() == (datetime.date(2026, 3, 1) - ZERO).days


def test_a_clock_that_stood_still_is_set_to_noon(clock):
    clock.set_today(2516)
    assert bytes(parts.DEVICES[0x68].bytes[:3]) == b"\x00\x00\x12"


@pytest.mark.parametrize(
    ("register", "value"),
    [(4, 0x00), (4, 0x32), (4, 0x1A), (5, 0x00), (5, 0x13), (5, 0x80 | 0x06), (6, 0x24), (6, 0xA0), (15, 0x80)],
)
def test_a_clock_that_says_no_day_that_can_be_says_none(clock, register, value):
    set_chip(datetime.date(2026, 6, 15))
    assert clock.today() is not None
    parts.DEVICES[0x68].write(register, bytes([value]))
    assert clock.today() is None


def test_30_february_is_none(clock):
    set_chip(datetime.date(2028, 2, 29))
    assert clock.today() == (datetime.date(2028, 2, 29) - ZERO).days
    parts.DEVICES[0x68].write(6, b"\x27")
    assert clock.today() is None


def test_no_clock_is_none_and_cannot_be_set():
    clock = Ds3231(parts.I2C(0))
    clock.set_today(2516)
    assert clock.today() is None


# Flash


def test_what_was_written_stands_beside_what_was_there_and_in_no_other_stretch():
    flash = parts.NorFlash(8)
    stretch, other = RawFlash(flash, 2, 3), RawFlash(flash, 5, 3)
    stretch.write(250, b"over the edge of a page")
    stretch.write(0, b"first")
    stretch.write(4090, b"over the edge of a block")
    for at, data in ((250, b"over the edge of a page"), (0, b"first"), (4090, b"over the edge of a block")):
        buffer = bytearray(len(data))
        stretch.read_into(at, buffer)
        assert buffer == data
    assert flash.written.keys() <= {2, 3}
    other.write(0, b"x")
    stretch.erase(1)
    buffer = bytearray(12)
    stretch.read_into(4090, buffer)
    assert buffer == b"over t" + b"\xff" * 6


@given(
    st.lists(st.tuples(st.integers(0, 3 * 4096 - 1), st.binary(min_size=1, max_size=600)), max_size=6),
)
def test_the_same_bytes_as_a_file_would_have(writes):
    stretch = RawFlash(parts.NorFlash(5), 1, 3)
    held = bytearray(b"\xff" * 3 * 4096)
    for at, data in writes:
        data = data[: len(held) - at]
        if held[at : at + len(data)] != b"\xff" * len(data):
            continue
        stretch.write(at, data)
        held[at : at + len(data)] = data
    buffer = bytearray(len(held))
    stretch.read_into(0, buffer)
    assert buffer == held


def test_a_flash_that_does_not_hold_what_it_is_given_says_so():
    flash = parts.NorFlash(2)
    stretch = RawFlash(flash, 0, 2)
    flash.stuck = (0, 10, 0x00)
    with pytest.raises(OSError, match="hold"):
        stretch.write(8, b"\xaa\xaa\xaa")
    with pytest.raises(OSError, match="erased"):
        stretch.erase(0)


# Boards


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ("Raspberry Pi Pico W with RP2040", "Raspberry Pi Pico W"),
        ("Raspberry Pi Pico 2 W with RP2350", "Raspberry Pi Pico 2 W"),
        ("Generic ESP32S3 module with ESP32S3", "ESP32-S3-DevKitC-1"),
    ],
)
def test_a_board_knows_itself(monkeypatch, machine, name):
    monkeypatch.setattr(boards.sys, "implementation", types.SimpleNamespace(_machine=machine))
    assert boards.of_this_machine()["name"] == name


def test_a_machine_that_nobody_described_is_refused(monkeypatch):
    monkeypatch.setattr(boards.sys, "implementation", types.SimpleNamespace(_machine="Toaster with AVR"))
    with pytest.raises(OSError, match="no description of Toaster"):
        boards.of_this_machine()


@pytest.mark.parametrize(
    ("bus", "settings", "made", "transport"),
    [
        ("spi", {"id": 0, "baudrate": 5000000, "sck": 18}, ("SPI", (0,), "polarity"), "Spi"),
        ("softi2c", {"freq": 400000, "sda": 0, "scl": 1}, ("SoftI2C", (), "sda"), "I2c"),
        ("uart", {"id": 0, "tx": 0, "rx": 1}, ("UART", (0,), "tx"), "Hsu"),
    ],
)
def test_a_reader_may_be_on_any_bus_and_a_display_on_spi(monkeypatch, panel_module, bus, settings, made, transport):
    for module in ("machine", "neopixel", "rp2", "esp32", "network"):
        monkeypatch.setitem(sys.modules, module, None)
    parts.install(parts.NorFlash(1))
    from terminal.firmware.board import Board

    data = {
        **pico_w.BOARD,
        "buses": {bus: settings, "i2c": {"id": 1, "sda": 4, "scl": 5}, "spi9": {"id": 1, "sck": 10}},
        "reader": {"bus": bus, "select": 17, "irq": 20, "reset": 21, "fast": False},
        "display": {"bus": "spi9", "kind": "sh1106", "select": 26, "data": 27},
    }
    display = parts.DEVICES["spi"] = parts.Display("sh1106", select=26, data=27)
    board = Board(data)
    assert display.on
    assert type(board.reader._bus).__name__ == transport
    assert not board.reader._fast
    name, numbers, setting = made
    if bus != "spi":
        assert parts.MADE[name][0] == numbers
        assert setting in parts.MADE[name][1]
    assert parts.PINS[20].mode == "in"


def pins_of(board):
    wires = [
        pin for bus in board["buses"].values() for wire, pin in bus.items() if wire not in ("id", "baudrate", "freq")
    ]
    reader = [board["reader"][wire] for wire in ("select", "irq", "reset") if wire in board["reader"]]
    pads = [*board["keypad"]["rows"], *board["keypad"]["columns"]]
    return [*wires, *reader, *pads, board["buzzer"], board["light"]]


@pytest.mark.parametrize("name", ["pico_w", "pico_2_w", "esp32_s3"])
def test_no_pin_is_used_twice_or_belongs_to_the_board_itself(name):
    board = {"pico_w": pico_w, "pico_2_w": pico_2_w, "esp32_s3": esp32_s3}[name].BOARD
    pins = pins_of(board)
    assert len(pins) == len(set(pins)) == 18
    own = {23, 24, 25, 29} if name.startswith("pico") else {0, 3, 45, 46, 19, 20, *range(26, 38), 43, 44}
    assert set(pins) & own == set()
    assert max(pins) <= (28 if name.startswith("pico") else 48)
