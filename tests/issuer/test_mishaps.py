"""Two desks, a found pass, a pass of last year: what must stay true when things cross."""

import contextlib
from datetime import timedelta

import pytest

from hardware.in_process import InProcessReader
from issuer import importing
from issuer.errors import DeskError
from issuer.registry import loads, passes, people
from issuer.registry.tables import BegunCard, CardPass, PlannedLoad
from issuer.retention import run_retention
from tests.city import factory_card, purses_of
from tests.issuer.a_registry import NOON, give_pass, holder, take
from tests.issuer.test_desk import CHILD, CHILD_PURSES, SISTER, STRANGER, TODAY, TODDLER, desk_on, issue

CODE = "K7QW-M2XP"
UID_THEIRS = b"\x04\x99\x11\x22\x33\x44\x55"


@pytest.fixture
def registry(empty_registry):
    take(empty_registry, [CHILD, SISTER, STRANGER, TODDLER])
    return empty_registry


@pytest.fixture
def desk(registry):
    return desk_on(registry)


def state_of(registry, code):
    with registry.transaction() as session:
        return passes.coded(session, code).state


def test_handing_over_does_not_open_a_blocked_pass(desk, registry):
    """The page of a hand-over that was still open, sent after the holder blocked the pass."""
    code = issue(desk, registry, CHILD, factory_card()).card.printed_code
    desk.hand_over(code)
    desk.block(code)
    with pytest.raises(DeskError):
        desk.hand_over(code)
    assert state_of(registry, code) == "blocked"


def test_a_found_pass_does_not_get_its_own_balance_once_more(desk, registry):
    card = factory_card()
    code = issue(desk, registry, CHILD, card).card.printed_code
    desk.hand_over(code)
    desk.block(code)
    desk.replace_balance(code, {1: 500})
    found = desk.unblock(code, InProcessReader(card))
    desk.load(found, InProcessReader(card), TODAY)
    assert purses_of(card) == CHILD_PURSES


def test_a_holder_who_lost_an_expired_pass_can_get_another(desk, registry):
    code = issue(desk, registry, CHILD, factory_card()).card.printed_code
    desk.hand_over(code)
    later = TODAY.replace(year=TODAY.year + 3)
    with registry.transaction() as session:
        assert passes.expire(session, later, NOON) == 1
    next_desk = desk_on(registry)
    next_desk.block(code)
    issue(next_desk, registry, CHILD, factory_card(UID_THEIRS))


class _Meanwhile(InProcessReader):
    """Somebody does something elsewhere just before one exchange."""

    def __init__(self, card, at, do):
        super().__init__(card)
        self._left, self._do = at, do

    def transmit(self, apdu):
        self._left -= 1
        if self._left == 0:
            self._do()
        return super().transmit(apdu)


def test_two_desks_do_not_make_two_passes_for_one_person(desk, registry):
    """Both are fine with their card; the registry must know every card with money on it, or nobody can block it."""
    mine, theirs = factory_card(), factory_card(UID_THEIRS)
    colleague = desk_on(registry)
    reader = _Meanwhile(mine, 25, lambda: issue(colleague, registry, CHILD, theirs))
    with contextlib.suppress(DeskError):
        desk.issue(holder(registry, CHILD), reader, TODAY)
    with registry.transaction() as session:
        known = [card.uid for card in passes.listing(session)]
    assert sum(purses_of(theirs).values()) > 0
    assert InProcessReader(theirs).find_pass() is not None
    assert UID_THEIRS in known


def test_retention_does_not_stop_at_a_card_that_was_begun_long_ago(registry):
    card = give_pass(registry, holder(registry, CHILD), CODE, "stock")
    with registry.transaction() as session:
        session.add(BegunCard(uid=bytes(7), pass_id=card.id))
        session.get_one(CardPass, card.id).valid_until = TODAY - timedelta(days=1000)
    with registry.transaction() as session:
        run_retention(session, TODAY)


def test_undoing_an_import_leaves_what_a_lost_pass_held(registry):
    lost = give_pass(registry, holder(registry, CHILD), CODE, "blocked")
    raw = (
        b"huishouden;voornaam;tussenvoegsel;achternaam;geboortedatum;inkomensklasse;school\n"
        b"1;Sam;de;Vos;01-05-2015;110;basisschool\n"
    )
    with registry.transaction() as session:
        run, seen = importing.upload(session, raw, "clerk", NOON, TODAY)
        assert not seen.faults, seen.faults
        assert seen.counts[1] == 1, seen.counts
        importing.accept(session, run.id, "clerk", NOON, TODAY)
    with registry.transaction() as session:
        loads.plan_replacement(session, passes.coded(session, lost.printed_code), {1: 2500})
    with registry.transaction() as session, contextlib.suppress(DeskError):
        importing.undo(session, run.id, "clerk", NOON)
    with registry.transaction() as session:
        assert [each.amount for each in session.query(PlannedLoad) if each.grant_number == loads.REPLACEMENT] == [2500]


def test_a_long_number_in_the_search_finds_nobody(registry):
    with registry.transaction() as session:
        assert people.find(session, "9" * 20) == []
