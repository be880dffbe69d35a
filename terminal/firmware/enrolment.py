"""Which terminal a device is for a municipality: what somebody brought by hand, once, and what became of it since."""

from binascii import unhexlify

from card.errors import BadLease
from card.lease import WrappingKey, unwrap
from card.wire import read_uint, uint
from terminal.firmware.errors import FlashError, ListRefused

_FILE = "enrolled"
_TERMINAL_AT = 8
_LEASE_AT = 12
_STATE_AT = 16
_STATE_BYTES = 16


class Enrolment:
    """The file `enrolled`: device number (8) | terminal (4) | number of the next lease (4) | wrapping key (16).

    `terminal` is None until somebody brought it. A file of another device does not count.
    """

    def __init__(self, flash, number):
        self._flash = flash
        self._number = number
        self.terminal, self._wrapping = _given(flash.read_checked(_FILE), number)

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

    def finish(self, keys):
        """When the power went after the keys of a lease were kept, and before the wrapping key made its step."""
        if self._wrapping is not None and keys.lease == self.next_lease:
            try:
                self.step()
            except FlashError:
                pass  # at another start

    def _keep(self, terminal, wrapping):
        given = uint(terminal, 4) + uint(wrapping.number, 4) + wrapping.state
        self._flash.replace_checked(_FILE, self._number + given)
        self.terminal, self._wrapping = terminal, wrapping


def _given(kept, number):
    """Terminal number and wrapping key in the file, or None and None."""
    if kept is None or kept[:_TERMINAL_AT] != number or len(kept) != _STATE_AT + _STATE_BYTES:
        return None, None
    return read_uint(kept, _TERMINAL_AT, 4), WrappingKey(kept[_STATE_AT:], read_uint(kept, _LEASE_AT, 4))
