"""What only the PIN of the venue opens: the key under which the card keys of every municipality lie on flash.

The file `lock`: device number (8) | wrong PINs in a row (1) | mark (8) | salt (16) | AES-SIV of the wrapping key (48).
The PIN opens the wrapping key, and that the card keys, so that another PIN is one file. `mark` tells one wrapping key
from the next without saying anything of it. A file of another device does not count: its PIN cannot be checked here.
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
_ABOUT = b"meedoen lock"

LEAST_DIGITS = 4
MOST_DIGITS = 8
# About a second on the slowest board: 51 200 blocks of AES, of some 1020 instructions each, at 52 million a second.
_ROUNDS = 3200
_ZEROS = bytes(16 * BLOCK)

# So many wrong PINs are free; after that each costs a wait, twice as long as the one before it.
_FREE = 3
_FIRST_WAIT_S = 30
_LONGEST_WAIT_S = 900
_MOST_COUNTED = 255


class Lock:
    """`secret(data) -> 16 bytes` mixes something of this device into each PIN; `random(n)` gives n random bytes.

    Shut when it is made. What a lock can stop depends on `secret`: see docs/threats.md.
    """

    def __init__(self, flash, number, secret, random, seconds_on):
        self._flash = flash
        self._number = number
        self._secret = secret
        self._random = random
        self._seconds_on = seconds_on
        self._key = None
        # After a restart the wait begins again: the plug does not make it shorter.
        self._wrong_since = seconds_on()
        kept = flash.read_checked(_FILE)
        if kept is not None and kept[:_WRONG_AT] != number:
            kept = None
        self._kept = kept

    @property
    def has_pin(self):
        return self._kept is not None

    @property
    def is_open(self):
        return self._key is not None

    @property
    def wait_s(self):
        """How long it takes until the next PIN may be typed."""
        wrong = self._kept[_WRONG_AT] if self._kept else 0
        if wrong < _FREE:
            return 0
        wait = min(_FIRST_WAIT_S << min(wrong - _FREE, 8), _LONGEST_WAIT_S)
        return max(0, wait - (self._seconds_on() - self._wrong_since))

    def open(self, pin):
        """Whether this is the PIN. It counts as wrong on flash before it is tried: pulling the plug saves no count."""
        self.shut()
        kept = self._kept
        wrong = kept[_WRONG_AT]
        self._keep_wrong(min(wrong + 1, _MOST_COUNTED))
        try:
            self._key = siv_decrypt(self._key_of(pin, kept[_SALT_AT:_SEALED_AT]), [_ABOUT], kept[_SEALED_AT:])
        except BadMac:
            self._wrong_since = self._seconds_on()
            return False
        self._keep_wrong(0)
        return True

    def set_pin(self, pin):
        """The first PIN, or another one while it is open; opens it. Raises FlashError; then the PIN is as before."""
        key, mark = self._key, self._kept and self._kept[_MARK_AT:_SALT_AT]
        if key is None:
            key, mark = self._random(KEY_BYTES), self._random(_SALT_AT - _MARK_AT)
        salt = self._random(_SEALED_AT - _SALT_AT)
        sealed = siv_encrypt(self._key_of(pin, salt), [_ABOUT], key)
        self._keep(self._number + uint(0, 1) + mark + salt + sealed)
        self._key = key

    def shut(self):
        """Forget the key; it stays on flash, wrapped."""
        self._key = None

    def forget(self):
        """A PIN that nobody knows any more: what it opens is lost with it."""
        self.shut()
        self._flash.remove(_FILE)
        self._kept = None

    def tag(self, content):
        """16 bytes that say whether something wrapped is the same as this, also while it is shut."""
        return self._secret(b"wrapped" + (self._kept[_MARK_AT:_SALT_AT] if self._kept else b"") + content)

    def wrap(self, about, content):
        """Only while it is open."""
        return siv_encrypt(self._key, [about], content)

    def unwrap(self, about, wrapped):
        """Only while it is open; raises BadMac for what was wrapped under another key, or about something else."""
        return siv_decrypt(self._key, [about], wrapped)

    def _key_of(self, pin, salt):
        """The 32-byte AES-SIV key of a PIN. The chain takes long, and no step of it can be skipped."""
        encrypt = chained_encryption(self._secret(b"pin" + salt + pin.encode()))
        for _ in range(_ROUNDS):
            last = encrypt(_ZEROS)
        return cmac(last[-BLOCK:], b"pin 1") + cmac(last[-BLOCK:], b"pin 2")

    def _keep_wrong(self, wrong):
        self._keep(self._kept[:_WRONG_AT] + uint(wrong, 1) + self._kept[_MARK_AT:])

    def _keep(self, content):
        self._flash.replace_checked(_FILE, content)
        self._kept = content


def is_easy(pin):
    """Whether somebody would try this PIN first: one digit all along, or digits that count up."""
    steps = [ord(pin[at + 1]) - ord(pin[at]) for at in range(len(pin) - 1)]
    return steps == [0] * len(steps) or steps == [1] * len(steps)
