"""From a proven record to its posting, and the totals of the books.

| account | holds |
|---|---|
| `fund:<name>` | what was loaded out of a fund (below zero: that much went out) |
| `purse:<n>` | what holders can still spend, in the unit of the purse |
| `venue:<n>` | cents owed to a venue; in another unit, how much was handed in there |
| `discounts:<fund>` | discounts that the municipality owes venues (below zero) |
| `suspense:recredit` | taken by a venue from a purse that it may not take from: due back to the holder |
| `lapsed:<n>` | what expired in a purse at the end of a pass year |
| `replaced:<n>` | what was put on new passes in the place of lost ones, where it still stands as well (below zero) |
| `transit` | ordered and not yet seen on the bank's statement |
| `bank` | paid out, by the bank's statement |
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Row

from backend.calendar import day_of
from backend.config import Config, Grant, Purse
from backend.errors import RecordRefused
from backend.funding import by_share, in_order, in_proportion
from backend.offers import GRACE, agrees, honoured
from backend.store import Store, Transaction
from card.record import LOAD, NO_PURSE, NUMBER_AT, REVERSAL, TAP, ClearRecord

SUSPENSE = "suspense:recredit"
TRANSIT = "transit"
BANK = "bank"
# In the place of a grant: what a lost pass held.
REPLACEMENT = 0
KINDS = {TAP: "tap", REVERSAL: "reversal", LOAD: "load"}

# (source, destination, unit, amount)
Transfer = tuple[str, str, str, int]


@dataclass(frozen=True)
class Booking:
    """What a record does to the books. `about`: venue, offer version and why it is not payable, where it has them."""

    kind: str
    transfers: list[Transfer]
    about: dict[str, Any] = field(default_factory=dict)


def fund_account(name: str) -> str:
    return f"fund:{name}"


def purse_account(number: int) -> str:
    return f"purse:{number}"


def replaced_account(number: int) -> str:
    return f"replaced:{number}"


def lapsed_account(number: int) -> str:
    return f"lapsed:{number}"


def discounts_account(fund: str) -> str:
    return f"discounts:{fund}"


def venue_account(number: int) -> str:
    return f"venue:{number}"


class Rules:
    """What may reach the books, by the scheme of the municipality."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._purses: Mapping[int, Purse] = config.purses
        self._grants: Mapping[int, Grant] = config.grants

    def book(self, tx: Transaction, record: ClearRecord, booked: Row[Any] | None = None) -> Booking:
        """The booking of a record that the vault has proven; raises RecordRefused with the reason.

        `booked`: the posting that it has already, to book it again as on that day: after the postings before it, and
        by the version of the offer that counted then, when that is one that may.
        """
        terminal = tx.catalogue.terminal(record.terminal)
        if terminal is None:
            raise RecordRefused("terminal", f"Terminal {record.terminal} is not known.")
        for purse, _ in record.debits():
            if purse not in self._purses:
                raise RecordRefused("purse", f"The scheme has no purse {purse}.")
        if record.kind == LOAD:
            return self._load(tx, record, terminal, booked)
        return self._tap(tx, record, terminal, booked)

    def for_many(self, tx: Transaction) -> Callable[[ClearRecord, bytes], Booking]:
        """`book` for records that come in together, with their bytes. Taps that only differ in their number do the same
        to the books, and most do: each is worked out once."""
        done: dict[bytes, Booking] = {}

        def book(record: ClearRecord, clear: bytes) -> Booking:
            if record.kind == LOAD:
                return self.book(tx, record)
            alike = clear[:NUMBER_AT] + clear[NUMBER_AT + 4 :]
            if alike not in done:
                done[alike] = self.book(tx, record)
            return done[alike]

        return book

    def _load(self, tx: Transaction, record: ClearRecord, terminal: Row[Any], booked: Row[Any] | None) -> Booking:
        if terminal.venue is not None:
            raise RecordRefused("load", "Only a desk may load a pass, and this is a venue's terminal.")
        if record.offer == REPLACEMENT:
            return self._replacement(record)
        grant = self._grants.get(record.offer)
        if grant is None:
            raise RecordRefused("grant", f"The scheme has no grant {record.offer}.")
        if [purse for purse, _ in record.debits()] != [grant.purse] or record.price or record.discount:
            raise RecordRefused("grant", f"Grant {record.offer} loads purse {grant.purse} and nothing else.")
        unit, destination = self._purses[grant.purse].unit, purse_account(grant.purse)
        parts = self._parts(tx, grant, record, None if booked is None else booked.id)
        of_funds = [
            (fund_account(fund), destination, unit, part) for fund, part in zip(grant.funds, parts, strict=True)
        ]
        return Booking("load", [each for each in of_funds if each[-1]])

    def _replacement(self, record: ClearRecord) -> Booking:
        """What a lost pass held, on the pass that replaces it: no fund gives it twice."""
        if record.purse2 != NO_PURSE or record.price or record.discount:
            raise RecordRefused("grant", "What a lost pass held goes to one purse, and nothing else.")
        unit = self._purses[record.purse1].unit
        source, destination = replaced_account(record.purse1), purse_account(record.purse1)
        return Booking("load", [(source, destination, unit, record.amount1)])

    def _parts(self, tx: Transaction, grant: Grant, record: ClearRecord, before: int | None) -> list[int]:
        """What each fund of a grant gives. In order, the last gives what is beyond all budgets: nobody is sent away."""
        if grant.split == "share":
            return by_share(record.amount1, grant.shares)
        day = day_of(record.day)
        return in_order(record.amount1, [self._left(tx, fund, day, before) for fund in grant.funds])

    def _left(self, tx: Transaction, fund: str, day: date, before: int | None) -> int | None:
        """What a fund may still give in the pass year of a day; None when it has no budget."""
        if fund not in self._config.budgets:
            return None
        first, last = self._config.pass_year(day)
        return self._config.budgets[fund] - tx.books.given_between(fund_account(fund), first, last, before)

    def _tap(self, tx: Transaction, record: ClearRecord, terminal: Row[Any], booked: Row[Any] | None) -> Booking:
        """A tap; a reversal is its inverse, under the same terms."""
        if terminal.venue is None:
            raise RecordRefused("desk", "A desk loads passes and sells nothing.")
        day = day_of(record.day)
        versions = tx.catalogue.versions(record.offer)
        if not versions:
            raise RecordRefused("offer", f"There is no offer {record.offer}.")
        if all(version.venue != terminal.venue for version in versions):
            raise RecordRefused("offer venue", f"Offer {record.offer} is of another venue.")
        versions = honoured(versions, day)
        if not versions:
            raise RecordRefused("offer day", f"Offer {record.offer} does not count on {day}.")
        if booked is not None:
            versions.sort(key=lambda version: version.id != booked.offer)
        allowed = tx.catalogue.purses_on(terminal.venue, day, GRACE)
        about = {"venue": terminal.venue, "offer": versions[0].id}
        if any(purse not in allowed for purse, _ in record.debits()):
            transfers = self._moves(record, SUSPENSE)
            return _either_way(record, transfers, about | {"not_payable": "purse"})
        agreed = next((version for version in versions if agrees(version, record)), None)
        if agreed is None:
            raise RecordRefused("amount", f"Purse, amount or price are not what offer {record.offer} says.")
        transfers = self._moves(record, venue_account(terminal.venue)) + self._compensation(record, agreed)
        return _either_way(record, transfers, about | {"offer": agreed.id})

    def _moves(self, record: ClearRecord, destination: str) -> list[Transfer]:
        return [
            (purse_account(purse), destination, self._purses[purse].unit, amount) for purse, amount in record.debits()
        ]

    def _compensation(self, record: ClearRecord, version: Row[Any]) -> list[Transfer]:
        """What the municipality adds to what the pass paid, from the discounts of the first purse's fund."""
        cents = version.compensation + (record.discount if version.compensated else 0)
        if not cents:
            return []
        source = discounts_account(self._purses[record.purse1].funds[0])
        return [(source, venue_account(version.venue), "cent", cents)]


def _either_way(record: ClearRecord, transfers: list[Transfer], about: dict[str, Any]) -> Booking:
    if record.kind == REVERSAL:
        transfers = [(destination, source, unit, amount) for source, destination, unit, amount in transfers]
    return Booking(KINDS[record.kind], transfers, about)


class Ledger:
    """Totals of the books: of venues, funds and purses, never of people."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config

    def totals(self) -> dict[str, Any]:
        """All totals of one moment, ready for JSON. Amounts in cents unless a unit is named."""
        with self._store.reading() as tx:
            flows, taps = tx.books.flows(), tx.books.taps()
            venues = {row.number: row.name for row in tx.catalogue.venues()}
            states, quarantined = tx.journal.states(), tx.quarantine.open_count()
            budgets = [row for fund in sorted(self._config.budgets) for row in self._budgets(tx, fund)]
        purses = {number: self._purse(number, flows) for number in sorted(self._config.purses)}
        return {
            "venues": [self._venue(number, name, flows, taps) for number, name in venues.items()],
            "funds": [self._fund(name, flows) for name in self._config.funds()],
            "purses": list(purses.values()),
            "budgets": budgets,
            "suspense": _net(flows, destination=SUSPENSE),
            "records": states,
            "quarantine": quarantined,
        }

    def balances(self) -> dict[tuple[str, str], int]:
        """Of every account, by name and unit."""
        with self._store.reading() as tx:
            return tx.books.balances()

    def _venue(self, number: int, name: str, flows: Mapping[Any, int], taps: Mapping[int, int]) -> dict[str, Any]:
        own = venue_account(number)
        units = {
            unit: _net(flows, destination=own, unit=unit)
            for unit in ("point", "visit", "item")
            if _net(flows, destination=own, unit=unit)
        }
        paid = _net(flows, source=own, destination=TRANSIT) + _net(flows, source=own, destination=BANK)
        discounts = sum(_net(flows, source=discounts_account(fund), destination=own) for fund in self._config.funds())
        owed = _net(flows, destination=own)
        return {
            "venue": number,
            "name": name,
            "taps": taps.get(number, 0),
            "earned": owed + paid,
            "discounts": discounts,
            "paid": paid,
            "owed": owed,
            "units": units,
        }

    def _purse(self, number: int, flows: Mapping[Any, int]) -> dict[str, Any]:
        purse, own = self._config.purses[number], purse_account(number)
        loaded = sum(
            _net(flows, source=fund_account(fund), destination=own, unit=purse.unit) for fund in self._config.funds()
        )
        replaced = _net(flows, source=replaced_account(number), destination=own, unit=purse.unit)
        # What stands on a lost pass cannot be spent; it is on the new one as well, and counts once.
        outstanding = _net(flows, destination=own, unit=purse.unit) - replaced
        expired = _net(flows, destination=lapsed_account(number), unit=purse.unit)
        return {
            "purse": number,
            "name": purse.name,
            "unit": purse.unit,
            "fund": " + ".join(purse.funds),
            "loaded": loaded,
            "spent": loaded - outstanding - expired,
            "expired": expired,
            "outstanding": outstanding,
            "replaced": replaced,
        }

    def _fund(self, name: str, flows: Mapping[Any, int]) -> dict[str, Any]:
        """Cents. What a purse with loads from several funds spent is divided over them as they loaded it."""
        loaded = spent = expired = 0
        for number, purse in self._config.purses.items():
            if purse.unit == "cent":
                parts = {
                    fund: _net(flows, source=fund_account(fund), destination=purse_account(number))
                    for fund in self._config.funds()
                }
                loaded += parts[name]
                whole = self._purse(number, flows)
                spent += in_proportion(whole["spent"], parts, purse.funds[0])[name]
                expired += in_proportion(whole["expired"], parts, purse.funds[0])[name]
        discounts = -_net(flows, destination=discounts_account(name))
        return {
            "fund": name,
            "loaded": loaded,
            "spent": spent,
            "expired": expired,
            "outstanding": loaded - spent - expired,
            "discounts": discounts,
        }

    def _budgets(self, tx: Transaction, fund: str) -> list[dict[str, Any]]:
        """What a fund with a budget gave in each pass year, in the unit of its purses; by the last day of the year."""
        given: dict[date, int] = {}
        for day, amount in tx.books.given_by_day(fund_account(fund)).items():
            last = self._config.pass_year(day)[1]
            given[last] = given.get(last, 0) + amount
        budget = self._config.budgets[fund]
        return [
            {
                "fund": fund,
                "unit": self._unit(fund),
                "until": last.isoformat(),
                "budget": budget,
                "given": amount,
                "over": max(0, amount - budget),
            }
            for last, amount in sorted(given.items())
        ]

    def _unit(self, fund: str) -> str:
        """The unit of the purses that a fund pays for; a fund with a budget has one."""
        paid = (self._config.purses[grant.purse].unit for grant in self._config.grants.values() if fund in grant.funds)
        return next(paid)


def _net(flows: Mapping[Any, int], destination: str, source: str | None = None, unit: str = "cent") -> int:
    """What went to `destination` (from `source`, or from anywhere) less what came back."""
    total = 0
    for (from_, to, of), amount in flows.items():
        if of != unit:
            continue
        if to == destination and source in (None, from_):
            total += amount
        elif from_ == destination and source in (None, to):
            total -= amount
    return total
