"""What a terminal keeps of its leases: all but the key that seals its records."""

import json
from binascii import unhexlify

from card.layout import aid_bytes

_FILE = "keys"
# The key in use and the one before it: the lists on flash were made with either.
_MOST_KEPT = 2


class Keys:
    """`content` is the JSON of the file `keys`. Of several keys for one thing the newest comes first.

    `lease` is the number of the lease that brought them, to `device` (hex).
    """

    def __init__(self, content):
        self._content = content
        self.lease = content["lease"]
        self.device = content["device"]
        self.terminal = content["terminal"]
        self.issuer = content["issuer"]
        self.aid = aid_bytes(content["aid"])
        self.day = content["day"]
        self.lookup_keys = _all_unhexed(content["lookup_keys"])
        self.tap_keys = _all_unhexed(content["tap_keys"])
        self.hotlist_keys = _all_unhexed(content["hotlist_keys"])
        self.link_keys = _all_unhexed(content["link_keys"])

        # Kept by a version that knew of no releases, it says nothing of them.
        self.release = content.get("release")

    @property
    def link_key(self):
        """The one for all that is new."""
        return self.link_keys[0]

    @classmethod
    def of_lease(cls, opened, number, device, before):
        """From an opened lease, its number and whom it was for; `before`: the Keys until now, or None."""
        names = ("terminal", "issuer", "aid", "day", "lookup_keys", "tap_keys")
        content = {name: opened[name] for name in names}
        content["lease"], content["device"] = number, device
        content["release"] = opened.get("release")
        held = before._content if before is not None else {"link_keys": [], "hotlist_keys": []}
        content["link_keys"] = _in_front(opened["link_key"], held["link_keys"])
        content["hotlist_keys"] = _in_front(opened["hotlist_key"], held["hotlist_keys"])
        return cls(content)

    @classmethod
    def kept(cls, flash):
        """As they are on flash, or None."""
        content = flash.read_checked(_FILE)
        return None if content is None else cls(json.loads(content))

    def keep(self, flash):
        """Write them to flash, or raise FlashError."""
        flash.replace_checked(_FILE, json.dumps(self._content).encode())


def _in_front(key, held):
    return held if held[:1] == [key] else ([key] + held)[:_MOST_KEPT]


def _all_unhexed(texts):
    return [unhexlify(text) for text in texts]
