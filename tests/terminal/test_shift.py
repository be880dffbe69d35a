"""The PIN that opens a shift: what it keeps closed, what a wrong one costs, and what becomes of a forgotten one."""

import json
from datetime import date

import pytest

from keys.custody import rotate
from terminal.firmware import flash as flash_module
from terminal.firmware import link
from tests.city import CENTS, DAY, PIN, PcTerminal, bundle, device_file, hotlist, lease, purses_of, vault_of
from tests.terminal.test_leases import PlugPulled, Power, candidates, cut_after_removals, on_flash, opens, spoil

ROOT = b"\x5a" * 32
TAP_KEY = "tap"


@pytest.fixture
def vault():
    return vault_of()


@pytest.fixture
def terminal(tmp_path, vault):
    """A terminal in the middle of a shift."""
    return PcTerminal(tmp_path / "flash", vault=vault, valid=(DAY - 1, DAY + 90))


@pytest.fixture
def blank(tmp_path, vault):
    """A device that was never switched on."""
    made = PcTerminal(tmp_path / "flash", provision=False, vault=vault)
    made.ask(link.FORGET_PIN)
    return made


def shift_of(terminal):
    return terminal.about()["shift"]


def wait(terminal, seconds):
    terminal.seconds += seconds
    terminal.device.turn()
    return terminal.screen


# The first PIN


def test_the_first_opening_sets_the_pin(blank):
    assert blank.screen == ("choosing_pin", "", "Kies een PIN van 4 tot 8 cijfers en druk #", "")
    assert blank.press("81#")[2] == "Kies een PIN van 4 tot 8 cijfers en druk #"
    assert blank.press("8149")[2:] == ("••••", "")
    assert blank.press("#") == ("repeating_pin", "", "Typ de PIN nog een keer en druk #", "")
    assert blank.press("8149#") == ("choosing", "46", "De nieuwe PIN is bewaard", "Kies een aanbod en druk #")
    blank.switch_on()
    assert blank.press("8149#")[:2] == ("choosing", "40")


@pytest.mark.parametrize("pin", ["0000", "1234", "11111", "99999999", "0123456", "4567"])
def test_a_pin_that_anybody_tries_first_is_not_taken(blank, pin):
    assert blank.press(f"{pin}#")[:3] == ("choosing_pin", "44", "Kies een andere PIN. Deze is te makkelijk")


def test_a_pin_of_eight_digits_is_whole_and_a_ninth_is_not_typed(blank):
    blank.press("135792468#13579246#")
    blank.switch_on()
    assert blank.press("1357924#")[1] == "42"
    assert blank.press("13579246#")[1] == "40"


def test_a_pin_that_is_repeated_wrong_is_chosen_again(blank):
    assert blank.press("8149#8194#")[:3] == ("choosing_pin", "45", "De PIN was niet twee keer gelijk")
    assert blank.press("8149#*")[0] == "choosing_pin"
    assert blank.press("8149#8149#")[0] == "choosing"


# What is closed without it


def test_without_the_pin_there_is_no_tap_no_menu_and_no_reader(terminal, card):
    terminal.switch_on()
    for keys in ("1#", "A", "D", "*", "2#100#"):
        terminal.press(keys)
        assert terminal.hold(card)[0] in ("opening", "waiting")
        terminal.switch_on()
    assert purses_of(card)[CENTS] == 2000
    assert terminal.device.books[0].keys.tap_keys == []


def test_the_card_keys_are_not_on_the_flash_until_somebody_knows_the_pin(terminal, vault):
    on_the_flash = candidates(terminal, 16)
    for name in ("lookup_keys", "tap_keys"):
        (key,) = vault.terminal_keys(101)[name]
        assert bytes.fromhex(key) not in on_the_flash
    assert any(opens_cards(terminal, key) for key in [terminal.device.shift.key])
    flash_and_no_pin = candidates(terminal, 32)
    assert not any(opens_cards(terminal, key) for key in flash_and_no_pin)


def opens_cards(terminal, key):
    sealed = (terminal.folder / "cards").read_bytes()[16:-4]
    return opens(key, [b"cards\x01\x00"], sealed)


def test_closing_the_shift_forgets_the_keys(terminal, card):
    assert terminal.press("D") == ("menu", "", "1 Dienst sluiten  2 Totalen", "3 English  4 Nieuwe PIN")
    assert terminal.press("1") == ("opening", "41", "De dienst is gesloten", "Typ de PIN en druk #")
    assert (terminal.book.keys.lookup_keys, terminal.book.keys.tap_keys) == ([], [])
    assert not terminal.device.shift.is_open
    assert shift_of(terminal) == "closed"
    terminal.press(f"{PIN}#")
    assert terminal.tap(card)[1] == "00"


# Wrong PINs


def test_three_wrong_pins_cost_a_wait_that_doubles_up_to_a_quarter_of_an_hour(terminal):
    terminal.switch_on()
    assert terminal.press("1111#")[:3] == ("opening", "42", "Dit is niet de goede PIN")
    assert terminal.press("2222#")[0] == "opening"
    for seconds in (30, 60, 120, 240, 480, 900, 900):
        assert terminal.press("3333#")[:2] == ("waiting", "43") or terminal.screen[0] == "waiting"
        wait(terminal, 1)
        assert terminal.screen[2] == f"Wacht {seconds - 1} seconden"
        assert wait(terminal, seconds - 2)[0] == "waiting"
        assert wait(terminal, 1)[0] == "opening"
    assert terminal.press(f"{PIN}#")[0] == "choosing"
    terminal.switch_on()
    assert terminal.press("1111#")[0] == "opening"


def test_no_key_counts_while_it_waits(terminal):
    terminal.switch_on()
    terminal.press("1111#1111#1111#")
    assert terminal.press(f"{PIN}#")[0] == "waiting"


def test_pulling_the_plug_makes_no_wait_shorter_and_forgets_no_count(terminal):
    terminal.switch_on()
    for _ in range(3):
        assert terminal.press("1111#")[0] == ("opening" if (terminal.flash / "lock").read_bytes()[8] < 3 else "waiting")
        terminal.seconds = 0
        terminal.switch_on()
    assert wait(terminal, 29)[0] == "waiting"
    assert wait(terminal, 1)[0] == "opening"


@pytest.mark.parametrize("done", [False, True])
def test_a_plug_pulled_while_a_pin_is_tried_counts_as_a_wrong_one(terminal, monkeypatch, done):
    terminal.switch_on()
    for _ in range(3):
        with monkeypatch.context() as patch:
            Power(patch, 1 if done else 2, done)
            with pytest.raises(PlugPulled):
                terminal.press(f"{PIN}#")
        terminal.keys.clear()
        terminal.switch_on()
    assert terminal.screen[0] == "waiting"
    wait(terminal, 30)
    assert terminal.press(f"{PIN}#")[0] == "choosing"


def test_a_flash_that_does_not_take_the_count_opens_nothing(terminal, monkeypatch):
    terminal.switch_on()
    with monkeypatch.context() as patch:
        patch.setattr(flash_module.os, "rename", full)
        assert terminal.press(f"{PIN}#")[:2] == ("opening", "31")
    assert shift_of(terminal) == "closed"
    assert terminal.press(f"{PIN}#")[0] == "choosing"


def full(old, new):
    raise OSError(28)


# Another PIN


def test_another_pin_takes_the_old_one_first(terminal, card):
    assert terminal.press("D4") == ("opening", "", "Typ de PIN en druk #", "")
    assert terminal.press("*")[0] == "choosing"
    assert terminal.press(f"D4{PIN}#")[0] == "choosing_pin"
    assert terminal.press("*")[0] == "choosing"
    assert terminal.press(f"D4{PIN}#8149#8149#")[:2] == ("choosing", "46")
    assert terminal.tap(card)[1] == "00"
    terminal.switch_on()
    assert terminal.press(f"{PIN}#")[1] == "42"
    assert terminal.press("8149#")[1] == "40"
    assert terminal.tap(card)[1] == "00"


def test_who_does_not_know_the_old_pin_ends_in_a_closed_shift(terminal):
    assert terminal.press("D41111#")[:2] == ("opening", "42")
    assert shift_of(terminal) == "closed"
    assert terminal.press("*")[0] == "opening"


@pytest.mark.parametrize("done", [False, True])
def test_a_power_cut_while_a_pin_is_changed_leaves_the_old_one_or_the_new(terminal, card, monkeypatch, done):
    terminal.press(f"D4{PIN}#8149#814")
    with monkeypatch.context() as patch:
        Power(patch, 1, done)
        with pytest.raises(PlugPulled):
            terminal.press("9#")
    terminal.keys.clear()
    terminal.switch_on()
    assert terminal.press("8149#" if done else f"{PIN}#")[0] == "choosing"
    assert terminal.tap(card)[1] == "00"


@pytest.mark.parametrize("done", [False, True])
def test_a_power_cut_at_the_first_pin_leaves_none_or_that_one(blank, monkeypatch, done):
    blank.press("8149#814")
    with monkeypatch.context() as patch:
        Power(patch, 1, done)
        with pytest.raises(PlugPulled):
            blank.press("9#")
    blank.keys.clear()
    blank.switch_on()
    assert blank.screen[0] == ("opening" if done else "choosing_pin")
    assert blank.press("8149#" if done else "8149#8149#")[0] == "choosing"


def test_a_flash_that_does_not_take_a_new_pin_keeps_the_old_one(terminal, card, monkeypatch):
    terminal.press(f"D4{PIN}#8149#")
    with monkeypatch.context() as patch:
        patch.setattr(flash_module.os, "rename", full)
        assert terminal.press("8149#")[:2] == ("choosing_pin", "31")
    terminal.press("*")
    assert terminal.tap(card)[1] == "00"
    terminal.switch_on()
    assert terminal.press(f"{PIN}#")[0] == "choosing"


# Keys that come


def rotated(vault, *purposes):
    for purpose in purposes:
        rotate(ROOT, vault.register, vault.store, purpose, date(2027, 6, 30))


def test_a_lease_with_the_same_card_keys_is_taken_while_the_shift_is_closed(terminal, vault, card):
    terminal.switch_on()
    terminal.renew(DAY + 2)
    terminal.ask(link.BUNDLE, bundle(version=2))
    terminal.ask(link.HOTLIST, hotlist(version=2))
    assert terminal.about()["lease_until"] == DAY + 32
    terminal.press(f"{PIN}#")
    assert terminal.tap(card)[1] == "00"


@pytest.mark.parametrize("purpose", ["lookup", "tap"])
def test_a_lease_with_new_card_keys_waits_for_the_shift_and_loses_nothing(terminal, vault, card, purpose):
    rotated(vault, purpose)
    terminal.switch_on()
    before, new = on_flash(terminal), lease(terminal.about(), vault=vault)
    why = "there are new card keys: open the shift with the PIN first, and sync again"
    assert terminal.refused(link.LEASE, new) == why
    assert on_flash(terminal) == before
    terminal.press(f"{PIN}#")
    assert terminal.tap(card)[1] == "00"
    terminal.ask(link.LEASE, new)
    assert terminal.tap(card)[1] == "00"
    terminal.boot()
    assert terminal.tap(card)[1] == "00"


def test_a_journal_is_handed_in_while_the_shift_is_closed(terminal, card):
    terminal.tap(card)
    terminal.switch_on()
    assert len(terminal.entries()) == 1


def test_no_card_key_comes_before_the_first_pin(blank, vault):
    blank.ask(link.DEVICE, device_file(blank.about(), vault=vault))
    first = lease(blank.about(), vault=vault)
    assert "open the shift" in blank.refused(link.LEASE, first)
    blank.press(f"{PIN}#{PIN}#")
    blank.ask(link.LEASE, first)


def test_card_keys_that_the_flash_spoilt_come_again_with_the_next_lease(terminal, vault, card):
    spoil(terminal, "cards")
    assert terminal.tap(card)[1] == "30"
    terminal.renew()
    assert terminal.tap(card)[1] == "00"


def test_a_pin_that_the_flash_spoilt_is_chosen_again_and_a_lease_brings_the_card_keys(terminal, card):
    path = terminal.flash / "lock"
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    terminal.switch_on()
    assert terminal.screen[0] == "choosing_pin"
    terminal.press("8149#8149#")
    assert terminal.tap(card)[1] == "30"
    terminal.renew()
    assert terminal.tap(card)[1] == "00"


# A PIN that nobody knows


def test_a_forgotten_pin_takes_the_card_keys_with_it_and_leaves_the_records(terminal, vault, card):
    terminal.tap(card)
    terminal.ask(link.FORGET_PIN, issuer=0)
    assert terminal.screen[:2] == ("choosing_pin", "")
    assert not (terminal.folder / "cards").exists()
    assert len(terminal.entries()) == 1
    assert "open the shift" in terminal.refused(link.LEASE, lease(terminal.about(), vault=vault))
    terminal.press("8149#8149#")
    assert terminal.tap(card)[1] == "30"
    terminal.renew()
    assert terminal.tap(card)[1] == "00"


def test_a_thief_who_wipes_the_pin_of_a_revoked_terminal_gets_no_card_keys(terminal, vault, card):
    vault.register.terminals["101"].revoked_on = "2026-11-21"
    terminal.ask(link.FORGET_PIN, issuer=0)
    terminal.press("8149#8149#")
    with pytest.raises(Exception, match="revoked"):
        lease(terminal.about(), vault=vault)
    assert terminal.tap(card)[1] == "30"


@pytest.mark.parametrize("cut", [1, 2])
def test_a_power_cut_while_a_pin_is_forgotten_leaves_a_terminal_that_can_go_on(terminal, card, monkeypatch, cut):
    with monkeypatch.context() as patch:
        cut_after_removals(patch, cut)
        with pytest.raises(PlugPulled):
            terminal.device.answer(link.FORGET_PIN, 0, b"")
    terminal.boot()
    assert terminal.tap(card)[1] == "30"
    terminal.renew()
    assert terminal.tap(card)[1] == "00"
    terminal.boot()
    assert terminal.tap(card)[1] == "00"


def test_a_terminal_says_whether_it_has_a_pin_and_an_open_shift(blank):
    assert json.loads(blank.ask(link.HELLO))["pin"] is False
    blank.press(f"{PIN}#{PIN}#")
    about = json.loads(blank.ask(link.HELLO))
    assert (about["pin"], about["shift"]) == (True, "open")
