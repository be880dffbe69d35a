"""The hotlist: what is on it, and that one made later is never older for a terminal."""

from datetime import UTC, datetime, timedelta

import pytest

from issuer import hotlist
from issuer.errors import DeskError
from issuer.registry import passes
from terminal.firmware.errors import ListRefused
from terminal.firmware.lists import open_hotlist
from tests.issuer.a_registry import NOON, TODAY, give_pass, holder, take
from tests.issuer.test_desk import CHILD, SISTER, STRANGER

KEY = bytes(range(32))


@pytest.fixture
def registry(empty_registry):
    take(empty_registry, [CHILD, SISTER, STRANGER])
    return empty_registry


@pytest.fixture
def card(registry):
    return give_pass(registry, holder(registry, CHILD), "K7QW-M2XP")


def move(registry, card, state, at=NOON):
    with registry.transaction() as session:
        passes.move(session, passes.coded(session, card.printed_code), state, "Anja", at)


def version(registry, on=TODAY):
    with registry.transaction() as session:
        return hotlist.version(session, on)


def made(registry, on=TODAY):
    with registry.transaction() as session:
        return open_hotlist(hotlist.sealed(session, on, hotlist.version(session, on), KEY), KEY)


def test_only_passes_that_are_blocked_and_not_over_are_on_it(registry, card):
    other = give_pass(registry, holder(registry, SISTER), "AAAA-BBBB", "replaced")
    free = give_pass(registry, holder(registry, STRANGER), "CCCC-DDDD")
    move(registry, card, "blocked")
    found = made(registry)
    assert [found.blocks(each.handle) for each in (card, other, free)] == [True, True, False]
    assert not made(registry, card.valid_until + timedelta(days=1)).blocks(card.handle)


def test_each_change_of_a_day_makes_a_newer_list(registry, card):
    versions = [version(registry)]
    for state in ("blocked", "active", "blocked", "replaced", "destroyed"):
        move(registry, card, state)
        versions.append(version(registry))
    assert sorted(set(versions)) == versions
    assert made(registry).version == versions[-1]


def test_what_does_not_touch_the_list_leaves_its_version(registry):
    card = give_pass(registry, holder(registry, CHILD), "K7QW-M2XP", "encoded")
    before = version(registry)
    move(registry, card, "handed_over")
    assert version(registry) == before


def test_a_change_counts_from_the_first_minute_of_the_municipality_s_day(registry, card):
    """Half past eleven in the evening in UTC is the next day already in the Netherlands."""
    before = version(registry)
    move(registry, card, "blocked", datetime(TODAY.year, TODAY.month, TODAY.day - 1, 23, 30, tzinfo=UTC))
    assert version(registry) > before


def test_a_new_day_is_newer_however_much_changed_before(registry, card, monkeypatch):
    monkeypatch.setattr(passes, "hotlist_changes", lambda session, since: 65535)
    busy = version(registry)
    monkeypatch.undo()
    assert version(registry, TODAY + timedelta(days=1)) > busy


def test_a_version_read_before_a_change_never_says_more_than_its_list(registry, card):
    """A pass that is blocked while a list is made is on it, or the next list has a higher version."""
    with registry.transaction() as session:
        early = hotlist.version(session, TODAY)
        passes.move(session, passes.coded(session, card.printed_code), "blocked", "Anja", NOON)
        session.flush()
        listed = open_hotlist(hotlist.sealed(session, TODAY, early, KEY), KEY)
    assert listed.blocks(card.handle)
    assert made(registry).version > listed.version


def test_a_pass_that_terminals_would_take_for_a_blocked_one_stops_the_list(registry, card):
    free = give_pass(registry, holder(registry, SISTER), "AAAA-BBBB")
    move(registry, card, "blocked")
    with registry.transaction() as session:
        passes.coded(session, free.printed_code).handle = card.handle[:8] + b"another!"
    with pytest.raises(DeskError, match="looks like a blocked one"):
        made(registry)


def test_it_opens_with_the_key_of_the_terminals_only(registry):
    with registry.transaction() as session:
        sealed = hotlist.sealed(session, TODAY, 1, KEY)
    with pytest.raises(ListRefused):
        open_hotlist(sealed, bytes(32))
