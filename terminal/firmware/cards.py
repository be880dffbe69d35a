"""The lookup and tap keys of one municipality: wrapped on flash, and in memory only while a shift is open.

The file `cards`: tag (16) | AES-SIV of `lookup keys (1) | tap keys (1) | each key (16)`. The tag tells whether a lease
brings the keys that are here already, which it may do while the shift is closed.
"""

from binascii import unhexlify

from card.errors import BadMac
from card.siv import siv_decrypt, siv_encrypt
from card.wire import uint
from terminal.firmware.errors import ListRefused

_FILE = "cards"
_KEY_BYTES = 16
_TAG_BYTES = 16


def read(flash, issuer, shift_key):
    """`(lookup keys, tap keys)`, newest first; what the flash spoilt, or another shift key wrapped, counts as none."""
    kept = flash.read_checked(_FILE)
    if kept is None:
        return [], []
    try:
        content = siv_decrypt(shift_key, [_about(issuer)], kept[_TAG_BYTES:])
    except BadMac:
        return [], []
    keys = [content[at : at + _KEY_BYTES] for at in range(2, len(content), _KEY_BYTES)]
    return keys[: content[0]], keys[content[0] :]


def new_in(lease, flash, issuer, lock, shift_key):
    """The file for the keys of an opened lease, or None when they are here already.

    Raises ListRefused when they are new and the shift is closed: no card key is ever on flash as it is.
    """
    keys = [unhexlify(key) for key in lease["lookup_keys"] + lease["tap_keys"]]
    content = uint(len(lease["lookup_keys"]), 1) + uint(len(lease["tap_keys"]), 1) + b"".join(keys)
    kept, tag = flash.read_checked(_FILE), lock.tag(content)
    if kept is not None and kept[:_TAG_BYTES] == tag:
        return None
    if shift_key is None:
        raise ListRefused("there are new card keys: open the shift with the PIN first, and sync again")
    return tag + siv_encrypt(shift_key, [_about(issuer)], content)


def keep(flash, file):
    """Write what `new_in` gave; raises FlashError, and then the old keys are still there."""
    flash.replace_checked(_FILE, file)


def forget(flash):
    """Nothing opens them any more."""
    flash.remove(_FILE)


def _about(issuer):
    return b"cards" + uint(issuer, 2)
