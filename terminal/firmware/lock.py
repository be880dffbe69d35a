"""What only the PIN of the venue opens: the key under which the card keys of every municipality lie on flash.

The file `lock`: device number (8) | wrong PINs in a row (1) | mark (8) | salt (16) | AES-SIV of the shift key (48). The
PIN opens the shift key, and that the card keys, so that another PIN is one file. `mark` tells one shift key from the
next without saying anything of it. A file of another device does not count: its PIN cannot be checked here.
"""

from card.aes import BLOCK, chained_encryption
from card.cmac import cmac
from card.errors import BadMac
from card.siv import KEY_BYTES, siv_decrypt, siv_encrypt
from card.wire import uint

_FILE = "lock"
_WRONG_AT = 8
_MARK_AT = 9
_SALT_AT = 17
_SEALED_AT = 33
_KEPT_BYTES = 81
_ABOUT = b"meedoen lock"

# About a second on the slowest board: 51 200 blocks of AES, of some 1020 instructions each, at 52 million a second.
_ROUNDS = 3200
_ZEROS = bytes(16 * BLOCK)

# So many wrong PINs are free; after that each costs a wait, twice as long as the one before it.
_FREE = 3
_FIRST_WAIT_S = 30
_LONGEST_WAIT_S = 900
_MOST_COUNTED = 255


class Lock:
    """`number` is the device's; `secret(data) -> 16 bytes` mixes something of this device into each PIN.

    What a lock can stop depends on `secret`: see docs/threats.md. When that raises KeyChipError, nothing changed.
    """

    def __init__(self, flash, number, secret):
        self._flash = flash
        self._number = number
        self._secret = secret
        kept = flash.read_checked(_FILE) or b""
        self._kept = kept if kept[:_WRONG_AT] == number and len(kept) == _KEPT_BYTES else b""

    @property
    def has_pin(self):
        return len(self._kept) > 0

    @property
    def wait_s(self):
        """How long the next PIN has to wait, from the last wrong one or from switching on."""
        wrong = self._kept[_WRONG_AT] if self.has_pin else 0
        return min(_FIRST_WAIT_S << min(wrong - _FREE, 8), _LONGEST_WAIT_S) if wrong >= _FREE else 0

    def open(self, pin):
        """The shift key, or None for a wrong PIN.

        It counts as wrong on flash before it is tried: pulling the plug saves no count.
        """
        kept = self._kept
        start = self._start(pin, kept[_SALT_AT:_SEALED_AT])
        self._keep_wrong(min(kept[_WRONG_AT] + 1, _MOST_COUNTED))
        try:
            key = siv_decrypt(_key_of(start), [_ABOUT], kept[_SEALED_AT:])
        except BadMac:
            return None
        self._keep_wrong(0)
        return key

    def set_pin(self, pin, key, random):
        """The first PIN, when `key` is None, or another one for the shift key that is open; the shift key.

        Raises FlashError; then the PIN is as before. `random(n)` gives n random bytes.
        """
        mark = self._kept[_MARK_AT:_SALT_AT] if key else random(_SALT_AT - _MARK_AT)
        key = key or random(KEY_BYTES)
        salt = random(_SEALED_AT - _SALT_AT)
        sealed = siv_encrypt(_key_of(self._start(pin, salt)), [_ABOUT], key)
        self._keep(self._number + uint(0, 1) + mark + salt + sealed)
        return key

    def forget(self):
        """A PIN that nobody knows any more: what it opens is lost with it."""
        self._flash.remove(_FILE)
        self._kept = b""

    def tag(self, content):
        """16 bytes that say whether something under this shift key is the same as this, also without the key."""
        return self._secret(b"wrapped" + self._kept[_MARK_AT:_SALT_AT] + content)

    def _start(self, pin, salt):
        """What the key of a PIN begins with. Asked before the try counts: a chip that fails costs nobody a try."""
        return self._secret(b"pin" + salt + pin.encode())

    def _keep_wrong(self, wrong):
        self._keep(self._kept[:_WRONG_AT] + uint(wrong, 1) + self._kept[_MARK_AT:])

    def _keep(self, content):
        self._flash.replace_checked(_FILE, content)
        self._kept = content


def lock_of(device):
    """The lock of a terminal.firmware.device."""
    return Lock(device.flash, device.identity.number, device.identity.secret)


def _key_of(start):
    """The 32-byte AES-SIV key of a PIN. The chain takes long, and no step of it can be skipped."""
    encrypt = chained_encryption(start)
    for _ in range(_ROUNDS):
        last = encrypt(_ZEROS)
    return cmac(last[-BLOCK:], b"pin 1") + cmac(last[-BLOCK:], b"pin 2")
