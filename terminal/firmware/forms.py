"""What comes to a terminal as JSON, field by field: the paper of its device, an opened lease, an opened bundle."""

import json
from binascii import unhexlify

from card.errors import OutOfRange
from card.record import NO_PURSE
from card.sealing import MOST_CHAINS, SealingKey
from terminal.firmware.errors import ListRefused
from terminal.firmware.offers import FIXED, PERCENT, TYPED

_UNITS = ("cent", "point", "visit", "item")
_DIGITS = "0123456789abcdefABCDEF"
# The newest version of a key, and what may be on older passes. A tap tries them one after the other.
_MOST_VERSIONS = 8


def _number(value, least, most):
    return isinstance(value, int) and least <= value <= most


def _hex(value, least, most):
    return isinstance(value, str) and least <= len(value) <= most and all(digit in _DIGITS for digit in value)


def _keys(value, least, most):
    return isinstance(value, list) and least <= len(value) <= most and all(_hex(one, 32, 32) for one in value)


def _long_keys(value, least, most):
    return isinstance(value, list) and least <= len(value) <= most and all(_hex(one, 64, 64) for one in value)


def _chains(value, least, most):
    return isinstance(value, list) and least <= len(value) <= most and all(_chain(one) for one in value)


def _chain(value):
    if not isinstance(value, list) or len(value) != 3:
        return False
    return _hex(value[0], 32, 32) and _number(value[1], 0, 0xFFFF) and _number(value[2], 0, 0xFFFF)


# A device file that is longer is not read: anybody with a cable can bring it.
_MOST_BYTES = 512


def _list(value, least, most):
    return isinstance(value, list) and least <= len(value) <= most


def _dict(value, least, most):
    return isinstance(value, dict) and least <= len(value) <= most


def _text(value, least, most):
    return isinstance(value, str) and least <= len(value) <= most


# Field, what it is, and the range of the number, or of the digits, keys or chains.
_ISSUER = ("issuer", _number, 1, 0xFFFF)
_TERMINAL = ("terminal", _number, 1, 0xFFFFFFFF)
_DEVICE = ("device", _hex, 16, 16)
_OF_LEASE = (
    _TERMINAL,
    _ISSUER,
    ("aid", _hex, 6, 6),
    ("day", _number, 0, 0xFFFF),
    ("signers", _long_keys, 1, _MOST_VERSIONS),
)

DEVICE = (_ISSUER, _TERMINAL, _DEVICE, ("wrapping_key", _hex, 32, 32))

LEASE = _OF_LEASE + (
    ("link_key", _hex, 32, 32),
    ("hotlist_key", _hex, 64, 64),
    ("lookup_keys", _keys, 1, _MOST_VERSIONS),
    ("tap_keys", _keys, 1, _MOST_VERSIONS),
    ("sealing", _chains, 1, MOST_CHAINS),
)

# The file `keys`, as a flash may give it back.
KEPT = _OF_LEASE + (
    ("lease", _number, 0, 0xFFFFFFFF),
    _DEVICE,
    ("link_keys", _keys, 1, _MOST_VERSIONS),
    ("hotlist_keys", _long_keys, 1, _MOST_VERSIONS),
)

BUNDLE = (
    ("version", _number, 0, 0xFFFFFFFF),
    ("day", _number, 0, 0xFFFF),
    ("from", _number, 0, 0xFFFF),
    ("until", _number, 0, 0xFFFF),
    _ISSUER,
    ("municipality", _text, 1, 64),
    ("held", _number, 0, 0xFFFFFFFF),
    ("offers", _list, 0, 99),
    ("allowed", _list, 0, 14),
    ("units", _dict, 0, 14),
)

_OFFER = (
    ("n", _number, 0, 0xFFFFFFFF),
    ("name", _text, 1, 64),
    ("purse", _number, 1, 14),
    ("amount", _number, 0, 0x7FFFFFFF),
    ("purse2", _number, 1, NO_PURSE),
    ("amount2", _number, 0, 0x7FFFFFFF),
    ("percent", _number, 0, 100),
    ("cap", _number, 0, 0xFFFFFFFF),
)


# The firmware that the municipality approves; a lease need not say.
_RELEASE = (
    ("version", _number, 1, 0xFFFFFFFF),
    ("sha256", _hex, 64, 64),
)


def read_paper(content, number):
    """What a device file (JSON) says that names the device with this number; raises ListRefused for any other."""
    if len(content) > _MOST_BYTES:
        raise ListRefused("this is not a device file")
    found = filled_in(DEVICE, content, "a device file")
    if unhexlify(found["device"]) != number:
        raise ListRefused("the device file is for another device")
    return found


def release_in(lease):
    """The firmware that a lease approves, as it says it, or None; raises ListRefused when it says something else."""
    release = lease.get("release")
    if release is not None:
        _require(_RELEASE, release, "the release in the lease")
    return release


def sealing_key(chains):
    """The SealingKey that a lease brings; raises ListRefused when its chains do not follow each other."""
    try:
        return SealingKey([(unhexlify(state), day, last_day) for state, day, last_day in chains])
    except OutOfRange as error:
        raise ListRefused("the lease does not seal: %s" % error)


def bundle(content):
    """The content of a bundle as a dict, of which every offer can be charged; raises ListRefused for any other."""
    found = filled_in(BUNDLE, content, "a bundle")
    for offer in found["offers"]:
        _require(_OFFER, offer, "an offer")
        moves = [(offer["purse"], offer["amount"] or offer.get("price") == TYPED)]
        if offer["purse2"] != NO_PURSE:
            moves.append((offer["purse2"], offer["amount2"]))
        for purse, amount in moves:
            if not amount or purse > 14 or found["units"].get(str(purse)) not in _UNITS:
                raise ListRefused("offer %d takes nothing, or something that has no unit" % offer["n"])
        if offer.get("price") not in (FIXED, TYPED, PERCENT) or (len(moves) == 2 and moves[0][0] == moves[1][0]):
            raise ListRefused("offer %d has no price, or takes twice from one purse" % offer["n"])
    return found


def filled_in(form, content, name):
    """The content as a dict; raises ListRefused when a field of the form is not there or is something else."""
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    _require(form, found, name)
    return found


def _require(form, found, name):
    if not isinstance(found, dict):
        raise ListRefused("this is not %s" % name)
    for field, fits, least, most in form:
        if field not in found:
            raise ListRefused("%s lacks %s" % (name, field))
        if not fits(found[field], least, most):
            raise ListRefused("%s says something else than a %s where that belongs" % (name, field))
