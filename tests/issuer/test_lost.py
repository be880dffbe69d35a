"""A holder blocks a lost pass: with code and date of birth only, not often wrong, and nothing of it leaks."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event

from issuer.lost import Guard, NoSuchPass, TooOften, Tries, block_by_holder
from issuer.registry import passes
from tests.issuer.a_registry import NOON, all_passes, give_pass, holder, take
from tests.issuer.test_desk import CHILD, SISTER, STRANGER
from web import audit_log

CODE, OTHER_CODE = "K7QW-M2XP", "AAAA-BBBB"


class Clock:
    def __init__(self):
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def registry(empty_registry):
    take(empty_registry, [CHILD, SISTER, STRANGER])
    return empty_registry


@pytest.fixture
def card(registry):
    return give_pass(registry, holder(registry, CHILD), CODE)


def block(registry, code=CODE, born=CHILD.born):
    with registry.transaction() as session:
        block_by_holder(session, code, born, NOON)


def state_of(registry, code=CODE):
    with registry.transaction() as session:
        return passes.coded(session, code).state


def events(registry, code=CODE):
    with registry.transaction() as session:
        return [(one.state, one.by, one.at, one.reason) for one in passes.events(session, passes.coded(session, code))]


# Who may


def test_code_and_date_of_birth_block_a_pass(registry, card):
    block(registry)
    assert state_of(registry) == "blocked"
    assert events(registry) == [("blocked", "holder", NOON, "lost")]


@pytest.mark.parametrize("typed", ["k7qw-m2xp", "K7QWM2XP", " k7qw m2xp "])
def test_a_code_may_be_typed_in_any_way(registry, card, typed):
    block(registry, typed)
    assert state_of(registry) == "blocked"


def test_the_audit_log_has_the_pass_and_no_name_or_place(registry, card):
    block(registry)
    with registry.transaction() as session:
        (line,) = session.scalars(audit_log.chosen())
    assert (line.actor, line.origin, line.action, line.object, line.result) == (
        "holder", "-", "block", f"pass {CODE}", "done",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "born"),
    [
        (OTHER_CODE, CHILD.born),
        (CODE, SISTER.born),
        (CODE, CHILD.born + timedelta(days=1)),
        (CODE[:-1], CHILD.born),
        ("", CHILD.born),
    ],
)
def test_whoever_lacks_one_of_the_two_blocks_nothing(registry, card, code, born):
    with pytest.raises(NoSuchPass):
        block(registry, code, born)
    assert state_of(registry) == "active"
    assert events(registry) == []


def test_a_member_of_the_household_blocks_only_the_pass_of_which_both_are_right(registry, card):
    give_pass(registry, holder(registry, SISTER), OTHER_CODE)
    block(registry, OTHER_CODE, SISTER.born)
    assert (state_of(registry), state_of(registry, OTHER_CODE)) == ("active", "blocked")


def test_a_wrong_code_and_a_wrong_date_are_the_same_work_and_the_same_words(registry, card):
    asked, said = [], []
    event.listen(registry._engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    for code, born in [(OTHER_CODE, CHILD.born), (CODE, STRANGER.born)]:
        with pytest.raises(NoSuchPass) as refused:
            block(registry, code, born)
        said.append(str(refused.value))
    assert len(asked) == 2
    assert len(set(asked)) == len(set(said)) == 1


# What becomes of the pass


@pytest.mark.parametrize("state", ["encoded", "handed_over", "active"])
def test_a_pass_that_works_is_blocked(registry, state):
    give_pass(registry, holder(registry, CHILD), CODE, state)
    block(registry)
    assert state_of(registry) == "blocked"


@pytest.mark.parametrize("state", ["blocked", "replaced", "destroyed"])
def test_a_pass_that_works_nowhere_stays_as_it_is_and_that_is_fine(registry, state):
    give_pass(registry, holder(registry, CHILD), CODE, state)
    block(registry)
    assert (state_of(registry), events(registry)) == (state, [])


def test_a_pass_of_last_year_is_blocked_too_so_that_another_can_take_its_place(registry):
    give_pass(registry, holder(registry, CHILD), CODE, "expired")
    block(registry)
    assert state_of(registry) == "blocked"


@pytest.mark.parametrize("state", ["stock", "printed"])
def test_a_pass_that_is_still_being_made_cannot_be_lost(registry, state):
    give_pass(registry, holder(registry, CHILD), CODE, state)
    with pytest.raises(NoSuchPass):
        block(registry)
    assert state_of(registry) == state


def test_twice_is_once(registry, card):
    block(registry)
    block(registry)
    assert len(events(registry)) == 1
    assert [one.state for one in all_passes(registry)] == ["blocked"]


# How often


def wrong(guard, code=CODE, origin="203.0.113.7"):
    with pytest.raises(NoSuchPass), guard.one_try(code, origin):
        raise NoSuchPass


def too_often(guard, code=CODE, origin="203.0.113.7"):
    with pytest.raises(TooOften) as refused, guard.one_try(code, origin):
        raise AssertionError("nothing is looked at any more")
    return refused.value.wait


def test_a_code_may_be_wrong_ten_times_a_day_from_wherever(clock):
    guard = Guard(clock)
    for number in range(10):
        wrong(guard, ["K7QW-M2XP", "k7qwm2xp"][number % 2], f"203.0.113.{number}")
    assert too_often(guard, origin="198.51.100.1") == timedelta(days=1)
    wrong(guard, OTHER_CODE, "198.51.100.1")
    clock.time += timedelta(days=1)
    wrong(guard)


def test_an_address_may_be_wrong_twenty_times_an_hour_about_whatever(clock):
    guard = Guard(clock)
    for number in range(20):
        wrong(guard, f"AAAA-AA{number:02}")
    clock.time += timedelta(minutes=20)
    assert too_often(guard, OTHER_CODE) == timedelta(minutes=40)
    wrong(guard, OTHER_CODE, "198.51.100.1")
    clock.time += timedelta(minutes=40)
    wrong(guard, OTHER_CODE)


def test_what_is_right_costs_no_try(clock):
    guard = Guard(clock)
    for _ in range(100):
        with guard.one_try(CODE, "203.0.113.7"):
            pass
    wrong(guard)


def test_all_addresses_of_one_home_are_one(clock):
    guard = Guard(clock)
    for number in range(20):
        wrong(guard, f"AAAA-AA{number:02}", f"2001:db8:1:2::{number:x}")
    too_often(guard, origin="2001:db8:1:2:ffff::1")
    wrong(guard, origin="2001:db8:1:3::1")


def test_one_address_does_not_stop_another_one_that_is_written_as_ipv6(clock):
    guard = Guard(clock)
    for number in range(20):
        wrong(guard, f"AAAA-AA{number:02}", "::ffff:203.0.113.7")
    too_often(guard, origin="203.0.113.7")
    wrong(guard, origin="::ffff:203.0.113.8")


def test_tries_do_not_fill_the_memory(clock, monkeypatch):
    monkeypatch.setattr("issuer.lost._MOST_KEYS", 3)
    tries = Tries(1, timedelta(hours=1), clock)
    for key in "abcd":
        tries.take(key)
        clock.time += timedelta(minutes=1)
    assert list(tries._used) == ["b", "c", "d"]
    clock.time += timedelta(hours=1)
    tries.take("e")
    assert list(tries._used) == ["e"]
