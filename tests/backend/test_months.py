"""PostgreSQL keeps the journal by month; which month an entry is of changes nothing of what is said of it."""

from datetime import date

import pytest
from sqlalchemy import text

pytestmark = pytest.mark.parametrize("furnished", ["postgresql"], indirect=True, scope="session")


def parts(world):
    """By part, the days of the entries in it."""
    with world.connection() as connection:
        connection.execute(text("RESET ROLE"))
        found = connection.execute(text("SELECT tableoid::regclass::text, happened_on FROM entry ORDER BY happened_on"))
        days = {}
        for part, day in found:
            days.setdefault(part, []).append(day)
        return days


def taps_on(world, *days):
    for day in days:
        world.pool.day = day
        world.pool.tap(world.holder)
    world.sync(world.pool)


def test_each_month_has_a_part_of_its_own(world):
    taps_on(world, date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2))
    assert parts(world) == {
        "entry_2026_10": [date(2026, 10, 31)],
        "entry_2026_11": [date(2026, 11, 1), date(2026, 11, 2)],
    }


def test_a_clock_that_stands_wrong_makes_no_part(world):
    taps_on(world, date(2020, 1, 1), date(2031, 5, 5))
    assert parts(world) == {"entry_other": [date(2020, 1, 1), date(2031, 5, 5)]}


def test_a_month_that_is_with_the_other_days_stays_there(world):
    """Its part cannot be made any more, and nothing is lost for that."""
    taps_on(world, date(2027, 3, 1))
    world.now = world.now.replace(year=2027, month=3)
    taps_on(world, date(2027, 3, 2))
    assert parts(world) == {"entry_other": [date(2027, 3, 1), date(2027, 3, 2)]}


def test_a_gap_a_repetition_and_another_journal_are_seen_over_the_end_of_a_month(world):
    for day in (date(2026, 10, 30), date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2)):
        world.pool.day = day
        world.pool.tap(world.holder)
    world.accept(world.pool.batch(3, 4))
    assert world.clearing.ingest.journal_of(101)["gaps"] == [(1, 2)]
    world.accept(world.pool.batch(1, 3))
    assert world.accept(world.pool.batch(2, 4)).duplicates == 3
    assert world.clearing.ingest.journal_of(101) == {"terminal": 101, "nextPosition": 5, "gaps": []}
    assert world.clearing.verification.run().difference is None


def test_an_old_month_can_be_taken_out_and_the_books_stay(world):
    taps_on(world, date(2026, 10, 31), date(2026, 11, 1))
    before = world.clearing.ledger.balances()
    with world.connection() as connection:
        connection.execute(text("RESET ROLE"))
        connection.execute(text("ALTER TABLE entry DETACH PARTITION entry_2026_10"))
    assert world.clearing.ledger.balances() == before
    assert list(parts(world)) == ["entry_2026_11"]
