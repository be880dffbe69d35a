"""From a factory card to a pass: every key its own, every file in place, random identification on.

Each step looks first whether it was done already, so that a card which left half-way can simply be put back. Random
identification comes last: until then the card tells its UID, from which all its keys follow; after it, the lookup key,
the one that every pass shares, gives the UID away to whoever holds that key only.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from card.administration import (
    ChangeKey,
    ChangeKeySettings,
    GetApplicationIDs,
    GetCardUID,
    GetFileIDs,
    GetFileSettings,
    GetKeyVersion,
    GetVersion,
    SetConfiguration,
    WriteData,
)
from card.blueprint import PICC_SETTINGS, Blueprint
from card.commands import ReadData, SelectApplication
from card.errors import CardError, NoSuchApplication, NotAuthenticated
from card.ev2 import authenticate_first
from card.layout import (
    APPLICATION_KEY,
    FILE_MODES,
    LOAD_KEY,
    LOOKUP_KEY,
    PASS_FILE,
    PASS_FILE_BYTES,
    TAP_KEY,
    PassFile,
)
from card.session import Session
from hardware.errors import PassGone
from issuer.errors import CardLeft, CardRefused
from issuer.factory_card import replace_factory_key
from issuer.vault_client import CardKeys

_PICC_LEVEL = bytes(3)
_PICC_KEY = 0
_DEFAULT_KEY = bytes(16)
_NOT_OURS = "This card belongs to somebody else. Take a new card."
_LEFT = "The card left the reader. Put the same card back and try again."


# Hears how far it is: `card`, `keys`, `files`, `content`, `hidden`, `budgets`.
Tell = Callable[[str], None]


def unheard(step: str) -> None:
    """Nobody watches."""


class Reader(Protocol):
    """A reader of `hardware/`."""

    def find_pass(self) -> bytes | None: ...
    def transmit(self, apdu: bytes) -> bytes: ...
    def release(self) -> None: ...


class Keys(Protocol):
    """Where the keys of a pass come from."""

    def lookup_keys(self) -> list[bytes]: ...
    def card_keys(self, uid: bytes, generation: int) -> CardKeys: ...


@dataclass(frozen=True)
class Pass:
    """What the registry keeps of a pass that was made; `versions` of its keys by purpose, `issued` as in its file."""

    uid: bytes
    handle: bytes
    generation: int
    versions: dict[str, int]
    issued: int


@dataclass(frozen=True)
class Details:
    """What goes into the pass file. Days since the day zero of records, both ends included.

    `issued`: the day on which the pass gets its handle; a pass that has it keeps the day that it has.
    """

    issuer: int
    valid_from: int
    valid_until: int
    issued: int
    generation: int = 1


class Personaliser:
    """Makes passes of one municipality. `random(n)` gives n random bytes."""

    def __init__(self, blueprint: Blueprint, keys: Keys, random: Callable[[int], bytes], tell: Tell = unheard) -> None:
        self._blueprint = blueprint
        self._keys = keys
        self._random = random
        self._tell = tell

    def personalise(self, reader: Reader, details: Details, admit: Callable[[bytes], None] = lambda uid: None) -> Pass:
        """Make the card on the reader a pass, or finish making it.

        `admit` gets the UID before anything on the card changes, and raises to refuse this card. Raises CardRefused for
        a card that cannot become a pass (it is left as it was) and CardLeft when it went away.
        """
        if reader.find_pass() is None:
            raise CardRefused("There is no card on the reader. Put a new card on it.")
        with told_to_the_clerk(reader):
            session = Session(reader.transmit)
            self._tell("card")
            uid = self._uid(session)
            admit(uid)
            keys = self._keys.card_keys(uid, details.generation)
            self.build(session, keys, details)
            self._tell("hidden")
            self.hide_uid(session, keys)
        return Pass(uid, keys.handle, details.generation, keys.versions, details.issued)

    def revalidate(
        self, session: Session, known: Pass, keys: CardKeys, details: Details, begin: Callable[[], None]
    ) -> None:
        """Write another validity on the pass on the reader, and nothing else; again when it left half-way.

        `begin` is called when it is the right pass, before anything on it changes.
        """
        session.run(SelectApplication(self._blueprint.aid))
        self._authenticate(session, LOOKUP_KEY, keys.lookup)
        if session.run(GetCardUID()) != known.uid:
            raise CardRefused("This is the pass of somebody else. Put the right pass on the reader.")
        begin()
        if session.run(ReadData(PASS_FILE, 0, PASS_FILE_BYTES)) != _content(keys, details):
            self._write_pass_file(session, keys, details)

    def identify(self, reader: Reader) -> bytes:
        """The UID of the pass or card on the reader; writes nothing."""
        if reader.find_pass() is None:
            raise CardRefused("There is no pass on the reader. Put it on the reader and try again.")
        with told_to_the_clerk(reader):
            return self._uid(Session(reader.transmit))

    def _identify(self, session: Session) -> bytes:
        """The UID of a finished pass of ours."""
        try:
            session.run(SelectApplication(self._blueprint.aid))
        except NoSuchApplication:
            raise CardRefused(_NOT_OURS) from None
        first, *older = self._keys.lookup_keys()
        try:
            self._authenticate(session, LOOKUP_KEY, first)
        except NotAuthenticated:
            self._authenticate_with_one_of(session, older)
        uid: bytes = session.run(GetCardUID())
        return uid

    def _authenticate_with_one_of(self, session: Session, lookup_keys: list[bytes]) -> None:
        """A pass from before the lookup key was renewed."""
        for key in lookup_keys:
            try:
                self._authenticate(session, LOOKUP_KEY, key)
                return
            except NotAuthenticated:
                continue
        raise CardRefused(_NOT_OURS)

    def _authenticate(self, session: Session, key_no: int, key: bytes) -> None:
        authenticate_first(session, key_no, key, self._random, FILE_MODES)

    def _uid(self, session: Session) -> bytes:
        version = session.run(GetVersion())
        if version.generation is None:
            raise CardRefused("This is not a card that can become a pass. Take a new card.")
        if version.generation == "EV1":
            raise CardRefused("This card is of an older kind (DESFire EV1) that cannot sign. Take an EV2 or EV3 card.")
        if version.uid != bytes(7):
            uid: bytes = version.uid
            return uid
        return self._identify(session)

    def build(self, session: Session, keys: CardKeys, details: Details) -> None:
        """Everything that a pass has but one: it still tells its UID to everybody."""
        self._tell("keys")
        session.run(SelectApplication(_PICC_LEVEL))
        fresh = session.run(GetKeyVersion(_PICC_KEY)) == 0
        if fresh:
            self._take_over(session, keys)
        self._authenticate(session, _PICC_KEY, keys.picc)
        # What this very run made needs no looking at; that saves seven exchanges on every card that goes well.
        fresh = fresh or self._blueprint.aid not in session.run(GetApplicationIDs())
        if fresh:
            session.run(ChangeKeySettings(PICC_SETTINGS))
            session.run(self._blueprint.create_application())
        session.run(SelectApplication(self._blueprint.aid))
        self._change_keys(session, keys, fresh)
        self._tell("files")
        self._create_files(session, keys, fresh)
        self._tell("content")
        self._write_pass_file(session, keys, details)

    def _take_over(self, session: Session, keys: CardKeys) -> None:
        """The factory's master key becomes ours. A card that carries anything is not from the factory."""
        if session.run(GetApplicationIDs()):
            raise CardRefused("This card was in use before. Take a new card.")
        replace_factory_key(session, keys.picc, keys.versions["picc"], self._random)

    def _change_keys(self, session: Session, keys: CardKeys, fresh: bool) -> None:
        """All four; the application key last, because it is what the others are changed with."""
        if not fresh and session.run(GetKeyVersion(APPLICATION_KEY)) == keys.versions["application"]:
            return
        self._authenticate(session, APPLICATION_KEY, _DEFAULT_KEY)
        for number, purpose in ((LOAD_KEY, "load"), (LOOKUP_KEY, "lookup"), (TAP_KEY, "tap")):
            version = keys.versions[purpose]
            if fresh or session.run(GetKeyVersion(number)) != version:
                session.run(ChangeKey(number, getattr(keys, purpose), version, _DEFAULT_KEY))
        session.run(ChangeKey(APPLICATION_KEY, keys.application, keys.versions["application"]))

    def _create_files(self, session: Session, keys: CardKeys, fresh: bool) -> None:
        self._authenticate(session, APPLICATION_KEY, keys.application)
        there = [] if fresh else session.run(GetFileIDs())
        for number, create in self._blueprint.create_files(
            keys.transaction_mac, keys.versions["transaction_mac"]
        ).items():
            if number not in there:
                session.run(create)
            if not self._blueprint.describes(number, session.run(GetFileSettings(number))):
                raise CardRefused("The card's files are not as they should be. Lay it aside and take another.")

    def _write_pass_file(self, session: Session, keys: CardKeys, details: Details) -> None:
        """Write it and read it back, each with the key that will do so later."""
        content = _content(keys, details)
        self._authenticate(session, LOAD_KEY, keys.load)
        session.run(WriteData(PASS_FILE, 0, content))
        self._authenticate(session, LOOKUP_KEY, keys.lookup)
        if session.run(ReadData(PASS_FILE, 0, PASS_FILE_BYTES)) != content:
            raise CardRefused("The card did not keep what was written. Lay it aside and take another.")

    def hide_uid(self, session: Session, keys: CardKeys) -> None:
        """Switch random identification on, for good."""
        session.run(SelectApplication(_PICC_LEVEL))
        self._authenticate(session, _PICC_KEY, keys.picc)
        session.run(SetConfiguration(SetConfiguration.PICC, bytes([SetConfiguration.RANDOM_ID])))


def _content(keys: CardKeys, details: Details) -> bytes:
    days = details.valid_from, details.valid_until
    content: bytes = PassFile(details.issuer, keys.handle, *days, details.generation, details.issued).to_bytes()
    return content


@contextmanager
def told_to_the_clerk(reader: Reader) -> Iterator[None]:
    """What a card does wrong, in one sentence that says what to do; lets go of the card at the end."""
    try:
        yield
    except PassGone:
        raise CardLeft(_LEFT) from None
    except NotAuthenticated:
        raise CardRefused(_NOT_OURS) from None
    except CardError as error:
        raise CardRefused(
            "The card does not do as it should ({error}). Lay it aside, take another.", error=error
        ) from error
    finally:
        reader.release()
