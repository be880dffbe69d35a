"""What each fund gave, what was spent of it and what is outstanding, per purse and category, in a period.

A posting counts on the day that the tap or load happened, so a report of a period is complete once its last journals
are in; one made again later says what came in since, and when it was made. What is spent from a purse that several
funds loaded is divided over them as they loaded it up to that day, to the cent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backend.calendar import Calendar
from backend.config import Config
from backend.funding import in_proportion
from backend.ledger import (
    SUSPENSE,
    discounts_account,
    fund_account,
    lapsed_account,
    purse_account,
)
from backend.reports.periods import Period
from backend.store import Store

# Who issues a pass that pays in a limited network tells the supervisor (in the Netherlands DNB) when the payments of
# the preceding twelve months are above one million euro: PSD2 (Directive (EU) 2015/2366) art. 37(2) with art. 3(k),
# in Dutch law the exception of Wft art. 1:5a(2)(k).
NETWORK_LIMIT_CENTS = 100_000_000
_NEAR_PERCENT = 80

Flows = Mapping[tuple[bool, str, str, str, str], int]


@dataclass(frozen=True)
class FundRow:
    """One fund in one purse. Amounts of the period in the unit of the purse, `discounts` in cents; `debited` is what
    taps took, `reversed` what came back of it; `outstanding`: still to be spent at the end of the period."""

    fund: str
    purse: int
    name: str
    category: str
    unit: str
    loaded: int
    debited: int
    reversed: int
    expired: int
    outstanding: int
    discounts: int


@dataclass(frozen=True)
class FundReport:
    """`rows` by fund and purse; nothing happened in a row that is all zero, and it is left out."""

    scheme: str
    period: Period
    made_at: datetime
    rows: tuple[FundRow, ...]


@dataclass(frozen=True)
class Obligation:
    """Cents, at the end of a day. `outstanding` = `loaded` - `debited` - `expired` is what holders may still spend;
    `owed` waits to be paid to venues and `due_back` to holders. `covered`: None when the bank is not known."""

    day: date
    loaded: int
    debited: int
    expired: int
    outstanding: int
    owed: int
    due_back: int
    bank_balance: int | None
    covered: bool | None

    @property
    def to_cover(self) -> int:
        """What the account must be able to pay."""
        return self.outstanding + self.owed + self.due_back


@dataclass(frozen=True)
class NetworkVolume:
    """Cents paid with passes in the twelve months up to a day. `state`: below, near (80 % of the limit) or over."""

    first: date
    last: date
    cents: int
    limit: int
    percent: int
    state: str


class FundReports:
    """Reports of one municipality."""

    def __init__(self, store: Store, config: Config, calendar: Calendar) -> None:
        self._store = store
        self._config = config
        self._calendar = calendar

    def of(self, period: Period) -> FundReport:
        """Every fund in a period."""
        with self._store.reading() as tx:
            flows = tx.reports.flows(period.first, period.last)
            discounts = tx.reports.discounts(period.first, period.last)
        rows = [row for number in sorted(self._config.purses) for row in self._rows(number, flows, discounts)]
        rows.sort(key=lambda row: (row.fund, row.purse))
        return FundReport(self._config.municipality.name, period, self._calendar.now(), tuple(rows))

    def _rows(self, number: int, flows: Flows, discounts: Mapping[tuple[bool, str, int], int]) -> list[FundRow]:
        purse = self._config.purses[number]
        before, until = self._moved(number, flows, False), self._moved(number, flows, True)
        rows = []
        for fund in self._config.funds():
            debited, back, expired = (until.of(fund, part) - before.of(fund, part) for part in _PARTS)
            row = FundRow(
                fund=fund,
                purse=number,
                name=purse.name,
                category=purse.category,
                unit=purse.unit,
                loaded=until.loaded[fund] - before.loaded[fund],
                debited=debited,
                reversed=back,
                expired=expired,
                outstanding=until.loaded[fund] + sum(until.of(fund, part) * _SIGN[part] for part in _PARTS),
                discounts=discounts.get((True, discounts_account(fund), number), 0),
            )
            if any((row.loaded, row.debited, row.reversed, row.expired, row.outstanding, row.discounts)):
                rows.append(row)
        return rows

    def _moved(self, number: int, flows: Flows, with_period: bool) -> "_Moved":
        """All that a purse saw up to the end of the period, or up to its beginning."""
        own, lapsed = purse_account(number), lapsed_account(number)
        loaded = dict.fromkeys(self._config.funds(), 0)
        of_fund = {fund_account(fund): fund for fund in loaded}
        parts = dict.fromkeys(_PARTS, 0)
        for (inside, kind, source, destination, _), amount in flows.items():
            if inside and not with_period:
                continue
            if destination == own and source in of_fund:
                loaded[of_fund[source]] += amount
            elif kind == "tap" and source == own:
                parts["debited"] += amount
            elif kind == "reversal" and destination == own:
                parts["reversed"] += amount
            elif {source, destination} == {own, lapsed}:
                parts["expired"] += amount if source == own else -amount
        return _Moved(loaded, parts, self._config.purses[number].funds[0])

    def obligation(self, day: date, bank_balance: int | None = None) -> Obligation:
        """What the municipality still owes at the end of a day; `bank_balance` in cents, where it is known."""
        with self._store.reading() as tx:
            flows = tx.reports.flows(day + timedelta(days=1), day)
        sums = {"loaded": 0, "debited": 0, "expired": 0}
        for number, purse in self._config.purses.items():
            if purse.unit == "cent":
                moved = self._moved(number, flows, with_period=True)
                sums["loaded"] += sum(moved.loaded.values())
                sums["debited"] += moved.parts["debited"] - moved.parts["reversed"]
                sums["expired"] += moved.parts["expired"]
        outstanding = sums["loaded"] - sums["debited"] - sums["expired"]
        owed, due_back = _held(flows, "venue:"), _held(flows, SUSPENSE)
        covered = None if bank_balance is None else bank_balance >= outstanding + owed + due_back
        return Obligation(
            day,
            **sums,
            outstanding=outstanding,
            owed=owed,
            due_back=due_back,
            bank_balance=bank_balance,
            covered=covered,
        )

    def network_volume(self, day: date) -> NetworkVolume:
        """The payments of the twelve months up to a day, beside the limit above which the supervisor is told.

        Taps count whole: a reversal is a payment too many, and no payment less.
        """
        first = _a_year_before(day) + timedelta(days=1)
        with self._store.reading() as tx:
            cents = tx.reports.paid_with_passes(first, day)
        percent = cents * 100 // NETWORK_LIMIT_CENTS
        state = "over" if cents > NETWORK_LIMIT_CENTS else "near" if percent >= _NEAR_PERCENT else "below"
        return NetworkVolume(first, day, cents, NETWORK_LIMIT_CENTS, percent, state)


_SIGN = {"debited": -1, "reversed": 1, "expired": -1}
_PARTS = tuple(_SIGN)


@dataclass(frozen=True)
class _Moved:
    """What a purse saw: loads by fund, the rest together, and the fund that has what rounding leaves."""

    loaded: dict[str, int]
    parts: dict[str, int]
    owner: str

    def of(self, fund: str, part: str) -> int:
        return in_proportion(self.parts[part], self.loaded, self.owner)[fund]


def _held(flows: Flows, accounts: str) -> int:
    """Cents that stand on accounts whose name begins so."""
    total = 0
    for (_, _, source, destination, unit), amount in flows.items():
        if unit == "cent":
            total += amount * (destination.startswith(accounts) - source.startswith(accounts))
    return total


def _a_year_before(day: date) -> date:
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28) if leap_day else day.replace(year=day.year - 1)
