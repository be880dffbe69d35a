"""Which device this is: a number and a key, which it makes itself at its first start."""

from binascii import hexlify

from card.cmac import cmac
from card.lease import DEVICE_BYTES
from terminal.firmware.errors import FlashError, KeyChipError

_FILE = "device"
_KEY_BYTES = 16


class Identity:
    """The file `device`. `random(n)` gives n random bytes; `device` is the number in hex digits.

    `chip(data)` gives 16 bytes that only the chip of this board can make of `data`; None for a board without one.
    """

    def __init__(self, flash, random, chip=None):
        kept = flash.read_checked(_FILE)
        if kept is None or len(kept) != DEVICE_BYTES + _KEY_BYTES:
            kept = random(DEVICE_BYTES) + random(_KEY_BYTES)
            try:
                flash.replace_checked(_FILE, kept)
            except FlashError:
                pass  # a flash like that takes no wrapping key either: it is another device at each start
        self.number = kept[:DEVICE_BYTES]
        self.device = hexlify(self.number).decode()
        self._key = kept[DEVICE_BYTES:]
        self._chip = chip

    def secret(self, data):
        """16 bytes that only this device can make of `data`: with its flash, and with its chip where it has one.

        Raises KeyChipError. No PIN goes over the wires to the chip, where somebody could listen.
        """
        made = cmac(self._key, b"secret" + data)
        return made if self._chip is None else self._chip(self.number + made)

    def trouble(self):
        """What is wrong with the chip, in a sentence; None when it works, or where there is none."""
        try:
            self.secret(b"")
        except KeyChipError as error:
            return str(error)
        return None
