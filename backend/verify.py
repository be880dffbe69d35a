"""All books computed again from the signed entries alone, and the first place where the tables say something else.

Trusted are only what nobody here can make: the MAC chain of each terminal's journal, the vault's proof of each record
(asked again), and the rules of the scheme with the versions of offers. States, nullifiers, postings, transfers and
settlements are read to be compared, never to be believed. What is signed by nobody, the last entries of a journal
taken away with all that came from them, is found by `audit`: the pass has counted them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from backend.calendar import day_of
from backend.errors import RecordRefused
from backend.ledger import Booking, Rules
from backend.reports.year_end import Move, moves_expected, moves_found
from backend.store import Store, Transaction
from backend.store.payments import CENTS_TO_VENUE
from backend.vault import MOST_RECORDS, Question, VaultClient, Verdict
from card.batch import COMMITTED, FIRST_MAC, IN_DOUBT, VOID, chain_key, chain_mac, link_key
from card.cmac import Cmac
from card.errors import BadRecord
from card.record import ClearRecord
from card.wire import same

# Hears how many of how many entries are done.
Heard = Callable[[int, int], None]
_BEFORE_ALL = (-1, -1)


@dataclass(frozen=True)
class Difference:
    """`what`: chain, entry, record, state, nullifier, posting, transfer, settlement, payment or lapse.

    `posting`: its id.
    """

    what: str
    expected: str
    found: str
    terminal: int | None = None
    sequence: int | None = None
    account: str | None = None
    posting: int | None = None
    settlement: str | None = None


@dataclass(frozen=True)
class Verified:
    """`waiting`: records that have no proof yet, and so no posting. `difference`: None when all holds."""

    entries: int
    proven: int
    waiting: int
    difference: Difference | None


def unheard(done: int, total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class _Page:
    """Entries, and what the books held for them at the same moment."""

    rows: Sequence[Row[Any]]
    postings: dict[int, Row[Any]]
    transfers: dict[int, list[tuple[str, str, str, int]]]


def _page(tx: Transaction, after: tuple[int, int]) -> _Page:
    rows = tx.evidence.entries(after, MOST_RECORDS)
    posted = [row.posted for row in rows if row.position == row.decides and row.posted is not None]
    return _Page(rows, tx.evidence.postings(posted), tx.evidence.transfers(posted))


class Verification:
    """Reads in pages and holds no lock between them; what comes in meanwhile may or may not be seen."""

    def __init__(
        self, store: Store, vault: VaultClient, rules: Rules, link_roots: Sequence[bytes], overlap: timedelta
    ) -> None:
        self._store = store
        self._vault = vault
        self._rules = rules
        self._link_roots = link_roots
        self._overlap = overlap

    def run(self, heard: Heard = unheard) -> Verified:
        """Stops at the first difference. Raises LinkError when the vault does not answer."""
        with self._store.reading() as tx:
            total = tx.evidence.count()
        counted, journal, after = Verified(0, 0, 0, None), _Journal(self._link_roots), _BEFORE_ALL
        while True:
            with self._store.reading() as tx:
                page = _page(tx, after)
            if not page.rows:
                break
            difference = next(_signed(page, journal), None) or self._booked(page)
            if difference is not None:
                return replace(counted, difference=difference)
            states = [row.state for row in page.rows if row.position == row.decides]
            counted = Verified(
                counted.entries + len(page.rows),
                counted.proven + states.count("proven"),
                counted.waiting + states.count("received"),
                None,
            )
            heard(counted.entries, total)
            after = page.rows[-1].terminal, page.rows[-1].position
        with self._store.reading() as tx:
            return replace(counted, difference=next(self._of_no_entry(tx), None))

    def _verdicts(self, rows: Sequence[Row[Any]]) -> dict[tuple[int, int], Verdict]:
        """The vault's word, asked again, on every record that a pass may have committed."""
        asked = [row for row in rows if row.outcome == COMMITTED and row.position == row.decides]
        if not asked:
            return {}
        answers = self._vault.prove([Question(row.terminal, row.sequence, row.clear, row.sealed) for row in asked])
        return {(row.terminal, row.position): verdict for row, verdict in zip(asked, answers, strict=True)}

    # From each entry to the books

    def _booked(self, page: "_Page") -> Difference | None:
        """The first difference between entries that are as they were signed and the books."""
        verdicts = self._verdicts(page.rows)
        with self._store.reading() as tx:
            return next(self._of_page(tx, page, verdicts), None)

    def _of_page(
        self, tx: Transaction, page: "_Page", verdicts: dict[tuple[int, int], Verdict]
    ) -> Iterator[Difference]:
        for row in page.rows:
            yield from _place(row)
            if row.position == row.decides:
                posted = page.postings.get(row.posted)
                moved = page.transfers.get(posted.id, []) if posted else []
                yield from self._of_record(tx, row, verdicts.get((row.terminal, row.position)), posted, moved)

    def _of_record(
        self, tx: Transaction, row: Row[Any], verdict: Verdict | None, posted: Row[Any] | None, moved: list[Any]
    ) -> Iterator[Difference]:
        """State, nullifier and posting of the record that an entry decides."""
        record = ClearRecord.from_bytes(row.clear)
        if row.happened_on != day_of(record.day):
            yield _of(row, "record", f"day {day_of(record.day)}", f"day {row.happened_on}")
        expected, booking = self._expected(tx, row, record, verdict, posted)
        if row.state not in expected:
            yield _of(row, "state", " or ".join(expected), row.state)
        nullifier = verdict.nullifier if verdict else None
        # Of a transaction that was refused as a repetition, it stays with the first one.
        may_be = (nullifier,) if row.state == "proven" else (None, nullifier)
        if row.nullifier not in may_be:
            yield _of(row, "nullifier", nullifier or "none", row.nullifier or "none")
        if row.state != "proven" or booking is None:
            if posted is not None:
                yield _of(row, "posting", "no posting", f"posting {posted.id}", posting=posted.id)
            return
        if posted is None:
            yield _of(row, "posting", f"a posting of a {booking.kind}", "none", account=booking.transfers[0][0])
            return
        yield from _posting(row, record, booking, posted, moved)

    def _expected(
        self, tx: Transaction, row: Row[Any], record: ClearRecord, verdict: Verdict | None, posted: Row[Any] | None
    ) -> tuple[tuple[str, ...], Booking | None]:
        """The states that a record may be in, and what it does to the books when it is proven."""
        if row.outcome == VOID:
            return ("void",), None
        if verdict is None:
            return self._of_doubt(tx, row, record, posted)
        if verdict.nullifier is None:
            return ("rejected", "received"), None
        holder = tx.journal.nullifiers([verdict.nullifier]).get(verdict.nullifier)
        if row.state == "rejected" and holder not in (None, (row.terminal, row.sequence)):
            return ("rejected",), None
        try:
            return ("proven", "received"), self._rules.book(tx, record, posted)
        except RecordRefused:
            return ("rejected", "received"), None

    def _of_doubt(
        self, tx: Transaction, row: Row[Any], record: ClearRecord, posted: Row[Any] | None
    ) -> tuple[tuple[str, ...], Booking | None]:
        """A doubt ends by what the vault's audit found; one that happened is booked when two people said so."""
        found = tx.evidence.finding_of_doubt(row.terminal, row.sequence)
        if found == "did_not_happen":
            return ("void", "in_doubt"), None
        if found != "happened" or row.state != "proven":
            return ("in_doubt",) if found != "happened" else ("in_doubt", "rejected"), None
        return ("proven",), self._rules.book(tx, record, posted)

    # What no entry explains

    def _of_no_entry(self, tx: Transaction) -> Iterator[Difference]:
        lone = tx.evidence.records_without_entry()
        if lone is not None:
            yield _of(lone, "record", "an entry", f"none at position {lone.position}")
        again = tx.evidence.nullifier_twice()
        if again is not None:
            yield _of(again, "nullifier", "another nullifier for every record", again.nullifier)
        twice = tx.evidence.postings_twice()
        if twice is not None:
            yield _of(twice, "posting", "one posting", "more than one")
        for posting in tx.evidence.postings_without_record():
            if posting.kind in _FROM_RECORDS or posting.sequence is not None:
                yield _of(posting, "posting", "no posting", f"posting {posting.id}", posting=posting.id)
        moved = tx.evidence.transfers_without_posting()
        if moved is not None:
            text = f"{moved.amount} {moved.unit}, posting {moved.posting}"
            yield Difference("transfer", "no transfer", text, account=moved.source, posting=moved.posting)
        yield from _of_settlements(tx)
        yield from _of_year_ends(tx, self._overlap)


_FROM_RECORDS = ("tap", "reversal", "load")


def _signed(page: _Page, journal: "_Journal") -> Iterator[Difference]:
    for row in page.rows:
        yield from journal.differences(row)


class _Journal:
    """The chain of each terminal's journal, entry after entry."""

    def __init__(self, link_roots: Sequence[bytes]) -> None:
        self._roots = link_roots
        self._keys: dict[int, list[Cmac]] = {}
        self._last = (0, 0, FIRST_MAC)

    def differences(self, row: Row[Any]) -> Iterator[Difference]:
        """Entries come by terminal and position."""
        terminal, position, mac = self._last
        self._last = row.terminal, row.position, row.mac
        before = FIRST_MAC if row.position == 1 else mac
        follows = row.position == 1 or (terminal, position + 1) == (row.terminal, row.position)
        if follows and not same(row.previous_mac, before):
            yield _of(row, "chain", f"entry {row.position} follows the one before it", "it does not")
        made = (
            chain_mac(key, row.position, row.previous_mac, row.outcome, row.clear, row.sealed)
            for key in self._keys_of(row.terminal)
        )
        if not any(same(row.mac, each) for each in made):
            yield _of(row, "entry", f"entry {row.position} as terminal {row.terminal} signed it", "other bytes")
        try:
            record = ClearRecord.from_bytes(row.clear)
        except BadRecord:
            yield _of(row, "entry", "a record", "no record")
            return
        if (record.terminal, record.sequence) != (row.terminal, row.sequence):
            yield _of(row, "entry", f"terminal {record.terminal}, no. {record.sequence}", f"no. {row.sequence}")

    def _keys_of(self, terminal: int) -> list[Cmac]:
        if terminal not in self._keys:
            self._keys[terminal] = [Cmac(chain_key(link_key(root, terminal))) for root in self._roots]
        return self._keys[terminal]


def _place(row: Row[Any]) -> Iterator[Difference]:
    """An entry decides a record, is the doubt that another resolved, or is set apart in quarantine."""
    if row.decides is None:
        yield _of(row, "record", "a record", "none")
    elif row.position == row.doubt_position:
        if row.outcome != IN_DOUBT or row.decides < row.position:
            yield _of(row, "record", f"entry {row.position} decides", f"entry {row.decides} decides")
    elif row.position != row.decides and row.set_apart is None:
        yield _of(row, "record", f"a place for entry {row.position}", "none")


def _posting(
    row: Row[Any], record: ClearRecord, booking: Booking, posted: Row[Any], moved: Sequence[tuple[str, str, str, int]]
) -> Iterator[Difference]:
    """Where a posting is not the booking of its record."""
    expected = {"venue": None, "offer": None, "not_payable": None} | booking.about
    expected |= {"kind": booking.kind, "happened_on": day_of(record.day), "settlement": None}
    for name, value in expected.items():
        if getattr(posted, name) != value:
            said, held = f"{name} {value}", f"{name} {getattr(posted, name)}"
            yield _of(row, "posting", said, held, posting=posted.id)
    for place in range(max(len(booking.transfers), len(moved))):
        wanted = booking.transfers[place] if place < len(booking.transfers) else None
        held_one = moved[place] if place < len(moved) else None
        if wanted != held_one:
            account = (wanted or held_one or ("",))[0]
            yield _of(row, "transfer", _move(wanted), _move(held_one), account=account, posting=posted.id)


def _move(moved: tuple[str, str, str, int] | None) -> str:
    if moved is None:
        return "none"
    source, destination, unit, amount = moved
    return f"{amount} {unit} from {source} to {destination}"


def _of_settlements(tx: Transaction) -> Iterator[Difference]:
    item = tx.evidence.items_out_of_place()
    if item is not None:
        where = {"posting": item.posting, "settlement": item.settlement}
        yield Difference("settlement", "each tap in one settlement, once", item.why, **where)
    checks = (
        ("settlement", tx.evidence.lines_that_differ(CENTS_TO_VENUE)),
        ("payment", tx.evidence.payments_that_differ()),
        ("money on its way", tx.evidence.moves_that_differ()),
    )
    for what, line in checks:
        if line is not None:
            found = "none" if line.found is None else f"{line.found} cent"
            account = f"venue:{line.venue}"
            yield Difference(what, f"{line.expected} cent", found, account=account, settlement=line.settlement)


def _of_year_ends(tx: Transaction, overlap: timedelta) -> Iterator[Difference]:
    """What lapsed is what two people decided, less what late taps took back."""
    expected, found = moves_expected(tx, overlap), moves_found(tx)
    for place in range(max(len(expected), len(found))):
        wanted = expected[place] if place < len(expected) else None
        posting, held = found[place] if place < len(found) else (None, None)
        if wanted != held:
            terminal, sequence = (wanted.cause if wanted else None) or (None, None)
            yield Difference("lapse", _lapse(wanted), _lapse(held), terminal, sequence, posting=posting)


def _lapse(move: Move | None) -> str:
    return "none" if move is None else f"{move.lapsed} lapsed by closing {move.closing}"


def _of(
    row: Row[Any], what: str, expected: str, found: str, account: str | None = None, posting: int | None = None
) -> Difference:
    return Difference(what, expected, found, row.terminal, row.sequence, account, posting)
