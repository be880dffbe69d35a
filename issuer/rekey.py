"""New keys on a pass that has old ones: at its next contact with the desk after a key was rotated.

What can change in place changes in place. A pass whose handle or transaction-MAC key is renewed becomes a new
generation of itself: the transaction MAC file can only be made anew, its counter starts again, and with a new
generation no transaction ever looks like an earlier one. The tap key comes last of these: until it is changed no
terminal can take anything from the pass, so nothing happens half-way. Every step looks first whether it was done.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from card.administration import (
    AES_KEYS,
    ChangeKey,
    CreateTransactionMACFile,
    DeleteFile,
    GetCardUID,
    GetFileIDs,
    GetFileSettings,
    GetKeyVersion,
    WriteData,
)
from card.blueprint import Blueprint
from card.commands import ReadData, SelectApplication
from card.errors import NotAuthenticated
from card.ev2 import authenticate_first
from card.layout import (
    APPLICATION_KEY,
    FILE_MODES,
    LOAD_KEY,
    LOOKUP_KEY,
    PASS_FILE,
    PASS_FILE_BYTES,
    TAP_KEY,
    TMAC_FILE,
    PassFile,
)
from card.session import Session
from issuer.errors import CardRefused, DeskError
from issuer.personalise import Keys, Pass
from issuer.vault_client import CardKeys

_PICC_LEVEL = bytes(3)
_PICC_KEY = 0
_MOST_GENERATIONS = 255
_TOO_OLD = "The keys on this pass are too old. Replace the pass."
_ANOTHER = "This is the pass of somebody else. Put the right pass on the reader."


@dataclass(frozen=True)
class Rekeyed:
    """A pass with the keys of today, and what was renewed: `purposes` is empty when nothing was."""

    made: Pass
    keys: CardKeys
    purposes: list[str]


class Rekeyer:
    """Renews keys on passes of one municipality. `random(n)` gives n random bytes."""

    def __init__(self, blueprint: Blueprint, keys: Keys, random: Callable[[int], bytes]) -> None:
        self._blueprint = blueprint
        self._keys = keys
        self._random = random

    def outdated(self, known: Pass, keys: CardKeys) -> list[str]:
        """What is older on a pass, as the registry knows it, than it should be. `keys` are those of its generation."""
        old = [purpose for purpose, version in keys.versions.items() if known.versions.get(purpose) != version]
        return old + (["handle"] if known.handle != keys.handle else [])

    def rekey(self, session: Session, known: Pass, day: int) -> Rekeyed:
        """Bring the pass on the reader up to date, on a day; again when it left half-way, until this returns.

        Raises CardRefused when another card is on the reader, or when a key on it does not count any more.
        """
        keys = self._keys.card_keys(known.uid, known.generation)
        purposes = self.outdated(known, keys)
        if not purposes:
            return Rekeyed(known, keys, [])
        session.run(SelectApplication(self._blueprint.aid))
        self._open(session, LOOKUP_KEY, "lookup", keys)
        if session.run(GetCardUID()) != known.uid:
            raise CardRefused(_ANOTHER)
        after, generation, issued = keys, known.generation, known.issued
        if {"handle", "transaction_mac"} & set(purposes):
            if generation >= _MOST_GENERATIONS:
                raise DeskError("This pass was renewed as often as a pass can be. Replace it.")
            generation += 1
            after = self._keys.card_keys(known.uid, generation)
        self._change(session, LOAD_KEY, "load", keys)
        self._change(session, LOOKUP_KEY, "lookup", keys)
        if after is not keys:
            issued = self._write_handle(session, after, generation, day)
            self._renew_transaction_mac(session, keys)
        self._change_tap_key(session, keys, after)
        self._change(session, APPLICATION_KEY, "application", keys)
        session.run(SelectApplication(_PICC_LEVEL))
        self._change_picc_key(session, keys)
        return Rekeyed(Pass(known.uid, after.handle, generation, after.versions, issued), after, purposes)

    def as_on_pass(self, session: Session, known: Pass, keys: CardKeys) -> CardKeys:
        """The keys with which the pass can be read as it is now."""
        session.run(SelectApplication(self._blueprint.aid))
        return replace(keys, handle=known.handle, lookup=self._on_pass(session, LOOKUP_KEY, "lookup", keys))

    def reading(self, session: Session, known: Pass, keys: CardKeys) -> CardKeys:
        """The keys with which the balances of the pass can be read as it is now, whatever is to be renewed on it."""
        if not self.outdated(known, keys):
            return keys
        session.run(SelectApplication(self._blueprint.aid))
        older = [each.key for each in keys.older if each.purpose == "tap"]
        return replace(keys, tap=self._first_that_opens(session, [keys.tap, *older]))

    # Keys as they are on the pass

    def _on_pass(self, session: Session, number: int, purpose: str, keys: CardKeys) -> bytes:
        """The key that the pass has now, of the current version or an older one that still counts."""
        version = session.run(GetKeyVersion(number))
        key = getattr(keys, purpose) if version == keys.versions[purpose] else keys.older_of(purpose, version)
        if key is None:
            raise CardRefused(_TOO_OLD)
        found: bytes = key
        return found

    def _open(self, session: Session, number: int, purpose: str, keys: CardKeys) -> None:
        self._authenticate(session, number, self._on_pass(session, number, purpose, keys))

    def _authenticate(self, session: Session, number: int, key: bytes) -> None:
        authenticate_first(session, number, key, self._random, FILE_MODES)

    # Steps, each of which may have been done before

    def _change(self, session: Session, number: int, purpose: str, keys: CardKeys) -> None:
        old, new = self._on_pass(session, number, purpose, keys), getattr(keys, purpose)
        if old == new:
            return
        self._open(session, APPLICATION_KEY, "application", keys)
        session.run(ChangeKey(number, new, keys.versions[purpose], None if number == APPLICATION_KEY else old))

    def _change_picc_key(self, session: Session, keys: CardKeys) -> None:
        old = self._on_pass(session, _PICC_KEY, "picc", keys)
        if old == keys.picc:
            return
        self._authenticate(session, _PICC_KEY, old)
        # At this level the number of the key says its type too.
        session.run(ChangeKey(_PICC_KEY | AES_KEYS, keys.picc, keys.versions["picc"]))

    def _write_handle(self, session: Session, after: CardKeys, generation: int, day: int) -> int:
        """The day on which the pass got the handle, which an earlier attempt may have written."""
        self._authenticate(session, LOOKUP_KEY, after.lookup)
        held = PassFile.from_bytes(session.run(ReadData(PASS_FILE, 0, PASS_FILE_BYTES)))
        if held.handle == after.handle:
            written: int = held.issued
            return written
        days = held.valid_from, held.valid_until
        content = PassFile(held.issuer, after.handle, *days, generation, day).to_bytes()
        self._authenticate(session, LOAD_KEY, after.load)
        session.run(WriteData(PASS_FILE, 0, content))
        return day

    def _renew_transaction_mac(self, session: Session, keys: CardKeys) -> None:
        """The file has no way to change its key, so it goes and comes back; the purses stay as they are."""
        self._open(session, APPLICATION_KEY, "application", keys)
        if TMAC_FILE in session.run(GetFileIDs()):
            if session.run(GetFileSettings(TMAC_FILE)).key_version == keys.versions["transaction_mac"]:
                return
            session.run(DeleteFile(TMAC_FILE))
        version = keys.versions["transaction_mac"]
        create: CreateTransactionMACFile = self._blueprint.create_files(keys.transaction_mac, version)[TMAC_FILE]
        session.run(create)

    def _change_tap_key(self, session: Session, before: CardKeys, after: CardKeys) -> None:
        """Its version does not tell which handle it follows from, so the pass is asked by trying."""
        if self._opens(session, after.tap) and session.run(GetKeyVersion(TAP_KEY)) == after.versions["tap"]:
            return
        older = [each.key for each in (*before.older, *after.older) if each.purpose == "tap"]
        old = self._first_that_opens(session, [before.tap, *older])
        self._open(session, APPLICATION_KEY, "application", before)
        session.run(ChangeKey(TAP_KEY, after.tap, after.versions["tap"], old))

    def _first_that_opens(self, session: Session, candidates: Iterable[bytes]) -> bytes:
        for key in candidates:
            if self._opens(session, key):
                return key
        raise CardRefused(_TOO_OLD)

    def _opens(self, session: Session, key: bytes) -> bool:
        try:
            self._authenticate(session, TAP_KEY, key)
        except NotAuthenticated:
            return False
        return True
