"""The exceptions desk: lists of cases, one case with all that was done about it, and the acts of its people.

What closes or books a case is proposed by one person and confirmed by another. All acts are added to what is there and
stay; when something new is heard of a closed case, it is open again. The same batch again is nothing new.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from backend.calendar import Calendar
from backend.errors import ExceptionRefused, NotFound
from backend.exceptions import cases
from backend.exceptions.cases import Found
from backend.exceptions.names import (
    ACTIONS,
    BANK_ENTRY,
    CLOSE_REASONS,
    DIFFERS,
    DOUBT,
    FOREIGN,
    GAP,
    ITEM,
    KINDS,
    MISSING,
    OVERDUE,
    RETURNED,
)
from backend.ingest import Ingest, Retried
from backend.people import named, same_person
from backend.store import Store, Transaction

MOST_NOTE = 200


@dataclass(frozen=True)
class Event:
    """What somebody did, or clearing itself (`by` None). `outcome` and `reason` are of what was proposed."""

    action: str
    by: str | None
    at: datetime
    outcome: str | None
    reason: str | None
    note: str


@dataclass(frozen=True)
class Case:
    """One case. `status`: open, proposed (waits for a second person), closed or resolved; `actions`: what can be done
    now. Facts are codes, numbers and days; words are in `backend.exceptions.words`."""

    id: str
    kind: str
    status: str
    reason: str | None
    terminal: int | None
    venue: int | None
    first: int | None
    last: int | None
    sequence: int | None
    since: datetime | date | None
    facts: dict[str, Any]
    actions: tuple[str, ...]
    events: tuple[Event, ...]


class Exceptions:
    """Cases of one municipality. `overdue_days`: how long a terminal may be away."""

    def __init__(self, store: Store, ingest: Ingest, calendar: Calendar, overdue_days: int) -> None:
        self._store = store
        self._ingest = ingest
        self._calendar = calendar
        self._overdue = cases.overdue(overdue_days, calendar.today)

    # Looking

    def counts(self, venue: int | None = None) -> dict[str, int]:
        """Open and proposed cases (of a venue), by kind; every kind is there."""
        counted = Counter(case.kind for case in self.cases(venue=venue))
        return {kind: counted[kind] for kind in KINDS}

    def cases(self, kind: str | None = None, venue: int | None = None, ended: bool = False) -> list[Case]:
        """Cases of a kind (of all), in the order of kinds and then as they came; `ended`: closed and resolved too."""
        with self._store.reading() as tx:
            listed = self._cases(tx, self._found(tx, kind, ended))
        chosen = [case for case in listed if ended or case.status in ("open", "proposed")]
        if venue is not None:
            chosen = [case for case in chosen if case.venue == venue]
        return sorted(chosen, key=lambda case: KINDS.index(case.kind))

    def case(self, id: str) -> Case:
        """One case, also when it has ended; raises NotFound."""
        with self._store.reading() as tx:
            return self._case(tx, id)[1]

    def _case(self, tx: Transaction, id: str) -> tuple[Found, Case]:
        """The open one, where a case that was closed came up again."""
        for found in self._found(tx, _kind_in(id), ended=True):
            if found.id == id:
                return found, self._cases(tx, [found])[0]
        raise NotFound("exception", f"There is no exception {id}. It may have changed; look at the list again.")

    def _found(self, tx: Transaction, kind: str | None, ended: bool) -> Iterator[Found]:
        for source in dict.fromkeys([self._source(each) for each in ([kind] if kind else KINDS)]):
            yield from (found for found in source(tx, ended) if kind in (None, ITEM, found.kind))

    def _source(self, kind: str) -> Callable[[Transaction, bool], Iterable[Found]]:
        return {
            GAP: cases.gaps,
            DOUBT: cases.doubts,
            MISSING: cases.missing,
            FOREIGN: cases.foreign,
            DIFFERS: cases.differing,
            OVERDUE: self._overdue,
            RETURNED: cases.returned,
            BANK_ENTRY: cases.bank_entries,
        }.get(kind, cases.items)

    def _cases(self, tx: Transaction, found: Iterable[Found]) -> list[Case]:
        listed = list(found)
        venues = {terminal.number: terminal.venue for terminal in tx.catalogue.terminals()}
        done: dict[str, list[Row[Any]]] = {each.id: [] for each in listed}
        for event in tx.cases.events(done):
            done[event.about].append(event)
        return [_case(each, each.venue or venues.get(each.terminal or 0), done[each.id]) for each in listed]

    # Acting

    def retry(self, id: str, by: str) -> Retried:
        """Try a refused batch or entry once more. Raises NotFound, ExceptionRefused, and LinkError without a vault."""
        by = named(by)
        with self._store.transaction() as tx:
            found, case = self._case(tx, id)
        _may(case, "retry")
        assert found.item is not None  # only what is in quarantine can be tried again
        tried = self._ingest.retry(found.item)
        self._note(about=id, action="retried", done_by=by, note=tried.reason or "")
        return tried

    def close(self, id: str, by: str, reason: str, note: str = "") -> Case:
        """Propose that nothing more is to be done about a case, for a reason of CLOSE_REASONS."""
        if reason not in CLOSE_REASONS:
            raise ExceptionRefused("reason", f"The reason is one of: {', '.join(CLOSE_REASONS)}.")
        note = " ".join(note.split())
        if len(note) > MOST_NOTE or (reason == "other" and not note):
            raise ExceptionRefused("note", f"Say in at most {MOST_NOTE} characters why it is closed; name no guest.")
        return self._propose(id, by, "close", reason=reason, note=note)

    def book(self, id: str, by: str) -> Case:
        """Propose to post a record in doubt of which the vault found that it happened, as the record says."""
        return self._propose(id, by, "book")

    def _propose(self, id: str, by: str, outcome: str, **about: Any) -> Case:
        by = named(by)
        with self._store.transaction() as tx:
            _may(self._case(tx, id)[1], outcome)
            about |= {"action": "proposed", "outcome": outcome, "done_by": by}
            tx.cases.add_event(about=id, recorded_at=self._calendar.now(), **about)
            return self._case(tx, id)[1]

    def confirm(self, id: str, by: str) -> Case:
        """Do what somebody else proposed."""
        by = named(by)
        with self._store.transaction() as tx:
            found, case = self._case(tx, id)
            _may(case, "confirm")
            proposal = _waiting(tx.cases.events([id]))
            assert proposal is not None  # or there was nothing to confirm
            if same_person(by, proposal.done_by):
                raise ExceptionRefused("two people", "Who proposed this cannot confirm it; ask somebody else.")
            event = tx.cases.add_event(about=id, action="confirmed", done_by=by, **_answer(proposal, self._calendar))
            if proposal.outcome == "book" and found.bookable is not None:
                self._ingest.book(tx, *found.bookable)
            elif found.gap is not None:
                tx.cases.close_gap(event, *found.gap)
                tx.journal.advance(found.gap[0])
            return self._case(tx, id)[1]

    def decline(self, id: str, by: str) -> Case:
        """Drop what was proposed; who proposed it may do so too."""
        by = named(by)
        with self._store.transaction() as tx:
            _may(self._case(tx, id)[1], "decline")
            proposal = _waiting(tx.cases.events([id]))
            assert proposal is not None
            tx.cases.add_event(about=id, action="declined", done_by=by, **_answer(proposal, self._calendar))
            return self._case(tx, id)[1]

    def _note(self, **values: Any) -> None:
        with self._store.transaction() as tx:
            tx.cases.add_event(recorded_at=self._calendar.now(), **values)


def _case(found: Found, venue: int | None, done: Sequence[Row[Any]]) -> Case:
    status = _status(found, done)
    return Case(
        found.id,
        found.kind,
        status,
        found.reason,
        found.terminal,
        venue,
        found.first,
        found.last,
        found.sequence,
        found.since,
        found.facts,
        _actions(found, status),
        tuple(Event(row.action, row.done_by, row.recorded_at, row.outcome, row.reason, row.note) for row in done),
    )


def _status(found: Found, done: Sequence[Row[Any]]) -> str:
    if found.resolved:
        return "resolved"
    ended_at = [row.recorded_at for row in done if row.action == "confirmed"]
    if found.closed or (ended_at and (found.changed_at is None or found.changed_at <= ended_at[-1])):
        return "closed"
    return "open" if _waiting(done) is None else "proposed"


def _actions(found: Found, status: str) -> tuple[str, ...]:
    if status not in ("open", "proposed"):
        return ()
    possible = [each for each in ACTIONS[found.kind] if each != "book" or found.bookable is not None]
    if status == "open":
        return tuple(possible)
    return (*(each for each in possible if each == "retry"), "confirm", "decline")


def _waiting(done: Sequence[Row[Any]]) -> Row[Any] | None:
    """The proposal that nobody has answered yet; there is at most one."""
    answered = {row.answers for row in done}
    return next((row for row in done if row.action == "proposed" and row.id not in answered), None)


def _answer(proposal: Row[Any], calendar: Calendar) -> dict[str, Any]:
    return {"answers": proposal.id, "proposed_by": proposal.done_by, "recorded_at": calendar.now()}


def _may(case: Case, action: str) -> None:
    if action not in case.actions:
        can = f"can only: {', '.join(case.actions)}" if case.actions else "needs nothing of you"
        raise ExceptionRefused("action", f"{case.id} is {case.status}; it {can}.")


def _kind_in(id: str) -> str | None:
    """Where to look for a case; None for a name that is none."""
    kind = id.partition(":")[0]
    return kind if kind == ITEM or kind in KINDS else None
