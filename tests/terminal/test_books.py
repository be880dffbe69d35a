"""Several municipalities on one terminal: each with its own keys, offers, hotlist and journal."""

import json

import pytest

from card.wire import uint
from terminal.errors import TerminalError
from terminal.firmware import flash as flash_module
from terminal.firmware import link
from terminal.host import DirectLink, about, book_of
from tests.city import (
    CENTS,
    CLOTHES,
    DAY,
    OFFERS,
    TERMINAL,
    VISITS,
    PcTerminal,
    bundle,
    device_file,
    hotlist,
    lease,
    make_pass,
    proven_cents,
    purses_of,
    vault_of,
)
from tests.terminal.test_leases import PlugPulled, Power, cut_after_removals

CITY, VILLAGE, ISLAND = 1, 2, 3
IN_THE_VILLAGE = 7
SWIM = OFFERS[0]
# Swimming costs more in the village, out of another purse; it has a bus of its own and no museum.
VILLAGE_OFFERS = [
    {**SWIM, "n": 91, "purse": CLOTHES, "amount": 550},
    {**SWIM, "n": 92, "name": "Buurtbus", "amount": 150},
]
BUS = f"{len(OFFERS) + 1}#"


@pytest.fixture
def village():
    return vault_of(VILLAGE, "F0E0D2", b"\x77" * 32)


@pytest.fixture
def terminal(tmp_path, village):
    made = PcTerminal(tmp_path / "flash")
    made.provision(IN_THE_VILLAGE, village, offers=VILLAGE_OFFERS, allowed=(CENTS, CLOTHES))
    return made


@pytest.fixture
def citizen():
    return make_pass()[0]


@pytest.fixture
def villager(village):
    return make_pass(uid=b"\x04\x77\x77\x77\x77\x77\x77", vault=village)


def test_the_pass_decides_whose_price_is_taken_from_whose_purse(terminal, village, citizen, villager):
    card, _ = villager
    assert terminal.tap(citizen)[1:] == ("00", "Ja, akkoord", "Over: € 16,00")
    assert terminal.tap(card)[1:] == ("00", "Ja, akkoord", "Over: € 44,50")
    assert purses_of(citizen) == {CENTS: 1600, CLOTHES: 5000, VISITS: 10}
    assert purses_of(card) == {CENTS: 2000, CLOTHES: 4450, VISITS: 10}


def test_one_line_stands_for_the_offers_of_the_same_name(terminal):
    assert terminal.press("1")[3] == "Zwemmen"
    assert terminal.press("#")[2:] == ("Houd de pas tegen de lezer", "Zwemmen")
    terminal.press("*")
    assert terminal.press(BUS)[2:] == ("Houd de pas tegen de lezer", "Buurtbus € 1,50")
    terminal.press("*")
    assert terminal.press("7")[3] == ""


def test_a_price_is_typed_where_one_municipality_wants_one_and_the_other_keeps_its_own(terminal, village, villager):
    fixed = {**SWIM, "n": 93, "name": "Kiosk", "amount": 100}
    terminal.ask(link.BUNDLE, bundle(IN_THE_VILLAGE, version=2, offers=[fixed], vault=village), VILLAGE)
    assert terminal.press("2#")[0] == "pricing"
    terminal.press("900#")
    assert terminal.hold(villager[0])[1] == "00"
    (entry,) = terminal.entries(village)
    assert (entry.clear.amount1, entry.clear.price) == (100, 0)


def test_two_offers_of_one_municipality_keep_a_line_each_also_when_they_are_named_the_same(terminal, village):
    twice = [{**SWIM, "n": 91}, {**SWIM, "n": 92, "amount": 700}]
    terminal.ask(link.BUNDLE, bundle(IN_THE_VILLAGE, version=2, offers=twice, vault=village), VILLAGE)
    assert terminal.press("6#")[3] == "Zwemmen € 7,00"


def test_an_offer_that_the_municipality_of_the_pass_does_not_have_is_not_for_here(terminal, citizen, villager):
    assert terminal.tap(villager[0], "3#1000#")[1] == "25"
    assert terminal.tap(citizen, BUS)[1] == "25"
    assert purses_of(citizen)[CENTS] == purses_of(villager[0])[CENTS] == 2000


def test_a_purse_that_one_municipality_allows_here_is_not_allowed_to_the_other(terminal, citizen, villager):
    assert terminal.tap(villager[0])[1] == "00"
    assert terminal.tap(citizen, "4#")[1] == "25"


def test_journals_never_mix(terminal, village, citizen, villager):
    for one in (citizen, villager[0], citizen, villager[0], villager[0]):
        assert terminal.tap(one)[1] == "00"
    city, villages = terminal.entries(), terminal.entries(village)
    assert [(entry.clear.terminal, entry.clear.sequence, entry.clear.offer) for entry in city] == [
        (TERMINAL, 1, 11),
        (TERMINAL, 2, 11),
    ]
    assert [(entry.clear.terminal, entry.clear.sequence, entry.clear.offer) for entry in villages] == [
        (IN_THE_VILLAGE, number, 91) for number in (1, 2, 3)
    ]
    assert proven_cents(city) == 800
    assert proven_cents(villages, CLOTHES, village) == 1650


def test_each_hotlist_blocks_its_own_passes(terminal, village, citizen, villager):
    card, made = villager
    terminal.ask(link.HOTLIST, hotlist(made.handle, version=2))
    assert terminal.tap(card)[1] == "00"
    terminal.ask(link.HOTLIST, hotlist(made.handle, version=2, vault=village), VILLAGE)
    assert terminal.tap(card)[1] == "23"
    assert terminal.tap(citizen)[1] == "00"


def test_a_pass_of_a_third_municipality_is_told_that_it_is_not_served(terminal):
    stranger, _ = make_pass(vault=vault_of(ISLAND, "F0E0D3", b"\x33" * 32))
    assert terminal.tap(stranger)[1:3] == ("21", "Deze gemeente doet hier niet mee")


def test_the_last_tap_of_a_pass_is_put_back_by_its_own_municipality(terminal, village, citizen, villager):
    card, _ = villager
    terminal.tap(citizen)
    terminal.tap(card)
    assert terminal.tap(citizen, "A")[1] == "01"
    assert terminal.tap(card, "A")[1] == "01"
    assert (purses_of(citizen)[CENTS], purses_of(card)[CLOTHES]) == (2000, 5000)


def test_a_terminal_that_one_municipality_revoked_works_on_for_the_other(terminal, village, citizen, villager):
    village.register.terminals[str(IN_THE_VILLAGE)].revoked_on = "2026-11-21"
    terminal.days_on = 15
    terminal.renew(DAY + 15)
    terminal.ask(link.BUNDLE, bundle(version=2, day=DAY + 15, valid=(DAY, DAY + 60)))
    terminal.days_on = 31
    assert terminal.tap(citizen)[1] == "00"
    assert terminal.tap(villager[0])[1] == "30"
    assert purses_of(villager[0])[CLOTHES] == 5000


def test_a_book_that_cannot_serve_says_so_to_its_own_passes_only(terminal, citizen, villager):
    (terminal.folder / "hotlist").unlink()
    terminal.boot()
    assert terminal.tap(citizen)[1] == "30"
    assert terminal.tap(villager[0])[1] == "00"


def test_a_full_journal_of_one_stops_that_one_only(terminal, citizen, villager):
    terminal.storage.failing = True
    assert terminal.tap(citizen)[1] == "31"
    assert terminal.tap(villager[0])[1] == "00"


def test_each_book_has_its_own_days(terminal, village, citizen, villager):
    terminal.renew(DAY + 5, IN_THE_VILLAGE, village)
    terminal.tap(citizen)
    terminal.tap(villager[0])
    assert terminal.entries()[0].clear.day == DAY
    assert terminal.entries(village)[0].clear.day == DAY + 5


def test_both_are_still_there_in_their_order_after_a_restart(terminal, village, citizen, villager):
    terminal.boot()
    assert [book.issuer for book in terminal.device.books] == [CITY, VILLAGE]
    assert (terminal.tap(citizen)[1], terminal.tap(villager[0])[1]) == ("00", "00")


@pytest.mark.parametrize("first", [CITY, VILLAGE])
def test_the_first_municipality_has_the_first_lines(tmp_path, village, first):
    made = PcTerminal(tmp_path / "flash", provision=False)
    for issuer in (first, CITY + VILLAGE - first):
        if issuer == CITY:
            made.provision(TERMINAL, made.vault)
        else:
            made.provision(IN_THE_VILLAGE, village, offers=VILLAGE_OFFERS)
    made.boot()
    assert made.press("2")[3] == ("Kiosk" if first == CITY else "Buurtbus")


def test_each_keeps_its_part_of_the_flash_and_one_that_was_given_back_is_used_again(terminal, village):
    assert [book.slot for book in terminal.device.books] == [0, 1]
    terminal.ask(link.REMOVE, uint(0, 4), CITY)
    terminal.boot()
    assert [book.slot for book in terminal.device.books] == [1]
    terminal.provision(TERMINAL, terminal.vault)
    terminal.boot()
    assert [(book.issuer, book.slot) for book in terminal.device.books] == [(VILLAGE, 1), (CITY, 0)]


def test_without_the_order_on_flash_no_municipality_is_lost(terminal, citizen, villager):
    (terminal.flash / "books").write_bytes(b"\x00\x01\x02")
    terminal.boot()
    assert (terminal.tap(citizen)[1], terminal.tap(villager[0])[1]) == ("00", "00")


def test_what_is_of_one_municipality_is_refused_for_the_other(terminal, village):
    with_the_number = terminal.ask(link.JOURNAL, uint(1, 4), VILLAGE)
    assert with_the_number == b""
    assert "not a bundle for terminal 7" in terminal.refused(link.BUNDLE, bundle(version=2), VILLAGE)
    assert "not a hotlist" in terminal.refused(link.HOTLIST, hotlist(version=2), VILLAGE)
    about = book_of(json.loads(terminal.ask(link.HELLO)), CITY)
    assert "for another terminal" in terminal.refused(link.LEASE, lease(about), VILLAGE)
    assert terminal.refused(link.BUNDLE, bundle(), ISLAND) == (
        "this terminal does not serve municipality 3; provision it first"
    )


def test_offers_that_name_another_municipality_are_refused(terminal, village):
    village.register.municipality = CITY
    forged = bundle(IN_THE_VILLAGE, version=2, vault=village)
    assert terminal.refused(link.BUNDLE, forged, VILLAGE) == "these offers are of another municipality"


def test_a_host_has_to_say_which_one_it_means(terminal):
    found = about(DirectLink(terminal.device))
    assert [(book["issuer"], book["terminal"]) for book in found["books"]] == [(CITY, TERMINAL), (VILLAGE, 7)]
    assert book_of(found, VILLAGE)["terminal"] == IN_THE_VILLAGE
    with pytest.raises(TerminalError, match="serves municipalities 1, 2; say which one"):
        book_of(found)


def test_a_terminal_has_room_for_four_municipalities(terminal):
    for issuer in (3, 4):
        terminal.ask(link.DEVICE, device_file(terminal.about(), 9, vault_of(issuer, "F0E0D3")))
    fifth = device_file(terminal.about(), 9, vault_of(5, "F0E0D3"))
    assert terminal.refused(link.DEVICE, fifth) == "this terminal serves 4 municipalities already"


# Taking one off


def test_a_municipality_is_removed_when_all_its_records_are_handed_in(terminal, village, citizen, villager):
    terminal.tap(villager[0])
    assert terminal.refused(link.REMOVE, uint(0, 4), VILLAGE) == "records 1 to 1 are not handed in yet"
    terminal.ask(link.REMOVE, uint(1, 4), VILLAGE)
    for _ in range(2):
        assert terminal.tap(villager[0])[1] == "21"
        assert terminal.tap(citizen)[1] == "00"
        assert terminal.press("6")[3] == ""
        terminal.boot()
    assert not (terminal.flash / "2").exists()
    assert "does not serve" in terminal.refused(link.JOURNAL, uint(1, 4), VILLAGE)
    terminal.provision(IN_THE_VILLAGE, village, offers=VILLAGE_OFFERS, allowed=(CENTS, CLOTHES))
    assert terminal.tap(villager[0])[1] == "00"


def test_a_question_to_remove_that_says_no_position_is_not_known(terminal):
    assert "does not know" in terminal.refused(link.REMOVE, b"", VILLAGE)


def test_a_power_cut_while_one_is_removed_leaves_the_other_whole(terminal, village, citizen, monkeypatch):
    card, _ = make_pass(loads={CLOTHES: 18000}, vault=village)
    files = len(list((terminal.flash / "2").iterdir()))
    for cut in range(1, files + 1):
        with monkeypatch.context() as patch:
            cut_after_removals(patch, cut)
            with pytest.raises(PlugPulled):
                terminal.device.answer(link.REMOVE, VILLAGE, uint(9, 4))
        terminal.boot()
        assert terminal.tap(citizen, "2#1#")[1] == "00"
        assert terminal.tap(card)[1] == "21"
        if VILLAGE in [book.issuer for book in terminal.device.books]:
            terminal.ask(link.REMOVE, uint(0, 4), VILLAGE)
        terminal.provision(IN_THE_VILLAGE, village, offers=VILLAGE_OFFERS, allowed=(CENTS, CLOTHES))
        assert terminal.tap(card)[1] == "00"


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("cut", [1, 2])
def test_a_power_cut_while_a_second_one_is_enrolled_loses_neither(tmp_path, village, citizen, monkeypatch, cut, done):
    terminal = PcTerminal(tmp_path / "flash")
    paper = device_file(terminal.about(), IN_THE_VILLAGE, village)
    with monkeypatch.context() as patch:
        Power(patch, cut, done)
        with pytest.raises(PlugPulled):
            terminal.device.answer(link.DEVICE, 0, paper)
    terminal.boot()
    assert terminal.tap(citizen)[1] == "00"
    if len(terminal.device.books) == 1:
        terminal.ask(link.DEVICE, paper)
    terminal.renew(DAY, IN_THE_VILLAGE, village)
    assert [book.issuer for book in terminal.device.books] == [CITY, VILLAGE]
    assert flash_module.os.path.exists(terminal.flash / "2/keys")
