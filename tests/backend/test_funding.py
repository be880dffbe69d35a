"""Loads over several funds: every cent on exactly one of them, by share or in order, and the same when done again."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import config as configuration
from backend.funding import by_share, in_order
from tests.backend.conftest import World

SHARED = {"purse": 1, "funds": ["Minimabeleid", "Rotary", "Kindpakket"], "split": "share", "shares": [70, 20, 10]}
IN_ORDER = {"purse": 1, "funds": ["Rotary", "Kindpakket", "Minimabeleid"], "split": "order"}
BUDGETS = {"Rotary": 20000, "Kindpakket": 5000}


def with_grant(world, grant, **rest):
    """The world, where grant 1 is paid so."""
    grants = {number: each.model_dump() for number, each in world.config.grants.items()} | {1: grant}
    changes = {"grants": grants, **rest}
    world.config = configuration.Config(**(dict(world.config) | changes))
    world.clearing = world.open()
    return world


def given_by(world):
    funds = ("Rotary", "Kindpakket", "Minimabeleid")
    return {fund: -world.balance(f"fund:{fund}") for fund in funds}


def percentages():
    """Two to six shares of at least 1, together 100."""
    cuts = st.sets(st.integers(1, 99), min_size=1, max_size=5).map(sorted)
    return cuts.map(lambda at: [high - low for low, high in zip([0, *at], [*at, 100], strict=True)])


@given(st.integers(1, 2**31), percentages())
def test_shares_add_up_and_are_less_than_one_beside_the_exact_part(amount, shares):
    parts = by_share(amount, shares)
    assert sum(parts) == amount
    assert all(abs(100 * part - amount * share) < 100 for part, share in zip(parts, shares, strict=True))


@pytest.mark.parametrize(
    ("amount", "shares", "expected"),
    [
        (8500, [70, 30], [5950, 2550]),
        (8501, [70, 30], [5951, 2550]),
        (8502, [70, 30], [5951, 2551]),
        (1, [70, 30], [1, 0]),
        (1, [30, 70], [0, 1]),
        (1, [50, 50], [1, 0]),
        (100, [33, 33, 34], [33, 33, 34]),
        (5, [33, 33, 34], [2, 1, 2]),
    ],
)
def test_what_rounding_leaves_goes_to_who_lost_most_and_else_to_the_first(amount, shares, expected):
    assert by_share(amount, shares) == expected


@given(st.integers(1, 2**31), st.lists(st.one_of(st.none(), st.integers(-(2**31), 2**31)), min_size=1, max_size=5))
def test_in_order_adds_up_and_a_fund_pays_only_when_those_before_it_are_used_up(amount, left):
    parts = in_order(amount, left)
    assert sum(parts) == amount
    assert all(part >= 0 for part in parts)
    for place, part in enumerate(parts[1:], start=1):
        if part:
            assert [None if has is None else max(0, has) for has in left[:place]] == parts[:place]


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        ([100, None], [100, 0]),
        ([99, None], [99, 1]),
        ([0, None], [0, 100]),
        ([-5, None], [0, 100]),
        ([None, None], [100, 0]),
        ([30, 30, 30], [30, 30, 40]),
        ([30], [100]),
    ],
)
def test_the_last_fund_gives_what_is_beyond_all_budgets(left, expected):
    assert in_order(100, left) == expected


def test_a_load_by_share_is_on_each_fund_to_the_cent(world):
    with_grant(world, SHARED)
    world.desk.load(world.holder, amount=8505)
    world.sync()
    # 5953.50, 1701.00 and 850.50: the half cent is of the first.
    assert given_by(world) == {"Minimabeleid": 5954, "Rotary": 1701, "Kindpakket": 850}
    assert world.balance("purse:1") == 8505


def test_a_fund_whose_part_is_nothing_has_no_line(world):
    with_grant(world, SHARED)
    world.desk.load(world.holder, amount=1)
    world.sync()
    assert given_by(world) == {"Minimabeleid": 1, "Rotary": 0, "Kindpakket": 0}


def test_in_order_a_fund_is_used_up_before_the_next_one_pays(world):
    with_grant(world, IN_ORDER, budgets=BUDGETS)
    expected = [(15000, 0, 0), (20000, 5000, 5000), (20000, 5000, 20000)]
    for holder, sums in zip((world.holder, world.sibling, world.stranger), expected, strict=True):
        world.desk.load(holder, amount=15000)
        world.sync()
        assert tuple(given_by(world).values()) == sums


def test_equal_loads_that_come_in_together_use_up_one_fund_after_another(world):
    with_grant(world, IN_ORDER, budgets=BUDGETS)
    for _ in range(2):
        world.desk.load(world.holder, amount=15000)
    world.sync()
    assert tuple(given_by(world).values()) == (20000, 5000, 5000)


def test_a_budget_is_for_a_pass_year_and_counts_what_a_fund_gave_for_other_grants(world):
    with_grant(world, IN_ORDER, budgets=BUDGETS, year_ends=(11, 30))
    world.desk.load(world.holder, grant=9, amount=15000)
    world.sync()
    world.desk.load(world.holder, amount=6000)
    world.sync()
    assert given_by(world) == {"Rotary": 20000, "Kindpakket": 1000, "Minimabeleid": 0}
    assert [row["over"] for row in world.clearing.ledger.totals()["budgets"]] == [0, 0]
    world.desk.day = date(2026, 12, 1)
    world.desk.load(world.sibling, amount=20000)
    world.sync()
    assert given_by(world) == {"Rotary": 40000, "Kindpakket": 1000, "Minimabeleid": 0}
    rows = world.clearing.ledger.totals()["budgets"]
    assert [(row["fund"], row["until"], row["given"]) for row in rows] == [
        ("Kindpakket", "2026-11-30", 1000),
        ("Rotary", "2026-11-30", 20000),
        ("Rotary", "2027-11-30", 20000),
    ]


def test_what_a_fund_gave_beyond_its_budget_is_shown_and_nobody_is_sent_away(world):
    only_budgets = {**IN_ORDER, "funds": ["Rotary", "Kindpakket"]}
    with_grant(world, only_budgets, budgets=BUDGETS)
    for day in (2, 3):
        world.desk.day = date(2026, 11, day)
        world.desk.load(world.holder, amount=15000)
    world.sync()
    assert world.quarantine() == []
    assert world.clearing.ledger.totals()["budgets"] == [
        {"fund": "Kindpakket", "unit": "cent", "until": "2026-12-31", "budget": 5000, "given": 10000, "over": 5000},
        {"fund": "Rotary", "unit": "cent", "until": "2026-12-31", "budget": 20000, "given": 20000, "over": 0},
    ]


@pytest.mark.parametrize("grant", [SHARED, IN_ORDER], ids=["share", "order"])
def test_the_same_journal_again_gives_the_same_books(world, tmp_path, grant):
    def books(world):
        with world.clearing.store.transaction() as tx:
            return [tuple(line) for line in tx.books.lines()]

    with_grant(world, grant, budgets=BUDGETS)
    for holder, amount in ((world.holder, 14999), (world.sibling, 7001), (world.stranger, 9333)):
        world.desk.load(holder, amount=amount)
    world.sync()
    before = books(world)
    world.sync()
    assert books(world) == before
    (tmp_path / "again").mkdir()
    again = with_grant(World(tmp_path / "again"), grant, budgets=BUDGETS)
    again.vault = world.vault
    again.clearing = again.open()
    again.accept(world.desk.batch(), world.desk.number)
    assert books(again) == before


def test_a_purse_of_several_funds_is_spent_as_they_loaded_it(world):
    with_grant(world, SHARED)
    world.desk.load(world.holder, amount=10000)
    world.pool.tap(world.holder)
    world.sync()
    spent = {row["fund"]: row["spent"] for row in world.clearing.ledger.totals()["funds"]}
    assert spent == {"Minimabeleid": 350, "Rotary": 100, "Kindpakket": 50}


def test_what_rounding_leaves_and_discounts_are_of_the_first_fund_of_a_purse(world):
    two = {"funds": ["Rotary", "Minimabeleid"], "split": "share", "shares": [50, 50]}
    purses = {number: each.model_dump() for number, each in world.config.purses.items()}
    purses = {1: purses[1] | two, 4: purses[4] | two}
    with_grant(world, {"purse": 1, **two}, purses={**world.config.purses, **purses})
    world.desk.load(world.holder, amount=10000)
    world.pool.tap(world.holder, offer=12, amount=501, price=501)
    world.pool.tap(world.holder, offer=13, purse=4, amount=1, price=3000, discount=1000, copayment=2000)
    world.sync()
    totals = world.clearing.ledger.totals()
    funds = {row["fund"]: (row["spent"], row["discounts"]) for row in totals["funds"]}
    assert (funds["Rotary"], funds["Minimabeleid"]) == ((251, 1000), (250, 0))
    assert [row["fund"] for row in totals["purses"] if row["purse"] == 1] == ["Rotary + Minimabeleid"]


SCHEME = """
[municipality]
name = "Gelredam"
number = 1
aid = "F0E0D1"
[pass]
year_ends = "07-31"
[[fund]]
name = "Sponsors"
budget = 100000
[[fund]]
name = "Kinderarmoede"
[[purse]]
number = 1
name = "Kindpas"
unit = "cent"
funds = ["Sponsors", "Kinderarmoede"]
split = "order"
[[purse]]
number = 2
name = "Sport"
unit = "cent"
funds = ["Sponsors", "Kinderarmoede"]
split = "share"
shares = [70, 30]
[[grant]]
number = 1
purse = 1
[[grant]]
number = 2
purse = 2
[[grant]]
number = 3
purse = 2
fund = "Leergeld"
"""
SECRETS = {
    "vault": {"address": "unix:/run/backend.sock"},
    "link_roots": [bytes(16).hex()],
    "table_key": bytes(32).hex(),
    "signing_key": bytes(32).hex(),
    "certificate": bytes(98).hex(),
}


def config_of(folder, scheme):
    (folder / "scheme.toml").write_text(scheme)
    (folder / "backend.json").write_text(json.dumps(SECRETS))
    return configuration.make(folder / "data", folder / "scheme.toml", folder / "backend.json", "NL44RABO0123456789")


def test_the_configuration_is_that_of_the_scheme_and_comes_back_as_it_was(tmp_path):
    made = config_of(tmp_path, SCHEME)
    assert (made.purses[1].split, made.purses[2].shares) == ("order", (70, 30))
    assert (made.grants[1].split, made.grants[1].funds) == ("order", ("Sponsors", "Kinderarmoede"))
    assert (made.grants[2].split, made.grants[2].shares) == ("share", (70, 30))
    assert made.grants[3].funds == ("Leergeld",)
    assert (made.budgets, made.funds()) == ({"Sponsors": 100000}, ["Kinderarmoede", "Leergeld", "Sponsors"])
    assert made.pass_year(date(2026, 7, 31)) == (date(2025, 8, 1), date(2026, 7, 31))
    assert made.pass_year(date(2026, 8, 1)) == (date(2026, 8, 1), date(2027, 7, 31))
    made.save()
    assert configuration.load(made.data) == made


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("[70, 30]", "[70, 20]", "together 100"),
        ("[70, 30]", "[70, 20, 10]", "for each of the funds"),
        ("[70, 30]", "[100, 0]", "greater than or equal to 1"),
        ("shares = [70, 30]", "", "for each of the funds"),
        ('split = "order"', 'split = "chance"', "split"),
        ('funds = ["Sponsors", "Kinderarmoede"]\nsplit = "order"', "funds = []", "at least 1"),
        ("budget = 100000", "budget = 0", "greater than or equal to 1"),
        ("07-31", "02-29", "year_ends"),
        ("07-31", "13-01", "year_ends"),
        ('[pass]\nyear_ends = "07-31"', "", "lacks 'pass'"),
    ],
)
def test_a_scheme_that_does_not_say_how_funds_share_is_refused(tmp_path, old, new, why):
    with pytest.raises(configuration.ConfigError, match=why):
        config_of(tmp_path, SCHEME.replace(old, new))
