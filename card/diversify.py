"""Key diversification: one key per pass from one master key (NXP AN10922, AES-128)."""

from card.cmac import Cmac
from card.errors import OutOfRange

_AES128 = b"\x01"
_BLOCKS = 2


def diversify(master_key, diversification_input):
    """The 16-byte key for an input of 1 to 31 bytes. `master_key`: 16 bytes, or their Cmac.

    From 16 bytes on this is one AES-CMAC, which a token can do inside; below that it is not (AN10922 pads to
    exactly two blocks, CMAC would use one).
    """
    if not 1 <= len(diversification_input) <= 31:
        raise OutOfRange("diversification input: %d bytes, wanted 1 to 31" % len(diversification_input))
    mac = Cmac.of(master_key)
    message = mac.start()
    message.write(_AES128)
    message.write(diversification_input)
    return bytes(mac.of_message(0, message.tell(), _BLOCKS))
