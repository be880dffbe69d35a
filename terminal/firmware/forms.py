"""What comes to a terminal as JSON, field by field: the paper of its device, and an opened lease."""

import json

from card.sealing import MOST_CHAINS
from terminal.firmware.errors import ListRefused

_DIGITS = "0123456789abcdefABCDEF"
# The newest version of a key, and what may be on older passes. A tap tries them one after the other.
_MOST_VERSIONS = 8


def _number(value, least, most):
    return isinstance(value, int) and least <= value <= most


def _hex(value, least, most):
    return isinstance(value, str) and least <= len(value) <= most and all(digit in _DIGITS for digit in value)


def _keys(value, least, most):
    return isinstance(value, list) and least <= len(value) <= most and all(_hex(one, 32, 32) for one in value)


def _chains(value, least, most):
    return isinstance(value, list) and least <= len(value) <= most and all(_chain(one) for one in value)


def _chain(value):
    if not isinstance(value, list) or len(value) != 3:
        return False
    return _hex(value[0], 32, 32) and _number(value[1], 0, 0xFFFF) and _number(value[2], 0, 0xFFFF)


def _release(value, least, most):
    """A version of the firmware and the hash of its package."""
    if not isinstance(value, dict) or not _number(value.get("version"), least, most):
        return False
    return _hex(value.get("sha256"), 64, 64)


# Field, what it is, and the range of the number, or of the digits, keys or chains.
DEVICE = (
    ("issuer", _number, 1, 0xFFFF),
    ("terminal", _number, 1, 0xFFFFFFFF),
    ("device", _hex, 16, 16),
    ("wrapping_key", _hex, 32, 32),
)

LEASE = (
    ("terminal", _number, 1, 0xFFFFFFFF),
    ("issuer", _number, 1, 0xFFFF),
    ("aid", _hex, 6, 6),
    ("day", _number, 0, 0xFFFF),
    ("link_key", _hex, 32, 32),
    ("hotlist_key", _hex, 64, 64),
    ("lookup_keys", _keys, 1, _MOST_VERSIONS),
    ("tap_keys", _keys, 1, _MOST_VERSIONS),
    ("sealing", _chains, 1, MOST_CHAINS),
    ("release", _release, 1, 0xFFFFFFFF),
)


# While custodians have approved no firmware there is none to name.
_MAY_LACK = ("release",)


def filled_in(form, content, name):
    """The content as a dict; raises ListRefused when a field of the form is not there or is something else."""
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ListRefused("this is not %s" % name)
    for field, fits, least, most in form:
        if field not in found and field in _MAY_LACK:
            continue
        if field not in found:
            raise ListRefused("%s lacks %s" % (name, field))
        if not fits(found[field], least, most):
            raise ListRefused("%s says something else than a %s where that belongs" % (name, field))
    return found
