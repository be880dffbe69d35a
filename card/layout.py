"""Where things are on a pass: key and file numbers, the pass file, and what each key is diversified with."""

from card.commands import FULL, MAC
from card.errors import BadAnswer
from card.wire import exactly, read_uint, uint

APPLICATION_KEY = 0
LOAD_KEY = 1
LOOKUP_KEY = 2
TAP_KEY = 3
KEYS = 4

PASS_FILE = 0
TMAC_FILE = 0x0F
FIRST_PURSE = 1
LAST_PURSE = 14

# Protection of each file in a session; purses travel in full, as every file that is not named.
FILE_MODES = {PASS_FILE: FULL, TMAC_FILE: MAC}

# At most 47 bytes keep the encrypted answer in one 64-byte frame; 32 leave room for fields to come.
PASS_FILE_BYTES = 32
_PASS_VERSION = 1

# Diversification inputs (AN10922) stay between 16 and 31 bytes, so that each key is one CMAC.
PURPOSES = {
    "picc": b"MEEDOEN PICC",
    "application": b"MEEDOEN APP",
    "load": b"MEEDOEN LOAD",
    "tap": b"MEEDOEN TAP",
    "transaction_mac": b"MEEDOEN TMAC",
}


def aid_bytes(text):
    """`"F0E0D1"`, as printed, to the three bytes of the wire (least significant first)."""
    number = int(text, 16)
    if len(text) != 6:
        raise BadAnswer("an AID has six hexadecimal digits")
    return uint(number, 3)


def card_key_input(purpose, identity, aid):
    """What a card key is diversified with: the UID (the handle for the tap key), the AID and the purpose."""
    return identity + exactly(aid, 3, "AID") + PURPOSES[purpose]


class PassFile:
    """What a terminal may know of a pass. Days count as in a record; both ends of the validity are included.

    `issued`: the day on which the pass got this handle; 0 on a pass from before that was written on it.
    """

    def __init__(self, issuer, handle, valid_from, valid_until, generation, issued):
        self.issuer = issuer
        self.handle = handle
        self.valid_from = valid_from
        self.valid_until = valid_until
        self.generation = generation
        self.issued = issued

    def to_bytes(self):
        """32 bytes."""
        used = uint(_PASS_VERSION, 1) + uint(self.issuer, 2) + exactly(self.handle, 16, "handle")
        used += uint(self.valid_from, 2) + uint(self.valid_until, 2) + uint(self.generation, 1) + uint(self.issued, 2)
        return used + bytes(PASS_FILE_BYTES - len(used))

    @classmethod
    def from_bytes(cls, data):
        """Raises BadAnswer for a version that is not known."""
        if len(data) != PASS_FILE_BYTES or data[0] != _PASS_VERSION:
            raise BadAnswer("the pass file is of a version that is not known here")
        first, last = read_uint(data, 19, 2), read_uint(data, 21, 2)
        return cls(read_uint(data, 1, 2), data[3:19], first, last, data[23], read_uint(data, 24, 2))
