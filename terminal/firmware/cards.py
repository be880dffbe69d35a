"""The lookup and tap keys of one municipality: wrapped on flash, and in memory only while a shift is open.

The file `cards`: tag (16) | AES-SIV of `lookup keys (1) | tap keys (1) | each key (16)`. The tag tells whether a lease
brings the keys that are here already, which it may do while the shift is closed.
"""

from binascii import unhexlify

from card.errors import BadMac
from card.wire import uint
from terminal.firmware.errors import ListRefused

_FILE = "cards"
_KEY_BYTES = 16
_TAG_BYTES = 16


class Cards:
    """`flash` is that of the book, `lock` the device's. `lookup` and `tap`: newest first, empty while it is shut."""

    def __init__(self, flash, lock, issuer):
        self._flash = flash
        self._lock = lock
        self._about = b"cards" + uint(issuer, 2)
        self.lookup, self.tap = [], []

    def open(self):
        """Once the lock is open. What the flash spoilt, or another PIN wrapped, counts as not there."""
        kept = self._flash.read_checked(_FILE)
        if kept is None:
            return
        try:
            self._take(self._lock.unwrap(self._about, kept[_TAG_BYTES:]))
        except BadMac:
            pass

    def shut(self):
        """Forget the keys; they stay on flash, wrapped."""
        self.lookup, self.tap = [], []

    def new_in(self, lease):
        """The keys of an opened lease, None when they are here already; raises ListRefused when they cannot be kept."""
        keys = [unhexlify(key) for key in lease["lookup_keys"] + lease["tap_keys"]]
        content = uint(len(lease["lookup_keys"]), 1) + uint(len(lease["tap_keys"]), 1) + b"".join(keys)
        kept = self._flash.read_checked(_FILE)
        if kept is not None and kept[:_TAG_BYTES] == self._lock.tag(content):
            return None
        if not self._lock.is_open:
            raise ListRefused("there are new card keys: open the shift with the PIN first, and sync again")
        return content

    def keep(self, content):
        """What `new_in` gave; raises FlashError, and then the old keys are still there."""
        self._flash.replace_checked(_FILE, self._lock.tag(content) + self._lock.wrap(self._about, content))
        self._take(content)

    def forget(self):
        """Nothing opens them any more."""
        self.shut()
        self._flash.remove(_FILE)

    def _take(self, content):
        keys = [content[at : at + _KEY_BYTES] for at in range(2, len(content), _KEY_BYTES)]
        self.lookup, self.tap = keys[: content[0]], keys[content[0] :]
