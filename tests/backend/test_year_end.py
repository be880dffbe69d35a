"""The end of a pass year: what is left lapses by two people, and late taps take their part of it back."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from backend import config as configuration
from backend.errors import NotFound, ReportRefused
from backend.reports.periods import period
from tests.backend.conftest import World
from tests.backend.test_verify import change

YEAR = date(2026, 12, 31)
CLOSES = datetime(2027, 3, 3, 9, tzinfo=UTC)


@pytest.fixture
def city(world):
    return two_years(world)


@pytest.fixture
def file_city(tmp_path):
    made = two_years(World(tmp_path))
    yield made
    made.clearing.close()


def two_years(world):
    """A year with 150 euro for two, of which one spent 5; a new year in which one was loaded again."""
    world.config = configuration.Config(**(dict(world.config) | {"overlap_days": 31}))
    world.clearing = world.open()
    world.desk.load(world.holder, amount=10000)
    world.desk.load(world.sibling, grant=9, amount=5000)
    world.pool.tap(world.holder, amount=500)
    world.sync()
    world.desk.day = date(2027, 1, 10)
    world.desk.load(world.holder, amount=7000)
    world.sync()
    world.now = CLOSES
    return world


def close(city, amounts=None):
    city.clearing.year_end.propose(YEAR, "Anna", amounts)
    return city.clearing.year_end.decide(YEAR, "Bram")


def late_tap(city, day=date(2027, 1, 20), amount=700):
    city.shop.day = day
    city.shop.tap(city.sibling, offer=21, amount=amount, price=amount)
    city.sync(city.shop)


def books(city):
    """(purse, lapsed) and what must add up: loaded = spent + expired + outstanding."""
    found = city.clearing.funds.obligation(date(2030, 1, 1))
    assert found.outstanding == found.loaded - found.debited - found.expired == city.balance("purse:1")
    assert found.expired == city.balance("lapsed:1")
    assert city.clearing.verification.run().difference is None
    return city.balance("purse:1"), city.balance("lapsed:1")


def test_what_is_left_of_the_year_lapses_and_the_new_year_keeps_its_loads(city):
    (done,) = close(city)
    assert (done.purse, done.amount, done.most, done.state, done.lapsed) == (1, 14500, 14500, "decided", 14500)
    assert books(city) == (7000, 14500)


def test_what_was_spent_in_the_new_year_is_old_money_first(city):
    city.shop.day = date(2027, 2, 20)
    city.shop.tap(city.holder, offer=21, amount=3000, price=3000)
    city.sync()
    assert city.clearing.year_end.left(YEAR) == {1: 11500}
    close(city)
    assert books(city) == (7000, 11500)


def test_people_may_let_less_lapse_and_never_more(city):
    with pytest.raises(ReportRefused, match="14500 can be decided on, not 14501"):
        city.clearing.year_end.propose(YEAR, "Anna", {1: 14501})
    close(city, {1: 10000})
    assert books(city) == (11500, 10000)


def test_a_late_tap_takes_back_what_lapsed_and_nothing_outstanding_changes(city):
    close(city)
    late_tap(city)
    assert books(city) == (7000, 13800)
    assert city.venue_is_owed(6) == 700


def test_a_tap_after_the_overlap_is_of_the_new_year(city):
    close(city)
    late_tap(city, day=date(2027, 2, 1))
    assert books(city) == (6300, 14500)


@pytest.mark.parametrize("day", [date(2026, 12, 31), date(2027, 1, 31)])
def test_up_to_the_last_day_of_the_overlap_it_is_of_the_closed_year(city, day):
    close(city)
    late_tap(city, day)
    assert books(city) == (7000, 13800)


def test_a_late_tap_takes_back_no_more_than_lapsed(city):
    close(city, {1: 500})
    late_tap(city)
    assert books(city) == (14000 + 7000 - 200, 0)


def test_a_late_reversal_lets_lapse_again_what_a_late_tap_took_back(city):
    close(city)
    late_tap(city)
    city.shop.reverse(city.sibling, offer=21, amount=700, price=700)
    city.sync()
    assert books(city) == (7000, 14500)


def test_a_late_reversal_of_a_tap_before_the_closing_stays_with_the_holder(city):
    late_tap(city)
    close(city)
    city.shop.reverse(city.sibling, offer=21, amount=700, price=700)
    city.sync()
    assert books(city) == (7700, 13800)


def test_a_late_load_of_the_closed_year_stays_with_the_holder(city):
    close(city)
    city.desk.day = date(2026, 12, 30)
    city.desk.load(city.stranger, amount=900)
    city.sync()
    assert books(city) == (7900, 14500)


def test_a_journal_that_comes_twice_corrects_once(city):
    close(city)
    late_tap(city)
    city.sync(city.shop)
    assert books(city) == (7000, 13800)


def test_what_lapsed_can_be_given_back_by_two_people(city):
    close(city)
    year_end = city.clearing.year_end
    with pytest.raises(ReportRefused, match="14500 can be decided on"):
        year_end.propose_restore(YEAR, "Anna", {1: 14501})
    year_end.propose_restore(YEAR, "Anna", {1: 2000})
    with pytest.raises(ReportRefused, match="cannot decide"):
        year_end.decide(YEAR, "anna ")
    year_end.decide(YEAR, "Bram")
    assert books(city) == (9000, 12500)


def test_while_something_is_proposed_nothing_more_is_proposed_to_give_back(city):
    close(city)
    year_end = city.clearing.year_end
    year_end.propose_restore(YEAR, "Anna", {1: 14500})
    with pytest.raises(ReportRefused) as refused:
        year_end.propose_restore(YEAR, "Anna", {1: 14500})
    assert refused.value.reason == "proposed"
    year_end.decide(YEAR, "Bram")
    assert books(city) == (21500, 0)


def test_a_late_reversal_does_not_let_lapse_again_what_people_gave_back(city):
    late_tap(city)
    close(city)
    city.clearing.year_end.propose_restore(YEAR, "Anna", {1: 2000})
    city.clearing.year_end.decide(YEAR, "Bram")
    city.shop.reverse(city.sibling, offer=21, amount=700, price=700)
    city.sync()
    assert books(city) == (9700, 11800)


def test_what_late_taps_took_back_and_people_gave_back_lapses_again_by_the_taps_only(city):
    close(city)
    late_tap(city)
    city.clearing.year_end.propose_restore(YEAR, "Anna", {1: 2000})
    city.clearing.year_end.decide(YEAR, "Bram")
    city.shop.reverse(city.sibling, offer=21, amount=700, price=700)
    city.sync()
    assert books(city) == (9000, 12500)


def test_the_next_year_counts_what_lapsed_before(city):
    close(city)
    city.now = datetime(2028, 3, 4, 9, tzinfo=UTC)
    assert city.clearing.year_end.left(date(2027, 12, 31)) == {1: 7000}
    city.clearing.year_end.propose(date(2027, 12, 31), "Anna")
    city.clearing.year_end.decide(date(2027, 12, 31), "Bram")
    late_tap(city)
    assert books(city) == (0, 14500 - 700 + 7000)


def test_a_tap_that_comes_in_between_proposal_and_decision_makes_both_anew(city):
    city.clearing.year_end.propose(YEAR, "Anna")
    late_tap(city)
    with pytest.raises(ReportRefused, match="less is left"):
        city.clearing.year_end.decide(YEAR, "Bram")
    city.clearing.year_end.withdraw(YEAR, "Anna")
    close(city)
    assert books(city) == (7000, 13800)


@pytest.mark.parametrize(
    ("now", "until", "reason"),
    [
        (datetime(2027, 3, 2, 9, tzinfo=UTC), YEAR, "too early"),
        (CLOSES, date(2026, 12, 30), "year"),
        (datetime(2026, 12, 31, 9, tzinfo=UTC), date(2025, 12, 31), "nothing"),
    ],
)
def test_a_year_is_closed_at_its_end_and_when_something_is_left(city, now, until, reason):
    city.now = now
    with pytest.raises(ReportRefused) as refused:
        city.clearing.year_end.propose(until, "Anna")
    assert refused.value.reason == reason


def test_a_year_is_closed_once(city):
    close(city)
    with pytest.raises(ReportRefused, match="already"):
        city.clearing.year_end.propose(YEAR, "Anna")
    with pytest.raises(NotFound):
        city.clearing.year_end.decide(YEAR, "Bram")
    with pytest.raises(DatabaseError), city.connection() as connection:
        connection.execute(text("UPDATE year_closing SET amount = 1"))


def test_reports_say_what_expired_and_of_which_fund(city):
    close(city)
    rows = {row.fund: row for row in city.clearing.funds.of(period("2027-Q1")).rows if row.purse == 1}
    assert {fund: row.expired for fund, row in rows.items()} == {"Minimabeleid": 11205, "Rotary": 3295}
    totals = city.clearing.ledger.totals()
    (purse,) = [row for row in totals["purses"] if row["purse"] == 1]
    assert [purse[name] for name in ("loaded", "spent", "expired", "outstanding")] == [22000, 500, 14500, 7000]


POSTED = (
    "INSERT INTO posting (id, kind, happened_on, recorded_on, records, municipality)"
    " VALUES (99, 'lapse', '2027-04-01', '2027-04-01', 0, 1)"
)
TAMPERINGS = {
    "more lapsed": ["UPDATE transfer SET amount = amount + 1 WHERE destination = 'lapsed:1'"],
    "a correction removed": [
        "DELETE FROM transfer WHERE source = 'lapsed:1'",
        "DELETE FROM posting WHERE id IN (SELECT posting FROM lapse WHERE cause IS NOT NULL)",
        "DELETE FROM lapse WHERE cause IS NOT NULL",
    ],
    "a lapse of no decision": [
        POSTED,
        "INSERT INTO transfer VALUES (99, 1, 'purse:1', 'lapsed:1', 'cent', 5, 1)",
    ],
    "a decision carried out twice": [
        POSTED,
        "INSERT INTO transfer VALUES (99, 1, 'purse:1', 'lapsed:1', 'cent', 14500, 1)",
        "INSERT INTO lapse SELECT 99, id, NULL, 1 FROM year_closing",
    ],
    "another decision": ["UPDATE year_closing SET amount = 14000"],
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_lapse_that_was_tampered_with_is_named(file_city, tampering):
    close(file_city)
    late_tap(file_city)
    change(file_city, *TAMPERINGS[tampering])
    assert file_city.clearing.verification.run().difference.what == "lapse"
