"""A file that comes in parts: as much as came is kept on flash, so that a transfer goes on where it stopped.

There is one at a time. `incoming` holds what came, and `incoming.head` what it will be; neither is kept in memory.
"""

import hashlib

from card.wire import read_uint, uint
from terminal.firmware.errors import FlashError, ListRefused
from terminal.firmware.link import DIGEST_BYTES, MOST_CHUNK

MOST_BYTES = 0x100000
_DATA = "incoming"
_HEAD = "incoming.head"
_OFFSET_AT = 5 + DIGEST_BYTES
_CHUNK_AT = _OFFSET_AT + 4
# Behind the head of a file that was taken: the answer to its last part may be lost on its way, and is given again. Who
# asks how much is there begins anew: what was taken may have been spoilt since.
_TAKEN = b"taken"


def part(flash, issuer, content, take):
    """The answer to a part: how much of its file is here now, in 4 bytes. A part from elsewhere in it is not used.

    When all is here, `take(issuer, name, path)` renames it into place, or raises ListRefused; then nothing of it stays.
    """
    if not _CHUNK_AT <= len(content) <= _CHUNK_AT + MOST_CHUNK:
        raise ListRefused("this is not a part of a file")
    which, total = uint(issuer, 2) + content[:_OFFSET_AT], read_uint(content, 1, 4)
    if not 1 <= total <= MOST_BYTES:
        raise ListRefused("a file has 1 to %d bytes" % MOST_BYTES)
    head = flash.read_checked(_HEAD)
    chunk = content[_CHUNK_AT:]
    if chunk and head == which + _TAKEN:
        return uint(total, 4)
    if head != which:
        # In this order: what came of another file never stands under the name of this one.
        _forget(flash)
        flash.replace_checked(_HEAD, which)
    here = flash.size(_DATA) or 0
    if chunk and read_uint(content, _OFFSET_AT, 4) == here and here + len(chunk) <= total:
        flash.append(_DATA, chunk)
        here += len(chunk)
    if here >= total:
        _finish(flash, issuer, content[:1], which, take)
    return uint(here, 4)


def take_whole(flash, issuer, name, take):
    """Take the file that somebody else put there whole."""
    flash.remove(_HEAD)
    try:
        take(issuer, name, flash.path(_DATA))
    except ListRefused:
        flash.remove(_DATA)
        raise


def _finish(flash, issuer, name, which, take):
    path = flash.path(_DATA)
    try:
        if sha256_of(path)[:DIGEST_BYTES] != which[-DIGEST_BYTES:]:
            raise ListRefused("what came is not what was sent; send it again")
        take(issuer, name, path)
    except ListRefused:
        _forget(flash)
        raise
    flash.remove(_DATA)
    flash.replace_checked(_HEAD, which + _TAKEN)


def _forget(flash):
    flash.remove(_DATA)
    flash.remove(_HEAD)


def sha256_of(path):
    """The SHA-256 of a file that may be larger than the memory."""
    digest, piece = hashlib.sha256(), bytearray(MOST_CHUNK)
    try:
        with open(path, "rb") as file:
            while True:
                count = file.readinto(piece)
                if not count:
                    return digest.digest()
                digest.update(memoryview(piece)[:count])
    except OSError:
        raise FlashError("the flash does not give back what was written")
