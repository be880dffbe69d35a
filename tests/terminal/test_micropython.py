"""The firmware on MicroPython itself, in the heap of a small board, with a PN532 on a serial line."""

import json
from hashlib import sha256

import pytest

from card.batch import link_key, open_batch
from card.wire import uint
from meedoen.demo.terminals import MicroPythonTerminal
from terminal.errors import TerminalError
from terminal.firmware import link
from tests.bench.recording import record_tap
from tests.city import (
    CENTS,
    DAY,
    ISSUER,
    TERMINAL,
    VAULT,
    bring_lists,
    bundle,
    device_file,
    final_outcomes,
    in_doubt,
    lease,
    make_pass,
    of_now,
    proven_cents,
    purses_of,
    said_of,
)
from tests.twin.test_twin import micropython, run

EXCHANGES_PER_TAP = 10


@pytest.fixture
def terminal(tmp_path, firmware):
    made = MicroPythonTerminal(tmp_path / "flash", firmware)
    made.link().ask(link.DEVICE, device_file(about(made)))
    made.link().ask(link.LEASE, lease(about(made)), ISSUER)
    bring_lists(made.link())
    yield made
    made.close()


def about(terminal):
    return said_of(json.loads(terminal.link().ask(link.HELLO)))


def entries(terminal):
    opened = []
    while body := terminal.link().ask(link.JOURNAL, uint(len(opened) + 1, 4), ISSUER):
        opened += open_batch(body, lambda number: [link_key(VAULT.handed_out("link", 1), number)]).entries
    return opened


def tap(terminal, card, keys="1#"):
    terminal.press(keys, until="armed")
    screen = terminal.hold(card)
    while screen.code == "10":
        screen = terminal.hold(card)
    terminal.press("*", until="choosing")
    return screen


def test_a_tap_is_charged_shown_and_proven(terminal, card):
    assert tap(terminal, card) == ("showing", "00", "Ja, akkoord", "Over: € 16,00")
    assert purses_of(card)[CENTS] == 1600
    assert proven_cents(entries(terminal)) == 400


def test_a_pass_torn_at_every_exchange_is_charged_once_each_time(terminal):
    """Both before and after the card did what it was told, one pass after the other on the same terminal."""
    for exchange in range(1, EXCHANGES_PER_TAP + 1):
        for executed in (False, True):
            card, _ = make_pass(uid=bytes([4, exchange, executed, 1, 1, 1, 1]), loads={CENTS: 2000})
            card.tear_after(exchange, executed)
            terminal.press("1#", until="armed")
            assert terminal.hold(card).code == "10"
            assert terminal.hold(card).code == "00"
            terminal.press("*", until="choosing")
            assert purses_of(card)[CENTS] == 1600
    handed_in = entries(terminal)
    assert proven_cents(handed_in) == 20 * 400
    assert in_doubt(handed_in) == []


def test_a_power_cut_between_commit_and_journal_is_charged_once(terminal, card):
    terminal.press("1#", until="armed")
    terminal.hold_until_power_cut(card)
    assert purses_of(card)[CENTS] == 1600
    terminal.switch_on()
    assert len(in_doubt(entries(terminal))) == 1
    assert tap(terminal, card).code == "00"
    assert purses_of(card)[CENTS] == 1600
    assert proven_cents(entries(terminal)) == 400
    assert in_doubt(entries(terminal)) == []


def test_what_was_proven_before_a_power_cut_is_still_there(terminal, card):
    tap(terminal, card)
    terminal.switch_off()
    terminal.switch_on()
    tap(terminal, card, "2#500#")
    assert [entry.clear.sequence for entry in entries(terminal)] == [1, 2]
    assert proven_cents(entries(terminal)) == 900


def test_a_reversal_gives_back_on_the_card_and_in_the_books(terminal, card):
    tap(terminal, card)
    terminal.press("A", until="reversing")
    assert terminal.hold(card).code == "01"
    assert purses_of(card)[CENTS] == 2000
    assert proven_cents(entries(terminal)) == 0


def test_fifty_taps_fit_in_the_heap_of_a_small_board(terminal):
    card, _ = make_pass(loads={CENTS: 22500})
    prices = range(400, 450)
    assert [tap(terminal, card, f"2#{price}#").code for price in prices] == ["00"] * 50
    handed_in = entries(terminal)
    assert len(final_outcomes(handed_in)) == 50
    assert purses_of(card)[CENTS] == 22500 - proven_cents(handed_in) == 22500 - sum(prices)


def test_garbage_on_the_serial_line_is_passed_over(terminal, card):
    port = terminal.link()._port
    for noise in (b"\x00" * 50, b"MD", b"MDK\xff\xff", b"MDH\x00\x00\x00\x00\x00\x00", bytes(range(256))):
        port.write(noise)
        assert about(terminal)["terminal"] == TERMINAL
    assert tap(terminal, card).code == "00"


def test_what_the_host_may_not_bring_is_refused_and_changes_nothing(terminal, card):
    for kind, content in (
        (link.BUNDLE, bundle()),
        (link.BUNDLE, bundle()[:-1] + b"\x00"),
        (link.DEVICE, b"{}"),
        (link.DEVICE, b""),
        (link.DEVICE, b"null"),
        (link.DEVICE, b"\xff\xfe"),
        (link.DEVICE, b"[" * 500),
        (link.DEVICE, b"[" * 5000),
        (link.LEASE, bytes(600)),
        (link.PART, b""),
        (link.PART, bytes(600)),
        (link.PART, link.part(link.HOTLIST, 1 << 31, bytes(8), 0, b"x")),
        (link.PART, link.part(link.HOTLIST, 1, bytes(8), 0, b"x")),
        (link.PART, link.part(b"C", 1, sha256(b"x").digest()[:8], 0, b"x")),
        (link.PART, link.part(link.FIRMWARE, 1, sha256(b"x").digest()[:8], 0, b"x")),
    ):
        for issuer in (link.WHOLE_DEVICE, ISSUER, 2):
            with pytest.raises(TerminalError, match="refused"):
                terminal.link().ask(kind, content, issuer)
    assert tap(terminal, card).code == "00"


def test_keys_are_renewed_once_and_what_was_recorded_before_is_worthless(terminal, card):
    tap(terminal, card)
    renewal = lease(about(terminal), day=DAY + 1)
    with pytest.raises(TerminalError, match="altered"):
        terminal.link().ask(link.LEASE, renewal[:-1] + bytes([renewal[-1] ^ 1]), ISSUER)
    terminal.link().ask(link.LEASE, renewal, ISSUER)
    with pytest.raises(TerminalError, match="number 1, and 2 is next"):
        terminal.link().ask(link.LEASE, renewal, ISSUER)
    terminal.switch_off()
    terminal.switch_on()
    said = about(terminal)
    assert (said["lease"], said["day"], said["lease_until"]) == (2, DAY + 1, DAY + 31)
    tap(terminal, card)
    assert [entry.clear.day for entry in entries(terminal)] == [DAY, DAY + 1]
    assert proven_cents(entries(terminal)) == 800


def test_keys_go_on_over_the_end_of_the_year_and_end(terminal, card):
    for day, code in ((2556, "00"), (2557, "00"), (2586, "00"), (2587, "30")):
        offers = bundle(version=day, day=day, valid=(DAY, 2600))
        terminal.link().ask(link.BUNDLE, of_now(terminal.link().ask, offers), ISSUER)
        if day == 2556:
            terminal.link().ask(link.LEASE, lease(about(terminal), day=day), ISSUER)
        assert tap(terminal, card).code == code
    terminal.link().ask(link.LEASE, lease(about(terminal), day=2587), ISSUER)
    assert tap(terminal, card).code == "00"
    assert proven_cents(entries(terminal)) == 4 * 400


def test_a_recorded_tap_is_the_same_to_the_byte_on_both_pythons(tmp_path):
    """Same flash, same random numbers, same pass: MicroPython asks the pass exactly what CPython asked."""
    flash, recording, _ = record_tap(tmp_path)
    (heap,) = run(micropython("-X", "heapsize=384k"), "till_replay.py", str(flash), str(recording))
    assert heap.startswith("heap ")
    there, here = ((tmp_path / folder / "journal0").read_bytes() for folder in ("before", "flash"))
    assert there == here
    assert len(here) > 0
