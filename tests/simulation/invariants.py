"""What must be true, whatever happens. Each sentence has a name; a Violation says which one was broken, and how.

| name | the sentence |
|---|---|
| conservation | loads = balances on all passes + proven debits + what is still under way or in doubt, by purse |
| owed | each venue is owed exactly what its guests' passes paid, and discounts as its agreement says |
| proof | nothing is booked that no pass committed |
| lost | what a pass committed is proven in the end, or in doubt, or named by the vault's audit |
| yes | no yes without a commit of exactly what was asked, once, by a pass that may pay |
| no | no refusal that the rules do not give |
| paid | no cent leaves the bank that is not owed, and nothing that is owed stays unpaid |
| dishonest | every dishonest venue is found, and no other |
| personal | nothing outside the desk names a pass or a person, however it is written |
| linked | nothing in clearing tells which taps are of one pass better than venue, offer, amount and day do |
| year | when the keys of a year are destroyed, the vault tells nothing of that year any more |
"""

import copy
from collections import Counter
from dataclasses import dataclass, field

from card.layout import LOOKUP_KEY, TAP_KEY
from card.record import clear_hash
from terminal.firmware import results
from tests.simulation.chips import Committed, Name, WatchedPass
from tests.simulation.city import City, Guest
from tests.simulation.offers import Offer
from tests.simulation.place import Place

DESK = 1
# Which sentence an account that stands wrong breaks.
_SENTENCE_OF = {"purse": "conservation", "venue": "owed", "transit": "paid", "bank": "paid"}
Account = tuple[str, str]


class Violation(Exception):
    """An invariant is broken. `name` as in the table."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name}: {what}")
        self.name = name


def hold(name: str, is_so: bool, what: str) -> None:
    """Raise a Violation unless it is so."""
    if not is_so:
        raise Violation(name, what)


@dataclass(frozen=True)
class Asked:
    """What staff asked of a pass. `reversal`: to put that back."""

    place: int
    offer: Offer
    price: int
    reversal: bool = False
    # The venue added the offer to its bundle itself.
    smuggled: bool = False

    def moves(self) -> dict[int, int]:
        """What the pass commits when it does."""
        taken = self.offer.takes(self.price)
        return {self.offer.purse: taken if self.reversal else -taken}


@dataclass
class Attempt:
    """A hold of which the venue never saw how it ended. `committed`: whether the pass did it."""

    asked: Asked
    committed: Committed | None
    day: int


@dataclass
class Bystander:
    """Stands beside every till: sees the screen and knows the pass. Remembers what each commit was asked for.

    `shown`: every screen after a hold, and whose pass it was.
    """

    city: City
    asked: dict[Name, Asked] = field(default_factory=dict)
    unseen: dict[tuple[int, bytes], list[Attempt]] = field(default_factory=dict)
    yeses: int = 0
    noes: Counter[str] = field(default_factory=Counter)
    shown: list[tuple[Guest, tuple[str, ...]]] = field(default_factory=list)

    def allowed(self, place: Place, guest: Guest, card: WatchedPass, asked: Asked, disturbed: bool) -> set[str]:
        """The codes that the rules give before a hold; `disturbed`: the pass or the power may go."""
        codes = {results.AGAIN} if disturbed else set()
        if place.lists_may_be_old:
            codes |= {results.LIST_TOO_OLD, results.NOT_A_PASS}
        if self.city.new_keys_on >= place.brought_on:
            codes.add(results.NOT_A_PASS)
        if self._has_an_old_key(card):
            codes.add(results.NOT_A_PASS)
        if guest.uid in place.blocked:
            return codes | {results.BLOCKED}
        if guest.uid in place.maybe_blocked:
            codes.add(results.BLOCKED)
        if place.spoilt:
            codes.add(results.TERMINAL_FULL)
        for day in {self.city.day, self.city.day + place.skew}:
            codes |= self._by_day(place, guest, card, asked, day)
        return codes

    def _has_an_old_key(self, card: WatchedPass) -> bool:
        """Whether it was not at the desk since a key was renewed that terminals know it by, until the old one ended."""
        accepted = self.city.vault.register.accepted
        return any(
            card.key_version(number) not in accepted(purpose, self.city.today)
            for number, purpose in ((LOOKUP_KEY, "lookup"), (TAP_KEY, "tap"))
        )

    def _by_day(self, place: Place, guest: Guest, card: WatchedPass, asked: Asked, day: int) -> set[str]:
        if day < card.valid[0]:
            return {results.NOT_YET_VALID}
        if day > card.valid[1]:
            return {results.EXPIRED}
        if asked.reversal:
            return {results.REVERSED, results.NOTHING_TO_REVERSE}
        codes = set()
        if any(attempt.asked == asked for attempt in self.unseen.get((place.terminal, guest.uid), [])):
            codes.add(results.YES)
        if asked.smuggled:
            return codes | {results.WRONG_VENUE}
        enough = card.balances[asked.offer.purse] >= asked.offer.takes(asked.price)
        return codes | {results.YES if enough else results.PURSE_TOO_SMALL}

    def saw(self, place: Place, guest: Guest, asked: Asked, code: str, allowed: set[str], dark: str) -> None:
        """One hold ended with this on the screen; what the pass committed meanwhile is in `city.fresh`."""
        where = f"terminal {place.terminal}, screen {code}"
        self.shown.append((guest, place.screen))
        fresh = self.city.fresh
        hold("yes", len(fresh) <= 1, f"{where}: {len(fresh)} commits in one hold")
        done = fresh[0] if fresh else None
        if done is not None:
            self.asked[done.name] = asked
            hold("yes", done.moves == asked.moves(), f"{where}: {asked.moves()} was asked, {done.moves} was paid")
            hold("yes", guest.uid not in place.blocked, f"{where}: a blocked pass paid")
        unseen = self.unseen.setdefault((place.terminal, guest.uid), [])
        if code in (results.AGAIN, dark):
            unseen.append(Attempt(asked, done, self.city.day))
            return
        hold(
            "yes" if code in (results.YES, results.REVERSED) else "no",
            code in allowed,
            f"{where}, not {sorted(allowed)}",
        )
        if code in (results.YES, results.REVERSED):
            self._accepted(place, guest, asked, done, unseen, where)
        else:
            self.noes[code] += 1
            hold("yes", done is None, f"{where}: the pass paid")

    def _accepted(
        self, place: Place, guest: Guest, asked: Asked, done: Committed | None, unseen: list[Attempt], where: str
    ) -> None:
        self.yeses += 1
        same = [attempt for attempt in unseen if attempt.asked == asked]
        if done is None:
            hold("yes", bool(same), f"{where}: a yes, and the pass paid nothing")
        elif same and not place.spoilt and not place.skew:
            before, today = same[-1].committed, same[-1].day == self.city.day
            again = before is not None and before.counter + 1 == done.counter and today
            hold("yes", not again, f"{where}: charged twice")
        if same:
            unseen.remove(same[-1])


@dataclass
class Books:
    """What the books should say, worked out from the passes alone. `proven`: what clearing says that it proved."""

    city: City
    bystander: Bystander
    proven: set[Name] = field(default_factory=set)
    expected: Counter[Account] = field(default_factory=Counter)
    paid: Counter[int] = field(default_factory=Counter)
    waiting: dict[Name, Committed] = field(default_factory=dict)
    known: int = 0
    _agreed_on: tuple[object, Counter[Account]] | None = None

    def agree(self) -> None:
        """Clearing's books are those of the passes whose transactions it has; raises Violation.

        Where neither what clearing stores nor what it should say has changed since the last time, it still is so.
        """
        hold("proof", not self.city.named_twice, f"two transactions of one name: {self.city.named_twice[:1]}")
        seen = self.city.stored.version()
        if (seen, self.expected) == self._agreed_on:
            return
        self._take_in()
        accounts = self.city.clearing.ledger.balances()
        states = self._states()
        hold(
            "proof",
            states.get("proven", 0) == len(self.proven),
            f"{states} are held, and passes made {len(self.proven)}",
        )
        for (name, unit), amount in self._of_passes(accounts).items():
            what = f"{name} stands at {amount} {unit}, and passes say {self.expected[name, unit]}"
            kind = name.split(":")[0]
            hold(_SENTENCE_OF[kind], amount == self.expected[name, unit], what)
        self._agreed_on = seen, copy.copy(self.expected)

    def _states(self) -> dict[str, int]:
        with self.city.clearing.store.transaction() as tx:
            return tx.journal.states()

    def _of_passes(self, accounts: dict[Account, int]) -> dict[Account, int]:
        wanted = {account: 0 for account, amount in self.expected.items() if amount}
        return wanted | {
            account: amount for account, amount in accounts.items() if account[0].split(":")[0] in _SENTENCE_OF
        }

    def _take_in(self) -> None:
        """What clearing proved since the last time moves what it should move."""
        committed = self.city.committed
        self.waiting |= {done.name: done for done in committed[self.known :]}
        self.known = len(committed)
        for name, decided in self.city.stored.decided(self.waiting):
            if decided.state == "proven" and clear_hash(decided.clear) == name.digest:
                self._book(self.waiting.pop(name))
                self.proven.add(name)
            elif decided.state in ("rejected", "void"):
                what = f"{name[:2]} was committed and is {decided.state} ({decided.reason})"
                hold("lost", self.city.has_a_reason(name.terminal), what)

    def _book(self, done: Committed) -> None:
        purses = self.city.scheme.purses
        for purse, amount in done.moves.items():
            self.expected[f"purse:{purse}", purses[purse].unit] += amount
        if done.name.terminal == DESK:
            return
        asked = self.bystander.asked[done.name]
        unit = purses[asked.offer.purse].unit
        sign = -1 if asked.reversal else 1
        account = f"venue:{asked.offer.venue}"
        self.expected[account, "cent"] += sign * asked.offer.owed(asked.price, unit)
        if unit != "cent":
            self.expected[account, unit] += sign * asked.offer.takes(asked.price)

    def earned(self, venue: int) -> int:
        """The cents that passes paid there, as far as clearing has it."""
        return self.expected[f"venue:{venue}", "cent"] + self.paid[venue]

    def recovered(self, venue: int, cents: int) -> None:
        """That much was on its way to a venue already, and these books did not know."""
        self.paid[venue] += cents
        self.expected[f"venue:{venue}", "cent"] -= cents
        self.expected["transit", "cent"] += cents

    def ordered(self, venue: int, cents: int) -> None:
        """That much is on its way to a venue."""
        self.recovered(venue, cents)
        left = self.expected[f"venue:{venue}", "cent"]
        hold("paid", left >= 0, f"venue {venue} gets {-left} cents that no pass paid")

    def paid_out(self, cents: int) -> None:
        """The bank rightly said so."""
        self.expected["transit", "cent"] -= cents
        self.expected["bank", "cent"] += cents

    def came_back(self, venue: int, cents: int) -> None:
        """The bank said that a payment was returned: the venue is owed it again."""
        self.paid[venue] -= cents
        self.expected["bank", "cent"] -= cents
        self.expected[f"venue:{venue}", "cent"] += cents
