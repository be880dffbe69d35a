"""How a terminal gets its keys, and what it does when they are wrong, torn, rotated or at their end."""

import json
import os
from datetime import date

import pytest

from card.batch import FIRST_MAC, IN_DOUBT, link_key, open_batch
from card.errors import BadBatch, CardError
from card.lease import WrappingKey, wrap
from card.sealing import SealingKey
from card.siv import siv_decrypt
from card.wire import uint
from keys.custody import rotate
from terminal.firmware import flash as flash_module
from terminal.firmware import link
from tests.city import (
    CENTS,
    DAY,
    TERMINAL,
    PcTerminal,
    bundle,
    device_file,
    hotlist,
    in_doubt,
    lease,
    make_pass,
    proven_cents,
    purses_of,
    vault_of,
)

COMMIT = 10
LAST_DAY = DAY + 30
NEW_YEARS_EVE = DAY + 40
ROOT = b"\x5a" * 32


@pytest.fixture
def vault():
    """The city's vault, for one test alone: it may rotate keys and revoke terminals."""
    return vault_of()


@pytest.fixture
def blank(tmp_path, vault):
    """A device that was never switched on."""
    return PcTerminal(tmp_path / "flash", provision=False, vault=vault)


@pytest.fixture
def terminal(tmp_path, vault):
    return PcTerminal(tmp_path / "flash", vault=vault, valid=(DAY - 1, DAY + 90))


def on_flash(terminal):
    return {str(path): path.read_bytes() for path in sorted(terminal.flash.rglob("*")) if path.is_file()}


# Who a device is


def test_a_device_makes_its_own_number_once(blank, tmp_path, vault):
    about = blank.about()
    assert (about["terminal"], about["lease"], about["books"]) == (None, 0, [])
    assert len(bytes.fromhex(about["device"])) == 8
    blank.boot()
    assert blank.about() == about
    assert PcTerminal(tmp_path / "other", provision=False).about()["device"] != about["device"]


def test_a_terminal_says_until_when_its_keys_are_good(terminal):
    about = terminal.about()
    assert (about["terminal"], about["lease"], about["day"], about["lease_until"]) == (TERMINAL, 1, DAY, LAST_DAY)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"device": "00" * 8}, "the device file is for another device"),
        ({"device": "00"}, "something else than a device"),
        ({"device": 7}, "something else than a device"),
        ({"terminal": 0}, "something else than a terminal"),
        ({"terminal": 1 << 32}, "something else than a terminal"),
        ({"terminal": "101"}, "something else than a terminal"),
        ({"wrapping_key": "00" * 15}, "something else than a wrapping_key"),
        ({"wrapping_key": "zz" * 16}, "something else than a wrapping_key"),
        ({"wrapping_key": None}, "lacks wrapping_key"),
        ({"device": None}, "lacks device"),
        ({"terminal": None}, "lacks terminal"),
        ({"issuer": None}, "lacks issuer"),
        ({"issuer": 65536}, "something else than a issuer"),
        ({"note": "x" * 500}, "this is not a device file"),
    ],
)
def test_a_device_file_that_is_refused(blank, vault, changes, why):
    found = {**json.loads(device_file(blank.about(), vault=vault)), **changes}
    paper = json.dumps({name: value for name, value in found.items() if value is not None})
    before = on_flash(blank)
    assert why in blank.refused(link.DEVICE, paper.encode())
    assert on_flash(blank) == before


@pytest.mark.parametrize("paper", [b"", b"{", b"[]", b"\xff", b"101", b"[" * 16000])
def test_what_is_no_device_file_at_all(blank, paper):
    assert blank.refused(link.DEVICE, paper) == "this is not a device file"


def test_a_device_has_one_wrapping_key_in_its_life(terminal, vault, card):
    paper = device_file(terminal.about(), vault=vault)
    refused = "this terminal has a wrapping key already; reset it before it gets another"
    assert terminal.refused(link.DEVICE, paper) == refused
    terminal.boot()
    assert terminal.refused(link.DEVICE, paper) == refused
    assert terminal.tap(card)[1] == "00"


def test_a_device_whose_number_the_flash_spoilt_is_enrolled_again_and_goes_on(terminal, vault, card):
    assert terminal.tap(card)[1] == "00"
    spoil(terminal, "device")
    assert terminal.tap(card)[1] == "30"
    assert "provision it first" in terminal.refused(link.LEASE, lease(terminal.about(), vault=vault))
    other = device_file(terminal.about(), terminal=102, vault=vault)
    assert terminal.refused(link.DEVICE, other) == "this is terminal 101; reset it before it becomes another"
    terminal.ask(link.DEVICE, device_file(terminal.about(), vault=vault))
    terminal.boot()
    terminal.ask(link.LEASE, lease({"lease": 0}, vault=vault))
    assert terminal.tap(card)[1] == "00"
    assert proven_cents(terminal.entries()) == 800


def spoil(terminal, name):
    path = (terminal.flash if name == "device" else terminal.folder) / name
    content = path.read_bytes()
    path.write_bytes(content[:5] + bytes([content[5] ^ 1]) + content[6:])
    terminal.boot()


# Leases that are refused


def test_without_its_wrapping_key_a_device_opens_no_lease(blank, vault):
    device_file(blank.about(), vault=vault)
    refused = blank.refused(link.LEASE, lease(blank.about(), vault=vault))
    assert refused == "this terminal does not serve municipality 1; provision it first"
    assert "provision it first" in blank.refused(link.BUNDLE, bundle())


def for_another_terminal(about, vault, good):
    vault.register.terminals["102"] = vault.register.terminals[str(TERMINAL)]
    return lease(about, terminal=102, vault=vault)


def for_another_device(about, vault, good):
    device_file({"device": "11" * 8}, vault=vault)
    return lease(about, vault=vault)


def for_another_device_with_our_header(about, vault, good):
    return good[:20] + for_another_device(about, vault, good)[20:]


def already_taken(about, vault, good):
    return lease({"lease": about["lease"] - 1}, vault=vault)


def one_too_far(about, vault, good):
    return lease({"lease": about["lease"] + 1}, vault=vault)


def with_another_number_written_over_it(about, vault, good):
    return good[:16] + uint(about["lease"], 4) + one_too_far(about, vault, good)[20:]


@pytest.mark.parametrize(
    ("bring", "why"),
    [
        (for_another_terminal, "for another terminal"),
        (for_another_device, "for another terminal"),
        (for_another_device_with_our_header, "not made for this device, or were altered"),
        (already_taken, "these keys are number 0, and 1 is next"),
        (one_too_far, "these keys are number 2, and 1 is next"),
        (with_another_number_written_over_it, "not made for this device, or were altered"),
        (lambda about, vault, good: good[:-1], "altered"),
        (lambda about, vault, good: good + b"\x00", "altered"),
        (lambda about, vault, good: good[:36], "altered"),
        (lambda about, vault, good: good[:35], "not a lease of version 1"),
        (lambda about, vault, good: b"", "not a lease of version 1"),
        (lambda about, vault, good: good[:2] + b"\x02" + good[3:], "not a lease of version 1"),
        (lambda about, vault, good: good[:3] + b"\x01" + good[4:], "not a lease of version 1"),
    ],
)
def test_a_lease_that_is_refused_changes_nothing(terminal, vault, card, bring, why):
    about, before = terminal.about(), on_flash(terminal)
    good = lease(about, vault=vault)
    assert why in terminal.refused(link.LEASE, bring(about, vault, good))
    assert (terminal.about(), on_flash(terminal)) == (about, before)
    assert terminal.tap(card)[1] == "00"
    terminal.ask(link.LEASE, good)


def test_a_lease_with_any_byte_altered_is_refused(terminal, vault):
    good, before = lease(terminal.about(), vault=vault), on_flash(terminal)
    for at in range(len(good)):
        terminal.refused(link.LEASE, good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :])
    assert on_flash(terminal) == before


def test_a_lease_counts_once(terminal, vault):
    good = lease(terminal.about(), vault=vault)
    terminal.ask(link.LEASE, good)
    assert terminal.refused(link.LEASE, good) == "these keys are number 1, and 2 is next"
    terminal.boot()
    assert terminal.refused(link.LEASE, good) == "these keys are number 1, and 2 is next"


NAMES = ("terminal", "issuer", "aid", "day", "link_key", "hotlist_key", "lookup_keys", "tap_keys", "signers", "sealing")
STATE = "00" * 16


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        *[({name: None}, f"the lease lacks {name}") for name in NAMES],
        ({"terminal": 102}, "for another terminal"),
        ({"terminal": -1}, "else than a terminal"),
        ({"issuer": 0}, "else than a issuer"),
        ({"issuer": 65536}, "else than a issuer"),
        ({"aid": "F0E0D"}, "else than a aid"),
        ({"aid": "0xE0D1"}, "else than a aid"),
        ({"aid": 7}, "else than a aid"),
        ({"day": 65536}, "else than a day"),
        ({"day": "2516"}, "else than a day"),
        ({"link_key": "00" * 17}, "else than a link_key"),
        ({"hotlist_key": "00" * 16}, "else than a hotlist_key"),
        ({"lookup_keys": []}, "else than a lookup_keys"),
        ({"lookup_keys": STATE}, "else than a lookup_keys"),
        ({"lookup_keys": [STATE] * 9}, "else than a lookup_keys"),
        ({"tap_keys": ["00" * 15]}, "else than a tap_keys"),
        ({"tap_keys": [7]}, "else than a tap_keys"),
        ({"signers": []}, "else than a signers"),
        ({"signers": [STATE]}, "else than a signers"),
        ({"sealing": []}, "else than a sealing"),
        ({"sealing": [[STATE, DAY, DAY]] * 3}, "else than a sealing"),
        ({"sealing": [[STATE, DAY]]}, "else than a sealing"),
        ({"sealing": [["00", DAY, DAY]]}, "else than a sealing"),
        ({"sealing": [[STATE, DAY, 65536]]}, "else than a sealing"),
        ({"sealing": [[STATE, DAY, DAY - 1]]}, "ends before it begins"),
        ({"sealing": [[STATE, DAY, DAY + 1], [STATE, DAY + 1, DAY + 9]]}, "the day after the one before"),
        ({"sealing": [[STATE, DAY, DAY + 1], [STATE, DAY + 3, DAY + 9]]}, "the day after the one before"),
        ({"sealing": [[STATE, DAY - 9, DAY - 1]]}, "end before today"),
        ({"release": 2}, "not the release"),
        ({"release": {"version": 2}}, "lacks sha256"),
        ({"release": {"version": 2, "sha256": "00" * 31}}, "else than a sha256"),
        ({"release": {"version": 0, "sha256": "00" * 32}}, "else than a version"),
        ({"release": {"version": "2", "sha256": "00" * 32}}, "else than a version"),
    ],
)
def test_what_a_lease_may_not_say(terminal, vault, card, changes, why):
    content = {**vault.terminal_keys(TERMINAL), **changes}
    content = {name: value for name, value in content.items() if value is not None}
    before = on_flash(terminal)
    assert why in terminal.refused(link.LEASE, wrapped(terminal, vault, json.dumps(content).encode()))
    assert on_flash(terminal) == before
    assert terminal.tap(card)[1] == "00"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_a_lease_that_is_not_json_is_refused(terminal, vault, content):
    assert terminal.refused(link.LEASE, wrapped(terminal, vault, content)) == "this is not the lease"


def wrapped(terminal, vault, content):
    """A lease that the vault did wrap, whatever it says."""
    about = terminal.about()
    device = bytes.fromhex(about["device"])
    wrapping = vault.wrapping_key(TERMINAL, device)
    for _ in range(about["lease"]):
        wrapping.step()
    return wrap(wrapping, TERMINAL, device, content)


# A power cut in the middle


class PlugPulled(BaseException):
    """Not an Exception: nothing in the application may catch it."""


class Power:
    """Stands for `os` where files are replaced: the power goes before or after the given replacement."""

    def __init__(self, monkeypatch, cut, done):
        self._os, self._left, self._done = flash_module.os, cut, done
        monkeypatch.setattr(flash_module, "os", self)

    def __getattr__(self, name):
        return getattr(self._os, name)

    def rename(self, old, new):
        self._left -= 1
        if self._left == 0 and not self._done:
            raise PlugPulled
        self._os.rename(old, new)
        if self._left == 0:
            raise PlugPulled


def cut_after_removals(patch, count):
    """The power goes after so many files were removed."""
    remove, left = os.remove, [count]

    def removed(path):
        remove(path)
        left[0] -= 1
        if not left[0]:
            raise PlugPulled

    patch.setattr(os, "remove", removed)


WRITES = 3
CUTS = [(cut, done) for cut in range(1, WRITES + 1) for done in (False, True)]


def cut_while(terminal, monkeypatch, cut, done, kind, content):
    with monkeypatch.context() as patch:
        Power(patch, cut, done)
        with pytest.raises(PlugPulled):
            terminal.ask(kind, content)
    terminal.boot()


@pytest.mark.parametrize(("cut", "done"), CUTS)
def test_a_power_cut_while_keys_are_renewed_loses_nothing(terminal, vault, card, monkeypatch, cut, done):
    terminal.tap(card)
    cut_while(terminal, monkeypatch, cut, done, link.LEASE, lease(terminal.about(), day=DAY + 2, vault=vault))
    assert terminal.about()["lease"] == (2 if (cut, done) >= (2, True) else 1)
    assert terminal.tap(card)[1] == "00"
    terminal.renew(DAY + 3)
    assert terminal.tap(card)[1] == "00"
    assert terminal.about()["lease_until"] == LAST_DAY + 3
    assert proven_cents(terminal.entries()) == 1200


@pytest.mark.parametrize(("cut", "done"), [*CUTS, (WRITES + 1, False), (WRITES + 1, True)])
def test_a_power_cut_while_the_first_keys_come_loses_nothing(blank, vault, card, monkeypatch, cut, done):
    blank.ask(link.DEVICE, device_file(blank.about(), vault=vault))
    first = lease(blank.about(), vault=vault)
    cut_while(blank, monkeypatch, cut, done, link.LEASE, first)
    if blank.about()["lease"] == 0:
        blank.ask(link.LEASE, first)
    blank.ask(link.BUNDLE, bundle())
    blank.ask(link.HOTLIST, hotlist())
    assert blank.tap(card)[1] == "00"
    assert proven_cents(blank.entries()) == 400


@pytest.mark.parametrize("done", [False, True])
def test_a_power_cut_while_a_device_is_enrolled_leaves_it_new_or_enrolled(blank, vault, monkeypatch, done):
    about = blank.about()
    cut_while(blank, monkeypatch, 1, done, link.DEVICE, device_file(about, vault=vault))
    assert blank.about()["device"] == about["device"]
    assert blank.about()["enrolled"] == done


@pytest.mark.parametrize("full", range(1, WRITES + 1))
def test_a_flash_that_is_full_refuses_new_keys_and_the_old_ones_work(terminal, vault, card, monkeypatch, full):
    class Full(Power):
        def rename(self, old, new):
            try:
                super().rename(old, new)
            except PlugPulled:
                raise OSError(28) from None

    with monkeypatch.context() as patch:
        Full(patch, full, False)
        assert "does not take" in terminal.refused(link.LEASE, lease(terminal.about(), vault=vault))
    assert terminal.tap(card)[1] == "00"
    terminal.renew()
    assert terminal.tap(card)[1] == "00"
    terminal.boot()
    assert terminal.tap(card)[1] == "00"
    assert proven_cents(terminal.entries()) == 1200


# What a thief finds


def windows(data, size):
    return {data[at : at + size] for at in range(len(data) - size + 1)}


def candidates(terminal, size):
    """Every run of `size` bytes on the flash, as it is and where it reads as hex digits."""
    found = set()
    for content in on_flash(terminal).values():
        found |= windows(content, size)
        for text in windows(content, 2 * size):
            try:
                found.add(bytes.fromhex(text.decode()))
            except ValueError:
                continue
    return found


def opens(key, associated, sealed):
    try:
        siv_decrypt(key, associated, sealed)
    except CardError:
        return False
    return True


def thief(terminal, records, leases):
    """How many of the records and recorded leases open with anything on the flash."""
    keys = candidates(terminal, 32)
    sealing, wrapping = set(keys), set(keys)
    for state in candidates(terminal, 16):
        sealing.add(SealingKey([(state, 0, 0)]).key())
        wrapping.add(WrappingKey(state).key())
    return (
        sum(any(opens(key, [record.clear_bytes], record.sealed) for key in sealing) for record in records),
        sum(any(opens(key, [one[:20]], one[20:]) for key in wrapping) for one in leases),
    )


@pytest.fixture
def past(terminal, vault, card):
    """A terminal with a day behind it: its records, and the lease that somebody recorded when it was brought."""
    recorded = lease({"lease": 0}, vault=vault)
    terminal.tap(card)
    return terminal.entries(), [recorded]


def test_the_search_of_the_flash_finds_what_is_there(past, terminal, vault):
    records, _ = past
    assert thief(terminal, records, [lease(terminal.about(), vault=vault)]) == (1, 1)


def test_the_next_day_opens_nothing_of_the_day_before(past, terminal, card):
    terminal.days_on = 1
    terminal.press("#")
    assert thief(terminal, *past) == (0, 0)
    assert terminal.tap(card)[1] == "00"


def test_new_keys_open_nothing_of_the_days_and_leases_before(past, terminal, vault):
    records, leases = past
    leases.append(lease(terminal.about(), day=DAY + 1, vault=vault))
    terminal.ask(link.LEASE, leases[-1])
    assert thief(terminal, records, leases) == (0, 0)


def test_keys_that_the_vault_made_long_ago_open_nothing_since(terminal, vault, card):
    leases = [lease(terminal.about(), vault=vault)]
    terminal.days_on = 3
    terminal.tap(card)
    terminal.days_on = 4
    terminal.ask(link.LEASE, leases[0])
    assert thief(terminal, terminal.entries(), leases) == (0, 0)
    terminal.tap(card)
    assert [entry.clear.day for entry in terminal.entries()] == [DAY + 3, DAY + 4]
    assert proven_cents(terminal.entries()) == 800


def test_a_lease_that_ended_opens_nothing_of_its_last_day(past, terminal):
    terminal.days_on = 31
    terminal.press("#")
    assert thief(terminal, *past) == (0, 0)


def test_a_sealing_key_that_the_flash_spoilt_opens_nothing_of_its_day(past, terminal):
    spoil(terminal, "sealing")
    assert len((terminal.folder / "sealing").read_bytes()) < 16
    assert thief(terminal, *past) == (0, 0)


@pytest.mark.parametrize(("cut", "done"), CUTS)
def test_a_power_cut_leaves_nothing_that_opens_the_past(past, terminal, vault, monkeypatch, cut, done):
    records, leases = past
    new = lease(terminal.about(), day=DAY + 1, vault=vault)
    cut_while(terminal, monkeypatch, cut, done, link.LEASE, new)
    if terminal.about()["lease"] == 2:
        leases.append(new)
    terminal.days_on = 1
    terminal.press("#")
    assert thief(terminal, records, leases) == (0, 0)


# Days


def test_the_day_of_a_lease_is_the_day(terminal, card):
    terminal.renew(DAY + 3)
    terminal.tap(card)
    assert terminal.entries()[-1].clear.day == DAY + 3
    terminal.boot()
    assert terminal.about()["day"] == DAY + 3


def test_a_lease_from_before_leaves_the_day_as_it_is(terminal, card):
    terminal.renew(DAY + 3)
    terminal.renew(DAY + 1)
    assert (terminal.about()["day"], terminal.about()["lease_until"]) == (DAY + 3, LAST_DAY + 1)
    terminal.boot()
    terminal.tap(card)
    assert terminal.entries()[-1].clear.day == DAY + 3
    assert proven_cents(terminal.entries()) == 400


def test_lists_that_come_while_it_is_on_do_not_turn_the_day_back(terminal, card):
    terminal.days_on = 3
    terminal.ask(link.HOTLIST, hotlist(version=2))
    assert terminal.about()["day"] == DAY + 3


def test_a_lease_that_ended_already_is_refused(terminal, vault):
    late = lease(terminal.about(), vault=vault)
    terminal.days_on = 31
    assert terminal.refused(link.LEASE, late) == "these keys end before today; ask for new ones"
    terminal.days_on = 30
    terminal.ask(link.LEASE, late)


@pytest.mark.parametrize("restart", [False, True])
def test_a_lease_ends_after_its_last_day_and_a_new_one_goes_on(terminal, card, restart):
    terminal.days_on = 30
    assert terminal.tap(card)[1] == "00"
    terminal.days_on = 31
    assert terminal.tap(card)[1:3] == ("30", "De lijsten zijn te oud. Sluit het apparaat aan")
    if restart:
        terminal.days_on = 0
        terminal.boot()
    assert terminal.tap(card)[1] == "30"
    assert (terminal.about()["day"], terminal.about()["lease_until"]) == (DAY + 31, None)
    assert purses_of(card)[CENTS] == 1600
    terminal.renew(DAY + 31)
    assert terminal.tap(card)[1] == "00"
    assert [entry.clear.day for entry in terminal.entries()] == [DAY + 30, DAY + 31]
    assert proven_cents(terminal.entries()) == 800


@pytest.mark.parametrize("restart", [False, True])
def test_a_lease_goes_on_over_the_end_of_the_year(terminal, restart):
    card, _ = make_pass(loads={CENTS: 22500})
    terminal.renew(NEW_YEARS_EVE - 3)
    for _ in range(4):
        terminal.days_on += 1
        assert terminal.tap(card)[1] == "00"
        if restart:
            terminal.days_on = 0
            terminal.boot()
    assert [entry.clear.day for entry in terminal.entries()] == list(range(NEW_YEARS_EVE - 2, NEW_YEARS_EVE + 2))
    assert proven_cents(terminal.entries()) == 1600


def test_a_lease_made_on_new_years_day_follows_one_of_the_old_year(terminal, card):
    terminal.renew(NEW_YEARS_EVE)
    assert terminal.tap(card)[1] == "00"
    terminal.renew(NEW_YEARS_EVE + 1)
    assert terminal.tap(card)[1] == "00"
    assert [entry.clear.day for entry in terminal.entries()] == [NEW_YEARS_EVE, NEW_YEARS_EVE + 1]
    assert proven_cents(terminal.entries()) == 800


def test_without_the_keys_of_the_new_year_a_lease_ends_with_the_old(terminal, vault, card):
    del vault.register.keys["sealing"]["2027"]
    vault.store.remove([("sealing", 2027)])
    terminal.renew(NEW_YEARS_EVE - 1)
    assert terminal.about()["lease_until"] == NEW_YEARS_EVE
    terminal.days_on = 1
    assert terminal.tap(card)[1] == "00"
    terminal.days_on = 2
    assert terminal.tap(card)[1] == "30"


# What the flash spoils


@pytest.mark.parametrize("lost", [False, True])
def test_a_terminal_without_its_sealing_key_asks_for_a_sync_that_heals_it(terminal, card, lost):
    terminal.tap(card)
    if lost:
        (terminal.folder / "sealing").unlink()
        terminal.boot()
    else:
        spoil(terminal, "sealing")
    assert terminal.tap(card)[1] == "30"
    assert terminal.about()["lease_until"] is None
    assert proven_cents(terminal.entries()) == 400
    terminal.renew(DAY + 1)
    assert terminal.tap(card)[1] == "00"
    assert proven_cents(terminal.entries()) == 800


def test_a_terminal_without_its_sealing_key_still_knows_the_day_of_its_lease(terminal):
    terminal.renew(DAY + 3)
    spoil(terminal, "sealing")
    assert terminal.about()["day"] == DAY + 3


def test_a_terminal_whose_keys_the_flash_spoilt_is_healed_by_a_sync(terminal, card):
    terminal.tap(card)
    spoil(terminal, "keys")
    assert terminal.press("1#")[2] == "Dit aanbod is er niet"
    terminal.renew()
    assert terminal.tap(card)[1] == "00"
    assert [entry.clear.sequence for entry in terminal.entries()] == [1, 2]
    assert proven_cents(terminal.entries()) == 800


def test_a_flash_that_fails_at_midnight_is_found_at_the_next_tap(terminal, card, monkeypatch):
    terminal.days_on = 1
    with monkeypatch.context() as patch:
        patch.setattr(flash_module.os, "rename", full)
        terminal.press("1#")
        assert terminal.hold(card)[1] == "31"
    terminal.press("#")
    assert purses_of(card)[CENTS] == 2000
    assert terminal.tap(card)[1] == "00"


def full(old, new):
    raise OSError(28)


# Keys of several versions


def rotated(vault, *purposes):
    for purpose in purposes:
        rotate(ROOT, vault.register, vault.store, purpose, date(2027, 6, 30))


def retired(vault, *purposes):
    for purpose in purposes:
        del vault.register.keys[purpose]["1"]


def count_of_exchanges(card):
    seen = []
    exchange = card.exchange
    card.exchange = lambda command: seen.append(command) or exchange(command)
    return seen


def test_a_pass_from_before_a_rotation_counts_as_long_as_its_keys_do(terminal, vault, card):
    rotated(vault, "lookup", "tap")
    terminal.renew()
    assert terminal.tap(card)[1] == "00"
    terminal.boot()
    assert terminal.tap(card)[1] == "00"
    retired(vault, "lookup", "tap")
    terminal.renew()
    assert terminal.tap(card)[1] == "20"
    assert purses_of(card)[CENTS] == 1200


@pytest.mark.parametrize("purpose", ["lookup", "tap"])
def test_each_key_is_rotated_by_itself(terminal, vault, card, purpose):
    rotated(vault, purpose)
    terminal.renew()
    assert terminal.tap(card)[1] == "00"
    assert terminal.tap(card, "A")[1] == "01"
    retired(vault, purpose)
    terminal.renew()
    assert terminal.tap(card)[1] == "20"
    assert purses_of(card)[CENTS] == 2000


def test_a_pass_with_the_newest_keys_takes_no_extra_exchange(terminal, vault, card, monkeypatch):
    rotated(vault, "lookup", "tap")
    monkeypatch.setattr("tests.city.VAULT", vault)
    new, _ = make_pass(uid=b"\x04\x22\x22\x22\x22\x22\x22")
    monkeypatch.undo()
    terminal.renew()
    for one, wanted in ((new, COMMIT), (card, COMMIT + 4)):
        seen = count_of_exchanges(one)
        assert terminal.tap(one)[1] == "00"
        assert next(at for at, command in enumerate(seen, 1) if command[1] == 0xC7) == wanted
        assert purses_of(one)[CENTS] == 1600


def test_too_little_on_a_pass_from_before_a_rotation_is_still_said(terminal, vault):
    rotated(vault, "tap")
    terminal.renew()
    assert terminal.tap(make_pass(loads={CENTS: 399})[0])[3] == "Er staat nu op: € 3,99"


# Another link key


def handed_in(terminal, vault):
    """All entries, as a backend opens them that knows the link keys of both versions."""
    roots = [vault.handed_out("link", version) for version in vault.accepted("link")]
    opened, last_mac = [], FIRST_MAC
    while body := terminal.ask(link.JOURNAL, uint(len(opened) + 1, 4)):
        batch = open_batch(body, lambda number: [link_key(root, number) for root in roots])
        assert batch.previous_mac == last_mac
        last_mac = batch.last_mac
        opened += batch.entries
    return opened


def chained_with(root, terminal):
    """Whether the last entry was made with the link key that follows from a root."""
    body = terminal.ask(link.JOURNAL, uint(terminal.about()["journal"], 4))
    try:
        return bool(open_batch(body, lambda number: [link_key(root, number)]).entries)
    except BadBatch:
        return False


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
def test_a_torn_pass_is_known_again_under_another_link_key(terminal, vault, card, executed, restart):
    card.tear_after(COMMIT, executed)
    terminal.press("1#")
    assert terminal.hold(card)[1] == "10"
    terminal.press("*")
    rotated(vault, "link")
    terminal.renew()
    if restart:
        terminal.boot()
    assert terminal.tap(card)[1] == "00"
    entries = handed_in(terminal, vault)
    assert entries[0].outcome == IN_DOUBT
    assert in_doubt(entries) == []
    assert purses_of(card)[CENTS] == 1600
    assert proven_cents(entries) == 400


def test_a_reversal_after_another_link_key_came_gives_back(terminal, vault, card):
    terminal.tap(card)
    rotated(vault, "link")
    terminal.renew()
    assert terminal.tap(card, "A")[1] == "01"
    assert proven_cents(handed_in(terminal, vault)) == 0


def test_the_journal_goes_on_under_another_link_key(terminal, vault):
    card, _ = make_pass(loads={CENTS: 22500})
    for _ in range(11):
        terminal.tap(card)
    rotated(vault, "link")
    terminal.renew()
    for _ in range(11):
        terminal.tap(card)
        terminal.boot()
    terminal.renew()
    entries = handed_in(terminal, vault)
    assert [entry.position for entry in entries] == list(range(1, 23))
    assert proven_cents(entries) == 22 * 400


def test_what_is_new_is_made_with_the_new_link_key_alone(terminal, vault, card):
    old = vault.handed_out("link", 1)
    terminal.tap(card)
    assert chained_with(old, terminal)
    rotated(vault, "link")
    terminal.renew()
    assert not chained_with(vault.handed_out("link", 2), terminal)
    terminal.tap(card)
    assert chained_with(vault.handed_out("link", 2), terminal)
    assert not chained_with(old, terminal)


@pytest.mark.parametrize("renewals", [1, 2])
def test_the_lists_that_are_here_count_until_new_ones_come(terminal, vault, card, renewals):
    rotated(vault, "link", "hotlist")
    for _ in range(renewals):
        terminal.renew()
        terminal.boot()
        assert terminal.tap(card)[1] == "00"
    assert "not a bundle" in terminal.refused(link.BUNDLE, bundle(version=2))
    assert "not a hotlist" in terminal.refused(link.HOTLIST, hotlist(version=2))
    assert terminal.tap(card)[1] == "00"


def test_a_blocked_pass_stays_blocked_under_another_hotlist_key(terminal, vault, card):
    other, made = make_pass(uid=b"\x04\x22\x22\x22\x22\x22\x22")
    terminal.ask(link.HOTLIST, hotlist(made.handle, version=2))
    old = vault.handed_out("hotlist", 1, 32)
    rotated(vault, "hotlist")
    new = vault.handed_out("hotlist", 2, 32)
    # A list that is genuine under one key must never be looked up with the other.
    assert old[:16] != new[:16]
    assert old[16:] != new[16:]
    terminal.renew()
    for _ in range(2):
        assert (terminal.tap(other)[1], terminal.tap(card)[1]) == ("23", "00")
        terminal.boot()
