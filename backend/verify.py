"""All books computed again from the signed entries alone, and the first place where the tables say something else.

Trusted are only what nobody here can make: the MAC chain of each terminal's journal, the vault's proof of each record
(asked again), and the rules of the scheme with the versions of offers. States, nullifiers, postings, transfers and
settlements are read to be compared, never to be believed. Of how a doubt ended an audit of the vault has found
something; over all records it is asked to find that again.
What is signed by nobody, the last entries of a journal taken away with all that came from them, is found by `audit`:
the pass has counted them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from tempfile import TemporaryFile
from typing import Any

from sqlalchemy import Row

from backend.calendar import day_of
from backend.errors import RecordRefused
from backend.finding import AuditLines
from backend.ledger import Booking, Rules, Transfer
from backend.reports.year_end import Move, moves_expected, moves_found
from backend.store import Store, Transaction
from backend.vault import ENDS_OF_DOUBT, MOST_RECORDS, Question, VaultClient, Verdict
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
    """`what`: chain, entry, record, state, nullifier, finding, posting, transfer, settlement, payment, money on its
    way, lapse or sum.

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
        # Alone: nobody is halfway with a posting of a lower number.
        with self._store.transaction() as tx:
            total, last = tx.evidence.count(), tx.evidence.last_posting()
        counted, journal, after = Verified(0, 0, 0, None), _Journal(self._link_roots), _BEFORE_ALL
        books = _Books(last)
        while True:
            with self._store.reading() as tx:
                rows = tx.evidence.entries(after, MOST_RECORDS)
            difference = next(_signed(rows, journal), None) or self._booked(rows, books)
            if difference is not None:
                return replace(counted, difference=difference)
            if not rows:
                break
            states = [row.state for row in rows]
            counted = Verified(
                counted.entries + len(rows),
                counted.proven + states.count("proven"),
                counted.waiting + states.count("received"),
                None,
            )
            heard(counted.entries, total)
            after = rows[-1].terminal, rows[-1].position
        difference = next(self._of_findings(books.doubts), None)
        if difference is not None:
            return replace(counted, difference=difference)
        with self._store.reading() as tx:
            return replace(counted, difference=next(self._of_no_entry(tx, books), None))

    def _verdicts(self, rows: Sequence[Row[Any]]) -> dict[tuple[int, int], Verdict]:
        """The vault's word, asked again, on every record that a pass may have committed."""
        asked = [row for row in rows if row.outcome == COMMITTED and row.state is not None]
        if not asked:
            return {}
        answers = self._vault.prove([Question(row.terminal, row.sequence, row.clear, row.sealed) for row in asked])
        return {(row.terminal, row.position): verdict for row, verdict in zip(asked, answers, strict=True)}

    # From each entry to the books

    def _booked(self, rows: Sequence[Row[Any]], books: "_Books") -> Difference | None:
        """The first difference between entries that are as they were signed and the books; of no entries, what is left
        to say of those before."""
        verdicts = self._verdicts(rows)
        with self._store.reading() as tx:
            return next(self._of_page(tx, rows, verdicts, books), None)

    def _of_page(
        self, tx: Transaction, rows: Sequence[Row[Any]], verdicts: dict[tuple[int, int], Verdict], books: "_Books"
    ) -> Iterator[Difference]:
        tx = replace(tx, catalogue=tx.catalogue.remembering())
        postings = tx.evidence.postings({row.posting for row in rows if row.posting is not None})
        for row in rows:
            yield from books.at(tx, row.terminal)
            yield from _place(row)
            if row.state is not None:
                verdict, posted = verdicts.get((row.terminal, row.position)), postings.get(row.posting)
                yield from self._of_record(tx, row, verdict, posted, books)
        if not rows:
            yield from books.at(tx, None)

    def _of_record(
        self, tx: Transaction, row: Row[Any], verdict: Verdict | None, posted: Row[Any] | None, books: "_Books"
    ) -> Iterator[Difference]:
        """State, nullifier and posting of the record that an entry decides."""
        record = ClearRecord.from_bytes(row.clear)
        if row.happened_on != day_of(record.day):
            yield _of(row, "record", f"day {day_of(record.day)}", f"day {row.happened_on}")
        found = tx.evidence.finding_of_doubt(row.terminal, row.sequence) if row.outcome == IN_DOUBT else None
        if found is None:
            expected, booking = self._expected(tx, row, record, verdict, posted)
        else:
            books.doubts.append((row, found))
            expected, booking = self._of_doubt(tx, row, record, found, posted)
        if row.state not in expected:
            yield _of(row, "state", " or ".join(expected), row.state)
        proof = verdict or found
        nullifier = proof.nullifier if proof and row.state == "proven" else None
        if row.nullifier != nullifier:
            yield _of(row, "nullifier", nullifier or "none", row.nullifier or "none")
        if row.state != "proven" or booking is None:
            if row.posting is not None:
                yield _of(row, "posting", "no posting", f"posting {row.posting}", posting=row.posting)
            return
        if posted is None:
            yield _of(row, "posting", f"a posting of a {booking.kind}", "none", account=booking.transfers[0][0])
            return
        yield from _posting(row, record, booking, posted)
        yield from books.add(row, booking)

    def _expected(
        self, tx: Transaction, row: Row[Any], record: ClearRecord, verdict: Verdict | None, posted: Row[Any] | None
    ) -> tuple[tuple[str, ...], Booking | None]:
        """The states that a record may be in, and what it does to the books when it is proven."""
        if row.outcome == VOID:
            return ("void",), None
        if verdict is None:
            return ("in_doubt",), None
        if verdict.nullifier is None:
            return ("rejected", "received"), None
        if row.state == "rejected":
            holder = tx.journal.nullifiers([(verdict.nullifier, row.happened_on)]).get(verdict.nullifier)
            if holder not in (None, (row.terminal, row.sequence)):
                return ("rejected",), None
        try:
            return ("proven", "received"), self._rules.book(tx, record, posted)
        except RecordRefused:
            return ("rejected", "received"), None

    def _of_doubt(
        self, tx: Transaction, row: Row[Any], record: ClearRecord, found: Row[Any], posted: Row[Any] | None
    ) -> tuple[tuple[str, ...], Booking | None]:
        """A doubt ends by what the vault's audit found; one that happened is booked when two people said so."""
        if found.kind == "did_not_happen":
            return ("void", "in_doubt"), None
        if row.state == "proven":
            try:
                return ("proven",), self._rules.book(tx, record, posted)
            except RecordRefused:
                pass  # then nobody may have booked it
        return ("in_doubt", "rejected"), None

    def _of_findings(self, doubts: Sequence[tuple[Row[Any], Row[Any]]]) -> Iterator[Difference]:
        """What was once found of doubts, against what the vault finds today, from no less than it had then."""
        if not doubts:
            return
        with TemporaryFile() as file:
            lines = AuditLines(file)
            with self._store.reading() as tx:
                lines.add(tx.evidence.records())
            found = lines.ask(self._vault, from_the_start=True).findings
        today = {(each.terminal, each.sequence): each for each in found if each.kind in ENDS_OF_DOUBT}
        for row, held in doubts:
            again = today.get((row.terminal, row.sequence))
            if again is None or again.kind != held.kind:
                yield _of(row, "finding", "none" if again is None else again.kind, held.kind)
            # It makes none any more when the keys of the year are destroyed.
            elif again.nullifier is not None and again.nullifier != held.nullifier:
                yield _of(row, "finding", f"happened {again.nullifier}", f"happened {held.nullifier}")

    # What no entry explains

    def _of_no_entry(self, tx: Transaction, books: "_Books") -> Iterator[Difference]:
        again = tx.evidence.nullifier_twice()
        if again is not None:
            yield _of(again, "nullifier", "another nullifier for every record", again.nullifier)
        for terminal in sorted(tx.evidence.terminals_posted() - books.terminals):
            yield from books.at(tx, terminal)
            yield from books.at(tx, None)
        posting = tx.evidence.postings_of_no_terminal()
        if posting is not None:
            yield Difference("posting", "the terminal whose records it books", "none", posting=posting.id)
        moved = tx.evidence.transfers_without_posting()
        if moved is not None:
            text = f"{moved.amount} {moved.unit}, posting {moved.posting}"
            yield Difference("transfer", "no transfer", text, account=moved.source, posting=moved.posting)
        yield from _of_settlements(tx)
        yield from _of_year_ends(tx, self._overlap)
        yield from _of_sums(tx)


def _signed(rows: Sequence[Row[Any]], journal: "_Journal") -> Iterator[Difference]:
    for row in rows:
        yield from journal.differences(row)


class _Books:
    """The postings of a terminal as its records make them, held against those that are there when all its entries
    were seen. `last`: the last posting of when this began; what came in later is not looked at."""

    def __init__(self, last: int) -> None:
        self._last = last
        self._terminal: int | None = None
        self._made: dict[int, _Made] = {}
        self._decided: set[int] = set()
        self.terminals: set[int] = set()
        # Entries in doubt, each with what an audit found of it.
        self.doubts: list[tuple[Row[Any], Row[Any]]] = []

    def at(self, tx: Transaction, terminal: int | None) -> Iterator[Difference]:
        """Go on with the entries of a terminal (None: there are no more): the differences of the one before it."""
        if terminal == self._terminal:
            return
        if self._terminal is not None:
            yield from self._differences(tx, self._terminal)
        if terminal is not None:
            self.terminals.add(terminal)
        self._terminal, self._made, self._decided = terminal, {}, set()

    def add(self, row: Row[Any], booking: Booking) -> Iterator[Difference]:
        """A record that is booked."""
        if row.sequence in self._decided:
            # Unless its doubt was resolved while we were looking: then it is the same, and counts once.
            if row.doubt_position is None:
                yield _of(row, "record", "one entry that decides", "two")
            return
        self._decided.add(row.sequence)
        if row.posting <= self._last:
            self._made.setdefault(row.posting, _Made(row)).add(booking)

    def _differences(self, tx: Transaction, terminal: int) -> Iterator[Difference]:
        held = tx.evidence.postings_of(terminal, self._last)
        moved = tx.evidence.transfers(held)
        for number in sorted(held.keys() | self._made.keys()):
            made, posted = self._made.get(number), held.get(number)
            if made is None:
                yield Difference("posting", "no posting", f"posting {number}", terminal, posting=number)
            elif posted is None:
                yield _of(made.first, "posting", f"a posting of terminal {terminal}", "another", posting=number)
            else:
                yield from made.differences(posted, moved.get(number, []))


class _Made:
    """What the records of a posting come to; `first`: the first of them."""

    def __init__(self, first: Row[Any]) -> None:
        self.first = first
        self._records = 0
        self._moved: Counter[tuple[str, str, str]] = Counter()

    def add(self, booking: Booking) -> None:
        self._records += 1
        self._moved.update(_summed(booking.transfers))

    def differences(self, posted: Row[Any], transfers: Sequence[Transfer]) -> Iterator[Difference]:
        if posted.records != self._records:
            said, held = f"{self._records} records", f"{posted.records} records"
            yield _of(self.first, "posting", said, held, posting=posted.id)
        found = _summed(transfers)
        for way in (*self._moved, *found):
            if self._moved[way] != found[way]:
                said, held = _move(way, self._moved[way]), _move(way, found[way])
                yield _of(self.first, "transfer", said, held, account=way[0], posting=posted.id)


class _Journal:
    """The chain of each terminal's journal, entry after entry."""

    def __init__(self, link_roots: Sequence[bytes]) -> None:
        self._roots = link_roots
        self._keys: dict[int, list[Cmac]] = {}
        self._last = (0, 0, FIRST_MAC)

    def differences(self, row: Row[Any]) -> Iterator[Difference]:
        """Entries come by terminal and position."""
        terminal, position, mac = self._last
        if (terminal, position) == (row.terminal, row.position):
            yield _of(row, "entry", f"one entry {row.position}", "two")
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
    elif row.position == row.resolves:
        if row.outcome != IN_DOUBT or row.decides < row.position:
            yield _of(row, "record", f"entry {row.position} decides", f"entry {row.decides} decides")
    elif row.state is None and row.set_apart is None:
        yield _of(row, "record", f"a place for entry {row.position}", "none")


def _posting(row: Row[Any], record: ClearRecord, booking: Booking, posted: Row[Any]) -> Iterator[Difference]:
    """Where a posting is not what its record makes it."""
    expected = {"venue": None, "offer": None, "not_payable": None} | booking.about
    expected |= {"kind": booking.kind, "happened_on": day_of(record.day), "settlement": None}
    for name, value in expected.items():
        if getattr(posted, name) != value:
            said, held = f"{name} {value}", f"{name} {getattr(posted, name)}"
            yield _of(row, "posting", said, held, posting=posted.id)


def _summed(transfers: Iterable[Transfer]) -> Counter[tuple[str, str, str]]:
    """By source, destination and unit, how much went that way."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for source, destination, unit, amount in transfers:
        sums[source, destination, unit] += amount
    return sums


def _move(way: tuple[str, str, str], amount: int) -> str:
    source, destination, unit = way
    return f"{amount} {unit} from {source} to {destination}" if amount else "none"


def _of_sums(tx: Transaction) -> Iterator[Difference]:
    """What is kept of postings as a sum, and what they come to."""
    flow, tally = tx.evidence.flow_that_differs(), tx.evidence.tally_that_differs()
    if flow is not None:
        way = f"{flow.unit} from {flow.source} to {flow.destination} by {flow.kind}"
        yield Difference("sum", f"{flow.expected or 0} {way}", str(flow.found or 0), account=flow.source)
    if tally is not None:
        what = f"of kind {tally.kind} at venue {tally.venue}"
        yield Difference("sum", f"{tally.expected or 0} records {what}", str(tally.found or 0))


def _of_settlements(tx: Transaction) -> Iterator[Difference]:
    item = tx.evidence.items_out_of_place()
    if item is not None:
        where = {"posting": item.posting, "settlement": item.settlement}
        yield Difference("settlement", "each tap in one settlement, once", item.why, **where)
    checks = (
        ("settlement", tx.evidence.lines_that_differ()),
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
            yield Difference("lapse", _lapse(wanted), _lapse(held), posting=posting)


def _lapse(move: Move | None) -> str:
    return "none" if move is None else f"{move.lapsed} lapsed by closing {move.closing}"


def _of(
    row: Row[Any], what: str, expected: str, found: str, account: str | None = None, posting: int | None = None
) -> Difference:
    return Difference(what, expected, found, row.terminal, row.sequence, account, posting)
