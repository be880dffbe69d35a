"""The first test of a new delivery of cards: a few of them become passes with throw-away keys, and blank cards again.

Each is checked against what a pass needs of its chip. The last one is also made to hide its UID; that is for good, so
it can become no pass any more and is destroyed. A delivery of which one sample fails is refused.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from card.administration import (
    CardVersion,
    ChangeKeySettings,
    Credit,
    FormatPICC,
    FreeMemory,
    GetApplicationIDs,
    GetCardUID,
    GetKeyVersion,
    GetVersion,
    RestoreFactoryKey,
    SetConfiguration,
)
from card.blueprint import Blueprint
from card.commands import CommitReaderID, CommitTransaction, Debit, GetValue, SelectApplication
from card.errors import CardError
from card.ev2 import authenticate_first, authenticate_non_first
from card.layout import FILE_MODES, LOAD_KEY, TAP_KEY
from card.record import LOAD, TAP, Proof
from card.session import Session
from card.tmac import is_committed, previous_reader_id
from hardware.errors import PassGone
from issuer.errors import CardLeft, CardRefused
from issuer.load import balances
from issuer.personalise import Details, Personaliser, Reader
from issuer.vault_client import CardKeys

SAMPLES = 3
_PICC_LEVEL = bytes(3)
_PICC_KEY = 0
_UID_BYTES = 7
_RANDOM_UID = 0x08
_FACTORY_SETTINGS = 0x0F
# Our application takes a fifth of it; the rest is for what a card is to carry besides.
_STORAGE_BYTES = 4096
# The pass file, read in full protection, has to come in one frame.
_FRAME_BYTES = 56
_LOADED, _SPENT = 500, 200
_PURPOSES = ("picc", "application", "load", "lookup", "tap", "transaction_mac")
_LEFT = "The card left the reader. Put the same card back and try again."

# What each check means, and what to tell the supplier when it fails: Dutch, English.
WORDS: dict[str, tuple[str, str]] = {
    "kind": (
        "De kaart moet een DESFire EV2 of EV3 zijn.",
        "The card has to be a DESFire EV2 or EV3.",
    ),
    "storage": (
        "De chip moet minstens 4 kB geheugen hebben.",
        "The chip has to have at least 4 kB of storage.",
    ),
    "uid": (
        "Elke kaart moet een eigen vast nummer van 7 bytes hebben, en dat niet verbergen.",
        "Each card has to have a fixed number of 7 bytes of its own, and must not hide it.",
    ),
    "factory key": (
        "De kaart moet de sleutel van de fabriek hebben (2TDEA, allemaal nullen).",
        "The card has to have the key of the factory (2TDEA, all zeros).",
    ),
    "empty": (
        "De kaart moet leeg zijn.",
        "The card has to be empty.",
    ),
    "free memory": (
        "Al het geheugen van de kaart moet vrij zijn.",
        "All of the card's memory has to be free.",
    ),
    "trial": (
        "De kaart moet een pas kunnen worden, met een bestand voor transactie-MAC's.",
        "The card has to be able to become a pass, with a transaction MAC file.",
    ),
    "transaction": (
        "De kaart moet bij- en afschrijven, met CommitReaderID, en elke keer een juist bewijs geven.",
        "The card has to take a credit and a debit, with CommitReaderID, and prove each of them rightly.",
    ),
    "configuration": (
        "De kaart moet SetConfiguration aannemen.",
        "The card has to take SetConfiguration.",
    ),
    "frame": (
        "De kaart moet 56 bytes in een keer antwoorden (FSCI 5).",
        "The card has to answer 56 bytes in one frame (FSCI 5).",
    ),
    "speed": ("Hoe snel de kaart antwoordt.", "How fast the card answers."),
    "random uid": (
        "De kaart moet haar nummer kunnen verbergen.",
        "The card has to be able to hide its number.",
    ),
    "restored": (
        "De kaart moet weer leeg te maken zijn (FormatPICC, sleutel van de fabriek).",
        "It has to be possible to empty the card again (FormatPICC, key of the factory).",
    ),
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at on one sample. `found` is a figure or a reason, without words of a language."""

    sample: int
    name: str
    passed: bool
    found: str = ""

    @property
    def words(self) -> tuple[str, str]:
        return WORDS[self.name]


@dataclass(frozen=True)
class Report:
    """What came of the samples. `spent` of them can become no pass any more and are to be destroyed."""

    checks: list[Check]
    spent: int

    @property
    def accepted(self) -> bool:
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def complaints(self) -> list[Check]:
        """What to tell the supplier."""
        return [check for check in self.checks if not check.passed]

    def rows(self) -> list[dict[str, Any]]:
        """To be kept with the delivery."""
        return [asdict(check) for check in self.checks]


class _Failed(Exception):
    """No use to look further at this sample."""


@dataclass
class _Sample:
    number: int
    session: Session
    checks: list[Check] = field(default_factory=list)

    def check(self, name: str, passed: bool, found: object = "") -> None:
        self.checks.append(Check(self.number, name, passed, str(found)))

    def need(self, name: str, passed: bool, found: object = "") -> None:
        self.check(name, passed, found)
        if not passed:
            raise _Failed


class Acceptance:
    """One test of one delivery. `random(n)` gives n random bytes; keys are made of it and forgotten.

    `examine` each sample in turn; again with the same card when it left. `report` when all are done.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        random: Callable[[int], bytes],
        samples: int = SAMPLES,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._blueprint = blueprint
        self._random = random
        self._samples = samples
        self._clock_ns = clock_ns
        self._keys: dict[bytes, CardKeys] = {}
        self._done: dict[int, list[Check]] = {}
        self._uids: dict[int, bytes] = {}
        self._spent: set[int] = set()

    @property
    def next_sample(self) -> int | None:
        """The number of the sample to put down, from 1; None when all were examined."""
        return next((number for number in range(1, self._samples + 1) if number not in self._done), None)

    def report(self) -> Report:
        return Report([check for number in sorted(self._done) for check in self._done[number]], len(self._spent))

    def examine(self, reader: Reader) -> list[Check]:
        """Look at the next sample, which must be on the reader, and make it blank again.

        Raises CardRefused when there is no card, and CardLeft when it left.
        """
        number = self.next_sample
        if number is None:
            raise CardRefused("All samples were examined. Take the card away.")
        seen = reader.find_pass()
        if seen is None:
            raise CardRefused("There is no card on the reader. Put a new card on it.")
        measured = _Measured(reader, self._clock_ns)
        sample = _Sample(number, Session(measured.transmit))
        try:
            self._examine(sample, reader, measured, seen)
        except PassGone:
            raise CardLeft(_LEFT) from None
        finally:
            reader.release()
        self._done[number] = sample.checks
        return sample.checks

    def _examine(self, sample: _Sample, reader: Reader, measured: "_Measured", seen: bytes) -> None:
        try:
            uid = self._look(sample, seen)
            used = self._trial(sample, uid)
            sample.check("frame", measured.longest >= _FRAME_BYTES, f"{measured.longest} bytes")
            sample.check("speed", True, f"{measured.milliseconds} ms")
            if sample.number == self._samples:
                self._hide(sample, reader, uid)
            else:
                self._restore(sample, uid, used)
        except _Failed:
            self._leave_as_it_was(sample)
        except (CardError, CardRefused) as error:
            # The step that was begun and not checked is the one that failed.
            sample.check(self._unchecked(sample), False, error)
            self._leave_as_it_was(sample)

    def _unchecked(self, sample: _Sample) -> str:
        seen = {check.name for check in sample.checks}
        return next((name for name in WORDS if name not in seen), "restored")

    # Steps

    def _look(self, sample: _Sample, seen: bytes) -> bytes:
        """What the card says of itself; writes nothing. The UID."""
        session = sample.session
        version: CardVersion = session.run(GetVersion())
        sample.need("kind", version.generation in ("EV2", "EV3"), _described(version))
        sample.check("storage", version.storage >= _STORAGE_BYTES, f"{version.storage} bytes")
        uid: bytes = version.uid
        others = {other for number, other in self._uids.items() if number != sample.number}
        own = len(seen) == _UID_BYTES and uid == seen and uid != bytes(_UID_BYTES)
        sample.need("uid", own and uid not in others, "" if own else "hidden")
        self._uids[sample.number] = uid
        session.run(SelectApplication(_PICC_LEVEL))
        if uid in self._keys:
            self._blank(session, self._keys[uid])
        return uid

    def _trial(self, sample: _Sample, uid: bytes) -> int:
        """Make the card a pass of nobody and use it; how many bytes that took."""
        session = sample.session
        sample.need("factory key", session.run(GetKeyVersion(_PICC_KEY)) == 0)
        sample.need("empty", session.run(GetApplicationIDs()) == [])
        free: int = session.run(FreeMemory())
        keys = self._keys.setdefault(uid, self._throw_away_keys())
        Personaliser(self._blueprint, _OneCardsKeys(keys), self._random).build(session, keys, Details(0, 0, 0, 0))
        session.run(SelectApplication(_PICC_LEVEL))
        authenticate_first(session, _PICC_KEY, keys.picc, self._random, FILE_MODES)
        used = free - int(session.run(FreeMemory()))
        sample.check("free memory", free >= _STORAGE_BYTES // 2, f"{free} bytes, of which a pass takes {used}")
        sample.check("trial", True)
        sample.need("transaction", self._use(session, keys, uid))
        session.run(SelectApplication(_PICC_LEVEL))
        authenticate_first(session, _PICC_KEY, keys.picc, self._random, FILE_MODES)
        # No bit set: nothing changes.
        session.run(SetConfiguration(SetConfiguration.PICC, b"\x00"))
        sample.check("configuration", True)
        return used

    def _use(self, session: Session, keys: CardKeys, uid: bytes) -> bool:
        """A credit and a debit, each with a right proof, and the balance that follows from them."""
        purse = min(self._blueprint.purses)
        session.run(SelectApplication(self._blueprint.aid))
        authenticate_first(session, LOAD_KEY, keys.load, self._random, FILE_MODES)
        session.run(Credit(purse, _LOADED))
        authenticate_non_first(session, TAP_KEY, keys.tap, self._random)
        first, loaded = self._commit(session)
        # As a terminal does: what was read before this authentication is in no proof after it.
        session.run(GetValue(purse))
        authenticate_first(session, TAP_KEY, keys.tap, self._random, FILE_MODES)
        session.run(Debit(purse, _SPENT))
        second, spent = self._commit(session)
        key = keys.transaction_mac
        return (
            (loaded.tmc, spent.tmc) == (1, 2)
            and is_committed(key, uid, LOAD, [(purse, _LOADED)], first, loaded)
            and is_committed(key, uid, TAP, [(purse, _SPENT)], second, spent)
            and previous_reader_id(key, 2, uid, spent.enc_tmri) == first
            and balances(session, self._blueprint.aid, keys, [purse], self._random) == {purse: _LOADED - _SPENT}
        )

    def _commit(self, session: Session) -> tuple[bytes, Proof]:
        reader_id = self._random(16)
        enc_tmri = session.run(CommitReaderID(reader_id))
        tmc, tmv = session.run(CommitTransaction())
        return reader_id, Proof(bytes(16), tmc, tmv, enc_tmri)

    def _hide(self, sample: _Sample, reader: Reader, uid: bytes) -> None:
        """The last sample hides its UID, for good; it still tells it to who has a key."""
        self._spent.add(sample.number)
        session, keys = sample.session, self._keys[uid]
        session.run(SetConfiguration(SetConfiguration.PICC, bytes([SetConfiguration.RANDOM_ID])))
        reader.release()
        first, second = reader.find_pass(), reader.find_pass()
        if first is None or second is None:
            raise PassGone
        session.run(SelectApplication(_PICC_LEVEL))
        authenticate_first(session, _PICC_KEY, keys.picc, self._random, FILE_MODES)
        hidden = first != second and first[0] == second[0] == _RANDOM_UID and session.run(GetCardUID()) == uid
        sample.check("random uid", hidden)
        session.run(FormatPICC())

    def _restore(self, sample: _Sample, uid: bytes, used: int) -> None:
        session = sample.session
        self._blank(session, self._keys[uid])
        whole = session.run(GetKeyVersion(_PICC_KEY)) == 0 and session.run(GetApplicationIDs()) == []
        sample.check("restored", whole, f"{session.run(FreeMemory())} bytes")
        if not whole:
            self._spent.add(sample.number)

    def _leave_as_it_was(self, sample: _Sample) -> None:
        """As far as that goes; a card that was begun and does not go back can become no pass."""
        keys = self._keys.get(self._uids.get(sample.number, b""))
        if keys is None or sample.number in self._spent:
            return
        try:
            self._blank(sample.session, keys)
        except CardError:
            self._spent.add(sample.number)

    def _blank(self, session: Session, keys: CardKeys) -> None:
        """Take everything away that the trial made, from wherever it stopped."""
        session.run(SelectApplication(_PICC_LEVEL))
        if session.run(GetKeyVersion(_PICC_KEY)) == 0:
            return
        authenticate_first(session, _PICC_KEY, keys.picc, self._random, FILE_MODES)
        session.run(FormatPICC())
        session.run(ChangeKeySettings(_FACTORY_SETTINGS))
        session.run(RestoreFactoryKey())

    def _throw_away_keys(self) -> CardKeys:
        return CardKeys(
            handle=self._random(16),
            picc=self._random(16),
            application=self._random(16),
            load=self._random(16),
            lookup=self._random(16),
            tap=self._random(16),
            transaction_mac=self._random(16),
            versions=dict.fromkeys(_PURPOSES, 1),
        )


class _OneCardsKeys:
    """The keys of a card whose UID does not matter."""

    def __init__(self, keys: CardKeys) -> None:
        self._keys = keys

    def lookup_keys(self) -> list[bytes]:
        return [self._keys.lookup]

    def card_keys(self, uid: bytes, generation: int) -> CardKeys:
        return self._keys


class _Measured:
    """A reader that remembers how long exchanges took, and the longest answer."""

    def __init__(self, reader: Reader, clock_ns: Callable[[], int]) -> None:
        self._reader = reader
        self._clock_ns = clock_ns
        self._took_ns: list[int] = []
        self.longest = 0

    def transmit(self, apdu: bytes) -> bytes:
        began = self._clock_ns()
        answer = self._reader.transmit(apdu)
        self._took_ns.append(self._clock_ns() - began)
        self.longest = max(self.longest, len(answer) - 2)
        return answer

    @property
    def milliseconds(self) -> str:
        return f"{median(self._took_ns) / 1e6:.1f}"


def _described(version: CardVersion) -> str:
    hardware, software = (".".join(map(str, each)) for each in (version.hardware, version.software))
    return f"{version.generation or 'unknown'}, hardware {hardware}, software {software}"
