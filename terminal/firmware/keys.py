"""What a terminal keeps of its leases: all but the key that seals its records."""

import json
from binascii import unhexlify

from card.layout import aid_bytes
from terminal.firmware.errors import ListRefused

_FILE = "keys"
# The key in use and the one before it: what is on flash already was made with either.
_MOST_KEPT = 2


class Keys:
    """`content` is the JSON of the file `keys`. Of several keys for one thing the newest comes first.

    `lease` is the number of the lease that brought them.
    """

    def __init__(self, content):
        self._content = content
        self.lease = content["lease"]
        self.terminal = content["terminal"]
        self.issuer = content["issuer"]
        self.aid = aid_bytes(content["aid"])
        self.day = content["day"]
        self.lookup_keys = _all_unhexed(content["lookup_keys"])
        self.tap_keys = _all_unhexed(content["tap_keys"])
        self.hotlist_keys = _all_unhexed(content["hotlist_keys"])
        self.link_keys = _all_unhexed(content["link_keys"])
        self._link_starts = content["link_starts"]

    @property
    def link_key(self):
        """The one for all that is new."""
        return self.link_keys[0]

    def link_of_entry(self, position):
        """`(link key, last position)` for the entries of the journal from `position` on; no last for the newest key."""
        last = None
        for start, key in zip(self._link_starts, self.link_keys):
            if position >= start:
                return key, last
            last = start - 1
        raise ListRefused("entry %d was made with a link key that is gone" % position)

    @classmethod
    def of_lease(cls, opened, number, before, position):
        """From an opened lease; `before`: the Keys until now, or None; `position`: of the next entry in the journal."""
        names = ("terminal", "issuer", "aid", "day", "lookup_keys", "tap_keys")
        content = {name: opened[name] for name in names}
        content["lease"] = number
        content["hotlist_keys"] = [opened["hotlist_key"]]
        content["link_keys"] = [opened["link_key"]]
        content["link_starts"] = [position]
        if before is not None:
            _keep_older(content, before._content, ("hotlist_keys",))
            _keep_older(content, before._content, ("link_keys", "link_starts"))
        return cls(content)

    @classmethod
    def kept(cls, flash):
        """As they are on flash, or None."""
        content = flash.read_checked(_FILE)
        return None if content is None else cls(json.loads(content))

    def keep(self, flash):
        """Write them to flash, or raise FlashError."""
        flash.replace_checked(_FILE, json.dumps(self._content).encode())


def _keep_older(content, before, names):
    """Behind what is new comes what was there before it; a key that did not change stays with what belongs to it."""
    same = content[names[0]][0] == before[names[0]][0]
    for name in names:
        content[name] = before[name] if same else (content[name] + before[name])[:_MOST_KEPT]


def _all_unhexed(texts):
    return [unhexlify(text) for text in texts]
