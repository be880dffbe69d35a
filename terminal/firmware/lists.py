"""What the host brings from the city for one venue: the bundle of offers, sealed for one terminal."""

from card.batch import siv_key
from card.errors import CardError
from card.siv import siv_decrypt
from card.wire import uint
from terminal.firmware.errors import ListRefused


class Bundle:
    """Offers and purses of this venue, and the days on which they count. Made by the backend for one terminal."""

    def __init__(self, content):
        self.version = content["version"]
        self.day = content["day"]
        self.valid_from = content["from"]
        self.valid_until = content["until"]
        self.venue = content["venue"]
        self.issuer = content["issuer"]
        self.municipality = content["municipality"]
        self.purses = content["purses"]
        self.units = content["units"]
        self.allowed = content["allowed"]
        self.offers = content["offers"]
        self.held = content["held"]  # the backend has all entries of this terminal up to this position


def open_bundle(sealed, link_key, terminal):
    """The Bundle; raises ListRefused when it is not the backend's for this terminal."""
    from terminal.firmware import forms

    try:
        plain = siv_decrypt(siv_key(link_key), [b"bundle" + uint(terminal, 4)], sealed)
        return Bundle(forms.bundle(plain))
    except (CardError, ValueError, KeyError):
        raise ListRefused("this is not a bundle for terminal %d" % terminal)
