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


def _long_keys(value, least, most):
    return isinstance(value, list) and least <= len(value) <= most and all(_hex(one, 64, 64) for one in value)


def _chains(value, least, most):
    return isinstance(value, list) and least <= len(value) <= most and all(_chain(one) for one in value)


def _chain(value):
    if not isinstance(value, list) or len(value) != 3:
        return False
    return _hex(value[0], 32, 32) and _number(value[1], 0, 0xFFFF) and _number(value[2], 0, 0xFFFF)


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
)


# The file `keys`, as a flash may give it back.
KEPT = (
    ("lease", _number, 0, 0xFFFFFFFF),
    ("device", _hex, 16, 16),
    ("terminal", _number, 1, 0xFFFFFFFF),
    ("issuer", _number, 1, 0xFFFF),
    ("aid", _hex, 6, 6),
    ("day", _number, 0, 0xFFFF),
    ("lookup_keys", _keys, 1, _MOST_VERSIONS),
    ("tap_keys", _keys, 1, _MOST_VERSIONS),
    ("link_keys", _keys, 1, _MOST_VERSIONS),
    ("hotlist_keys", _long_keys, 1, _MOST_VERSIONS),
)


# The firmware that the municipality approves; a lease need not say.
_RELEASE = (
    ("version", _number, 1, 0xFFFFFFFF),
    ("sha256", _hex, 64, 64),
)


def release_in(lease):
    """The firmware that a lease approves, as it says it, or None; raises ListRefused when it says something else."""
    release = lease.get("release")
    if release is not None:
        _require(_RELEASE, release, "the release in the lease")
    return release


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
