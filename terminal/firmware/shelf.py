"""The books of a terminal on its flash: a folder for each municipality, in the order in which they came."""

import os

from card.wire import uint
from terminal.firmware.errors import FlashError
from terminal.firmware.flash import Flash

_FILE = "books"
# Each book has keys, offers and a hotlist in memory, of which a small board has little.
MOST_BOOKS = 4


# The name of an empty file ends with the number of the slot: a name is not spoilt as easily as what is written.
_SLOT = "slot"
# Without both of these there is no book: it was not yet enrolled, or is half removed.
_SIGNS = ("keys", "enrolled")


def issuers_on(flash):
    """The numbers of the municipalities that have a book here.

    The folders are the truth; the file `books` only says in which order they came, so it may be lost.
    """
    found = [int(name) for name in os.listdir(flash.folder) if _is_number(name) and _is_book(flash.folder + "/" + name)]
    kept = flash.read_checked(_FILE) or b""
    known = [int.from_bytes(kept[at : at + 2], "little") for at in range(0, len(kept), 2)]
    issuers: list[int] = []
    slots: list[int] = []
    for issuer in [issuer for issuer in known if issuer in found] + sorted(found):
        slot = None if issuer in issuers else folder_of(flash, issuer)[0]
        # Without a slot of its own it would spoil the journal of another.
        if slot is not None and slot not in slots:
            issuers.append(issuer)
            slots.append(slot)
    return issuers


def _is_number(name):
    """Whether a name is the number of a municipality, as `make_folder` writes it."""
    return 1 <= len(name) <= 5 and all("0" <= digit <= "9" for digit in name) and name[0] != "0" and int(name) <= 0xFFFF


def _is_book(folder):
    try:
        names = os.listdir(folder)
    except OSError:
        return False  # a file
    return any(name in names for name in _SIGNS)


def _slot_in(names):
    """The number in the name of the file that says it, or None."""
    for slot in range(MOST_BOOKS):
        if "%s%d" % (_SLOT, slot) in names:
            return slot
    return None


def make_folder(flash, issuer, taken):
    """A folder for one more municipality, with the first slot that is not in `taken`."""
    folder = "%s/%d" % (flash.folder, issuer)
    slot = min([slot for slot in range(MOST_BOOKS) if slot not in taken])
    try:
        if str(issuer) not in os.listdir(flash.folder):
            os.mkdir(folder)
        for name in os.listdir(folder):
            os.remove(folder + "/" + name)  # what an enrolment or a removal left that was cut off
        open("%s/%s%d" % (folder, _SLOT, slot), "wb").close()
    except OSError:
        raise FlashError("the flash does not take what is written")


def folder_of(flash, issuer):
    """`(slot, Flash)` of one municipality; the slot is None when the flash lost it."""
    folder = Flash("%s/%d" % (flash.folder, issuer))
    return _slot_in(os.listdir(folder.folder)), folder


def keep_order(flash, issuers):
    """Write down in which order they came."""
    flash.replace_checked(_FILE, b"".join([uint(issuer, 2) for issuer in issuers]))


def remove(flash, issuer):
    """Everything of one municipality, its keys first: a power cut leaves a book that takes nothing, or none."""
    folder = "%s/%d" % (flash.folder, issuer)
    try:
        names = os.listdir(folder)
        for name in [name for name in _SIGNS if name in names] + [name for name in names if name not in _SIGNS]:
            os.remove(folder + "/" + name)
        os.rmdir(folder)
    except OSError:
        raise FlashError("the flash does not let go of what is on it")
