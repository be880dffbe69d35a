"""What stands on the display: readable, in one place, and never half an amount."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.firmware import app, glyphs, screen, signals
from terminal.firmware.results import REVERSED, SAME_AGAIN, SENTENCES, YES
from terminal.firmware.shift import Shift
from tests.city import ROOT
from tests.terminal.drawing import drawn
from tests.terminal.screens import LONG_NAME, screens

GOLDEN = ROOT / "tests/terminal/golden_screens.txt"
ALL = [(language, *each) for language in (0, 1) for each in screens(language)]
AMOUNT = re.compile(r"€.\d+,\d\d|\d+ (?:keer|visits?|punt(?:en)?|points?|stuks?|items?)$")
# On a 64-bit machine; half of it on a board.
MOST_MEMORY = 4096


class Paper:
    """A frame that keeps where something was drawn, and what was written where."""

    def __init__(self):
        self.ink: list[tuple[int, int]] = []
        self.written: list[tuple[str, int, int, int]] = []

    def fill(self, colour):
        assert colour == 0

    def text(self, text, x, y, colour):
        # What is enlarged is drawn small first and then taken away.
        self.ink += [(x, y), (min(x + 8 * len(text), screen.WIDTH) - 1, y + 7)]

    def pixel(self, x, y, colour=None):
        if colour:
            self.ink.append((x, y))
        return 0

    def fill_rect(self, x, y, wide, high, colour):
        if colour:
            self.ink += [(x, y), (x + wide - 1, y + high - 1)]


@pytest.fixture(autouse=True)
def _pen(monkeypatch):
    write = glyphs.write

    def note(frame, text, x, y, size):
        if isinstance(frame, Paper):
            frame.written.append((text, x, y, size))
        write(frame, text, x, y, size)

    monkeypatch.setattr(glyphs, "write", note)


def put_on_paper(state, code, lines) -> Paper:
    paper = Paper()
    screen.draw(paper, state, code, lines)
    return paper


def body(paper, code) -> list[str]:
    """What is written below the word of a result."""
    words = {screen.word_of(kind, language) for kind in range(1, 7) for language in (0, 1)}
    return [text for text, x, _, _ in paper.written if not (code and x > 0 and text in " ".join(words))]


def read(texts) -> str:
    return " ".join(texts).replace("- ", "").replace(glyphs.HARD_SPACE, " ")


@pytest.mark.parametrize(("language", "state", "code", "lines"), ALL)
def test_nothing_is_cut_off_and_everything_is_in_its_own_place(language, state, code, lines):
    paper = put_on_paper(state, code, lines)
    _stands_apart(paper, code)
    said = read(body(paper, code))
    plain = [glyphs.plain(line).replace(glyphs.HARD_SPACE, " ") for line in lines]
    if LONG_NAME in lines[1]:
        assert AMOUNT.findall(plain[1]) == AMOUNT.findall(said)
    elif code and plain[0] not in said:
        # Only the plain yes may leave its sentence out, for what the guest pays.
        assert code == YES
        assert said == plain[1]
        assert paper.written[-1][0].startswith("€")
        assert paper.written[-1][3] == 2
    else:
        assert said == " ".join(filter(None, plain))
        assert glyphs.CUT_OFF not in said


def _stands_apart(paper, code=""):
    """All ink is on the display, and no text touches another one, the sign or the code."""
    for x, y in paper.ink:
        assert 0 <= x < screen.WIDTH, (x, y)
        assert 0 <= y < screen.HEIGHT, (x, y)
    boxes = [(x, y, x + glyphs.width(text, size), y + 8 * size) for text, x, y, size in paper.written]
    if code:
        boxes += [(0, 0, 24, 24), (112, 16, 128, 24)]
    for at, (left, top, right, bottom) in enumerate(boxes):
        assert right <= screen.WIDTH
        assert bottom <= screen.HEIGHT
        for other in boxes[at + 1 :]:
            beside = right <= other[0] or other[2] <= left
            assert beside or bottom <= other[1] or other[3] <= top, (boxes[at], other)


@pytest.mark.parametrize(("language", "state", "code", "lines"), [each for each in ALL if each[2]])
def test_a_result_says_yes_or_no_in_its_language_and_wraps_its_sentence_in_three_lines(language, state, code, lines):
    paper = put_on_paper(state, code, lines)
    word = screen.word_of(signals.kind(code), language)
    head = [text for text, x, _, size in paper.written if x > 0 and size > 1]
    assert " ".join(head) == word
    small = [text for text, x, _, size in paper.written if x == 0 and size == 1]
    sentence = [text for text in small if glyphs.plain(lines[0]).startswith(text) or text in lines[0]]
    assert len(sentence) <= screen.MOST_SENTENCE_LINES
    assert all(len(text) <= 16 for text in small)


@pytest.mark.parametrize("language", [0, 1])
def test_who_gave_back_a_discount_reads_what_the_guest_gets_and_never_that_the_guest_pays(language):
    shown = [each for each in screens(language) if each[1] == REVERSED and "10,50" in each[2][1]]
    assert [lines[1] for _, _, lines in shown] == [("Gast krijgt: € 10,50", "Guest gets: € 10,50")[language]]
    assert put_on_paper(*shown[0]).written[-1][3] == 2


@pytest.mark.parametrize("language", [0, 1])
def test_a_pass_that_had_paid_already_says_so_and_what_the_guest_pays_is_large(language):
    shown = [(state, code, lines) for state, code, lines in screens(language) if code == SAME_AGAIN]
    assert len(shown) == 3
    for state, code, lines in shown:
        paper = put_on_paper(state, code, lines)
        assert read(body(paper, code)).startswith(SENTENCES[SAME_AGAIN][language])
        assert paper.written[-1][3] == 2, lines


def test_one_of_a_thing_is_said_as_one():
    for language, words in enumerate(
        (("1 keer", "1 punt", "1 stuk", "Wacht 1 seconde"), ("1 visit", "1 point", "1 item", "Wait 1 second"))
    ):
        shift = Shift(language)
        units = tuple(shift.amount(unit, 1) for unit in ("visit", "point", "item"))
        assert (*units, shift.counted("wait", 1)) == words
        assert all("2" in shift.amount(unit, 2) for unit in ("visit", "point", "item"))
    assert (Shift(0).counted("today", 1), Shift(1).counted("today", 1)) == ("Vandaag: 1 keer", "Today: once")
    assert Shift(1).amount("visit", 0) == "0 visits"


@pytest.mark.parametrize("language", [0, 1])
def test_what_is_left_and_what_the_guest_pays_is_large(language):
    for state, code, lines in screens(language):
        if code == "00":
            paper = put_on_paper(state, code, lines)
            assert paper.written[-1][3] == 2, lines


def test_a_typed_price_and_a_typed_pin_are_as_large_as_they_fit():
    for typed, size in (("€ 8,50", 3), ("€ 99,99", 3), ("€ 999,99", 2), ("1", 3)):
        assert (glyphs.plain(typed), size) in [
            (text, size) for text, _, _, size in put_on_paper("pricing", "", (typed, "Zwemles")).written
        ]
    pin = put_on_paper("opening", "", ("Typ de pincode en druk #", "••••"))
    assert ("••••", 3) in [(text, size) for text, _, _, size in pin.written]


def test_a_name_that_is_too_long_gives_way_to_the_amount():
    for more in (1, 3, 9):
        paper = put_on_paper("armed", "", ("Houd de pas tegen de lezer", LONG_NAME * more + " € 999,99"))
        said = [text for text, _, _, _ in paper.written]
        assert said[-1] == glyphs.plain("€ 999,99")
        assert said[-2].endswith(glyphs.CUT_OFF)
        _stands_apart(paper)


@given(st.sampled_from(["choosing", "armed", "opening", "odd"]), st.text(max_size=300), st.text(max_size=300))
def test_any_two_texts_stay_on_the_display(state, first, second):
    _stands_apart(put_on_paper(state, "", (first, second)))


@given(st.sampled_from([*SENTENCES, "02", "40", "99", "x"]), st.text(max_size=300), st.text(max_size=300))
def test_any_result_stays_on_the_display(code, sentence, detail):
    _stands_apart(put_on_paper("showing", code, (sentence, detail)), code)


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF))
def test_no_amount_that_a_purse_can_hold_is_broken(first, second):
    euros = [app.euro(cents) for cents in (first, second)]
    paper = put_on_paper("showing", "00", ("Ja, akkoord", "Korting {}, gast betaalt {}".format(*euros)))
    lines = [text.replace(glyphs.HARD_SPACE, " ") for text, _, _, _ in paper.written]
    for euro in euros:
        assert any(euro in line for line in lines), lines


def test_letters_that_the_font_lacks_are_drawn_or_written_as_their_nearest():
    assert glyphs.plain("één coördinatiefout, façade") == "één coördinatiefout, façade"
    assert glyphs.plain("Één \u0132 — ‘ja’ e\u0301 ☂") == "Eén Y - 'ja' e ?"
    seen = [tuple(rows) for rows, _, _ in drawn([("odd", "", (char, "")) for char in "aáàâäeéèêëiíìîïoóòôöuúùûücç€•…"])]
    assert len(set(seen)) == len(seen)


def test_the_display_is_drawn_to_the_pixel_as_it_was_looked_at():
    """`python -m tests.terminal.test_screen` writes the file anew: look at it before it is kept."""
    assert golden() == GOLDEN.read_text(encoding="utf-8")


def golden() -> str:
    found = {(state, code): (state, code, lines) for state, code, lines in reversed(screens(0))}
    kept = [
        found[key] for key in (("showing", "00"), ("armed", "10"), ("showing", "24"), ("armed", ""), ("pricing", ""))
    ]
    parts = []
    for (state, code, lines), (rows, _, _) in zip(kept, drawn(kept), strict=True):
        parts.append("\n".join([f"{state} {code} {lines[0]} | {lines[1]}", *(row.rstrip() for row in rows)]))
    return "\n".join(parts) + "\n"


def test_drawing_keeps_no_memory_and_uses_little():
    once = drawn([each[1:] for each in ALL])
    for each, (_, used, _) in zip(ALL, once, strict=True):
        assert used <= MOST_MEMORY, each
    kept = [kept for _, _, kept in drawn([each[1:] for each in ALL[:5] * 20])]
    assert max(kept[50:]) <= max(kept[:50]) + 256


if __name__ == "__main__":
    GOLDEN.write_text(golden(), encoding="utf-8")
