"""What is printed at a ceremony: a share that a tired person can read, and a record without a secret."""

import io
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from pypdf import PdfReader
from shamir_mnemonic.wordlist import WORDLIST

from keys.shares import share_set, split
from keys.sheets import Sheet, share_sheet, transcript_pdf
from keys.transcript import KeyCheck, Transcript

DAY = date(2026, 11, 21)
SHARES = split(bytes(range(32)), 3, 5)
SET = share_set(SHARES[0])
LONG_NAME = "Wilhelmina-Charlotte van der Hoeven-Oostenbroek"
LONG_TOWN = "Gelredam-Noordoost aan den IJssel"


def words_on(pdf):
    """The share, as somebody reads it from the sheet: number by number."""
    text = PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split()
    found = {int(a): b for a, b in pairwise(text) if a.isdigit() and b in WORDLIST}
    return [found[number] for number in range(1, 34)]


def text_of(pdf):
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def sheet(number=2, name="Aïcha van den Berg", town="Gelredam", rehearsal=False, words=None):
    words = words or SHARES[number - 1].split()
    return share_sheet(Sheet(town, name, number, 5, 3, SET, words, DAY, rehearsal, "A1B2C3"))


def record(rehearsal=False, custodians=("Anna", "Bram", "Cor")):
    made = Transcript(1, "Gelredam", rehearsal, "nl", 2, list(custodians), SET)
    made.add(datetime(2026, 11, 21, 11, 30, tzinfo=UTC), "Begonnen.")
    made.keys = [KeyCheck("load", 1, "A1B2C3"), KeyCheck("nullifier", 2026, "00FFEE")]
    made.sign(bytes(range(32)))
    return made


@pytest.mark.parametrize("rehearsal", [False, True], ids=["real", "rehearsal"])
@pytest.mark.parametrize("number", range(1, 6))
def test_all_33_words_are_on_the_sheet_in_order_and_nobody_elses(number, rehearsal):
    assert words_on(sheet(number, rehearsal=rehearsal)) == SHARES[number - 1].split()


def test_a_sheet_says_whose_it_is_and_what_to_do_with_it_in_two_languages():
    text = text_of(sheet())
    for said in ("Gelredam", "Aïcha van den Berg", "2 van 5", "3 van de 5 delen", "3 of the 5 shares", str(SET)):
        assert said in text
    for said in ("controlewaarde: A1B2C3", "21 november 2026", "geen foto", "no photo", "Kwijt", "Lost", "kluis"):
        assert said in text


def test_only_a_rehearsal_says_so():
    for made, rehearsed in ((sheet, sheet(rehearsal=True)), (record, transcript_pdf(record(rehearsal=True)))):
        real = made() if made is sheet else transcript_pdf(made())
        assert "OEFENING REHEARSAL" in text_of(rehearsed)
        assert "OEFENING" not in text_of(real)
        assert "REHEARSAL" not in text_of(real)


def test_long_names_and_the_longest_words_stay_on_one_page():
    longest = max(WORDLIST, key=len)
    pdf = sheet(name=LONG_NAME, town=LONG_TOWN, words=[longest] * 33)
    assert len(PdfReader(io.BytesIO(pdf)).pages) == 1
    assert words_on(pdf) == [longest] * 33


@pytest.mark.parametrize("name", ["*Anna* #panic() $x$", "Anna\\ <b>", '"Anna" {0} @ref'])
def test_a_name_is_printed_as_it_is_written(name):
    assert name in text_of(sheet(name=name))
    assert name in text_of(transcript_pdf(record(custodians=[name, "Bram", "Cor"])))


def test_the_same_sheet_and_the_same_record_are_the_same_bytes():
    assert sheet() == sheet()
    assert transcript_pdf(record()) == transcript_pdf(record())


def test_the_record_has_a_line_for_every_custodian_and_the_check_values():
    names = [LONG_NAME, *"BCDEFG"]
    text = text_of(transcript_pdf(record(custodians=names)))
    for number, name in enumerate(names, 1):
        assert f"{number}. {name}" in text.replace("- ", "-")
    for said in ("A1B2C3", "00FFEE", str(SET), record().public_key):
        assert said in text
