"""Which device this is, and which terminal it is for a municipality, with what opens the next lease of that one."""

from binascii import hexlify, unhexlify

from card.errors import BadLease
from card.lease import DEVICE_BYTES, WrappingKey, unwrap
from card.wire import read_uint, uint
from terminal.firmware import forms
from terminal.firmware.errors import FlashError, ListRefused

_DEVICE_FILE = "device"
_TAG_KEY_BYTES = 16
_ENROLMENT_FILE = "enrolled"
_TERMINAL_AT = 8
_LEASE_AT = 12
_STATE_AT = 16
_STATE_BYTES = 16
# What is longer is not read: anybody with a cable can bring it.
_MOST_BYTES = 512


class Identity:
    """The file `device`: a number and a tag key, made by the device itself at its first start.

    `random(n)` gives n random bytes. `device` is the number in hex digits.
    """

    def __init__(self, flash, random):
        kept = flash.read_checked(_DEVICE_FILE)
        if kept is None or len(kept) != DEVICE_BYTES + _TAG_KEY_BYTES:
            kept = random(DEVICE_BYTES) + random(_TAG_KEY_BYTES)
            try:
                flash.replace_checked(_DEVICE_FILE, kept)
            except FlashError:
                pass  # a flash like that takes no wrapping key either: it is another device at each start
        self.number = kept[:DEVICE_BYTES]
        self.device = hexlify(self.number).decode()
        self.tag_key = kept[DEVICE_BYTES:]

    def read_paper(self, content):
        """What a device file (JSON) that names this device says; raises ListRefused for any other."""
        if len(content) > _MOST_BYTES:
            raise ListRefused("this is not a device file")
        found = forms.filled_in(forms.DEVICE, content, "a device file")
        if unhexlify(found["device"]) != self.number:
            raise ListRefused("the device file is for another device")
        return found


class Enrolment:
    """The file `enrolled` of one municipality: what somebody brought by hand, once, and what became of it since.

    `terminal` is None until then. A file of another device does not count.
    """

    def __init__(self, flash, identity):
        self._flash = flash
        self._number = identity.number
        self.terminal, self._wrapping = _given(flash.read_checked(_ENROLMENT_FILE), self._number)

    @property
    def next_lease(self):
        """The number that the next lease has to have; 0 also for a device that cannot open any."""
        return self._wrapping.number if self._wrapping else 0

    def take(self, paper, terminal):
        """Take terminal number and wrapping key from a device file that was read.

        `terminal`: the number that the journal here was written under, or None.
        """
        if self._wrapping is not None:
            raise ListRefused("this terminal has a wrapping key already; reset it before it gets another")
        if terminal not in (None, paper["terminal"]):
            raise ListRefused("this is terminal %d; reset it before it becomes another" % terminal)
        self._keep(paper["terminal"], WrappingKey(unhexlify(paper["wrapping_key"])))

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
        self._keep(self.terminal, after)

    def _keep(self, terminal, wrapping):
        given = uint(terminal, 4) + uint(wrapping.number, 4) + wrapping.state
        self._flash.replace_checked(_ENROLMENT_FILE, self._number + given)
        self.terminal, self._wrapping = terminal, wrapping


def _given(kept, number):
    """Terminal number and wrapping key in the file, or None and None."""
    if kept is None or kept[:_TERMINAL_AT] != number or len(kept) != _STATE_AT + _STATE_BYTES:
        return None, None
    return read_uint(kept, _TERMINAL_AT, 4), WrappingKey(kept[_STATE_AT:], read_uint(kept, _LEASE_AT, 4))
