"""How a terminal gets its keys: a lease, wrapped to one device, that ends some days after the last sync.

The first lease needs the wrapping key of the device, which somebody brings by hand, once. Every lease has a number, and
the wrapping key takes a step with each one that is accepted: whoever records leases on their way, and takes the device
apart later, opens none of them.
"""

from card.cmac import cmac
from card.errors import BadLease, BadMac, OutOfRange
from card.siv import OVERHEAD_BYTES, siv_decrypt, siv_encrypt
from card.wire import exactly, read_uint, uint

DEVICE_BYTES = 8
_MAGIC = b"ML"
_VERSION = 1
_HEADER_BYTES = 20


def wrapping_input(terminal, device):
    """What the vault's lease key is asked to MAC for the wrapping key that a device starts with."""
    return b"meedoen lease" + uint(terminal, 4) + exactly(device, DEVICE_BYTES, "device number")


class WrappingKey:
    """`state` (16 bytes) opens the lease with this number; the state cannot go back."""

    def __init__(self, state, number=0):
        self.state = exactly(state, 16, "wrapping key")
        self.number = number

    def step(self):
        """After a lease was accepted, or given."""
        self.state = cmac(self.state, b"next lease")
        self.number += 1

    def key(self):
        """The 32-byte AES-SIV key."""
        return cmac(self.state, b"lease 1") + cmac(self.state, b"lease 2")


def wrap(wrapping, terminal, device, content):
    """A lease on its way; `content` is what the device will keep."""
    header = _MAGIC + uint(_VERSION, 1) + b"\x00" + uint(terminal, 4) + exactly(device, DEVICE_BYTES, "device number")
    header += uint(wrapping.number, 4)
    return header + siv_encrypt(wrapping.key(), [header], content)


def unwrap(wrapping, terminal, device, lease):
    """The content; raises BadLease when it is not the next lease for this terminal and device."""
    if len(lease) < _HEADER_BYTES + OVERHEAD_BYTES or lease[:4] != _MAGIC + uint(_VERSION, 1) + b"\x00":
        raise BadLease("this is not a lease of version %d" % _VERSION)
    header = lease[:_HEADER_BYTES]
    if read_uint(header, 4, 4) != terminal or header[8:16] != device:
        raise BadLease("these keys are for another terminal")
    if read_uint(header, 16, 4) != wrapping.number:
        raise BadLease("these keys are number %d, and %d is next" % (read_uint(header, 16, 4), wrapping.number))
    try:
        return siv_decrypt(wrapping.key(), [header], lease[_HEADER_BYTES:])
    except (BadMac, OutOfRange):
        raise BadLease("these keys were not made for this device, or were altered on their way")
