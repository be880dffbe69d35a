"""A desk's journal of loads, kept in the registry: intents that are open, and the chained entries for the backend.

Several desks of one municipality share a registry; each has its own number, sequence and chain.
"""

import threading

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from card.batch import (
    COMMITTED,
    FIRST_MAC,
    IN_DOUBT,
    MAC_BYTES,
    NOT_SEALED,
    VOID,
    build_batch,
    chain_key,
    entry_bytes,
)
from card.errors import OutOfRange
from card.record import ClearRecord
from card.sealing import SealingKey
from issuer.errors import DeskError
from issuer.load import Intent
from issuer.registry import Registry
from issuer.registry.tables import HandedIn, JournalEntry, OpenIntent, PlannedLoad, SealingState

_MOST_ENTRIES = 500
# What every load asks is put into words once.
_LATEST = select(func.max(JournalEntry.sequence)).where(JournalEntry.terminal == bindparam("terminal"))
_LATEST_OPEN = select(func.max(OpenIntent.sequence)).where(OpenIntent.terminal == bindparam("terminal"))
_LAST = (
    select(JournalEntry.position, JournalEntry.entry)
    .where(JournalEntry.terminal == bindparam("terminal"))
    .order_by(JournalEntry.position.desc())
    .limit(1)
)
_OPEN_OF = select(OpenIntent).where(OpenIntent.handle == bindparam("handle"))
_WRONG_DAY = "The desk's key is not for this day. Look at the clock, or ask the key custodian for a new file."


class RegistryJournal:
    """issuer.load.DeskJournal on the registry's database; every call is one transaction.

    Threads of one process may share it, each with a pass of its own. What they do here goes one at a time: a sequence
    number and a place in the chain are the highest until now and one more, which two at once would both take. Between
    number and intent lie seven exchanges with the pass, too long to wait for each other; so a number is promised.
    """

    def __init__(self, registry: Registry, link_key: bytes, terminal: int) -> None:
        self._registry = registry
        self._link_key = link_key
        self._chain_key = chain_key(link_key)
        self._terminal = terminal
        self._one_at_a_time = threading.Lock()
        # By thread, until the intent is kept. A pass that left before that leaves its number to the thread's next one.
        self._promised: dict[int, int] = {}

    def next_sequence(self) -> int:
        with self._one_at_a_time, self._registry.transaction() as session:
            ours_already = self._promised.get(threading.get_ident())
            if ours_already is not None:
                return ours_already
            ours = {"terminal": self._terminal}
            latest, open_one = session.scalar(_LATEST, ours) or 0, session.scalar(_LATEST_OPEN, ours) or 0
            number = max(latest, open_one, *self._promised.values()) + 1
            self._promised[threading.get_ident()] = number
            return number

    def open_intent(self, handle: bytes) -> Intent | None:
        with self._registry.transaction() as session:
            row = session.scalar(_OPEN_OF, {"handle": handle})
            return Intent(row.load_id, row.clear, row.tmc, row.enc_tmri) if row else None

    def intend(self, handle: bytes, intent: Intent, in_doubt: bytes) -> None:
        with self._one_at_a_time, self._registry.transaction() as session:
            session.add(
                OpenIntent(
                    terminal=self._terminal,
                    sequence=_sequence(intent.clear),
                    handle=handle,
                    load_id=intent.load_id,
                    clear=intent.clear,
                    tmc=intent.tmc,
                    enc_tmri=intent.enc_tmri,
                    in_doubt=in_doubt,
                )
            )
            session.flush()
            self._promised.pop(threading.get_ident(), None)

    def committed(self, intent: Intent, sealed: bytes) -> None:
        with self._one_at_a_time, self._registry.transaction() as session:
            self._close(session, intent, COMMITTED, sealed)
            load = session.get_one(PlannedLoad, intent.load_id)
            load.state = "written"

    def void(self, intent: Intent) -> None:
        with self._one_at_a_time, self._registry.transaction() as session:
            self._close(session, intent, VOID, NOT_SEALED)

    def _close(self, session: Session, intent: Intent, outcome: int, sealed: bytes) -> None:
        self._append(session, outcome, intent.clear, sealed)
        session.delete(session.get_one(OpenIntent, (self._terminal, _sequence(intent.clear))))

    def _append(self, session: Session, outcome: int, clear: bytes, sealed: bytes) -> None:
        last = session.execute(_LAST, {"terminal": self._terminal}).first()
        position, previous = (last.position + 1, last.entry[-MAC_BYTES:]) if last else (1, FIRST_MAC)
        entry = entry_bytes(self._chain_key, position, previous, outcome, clear, sealed)
        number = _sequence(clear)
        session.add(JournalEntry(terminal=self._terminal, position=position, sequence=number, entry=entry))

    def batches(self, first: int) -> list[bytes]:
        """All entries from position `first` on, which the backend lacks; loads whose outcome is not known go along."""
        with self._one_at_a_time, self._registry.transaction() as session:
            # Older ones need not be kept for the backend.
            session.merge(HandedIn(terminal=self._terminal, position=first - 1))
            ours = OpenIntent.terminal == self._terminal
            for row in session.scalars(select(OpenIntent).where(ours, OpenIntent.handed_in.is_(False))):
                self._append(session, IN_DOUBT, row.clear, row.in_doubt)
                row.handed_in = True
                session.flush()
        with self._registry.transaction() as session:
            lacking = select(JournalEntry).where(
                JournalEntry.terminal == self._terminal, JournalEntry.position >= first - 1
            )
            entries = list(session.scalars(lacking.order_by(JournalEntry.position)))
        previous = FIRST_MAC
        if entries and entries[0].position == first - 1:
            previous = entries.pop(0).entry[-MAC_BYTES:]
        made = []
        for at in range(0, len(entries), _MOST_ENTRIES):
            part = [row.entry for row in entries[at : at + _MOST_ENTRIES]]
            made.append(build_batch(self._link_key, self._terminal, first + at, previous, part))
            previous = part[-1][-MAC_BYTES:]
        return made

    def sealing(self, given: SealingKey, day: int) -> SealingKey:
        """The sealing key at `day`; the keys of days before are gone from here after this call.

        `given` is what the vault gave last; it counts as far as it reaches further than what is kept here. Raises
        DeskError for a day before the last one used, or after the last one that the key reaches.
        """
        with self._one_at_a_time, self._registry.transaction() as session:
            row = session.get(SealingState, self._terminal)
            kept = None if row is None else SealingKey.from_bytes(row.state)
            try:
                key = given
                if kept is not None:
                    # Whatever came in a file: a day that was left behind does not come back.
                    day_to_be = max(kept.day, given.day)
                    key = given if given.last_day > kept.last_day else kept
                    key.advance(day_to_be)
                key.advance(day)
            except OutOfRange:
                raise DeskError(_WRONG_DAY) from None
            state = key.to_bytes()
            if row is None:
                session.add(SealingState(terminal=self._terminal, state=state))
            elif row.state != state:
                row.state = state
        return key


def _sequence(clear: bytes) -> int:
    sequence: int = ClearRecord.from_bytes(clear).sequence
    return sequence
