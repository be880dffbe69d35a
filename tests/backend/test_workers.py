"""Several workers over one database at once: as if they had come one after the other."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.errors import SettlementRefused

END = date(2026, 11, 30)


def at_once(world, *acts):
    """Each in a worker of its own, all let go at the same moment; what each gave, or the refusal it met."""
    start = threading.Barrier(len(acts))

    def work(act):
        clearing = world.open()
        try:
            start.wait()
            return act(clearing)
        except SettlementRefused as refusal:
            return refusal.reason
        finally:
            clearing.close()

    with ThreadPoolExecutor(len(acts)) as workers:
        return list(workers.map(work, acts))


def hand_in(terminal, *part):
    return lambda clearing: clearing.ingest.accept(terminal.batch(*part)).accepted


def test_batches_of_several_terminals_are_each_taken_whole(world):
    for _ in range(10):
        world.pool.tap(world.holder)
        world.shop.tap(world.sibling, offer=21, amount=700, price=700)
        world.desk.load(world.stranger)
    accepted = at_once(world, *(hand_in(each) for each in (world.pool, world.shop, world.desk) * 2))
    assert sum(accepted) == 30
    assert world.reasons() == []
    assert (world.venue_is_owed(5), world.venue_is_owed(6), world.balance("purse:1")) == (5000, 7000, 150000 - 12000)


def test_the_same_transaction_of_two_terminals_is_booked_once(world):
    """A copied journal under another number: whichever comes first is booked, and the other is refused."""
    tap = world.pool.tap(world.holder)
    (key,) = world.vault.committed
    other = world.terminal(201)
    copied = other.tap(world.stranger, offer=21, amount=500, price=500)
    world.vault.committed[copied.to_bytes(), other.entries[0][-76:-16]] = world.vault.committed[key]
    at_once(world, hand_in(world.pool), hand_in(other))
    assert sorted((world.state(world.pool, tap), world.state(other, copied))) == ["proven", "rejected"]
    assert world.reasons() == ["replay"]
    assert world.venue_is_owed(5) + world.venue_is_owed(6) == 500


@pytest.mark.parametrize("furnished", ["postgresql"], indirect=True, scope="session")
def test_one_terminal_does_not_wait_for_another_and_who_is_alone_waits_for_both(world):
    """A month that has no part yet is the one thing that the first to come makes alone."""
    for terminal, sold in ((world.pool, {}), (world.shop, {"offer": 21, "amount": 700, "price": 700})):
        terminal.tap(world.holder, **sold)
        world.sync(terminal)
        terminal.tap(world.sibling, **sold)
    with world.clearing.store.transaction(world.pool.number):
        assert at_once(world, hand_in(world.shop)) == [1]
        with pytest.raises(DBAPIError, match="lock timeout"):
            at_once(world, settled_within_a_moment)
    assert at_once(world, hand_in(world.pool)) == [1]
    assert (world.venue_is_owed(5), world.venue_is_owed(6)) == (1000, 1400)


def settled_within_a_moment(clearing):
    with clearing.store._engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(20261121, 1)"))


def test_a_settlement_that_is_prepared_by_two_at_once_is_prepared_once(world):
    world.pool.tap(world.holder)
    world.sync()
    outcome = at_once(world, *[lambda clearing: clearing.settlements.prepare(END, "Anna").number] * 4)
    assert Counter(outcome) == {"2026-001": 1, "waiting": 3}


def test_a_settlement_that_is_approved_by_two_at_once_pays_once(world):
    world.pool.tap(world.holder)
    world.sync()
    made = world.clearing.settlements.prepare(END, "Anna")

    def approve(by):
        return lambda clearing: clearing.settlements.approve(made.number, by).state

    outcome = at_once(world, approve("Bram"), approve("Chris"), approve("Dirk"))
    # Who comes second is refused, because it is approved.
    assert outcome == ["approved"] * 3
    assert world.balance("transit") == 500


@pytest.mark.parametrize("turn", range(3))
def test_what_comes_in_while_a_settlement_is_prepared_is_in_it_or_in_the_next(world, turn):
    for _ in range(4):
        world.pool.tap(world.holder)
    world.sync()
    for _ in range(8):
        world.pool.tap(world.sibling)
    parts = [hand_in(world.pool, first, first + 1) for first in range(5, 13, 2)]
    at_once(world, *parts, lambda clearing: clearing.settlements.prepare(END, "Anna"))
    first = world.clearing.settlements.approve("2026-001", "Bram").total
    rest = 12 * 500 - first
    assert world.venue_is_owed() == rest
    if rest:
        second = world.clearing.settlements.prepare(END, "Anna")
        assert second.total == rest


def test_totals_are_of_one_moment_while_others_write(world):
    """Each tap is five euros: at no moment do the taps and the money disagree."""
    for _ in range(20):
        world.pool.tap(world.holder)
    done, wrong = threading.Event(), []

    def watch(clearing):
        while not done.is_set():
            (pool, _) = clearing.ledger.totals()["venues"]
            if pool["taps"] * 500 != pool["owed"]:
                wrong.append(pool)

    def bring(clearing):
        try:
            for first in range(1, 21, 2):
                clearing.ingest.accept(world.pool.batch(first, first + 1))
        finally:
            done.set()

    at_once(world, watch, bring)
    assert wrong == []
    assert world.venue_is_owed() == 10000
