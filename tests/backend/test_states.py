"""How far records came, as finance sees it: each tap is in one state, and its state follows the money."""

from datetime import date

import pytest
from sqlalchemy import event

from backend.reports.states import STATES
from tests.backend.a_bank import camt
from tests.backend.test_settlement import with_rules

END, DECEMBER = date(2026, 11, 30), date(2026, 12, 31)
POOL_PAID, SHOP_PAID = ("DBIT", 1250, "MD-1-2026-001-5"), ("DBIT", 300, "MD-1-2026-001-6")
POOL_BACK = ("CRDT", 1250, "MD-1-2026-001-5")


@pytest.fixture
def month(world):
    world.desk.load(world.holder)
    world.sells()
    return world


def of(world, venue=None):
    """What is in a state, as `{state: (records, cents)}`."""
    found = world.clearing.records.now()
    sums = found.in_all if venue is None else found.venues[venue]
    assert tuple(sums) == STATES
    return {state: (each.records, each.cents) for state, each in sums.items() if each.records or each.cents}


def settle(world, until=END):
    made = world.clearing.settlements.prepare(until, "Anna")
    world.clearing.settlements.approve(made.number, "Bram")


def take(world, *entries, message="S1"):
    world.clearing.bank.take(camt(list(entries), message=message), "Chris")


def test_a_record_is_received_until_the_vault_has_said_yes(world):
    world.vault.down = True
    world.pool.tap(world.holder)
    world.sync()
    assert of(world) == of(world, 5) == {"received": (1, 500)}
    world.vault.down = False
    world.clearing.ingest.prove_pending()
    assert of(world) == of(world, 5) == {"proven": (1, 500)}
    assert of(world, 6) == {}


def test_what_is_in_an_approved_settlement_is_counted_once(month):
    """It never changes; only what a settlement that waits for approval holds is read again."""
    said = []
    event.listen(month.clearing.store._engine, "before_cursor_execute", lambda *about: said.append(about[2]))
    month.clearing.settlements.prepare(END, "Anna")
    assert of(month) == {"settled": (3, 1550)}
    month.clearing.settlements.approve("2026-001", "Bram")
    month.pool.tap(month.holder)
    month.sync()
    assert of(month) == {"proven": (1, 500), "settled": (3, 1550)}
    said.clear()
    assert of(month) == {"proven": (1, 500), "settled": (3, 1550)}
    assert not [statement for statement in said if "settlement_item" in statement]


def test_what_is_refused_or_in_doubt_is_shown_beside_what_is_proven_and_what_never_was_is_not(month):
    month.shop.tap(month.holder, offer=99, amount=100)
    month.pool.doubt(month.holder)
    month.pool.void()
    month.pool.reverse(month.holder)
    month.sync()
    assert of(month, 5) == {"in_doubt": (1, 500), "proven": (3, 750)}
    assert of(month) == {"in_doubt": (1, 500), "proven": (4, 1050), "rejected": (1, 100)}


def test_a_discount_that_the_municipality_pays_counts_once_it_is_proven(world):
    world.pool.tap(world.holder, offer=14, purse=5, amount=1)
    world.sync()
    assert of(world, 5) == {"proven": (1, 850)}


def test_money_goes_from_proven_over_settled_to_paid(month):
    assert of(month) == {"proven": (3, 1550)}
    month.clearing.settlements.prepare(END, "Anna")
    assert of(month) == {"settled": (3, 1550)}
    month.clearing.settlements.approve("2026-001", "Bram")
    assert of(month) == {"settled": (3, 1550)}
    take(month, POOL_PAID)
    assert of(month) == {"settled": (1, 300), "paid": (2, 1250)}
    assert (of(month, 5), of(month, 6)) == ({"paid": (2, 1250)}, {"settled": (1, 300)})


def test_a_settlement_that_is_withdrawn_leaves_records_proven(month):
    month.clearing.settlements.prepare(END, "Anna")
    month.clearing.settlements.withdraw("2026-001", "Anna")
    assert of(month) == {"proven": (3, 1550)}


def test_what_comes_back_is_returned_until_a_later_settlement_pays_it(month):
    settle(month)
    take(month, POOL_PAID, SHOP_PAID)
    take(month, POOL_BACK, message="S2")
    assert of(month) == {"paid": (1, 300), "returned": (2, 1250)}
    settle(month)
    assert of(month) == {"settled": (2, 1250), "paid": (1, 300)}
    take(month, ("DBIT", 1250, "MD-1-2026-002-5"), message="S3")
    assert of(month) == {"paid": (3, 1550)}


def test_what_is_too_little_to_pay_is_settled_until_a_later_line_pays_it(month):
    with_rules(month, minimum=500)
    settle(month)
    take(month, POOL_PAID)
    assert of(month, 6) == {"settled": (1, 300)}
    month.shop.day = date(2026, 12, 3)
    month.shop.tap(month.holder, offer=21, amount=200, price=200)
    month.sync()
    settle(month, DECEMBER)
    assert of(month, 6) == {"settled": (2, 500)}
    take(month, ("DBIT", 500, "MD-1-2026-002-6"), message="S2")
    assert of(month, 6) == {"paid": (2, 500)}


def test_every_state_but_the_unproven_adds_up_to_what_venues_earned(month):
    settle(month)
    take(month, POOL_PAID)
    month.shop.tap(month.holder, offer=21, amount=200, price=200)
    month.sync()
    for venue in month.clearing.totals()["venues"]:
        sums = [venue["states"][state]["cents"] for state in ("proven", "settled", "paid", "returned")]
        assert sum(sums) == venue["earned"]
