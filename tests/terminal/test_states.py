"""What staff see and can press: every state with every key, the queue, the menu, and sentences that fit the screen."""

import textwrap

import pytest

from terminal.firmware import app, staff
from terminal.firmware.results import SAME_AGAIN, SENTENCES, Result
from terminal.firmware.shift import _WORDS
from tests.city import CENTS, CLOTHES, DAY, OFFERS, make_pass, purses_of, vault_of
from tests.terminal.state_table import BEGIN, COLUMNS, END, README, STATES, reached, table

LETTERS, LINES = 16, 3


# The states


def test_the_table_of_states_is_that_of_the_code():
    text = README.read_text()
    written = text[text.index(BEGIN) + len(BEGIN) : text.index(END)]
    assert written == table(), "write it with: python -m tests.terminal.state_table"


def test_every_state_that_can_be_reached_is_in_the_table():
    names = {state.__name__ for state in STATES}
    assert set().union(*(reached(state, column) for state in STATES for column in COLUMNS)) <= names
    assert {*app.READING, *app.WORKING, *app.TICKING} <= names


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_from_every_state_there_is_a_way_on(state):
    assert any(reached(state, column) for column in COLUMNS)


def test_no_key_reaches_a_pass_from_a_closed_shift():
    closed = (staff.choosing_pin, staff.repeating_pin, staff.opening, staff.waiting)
    for state in closed:
        for column in COLUMNS:
            assert not reached(state, column) & set(app.READING)


# What is said


def lines_of(sentence):
    return textwrap.wrap(sentence, LETTERS, break_long_words=False)


@pytest.mark.parametrize("code", list(SENTENCES))
def test_each_sentence_fits_the_screen_in_both_languages(code):
    for sentence in SENTENCES[code]:
        lines = lines_of(sentence)
        assert len(lines) <= LINES
        assert max(len(line) for line in lines) <= LETTERS


def test_each_code_says_something_of_its_own_in_both_languages():
    for language in (0, 1):
        said = [SENTENCES[code][language] for code in SENTENCES]
        assert len(set(said)) == len(said)
    assert all(dutch != english for dutch, english in (SENTENCES[code] for code in SENTENCES))


def test_every_word_is_there_in_both_languages_and_takes_the_same_amounts():
    for name in _WORDS:
        dutch, english = _WORDS[name]
        assert dutch.count("%s") == english.count("%s")
        assert dutch.count("%d") == english.count("%d")


def test_a_text_that_is_not_there_is_a_mistake():
    with pytest.raises(KeyError):
        SENTENCES["99"]
    assert "99" not in SENTENCES


def test_a_pass_that_is_not_yet_valid_is_told_from_one_that_has_expired(terminal):
    old, _ = make_pass(valid=(DAY - 9, DAY - 1))
    new, _ = make_pass(valid=(DAY + 1, DAY + 9))
    assert terminal.tap(old)[1:3] == ("22", "De pas is verlopen. Ga naar de balie")
    assert terminal.tap(new)[1:3] == ("27", "De pas is nog niet geldig")


def test_the_language_is_kept(terminal, card):
    assert terminal.press("D3")[2] == "Choose an offer and press #"
    assert terminal.tap(card)[2:] == ("Yes, accepted", "Left: € 16,00")
    terminal.boot()
    assert terminal.press("D3")[2] == "Kies een aanbod en druk #"


# A queue


def test_the_next_guest_of_a_queue_takes_one_key(terminal):
    guests = [make_pass(uid=bytes([4, 8, 8, 8, 8, 8, number]))[0] for number in range(3)]
    terminal.press("1#")
    for guest in guests:
        assert terminal.hold(guest)[:2] == ("showing", "00")
        assert terminal.press("#")[::3] == ("armed", "Zwemmen € 4,00")
    assert [purses_of(guest)[CENTS] for guest in guests] == [1600] * 3


def test_a_result_stays_and_the_reader_is_off_until_somebody_saw_it(terminal, card):
    terminal.press("1#")
    terminal.hold(card)
    for key in ("5", "A", "B", "C", "D"):
        assert terminal.press(key)[:2] == ("showing", "00")
    assert terminal.hold(card)[:2] == ("showing", "00")
    assert purses_of(card)[CENTS] == 1600


def test_a_typed_price_is_typed_again_for_the_next_guest(terminal, card):
    terminal.press("2#250#")
    terminal.hold(card)
    assert terminal.press("#")[::3] == ("pricing", "Kiosk")
    terminal.press("100#")
    terminal.hold(card)
    assert purses_of(card)[CENTS] == 1650


def test_a_star_leads_to_another_offer_and_a_reversal_to_the_choice(terminal, card):
    terminal.press("1#")
    terminal.hold(card)
    assert terminal.press("*")[0] == "choosing"
    terminal.press("A")
    assert terminal.hold(card)[1] == "01"
    assert terminal.press("#")[0] == "choosing"


def test_a_pass_that_came_twice_is_charged_again_when_staff_mean_it(terminal, card):
    """The till says that a pass comes twice; what staff then mean goes with the order."""
    orders, tap = [], terminal.book.till.tap

    def twice(transmit, order, *more):
        orders.append(order.once_more)
        return tap(transmit, order, *more) if order.once_more or not orders[:-1] else Result(SAME_AGAIN)

    terminal.book.till.tap = twice
    result = Result(SAME_AGAIN)
    terminal.press("1#")
    terminal.hold(card)
    result.record = terminal.entries()[0].clear
    terminal.book.till.tap = lambda transmit, order, *more: orders.append(order.once_more) or result
    terminal.press("#")
    assert terminal.hold(card)[1:3] == ("02", "Al betaald. Nog een keer? Druk B")
    terminal.book.till.tap = twice
    assert terminal.press("B")[0] == "armed"
    assert terminal.hold(card)[1] == "00"
    assert orders == [False, False, True]
    assert purses_of(card)[CENTS] == 1200


# Totals


def test_the_totals_of_a_day_count_each_unit_and_take_off_what_was_put_back(terminal, card):
    for keys in ("1#", "2#250#", "3#1000#", "5#"):
        terminal.tap(card, keys)
    terminal.tap(card, "1#")
    terminal.tap(card, "A")
    assert terminal.press("D2") == ("totals", "", "Vandaag: 3 keer", "€ 9,50")
    assert terminal.press("#")[2:] == ("Vandaag: 2 keer", "2 keer")
    assert terminal.press("#")[0] == "choosing"
    assert terminal.press("D2*")[0] == "choosing"


def test_a_day_without_taps_says_so(terminal):
    assert terminal.press("D2")[2] == "Vandaag nog niets"


def test_yesterday_is_not_in_the_totals(terminal, card):
    terminal.tap(card)
    terminal.days_on = 1
    terminal.tap(card, "2#100#")
    assert terminal.press("D2")[3] == "€ 1,00"


def test_taps_in_doubt_are_named_apart(terminal, card):
    terminal.tap(make_pass(uid=b"\x04\x09\x09\x09\x09\x09\x09")[0])
    card.tear_after(10, True)
    terminal.press("1#")
    terminal.hold(card)
    terminal.press("*")
    assert terminal.press("D2")[2:] == ("Vandaag: 1 keer", "€ 4,00")
    assert terminal.press("#")[2:] == ("Niet zeker: 1", "Houd die pas nog een keer tegen de lezer")
    terminal.press("*")
    terminal.tap(card)
    assert terminal.press("D2#")[0] == "choosing"


def test_totals_say_whose_they_are_when_there_is_more_than_one_municipality(terminal, card):
    village = vault_of(2, "F0E0D2", b"\x77" * 32)
    terminal.provision(7, village, offers=[{**OFFERS[0], "n": 91}], allowed=(CENTS, CLOTHES))
    other, _ = make_pass(uid=b"\x04\x77\x77\x77\x77\x77\x77", vault=village)
    terminal.tap(card)
    terminal.tap(other)
    terminal.tap(other)
    assert terminal.press("D2")[2:] == ("Gelredam: Vandaag: 1 keer", "€ 4,00")
    assert terminal.press("#")[2:] == ("Buurdorp: Vandaag: 2 keer", "€ 8,00")
