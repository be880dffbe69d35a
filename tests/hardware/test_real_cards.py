"""The emulated pass answers what real cards were seen to answer: the table is in real_cards.py."""

from typing import Any

import pytest

from hardware.emulated_pass import EmulatedPass, Memory
from hardware.emulated_pass.crypto import Cipher
from hardware.emulated_pass.ev1 import Ev1Channel
from hardware.emulated_pass.model import Application, Key
from hardware.emulated_pass.powered import Session
from tests.hardware import real_cards as table
from tests.hardware.a_pass import scripted
from tests.hardware.independent_reader import IndependentReader, Refused, cbc

AUTHENTICATIONS = (0x0A, 0x1A, 0xAA)


def what(row: Any) -> str:
    return str(row.what)


@pytest.mark.parametrize("log", table.LOGS, ids=what)
def test_a_log_of_a_real_card_is_replayed_byte_for_byte(log: table.Log) -> None:
    kind, value = log.key[0], bytes.fromhex(log.key[1])
    memory = Memory.factory(uid=table.UID, generation=log.card)
    key = Key(kind, value, table.VERSION.get(log.key[1], 0))
    aid = bytes.fromhex(log.at)
    with memory.writing() as picc:
        if aid:
            picc.applications[aid] = Application(aid, 0x0F, kind, [key, Key.zero(kind)])
        else:
            picc.key = key
    frames = [(bytes.fromhex(sent), bytes.fromhex(answered)) for sent, answered in log.frames]
    card = EmulatedPass(memory, scripted(*challenges(frames, kind, value)))
    card.activate()
    assert card._powered is not None
    card._powered.select(aid or bytes(3))
    if log.session:
        card._powered.session = Session(0, Ev1Channel(Cipher(kind, bytes.fromhex(log.session))))
    for sent, answered in frames:
        assert card.exchange(sent).hex() == answered.hex()


def challenges(frames: list[tuple[bytes, bytes]], kind: str, key: bytes) -> list[bytes]:
    """The random numbers that the card had drawn, out of what it answered to the start of an authentication."""
    block = 16 if kind == "AES" else 8
    started = [
        answered.removeprefix(b"\xaf").removesuffix(b"\x91\xaf")
        for sent, answered in frames
        if (sent[1] if sent[0] == 0x90 else sent[0]) in AUTHENTICATIONS and 0xAF in (answered[0], answered[-1])
    ]
    return [cbc(key, bytes(block), challenge, False) for challenge in started]


CASES = [(seen, generation) for seen in table.SEEN for generation in seen.cards]


@pytest.mark.parametrize(("seen", "generation"), CASES, ids=[f"{seen.what}-{card}" for seen, card in CASES])
def test_the_pass_answers_what_a_real_card_was_seen_to_answer(seen: table.Seen, generation: str) -> None:
    memory = Memory.factory(uid=table.UID, generation=generation, capacity=seen.capacity)
    play(seen.steps, EmulatedPass(memory))


@pytest.mark.parametrize("generation", ["EV1", "EV2", "EV3"])
def test_activation(generation: str) -> None:
    seen = EmulatedPass(Memory.factory(uid=table.UID, generation=generation)).activate()
    assert (seen.atqa, seen.sak, seen.ats) == table.ACTIVATION


@pytest.mark.parametrize("row", table.NOT_IMITATED, ids=what)
def test_what_is_not_imitated_is_what_the_table_says(row: table.NotImitated) -> None:
    assert row.card != row.ours
    card = EmulatedPass(Memory.factory(uid=table.UID, generation=row.generation))
    play((*row.steps, table.Frame(row.sent, row.ours)), card)


def play(steps: tuple[table.Step, ...], card: EmulatedPass) -> None:
    card.activate()
    reader = IndependentReader(card.exchange)
    for step in steps:
        match step:
            case table.Say():
                said(step, reader)
            case table.Key():
                authenticate = {"D40": reader.d40, "AES": reader.ev1, "EV2": reader.ev2_first}[step.messaging]
                assert outcome(authenticate, step.number, step.value)[0] == step.status, step
            case table.NewKey():
                assert outcome(reader.change_key, *step[:4])[0] == step.status, step
            case table.Frame():
                assert card.exchange(bytes.fromhex(step.sent)).hex().upper() == step.answered.upper(), step


def said(step: table.Say, reader: IndependentReader) -> None:
    if step.ins == 0x5A:
        reader.session = ""
    status, answer = outcome(reader.call, *step[:4])
    if step.status is table.REFUSED:
        assert status != 0x00, step
    else:
        assert (status, answer or b"") == (step.status, step.answer), step


def outcome(command: Any, *arguments: Any) -> tuple[int, Any]:
    try:
        return 0x00, command(*arguments)
    except Refused as refusal:
        return refusal.status, None
