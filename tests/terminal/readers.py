"""The reader driver of the firmware on each bus it knows, with an emulated PN532 at the other end."""

import os
import select
import termios
import time
import tty
from dataclasses import dataclass

from hardware.emulated_pn532 import EmulatedPN532, I2cChip, SpiChip
from hardware.emulated_pn532.bus import BusChip
from terminal.firmware.pn532 import Pn532
from terminal.firmware.pn532_hsu import Hsu
from terminal.firmware.pn532_i2c import I2c
from terminal.firmware.pn532_spi import Spi

BUSES = ("spi", "spi without irq", "i2c", "i2c without irq", "hsu", "hsu at 921600")
_MOMENT_S = 0.001
_SPEEDS = {115200: termios.B115200, 921600: termios.B921600}


class SelectPin:
    def __init__(self, chip: SpiChip) -> None:
        self._chip = chip

    def value(self, level: int) -> None:
        self._chip.select(level)


class IrqPin:
    def __init__(self, chip: BusChip) -> None:
        self._chip = chip

    def value(self) -> int:
        return self._chip.irq


class MachineSpi:
    """As machine.SPI."""

    def __init__(self, chip: SpiChip) -> None:
        self._chip = chip

    def write(self, data: bytes) -> None:
        self._chip.transfer(bytes(data))

    def readinto(self, buffer: bytearray) -> None:
        buffer[:] = self._chip.transfer(bytes(len(buffer)))


class MachineSoftI2c:
    """As machine.SoftI2C, its primitive operations."""

    def __init__(self, chip: I2cChip) -> None:
        self._chip = chip
        self.start, self.stop = chip.start, chip.stop

    def write(self, data: bytes) -> int:
        return self._chip.write(bytes(data))

    def readinto(self, buffer: bytearray, nack: bool = True) -> None:
        buffer[:] = self._chip.read(len(buffer), nack)


class SerialPort:
    """As `pn532_hsu.Uart`, on the pseudo-terminal of a chip. Its watch stands still while bytes are on their way."""

    def __init__(self, chip: EmulatedPN532) -> None:
        self._chip = chip
        self._wrote, self._got = chip.heard, chip.said
        self.descriptor = os.open(chip.path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.descriptor)

    def set_speed(self, baud: int) -> None:
        # On a wire bytes travel at the speed they were sent at; here at the one that is set when they are read.
        self._wait_until_heard()
        settings = termios.tcgetattr(self.descriptor)
        settings[4] = settings[5] = _SPEEDS[baud]
        termios.tcsetattr(self.descriptor, termios.TCSANOW, settings)

    def write(self, data: bytes) -> None:
        self._wrote += os.write(self.descriptor, bytes(data))

    def read(self, count: int, timeout_ms: int) -> bytes:
        self._wait_until_heard()
        data, end = b"", time.monotonic() + timeout_ms / 1000
        while len(data) < count:
            ready, _, _ = select.select([self.descriptor], [], [], max(0.0, end - time.monotonic()))
            if ready:
                came = os.read(self.descriptor, count - len(data))
                data += came
                self._got += len(came)
            elif self._got == self._chip.said:
                break
            else:
                time.sleep(_MOMENT_S)
        return data

    def _wait_until_heard(self) -> None:
        while self._chip.heard < self._wrote and self._chip.is_on:
            time.sleep(_MOMENT_S)


@dataclass
class Connected:
    """A chip, the driver on its bus, and that bus of the driver."""

    chip: SpiChip | I2cChip | EmulatedPN532
    reader: Pn532
    bus: Spi | I2c | Hsu

    def restart(self, fast: bool = True) -> None:
        """The terminal is switched off and on, and the chip is not."""
        self.reader = Pn532(self.bus, fast)

    def close(self) -> None:
        if isinstance(self.chip, EmulatedPN532):
            self.chip.stop()
            os.close(self.bus._port.descriptor)


def connect(name: str, fast: bool = True, port: type[SerialPort] = SerialPort) -> Connected:
    kind, *options = name.split()
    chip: SpiChip | I2cChip | EmulatedPN532
    if kind == "spi":
        chip = SpiChip()
        bus = Spi(MachineSpi(chip), SelectPin(chip), None if options else IrqPin(chip))
    elif kind == "i2c":
        chip = I2cChip()
        bus = I2c(MachineSoftI2c(chip), None if options else IrqPin(chip))
    else:
        chip = EmulatedPN532(minds_speed=bool(options)).start()
        bus = Hsu(port(chip), (115200, 921600) if options else ())
    return Connected(chip, Pn532(bus, fast), bus)
