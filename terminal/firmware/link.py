"""Frames between terminal and host: `MD`, kind, length (2, little-endian), content, CRC-32 of all before it.

What must be secret or genuine is sealed inside the content; the frame only finds its ends on a noisy line.
"""

import binascii

from card.wire import uint
from terminal.firmware.errors import LinkError

HELLO = b"H"
PROVISION = b"K"
BUNDLE = b"B"
HOTLIST = b"L"
JOURNAL = b"J"
REFUSED = b"!"

# A longer content is refused before it is read: it would have to be held in memory whole.
MOST_CONTENT = 0x4000
_MAGIC = b"MD"
_HEAD = 5
_CHECK = 4


def frame(kind, content):
    """The bytes of one frame. `kind` is one byte."""
    if len(content) > MOST_CONTENT:
        raise LinkError("%d bytes do not fit one frame" % len(content))
    head = _MAGIC + kind + uint(len(content), 2) + content
    return head + uint(binascii.crc32(head) & 0xFFFFFFFF, _CHECK)


class Frames:
    """Takes bytes as they come and gives whole frames; what is not a frame is dropped."""

    def __init__(self):
        self._pending = b""

    def feed(self, data):
        """`(kind, content)` of the first whole frame in what has come so far, or None."""
        self._pending += data
        while True:
            start = self._pending.find(_MAGIC)
            if start < 0:
                self._pending = self._pending[-1:] if self._pending[-1:] == _MAGIC[:1] else b""
                return None
            self._pending = self._pending[start:]
            if len(self._pending) < _HEAD:
                return None
            length = int.from_bytes(self._pending[3:5], "little")
            if length <= MOST_CONTENT:
                end = _HEAD + length
                if len(self._pending) < end + _CHECK:
                    return None
                whole, check = self._pending[:end], self._pending[end : end + _CHECK]
                if uint(binascii.crc32(whole) & 0xFFFFFFFF, _CHECK) == check:
                    self._pending = self._pending[end + _CHECK :]
                    return whole[2:3], whole[_HEAD:]
            # Not a frame after all: look for the next beginning behind this one.
            self._pending = self._pending[1:]
