"""The hotlist on flash: whether a pass is blocked, looked up where it lies. A look-up takes no memory of the heap.

File `hotlist` is a whole list, as it came: a base, and the changes to it of that time. File `changes` holds those of a
later time, when only they came. card/hotlist.py says what is in them.
"""

import os
from binascii import crc32

from card.aes import BLOCK, encryption
from card.errors import BadAnswer
from card.hotlist import (
    BAND_AT,
    BAND_BYTES,
    FINGERPRINT_BYTES,
    FIRST,
    HEAD_BYTES,
    MAC_BYTES,
    SECOND,
    BaseHead,
    ChangesHead,
    begins_with_base,
    changes_key,
    part_mac_in,
    system_key,
)
from card.wire import same
from terminal.firmware.errors import FlashError, ListRefused

CHECKED_AT_ONCE = 2048
_PIECE = 256
_WHOLE = "/hotlist"
_CHANGES = "/changes"
_OF_ANOTHER = "these changes belong to another hotlist than the one that is here"


def open_hotlist(folder, keys):
    """The Hotlist on flash, with the first of the keys that fits; None when there is none, or the flash spoilt it."""
    for key in keys:
        try:
            return Hotlist(folder, key)
        except (OSError, BadAnswer, ListRefused):
            pass
    return None


def take_hotlist(path, folder, key, held):
    """Put the list in the file at `path`, a whole one or changes alone, into its place on flash, to be opened again.

    `held` is the Hotlist that is there, or None; it is closed. Raises ListRefused for a list that is not genuine, not
    complete, older, or goes with another base; then nothing changed. The file is gone from `path` either way.
    """
    try:
        place = _place_of(path, key, held)
    except (OSError, BadAnswer, ListRefused) as error:
        try:
            os.remove(path)
        except OSError:
            pass
        raise error if isinstance(error, ListRefused) else ListRefused("this is not a hotlist of the city")
    if held is not None:
        held.close()
    try:
        os.rename(path, folder + place)
    except OSError:
        raise FlashError("the flash does not take what is written")


def _place_of(path, key, held):
    """The name under which a list belongs on flash, when it may be there."""
    with open(path, "rb") as file:
        whole = begins_with_base(file.read(HEAD_BYTES))
        file.seek(0)
        if whole:
            _, changes = _read_whole(file, key)
        elif held is None:
            raise ListRefused(_OF_ANOTHER)
        else:
            changes = _read_changes(file, 0, key, held.base)
    if held is not None and changes.version < held.version:
        raise ListRefused("hotlist %d is older than %d, which is here" % (changes.version, held.version))
    return _WHOLE if whole else _CHANGES


class Hotlist:
    """The blocked passes of one municipality, in the files of `folder`; `version` is that of the list."""

    def __init__(self, folder, key):
        self._files = []
        try:
            self.base, self._changes = _read_whole(self._opened(folder + _WHOLE), key)
            self._take_later(folder + _CHANGES, key)
            self._guards = self._guarded()
        except (OSError, BadAnswer, ListRefused):
            self.close()
            raise

    def _take_later(self, path, key):
        """Changes that came after the list, unless a newer list came after them."""
        try:
            changes = _read_changes(self._opened(path), 0, key, self.base)
            if changes.version >= self.version:
                self._changes = changes
                return
        except (OSError, BadAnswer, ListRefused):
            pass
        for file in self._files[1:]:
            file.close()
        del self._files[1:]

    def _opened(self, path):
        # Unbuffered: what was read once says nothing of what the flash holds now.
        file = open(path, "rb", 0)
        self._files.append(file)
        return file

    def _guarded(self):
        return [_Guard(file) for file in self._files]

    def close(self):
        """Let go of the files."""
        for file in self._files:
            file.close()

    @property
    def version(self):
        return self._changes.version

    def check(self):
        """Between two guests: go over the next piece of what lies on flash; raises FlashError when it rotted."""
        for guard in self._guards:
            for _ in range(CHECKED_AT_ONCE // _PIECE):
                guard.check()

    def blocks(self, handle, issued):
        """Whether the pass with this handle is blocked; `issued` is the day on which it got that."""
        named = self._changes.name(handle)
        if issued >= self.base.day:
            return named
        return named != self.base.blocks(handle)


class _Guard:
    """Notices when a file is no longer what it was when its MAC was checked, by a sum that is made piece by piece."""

    def __init__(self, file):
        self._file = file
        self._piece = bytearray(_PIECE)
        self._at = self._sum = 0
        self._known = None
        while self._known is None:
            self.check()

    def check(self):
        """Go over the next piece."""
        try:
            self._file.seek(self._at)
            count = self._file.readinto(self._piece)
        except OSError:
            raise FlashError("the hotlist cannot be read")
        self._sum = crc32(memoryview(self._piece)[:count], self._sum)
        self._at += count
        if count == _PIECE:
            return
        if self._known is None:
            self._known = self._sum
        if self._known != self._sum:
            raise FlashError("the hotlist is not what it was")
        self._at = self._sum = 0


class _Base:
    """The systems of a base, of which a look-up reads one short piece each."""

    def __init__(self, file, head, key, mac):
        self.version = head.version
        self.day = head.day
        self.mac = mac
        self._first = self._second = None
        at = HEAD_BYTES + head.columns * head.first
        if head.columns:
            first = system_key(key, head.version, FIRST, head.seeds[0])
            self._first = _System(file, HEAD_BYTES, head.first, head.columns, first)
        if head.second:
            self._second = _System(file, at, head.second, 1, system_key(key, head.version, SECOND, head.seeds[1]))

    def blocks(self, handle):
        if self._second is None:
            return False
        if self._first is not None and not self._first.is_zero(handle):
            return False
        return not self._second.is_zero(handle)


class _System:
    """A system of equations: the columns lie byte by byte beside each other."""

    def __init__(self, file, at, size, columns, key):
        self._file = file
        self._at = at
        self._places = size - BAND_BYTES + 1
        self._columns = columns
        self._cipher = encryption(key)
        self._row = bytearray(BLOCK)
        self._piece = bytearray(columns * BAND_BYTES)

    def is_zero(self, handle):
        """Whether all columns are 0 for this handle.

        Small numbers, and assignments of two at most: others take memory on MicroPython.
        """
        row, piece = self._row, self._piece
        columns, end = self._columns, BAND_AT + BAND_BYTES
        self._cipher.encrypt(handle, row)
        place = (row[0] | row[1] << 8 | row[2] << 16) % self._places
        _fill(self._file, self._at + place * columns, piece)
        for column in range(columns):
            mixed = 0
            from_piece, from_row = column, BAND_AT
            while from_row < end:
                mixed ^= piece[from_piece] & row[from_row]
                from_piece += columns
                from_row += 1
            mixed ^= mixed >> 4
            # Bit n of this number is the parity of n.
            if 0x6996 >> (mixed & 15) & 1:
                return False
        return True


class _Changes:
    """The passes that a base is wrong about, as fingerprints in order."""

    def __init__(self, file, at, head, key):
        self.version = head.version
        self._file = file
        self._at = at + HEAD_BYTES
        self._count = head.count
        self._cipher = encryption(changes_key(key, head.version))
        self._row = bytearray(BLOCK)
        self._fingerprint = bytearray(FINGERPRINT_BYTES)

    def name(self, handle):
        """Whether this handle is one of them."""
        row, fingerprint = self._row, self._fingerprint
        size = FINGERPRINT_BYTES
        self._cipher.encrypt(handle, row)
        low, high = 0, self._count
        while low < high:
            middle = (low + high) >> 1
            _fill(self._file, self._at + middle * size, fingerprint)
            at = 0
            while at < size and fingerprint[at] == row[at]:
                at += 1
            if at == size:
                return True
            if fingerprint[at] < row[at]:
                low = middle + 1
            else:
                high = middle
        return False


def _fill(file, at, piece):
    try:
        file.seek(at)
        if file.readinto(piece) == len(piece):
            return
    except OSError:
        pass
    raise FlashError("the hotlist cannot be read")


def _read_whole(file, key):
    """`(base, changes)` of a whole list; raises BadAnswer when it is not genuine to its last byte."""
    head = BaseHead.from_bytes(file.read(HEAD_BYTES))
    base = _Base(file, head, key, _checked_mac(file, 0, head.bytes, key, b""))
    return base, _read_changes(file, head.bytes, key, base)


def _read_changes(file, at, key, base):
    file.seek(at)
    head = ChangesHead.from_bytes(file.read(HEAD_BYTES))
    if head.base != base.version:
        raise ListRefused(_OF_ANOTHER)
    _checked_mac(file, at, head.bytes, key, base.mac)
    if file.read(1):
        raise BadAnswer("the hotlist does not end where it should")
    return _Changes(file, at, head, key)


def _checked_mac(file, at, size, key, base_mac):
    """The MAC at the end of a part of `size` bytes."""
    file.seek(at)
    made = part_mac_in(key, file, size - MAC_BYTES, base_mac)
    mac = file.read(MAC_BYTES)
    if not same(made, mac):
        raise BadAnswer("the hotlist is not genuine")
    return mac
