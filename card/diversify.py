"""Key diversification: one key per pass from one master key (NXP AN10922, AES-128)."""

from card.aes import BLOCK, ZERO_BLOCK, cbc_encrypt
from card.cmac import Cmac
from card.errors import OutOfRange
from card.wire import xor

_AES128 = b"\x01"


def diversify(master_key, diversification_input):
    """The 16-byte key for an input of 1 to 31 bytes.

    From 16 bytes on this is one AES-CMAC, which a token can do inside; below that it is not (AN10922 pads to
    exactly two blocks, CMAC would use one).
    """
    if not 1 <= len(diversification_input) <= 31:
        raise OutOfRange("diversification input: %d bytes, wanted 1 to 31" % len(diversification_input))
    mac = Cmac(master_key)
    message = _AES128 + diversification_input
    if len(message) < 2 * BLOCK:
        message = message + b"\x80" + bytes(2 * BLOCK - 1 - len(message))
        subkey = mac.subkey2
    else:
        subkey = mac.subkey1
    return cbc_encrypt(master_key, ZERO_BLOCK, message[:BLOCK] + xor(message[BLOCK:], subkey))[BLOCK:]
