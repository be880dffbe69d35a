"""The desk on a reader without PC/SC: nfcpy, with a PN532 of ours on the other end of its serial port."""

import os
import sys
from collections.abc import Iterator

import pytest

from card.session import Session
from hardware.emulated_pass import EmulatedPass, inspect
from hardware.emulated_pn532 import EmulatedPN532
from hardware.errors import PassGone, ReaderError
from hardware.nfc_frontend import NfcpyReader
from issuer.errors import CardLeft
from issuer.load import Load
from issuer.personalise import Details, Personaliser
from tests.city import CENTS, DAY, ISSUER, DirectKeys, PaperJournal, blueprint, factory_card, loader, purses_of

UID = b"\x04\x11\x22\x33\x44\x55\x66"
# 42 to make the pass, with three purses, and 11 to load it.
ALL = 42 + 11
SELECT_PICC = bytes.fromhex("905A00000300000000")


@pytest.fixture
def chip() -> Iterator[EmulatedPN532]:
    with EmulatedPN532() as made:
        yield made


@pytest.fixture
def reader(chip: EmulatedPN532) -> Iterator[NfcpyReader]:
    made = NfcpyReader(chip.path)
    yield made
    made.close()


def make(reader: NfcpyReader, journal: PaperJournal) -> None:
    """What the desk does with a card: personalise it, and load it once."""
    Personaliser(blueprint(), DirectKeys(), os.urandom).personalise(reader, Details(ISSUER, DAY, DAY + 300, DAY))
    if not journal.written:
        reader.find_pass()
        loads = [Load(1, 1, CENTS, 2000)]
        try:
            loader(journal).load(Session(reader.transmit), DirectKeys().card_keys(UID, 1), loads)
        finally:
            reader.release()


def test_a_pass_is_made_and_loaded(chip: EmulatedPN532, reader: NfcpyReader) -> None:
    card, answered = factory_card(UID), []
    chip.after_card = lambda command, answer: answered.append(command)
    chip.present(card)
    make(reader, PaperJournal())
    assert purses_of(card)[CENTS] == 2000
    assert inspect(card.memory)["random_id"]
    assert len(answered) == ALL


@pytest.mark.parametrize("exchange", range(1, ALL + 1))
def test_a_pass_that_is_torn_off_at_any_exchange_is_finished_when_it_is_back(
    chip: EmulatedPN532, reader: NfcpyReader, exchange: int
) -> None:
    card, journal, left = factory_card(UID), PaperJournal(), [exchange]

    def tear(command: bytes, answer: bytes) -> None:
        left[0] -= 1
        if left[0] == 0:
            chip.remove()

    chip.after_card = tear
    chip.present(card)
    with pytest.raises(CardLeft):
        make(reader, journal)
    chip.present(card)
    make(reader, journal)
    assert purses_of(card)[CENTS] == 2000
    assert journal.open == {}


def test_the_reader_finds_a_pass_again_and_another_pass_is_another(chip: EmulatedPN532, reader: NfcpyReader) -> None:
    assert reader.find_pass() is None
    chip.present(factory_card(UID))
    assert reader.find_pass() == UID
    assert reader.transmit(SELECT_PICC) == b"\x91\x00"
    reader.release()
    with pytest.raises(PassGone):
        reader.transmit(SELECT_PICC)
    assert reader.find_pass() == UID
    chip.present(factory_card(b"\x04\x99\x11\x22\x33\x44\x55"))
    with pytest.raises(PassGone):
        reader.transmit(SELECT_PICC)
    assert reader.find_pass() == b"\x04\x99\x11\x22\x33\x44\x55"


def test_the_field_is_off_after_release(chip: EmulatedPN532, reader: NfcpyReader) -> None:
    card = factory_card(UID)
    chip.present(card)
    reader.find_pass()
    assert card.in_field
    reader.release()
    assert not card.in_field


def test_a_reader_that_is_unplugged_is_one_sentence_and_another_one_in_its_place_works() -> None:
    card: EmulatedPass = factory_card(UID)
    with EmulatedPN532(card) as chip:
        reader = NfcpyReader(chip.path)
        reader.find_pass()
    with pytest.raises((ReaderError, PassGone)):
        reader.transmit(SELECT_PICC)
    with pytest.raises(ReaderError, match="is it plugged in"):
        reader.find_pass()
    with EmulatedPN532(card) as chip:
        reader._device = chip.path
        assert reader.find_pass() == UID
        reader.close()


@pytest.mark.parametrize("device", ["tty:NOWHERE0:pn532", "/dev/nowhere"])
def test_a_reader_that_is_not_there_is_one_sentence(device: str) -> None:
    with pytest.raises(ReaderError, match=f"^the reader {device} does not answer: is it plugged in"):
        NfcpyReader(device).find_pass()


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nfc.tag", None)
    with pytest.raises(ReaderError, match="uv sync --extra nfcpy"):
        NfcpyReader("usb").find_pass()
