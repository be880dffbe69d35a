"""Frames between terminal and host: `MD`, kind, issuer (2), length (2), content, CRC-32 of all before it.

What must be secret or genuine is sealed inside the content; the frame only finds its ends on a noisy line. `issuer` is
the municipality that a question is about, 0 for the device as a whole. Numbers are little-endian.
"""

import binascii

from card.wire import uint
from terminal.firmware.errors import LinkError

HELLO = b"H"
DEVICE = b"D"
LEASE = b"K"
BUNDLE = b"B"
JOURNAL = b"J"
REMOVE = b"X"
FORGET_PIN = b"N"
PART = b"P"
REFUSED = b"!"
WHOLE_DEVICE = 0

# The files that come in parts, which may be larger than the memory of a terminal.
HOTLIST = b"L"
FIRMWARE = b"F"
MOST_CHUNK = 512
# Of the SHA-256 of a file: enough to know a transfer again and to notice damage. Whether it is genuine it says itself.
DIGEST_BYTES = 8

# A longer content is refused before it is read: it would have to be held in memory whole.
MOST_CONTENT = 0x4000
_MAGIC = b"MD"
_HEAD = 7
_CHECK = 4


def frame(kind, issuer, content):
    """The bytes of one frame. `kind` is one byte."""
    if len(content) > MOST_CONTENT:
        raise LinkError("%d bytes do not fit one frame" % len(content))
    head = _MAGIC + kind + uint(issuer, 2) + uint(len(content), 2) + content
    return head + uint(_checksum(head), _CHECK)


def part(name, total, digest, offset, chunk):
    """The content of a part: of which file, and where in it `chunk` belongs. An empty chunk asks how much is there."""
    return name + uint(total, 4) + digest + uint(offset, 4) + chunk


class Frames:
    """Takes bytes as they come and gives whole frames; what is not a frame is dropped."""

    def __init__(self):
        # Grows in place: joining strings for every few bytes would leave a small heap in pieces.
        self._pending = bytearray()

    def feed(self, data):
        """`(kind, issuer, content)` of the first whole frame in what has come so far, or None."""
        self._pending.extend(data)
        while True:
            self._drop(self._noise())
            if len(self._pending) < _HEAD:
                return None
            length = int.from_bytes(self._pending[5:7], "little")
            if length <= MOST_CONTENT:
                end = _HEAD + length
                if len(self._pending) < end + _CHECK:
                    return None
                if uint(_checksum(memoryview(self._pending)[:end]), _CHECK) == self._pending[end : end + _CHECK]:
                    kind, issuer = bytes(self._pending[2:3]), int.from_bytes(self._pending[3:5], "little")
                    content = bytes(memoryview(self._pending)[_HEAD:end])
                    self._drop(end + _CHECK)
                    return kind, issuer, content
            # Not a frame after all: look for the next beginning behind this one.
            self._drop(1)

    def _noise(self):
        """How many bytes stand before what can be the beginning of a frame."""
        pending = self._pending
        for at in range(len(pending)):
            if pending[at] == _MAGIC[0] and (at + 1 == len(pending) or pending[at + 1] == _MAGIC[1]):
                return at
        return len(pending)

    def _drop(self, count):
        if count:
            self._pending = self._pending[count:]


def _checksum(data):
    return binascii.crc32(data) & 0xFFFFFFFF
