"""The desk and the PC terminal on a PC/SC reader: pcscd, vpcd and pyscard, and our own code at both ends."""

import os
import time

import pytest

from card.session import Session
from hardware.emulated_pass import inspect
from hardware.pcsc import PcscReader, readers
from hardware.vpcd import VirtualCard
from issuer.batch import Batch, Step
from issuer.errors import CardLeft, CardRefused
from issuer.load import Load
from issuer.personalise import Details, Personaliser
from terminal.pc import PcBoard, pc_terminal
from tests.city import (
    CENTS,
    DAY,
    ISSUER,
    PIN,
    DirectKeys,
    PaperJournal,
    PcTerminal,
    blueprint,
    factory_card,
    loader,
    purses_of,
)
from tests.issuer.a_batch import JobsInMemory

UID = b"\x04\x11\x22\x33\x44\x55\x66"


@pytest.fixture
def reader(pcscd):
    made = PcscReader()
    yield made
    made.release()


def seen(reader):
    """Wait until pcscd has noticed the card; it looks every 0.4 s."""
    deadline = time.monotonic() + 30
    while reader.find_pass() is None:
        assert time.monotonic() < deadline, "pcscd does not see the card"
    reader.release()


def personalise(reader):
    return Personaliser(blueprint(), DirectKeys(), os.urandom).personalise(reader, Details(ISSUER, DAY, DAY + 300, DAY))


def test_a_pass_is_made_loaded_and_charged_through_pcsc(pcscd, reader, tmp_path):
    card = factory_card(UID)
    with VirtualCard(card, pcscd.port):
        seen(reader)
        made = personalise(reader)
        reader.find_pass()
        loads = [Load(1, 1, CENTS, 2000)]
        loader(PaperJournal()).load(Session(reader.transmit), DirectKeys().card_keys(UID, 1), loads)
        reader.release()
        terminal = PcTerminal(tmp_path / "flash")
        typed = iter(f"{PIN}#1#")
        terminal.device = pc_terminal(
            PcBoard(terminal.flash, reader, lambda: next(typed, None), terminal._show, lambda: None)
        )
        for _ in range(8):
            terminal.device.turn()
        terminal.device.turn()
    assert made.uid == UID
    assert inspect(card.memory)["random_id"]
    assert terminal.screen[1:] == ("00", "Ja, akkoord", "Over: € 16,00")
    assert purses_of(card)[CENTS] == 1600


@pytest.mark.parametrize("exchange", [12, 30])
def test_a_card_taken_off_the_reader_is_finished_when_it_is_back(pcscd, reader, exchange):
    card = factory_card(UID)
    virtual = VirtualCard(card, pcscd.port)
    with virtual:
        seen(reader)
        card.tear_after(exchange, executed=True)
        with pytest.raises(CardLeft, match="Put the same card back"):
            personalise(reader)
    with virtual:
        seen(reader)
        personalise(reader)
    assert inspect(card.memory)["random_id"]


def test_an_empty_reader_is_one_sentence(pcscd, reader):
    with pytest.raises(CardRefused, match="no card on the reader"):
        personalise(reader)


def test_two_readers_make_passes_side_by_side(pcscd):
    """Each slot of the reader gets card after card; somebody takes a pass out as soon as the reader says so."""
    cards = [factory_card(b"\x04" + number.to_bytes(6, "big")) for number in range(4)]
    slots = dict(zip(readers(), pcscd.ports, strict=True))
    left, lying, jobs = list(cards), {}, JobsInMemory(len(cards))

    def operate(name, line):
        if line.step is Step.PUT_DOWN and left:
            lying[name] = VirtualCard(left.pop(), slots[name])
            lying[name].insert()
        elif line.step in (Step.TAKE_AWAY, Step.NOTHING_LEFT) and name in lying:
            lying.pop(name).remove()

    def encode(job, reader):
        Personaliser(blueprint(), DirectKeys(), os.urandom).personalise(reader, Details(ISSUER, DAY, DAY + 300, DAY))

    done = Batch({name: PcscReader(name) for name in slots}, jobs, encode, identified_by_nobody, operate).run()
    assert (done.done, done.rejected) == (len(cards), 0)
    assert all(inspect(card.memory)["random_id"] for card in cards)
    assert sorted(jobs.made.values()) == [card.memory.picc.uid for card in cards]


def identified_by_nobody(reader):
    raise CardRefused("hides its number")
