"""The vault as a function: sealed proofs in, verdicts out, nothing kept.

It holds keys and no table: what it says depends on the keys and the question alone.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from card.aes import Ecb, ecb_decrypt
from card.batch import link_key
from card.cmac import Cmac
from card.diversify import diversify
from card.errors import BadMac, BadRecord
from card.layout import aid_bytes, card_key_input
from card.record import CLEAR_BYTES, DAY_ZERO, SEALED_BYTES, ClearRecord, Proof, reader_id, unseal
from card.sealing import sealing_key
from card.tmac import is_committed
from card.wire import same, uint
from keys.hierarchy import derive
from keys.keyfile import KeyFile

RECORD_BYTES = CLEAR_BYTES + SEALED_BYTES
KEY_VERSION = 1
# The rest of the handle's block: what decrypts to this is a pass of ours (a guess succeeds once in 2^64).
_HANDLE_PADDING = b"MEEDOEN\x01"


@dataclass(frozen=True)
class Verdict:
    """What `prove` says of one record; `nullifier` only of a valid one. `reason`: record, seal, handle or mac."""

    terminal: int | None
    sequence: int | None
    nullifier: bytes | None = None
    reason: str | None = None

    @property
    def valid(self) -> bool:
        return self.nullifier is not None


@dataclass(frozen=True)
class CardKeys:
    """All that goes onto one pass. The desk holds it while it writes the pass, and no longer."""

    handle: bytes
    picc: bytes
    application: bytes
    load: bytes
    lookup: bytes
    tap: bytes
    transaction_mac: bytes


class Vault:
    """Derives and proves for one municipality."""

    def __init__(self, keyfile: KeyFile) -> None:
        self._root = keyfile.root_secret
        self.municipality = keyfile.municipality
        self._aid = aid_bytes(keyfile.aid)
        self.aid = keyfile.aid
        self._handle_key = self._key("handle")
        self._tmac_master = self._key("transaction_mac")
        self._sealing_root = self._key("sealing")
        # Keys only, never anything about a pass: what a day's records are opened with, and a year's nullifier key.
        self._sealing_key_of = lru_cache(maxsize=4096)(self._sealing_key)
        self._nullifier_of = lru_cache(maxsize=8)(lambda year: Cmac(self._key("nullifier", year)))

    def _key(self, purpose: str, version: int = KEY_VERSION) -> bytes:
        return derive(self._root, self.municipality, purpose, version)

    def _sealing_key(self, terminal: int, day: int) -> bytes:
        key: bytes = sealing_key(self._sealing_root, terminal, day).key()
        return key

    def card_keys(self, uid: bytes, generation: int) -> CardKeys:
        """The keys of the pass with this UID (7 bytes) in this generation of its handle."""
        handle = Ecb(self._handle_key).encrypt(uid + uint(generation, 1) + _HANDLE_PADDING)

        def diversified(purpose: str, identity: bytes) -> bytes:
            key: bytes = diversify(self._key(purpose), card_key_input(purpose, identity, self._aid))
            return key

        return CardKeys(
            handle=handle,
            picc=diversified("picc", uid),
            application=diversified("application", uid),
            load=diversified("load", uid),
            lookup=self._key("lookup"),
            tap=diversified("tap", handle),
            transaction_mac=diversified("transaction_mac", uid),
        )

    def link_root(self) -> bytes:
        """For the backend: with it the backend checks that a batch comes from the terminal it names."""
        return self._key("link")

    def terminal_keys(self, terminal: int, day: int) -> dict[str, object]:
        """What a terminal is provisioned with on a day; the keys of days before cannot be made from it."""
        return {
            **self.desk_keys(terminal, day),
            "issuer": self.municipality,
            "aid": self.aid,
            "lookup_key": self._key("lookup").hex(),
            "tap_key": self._key("tap").hex(),
        }

    def desk_keys(self, terminal: int, day: int) -> dict[str, object]:
        """What a desk needs to hand in its loads and to sign the hotlist."""
        sealing = sealing_key(self._sealing_root, terminal, day)
        return {
            "terminal": terminal,
            "link_key": link_key(self.link_root(), terminal).hex(),
            "sealing_state": sealing.state.hex(),
            "sealing_day": sealing.day,
            "hotlist_key": self._key("hotlist").hex(),
        }

    def prove(self, record: bytes) -> Verdict:
        """Whether a pass of ours committed what this record (clear and sealed part, 102 bytes) says."""
        clear, sealed = record[:CLEAR_BYTES], record[CLEAR_BYTES:]
        try:
            parsed = ClearRecord.from_bytes(clear)
        except BadRecord:
            return Verdict(None, None, reason="record")
        name = parsed.terminal, parsed.sequence
        try:
            proof = unseal(self._sealing_key_of(parsed.terminal, parsed.day), clear, sealed)
        except (BadMac, BadRecord):
            return Verdict(*name, reason="seal")
        identity = self._open_handle(proof)
        if identity is None:
            return Verdict(*name, reason="handle")
        uid, generation = identity
        key = diversify(self._tmac_master, card_key_input("transaction_mac", uid, self._aid))
        if not is_committed(key, uid, parsed.kind, parsed.debits(), reader_id(clear), proof):
            return Verdict(*name, reason="mac")
        year = (date(*DAY_ZERO) + timedelta(days=parsed.day)).year
        return Verdict(*name, nullifier=self._nullifier_of(year).full(uid + generation + uint(proof.tmc, 4)))

    def _open_handle(self, proof: Proof) -> tuple[bytes, bytes] | None:
        plain = ecb_decrypt(self._handle_key, proof.handle)
        if not same(plain[8:], _HANDLE_PADDING):
            return None
        return plain[:7], plain[7:8]
