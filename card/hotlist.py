"""The list of blocked passes as bytes: what the desk makes, and a terminal looks things up in without unpacking it.

A whole list is a base and the changes to it. The base answers for every pass that got its handle before its day,
exactly, and for no other: two systems of equations over GF(2), whose coefficients are a pass's handle under a key of
the list. A pass is blocked in it when the columns of the first system are all 0 for it, and that of the second is 1.
The changes name the passes for which the base is wrong by now, by fingerprints under a key of their own. Who does not
have the key learns how many passes are blocked, and nothing about any handle.
"""

from card.aes import BLOCK, chained_encryption
from card.cmac import Cmac, cmac
from card.errors import BadAnswer
from card.wire import exactly, read_uint, uint, xor

KEY_BYTES = 32
HEAD_BYTES = 16
MAC_BYTES = BLOCK
FINGERPRINT_BYTES = 8
# Of a handle's block under the key of a system: three bytes say where its coefficients begin, twelve are those.
BAND_AT = 4
BAND_BYTES = 12
MOST_COLUMNS = 16
FIRST, SECOND = 1, 2

_BASE = b"HB\x01"
_CHANGES = b"HC\x01"
_PIECE = 8 * BLOCK


class BaseHead:
    """`day`: passes whose handle is older are in it. The first system has `columns` of `first` bytes each, the second
    one column of `second` bytes; `seeds` are those with which they had a solution. No columns: no first one is needed.
    """

    def __init__(self, version, day, columns, seeds, first, second):
        self.version = version
        self.day = day
        self.columns = columns
        self.seeds = seeds
        self.first = first
        self.second = second

    @property
    def bytes(self):
        """Of the whole base, its MAC included."""
        return _whole_blocks(HEAD_BYTES + self.columns * self.first + self.second) + MAC_BYTES

    def to_bytes(self):
        """16 bytes."""
        head = _BASE + uint(self.version, 4) + uint(self.day, 2) + uint(self.columns, 1)
        return head + uint(self.seeds[0], 1) + uint(self.seeds[1], 1) + uint(self.first, 2) + uint(self.second, 2)

    @classmethod
    def from_bytes(cls, data):
        """Raises BadAnswer for what is not the head of a base."""
        if len(data) != HEAD_BYTES or data[:3] != _BASE:
            raise BadAnswer("this is not the base of a hotlist")
        first, second = read_uint(data, 12, 2), read_uint(data, 14, 2)
        head = cls(read_uint(data, 3, 4), read_uint(data, 7, 2), data[9], (data[10], data[11]), first, second)
        # Shorter than a row of coefficients, or a system that is there by half, nobody makes.
        if head.columns > MOST_COLUMNS or (head.columns == 0) != (head.first == 0):
            raise BadAnswer("this is not the base of a hotlist")
        if 0 < head.first < BAND_BYTES or 0 < head.second < BAND_BYTES or (head.first and not head.second):
            raise BadAnswer("this is not the base of a hotlist")
        return head


class ChangesHead:
    """`version` is that of the list; `base` that of the base they belong to; `count` fingerprints follow, in order."""

    def __init__(self, version, base, count):
        self.version = version
        self.base = base
        self.count = count

    @property
    def bytes(self):
        """Of all the changes, their MAC included."""
        return _whole_blocks(HEAD_BYTES + self.count * FINGERPRINT_BYTES) + MAC_BYTES

    def to_bytes(self):
        """16 bytes."""
        return _CHANGES + b"\x00" + uint(self.version, 4) + uint(self.base, 4) + uint(self.count, 4)

    @classmethod
    def from_bytes(cls, data):
        """Raises BadAnswer for what is not the head of changes."""
        if len(data) != HEAD_BYTES or data[:4] != _CHANGES + b"\x00":
            raise BadAnswer("these are not the changes to a hotlist")
        return cls(read_uint(data, 4, 4), read_uint(data, 8, 4), read_uint(data, 12, 4))


def begins_with_base(head):
    """Whether the first bytes of a list are those of a base, and so of a whole list."""
    return head[:3] == _BASE


def filled(content):
    """With zeros up to a whole block, as both parts are before their MAC."""
    return content + bytes(_whole_blocks(len(content)) - len(content))


def part_mac(key, content, base_mac):
    """The MAC that ends a part. That of changes covers the MAC of their base too: they count with that very base.

    `base_mac` is empty for the base itself.
    """
    return cmac(_mac_key(key), content + base_mac)


def part_mac_in(key, file, size, base_mac=b""):
    """The same of the next `size` bytes of a file, whole blocks, a few at a time; raises BadAnswer when it ends."""
    encrypt, subkey = chained_encryption(_mac_key(key)), Cmac(_mac_key(key)).subkey1
    left = size if base_mac else size - BLOCK
    piece = memoryview(bytearray(_PIECE))
    while left:
        part = piece[: min(left, _PIECE)]
        if file.readinto(part) != len(part):
            raise BadAnswer("the hotlist is not complete")
        encrypt(part)
        left -= len(part)
    last = base_mac or file.read(BLOCK)
    if len(last) != BLOCK:
        raise BadAnswer("the hotlist is not complete")
    return encrypt(xor(last, subkey))


def system_key(key, version, system, seed):
    """What handles are encrypted with for the FIRST or SECOND system of a base."""
    return cmac(_look_up_key(key), b"system" + uint(version, 4) + uint(system, 1) + uint(seed, 1))


def changes_key(key, version):
    """What handles are encrypted with for the changes of a version: of two versions no fingerprint is the same."""
    return cmac(_look_up_key(key), b"changes" + uint(version, 4))


def _mac_key(key):
    return exactly(key, KEY_BYTES, "hotlist key")[:16]


def _look_up_key(key):
    return exactly(key, KEY_BYTES, "hotlist key")[16:]


def _whole_blocks(size):
    return size + -size % BLOCK
