"""Which day a terminal believes it is: with a battery clock and without, and when the clock is wrong."""

import pytest

from terminal.firmware import link
from terminal.firmware.days import MOST_STEP
from tests.city import CENTS, DAY, PcTerminal, bundle, lease, proven_cents, purses_of
from tests.terminal.test_leases import on_flash, thief

LAST_DAY = DAY + 30


@pytest.fixture
def terminal(tmp_path):
    """A terminal with a battery clock that says the right day."""
    made = PcTerminal(tmp_path / "flash", valid=(DAY - 1, DAY + 90))
    made.clock = DAY
    return made


def day_of(terminal):
    return terminal.about()["day"]


def off_until(terminal, day):
    """The plug is out; the battery clock goes on."""
    terminal.days_on = 0
    terminal.clock = day
    terminal.boot()


def test_the_days_that_the_plug_was_out_are_counted_by_the_clock(terminal, card):
    off_until(terminal, DAY + 3)
    assert terminal.tap(card)[1] == "00"
    assert terminal.entries()[0].clear.day == DAY + 3


def test_midnight_is_when_the_clock_says_so(terminal):
    terminal.seconds = 3600
    terminal.clock = DAY + 1
    assert day_of(terminal) == DAY + 1


def test_a_clock_that_stood_still_costs_nothing(terminal, card):
    terminal.tap(card)
    terminal.days_on, terminal.clock = 2, None
    assert terminal.tap(card)[1] == "00"
    assert [entry.clear.day for entry in terminal.entries()] == [DAY, DAY + 2]
    off_until(terminal, None)
    assert terminal.tap(card)[1] == "00"
    assert terminal.entries()[-1].clear.day == DAY + 2


@pytest.mark.parametrize("clock", [0, DAY - 1, DAY, DAY + 1])
def test_a_clock_that_is_behind_costs_nothing(terminal, card, clock):
    terminal.days_on, terminal.clock = 2, clock
    assert terminal.tap(card)[1] == "00"
    assert terminal.entries()[-1].clear.day == DAY + 2


@pytest.mark.parametrize("clock", [LAST_DAY + 1, LAST_DAY + 400, 65535, 65536, 1 << 40])
def test_a_clock_beyond_the_lease_is_not_believed_and_not_written_down(terminal, card, clock):
    terminal.tap(card)
    before = on_flash(terminal)
    off_until(terminal, clock)
    terminal.press("*")
    assert day_of(terminal) == DAY
    assert on_flash(terminal) == before
    assert terminal.tap(card)[1] == "00"
    terminal.clock = DAY + 1
    assert day_of(terminal) == DAY + 1


def test_a_clock_far_ahead_within_the_lease_needs_a_sync_and_writes_nothing(terminal, card):
    before = on_flash(terminal)
    off_until(terminal, DAY + MOST_STEP + 1)
    assert terminal.tap(card)[1:3] == ("30", "De lijsten zijn te oud. Sluit het apparaat aan")
    assert terminal.tap(card, "A")[1] == "30"
    assert (day_of(terminal), on_flash(terminal)) == (DAY, before)
    assert purses_of(card)[CENTS] == 2000


def test_a_sync_says_that_the_clock_was_right(terminal, card):
    off_until(terminal, DAY + 20)
    terminal.renew(DAY + 20)
    assert terminal.tap(card)[1] == "00"
    assert terminal.entries()[-1].clear.day == DAY + 20


def test_a_sync_says_that_the_clock_was_wrong_and_sets_it(terminal, card):
    off_until(terminal, DAY + 20)
    terminal.ask(link.BUNDLE, bundle(version=2, day=DAY + 1, valid=(DAY, DAY + 90)))
    assert terminal.clock == DAY + 1
    assert terminal.tap(card)[1] == "00"
    assert terminal.entries()[-1].clear.day == DAY + 1


def test_a_clock_that_is_believed_and_wrong_costs_some_days_that_pass_by_after_the_next_sync(terminal, card):
    """The dates are ahead until the calendar has caught up; no tap is lost and none is charged twice."""
    terminal.clock = DAY + MOST_STEP
    assert terminal.tap(card)[1] == "00"
    terminal.renew(DAY)
    assert terminal.clock == DAY
    days = []
    for day in range(MOST_STEP + 2):
        terminal.days_on = day
        terminal.clock = DAY + day
        assert terminal.tap(card, "2#1#")[1] == "00"
        days.append(terminal.entries()[-1].clear.day)
    assert days == [DAY + MOST_STEP] * (MOST_STEP + 1) + [DAY + MOST_STEP + 1]
    assert proven_cents(terminal.entries()) == 400 + MOST_STEP + 2


def test_steps_of_a_wrong_clock_end_with_the_lease(terminal, card):
    for _ in range(9):
        terminal.clock += MOST_STEP
        terminal.tap(card, "2#1#")
    assert day_of(terminal) == LAST_DAY
    terminal.renew(DAY + 1)
    assert (day_of(terminal), terminal.about()["lease_until"]) == (LAST_DAY, DAY + 31)


def test_offers_that_were_brought_before_do_not_set_the_clock_back(terminal):
    old = bundle(version=2, day=DAY, valid=(DAY, DAY + 90))
    terminal.ask(link.BUNDLE, old)
    terminal.clock = DAY + 4
    terminal.press("*")
    terminal.ask(link.BUNDLE, old)
    assert terminal.clock == DAY + 4


def test_the_clock_is_set_by_what_a_sync_brings(terminal):
    terminal.clock = 17
    terminal.ask(link.BUNDLE, bundle(version=2, day=DAY + 1))
    assert terminal.clock == DAY + 1
    terminal.clock = 17
    terminal.renew(DAY + 2)
    assert terminal.clock == DAY + 2


def test_a_lease_that_ended_is_not_revived_by_a_clock(terminal, card):
    off_until(terminal, DAY + 10)
    terminal.tap(card)
    terminal.days_on = 21
    assert terminal.tap(card)[1] == "30"
    terminal.clock = DAY + 5
    assert terminal.tap(card)[1] == "30"


def test_a_day_that_the_clock_begins_opens_nothing_of_the_day_before(terminal, card):
    recorded = lease({"lease": 0}, vault=terminal.vault)
    terminal.tap(card)
    records = terminal.entries()
    assert thief(terminal, records, [recorded]) == (1, 0)
    terminal.clock = DAY + 1
    terminal.press("#")
    assert thief(terminal, records, [recorded]) == (0, 0)
