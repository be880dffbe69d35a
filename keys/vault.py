"""The vault as a function: what it derives for a pass, a terminal, a desk. `proving` says what it makes of records.

It holds keys and a register of keys, terminals and officers, and no table about passes or transactions: what it says
depends on the keys, the register and the question alone.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from card.batch import link_key
from card.diversify import diversify
from card.layout import aid_bytes, card_key_input
from card.lease import WrappingKey, wrap, wrapping_input
from card.sealing import SealingKey, first_state_input
from card.signing import BUNDLE, HOTLIST, certificate, certificate_input
from card.wire import uint
from keys.days import day_number
from keys.errors import KeyMissing, KeyStoreError
from keys.register import Register
from keys.siv import SivKey
from keys.store import BLOCK, Store

# The rest of the handle's block: what decrypts to this is a pass of ours (a guess succeeds once in 2^64).
HANDLE_PADDING = b"MEEDOEN\x01"
DESK = 1
MOST_LEASES = 100_000
# AN10922 for AES-128: the constant before the input. From 16 bytes of input on, the rest is one AES-CMAC.
_AES128 = b"\x01"


@dataclass(frozen=True)
class CardKey:
    """One key of one pass. `handle`: only of a tap key, which follows from it."""

    purpose: str
    version: int
    key: bytes
    handle: bytes | None = None


@dataclass(frozen=True)
class CardKeys:
    """All that goes onto one pass (`current`, by purpose), and what may be on it from before a rotation (`older`)."""

    handle: bytes
    current: dict[str, CardKey]
    older: list[CardKey]


class Vault:
    """Derives for one municipality. `today()` is the day in the municipality's own calendar."""

    def __init__(self, store: Store, register: Register, today: Callable[[], date]) -> None:
        self.store = store
        self.register = register
        self.today = today
        self.municipality = register.municipality
        self.aid = aid_bytes(register.aid)
        # Keys only, never anything about a pass: what a terminal's records of a day are opened with.
        self.siv_key_of = lru_cache(maxsize=65536)(self._siv_key)

    def accepted(self, purpose: str) -> list[int]:
        """The versions of a purpose that count today, newest first."""
        return self.register.accepted(purpose, self.today())

    # Passes

    def card_keys(self, uid: bytes, generation: int) -> CardKeys:
        """The keys of the pass with this UID (7 bytes) in this generation of its handle."""
        handles = [self._handle(version, uid, generation) for version in self.accepted("handle")]
        made = [
            CardKey(purpose, version, self._card_key(purpose, version, uid))
            for purpose in ("picc", "application", "load", "transaction_mac")
            for version in self.accepted(purpose)
        ]
        made += [CardKey("lookup", version, self.handed_out("lookup", version)) for version in self.accepted("lookup")]
        for handle in handles:
            made += [
                CardKey("tap", version, self._tap_key(version, handle), handle) for version in self.accepted("tap")
            ]
        current: dict[str, CardKey] = {}
        older = [key for key in made if current.setdefault(key.purpose, key) is not key]
        return CardKeys(handles[0], current, older)

    def _handle(self, version: int, uid: bytes, generation: int) -> bytes:
        return self.store.encrypt(("handle", version), uid + uint(generation, 1) + HANDLE_PADDING)

    def _card_key(self, purpose: str, version: int, uid: bytes) -> bytes:
        message = _AES128 + card_key_input(purpose, uid, self.aid)
        return self.store.cmacs((purpose, version), message, len(message))

    def _tap_key(self, version: int, handle: bytes) -> bytes:
        key: bytes = diversify(self.handed_out("tap", version), card_key_input("tap", handle, self.aid))
        return key

    # Other parties

    def handed_out(self, purpose: str, version: int, size: int = BLOCK) -> bytes:
        """What another party holds of a purpose, 16 or 32 bytes: one step below the key in the store."""
        parts = (b"meedoen " + purpose.encode() + b" %d" % number for number in range(1, size // BLOCK + 1))
        return b"".join(self.store.cmacs((purpose, version), part, len(part)) for part in parts)

    def backend_keys(self) -> dict[str, object]:
        """With the link roots the backend knows its terminals, with the table key it seals for the vault.

        With a key of its own it signs bundles; its certificate lasts as long as each year has keys.
        """
        roots = [self.handed_out("link", version).hex() for version in self.accepted("link")]
        signer = self._signer(BUNDLE, "link", self.register.years_end(self.today()))
        return {"link_roots": roots, "table_key": self.table_key().hex(), **signer}

    def table_key(self) -> bytes:
        """AES-SIV key of the backend's table of nullifiers."""
        return self.handed_out("table", self.register.current("table"), 2 * BLOCK)

    def desk_keys(self) -> dict[str, object]:
        """What a desk needs to hand in its loads and to make and sign the hotlist, from today on."""
        signer = self._signer(HOTLIST, "hotlist", self.register.lease_ends(self.today()))
        return {**self._keys_of(DESK), **signer}

    def _signer(self, use: bytes, purpose: str, last_day: date) -> dict[str, object]:
        """A key of a purpose to sign with, and this vault's word up to a day that who holds it may sign `use`."""
        seed = self.handed_out(purpose, self.register.current(purpose), 4 * BLOCK)[2 * BLOCK :]
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        until = day_number(last_day)
        name = "bundle", self.register.current("bundle")
        signature = self.store.sign(name, certificate_input(use, until, public))
        return {"signing_key": seed.hex(), "certificate": certificate(until, public, signature).hex()}

    def _keys_of(self, terminal: int) -> dict[str, object]:
        """What a desk and a terminal both have."""
        root = self.handed_out("link", self.register.current("link"))
        return {
            "terminal": terminal,
            "link_key": link_key(root, terminal).hex(),
            "sealing": self._sealing_chains(terminal),
            "hotlist_key": self.handed_out("hotlist", self.register.current("hotlist"), 2 * BLOCK).hex(),
        }

    def wrapping_key(self, terminal: int, device: bytes) -> WrappingKey:
        """What a device opens its first lease with."""
        message = wrapping_input(terminal, device)
        name = "lease", self.register.current("lease")
        return WrappingKey(self.store.cmacs(name, message, len(message)))

    def lease(self, terminal: int, number: int) -> bytes:
        """A terminal's keys from today on, wrapped to its device; `number` is the one that the device says is next.

        Raises KeyStoreError for a terminal that is not known or was revoked.
        """
        known = self.register.terminals.get(str(terminal))
        if known is None:
            raise KeyStoreError(f"Terminal {terminal} has no device here; `meedoen keys terminal issue` gives it one.")
        if known.revoked_on is not None:
            raise KeyStoreError(f"Terminal {terminal} was revoked on {known.revoked_on}.")
        if not 0 <= number < MOST_LEASES:
            raise KeyStoreError(f"A device counts its leases from 0 to {MOST_LEASES - 1}; {number} is not one.")
        device = bytes.fromhex(known.device)
        wrapping = self.wrapping_key(terminal, device)
        for _ in range(number):
            wrapping.step()
        content = json.dumps(self.terminal_keys(terminal), separators=(",", ":")).encode()
        wrapped: bytes = wrap(wrapping, terminal, device, content)
        return wrapped

    def terminal_keys(self, terminal: int) -> dict[str, object]:
        """What a lease says. Keys of which two versions count come newest first."""
        release = {"release": self.register.release} if self.register.release else {}
        return {
            **self._keys_of(terminal),
            **release,
            "issuer": self.municipality,
            "aid": self.register.aid,
            "day": day_number(self.today()),
            "lookup_keys": [self.handed_out("lookup", version).hex() for version in self.accepted("lookup")],
            "tap_keys": [self.handed_out("tap", version).hex() for version in self.accepted("tap")],
            "signers": [self.store.public_key(("bundle", version)).hex() for version in self.accepted("bundle")],
        }

    def _sealing_chains(self, terminal: int) -> list[list[object]]:
        """From today to the end of the lease, a chain for each calendar year; up to a year that has no key yet."""
        first = self.today()
        ends = self.register.lease_ends(first)
        chains: list[list[object]] = []
        for year in range(first.year, ends.year + 1):
            begins, last = max(first, date(year, 1, 1)), min(ends, date(year, 12, 31))
            try:
                state = self._state_on(terminal, begins)
            except KeyMissing:
                break
            chains.append([state.hex(), day_number(begins), day_number(last)])
        if not chains:
            raise KeyMissing("sealing", first.year)
        return chains

    def _state_on(self, terminal: int, on: date) -> bytes:
        state: bytes = self._chain(terminal, on).to_bytes()[:BLOCK]
        return state

    def _chain(self, terminal: int, on: date) -> SealingKey:
        message = first_state_input(terminal, on.year)
        state = self.store.cmacs(("sealing", on.year), message, len(message))
        chain = SealingKey([(state, day_number(date(on.year, 1, 1)), day_number(date(on.year, 12, 31)))])
        chain.advance(day_number(on))
        return chain

    def _siv_key(self, terminal: int, on: date) -> SivKey:
        return SivKey(self._chain(terminal, on).key())
