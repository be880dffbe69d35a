"""A PN532 reader chip in software, on a pseudo-terminal that any program can open as its serial port, on SPI or on I2C.

Read in this order: `emulated_pn532` (the serial line), `spi` and `i2c` with what they share in `bus`; `interface` (what
a person can do), `dialogue` and `outbox` (a command and its answer), `frames`, `chip` (every command), `field` (the
pass on the antenna), `iso_dep` (the blocks of a host that does ISO/IEC 14443-4 itself). "UM" is the PN532 user manual,
UM0701-02.
"""

from hardware.emulated_pn532.bus import BusMisused
from hardware.emulated_pn532.emulated_pn532 import EmulatedPN532
from hardware.emulated_pn532.i2c import I2cChip
from hardware.emulated_pn532.spi import SpiChip

__all__ = ["BusMisused", "EmulatedPN532", "I2cChip", "SpiChip"]
