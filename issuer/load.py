"""Putting a grant on a pass: a card transaction with its own proof, like a tap the other way round.

The intent goes into the desk's journal before the commit, so that a card which leaves, or a desk that loses power,
never costs or makes a cent: the next time the pass is on the reader its counter tells what happened.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from card.administration import Credit
from card.commands import (
    CommitReaderID,
    CommitTransaction,
    GetValue,
    ReadData,
    SelectApplication,
    parse_transaction_mac,
)
from card.errors import BoundaryReached, CardError, Refused
from card.ev2 import authenticate_first, authenticate_non_first
from card.layout import FILE_MODES, LOAD_KEY, LOOKUP_KEY, TAP_KEY, TMAC_FILE
from card.record import LOAD, ClearRecord, Proof, reader_id, seal
from card.sealing import SealingKey
from card.session import Session
from hardware.errors import PassGone
from issuer.errors import CardLeft, CardRefused
from issuer.vault_client import CardKeys

_NO_TMV = bytes(8)
_TMAC_BYTES = 12


@dataclass(frozen=True)
class Load:
    """One grant to put on the pass: `amount` in the unit of the purse. `load_id` is the registry's own number."""

    load_id: int
    grant: int
    purse: int
    amount: int


@dataclass(frozen=True)
class Intent:
    """A load that was about to be committed when something stopped. `tmc`: the counter it would have got."""

    load_id: int
    clear: bytes
    tmc: int
    enc_tmri: bytes


class DeskJournal(Protocol):
    """The desk's numbered, chained record of its loads, kept by the registry. Each call is durable when it returns."""

    def next_sequence(self) -> int:
        """A sequence number that no intent has yet."""

    def open_intent(self, handle: bytes) -> Intent | None:
        """The intent of this pass whose outcome is not known."""

    def intend(self, handle: bytes, intent: Intent, in_doubt: bytes) -> None:
        """Keep an intent; `in_doubt` is its sealed record as it stands while nothing is known."""

    def committed(self, intent: Intent, sealed: bytes) -> None:
        """The pass has it: append the entry, mark the load written, close the intent."""

    def void(self, intent: Intent) -> None:
        """The pass does not have it: append the entry, leave the load planned, close the intent."""


class Loader:
    """Loads for passes of one municipality. `sealing` must stand at `day`; `random(n)` gives n random bytes."""

    def __init__(
        self,
        terminal: int,
        aid: bytes,
        sealing: SealingKey,
        journal: DeskJournal,
        random: Callable[[int], bytes],
    ) -> None:
        self._terminal = terminal
        self._aid = aid
        self._sealing = sealing
        self._journal = journal
        self._random = random

    def load(self, session: Session, keys: CardKeys, loads: Sequence[Load]) -> list[Load]:
        """Write the loads, one transaction each, and return those that are on the pass now.

        A load whose commit was torn earlier counts as written when the pass shows that it was. Raises CardLeft when the
        card went away (call again with what is still planned) and CardRefused when a purse cannot hold the amount.
        """
        try:
            return self._load(session, keys, list(loads))
        except PassGone:
            raise CardLeft("The card left the reader. Put the same card back and try again.") from None
        except BoundaryReached:
            raise CardRefused(
                "A budget on this pass would become larger than it may be; nothing more was added."
            ) from None
        except CardError as error:
            raise CardRefused(
                "The pass does not take the budget ({error}). Try again, or replace the pass.", error=error
            ) from error

    def _load(self, session: Session, keys: CardKeys, loads: list[Load]) -> list[Load]:
        session.run(SelectApplication(self._aid))
        authenticate_first(session, LOOKUP_KEY, keys.lookup, self._random, FILE_MODES)
        tmc, tmv = parse_transaction_mac(session.run(ReadData(TMAC_FILE, 0, _TMAC_BYTES)))
        written = []
        earlier = self._settle(keys.handle, tmc, tmv)
        for load in loads:
            if load.load_id == earlier:
                written.append(load)
                continue
            tmc = self._write(session, keys, load, tmc)
            written.append(load)
        return written

    def _settle(self, handle: bytes, tmc: int, tmv: bytes) -> int | None:
        """Close an open intent of this pass by its counter; the load that turns out to be written already."""
        intent = self._journal.open_intent(handle)
        if intent is None:
            return None
        if tmc < intent.tmc:
            self._journal.void(intent)
            return None
        if tmc > intent.tmc or ClearRecord.from_bytes(intent.clear).day != self._sealing.day:
            # Whether it was this load that moved the counter is for the vault's audit to say. Until then it is not
            # written again: the city must not pay twice.
            raise CardRefused("An earlier budget for this pass is still in doubt. Ask finance to clear it up first.")
        self._journal.committed(intent, self._sealed(intent.clear, Proof(handle, tmc, tmv, intent.enc_tmri)))
        return intent.load_id

    def _write(self, session: Session, keys: CardKeys, load: Load, tmc: int) -> int:
        """One load; the new counter of the pass."""
        sequence, day = self._journal.next_sequence(), self._sealing.day
        clear = ClearRecord(LOAD, self._terminal, sequence, day, load.grant, load.purse, load.amount).to_bytes()
        authenticate_first(session, LOAD_KEY, keys.load, self._random, FILE_MODES)
        session.run(Credit(load.purse, load.amount))
        # NonFirst keeps the pending credit (one implementation says so; to be confirmed on a real card).
        authenticate_non_first(session, TAP_KEY, keys.tap, self._random)
        enc_tmri = session.run(CommitReaderID(reader_id(clear)))
        intent = Intent(load.load_id, clear, tmc + 1, enc_tmri)
        self._journal.intend(keys.handle, intent, self._sealed(clear, Proof(keys.handle, tmc + 1, _NO_TMV, enc_tmri)))
        try:
            new_tmc, tmv = session.run(CommitTransaction())
        except Refused:
            self._journal.void(intent)
            raise
        self._journal.committed(intent, self._sealed(clear, Proof(keys.handle, new_tmc, tmv, enc_tmri)))
        counter: int = new_tmc
        return counter

    def _sealed(self, clear: bytes, proof: Proof) -> bytes:
        sealed: bytes = seal(self._sealing.siv(), clear, proof)
        return sealed


def balances(
    session: Session, aid: bytes, keys: CardKeys, purses: Sequence[int], random: Callable[[int], bytes]
) -> dict[int, int]:
    """What the pass holds, by purse, in its unit; writes nothing."""
    session.run(SelectApplication(aid))
    authenticate_first(session, TAP_KEY, keys.tap, random, FILE_MODES)
    return {purse: session.run(GetValue(purse)) for purse in purses}
