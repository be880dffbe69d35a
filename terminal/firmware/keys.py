"""What a terminal keeps of its leases in the open: all but the keys for cards and the one that seals its records."""

import json
from binascii import unhexlify

from card.layout import aid_bytes
from terminal.firmware.errors import ListRefused

_FILE = "keys"
# The key in use and the one before it: the lists on flash were made with either.
_MOST_KEPT = 2


class Keys:
    """`content` is the JSON of the file `keys`. Of several keys for one thing the newest comes first.

    `lease` is the number of the lease that brought them, to `device` (hex). `release`: the firmware that it approves,
    as `{"version", "sha256"}`, or None. `lookup_keys` and `tap_keys` are empty until the shift is open.
    """

    def __init__(self, content):
        self._content = content
        self.lease = content["lease"]
        self.device = content["device"]
        self.terminal = content["terminal"]
        self.issuer = content["issuer"]
        self.aid = aid_bytes(content["aid"])
        self.day = content["day"]
        # Kept by a version that knew of no releases, it says nothing of them.
        self.release = content.get("release")
        self.lookup_keys, self.tap_keys = [], []
        self.hotlist_keys = _all_unhexed(content["hotlist_keys"])
        # The vault's public keys, as hex: a terminal has no use for them but to tell its host.
        self.signers = content["signers"]
        self.link_keys = _all_unhexed(content["link_keys"])

    @property
    def link_key(self):
        """The one for all that is new."""
        return self.link_keys[0]

    @classmethod
    def of_lease(cls, opened, number, device, release, before):
        """From an opened lease, its number, whom it was for and what it approves; `before`: the Keys, or None."""
        names = ("terminal", "issuer", "aid", "day", "signers")
        content = {name: opened[name] for name in names}
        content["lease"], content["device"] = number, device
        content["release"] = release
        held = before._content if before is not None else {"link_keys": [], "hotlist_keys": []}
        content["link_keys"] = _in_front(opened["link_key"], held["link_keys"])
        content["hotlist_keys"] = _in_front(opened["hotlist_key"], held["hotlist_keys"])
        return cls(content)

    @classmethod
    def kept(cls, flash):
        """As they are on flash, or None."""
        from terminal.firmware.forms import KEPT, filled_in, release_in

        content = flash.read_checked(_FILE)
        try:
            if content is None:
                return None
            found = filled_in(KEPT, content, "the file of keys")
            release_in(found)
            return cls(found)
        except ListRefused:
            return None  # another file in its place

    def keep(self, flash):
        """Write them to flash, or raise FlashError."""
        flash.replace_checked(_FILE, json.dumps(self._content).encode())


def _in_front(key, held):
    return held if held[:1] == [key] else ([key] + held)[:_MOST_KEPT]


def _all_unhexed(texts):
    return [unhexlify(text) for text in texts]
