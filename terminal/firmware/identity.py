"""Which device this is: its own number, what it tags passes with, and what opens its next lease."""

from binascii import hexlify, unhexlify

from card.errors import BadLease
from card.lease import DEVICE_BYTES, WrappingKey, unwrap
from card.wire import read_uint, uint
from terminal.firmware import forms
from terminal.firmware.errors import ListRefused

_FILE = "device"
_TAG_KEY_AT = 8
_TERMINAL_AT = 24
_LEASE_AT = 28
_ISSUER_AT = 32
_STATE_AT = 34
# What is longer is not read: anybody with a cable can bring it.
_MOST_BYTES = 512


class Identity:
    """The file `device`: number and tag key, made by the device at its first start; then what it was given by hand.

    `random(n)` gives n random bytes. `device` is the number in hex digits; `terminal` is None until somebody brought
    the wrapping key.
    """

    def __init__(self, flash, random):
        self._flash = flash
        kept = flash.read_checked(_FILE)
        if kept is None:
            kept = random(DEVICE_BYTES) + random(_TERMINAL_AT - _TAG_KEY_AT)
            flash.replace_checked(_FILE, kept)
        self._number = kept[:_TAG_KEY_AT]
        self.device = hexlify(self._number).decode()
        self.tag_key = kept[_TAG_KEY_AT:_TERMINAL_AT]
        self.terminal, self.issuer, self._wrapping = _given(kept)

    @property
    def next_lease(self):
        """The number that the next lease has to have; 0 also for a device that cannot open any."""
        return self._wrapping.number if self._wrapping else 0

    def enrol(self, content, terminal):
        """Take terminal number and wrapping key, once, from a device file (JSON) that names this device.

        `terminal`: the number that the journal here was written under, or None.
        """
        if len(content) > _MOST_BYTES:
            raise ListRefused("this is not a device file")
        found = forms.filled_in(forms.DEVICE, content, "a device file")
        if unhexlify(found["device"]) != self._number:
            raise ListRefused("the device file is for another device")
        if self._wrapping is not None:
            raise ListRefused("this terminal has a wrapping key already; reset it before it gets another")
        if terminal not in (None, found["terminal"]):
            raise ListRefused("this is terminal %d; reset it before it becomes another" % terminal)
        self._keep(found["terminal"], found["issuer"], WrappingKey(unhexlify(found["wrapping_key"])))

    def open(self, lease):
        """What the next lease says; raises ListRefused for any other."""
        if self._wrapping is None:
            raise ListRefused("this device has no wrapping key yet; provision it first")
        try:
            return unwrap(self._wrapping, self.terminal, self._number, lease)
        except BadLease as error:
            raise ListRefused(str(error))

    def step(self):
        """After a lease was accepted: what opened it is forgotten."""
        after = WrappingKey(self._wrapping.state, self._wrapping.number)
        after.step()
        self._keep(self.terminal, self.issuer, after)

    def _keep(self, terminal, issuer, wrapping):
        given = uint(terminal, 4) + uint(wrapping.number, 4) + uint(issuer, 2) + wrapping.state
        self._flash.replace_checked(_FILE, self._number + self.tag_key + given)
        self.terminal, self.issuer, self._wrapping = terminal, issuer, wrapping


def _given(kept):
    """Terminal number, municipality and wrapping key in the file, or None for each."""
    if len(kept) == _TERMINAL_AT:
        return None, None, None
    terminal, issuer = read_uint(kept, _TERMINAL_AT, 4), read_uint(kept, _ISSUER_AT, 2)
    return terminal, issuer, WrappingKey(kept[_STATE_AT:], read_uint(kept, _LEASE_AT, 4))
