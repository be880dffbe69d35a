"""The import of venues, that nothing of it is retroactive, and the bundles that terminals get."""

import json
from datetime import date, timedelta

import pytest

from backend.calendar import day_number
from backend.errors import ImportRefused, NotFound
from card.batch import siv_key
from card.errors import BadMac
from card.siv import siv_decrypt
from card.wire import uint

TODAY = date(2026, 11, 2)


def held(world):
    return world.clearing.venues.listing()


def venues_text(world):
    return (world.folder / "venues.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("NL91ABNA0417164300", "NL91ABNA0417164301", "line 5, venue 1, iban: not an IBAN"),
        ("NL91ABNA0417164300", "NL91ABNA041716430", "line 5, venue 1, iban: not an IBAN"),
        ("purses = [1]", 'purses = [1]\nbic = "NOBANK"', "line 53, venue 2, bic: not a BIC"),
        ("number = 5", "", "line 2, venue 1, number: Field required"),
        ("number = 6", "number = 5", "line 3, venue 1, number: venue 5 is in the file twice"),
        ("number = 21", "number = 11", "line 56, venue 2, offer 1, number: offer 11 is in the file twice"),
        ("terminals = [201]", "terminals = [101]", "line 53, venue 2, terminals: terminal 101 is in the file twice"),
        ("terminals = [201]", "terminals = [1]", "line 53, venue 2, terminals: 1 is a desk"),
        ("terminals = [201]", "terminals = [0]", "0 is not a number of a terminal"),
        ("purses = [1]", "purses = [2]", "line 58, venue 2, offer 1, purse: venue 6 may not take from purse 1"),
        ("purses = [1]", "purses = [1, 9]", "line 52, venue 2, purses: the scheme has no purse 9"),
        ("purses = [1]", "purses = []", "line 52, venue 2, purses"),
        ('name = "Zwemmen kind"', 'name = ""', "line 11, venue 1, offer 1, name"),
        ('name = "Zwemmen kind"', 'nam = "Zwemmen kind"', "line 11, venue 1, offer 1, nam: Extra inputs"),
        ("amount = 500", "", "line 9, venue 1, offer 1, amount"),
        ("amount = 500", "amount = 0", "line 14, venue 1, offer 1, amount"),
        ("amount = 500", "amount = 5.00", "line 14, venue 1, offer 1, amount"),
        ("amount = 500", "amount = 500\npercent = 5", "a fixed offer has no percent"),
        ("amount = 500", "amount = 500\ncompensation = 5", "a purse of cents pays the venue itself"),
        ("amount = 500", "amount = 500\ncompensated = true", "only the discount of a percent offer"),
        ("amount = 500", "amount = 500\nfrom = 2026-12-01\nuntil = 2026-11-30", "until: ends before it begins"),
        ("percent = 50", "", "a percent offer needs percent"),
        ("percent = 50", "percent = 101", "line 27, venue 1, offer 3, percent"),
        ('purse = 4\nprice = "percent"', 'purse = 1\nprice = "percent"', "this purse holds money"),
        ('purse = 1\nprice = "typed"', 'purse = 3\nprice = "typed"', "purse 3 holds points"),
        ("amount2 = 1", "", "purse2 and amount2 go together"),
        ("purse2 = 4", "purse2 = 3", "the second purse is the first"),
        ("purse2 = 4", "purse2 = 9", "the scheme has no purse 9"),
        ('price = "fixed"', 'price = "free"', "price"),
        ("[[venue]]", "[[venue]", "line 2"),
    ],
)
def test_a_file_with_a_fault_is_refused_where_it_is_and_changes_nothing(world, old, new, fault):
    before, text = held(world), venues_text(world)
    assert old in text
    with pytest.raises(ImportRefused) as refusal:
        world.import_venues(text.replace("Zwembad", "Bad").replace(old, new, 1))
    assert fault in "\n".join(refusal.value.faults)
    assert held(world) == before


def test_all_faults_are_told_at_once(world):
    text = venues_text(world).replace("percent = 50", "percent = 0").replace("amount = 500", "amount = -1")
    with pytest.raises(ImportRefused) as refusal:
        world.import_venues(text)
    assert len(refusal.value.faults) == 2


def test_a_file_that_cannot_be_read_is_refused(world):
    with pytest.raises(ImportRefused):
        world.clearing.venues.import_file(world.folder / "none.toml")


@pytest.mark.parametrize("sign", ["\\u0000", "\\u0007", "\\n", "\\u202e"])
def test_a_name_with_what_cannot_be_printed_is_refused(world, sign):
    before = held(world)
    with pytest.raises(ImportRefused, match="line 4, venue 1, name: there is a character in it that is not printed"):
        world.import_venues(venues_text(world).replace("Zwembad De Plas", f"Zwembad{sign}De Plas"))
    assert held(world) == before


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("terminals = [201]", "terminals = [101]", "terminal 101 belongs to venue 5"),
        ("number = 21", "number = 11", "offer 11 belongs to venue 5"),
    ],
)
def test_a_terminal_or_an_offer_does_not_move_to_another_venue(world, old, new, fault):
    shop = "[[venue]]" + venues_text(world).split("[[venue]]")[2]
    before = held(world)
    with pytest.raises(ImportRefused, match=fault):
        world.import_venues(shop.replace(old, new))
    assert held(world) == before


def test_a_venue_that_a_file_does_not_name_stays(world):
    shop = "[[venue]]" + venues_text(world).split("[[venue]]")[2]
    assert world.import_venues(shop)["changed"] == 0
    assert [row["venue"] for row in held(world)] == [5, 6]
    assert len(held(world)[0]["offers"]) == 5


# Not retroactive

LATER = TODAY + timedelta(days=10)


def tap_on(world, day, **tap):
    world.pool.day = day
    world.pool.tap(world.holder, **tap)
    world.sync(world.pool)
    return world.reasons()


def test_a_price_that_changes_counts_from_its_day_and_the_old_one_until_bundles_run_out(world):
    world.import_venues(venues_text(world).replace("amount = 500", "amount = 600"), LATER)
    assert tap_on(world, LATER, amount=600) == []
    assert tap_on(world, LATER + timedelta(days=30), amount=500) == []
    assert tap_on(world, LATER + timedelta(days=31), amount=500) == ["amount"]


def test_a_new_price_does_not_count_before_its_day(world):
    world.import_venues(venues_text(world).replace("amount = 500", "amount = 600"), LATER)
    assert tap_on(world, LATER - timedelta(days=1), amount=600) == ["amount"]


def test_an_offer_that_is_withdrawn_counts_until_bundles_run_out(world):
    text = venues_text(world).replace("number = 12", "number = 19")
    world.import_venues(text, LATER)
    tap = {"offer": 12, "amount": 700, "price": 700}
    assert tap_on(world, LATER + timedelta(days=30), **tap) == []
    assert tap_on(world, LATER + timedelta(days=31), **tap) == ["offer day"]


def test_an_offer_ends_on_the_day_that_it_says(world):
    ends = TODAY + timedelta(days=5)
    world.import_venues(venues_text(world).replace("amount = 500", f"amount = 500\nuntil = {ends}"))
    assert tap_on(world, ends) == []
    assert opened(world, TODAY)["until"] == day_number(ends)
    assert [offer["n"] for offer in opened(world, ends + timedelta(days=1))["offers"]] == [12, 13, 14, 15]
    # The version without an end was in bundles before, and runs out with them.
    assert tap_on(world, TODAY + timedelta(days=30)) == []
    assert tap_on(world, TODAY + timedelta(days=31)) == ["offer day"]


def test_a_purse_that_is_taken_from_a_venue_counts_until_bundles_run_out(world):
    text = venues_text(world).replace("[1, 3, 4, 5]", "[1, 3, 4]").replace("number = 14", "number = 16")
    text = text.replace('purse = 5\nprice = "fixed"', 'purse = 3\nprice = "fixed"')
    world.import_venues(text, LATER)
    tap = {"offer": 14, "purse": 5, "amount": 1}
    tap_on(world, LATER + timedelta(days=30), **tap)
    assert world.venue_is_owed() == 850
    assert opened(world, LATER)["allowed"] == [1, 3, 4]


# Bundles


def opened(world, day=None, terminal=101):
    sealed = world.clearing.venues.bundle_for(terminal, day)
    key = siv_key(world.terminal(terminal).key)
    return json.loads(siv_decrypt(key, [b"bundle" + uint(terminal, 4)], sealed))


def test_a_bundle_holds_what_its_terminal_needs(world):
    bundle = opened(world, TODAY)
    offers = bundle.pop("offers")
    assert bundle == {
        "terminal": 101,
        "version": 1,
        "day": day_number(TODAY),
        "from": day_number(TODAY),
        "until": day_number(TODAY) + 30,
        "venue": "Zwembad De Plas",
        "issuer": 1,
        "municipality": "Gelredam",
        "aid": "F0E0D1",
        "purses": {"1": "Meedoen", "2": "Kleding", "3": "Punten", "4": "Kortingen", "5": "Zwemles"},
        "units": {"1": "cent", "2": "cent", "3": "point", "4": "visit", "5": "item"},
        "allowed": [1, 3, 4, 5],
        "held": 0,
    }
    plain = {"purse2": 255, "amount2": 0, "percent": 0, "cap": 0}
    assert offers[0] == plain | {"n": 11, "name": "Zwemmen kind", "purse": 1, "price": "fixed", "amount": 500}
    assert offers[1] == plain | {"n": 12, "name": "Zwemspullen", "purse": 1, "price": "typed", "amount": 0}
    assert offers[2]["percent"] == 50
    assert offers[2]["amount"] == 1
    assert (offers[4]["purse2"], offers[4]["amount2"]) == (4, 1)


def test_a_bundle_opens_for_its_own_terminal_only(world):
    sealed = world.clearing.venues.bundle_for(101, TODAY)
    with pytest.raises(BadMac):
        siv_decrypt(siv_key(world.terminal(201).key), [b"bundle" + uint(101, 4)], sealed)


@pytest.mark.parametrize("terminal", [1, 999])
def test_there_is_no_bundle_for_a_desk_or_a_stranger(world, terminal):
    with pytest.raises(NotFound):
        world.clearing.venues.bundle_for(terminal, TODAY)


def test_a_terminal_that_left_its_venue_gets_no_bundle_and_still_hands_in(world):
    world.pool.tap(world.holder)
    world.import_venues(venues_text(world).replace("[101]", "[]"))
    with pytest.raises(NotFound):
        world.clearing.venues.bundle_for(101, TODAY)
    world.sync()
    assert world.venue_is_owed() == 500


def test_every_import_is_another_version(world):
    world.import_venues(venues_text(world))
    assert opened(world)["version"] == 2
