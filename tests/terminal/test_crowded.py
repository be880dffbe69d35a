"""A terminal whose memory runs out in the middle of something: it asks for it once more, and keeps its shift."""

import sys

import pytest

from terminal.firmware import book, duty, journal, seldom, till
from tests.city import CENTS, in_doubt, make_pass, proven_cents, purses_of

# Where a tap leaves traces: wherever in these memory runs out, they have to be found again.
TRACED = {module.__file__ for module in (book, journal, till)}
AGAIN = ("10", "11")


class Crowd:
    """Memory runs out at the Nth time that one of the traced functions begins or ends."""

    def __init__(self, at):
        self.left = at

    def __enter__(self):
        sys.settrace(self._trace)

    def __exit__(self, *error):
        sys.settrace(None)

    def _trace(self, frame, event, argument):
        if frame.f_code.co_filename not in TRACED:
            return None
        if event in ("call", "return"):
            self.left -= 1
            if self.left == 0:
                raise MemoryError
        return self._trace


def steps_of_a_tap(terminal):
    crowd = Crowd(-1)
    with crowd:
        assert terminal.tap(make_pass(loads={CENTS: 2000})[0])[1] == "00"
    return -1 - crowd.left


def hold_until_answered(terminal, card):
    for _ in range(3):
        screen = terminal.hold(card)
        if screen[1] not in AGAIN:
            return screen
    raise AssertionError(screen)


# What ends while a generator is thrown away goes nowhere, in either Python.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("torn", [False, True])
def test_wherever_in_a_tap_memory_runs_out_the_pass_is_charged_once_and_the_shift_goes_on(terminal, torn):
    paid = proven_cents(terminal.entries())
    steps = steps_of_a_tap(terminal)
    paid += 400
    assert steps > 50
    asked = set()
    for at in range(1, steps + 1):
        card, _ = make_pass(uid=bytes([4, at >> 8, at & 255, torn, 1, 1, 1]), loads={CENTS: 2000})
        if torn:
            card.tear_after(10, executed=True)
        terminal.press("*1#")
        with Crowd(at):
            asked.add(terminal.hold(card)[1])
        terminal.seconds += 5
        if terminal.screen[1] in AGAIN:
            assert terminal.screen[0] == "armed"
            hold_until_answered(terminal, card)
        paid += 400
        assert terminal.screen[1] in ("00", "02"), at
        assert purses_of(card)[CENTS] == 1600, at
        assert terminal.about()["shift"] == "open"
    assert "11" in asked
    assert proven_cents(terminal.entries()) == paid
    assert in_doubt(terminal.entries()) == []
    terminal.boot()
    assert proven_cents(terminal.entries()) == paid


def test_it_says_what_to_do(terminal):
    card, _ = make_pass()
    terminal.press("1#")
    with Crowd(3):
        screen = terminal.hold(card)
    assert screen[:3] == ("armed", "11", "Nog een keer. Het apparaat was druk")
    assert terminal.hold(card)[1] == "00"


def no_memory(*anything):
    raise MemoryError


def test_totals_that_do_not_fit_lead_back_to_the_guests(terminal, monkeypatch):
    monkeypatch.setattr(duty, "do", no_memory)
    assert terminal.press("D2")[:2] == ("choosing", "11")
    assert terminal.about()["shift"] == "open"


def test_a_pin_that_cannot_be_checked_leaves_the_shift_closed(terminal, monkeypatch):
    terminal.press("D1")
    monkeypatch.setattr(duty, "do", no_memory)
    assert terminal.press("2580#")[:2] == ("opening", "11")
    assert terminal.about()["shift"] == "closed"


def test_a_shift_that_cannot_be_closed_is_closed_by_a_restart(terminal, monkeypatch):
    monkeypatch.setattr(duty, "do", no_memory)
    with pytest.raises(MemoryError):
        terminal.press("D1")


def test_memory_that_stays_full_leads_to_a_restart(terminal, monkeypatch):
    terminal.press("1#")
    monkeypatch.setattr(seldom, "unload", no_memory)
    with pytest.raises(MemoryError), Crowd(3):
        terminal.hold(make_pass()[0])
