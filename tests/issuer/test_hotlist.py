"""The hotlist: what is on it, exactly; that one made later is never older for a terminal; and what is not published."""

import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from card.errors import BadAnswer
from card.hotlist import HEAD_BYTES, BaseHead, ChangesHead, changes_key
from card.signing import SEAL_BYTES
from issuer import hotlist
from issuer.days import day_number
from issuer.errors import DeskError
from issuer.hotlist import base_of, changes_of, changes_to, is_genuine, refuse_mistakes
from issuer.registry import hotlist_bases, passes
from issuer.registry.passes import IssuedPass
from tests.city import DAY, list_keys, on_a_terminal
from tests.issuer.a_registry import NOON, TODAY, give_pass, holder, take
from tests.issuer.test_desk import CHILD, SISTER, STRANGER

KEYS = list_keys()
KEY = KEYS.key
LAST_YEAR = DAY - 365


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


def made_on(registry, card, day):
    with registry.transaction() as session:
        passes.coded(session, card.printed_code).issued_day = day


def version(registry, on=TODAY):
    with registry.transaction() as session:
        return hotlist.version(session, on)


def published(registry, on=TODAY, keys=None):
    with registry.transaction() as session:
        return hotlist.publish(session, on, hotlist.version(session, on), keys or list_keys(day_number(on)))


def made(registry, on=TODAY):
    return on_a_terminal(published(registry, on).whole)


def base_in(whole):
    return whole[: BaseHead.from_bytes(whole[:HEAD_BYTES]).bytes]


def named_in(changes):
    return ChangesHead.from_bytes(changes[:HEAD_BYTES]).count


# What is on it


def test_only_passes_that_are_blocked_are_on_it(registry, card):
    other = give_pass(registry, holder(registry, SISTER), "AAAA-BBBB", "replaced")
    free = give_pass(registry, holder(registry, STRANGER), "CCCC-DDDD")
    move(registry, card, "blocked")
    found = made(registry)
    assert [found.blocks(each.handle, 0) for each in (card, other, free)] == [True, True, False]


def test_a_pass_that_has_ended_needs_no_place_on_it(registry, card):
    """Terminals refuse it by its last day."""
    move(registry, card, "blocked")
    after = card.valid_until + timedelta(days=1)
    assert len(published(registry, card.valid_until).changes) == len(published(registry, after).changes)
    with registry.transaction() as session:
        assert [(each.blocked, each.free) for each in passes.issued(session, after)] == [(False, False)]


def test_one_that_ended_and_is_renewed_is_right_on_the_list_that_was_made_before(registry, card):
    """A terminal that has not synced since takes it: a pass that ended and was not blocked is in the base as free."""
    made_on(registry, card, LAST_YEAR)
    move(registry, card, "expired")
    move(registry, give_pass(registry, holder(registry, SISTER), "AAAA-BBBB"), "blocked")
    with registry.transaction() as session:
        assert [(each.blocked, each.free) for each in passes.issued(session, TODAY)] == [(False, True), (True, False)]


@pytest.mark.parametrize("day", [0, LAST_YEAR, DAY - 2, DAY - 1, DAY])
def test_a_pass_is_blocked_and_opened_again_whatever_its_day(registry, card, day):
    made_on(registry, card, day)
    found = []
    for state in ("blocked", "active", "blocked"):
        move(registry, card, state)
        found.append(made(registry).blocks(card.handle, day))
    assert found == [True, False, True]


def test_passes_of_today_and_yesterday_are_looked_up_in_the_changes_alone(registry, card):
    """One of them may be on the desk's reader while the base is made, and not in the registry."""
    move(registry, card, "blocked")
    for day, named in ((DAY, 1), (DAY - 1, 1), (DAY - 2, 0)):
        made_on(registry, card, day)
        with registry.transaction() as session:
            issued = passes.issued(session, TODAY)
        base = hotlist.new_base(KEY, 1, TODAY, issued)
        assert named_in(changes_to(base, KEY, 1, issued)) == named


# The base stays while the changes are few


def test_the_base_stays_and_the_changes_grow(registry, card):
    made_on(registry, card, LAST_YEAR)
    first = published(registry)
    move(registry, card, "blocked")
    second = published(registry, TODAY + timedelta(days=1))
    assert base_in(first.whole) == base_in(second.whole)
    assert second.whole.startswith(base_in(second.whole) + second.changes[:HEAD_BYTES])
    assert (named_in(first.changes), named_in(second.changes)) == (0, 1)


def test_when_the_changes_have_grown_there_is_a_new_base_that_has_them(registry, card, monkeypatch):
    made_on(registry, card, LAST_YEAR)
    first = published(registry)
    move(registry, card, "blocked")
    monkeypatch.setattr(hotlist, "_FEW_CHANGES", 40)
    second = published(registry)
    assert base_in(first.whole) != base_in(second.whole)
    assert named_in(second.changes) == 0
    assert on_a_terminal(second.whole).blocks(card.handle, LAST_YEAR)
    with registry.transaction() as session:
        assert hotlist_bases.latest(session) == base_in(second.whole)


def test_no_two_bases_have_the_same_version(registry):
    """Or a terminal would take the changes to one of them for those to the other."""
    with registry.transaction() as session:
        versions = []
        for number in (7, 7, 3, 9):
            versions.append(hotlist_bases.next_version(session, number))
            hotlist_bases.keep(session, versions[-1], b"%d" % number)
        assert versions == [7, 8, 9, 10]
        assert hotlist_bases.latest(session) == b"9"
        assert session.query(hotlist_bases.HotlistBase).count() == 1


def test_of_two_desks_that_make_a_base_at_once_the_later_one_tries_again(registry, card, monkeypatch):
    first = base_in(published(registry).whole)
    monkeypatch.setattr(hotlist, "is_genuine", lambda base, key: False)
    monkeypatch.setattr(hotlist_bases, "next_version", lambda session, number: number)
    with pytest.raises(DeskError, match="Try again"):
        published(registry)
    monkeypatch.undo()
    assert base_in(published(registry).whole) == first


def test_with_a_new_key_there_is_a_new_base(registry, card):
    first = published(registry)
    other = hotlist.ListKeys(bytes(range(32)), KEYS.signing_key, KEYS.certificate)
    second = published(registry, keys=other)
    assert is_genuine(base_in(second.whole), other.key)
    assert not is_genuine(base_in(second.whole), KEY)
    versions = [BaseHead.from_bytes(each.whole[:HEAD_BYTES]).version for each in (first, second)]
    assert versions[0] < versions[1]


def test_a_base_that_the_database_spoilt_is_made_anew(registry, card):
    first = base_in(published(registry).whole)
    for spoilt in (first[:-1], b"", first[:-1] + bytes([first[-1] ^ 1])):
        with registry.transaction() as session:
            session.query(hotlist_bases.HotlistBase).one().content = spoilt
        assert is_genuine(base_in(published(registry).whole), KEY)


# Its version


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
        listed = on_a_terminal(hotlist.publish(session, TODAY, early, KEYS).whole)
    assert listed.blocks(card.handle, 0)
    assert made(registry).version > listed.version


# What is not published


@pytest.fixture
def town():
    return issued_passes(random.Random(3), 4000, 400)


def issued_passes(rnd, count, blocked, days=(LAST_YEAR,)):
    return [
        IssuedPass(rnd.randbytes(16), rnd.choice(days), number < blocked, number >= blocked) for number in range(count)
    ]


def split(issued):
    return [each.handle for each in issued if each.blocked], [each.handle for each in issued if each.free]


def test_a_base_that_takes_one_pass_for_a_blocked_one_is_found(town):
    """A base that was made without knowing of some passes says wrong things of about one in sixteen of them."""
    blocked, free = split(town)
    base = base_of(KEY, 1, DAY, blocked, free[:-200])
    nothing = changes_of(base, KEY, 1, [])
    with pytest.raises(DeskError, match="wrong about passes"):
        refuse_mistakes(base, nothing, KEY, town)
    refuse_mistakes(base, nothing, KEY, town[:-200])
    refuse_mistakes(base, changes_to(base, KEY, 1, town), KEY, town)


def test_one_pass_too_many_or_too_few_is_found(town):
    base = base_of(KEY, 1, DAY, *split(town))
    refuse_mistakes(base, changes_of(base, KEY, 1, []), KEY, town)
    for each in (town[0], town[-1]):
        with pytest.raises(DeskError) as refused:
            refuse_mistakes(base, changes_of(base, KEY, 1, [each.handle]), KEY, town)
        assert refused.value.facts == {"count": 1}


def test_a_list_that_would_be_wrong_is_not_published_and_the_base_stays(registry, card, monkeypatch):
    before = base_in(published(registry).whole)
    planted = give_pass(registry, holder(registry, SISTER), "AAAA-BBBB")
    monkeypatch.setattr(
        hotlist, "changes_to", lambda base, key, number, issued: changes_of(base, key, number, [planted.handle])
    )
    monkeypatch.setattr(hotlist, "_FEW_CHANGES", 0)
    with pytest.raises(DeskError, match=r"wrong about passes \(1\), so it was not published"):
        published(registry)
    monkeypatch.undo()
    assert base_in(published(registry).whole) == before


def test_after_the_last_day_of_its_certificate_a_desk_publishes_nothing(registry):
    last = TODAY + timedelta(days=30)
    assert published(registry, last, KEYS).whole
    with pytest.raises(DeskError, match="key custodian"):
        published(registry, last + timedelta(days=1), KEYS)


# Exact, and small


@settings(max_examples=150)
@given(
    count=st.integers(0, 300),
    share=st.sampled_from([0, 0.003, 0.1, 0.3, 0.5, 0.9, 1]),
    moved=st.integers(0, 40),
    seed=st.integers(0, 1 << 32),
)
def test_it_is_right_about_every_pass_of_any_town(count, share, moved, seed):
    """Older and younger than the base, blocked and opened since, and made since."""
    rnd = random.Random(seed)
    issued = issued_passes(rnd, count, round(count * share), days=(0, LAST_YEAR, DAY - 2))
    base = hotlist.new_base(KEY, 5, TODAY, issued)
    later = issued_passes(rnd, 20, 7, days=(DAY - 1, DAY, DAY + 1))
    now = [
        IssuedPass(each.handle, each.day, *rnd.choice([(True, False), (False, True), (False, False)]))
        if number < moved
        else each
        for number, each in enumerate(rnd.sample(issued, count))
    ] + later
    changes = changes_to(base, KEY, 6, now)
    refuse_mistakes(base, changes, KEY, now)
    terminal = on_a_terminal(base + changes + bytes(SEAL_BYTES))
    for each in now:
        if each.blocked or each.free:
            assert terminal.blocks(each.handle, each.day) == each.blocked


@pytest.mark.parametrize(
    ("count", "blocked", "most_bytes"),
    [(0, 0, 32), (10, 0, 32), (100_000, 0, 32), (10, 1, 48), (10, 10, 48), (1000, 1, 112), (1000, 100, 128)],
)
def test_a_small_city_has_a_small_list(count, blocked, most_bytes):
    """32 bytes are its head and its MAC."""
    town = issued_passes(random.Random(count), count, blocked)
    assert len(base_of(KEY, 1, DAY, *split(town))) <= most_bytes


@pytest.mark.parametrize(("count", "blocked"), [(100_000, 10_000), (20_000, 2_000), (100_000, 2_000), (50_000, 20_000)])
def test_a_large_city_has_a_list_near_the_least_that_is_possible(count, blocked):
    town = issued_passes(random.Random(count), count, blocked)
    base = base_of(KEY, 1, DAY, *split(town))
    changes = changes_of(base, KEY, 1, [])
    refuse_mistakes(base, changes, KEY, town)
    bound = (math.lgamma(count + 1) - math.lgamma(blocked + 1) - math.lgamma(count - blocked + 1)) / math.log(256)
    assert len(base) <= 1.2 * bound
    if (count, blocked) == (100_000, 10_000):
        # As it is published, with the signature.
        assert len(KEYS.signed(base + changes)) <= 1.2 * bound


def test_the_same_passes_make_the_same_base(town):
    blocked, free = split(town)
    assert base_of(KEY, 7, DAY, blocked, free) == base_of(KEY, 7, DAY, blocked, free)
    assert base_of(KEY, 7, DAY, blocked, free)[HEAD_BYTES:] != base_of(KEY, 8, DAY, blocked, free)[HEAD_BYTES:]


# Who carries it


def test_without_the_key_nobody_can_test_a_handle(town):
    """Under any other key a list says of blocked passes what it says of others, and its changes name nobody."""
    blocked, free = split(town)
    base = base_of(KEY, 1, DAY, blocked, free)
    changes = changes_of(base, KEY, 1, blocked[:50])
    for guess in (bytes(32), KEY[:31] + bytes([KEY[31] ^ 1]), KEY[16:] + KEY[:16]):
        said = hotlist.answers(base, changes, guess, town)
        of_blocked, of_free = sum(said[:400]) / 400, sum(said[400:]) / 3600
        assert abs(of_blocked - of_free) < 0.05
        named = hotlist._fingerprints(guess, 1, blocked)
        assert not [fingerprint for fingerprint in named if fingerprint in changes]


def test_no_part_of_a_handle_is_in_a_list(town):
    blocked, free = split(town)
    whole = base_of(KEY, 1, DAY, blocked, free)
    whole += changes_of(whole, KEY, 1, blocked)
    assert not [handle for handle in blocked if handle[:4] in whole or handle[-4:] in whole]


def test_who_compares_two_lists_cannot_tell_which_pass_stayed(town):
    blocked, free = split(town)
    base = base_of(KEY, 1, DAY, [], free)
    one, other = (changes_of(base, KEY, number, blocked[:50]) for number in (1, 2))
    fingerprints = [{one[at : at + 8] for at in range(HEAD_BYTES, HEAD_BYTES + 400, 8)} for one in (one, other)]
    assert [len(each) for each in fingerprints] == [50, 50]
    assert fingerprints[0].isdisjoint(fingerprints[1])
    assert changes_key(KEY, 1) != changes_key(KEY, 2)


@pytest.mark.parametrize(
    "head",
    [
        BaseHead(1, DAY, 0, (0, 0), 0, 0).to_bytes()[:-1],
        b"HB\x02" + BaseHead(1, DAY, 0, (0, 0), 0, 0).to_bytes()[3:],
        BaseHead(1, DAY, 17, (0, 0), 12, 12).to_bytes(),
        BaseHead(1, DAY, 1, (0, 0), 0, 12).to_bytes(),
        BaseHead(1, DAY, 0, (0, 0), 12, 12).to_bytes(),
        BaseHead(1, DAY, 1, (0, 0), 1, 12).to_bytes(),
        BaseHead(1, DAY, 1, (0, 0), 11, 12).to_bytes(),
        BaseHead(1, DAY, 0, (0, 0), 0, 1).to_bytes(),
        BaseHead(1, DAY, 1, (0, 0), 12, 11).to_bytes(),
        BaseHead(1, DAY, 1, (0, 0), 12, 0).to_bytes(),
    ],
)
def test_a_head_that_nobody_makes_is_refused(head):
    with pytest.raises(BadAnswer):
        BaseHead.from_bytes(head)


@pytest.mark.parametrize("head", [b"HC\x01" + bytes(12), b"HC\x02" + bytes(13), b"HC\x01\x01" + bytes(12), b""])
def test_what_is_no_head_of_changes_is_refused(head):
    with pytest.raises(BadAnswer):
        ChangesHead.from_bytes(head)
