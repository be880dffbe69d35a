"""What a tap does, on the application as it runs on a PC; the passes are made by the desk's own code."""

import pytest

from card.batch import COMMITTED, IN_DOUBT, VOID
from terminal.firmware import link
from terminal.firmware.errors import ReaderError
from tests.city import (
    A_WHILE_S,
    CENTS,
    CLOTHES,
    DAY,
    PROVER,
    VISITS,
    PcTerminal,
    bundle,
    counter_of,
    final_outcomes,
    hotlist,
    in_doubt,
    make_pass,
    proven_cents,
    purses_of,
)

EXCHANGES_PER_TAP = 10


def test_a_tap_takes_the_price_and_proves_it(terminal, card):
    screen = terminal.tap(card)
    assert screen == ("showing", "00", "Ja, akkoord", "Over: € 16,00")
    assert purses_of(card)[CENTS] == 1600
    assert proven_cents(terminal.entries()) == 400


def test_a_typed_price_is_what_is_taken(terminal, card):
    assert terminal.tap(card, "2#855#")[1:] == ("00", "Ja, akkoord", "Over: € 11,45")


def test_a_percentage_takes_a_visit_and_says_what_the_guest_pays(terminal, card):
    assert terminal.tap(card, "3#1305#")[3] == "Korting € 6,52, gast betaalt € 6,53"
    assert purses_of(card) == {CENTS: 2000, CLOTHES: 5000, VISITS: 9}


def test_an_offer_takes_from_two_purses_or_from_none(terminal, card):
    terminal.tap(card, "5#")
    assert purses_of(card) == {CENTS: 1700, CLOTHES: 5000, VISITS: 9}
    poor, _ = make_pass(loads={CENTS: 2000, VISITS: 0})
    assert terminal.tap(poor, "5#")[1] == "24"
    assert purses_of(poor)[CENTS] == 2000


def test_a_tap_of_one_purse_takes_ten_exchanges_up_to_the_yes(terminal, card):
    exchanges = []
    exchange = card.exchange
    card.exchange = lambda command: exchanges.append(command) or exchange(command)
    terminal.tap(card)
    up_to_commit = next(at for at, command in enumerate(exchanges, 1) if command[1] == 0xC7)
    assert up_to_commit == EXCHANGES_PER_TAP


def test_too_little_is_a_no_that_says_how_much_there_is(terminal):
    card, _ = make_pass(loads={CENTS: 399})
    assert terminal.tap(card) == ("showing", "24", "Er staat te weinig op de pas", "Er staat nu op: € 3,99")
    assert purses_of(card)[CENTS] == 399
    assert terminal.entries() == []


def test_a_purse_that_this_venue_may_not_take_is_a_no(terminal, card):
    assert terminal.tap(card, "4#")[1] == "25"
    assert purses_of(card)[CLOTHES] == 5000


@pytest.mark.parametrize(("valid", "code"), [((DAY - 30, DAY - 1), "22"), ((DAY + 1, DAY + 30), "27")])
def test_a_pass_counts_on_its_days_only(terminal, valid, code):
    card, _ = make_pass(valid=valid)
    assert terminal.tap(card)[1] == code
    assert purses_of(card)[CENTS] == 2000


@pytest.mark.parametrize("valid", [(DAY, DAY + 30), (DAY - 30, DAY)])
def test_the_first_and_the_last_day_count(terminal, valid):
    assert terminal.tap(make_pass(valid=valid)[0])[1] == "00"


def test_a_blocked_pass_is_a_no_and_its_neighbours_are_not(terminal, card):
    others = [make_pass(uid=bytes([4, 1, 1, 1, 1, 1, number])) for number in range(5)]
    _, blocked = make_pass()
    terminal.ask(link.HOTLIST, hotlist(blocked.handle, *(made.handle for _, made in others[:3]), version=2))
    assert terminal.tap(card)[1] == "23"
    assert purses_of(card)[CENTS] == 2000
    assert [terminal.tap(other)[1] for other, _ in others] == ["23", "23", "23", "00", "00"]


def test_a_card_without_our_application_is_of_another_municipality(terminal):
    from tests.city import factory_card

    assert terminal.tap(factory_card())[1] == "21"


def test_lists_that_are_too_old_stop_the_terminal(tmp_path, card):
    terminal = PcTerminal(tmp_path / "flash", valid=(DAY - 30, DAY - 1))
    assert terminal.tap(card)[1] == "30"
    assert purses_of(card)[CENTS] == 2000


def test_without_a_hotlist_no_tap_is_accepted(tmp_path, card):
    terminal = PcTerminal(tmp_path / "flash")
    (tmp_path / "flash/1/hotlist").unlink()
    terminal.boot()
    assert terminal.tap(card)[1] == "30"


def test_a_full_journal_stops_the_terminal_before_the_tap(tmp_path):
    terminal = PcTerminal(tmp_path / "flash", blocks=3)
    card, _ = make_pass(loads={CENTS: 22500})
    codes = [terminal.tap(card)[1] for _ in range(40)]
    yes = codes.count("00")
    assert codes == ["00"] * yes + ["31"] * (40 - yes)
    assert yes > 20
    assert purses_of(card)[CENTS] == 22500 - yes * 400
    assert proven_cents(terminal.entries()) == yes * 400


def test_the_result_stays_until_somebody_says_so(terminal, card):
    terminal.press("1#")
    terminal.hold(card)
    assert terminal.hold(card)[0] == "showing"
    assert purses_of(card)[CENTS] == 1600


def test_the_last_tap_can_be_put_back_once(terminal, card):
    terminal.tap(card)
    assert terminal.tap(card, "A")[1] == "01"
    assert purses_of(card)[CENTS] == 2000
    assert terminal.tap(card, "A")[1] == "26"
    assert proven_cents(terminal.entries()) == 0


def test_another_pass_gets_nothing_back(terminal, card):
    stranger, _ = make_pass(uid=b"\x04\x99\x99\x99\x99\x99\x99")
    terminal.tap(card)
    assert terminal.tap(stranger, "A")[1] == "26"
    assert (purses_of(card)[CENTS], purses_of(stranger)[CENTS]) == (1600, 2000)


def test_nothing_is_put_back_after_the_pass_was_used_elsewhere(terminal, card, tmp_path):
    elsewhere = PcTerminal(tmp_path / "other", terminal=102)
    terminal.tap(card)
    elsewhere.tap(card)
    assert terminal.tap(card, "A")[1] == "26"
    assert purses_of(card)[CENTS] == 1200


@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("exchange", range(1, EXCHANGES_PER_TAP + 2))
def test_a_pass_pulled_away_mid_tap_is_charged_once(terminal, card, exchange, executed):
    card.tear_after(exchange, executed)
    terminal.press("1#")
    first = terminal.hold(card)
    if first[1] == "10":
        assert first[0] == "armed"
        assert terminal.hold(card)[1] == "00"
    terminal.press("#")
    entries = terminal.entries()
    assert purses_of(card)[CENTS] == 1600
    assert proven_cents(entries) == 400
    assert in_doubt(entries) == []


@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
def test_a_terminal_that_loses_power_at_the_commit_charges_once(terminal, card, executed):
    card.tear_after(EXCHANGES_PER_TAP, executed)
    terminal.press("1#")
    # The power goes while the answer to the commit is on its way: nothing after the intent reaches the flash.
    terminal.book.journal.in_doubt = lambda doubt: None
    terminal.hold(card)
    terminal.boot()
    assert [entry.outcome for entry in terminal.entries()] == [IN_DOUBT]
    assert terminal.tap(card)[1] == "00"
    entries = terminal.entries()
    assert purses_of(card)[CENTS] == 1600
    assert proven_cents(entries) == 400
    assert in_doubt(entries) == []


@pytest.mark.parametrize("restart", [False, True], ids=["", "restart"])
@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
def test_a_torn_pass_that_comes_back_much_later_the_same_day_is_charged_once(terminal, card, executed, restart):
    card.tear_after(EXCHANGES_PER_TAP, executed)
    terminal.press("1#")
    terminal.hold(card)
    terminal.press("*")
    others = [make_pass(uid=bytes([4, 2, 2, 2, 2, 2, number]))[0] for number in range(5)]
    for _ in range(5):
        assert [terminal.tap(other)[1] for other in others] == ["00"] * 5
    if restart:
        terminal.boot()
    assert terminal.tap(card)[1] == "00"
    assert purses_of(card)[CENTS] == 1600
    entries = terminal.entries()
    assert proven_cents(entries) == 26 * 400
    assert in_doubt(entries) == []
    terminal.boot()
    assert terminal.book.journal.doubts == 0


def test_more_doubts_than_fit_are_all_handed_in_and_the_latest_settled(terminal):
    cards = [make_pass(uid=bytes([4, 3, 3, 3, 3, 3, number]), loads={CENTS: 2000})[0] for number in range(20)]
    for one in cards:
        one.tear_after(EXCHANGES_PER_TAP, True)
        terminal.press("1#")
        terminal.hold(one)
        terminal.press("*")
    terminal.boot()
    assert len(in_doubt(terminal.entries())) == 20
    for one in cards[4:]:
        assert terminal.tap(one)[1] == "00"
    assert len(in_doubt(terminal.entries())) == 4
    assert proven_cents(terminal.entries()) == 16 * 400
    assert [purses_of(one)[CENTS] for one in cards] == [1600] * 20


def test_a_reversal_that_is_torn_gives_back_once(terminal, card):
    terminal.tap(card)
    card.tear_after(10, True)
    terminal.press("A")
    assert terminal.hold(card)[1] == "10"
    assert terminal.hold(card)[1] == "01"
    assert purses_of(card)[CENTS] == 2000
    assert proven_cents(terminal.entries()) == 0


@pytest.mark.parametrize("taps", [1, 2, 3])
@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("keys", ["2#399#", "2#401#", "3#1000#", "5#"])
def test_a_torn_tap_that_another_terminal_overtook_is_charged_at_most_once(terminal, tmp_path, keys, taps, executed):
    """Where nobody can tell any more, the guest has the benefit of the doubt, and the vault the last word."""
    card, _ = make_pass(loads={CENTS: 5000, VISITS: 10})
    card.tear_after(EXCHANGES_PER_TAP, executed)
    terminal.press("1#")
    terminal.hold(card)
    terminal.press("*")
    elsewhere = PcTerminal(tmp_path / "other", terminal=102)
    for _ in range(taps):
        assert elsewhere.tap(card, keys)[1] == "00"
    before = purses_of(card)[CENTS]
    assert terminal.tap(card)[1] == "00"
    there, here = proven_cents(elsewhere.entries()), proven_cents(terminal.entries())
    doubtful = 400 * len(in_doubt(terminal.entries()))
    charged_here = 5000 - purses_of(card)[CENTS] - there
    if taps + executed == 1:
        # What the pass would give back tells the two apart, so it is as if nobody had come in between.
        assert (charged_here, here, doubtful) == (400, 400, 0)
    else:
        assert purses_of(card)[CENTS] == before
        assert (charged_here, here, doubtful) == (400 * executed, 0, 400)
        assert terminal.tap(card)[1] == "00"
        assert purses_of(card)[CENTS] == before - 400


def test_the_same_amount_of_the_same_purse_elsewhere_looks_like_the_torn_tap_and_is_not_proven(
    terminal, card, tmp_path
):
    card.tear_after(EXCHANGES_PER_TAP, False)
    terminal.press("1#")
    terminal.hold(card)
    terminal.press("*")
    elsewhere = PcTerminal(tmp_path / "other", terminal=102)
    elsewhere.tap(card)
    assert terminal.tap(card)[1] == "00"
    assert purses_of(card)[CENTS] == 1600
    (entry,) = final_outcomes(terminal.entries()).values()
    assert entry.outcome == COMMITTED
    assert not PROVER.prove(entry.clear_bytes + entry.sealed)[0].valid


@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
def test_a_torn_tap_of_yesterday_is_charged_again_today_and_its_end_is_left_to_the_vault(terminal, card, executed):
    card.tear_after(EXCHANGES_PER_TAP, executed)
    terminal.press("1#")
    terminal.hold(card)
    terminal.press("*")
    terminal.ask(link.BUNDLE, bundle(version=2, day=DAY + 1))
    assert terminal.tap(card)[1] == "00"
    assert purses_of(card)[CENTS] == 1600 - 400 * executed
    assert proven_cents(terminal.entries()) == 400
    assert len(in_doubt(terminal.entries())) == 1


def test_a_torn_reversal_that_another_terminal_overtook_is_told_apart(terminal, card, tmp_path):
    for executed in (False, True):
        terminal.tap(card, "2#300#")
        card.tear_after(EXCHANGES_PER_TAP, executed)
        terminal.press("A")
        assert terminal.hold(card)[1] == "10"
        terminal.press("*")
        elsewhere = PcTerminal(tmp_path / str(executed), terminal=102 + executed)
        elsewhere.tap(card, "2#100#")
        assert terminal.tap(card, "A")[1] in ("01", "26")
        entries = terminal.entries() + elsewhere.entries()
        assert in_doubt(terminal.entries()) == [] or executed
    assert 2000 - purses_of(card)[CENTS] >= proven_cents(entries)


def test_a_pass_that_taps_twice_by_accident_is_charged_once_and_shows_the_same(terminal, card):
    terminal.press("1#")
    first = terminal.hold(card)
    terminal.press("#1#")
    again = terminal.hold(card)
    assert (again[1], again[3]) == ("02", first[3])
    assert purses_of(card)[CENTS] == 1600


@pytest.mark.parametrize("other", ["another order", "later", "another day", "used elsewhere"])
def test_a_second_tap_that_is_no_accident_is_charged(terminal, card, tmp_path, other):
    terminal.press("1#")
    terminal.hold(card)
    terminal.press("*")
    if other == "later":
        terminal.seconds += 61
    if other == "another day":
        terminal.ask(link.BUNDLE, bundle(version=2, day=DAY + 1))
    if other == "used elsewhere":
        PcTerminal(tmp_path / "other", terminal=102).tap(card, "2#100#")
    terminal.press("2#300#" if other == "another order" else "1#")
    assert terminal.hold(card)[1] == "00"


def test_a_plug_that_is_pulled_before_anybody_saw_the_yes_costs_the_guest_nothing(terminal, card):
    terminal.press("1#")
    terminal.hold(card)
    terminal.boot()
    terminal.press("1#")
    assert terminal.hold(card)[1] == "02"
    assert purses_of(card)[CENTS] == 1600


def test_the_last_tap_can_be_put_back_after_a_restart(terminal, card):
    terminal.tap(card)
    terminal.boot()
    assert terminal.tap(card, "A")[1] == "01"
    terminal.boot()
    assert terminal.tap(card, "A")[1] == "26"
    assert purses_of(card)[CENTS] == 2000


def test_a_tap_is_put_back_on_its_own_day_only(terminal, card):
    """After it no terminal knows who tapped."""
    terminal.tap(card)
    terminal.ask(link.BUNDLE, bundle(version=2, day=DAY + 1))
    assert terminal.tap(card, "A")[1] == "26"
    assert purses_of(card)[CENTS] == 1600


def test_a_torn_tap_that_was_settled_is_not_charged_by_a_hold_too_many(terminal, card):
    """Where the tear came after the commit, the guest holds again and gets a yes; a third hold is an accident."""
    terminal.seconds += A_WHILE_S  # since it was switched on
    card.tear_after(EXCHANGES_PER_TAP, True)
    terminal.press("1#")
    assert terminal.hold(card)[1] == "10"
    assert terminal.hold(card)[1] == "00"
    terminal.press("*1#")
    assert terminal.hold(card)[1] == "02"
    assert purses_of(card)[CENTS] == 1600


def test_a_torn_tap_is_settled_and_another_order_charged(terminal, card):
    card.tear_after(EXCHANGES_PER_TAP, True)
    terminal.press("1#")
    terminal.hold(card)
    terminal.press("*")
    assert terminal.tap(card, "2#100#")[1] == "00"
    assert purses_of(card)[CENTS] == 1500
    assert proven_cents(terminal.entries()) == 500


def test_the_journal_goes_on_after_a_restart(terminal, card):
    for _ in range(3):
        terminal.tap(card)
        terminal.boot()
    entries = terminal.entries()
    assert [entry.clear.sequence for entry in entries] == [1, 2, 3]
    assert proven_cents(entries) == 1200


def test_an_unreadable_flash_stops_the_terminal_not_the_guest(terminal, card):
    terminal.press("1#")
    terminal.storage.failing = True
    assert terminal.hold(card)[1] == "31"
    terminal.press("#")
    terminal.storage.failing = False
    assert terminal.tap(card)[1] == "31"
    terminal.boot()
    assert terminal.tap(card)[1] == "00"
    assert purses_of(card)[CENTS] == 1600
    assert proven_cents(terminal.entries()) == 400


def test_voids_and_commits_have_one_last_word_each(terminal, card):
    card.tear_after(EXCHANGES_PER_TAP, False)
    terminal.press("1#")
    terminal.hold(card)
    terminal.hold(card)
    outcomes = [entry.outcome for entry in terminal.entries()]
    assert outcomes == [IN_DOUBT, VOID, COMMITTED]
    assert counter_of(card) == 4
    assert {entry.outcome for entry in final_outcomes(terminal.entries()).values()} == {VOID, COMMITTED}


def test_the_day_never_goes_back_and_old_keys_are_gone(terminal, card):
    terminal.tap(card)
    terminal.ask(link.BUNDLE, bundle(version=2, day=DAY + 2))
    terminal.tap(card)
    assert [entry.clear.day for entry in terminal.entries()] == [DAY, DAY + 2]
    assert proven_cents(terminal.entries()) == 800
    terminal.ask(link.BUNDLE, bundle(version=3, day=DAY))
    terminal.tap(card)
    assert terminal.entries()[-1].clear.day == DAY + 2
    assert proven_cents(terminal.entries()) == 1200


@pytest.mark.parametrize(
    ("kind", "content", "why"),
    [
        (link.BUNDLE, bundle(terminal=102), "not a bundle for terminal 101"),
        (link.BUNDLE, bundle()[:-1] + b"\x00", "not a bundle for terminal 101"),
        (link.BUNDLE, b"", "not a bundle for terminal 101"),
        (link.BUNDLE, bundle(version=0), "older"),
        (link.HOTLIST, hotlist()[:-1] + b"\x00", "not a hotlist of the city"),
        (link.HOTLIST, b"\x00", "not a hotlist of the city"),
        (link.HOTLIST, hotlist(version=0), "older"),
        (link.JOURNAL, b"\x01", "does not know"),
        (b"?", b"", "does not know"),
    ],
)
def test_what_the_host_may_not_bring(terminal, card, kind, content, why):
    assert why in terminal.refused(kind, content)
    assert terminal.tap(card)[1] == "00"


def test_a_terminal_without_keys_says_so(tmp_path, card):
    terminal = PcTerminal(tmp_path / "flash", provision=False)
    assert "provision it first" in terminal.refused(link.BUNDLE, bundle())
    assert terminal.press("1#")[2] == "Dit aanbod is er niet"


@pytest.mark.parametrize("name", ["bundle", "hotlist"])
def test_a_list_that_the_flash_spoilt_asks_for_a_sync(terminal, card, name):
    path = terminal.folder / name
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    terminal.boot()
    if name == "bundle":
        assert terminal.press("1#")[2] == "Dit aanbod is er niet"
    else:
        assert terminal.tap(card)[1] == "30"
    terminal.ask(link.BUNDLE, bundle())
    terminal.ask(link.HOTLIST, hotlist())
    assert terminal.tap(card)[1] == "00"


def test_a_reader_that_fails_says_so_once_and_works_again(terminal, card):
    screens = []
    show = terminal._show
    terminal.device.board.show = lambda *screen: screens.append(screen) or show(*screen)
    terminal.press("1#")
    reader = terminal.device.board.reader
    terminal.device.board.reader = Broken()
    for _ in range(4):
        terminal.device.turn()
    terminal.device.board.reader = reader
    assert [screen[1] for screen in screens].count("32") == 1
    assert terminal.hold(card)[1] == "00"


def test_a_reader_that_fails_once_wipes_nobodys_result_and_one_that_fails_longer_gives_it_back(terminal, card):
    terminal.press("1#")
    reader = terminal.device.board.reader
    asked = terminal.screen
    for turns, shown in ((1, asked[1]), (3, "32"), (1, "32")):
        terminal.device.board.reader = Broken()
        for _ in range(turns):
            terminal.device.turn()
        assert terminal.screen[1] == shown
    terminal.device.board.reader = reader
    terminal.device.turn()
    assert terminal.screen == asked
    terminal.device.board.reader = Broken()
    terminal.device.turn()
    assert terminal.screen == asked


class Broken:
    """A reader whose cable came loose."""

    def find_pass(self):
        raise ReaderError("the reader does not answer")
