"""What finance answers for: every cent of every fund in one place of a report, and what is owed beside the bank."""

from dataclasses import astuple
from datetime import date

import openpyxl
import pytest

from backend import config as configuration
from backend.reports.funds import NETWORK_LIMIT_CENTS
from backend.reports.periods import period
from backend.store.books import NewPosting
from tests.backend.busy_city import busy
from tests.backend.test_funding import SCHEME, SHARED, config_of, with_grant


@pytest.fixture
def city(world):
    return busy(world)


def rows_of(world, name):
    return {(row.fund, row.purse): row for row in world.clearing.funds.of(period(name)).rows}


def test_a_quarter_says_what_each_fund_gave_and_what_became_of_it(city):
    rows = rows_of(city, "2026-Q4")
    own, rotary = rows["Minimabeleid", 1], rows["Rotary", 1]
    assert (own.loaded, rotary.loaded) == (15000, 20000)
    assert (own.debited + rotary.debited, own.reversed + rotary.reversed) == (4 * 500 + 1250, 500)
    assert own.outstanding + rotary.outstanding == 35000 - 2750 == city_outstanding(city, date(2026, 12, 31))
    assert (rows["Minimabeleid", 3].unit, rows["Minimabeleid", 3].outstanding) == ("point", 200)
    assert rows["Minimabeleid", 4].discounts == 1000
    assert rows["Kindpakket", 2].debited == 300


def city_outstanding(city, day):
    found = city.clearing.funds.obligation(day)
    # What was taken from the purse for clothes, of which nobody had any.
    return found.outstanding + 300


@pytest.mark.parametrize("purse", [1, 2, 3, 4])
def test_quarters_follow_on_each_other(city, purse):
    city.desk.day = date(2027, 5, 1)
    city.desk.load(city.holder, amount=1234)
    city.sync()
    opening = dict.fromkeys(("Minimabeleid", "Rotary", "Kindpakket"), 0)
    for name in ("2026-Q4", "2027-Q1", "2027-Q2"):
        for (fund, number), row in rows_of(city, name).items():
            if number == purse:
                moved = row.loaded - row.debited + row.reversed - row.expired
                assert row.outstanding == opening[fund] + moved, name
                opening[fund] = row.outstanding


def test_the_year_is_the_sum_of_its_quarters(city):
    whole, parts = rows_of(city, "2026"), rows_of(city, "2026-Q4")
    assert whole == parts
    assert rows_of(city, "2026-Q3") == {}


def test_a_purse_of_several_funds_is_spent_as_they_loaded_it_in_a_report_too(world):
    with_grant(world, SHARED)
    world.desk.load(world.holder, amount=10000)
    world.pool.tap(world.holder)
    world.sync()
    assert {fund: row.debited for (fund, _), row in rows_of(world, "2026-Q4").items()} == {
        "Minimabeleid": 350, "Rotary": 100, "Kindpakket": 50,
    }  # fmt: skip


def test_categories_are_those_of_the_scheme(tmp_path):
    made = config_of(tmp_path, SCHEME.replace('name = "Sport"', 'name = "Sport"\nclass = "sport"'))
    assert (made.purses[1].category, made.purses[2].category) == ("", "sport")
    made.save()
    assert configuration.load(made.data) == made


def test_what_is_owed_is_beside_what_the_bank_holds(city):
    day = date(2027, 1, 31)
    owed = city.clearing.funds.obligation(day)
    assert owed.outstanding == owed.loaded - owed.debited - owed.expired
    assert owed.loaded == 15000 + 20000 + 16000
    assert (owed.owed, owed.on_its_way, owed.due_back, owed.covered) == (999, 3750, 300, None)
    assert owed.to_cover == owed.outstanding + 999 + 3750 + 300
    assert city.clearing.funds.obligation(day, owed.to_cover).covered is True
    assert city.clearing.funds.obligation(day, owed.to_cover - 1).covered is False


def test_what_was_owed_on_a_day_does_not_know_what_came_after(city):
    before = city.clearing.funds.obligation(date(2026, 12, 31))
    assert before.loaded == 35000
    assert before.owed == 0


@pytest.mark.parametrize(
    ("paid", "state", "percent"),
    [
        (79_999_999, "below", 79),
        (80_000_000, "near", 80),
        (NETWORK_LIMIT_CENTS, "near", 100),
        (NETWORK_LIMIT_CENTS + 1, "over", 100),
    ],
)
def test_the_volume_of_twelve_months_is_watched(world, paid, state, percent):
    put_in_books(world, paid)
    found = world.clearing.funds.network_volume(date(2026, 11, 2))
    assert (found.cents, found.state, found.percent) == (paid, state, percent)
    assert world.clearing.funds.network_volume(date(2027, 11, 1)).cents == paid
    assert (found.first, world.clearing.funds.network_volume(date(2027, 11, 2)).cents) == (date(2025, 11, 3), 0)


def put_in_books(world, paid):
    """More than an offer may cost, in one posting; the record is real, the amount is not."""
    world.pool.tap(world.holder)
    world.pool.void()
    world.sync(world.pool)
    with world.clearing.store.transaction() as tx:
        day = date(2026, 11, 2)
        moves = [("purse:1", "venue:5", "cent", paid - 500)]
        tx.books.post_records([NewPosting("tap", day, day, 101, 1, moves, {"venue": 5, "offer": 1})])


def test_reversals_discounts_and_points_are_no_payments_with_a_pass(city):
    # Four at the pool, the doubt that was one, two at shops, of which one not payable.
    assert city.clearing.funds.network_volume(date(2026, 12, 31)).cents == 4 * 500 + 1250 + 300


def test_a_workbook_holds_the_report_and_no_formula(city, tmp_path):
    report = city.clearing.funds.of(period("2026-Q4"))
    path = tmp_path / "funds.xlsx"
    path.write_bytes(city.clearing.spreadsheets.workbook(report))
    rows = list(openpyxl.load_workbook(path)["2026-Q4"].values)
    assert rows[0][:2] == ("fund", "purse")
    assert [row[0] for row in rows[1:]] == [row.fund for row in report.rows]
    assert city.clearing.spreadsheets.funds(report).count("\r\n") == len(rows)


def test_what_reconciling_adds_up_is_what_the_books_say(city):
    found = city.clearing.reconciling.now()
    balances = city.clearing.ledger.balances()
    sums = {}
    for row in found.purses:
        account = f"purse:{row.purse}", row.unit
        sums[account] = sums.get(account, 0) + row.amount
    assert sums == {key: total for key, total in balances.items() if key[0].startswith("purse:")}
    taps = {(row.venue, row.kind): (row.records, row.cents) for row in found.venues}
    assert taps[5, "tap"] == (6, 4 * 500 + 1000)
    assert taps[5, "reversal"] == (1, -500)
    assert [astuple(row) for row in found.unmatched] == [(101, 8, "rejected"), (201, 3, "in_doubt")]
