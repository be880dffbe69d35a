"""The end of a pass year: two people let lapse what is left of its loads, and a late tap takes its part back.

**What is left** of a pass year is what funds loaded up to its last day, less all that was ever spent from the purse and
what lapsed before, as if the oldest money were always spent first. Purses are pooled, because clearing knows no holder,
so this is not what stands on the passes that ended: a renewed pass keeps its rest, and nobody here knows which
passes were renewed. But it is never too much: after it lapsed, the purse still holds all that was loaded since. The
amount is therefore a decision: computed, shown, lowered by who expects rests on renewed passes to be spent, and made by
two people. `restore` gives back, in the same way, when the rests that were spent turn out to be more.

**When.** A pass works until the last day of its year and the overlap of the scheme. A terminal without a network takes
no taps longer than its bundle is good, 31 days. Only then a year can be closed. Nothing is retroactive: postings have
the day on which they are made.

**Late.** A tap of a day on which passes of the closed year still worked, proven after the closing, spent money that was
counted as lapsed. So it is given back to the purse at once, as far as it lapsed, and the tap takes it: the totals of
what is loaded, spent, expired and outstanding add up, and what is outstanding does not change. A late reversal lets
lapse again what a late tap took back, and never what people gave back.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row

from backend.calendar import Calendar
from backend.config import Config
from backend.errors import NotFound, ReportRefused
from backend.ledger import lapsed_account, purse_account
from backend.offers import GRACE
from backend.people import named, same_person
from backend.store import Store, Transaction
from backend.store.books import NewPosting


@dataclass(frozen=True)
class Closing:
    """A decision on one purse at the end of one pass year, in the unit of the purse. `kind`: lapse or restore; `state`:
    proposed, decided or withdrawn. `most` could be decided on; `lapsed` is what stands as lapsed now, of that year."""

    id: int
    kind: str
    until: date
    purse: int
    unit: str
    most: int
    amount: int
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    lapsed: int


class YearEnd:
    """The pass years of one municipality."""

    def __init__(self, store: Store, config: Config, calendar: Calendar) -> None:
        self._store = store
        self._config = config
        self._calendar = calendar

    def all(self) -> list[Closing]:
        """Every closing, in the order in which they were proposed."""
        with self._store.reading() as tx:
            return [Closing(**row._asdict()) for row in tx.year_ends.all()]

    def left(self, until: date) -> dict[int, int]:
        """By purse, what is left of the loads up to the end of a pass year; purses with nothing left are not in it."""
        with self._store.reading() as tx:
            return self._left(tx, self._year(until))

    def lapsed(self, until: date) -> dict[int, int]:
        """By purse, what stands as lapsed now of a pass year; purses of which nothing does are not in it."""
        with self._store.reading() as tx:
            return _lapsed_of(tx, self._year(until))

    def _left(self, tx: Transaction, until: date) -> dict[int, int]:
        found = {}
        for purse in self._config.purses:
            own = purse_account(purse)
            before = tx.year_ends.loaded(own, until) - tx.year_ends.spent(own) - self._lapsed(tx, purse)
            if before > 0:
                found[purse] = before
        return found

    @staticmethod
    def _lapsed(tx: Transaction, purse: int) -> int:
        return sum(row.lapsed for row in tx.year_ends.lapses(purse, date.min))

    def propose(self, until: date, by: str, amounts: Mapping[int, int] | None = None) -> list[Closing]:
        """Propose what lapses at the end of a pass year: of each purse `amounts`, or all that is left.

        Raises ReportRefused: too early, proposed or closed already, nothing left, or more than is left.
        """
        until, by = self._year(until), named(by)
        may_on = self._may_close_on(until)
        if self._calendar.today() < may_on:
            text = f"The pass year up to {until} can be closed from {may_on} on: until then taps of it may come in."
            raise ReportRefused("too early", text)
        with self._store.transaction() as tx:
            if any(
                row.until == until and row.kind == "lapse" and row.state != "withdrawn" for row in tx.year_ends.all()
            ):
                raise ReportRefused("closed", f"The pass year up to {until} is closed, or proposed to be, already.")
            left = self._left(tx, until)
            if not left:
                raise ReportRefused("nothing", f"Nothing is left of the pass year up to {until}.")
            return self._propose(tx, "lapse", until, by, left, left if amounts is None else amounts)

    def propose_restore(self, until: date, by: str, amounts: Mapping[int, int]) -> list[Closing]:
        """Propose to give back what lapsed: rests on renewed passes were spent after all.

        Raises ReportRefused: something is proposed for this year already, or more than lapsed.
        """
        until, by = self._year(until), named(by)
        with self._store.transaction() as tx:
            if tx.year_ends.of(until, "proposed"):
                text = f"Something is proposed for the pass year up to {until} already. Decide on it, or withdraw it."
                raise ReportRefused("proposed", text)
            return self._propose(tx, "restore", until, by, _lapsed_of(tx, until), amounts)

    def _propose(
        self, tx: Transaction, kind: str, until: date, by: str, most: Mapping[int, int], amounts: Mapping[int, int]
    ) -> list[Closing]:
        for purse, amount in amounts.items():
            if not 1 <= amount <= most.get(purse, 0):
                text = f"Of purse {purse} {most.get(purse, 0)} can be decided on, not {amount}."
                raise ReportRefused("amount", text)
        for purse, amount in sorted(amounts.items()):
            values = {"kind": kind, "until": until, "purse": purse, "unit": self._config.purses[purse].unit}
            values |= {"most": most[purse], "amount": amount, "state": "proposed"}
            tx.year_ends.add(values | {"proposed_by": by, "proposed_at": self._calendar.now()})
        return _closings(tx, until, "proposed")

    def decide(self, until: date, by: str) -> list[Closing]:
        """Carry out all that is proposed for a pass year; never by who proposed it."""
        until, by = self._year(until), named(by)
        with self._store.transaction() as tx:
            rows = self._proposed(tx, until)
            if any(same_person(by, row.proposed_by) for row in rows):
                raise ReportRefused("two people", "Who proposed what lapses cannot decide on it.")
            now = self._calendar.now()
            left, lapsed = self._left(tx, until), _lapsed_of(tx, until)
            for row in rows:
                if row.amount > (left if row.kind == "lapse" else lapsed).get(row.purse, 0):
                    text = f"Of purse {row.purse} less is left than was proposed. Withdraw it, and propose it anew."
                    raise ReportRefused("changed", text)
                tx.year_ends.decide(row.id, state="decided", decided_by=by, decided_at=now)
                self._move(tx, row, _decided(row), None)
            done = {row.id for row in rows}
            return [closing for closing in _closings(tx, until, "decided") if closing.id in done]

    def withdraw(self, until: date, by: str) -> None:
        """Drop what is proposed for a pass year."""
        until, by = self._year(until), named(by)
        with self._store.transaction() as tx:
            for row in self._proposed(tx, until):
                tx.year_ends.decide(row.id, state="withdrawn", decided_by=by, decided_at=self._calendar.now())

    @staticmethod
    def _proposed(tx: Transaction, until: date) -> list[Row[Any]]:
        rows = list(tx.year_ends.of(until, "proposed"))
        if not rows:
            raise NotFound("closing", f"Nothing is proposed for the pass year up to {until}.")
        return rows

    def late(self, tx: Transaction, postings: Sequence[tuple[int, NewPosting]]) -> list[tuple[int, NewPosting]]:
        """Those that spent, or gave back, what may have lapsed already."""
        last = tx.year_ends.last_lapsed() if postings else None
        if last is None:
            return []
        until = last + self._config.overlap
        return [each for each in postings if each[1].kind != "load" and each[1].happened_on <= until]

    def correct(self, tx: Transaction, late: Iterable[tuple[int, NewPosting]]) -> None:
        """After records were posted: what late taps spent is given back, what late reversals brought lapses again."""
        for number, posting in late:
            self._correct(tx, number, posting)

    def _correct(self, tx: Transaction, number: int, posting: NewPosting) -> None:
        earliest = posting.happened_on - self._config.overlap
        for purse, amount in self._moved(posting):
            for row in tx.year_ends.lapses(purse, earliest):
                moved = correction(posting.kind == "reversal", amount, row.lapsed, row.taken)
                if moved:
                    self._move(tx, row, moved, number)
                amount -= abs(moved)

    def _moved(self, posting: NewPosting) -> list[tuple[int, int]]:
        """Each purse that taps took from or reversals gave to, and how much."""
        purses = {purse_account(number): number for number in self._config.purses}
        back = posting.kind == "reversal"
        sides = [(into if back else out, amount) for out, into, _, amount in posting.transfers]
        return [(purses[account], amount) for account, amount in sides if account in purses]

    def _move(self, tx: Transaction, row: Row[Any], amount: int, cause: int | None) -> None:
        """Post what lapses (above zero) or is given back (below it), on today."""
        accounts = purse_account(row.purse), lapsed_account(row.purse)
        source, destination = accounts if amount > 0 else accounts[::-1]
        moves = [(source, destination, row.unit, abs(amount))]
        posted = tx.books.post("lapse", self._calendar.today(), self._calendar.today(), moves)
        tx.year_ends.link(posted, row.id, cause)

    def _year(self, until: date) -> date:
        """Refuses a day that is not the last of a pass year."""
        last = self._config.pass_year(until)[1]
        if until != last:
            raise ReportRefused("year", f"A pass year ends on {last}, not on {until}.")
        return until

    def _may_close_on(self, until: date) -> date:
        return until + self._config.overlap + GRACE


@dataclass(frozen=True)
class Move:
    """What one posting lets lapse of a closing (below zero: gives back); `cause`: the posting of late records, None: a
    decision."""

    closing: int | None
    cause: int | None
    lapsed: int


def moves_found(tx: Transaction) -> list[tuple[int, Move]]:
    """Every posting of a lapse in order, with what it moves; a closing of None is one that nobody decided."""
    return [(row.id, Move(row.closing, row.cause, int(row.lapsed or 0))) for row in tx.year_ends.postings()]


def moves_expected(tx: Transaction, overlap: timedelta) -> list[Move]:
    """What decisions and late records should have moved, computed anew in the order of postings."""
    closings = {row.id: row for row in tx.year_ends.all() if row.state == "decided"}
    # Each decision is carried out once.
    first = {row.closing: row.id for row in reversed(tx.year_ends.postings()) if row.cause is None}
    decided = {posting: closing for closing, posting in first.items() if closing in closings}
    # By pass year and purse: what stands as lapsed, and what late records took of it.
    standing: Counter[tuple[date, int]] = Counter()
    taken: Counter[tuple[date, int]] = Counter()
    lapses: list[Row[Any]] = []
    moves = []
    for late in tx.year_ends.late(min(decided, default=0), overlap):
        if late.id in decided:
            row = closings[decided[late.id]]
            moved = _decided(row)
            moves.append(Move(row.id, None, moved))
            standing[row.until, row.purse] += moved
            lapses += [row] if row.kind == "lapse" else []
            continue
        amount = late.amount
        for row in sorted(lapses, key=lambda row: row.until):
            if row.purse == late.purse and late.happened_on <= row.until + overlap:
                of = row.until, row.purse
                moved = correction(late.kind == "reversal", amount, standing[of], taken[of])
                if moved:
                    moves.append(Move(row.id, late.id, moved))
                standing[of] += moved
                taken[of] -= moved
                amount -= abs(moved)
    return moves + [Move(row.id, None, _decided(row)) for number, row in closings.items() if number not in first]


def _decided(row: Row[Any]) -> int:
    """What a closing lets lapse (below zero: gives back)."""
    return int(row.amount if row.kind == "lapse" else -row.amount)


def correction(reversal: bool, amount: int, lapsed: int, taken: int) -> int:
    """What a late record of an amount moves, where `lapsed` is left and `taken` is what late records took before it:
    above zero lapses again."""
    return min(amount, taken) if reversal else -min(amount, lapsed)


def _lapsed_of(tx: Transaction, until: date) -> dict[int, int]:
    return {row.purse: row.lapsed for row in tx.year_ends.of(until, "decided") if row.lapsed}


def _closings(tx: Transaction, until: date, state: str) -> list[Closing]:
    return [Closing(**row._asdict()) for row in tx.year_ends.of(until, state)]
