"""A terminal with its key in an ATECC608: what the flash is worth without it, and what a chip that fails costs."""

import hashlib
import hmac
import json
import shutil

import pytest

from terminal.firmware import link
from terminal.firmware.drivers import atecc608
from terminal.firmware.drivers.atecc608 import Atecc608
from terminal.firmware.errors import KeyChipError
from terminal.host import date_of, in_words
from tests.city import DAY, PIN, PcTerminal, lease, make_pass
from tests.terminal.test_leases import on_flash
from tests.twin import machine_parts as parts
from tests.twin.emulated_atecc608 import ADDRESS, SLOT, EmulatedAtecc608

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
SILENT = "the key chip does not answer as it should: check its wires"
UNLOCKED = "the key chip is not locked: prepare it as docs/build-a-terminal.md says"
READABLE = "the key in the key chip can be read: prepare another chip for this terminal"
REFUSES = "the key chip refuses (0F): prepare it as docs/build-a-terminal.md says"
SAID = ("33", "De sleutelchip faalt. Haal hulp")


class Time:
    """Passes only while the driver waits."""

    def __init__(self, monkeypatch):
        self.ms = 0
        monkeypatch.setattr(atecc608, "sleep_ms", self.sleep)

    def sleep(self, count):
        self.ms += count

    def now(self):
        return self.ms


@pytest.fixture
def time(monkeypatch):
    parts.DEVICES.clear()
    return Time(monkeypatch)


@pytest.fixture
def chip(time):
    return soldered(KEY, time)


def soldered(key, time) -> EmulatedAtecc608:
    chip = parts.DEVICES[ADDRESS] = EmulatedAtecc608(key, time.now)
    return chip


def driver(freq=100000, slot=SLOT) -> Atecc608:
    return Atecc608(parts.SoftI2C(sda=parts.Pin(2), scl=parts.Pin(3), freq=freq), ADDRESS, slot)


# What can be wrong with a chip, and what is said of it


def taken_off(chip):
    chip.present = False


def data_unlocked(chip):
    chip.configuration[86] = 0x55


def configuration_unlocked(chip):
    chip.configuration[87] = 0x55


def key_readable(chip):
    chip.configuration[20 + 2 * SLOT] &= 0x7F


def key_readable_encrypted(chip):
    chip.configuration[20 + 2 * SLOT] |= 0x40


def not_for_hmac(chip):
    chip.configuration[20 + 2 * SLOT] |= 0x10


def always_garbled(chip):
    chip.spoils = 1000


def dies_at_once(chip):
    chip.dies_after = 0


def dies_in_the_middle(chip):
    chip.dies_after = 3


def stuck(chip):
    chip.slow_ms = 5000


TROUBLES = [
    (taken_off, SILENT),
    (data_unlocked, UNLOCKED),
    (configuration_unlocked, UNLOCKED),
    (key_readable, READABLE),
    (key_readable_encrypted, READABLE),
    (not_for_hmac, REFUSES),
    (always_garbled, SILENT),
    (dies_at_once, SILENT),
    (dies_in_the_middle, SILENT),
    (stuck, SILENT),
]


# The driver


def test_the_secret_is_an_hmac_under_the_key_of_the_slot_and_the_chip_sleeps_after_it(chip):
    expected = hmac.digest(KEY, b"meedoen device secret 1" + b"what is asked", hashlib.sha256)[:16]
    assert driver().secret(b"what is asked") == expected
    assert chip.heard == [(0x02, 0x00), (0x02, 0x00), (0x47, 0x04), (0x47, 0xC2)]
    assert not chip.awake


def test_the_same_at_every_start_and_another_for_another_chip_or_question(time):
    soldered(KEY, time)
    first = driver().secret(b"a")
    assert driver().secret(b"a") == first
    assert driver().secret(b"b") != first
    soldered(KEY, time)
    assert driver().secret(b"a") == first
    soldered(OTHER_KEY, time)
    assert driver().secret(b"a") != first


@pytest.mark.parametrize(("data", "crc"), [("0411", "3343"), ("0730000000", "035d")], ids=["awake", "Info"])
def test_the_checksum_is_the_one_of_published_packets(data, crc):
    """The answer to a wake-up, and the command Info, as data sheet and drivers of others have them."""
    assert atecc608._crc(bytes.fromhex(data)).hex() == crc


def test_a_bus_that_is_too_fast_does_not_wake_it(chip):
    with pytest.raises(KeyChipError, match=SILENT):
        driver(freq=400000).secret(b"a")
    assert driver(freq=100000).secret(b"a")


@pytest.mark.parametrize("spoilt", [1, 2])
def test_noise_on_the_line_is_asked_again(chip, spoilt):
    expected = driver().secret(b"a")
    chip.spoils = spoilt
    assert driver().secret(b"a") == expected


def test_a_start_that_was_cut_off_leaves_it_awake_and_the_next_one_goes_on(chip, time):
    expected = driver().secret(b"a")
    bus = parts.SoftI2C(freq=100000)
    with pytest.raises(OSError, match="19"):
        bus.writeto(0, b"")
    time.sleep(2)
    bus.writeto(ADDRESS, bytes.fromhex("030747040900") + atecc608._crc(bytes.fromhex("0747040900")))
    assert chip.awake
    assert driver().secret(b"a") == expected


def test_one_that_falls_asleep_in_the_middle_is_woken_again(chip, time, monkeypatch):
    expected = driver().secret(b"a")
    naps = [1400]

    def slowly(count):
        time.ms += count + (naps.pop() if naps and len(chip.heard) > 6 else 0)

    monkeypatch.setattr(atecc608, "sleep_ms", slowly)
    assert driver().secret(b"a") == expected
    assert not naps


@pytest.mark.parametrize(("trouble", "said"), TROUBLES, ids=[one.__name__ for one, _ in TROUBLES])
def test_each_trouble_is_one_sentence_and_a_chip_that_lives_sleeps(chip, trouble, said):
    trouble(chip)
    with pytest.raises(KeyChipError) as refused:
        driver().secret(b"a")
    assert str(refused.value) == said
    assert not chip.present or trouble is stuck or not chip.awake


def test_another_slot_than_the_one_with_the_key_gives_nothing(chip):
    with pytest.raises(KeyChipError, match="can be read"):
        driver(slot=8).secret(b"a")


# The terminal


@pytest.fixture
def terminal(tmp_path, chip):
    """In the middle of a shift, its PIN chosen with the chip on the board."""
    made = PcTerminal(tmp_path / "flash", provision=False)
    made.ask(link.FORGET_PIN)
    made.chip = driver().secret
    made.boot()
    made.provision(101, made.vault)
    return made


def test_with_its_chip_the_terminal_opens_at_every_start(terminal):
    for _ in range(2):
        terminal.switch_on()
        assert terminal.press(f"{PIN}#")[:2] == ("choosing", "40")
    assert terminal.tap(make_pass()[0])[1] == "00"


def test_a_copy_of_the_flash_opens_nothing_without_the_chip(terminal, tmp_path, time):
    """Neither on a board without one, nor with another chip, though the PIN is right."""
    shutil.copytree(terminal.flash, tmp_path / "copy")
    thief = PcTerminal(tmp_path / "copy", provision=False)
    for key in (OTHER_KEY, None):
        soldered(OTHER_KEY, time)
        thief.chip = driver().secret if key else None
        thief.switch_on()
        thief.press(f"{PIN}#")
        assert thief.screen[1] in ("42", "43")
        assert not thief.device.shift.is_open
        assert thief.book.keys.tap_keys == []


@pytest.mark.parametrize("trouble", [one for one, _ in TROUBLES], ids=lambda one: one.__name__)
def test_a_chip_that_fails_opens_nothing_erases_nothing_and_costs_no_try(terminal, chip, trouble, time):
    terminal.switch_on()
    before = on_flash(terminal)
    trouble(chip)
    for _ in range(4):
        assert terminal.press(f"{PIN}#")[:3] == ("opening", *SAID)
    assert not terminal.device.shift.is_open
    assert on_flash(terminal) == before
    soldered(KEY, time)
    assert terminal.press(f"{PIN}#")[:2] == ("choosing", "40")


def test_without_its_chip_no_lease_is_taken(terminal, chip, time):
    taken_off(chip)
    before = on_flash(terminal)
    new = lease(terminal.about(), vault=terminal.vault)
    assert terminal.refused(link.LEASE, new) == SILENT
    assert on_flash(terminal) == before
    soldered(KEY, time)
    terminal.ask(link.LEASE, new)


@pytest.mark.parametrize(("trouble", "said"), TROUBLES, ids=[one.__name__ for one, _ in TROUBLES])
def test_who_looks_is_told_what_is_wrong_with_the_chip(terminal, chip, trouble, said):
    def lines():
        return in_words(json.loads(terminal.ask(link.HELLO)), date_of(DAY))

    assert not any("key chip" in line for line in lines())
    trouble(chip)
    assert f"key chip: {said}" in lines()


def test_without_its_chip_no_pin_is_chosen(terminal, chip):
    terminal.ask(link.FORGET_PIN)
    taken_off(chip)
    before = on_flash(terminal)
    assert terminal.press(f"{PIN}#{PIN}#")[:3] == ("choosing_pin", *SAID)
    assert on_flash(terminal) == before


def test_the_pin_does_not_go_over_the_wires(terminal):
    """Who listens there gets nothing that a PIN can be tried on without the flash as well."""
    asked = []
    terminal.device.identity._chip = lambda data: asked.append(data) or bytes(16)
    terminal.press("D1")
    terminal.press(f"{PIN}#")
    assert asked
    assert all(len(data) == 24 and PIN.encode() not in data for data in asked)
