"""What the host brings from the city: the bundle of offers, and the hotlist. Both sealed for terminals."""

from card.batch import siv_key
from card.errors import CardError
from card.siv import siv_decrypt
from card.wire import read_uint, uint
from terminal.firmware import forms
from terminal.firmware.errors import ListRefused

_ENTRY = 8


class Bundle:
    """Offers and purses of this venue, and the days on which they count. Made by the backend for one terminal."""

    def __init__(self, content):
        self.version = content["version"]
        self.day = content["day"]
        self.valid_from = content["from"]
        self.valid_until = content["until"]
        self.venue = content["venue"]
        self.issuer = content["issuer"]
        self.purses = content["purses"]
        self.units = content["units"]
        self.allowed = content["allowed"]
        self.offers = content["offers"]
        self.held = content["held"]  # the backend has all entries of this terminal up to this position


def open_bundle(sealed, link_key, terminal):
    """The Bundle; raises ListRefused when it is not the backend's for this terminal."""
    try:
        plain = siv_decrypt(siv_key(link_key), [b"bundle" + uint(terminal, 4)], sealed)
        return Bundle(forms.bundle(plain))
    except (CardError, ValueError, KeyError):
        raise ListRefused("this is not a bundle for terminal %d" % terminal)


class Hotlist:
    """Blocked passes by the first 8 bytes of their handle, sorted; looked up without making a copy."""

    def __init__(self, version, day, entries):
        self.version = version
        self.day = day
        self._entries = entries

    def blocks(self, handle):
        """Whether the pass with this handle is blocked."""
        wanted = handle[:_ENTRY]
        low, high = 0, len(self._entries) // _ENTRY
        while low < high:
            middle = (low + high) // 2
            entry = self._entries[middle * _ENTRY : (middle + 1) * _ENTRY]
            if entry == wanted:
                return True
            if entry < wanted:
                low = middle + 1
            else:
                high = middle
        return False


def open_hotlist(sealed, hotlist_key):
    """The Hotlist; raises ListRefused when it is not the city's."""
    try:
        plain = siv_decrypt(hotlist_key, [b"hotlist" + sealed[:4]], sealed[4:])
        version, day, count = read_uint(plain, 0, 4), read_uint(plain, 4, 2), read_uint(plain, 6, 4)
    except CardError:
        raise ListRefused("this is not a hotlist of the city")
    if len(plain) != 10 + count * _ENTRY or sealed[:4] != plain[:4]:
        raise ListRefused("the hotlist is not complete")
    return Hotlist(version, day, plain[10:])
