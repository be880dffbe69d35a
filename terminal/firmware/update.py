"""New firmware: checked against what the custodians approved, and unpacked beside the one that runs."""

import os
from binascii import hexlify

from card.errors import BadAnswer
from card.release import HEAD_BYTES, is_name, read_head
from card.wire import read_uint
from terminal.firmware import VERSION
from terminal.firmware.errors import FlashError, ListRefused
from terminal.firmware.incoming import sha256_of

_PIECE = 512
_MOST_DEPTH = 4
_FOLDER = 0x4000


def unpack(flash, path, releases, slot):
    """The version of the package at `path`, now in the folder `slot`; raises ListRefused, and then nothing changed."""
    digest = hexlify(sha256_of(path)).decode()
    try:
        with open(path, "rb") as package:
            version, count = read_head(package.read(HEAD_BYTES))
            for release in releases:
                if release["sha256"] != digest or release["version"] != version:
                    raise ListRefused("this is not the firmware that the custodians approved")
            if version <= VERSION:
                raise ListRefused("version %d is not newer than %d, which runs here" % (version, VERSION))
            # What stood there is overwritten, so nothing may start it any more.
            flash.remove("slots/trial")
            flash.remove("slots/failed")
            _empty(flash.path(slot), _MOST_DEPTH)
            _make(flash.path(slot))
            for _ in range(count):
                _copy(package, flash.path(slot))
    except BadAnswer as error:
        raise ListRefused(str(error))
    except OSError:
        raise FlashError("the flash does not take the new firmware")
    return version


def _copy(package, folder):
    """The next file of a package."""
    name = package.read(read_uint(package.read(1), 0, 1)).decode()
    if not is_name(name):
        raise BadAnswer("this package holds a file that does not belong in one")
    for at in range(len(name)):
        if name[at] == "/":
            _make(folder + "/" + name[:at])
    left = read_uint(package.read(4), 0, 4)
    with open(folder + "/" + name, "wb") as file:
        while left:
            piece = package.read(min(left, _PIECE))
            if not piece:
                raise BadAnswer("this package is cut off")
            file.write(piece)
            left -= len(piece)


def _make(folder):
    try:
        os.mkdir(folder)
    except OSError:
        os.stat(folder)


def _empty(folder, depth):
    """Remove what is in a folder; one that is not there is empty."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        path = folder + "/" + name
        if os.stat(path)[0] & _FOLDER:
            if depth == 0:
                raise FlashError("the flash holds folders that are not ours")
            _empty(path, depth - 1)
            os.rmdir(path)
        else:
            os.remove(path)
