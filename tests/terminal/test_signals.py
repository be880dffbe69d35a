"""What is heard and lit: each kind of result can be told from the others by any one of them."""

from terminal.firmware import signals
from terminal.firmware.results import SENTENCES
from terminal.simulator import words
from tests.city import ROOT

CODES = ("00", "01", "10", "20", "30", "40")
PAGE = ROOT / "docs/terminal.md"


def test_every_code_has_the_signal_of_its_kind():
    assert [signals.kind(code) for code in CODES] == [
        signals.YES,
        signals.PUT_BACK,
        signals.AGAIN,
        signals.NO,
        signals.TROUBLE,
        signals.STAFF,
    ]
    assert all(signals.of(code) != signals.of("") for code in SENTENCES)
    assert signals.of("") == ([], (0, 0, 0))
    assert signals.kind("02") == signals.YES
    assert signals.kind("99") == signals.TROUBLE


def test_each_kind_has_a_rhythm_of_its_own():
    """So that it is told by who hears no pitch."""
    rhythms = [words.rhythm(signals.of(code)[0]) for code in CODES]
    assert len(set(rhythms)) == len(CODES)


def test_each_kind_has_a_melody_of_its_own():
    melodies = [tuple(pitch for pitch, _ in signals.of(code)[0] if pitch) for code in CODES]
    assert len(set(melodies)) == len(CODES)
    assert melodies[0] == tuple(sorted(melodies[0]))
    assert all(300 <= pitch <= 1600 for melody in melodies for pitch in melody)


def test_each_kind_has_a_colour_of_its_own():
    assert len({signals.of(code)[1] for code in CODES}) == len(CODES)


def test_no_signal_keeps_the_queue_waiting():
    assert all(sum(ms for _, ms in signals.of(code)[0]) <= 1400 for code in CODES)


def test_the_page_shows_the_signals_as_they_are():
    text = PAGE.read_text(encoding="utf-8")
    assert "\n".join(words.signal_table()) in text


def test_the_page_shows_the_codes_as_they_are():
    text = PAGE.read_text(encoding="utf-8")
    for code in SENTENCES:
        dutch, english = SENTENCES[code]
        assert f"| {code} | {words.result(code, 0).split(' (')[0]} | {dutch} | {english} |" in text
