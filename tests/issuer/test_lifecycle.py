"""The life of a pass, from a card in stock to the shredder, and what the desk does at each turn."""

import itertools
import os
import re

import pytest

from hardware.in_process import InProcessReader
from issuer import lifecycle
from issuer.desk import Desk
from issuer.errors import CardRefused, DeskError
from issuer.registry import loads, passes
from issuer.registry.tables import PlannedLoad
from tests.city import DAY, DirectKeys, desk_secrets, factory_card, on_a_terminal, purses_of
from tests.issuer.a_registry import all_passes, holder, in_memory, noon, plan, take, waiting
from tests.issuer.test_desk import CHILD, CHILD_PURSES, SCHEME, STRANGER, TODAY, TODDLER

OTHER_UID = b"\x04\x99\x11\x22\x33\x44\x55"


@pytest.fixture
def registry():
    made = in_memory()
    take(made, [CHILD, STRANGER, TODDLER])
    return made


@pytest.fixture
def steps():
    return []


@pytest.fixture
def desk(registry, steps):
    return Desk(registry, SCHEME, desk_secrets(), DirectKeys(), os.urandom, noon, "Anja", steps.append)


@pytest.fixture
def child(registry):
    return holder(registry, CHILD)


def history(registry, code):
    with registry.transaction() as session:
        events = passes.events(session, passes.coded(session, code))
    return [(one.state, one.by, one.reason) for one in reversed(events)]


def test_the_table_of_the_docstring_is_that_of_the_code():
    rows = re.findall(r"^\| (\w+) \|", lifecycle.__doc__, re.MULTILINE)
    assert tuple(rows[1:]) == lifecycle.STATES == tuple(lifecycle.FOLLOWS) == tuple(lifecycle.WORDS)


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(lifecycle.STATES, 2)))
def test_only_what_may_follow_follows(before, after):
    if after in lifecycle.FOLLOWS[before]:
        lifecycle.check(before, after)
    else:
        with pytest.raises(DeskError, match=re.escape(lifecycle.WORDS[before][1])):
            lifecycle.check(before, after)


def test_from_stock_to_the_counter(desk, registry, child, steps):
    code = desk.set_aside(child, TODAY).printed_code
    assert desk.set_aside(child, TODAY).printed_code == code
    assert {one.id for one in desk.waiting(TODAY)} == {child.id, holder(registry, STRANGER).id}
    for _ in range(2):
        assert desk.printed(code).state == "printed"
    issued = desk.issue(child, InProcessReader(factory_card()), TODAY)
    assert (issued.card.printed_code, issued.card.state, issued.balances) == (code, "encoded", CHILD_PURSES)
    assert steps == ["card", "keys", "files", "content", "hidden", "budgets"]
    desk.hand_over(code, "mother")
    states = [("stock", ""), ("printed", ""), ("encoded", ""), ("active", "mother")]
    assert history(registry, code) == [(state, "Anja", reason) for state, reason in states]


def test_a_pass_that_goes_by_post(desk, registry, child):
    code = desk.issue(child, InProcessReader(factory_card()), TODAY).card.printed_code
    assert desk.send(code).state == "handed_over"
    assert desk.hand_over(code).state == "active"
    with pytest.raises(DeskError, match="in use, so it cannot be handed over"):
        desk.send(code)


def test_whom_the_rules_give_nothing_nothing_is_set_aside_for(desk, registry):
    with pytest.raises(DeskError, match="explain"):
        desk.set_aside(holder(registry, TODDLER), TODAY)
    assert all_passes(registry) == []


def test_a_found_pass_works_again_when_it_is_on_the_reader(desk, registry, child):
    card, other = factory_card(), factory_card(OTHER_UID)
    code = desk.issue(child, InProcessReader(card), TODAY).card.printed_code
    desk.hand_over(code)
    with pytest.raises(DeskError, match="not blocked"):
        desk.unblock(code, InProcessReader(card))
    desk.block(code, "lost")
    with pytest.raises(CardRefused, match="another pass"):
        desk.unblock(code, InProcessReader(other))
    with pytest.raises(CardRefused, match="no pass on the reader"):
        desk.unblock(code, InProcessReader(None))
    assert desk.unblock(code, InProcessReader(card)).state == "active"
    assert not on_a_terminal(desk.hotlist(TODAY)).blocks(all_passes(registry)[0].handle, DAY)


def test_a_pass_that_was_replaced_never_works_again(desk, registry, child):
    card = factory_card()
    lost = desk.issue(child, InProcessReader(card), TODAY).card
    desk.hand_over(lost.printed_code)
    desk.block(lost.printed_code, "lost")
    new = desk.issue(child, InProcessReader(factory_card(OTHER_UID)), TODAY).card
    assert [one.state for one in all_passes(registry)] == ["replaced", "encoded"]
    assert new.replaces_id == lost.id
    with pytest.raises(DeskError, match="not blocked"):
        desk.unblock(lost.printed_code, InProcessReader(card))
    with pytest.raises(CardRefused, match="was blocked"):
        desk.issue(child, InProcessReader(card), TODAY)
    assert on_a_terminal(desk.hotlist(TODAY)).blocks(lost.handle, DAY)


def test_what_a_lost_pass_held_goes_on_the_new_one_once(desk, registry, child):
    lost = desk.issue(child, InProcessReader(factory_card()), TODAY).card
    with pytest.raises(DeskError, match="Block it first"):
        desk.replace_balance(lost.printed_code, {1: 300})
    desk.block(lost.printed_code, "lost")
    for _ in range(2):
        desk.replace_balance(lost.printed_code, {1: 300, 4: 7})
    card = factory_card(OTHER_UID)
    issued = desk.issue(child, InProcessReader(card), TODAY)
    assert issued.balances == purses_of(card) == {1: 300, 2: 0, 3: 0, 4: 7}
    desk.replace_balance(lost.printed_code, {1: 300, 4: 7})
    assert desk.load(issued.card, InProcessReader(card), TODAY).loads == []


def test_a_reading_shows_what_the_pass_holds_and_writes_nothing(desk, registry, child):
    card = factory_card()
    with pytest.raises(CardRefused, match="not in the registry"):
        desk.read(InProcessReader(card))
    made = desk.issue(child, InProcessReader(card), TODAY).card
    counter = desk.journal.next_sequence()
    found = desk.read(InProcessReader(card))
    assert (found.card.printed_code, found.balances) == (made.printed_code, CHILD_PURSES)
    assert desk.journal.next_sequence() == counter


def test_a_budget_is_filled_up_to_its_level_by_what_is_on_the_pass(desk, registry, child):
    card = factory_card()
    made = desk.issue(child, InProcessReader(card), TODAY).card
    plan(
        registry,
        PlannedLoad(holder_id=child.id, grant_number=90, period="2026", purse=1, amount=5000, refill=True),
        PlannedLoad(holder_id=child.id, grant_number=91, period="2026", purse=2, amount=100, refill=True),
    )
    loaded = desk.load(made, InProcessReader(card), TODAY)
    assert [(one.purse, one.amount) for one in loaded.loads] == [(1, 500)]
    assert loaded.balances == {**CHILD_PURSES, 1: 5000}
    assert waiting(registry, child.id, made.handle) == []


def test_hardship_gives_what_the_rules_do_not(desk, registry, child):
    from issuer.registry.tables import Decision

    proposed = Decision(
        holder_id=child.id,
        grant_number=5,
        grant_name="Mantelzorg",
        period="2026",
        granted=True,
        hardship=True,
        state="proposed",
        amount=15000,
        reason="zorgt voor zijn moeder",
        reason_en="cares for his mother",
        income_percent=110,
        on=TODAY,
        by="Anja",
    )
    plan(registry, proposed)
    card = factory_card()
    assert desk.issue(child, InProcessReader(card), TODAY).balances == CHILD_PURSES
    with registry.transaction() as session:
        (found,) = [one for one in loads.decisions(session, child.id) if one.hardship]
        found.state = "valid"
    assert desk.issue(child, InProcessReader(card), TODAY).balances == {**CHILD_PURSES, 1: 4500 + 15000}
