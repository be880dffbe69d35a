"""A board of `boards/` as what a Device needs of the machine it runs on."""

import gc
import os
import select
import sys

import machine

from terminal.firmware import boards, screen, signals
from terminal.firmware.drivers.buzzer import Buzzer
from terminal.firmware.drivers.ds3231 import Ds3231, date_of
from terminal.firmware.drivers.keypad import Keypad
from terminal.firmware.drivers.panel import OnI2c, OnSpi, Panel
from terminal.firmware.drivers.raw_flash import RawFlash
from terminal.firmware.pn532 import Pn532
from terminal.firmware.ticks import ticks_diff, ticks_ms

# Of a PN532 on a serial line; what it sends must fit before anybody looks.
_SPEEDS = (115200, 921600)
_LONGEST_FRAME = 512


class Board:
    """`data`: the dict of a board. The watchdog runs from the first time that a key is asked for."""

    def __init__(self, data):
        self._data = data
        self._buses = {}
        self.reader = Pn532(self._transport(data["reader"]), data["reader"].get("fast", True))
        self._panel = self._display(data["display"])
        keypad = data["keypad"]
        self._keypad = Keypad([_drain(pin) for pin in keypad["rows"]], [_pulled_up(pin) for pin in keypad["columns"]])
        self._buzzer = Buzzer(
            machine.PWM(machine.Pin(data["buzzer"])), machine.Timer(data["timer"]), machine.Timer.ONE_SHOT
        )
        self._light = _light(data["light"])
        self._clock = Ds3231(self._bus(data["clock"]))
        if "key_chip" in data:
            self.secret = _key_chip(self._bus(data["key_chip"]["bus"]), data["key_chip"])
        self._watchdog = None
        self._passed_ms = 0
        self._ticks = ticks_ms()
        self.random = os.urandom
        if data.get("radio_for_random"):
            _station()[1].active(True)

    def key(self):
        """The next key, or None."""
        if self._watchdog is None:
            self._watchdog = machine.WDT(timeout=self._data["watchdog_ms"])
        self._watchdog.feed()
        return self._keypad.key()

    def feed(self):
        """For what takes longer than a turn of the loop."""
        if self._watchdog is not None:
            self._watchdog.feed()

    def show(self, state, code, lines):
        tones, colour = signals.of(code)
        self._buzzer.play(tones)
        self._light.fill(colour)
        self._light.write()
        screen.draw(self._panel.frame, state, code, lines)
        self._panel.show()

    def seconds_on(self):
        """Whole seconds since the board was made, as long as it is asked within six days."""
        now = ticks_ms()
        self._passed_ms += ticks_diff(now, self._ticks)
        self._ticks = now
        return self._passed_ms // 1000

    def today(self):
        """The day of the battery clock, or None."""
        return self._clock.today()

    def set_today(self, day):
        self._clock.set_today(day)

    def set_calendar(self, day):
        """Tell the clock of the chip the day, by which it judges certificates."""
        machine.RTC().datetime(date_of(day) + (0, 0, 0, 0, 0))

    def radio(self, settings):
        """The Wifi of these settings; None when they name no network."""
        if not settings.get("ssid"):
            return None
        from terminal.firmware.wifi import Wifi

        network, station = _station()
        return Wifi(network, station, settings, self.seconds_on, self._data.get("radio_for_random", False))

    def rest(self):
        gc.collect()

    def storage(self, index):
        """Raw flash for the journal of book `index`."""
        journal = self._data["journal"]
        if not 0 <= index < journal["books"]:
            raise OSError("this board has room for %d books" % journal["books"])
        if "partition" in journal:
            from terminal.firmware.drivers.esp32_flash import device
        else:
            from terminal.firmware.drivers.rp2_flash import device
        flash, first = device(journal)
        return RawFlash(flash, first + index * journal["blocks"], journal["blocks"])

    # Parts

    def _bus(self, name):
        """A bus, made once for all parts on it; its kind stands at the start of its name."""
        if name not in self._buses:
            given = dict(self._data["buses"][name])
            for wire in ("sck", "mosi", "miso", "sda", "scl", "tx", "rx"):
                if wire in given:
                    given[wire] = machine.Pin(given[wire])
            self._buses[name] = _made(name, given)
        return self._buses[name]

    def _transport(self, data):
        """Only the one that this board has is loaded."""
        name = data["bus"]
        irq, reset = _input(data.get("irq")), _output(data.get("reset"))
        if name.startswith("spi"):
            from terminal.firmware.pn532_spi import Spi

            return Spi(self._bus(name), _output(data["select"]), irq, reset)
        if name.startswith("softi2c"):
            from terminal.firmware.pn532_i2c import I2c

            return I2c(self._bus(name), irq, reset)
        from terminal.firmware.pn532_hsu import Hsu, Uart

        return Hsu(Uart(self._bus(name), rxbuf=_LONGEST_FRAME), _SPEEDS)

    def _display(self, data):
        bus = self._bus(data["bus"])
        if data["bus"].startswith("spi"):
            return Panel(OnSpi(bus, _output(data["select"]), _output(data["data"])), data["kind"])
        return Panel(OnI2c(bus, data["address"]), data["kind"])


def _station():
    import network

    return network, network.WLAN(network.STA_IF)


def _made(name, given):
    if name.startswith("spi"):
        return machine.SPI(given.pop("id"), polarity=0, phase=0, **given)
    if name.startswith("softi2c"):
        return machine.SoftI2C(**given)
    if name.startswith("i2c"):
        return machine.I2C(given.pop("id"), **given)
    return machine.UART(given.pop("id"), baudrate=_SPEEDS[0], **given)


def _key_chip(bus, data):
    """What `secret` of a Device asks; its code is loaded only where there is a chip."""
    from terminal.firmware.drivers.atecc608 import Atecc608

    return Atecc608(bus, data["address"], data["slot"]).secret


def _light(pin):
    import neopixel

    return neopixel.NeoPixel(machine.Pin(pin), 1)


def _output(pin):
    return None if pin is None else machine.Pin(pin, machine.Pin.OUT, value=1)


def _input(pin):
    return None if pin is None else machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP)


def _drain(pin):
    return machine.Pin(pin, machine.Pin.OPEN_DRAIN, value=1)


def _pulled_up(pin):
    return machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP)


class UsbLine:
    """The line to the host: what a board sends and gets over the USB cable that feeds it."""

    def __init__(self):
        import micropython

        # Any byte may come, also the one that else stops a program.
        micropython.kbd_intr(-1)
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)

    def write(self, data):
        sys.stdout.buffer.write(data)

    def read(self, count, timeout_ms):
        """`count` bytes, or fewer when the line is silent for `timeout_ms`."""
        data = bytearray(count)
        for at in range(count):
            if not self._poll.poll(timeout_ms):
                return bytes(data[:at])
            data[at] = sys.stdin.buffer.read(1)[0]
        return bytes(data)


def main(flash):
    """Run the terminal on this board; comes back when new firmware waits to be started."""
    from terminal.firmware import loop
    from terminal.firmware.device import Device

    board = Board(boards.of_this_machine())
    device = Device(flash, board)
    loop.run(device, UsbLine(), loop.online_on(device, board))
