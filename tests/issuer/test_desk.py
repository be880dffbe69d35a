"""A visit to the desk: one person, one pass, each grant once a year; and a list of what was blocked."""

import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from card.batch import COMMITTED, link_key, open_batch
from card.record import DAY_ZERO
from hardware.emulated_pass import inspect
from hardware.errors import PassGone
from hardware.in_process import InProcessReader
from issuer.days import day_number
from issuer.desk import Desk, DeskSecrets
from issuer.errors import CardLeft, CardRefused, DeskError
from issuer.people import Person
from issuer.registry import Registry
from issuer.scheme import load_scheme
from keys.register import LEASE_DAYS
from tests.city import DAY, DESK, PROVER, VAULT, DirectKeys, desk_secrets, factory_card, on_a_terminal, purses_of
from tests.issuer.a_registry import all_passes, block, holder, noon, take

SCHEME = load_scheme(Path(__file__).parents[2] / "schemes" / "gelrepas.toml")
TODAY = date(*DAY_ZERO) + timedelta(days=DAY)
NEXT_YEAR = date(TODAY.year + 1, 1, 2)
CHILD_PURSES = {1: 4500, 2: 18000, 3: 0, 4: 250}

CHILD = Person("1", "Vos", "de", "Sam", date(2015, 5, 1), 110)
SISTER = Person("1", "Vos", "de", "Noor", date(2013, 2, 9), 110)
STRANGER = Person("2", "Bos", "", "Ali", date(1990, 7, 3), 120)
TODDLER = Person("1", "Vos", "de", "Bo", TODAY - timedelta(days=900), 110)


@pytest.fixture
def registry(empty_registry) -> Registry:
    take(empty_registry, [CHILD, SISTER, STRANGER, TODDLER])
    return empty_registry


@pytest.fixture
def desk(registry) -> Desk:
    return desk_on(registry)


def desk_on(registry: Registry, day: int = DAY, scheme=SCHEME) -> Desk:
    return Desk(registry, scheme, desk_secrets(day), DirectKeys(), os.urandom, noon)


def issue(desk: Desk, registry: Registry, person: Person, card, on=TODAY):
    return desk.issue(holder(registry, person), InProcessReader(card), on)


def proven(desk: Desk) -> dict[int, int]:
    """What the vault proves of the loads that this desk hands in, by purse."""
    link, found = link_key(VAULT.handed_out("link", 1), DESK), {}
    for batch in desk.journal.batches(1):
        for entry in open_batch(batch, lambda terminal: [link]).entries:
            if entry.outcome == COMMITTED:
                assert PROVER.prove(entry.clear_bytes + entry.sealed)[0].valid
                found[entry.clear.sequence] = entry.clear.purse1, entry.clear.amount1
    return {purse: sum(n for p, n in found.values() if p == purse) for purse in SCHEME.purses}


def test_what_the_rules_give_is_on_the_pass_and_proven(desk, registry):
    card = factory_card()
    issued = issue(desk, registry, CHILD, card)
    assert issued.balances == purses_of(card) == proven(desk) == CHILD_PURSES
    assert (issued.card.state, issued.card.valid_from) == ("encoded", TODAY)
    assert len(issued.loads) == 3


def test_the_same_card_again_gives_nothing_twice(desk, registry):
    card = factory_card()
    code = issue(desk, registry, CHILD, card).card.printed_code
    again = issue(desk, registry, CHILD, card)
    assert (again.loads, again.balances, again.card.printed_code) == ([], CHILD_PURSES, code)
    assert len(all_passes(registry)) == 1


def test_whom_the_rules_give_nothing_gets_no_pass_and_the_card_stays_as_it_was(desk, registry):
    card = factory_card()
    before = inspect(card.memory)
    with pytest.raises(DeskError, match="explain"):
        issue(desk, registry, TODDLER, card)
    assert inspect(card.memory) == before
    assert all_passes(registry) == []


@pytest.mark.parametrize("person", [SISTER, STRANGER], ids=["same household", "stranger"])
def test_a_pass_does_not_become_that_of_somebody_else(desk, registry, person):
    card = factory_card()
    issue(desk, registry, CHILD, card)
    before = inspect(card.memory)
    with pytest.raises(CardRefused, match="somebody else"):
        issue(desk, registry, person, card, NEXT_YEAR)
    assert inspect(card.memory) == before
    assert [one.holder_id for one in all_passes(registry)] == [holder(registry, CHILD).id]


def test_nobody_has_two_passes_at_once(desk, registry):
    issue(desk, registry, CHILD, factory_card())
    second = factory_card(b"\x04\x99\x11\x22\x33\x44\x55")
    before = inspect(second.memory)
    with pytest.raises(DeskError, match="has a pass already"):
        issue(desk, registry, CHILD, second)
    assert inspect(second.memory) == before


def test_no_money_goes_on_a_blocked_pass(desk, registry):
    card = factory_card()
    made = issue(desk, registry, CHILD, card).card
    block(registry, made)
    before = inspect(card.memory)
    with pytest.raises(CardRefused, match="was blocked"):
        issue(desk, registry, CHILD, card, NEXT_YEAR)
    assert inspect(card.memory) == before
    assert proven(desk) == CHILD_PURSES


def test_a_lost_pass_is_blocked_and_the_next_card_is_a_pass_of_its_own(desk, registry):
    lost = issue(desk, registry, CHILD, factory_card()).card
    other = issue(desk, registry, STRANGER, factory_card(b"\x04\x77\x11\x22\x33\x44\x55")).card
    desk.block(lost.printed_code.lower(), "lost")
    new = issue(desk, registry, CHILD, factory_card(b"\x04\x99\x11\x22\x33\x44\x55"))
    hotlist = on_a_terminal(desk.hotlist(TODAY))
    assert [hotlist.blocks(one.handle, DAY) for one in (lost, other, new.card)] == [True, False, False]
    # What was granted this year is on the lost pass; it is not granted again.
    assert new.balances == dict.fromkeys(SCHEME.purses, 0)


def test_a_new_pass_year_gives_new_grants_on_the_same_pass(desk, registry):
    card = factory_card()
    first = issue(desk, registry, CHILD, card).card
    renewed = issue(desk_on(registry, day_number(NEXT_YEAR)), registry, CHILD, card, NEXT_YEAR)
    assert renewed.balances == {purse: 2 * amount for purse, amount in CHILD_PURSES.items()}
    assert renewed.card.printed_code == first.printed_code
    assert (renewed.card.valid_from, renewed.card.valid_until) == SCHEME.validity(NEXT_YEAR)
    assert all_passes(registry)[0].valid_until == renewed.card.valid_until > first.valid_until


def test_a_pass_year_that_is_not_a_calendar_year_gives_each_grant_once(registry):
    scheme = replace(SCHEME, year_ends=(7, 31))
    card = factory_card()
    issue(desk_on(registry, scheme=scheme), registry, CHILD, card)
    assert issue(desk_on(registry, day_number(NEXT_YEAR), scheme), registry, CHILD, card, NEXT_YEAR).loads == []
    assert purses_of(card) == CHILD_PURSES


class Shaky(InProcessReader):
    """A reader from which the card leaves once, at an exchange counted over the whole visit."""

    def __init__(self, card, exchange: int, executed: bool) -> None:
        super().__init__(card)
        self.left, self._executed = exchange, executed

    def transmit(self, apdu: bytes) -> bytes:
        self.left -= 1
        if self.left:
            return super().transmit(apdu)
        if self._executed:
            super().transmit(apdu)
        self.release()
        raise PassGone("the card left")


@pytest.fixture
def stride(registry, every_exchange):
    """What is torn is the visit, on either database the same: on PostgreSQL not everywhere unless asked."""
    return every_exchange if registry._engine.dialect.name == "postgresql" else 1


@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
def test_a_card_that_leaves_at_any_moment_ends_with_each_grant_once(registry, stride, executed):
    exchange = total = 0
    while True:
        exchange += stride
        card = factory_card(b"\x04" + bytes([executed]) + exchange.to_bytes(5, "big"))
        person = replace(CHILD, given_name=f"Sam {exchange}")
        take(registry, [person])
        desk, who = desk_on(registry), holder(registry, person)
        reader = Shaky(card, exchange, executed)
        try:
            desk.issue(who, reader, TODAY)
        except (CardLeft, PassGone):
            desk.issue(who, InProcessReader(card), TODAY)
        assert purses_of(card) == CHILD_PURSES, f"left at exchange {exchange}"
        total += 1
        if reader.left > 0:
            break
    assert exchange > 70, "the visit was shorter than that of a pass with three loads"
    assert proven(desk) == {purse: total * amount for purse, amount in CHILD_PURSES.items()}


def test_the_key_of_the_desk_ends_and_a_new_one_goes_on(registry):
    card = factory_card()
    issue(desk_on(registry), registry, CHILD, card)
    after = date(*DAY_ZERO) + timedelta(days=DAY + LEASE_DAYS + 40)
    with pytest.raises(DeskError, match="key custodian"):
        issue(desk_on(registry), registry, CHILD, card, after)
    renewed = desk_on(registry, day_number(after))
    issue(renewed, registry, CHILD, card, after)
    assert purses_of(card) == proven(renewed) == {purse: 2 * amount for purse, amount in CHILD_PURSES.items()}


def test_a_clock_that_goes_back_stops_the_desk_before_any_money(desk, registry):
    card = factory_card()
    issue(desk, registry, CHILD, card)
    with pytest.raises(DeskError, match="clock"):
        issue(desk, registry, CHILD, card, TODAY - timedelta(days=1))
    assert purses_of(card) == CHILD_PURSES


def test_who_waits_for_a_pass(desk, registry):
    assert [one.person.identity for one in desk.waiting(TODAY)] == [one.identity for one in (CHILD, SISTER, STRANGER)]
    issue(desk, registry, SISTER, factory_card())
    assert [one.person.identity for one in desk.waiting(TODAY)] == [CHILD.identity, STRANGER.identity]


def test_a_damaged_or_missing_file_of_the_custodian_is_said_in_words(tmp_path):
    path = tmp_path / "issuer.json"
    for content in (None, "", "[]", '{"vault": {"address": "unix:x"}, "terminal": 1}', '{"vault": "x"}'):
        if content is not None:
            path.write_text(content)
        with pytest.raises(DeskError, match="key custodian"):
            DeskSecrets.read(path)
