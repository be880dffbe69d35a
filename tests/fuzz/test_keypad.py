"""Any keys in any order, with passes, torn passes, power cuts, hosts and days in between: no cent is lost or made."""

import copy
import re
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from card.batch import COMMITTED, IN_DOUBT
from card.record import TAP
from card.wire import uint
from terminal.firmware import link
from tests.city import (
    CENTS,
    CLOTHES,
    DAY,
    ISSUER,
    ROOT,
    VISITS,
    PcTerminal,
    bundle,
    final_outcomes,
    hotlist,
    make_pass,
    proven_cents,
    purses_of,
)
from tests.twin.nor_flash import PowerCut

LOADED = {CENTS: 2000, CLOTHES: 5000, VISITS: 10}
PASSES = 2
# The last exchange of the longest tap, and what settles one that was torn before it.
EXCHANGES = 24
BYTES_OF_A_TAP = 400

ORDERS = ["1#", "2#300#", "3#1305#", "4#", "5#", "A"]

KNOWN_STATES = set(re.findall(r"^\| (\w+) \|.*\|$", (ROOT / "terminal/firmware/README.md").read_text(), re.M))

passes = st.integers(0, PASSES - 1)
# Most of all at the commit.
exchanges = st.one_of(st.integers(10, 11), st.integers(1, EXCHANGES))


@cache
def made() -> tuple:
    return tuple(make_pass(uid=bytes([4, 7, 7, 7, 7, 7, number]), loads=LOADED)[0] for number in range(PASSES))


class Counter(RuleBasedStateMachine):
    """A venue on a bad day."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.terminal = PcTerminal(Path(self.folder.name) / "flash", blocks=8)
        self.cards = copy.deepcopy(made())
        self.version = 1

    def teardown(self):
        entries = self.terminal.entries()
        for purse in LOADED:
            proven_cents(entries, purse)
        self.folder.cleanup()

    # Who does what

    @rule(keys=st.text("0123456789ABCD*#", min_size=1, max_size=6))
    def keys_are_pressed(self, keys):
        self.terminal.press(keys)

    @rule(order=st.sampled_from(ORDERS), number=passes)
    def a_guest_pays(self, order, number):
        self.terminal.press("**" + order)
        self.terminal.hold(self.cards[number])

    @rule(number=passes)
    def a_pass_is_held(self, number):
        self.terminal.hold(self.cards[number])

    @rule(number=passes, order=st.sampled_from(ORDERS), exchange=exchanges, executed=st.booleans())
    def a_pass_is_pulled_away(self, number, order, exchange, executed):
        self.terminal.press("**" + order)
        self.cards[number].tear_after(exchange, executed)
        self.terminal.hold(self.cards[number])

    @rule(number=passes, order=st.sampled_from(ORDERS), steps=st.integers(0, BYTES_OF_A_TAP))
    def the_power_goes(self, number, order, steps):
        self.terminal.press("**" + order)
        self.terminal.storage.steps_left = steps
        try:
            self.terminal.hold(self.cards[number])
        except PowerCut:
            self.terminal.storage.steps_left = None
            self.terminal.boot()
        self.terminal.storage.steps_left = None

    @rule()
    def it_is_switched_off_and_on(self):
        self.terminal.boot()

    @rule(seconds=st.sampled_from([1, 30, 61, 3600]))
    def time_goes_by(self, seconds):
        self.terminal.seconds += seconds

    @rule()
    def a_night_goes_by(self):
        self.terminal.days_on = min(self.terminal.days_on + 1, 5)

    @rule()
    def a_host_brings_lists(self):
        self.version += 1
        day = DAY + self.terminal.days_on
        held = self.terminal.book.journal.count
        self.terminal.ask(link.BUNDLE, bundle(version=self.version, day=day))
        self.terminal.ask(link.HOTLIST, hotlist(version=self.version, day=day))
        assert self.terminal.book.journal.count == held

    @rule()
    def a_host_brings_keys(self):
        self.terminal.renew(DAY + self.terminal.days_on)

    @rule(kind=st.sampled_from("HDKBLJX?"), content=st.binary(max_size=40))
    def a_host_talks_nonsense(self, kind, content):
        # Asked to forget what is not handed in, it refuses; so it does with all else here.
        content = uint(0, 4) if kind == "X" and self.terminal.book.journal.count else content
        if kind != "X" or self.terminal.book.journal.count or len(content) != 4:
            self.terminal.device.answer(kind.encode(), ISSUER, content)

    # What holds

    @invariant()
    def no_cent_is_lost_or_made(self):
        entries = final_outcomes(self.terminal.entries()).values()
        for purse, loaded in LOADED.items():
            taken = sum(loaded - purses_of(card)[purse] for card in self.cards)
            sure = sum(_moved(entry, purse) for entry in entries if entry.outcome == COMMITTED)
            doubtful = [_moved(entry, purse) for entry in entries if entry.outcome == IN_DOUBT]
            least = sure + sum(amount for amount in doubtful if amount < 0)
            most = sure + sum(amount for amount in doubtful if amount > 0)
            assert least <= taken <= most

    @invariant()
    def the_screen_is_one_that_the_table_knows(self):
        assert self.terminal.screen[0] in KNOWN_STATES


def _moved(entry, purse):
    amount = sum(amount for moved, amount in entry.clear.debits() if moved == purse)
    return amount if entry.clear.kind == TAP else -amount


TestCounter = Counter.TestCase
TestCounter.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
