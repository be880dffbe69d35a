"""What comes to a terminal as JSON, field by field: the paper of its device, and an opened lease."""

import json

from card.sealing import MOST_CHAINS
from terminal.firmware.errors import ListRefused

_HEX = "0123456789abcdefABCDEF"
_AID_DIGITS = "0123456789ABCDEF"
# The newest version of a key, and what may be on older passes. A tap tries them one after the other.
_MOST_VERSIONS = 8


def _number(low, high):
    return lambda value: isinstance(value, int) and low <= value <= high


def _hex(size):
    return lambda value: isinstance(value, str) and len(value) == 2 * size and all(digit in _HEX for digit in value)


def _list_of(fits, most):
    return lambda value: isinstance(value, list) and 1 <= len(value) <= most and all(fits(one) for one in value)


def _aid(value):
    return isinstance(value, str) and len(value) == 6 and all(digit in _AID_DIGITS for digit in value)


def _chain(value):
    return isinstance(value, list) and len(value) == 3 and _key(value[0]) and _day(value[1]) and _day(value[2])


_terminal = _number(1, 0xFFFFFFFF)
_day = _number(0, 0xFFFF)
_key = _hex(16)

DEVICE = (("terminal", _terminal), ("device", _hex(8)), ("wrapping_key", _key))

LEASE = (
    ("terminal", _terminal),
    ("issuer", _number(1, 0xFFFF)),
    ("aid", _aid),
    ("day", _day),
    ("link_key", _key),
    ("hotlist_key", _hex(32)),
    ("lookup_keys", _list_of(_key, _MOST_VERSIONS)),
    ("tap_keys", _list_of(_key, _MOST_VERSIONS)),
    ("sealing", _list_of(_chain, MOST_CHAINS)),
)


def filled_in(form, content, name):
    """The content as a dict; raises ListRefused when a field of the form is not there or is something else."""
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ListRefused("this is not %s" % name)
    for field, fits in form:
        if field not in found:
            raise ListRefused("%s lacks %s" % (name, field))
        if not fits(found[field]):
            raise ListRefused("%s says something else than a %s where that belongs" % (name, field))
    return found
