"""What is soldered to a board, as MicroPython's modules see it; runs on both Pythons.

`install()` puts stand-ins for machine, neopixel, rp2, esp32 and network where an import finds them.
"""

import sys

PINS = {}
MADE = {}
DEVICES = {}
PRESSED = set()
KEYPAD = {"rows": (), "columns": (), "keys": "123A456B789C*0#D"}
LOG = []


class Pin:
    IN, OUT, OPEN_DRAIN, PULL_UP = "in", "out", "drain", "up"

    def __init__(self, number, mode=None, pull=None, value=None):
        self.number, self.mode, self.pull, self.level = number, mode, pull, value
        PINS[number] = self

    def value(self, level=None):
        if level is not None:
            if self.mode not in (Pin.OUT, Pin.OPEN_DRAIN):
                raise ValueError("pin %d is no output" % self.number)
            self.level = level
            return None
        if self.number in KEYPAD["columns"]:
            return _column(self.number)
        return 1 if self.level is None else self.level


def _column(number):
    """A key connects its row and its column, both ways: through three keys a row reaches a fourth."""
    rows, columns = KEYPAD["rows"], KEYPAD["columns"]
    low = {("row", row) for row in rows if row in PINS and PINS[row].level == 0}
    for _ in range(len(rows) + len(columns)):
        for key in PRESSED:
            at = KEYPAD["keys"].find(key)
            pair = {("row", rows[at // 4]), ("column", columns[at % 4])}
            if pair & low:
                low = low | pair
    return 0 if ("column", number) in low else 1


class Bus:
    """Keeps how it was made."""

    def __init__(self, *number, **settings):
        settings = {name: (one.number if isinstance(one, Pin) else one) for name, one in settings.items()}
        MADE[type(self).__name__] = (number, settings)
        self.settings = settings


class SPI(Bus):
    def write(self, data):
        for device in DEVICES.values():
            if getattr(device, "select", None) in PINS and PINS[device.select].level == 0:
                device.spi(PINS[device.data].level, bytes(data))

    def readinto(self, buffer):
        for at in range(len(buffer)):
            buffer[at] = 0


class I2C(Bus):
    def _device(self, address):
        if address not in DEVICES:
            raise OSError(19)
        return DEVICES[address]

    def writeto(self, address, data):
        if address == 0:
            # Nobody's address, but eight bits of it hold SDA low.
            for device in DEVICES.values():
                if hasattr(device, "sda_was_low"):
                    device.sda_was_low(8000000 // self.settings["freq"])
        self._device(address).take(bytes(data))

    def readfrom(self, address, count):
        return self._device(address).give(count)

    def writevto(self, address, parts):
        self._device(address).written(b"".join([bytes(part) for part in parts]))

    def writeto_mem(self, address, register, data):
        self._device(address).write(register, bytes(data))

    def readfrom_mem(self, address, register, count):
        return self._device(address).read(register, count)


class SoftI2C(I2C):
    pass


class UART(Bus):
    pass


class PWM:
    def __init__(self, pin):
        self._hz = 0

    def freq(self, hz):
        self._hz = hz

    def duty_u16(self, duty):
        LOG.append(("tone", self._hz if duty else 0))


RUNNING = []


class Timer:
    ONE_SHOT = 0

    def __init__(self, number):
        self._callback = None

    def init(self, mode, period, callback):
        if mode != Timer.ONE_SHOT or period <= 0:
            raise ValueError("a timer that never comes")
        LOG.append(("wait", period))
        RUNNING.append((self, callback))

    def deinit(self):
        RUNNING.clear()


def let_timers_run():
    for _ in range(100):
        if not RUNNING:
            return
        timer, callback = RUNNING.pop(0)
        callback(timer)
    raise ValueError("a melody without end")


class WDT:
    fed = 0

    def __init__(self, timeout):
        MADE["WDT"] = timeout

    def feed(self):
        WDT.fed += 1


class NeoPixel:
    def __init__(self, pin, count):
        self._colour = None

    def fill(self, colour):
        self._colour = colour

    def write(self):
        LOG.append(("light", self._colour))


class NorFlash:
    """As rp2.Flash: whole pages, each bit only from 1 to 0, blocks erased whole."""

    def __init__(self, blocks):
        self.blocks = blocks
        self.written = {}  # block: its bytes; what was never written is erased
        self.stuck = None  # (block, offset, value) of a byte that takes nothing

    def readblocks(self, block, buffer, offset=0):
        for index in range(len(buffer)):
            at = offset + index
            buffer[index] = self._block(block + at // 4096)[at % 4096]

    def writeblocks(self, block, data, offset=None):
        if offset is None or offset % 256 or len(data) % 256:
            raise ValueError("the RP2 programs whole pages")
        held = self._block(block)
        for index in range(len(data)):
            held[offset + index] &= data[index]
        self._stick()

    def ioctl(self, code, argument):
        if code == 4:
            return self.blocks
        if code == 6:
            self._block(argument)[:] = b"\xff" * 4096
            self._stick()
            return 0
        raise ValueError("no ioctl %d" % code)

    def _block(self, block):
        if not 0 <= block < self.blocks:
            raise ValueError("there is no block %d" % block)
        if block not in self.written:
            self.written[block] = bytearray(b"\xff" * 4096)
        return self.written[block]

    def _stick(self):
        if self.stuck:
            self._block(self.stuck[0])[self.stuck[1]] = self.stuck[2]


class Display:
    """The memory of an SSD1306, SSD1309 or SH1106 as its commands fill it. On SPI: the pins `select` and `data`."""

    def __init__(self, kind, select=None, data=None):
        self.kind, self.select, self.data = kind, select, data
        self.memory = bytearray(8 * 132)
        self.on = False
        self._page = self._column = 0
        self._paged = kind == "sh1106"

    def written(self, data):
        if data[0] == 0x40:
            self._pixels(data[1:])
        elif data[0] == 0x00:
            self._commands(data[1:])
        else:
            raise ValueError("no control byte %02X" % data[0])

    def spi(self, level, data):
        if level:
            self._pixels(data)
        else:
            self._commands(data)

    def _commands(self, data):
        at = 0
        while at < len(data):
            code = data[at]
            at += 1
            if code in (0xAE, 0xAF):
                self.on = code == 0xAF
            elif code & 0xF8 == 0xB0:
                self._page = code & 7
            elif code < 0x10:
                self._column = self._column & 0xF0 | code
            elif code < 0x20:
                self._column = self._column & 0x0F | (code & 0x0F) << 4
            elif code == 0x20 and self.kind != "sh1106":
                self._paged = data[at] == 2
                at += 1
            elif code in (0x8D, 0x81, 0xA8, 0xD3, 0xD5, 0xD9, 0xDA, 0xDB, 0xAD):
                if self.kind != {0x8D: "ssd1306", 0xAD: "sh1106"}.get(code, self.kind):
                    raise ValueError("%s knows no command %02X" % (self.kind, code))
                at += 1
            elif code not in (0x40, 0xA1, 0xC8, 0xA4, 0xA6):
                raise ValueError("no command %02X" % code)

    def _pixels(self, data):
        if not self._paged:
            raise ValueError("pixels before page addressing is set")
        for byte in data:
            self.memory[self._page * 132 + self._column] = byte
            self._column += 1

    def seen(self):
        """What the glass of 128 columns shows."""
        first = 2 if self.kind == "sh1106" else 0
        shown = b""
        for page in range(8):
            shown += bytes(self.memory[page * 132 + first : page * 132 + first + 128])
        return shown


class Registers:
    """A DS3231: nineteen registers, the clock stood still at first."""

    def __init__(self):
        self.bytes = bytearray(19)
        self.bytes[15] = 0x88

    def read(self, register, count):
        return bytes(self.bytes[register : register + count])

    def write(self, register, data):
        for at in range(len(data)):
            self.bytes[register + at] = data[at]


STATUS = {
    "rp2": {"IDLE": 0, "CONNECTING": 1, "GOT_IP": 3, "NO_AP_FOUND": -2, "WRONG_PASSWORD": -3},
    "esp32": {"IDLE": 1000, "CONNECTING": 1001, "GOT_IP": 1010, "NO_AP_FOUND": 201, "WRONG_PASSWORD": 202},
}


class Wlan:
    """A station as the library of MicroPython says (class network.WLAN), with the numbers of the RP2 or the ESP32.

    A join takes `polls` questions whether it is there; what failed stays failed, as `status` says.
    """

    in_the_air = None  # password by name
    polls = 3
    board = "rp2"
    broken = False

    def __init__(self, interface=0):
        self._on = False
        self._said = "IDLE"
        self._left = 0

    def active(self, *on):
        if not on:
            return self._on
        LOG.append(("radio", on[0]))
        self._on = on[0]
        return None

    def connect(self, ssid, password):
        if not self._on or self.broken:
            raise OSError("Wifi Internal Error")
        LOG.append(("join", ssid))
        self._said, self._left = "CONNECTING", self.polls
        if ssid not in self.in_the_air:
            self._said = "NO_AP_FOUND"
        elif self.in_the_air[ssid] != password:
            self._said = "WRONG_PASSWORD"

    def disconnect(self):
        self._said = "IDLE"

    def isconnected(self):
        if self._said == "CONNECTING":
            self._left -= 1
            if self._left < 0:
                self._said = "GOT_IP"
        return self._said == "GOT_IP"

    def status(self):
        return STATUS[self.board][self._said]


class Rtc:
    """The calendar of the chip, that begins anew with each start."""

    def datetime(self, moment):
        LOG.append(("calendar", moment))


class _Module:
    pass


def install(flash):
    """`flash` is the NorFlash of the board, in rp2 and in a partition of esp32 called journal."""
    machine = _Module()
    for one in (Pin, SPI, I2C, SoftI2C, UART, PWM, Timer, WDT):
        setattr(machine, one.__name__, one)
    neopixel = _Module()
    neopixel.NeoPixel = NeoPixel
    rp2 = _Module()
    rp2.Flash = lambda: flash
    esp32 = _Module()

    class Partition:
        TYPE_DATA = 1

        @staticmethod
        def find(type, label):
            return [flash] if label == "journal" else []

    esp32.Partition = Partition
    machine.RTC = Rtc
    network = _Module()
    network.STA_IF = 0
    network.WLAN = Wlan
    for name in STATUS[Wlan.board]:
        setattr(network, "STAT_" + name, STATUS[Wlan.board][name])
    modules = {"machine": machine, "neopixel": neopixel, "rp2": rp2, "esp32": esp32, "network": network}
    for name in modules:
        sys.modules[name] = modules[name]
