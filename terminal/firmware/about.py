"""What a terminal says of itself: to whoever asks, and to the backend with a proof."""

import json
from binascii import hexlify

from card.batch import statement_mac
from terminal.firmware import VERSION
from terminal.firmware.errors import ReaderError


def hello(device):
    """The device as a whole, as JSON. Nothing in it is proven; see `statement`."""
    error = device.flash.read("error")
    about = {"device": device.identity.device, "version": VERSION, "room": device.flash.room()}
    about["error"] = error.decode() if error else None
    about["books"] = [_book(device)] if device.identity.terminal is not None else []
    about.update(device.slots.facts() if device.slots else {"slot": None, "trial": False, "failed": None})
    return json.dumps(about).encode()


def statement(device, challenge, nonce):
    """What it says of itself to the backend: a MAC over the challenge and what follows it."""
    about = _book(device)
    about.update({"device": device.identity.device, "version": VERSION, "nonce": hexlify(nonce).decode()})
    said = json.dumps(about).encode()
    return statement_mac(device.keys.link_key, challenge, said) + said


def _book(device):
    identity, keys, till = device.identity, device.keys, device.till
    book = {"issuer": identity.issuer, "terminal": identity.terminal, "lease": identity.next_lease, "enrolled": True}
    book.update({"journal": 0, "first": 1, "bundle": 0, "hotlist": 0, "changes": 0, "doubts": 0})
    book.update({"day": None, "lease_until": None, "release": None})
    if till is not None:
        book["journal"] = device.journal.count
        book["doubts"] = len(device.journal.doubts)
        book["day"] = device.days.today
        book["release"] = keys.release and keys.release["version"]
        if device.days.sealing is not None:
            book["lease_until"] = device.days.sealing.last_day
        if till.bundle is not None:
            book["bundle"] = till.bundle.version
        if till.hotlist is not None:
            book["hotlist"] = till.hotlist.version
    return book


def came_up(device):
    """Whether all works: the reader answers, and what is on the flash opened. Decides if new firmware is kept."""
    try:
        device.board.reader.find_pass()
    except ReaderError:
        return False
    for name in ("bundle", "hotlist"):
        if device.till is not None and device.flash.size(name) is not None and getattr(device.till, name) is None:
            return False
    return device.keys is not None or device.flash.size("keys") is None
