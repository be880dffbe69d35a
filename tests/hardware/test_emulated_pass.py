"""A pass from the factory to its hundredth tap, over every messaging it speaks."""

import pytest

from hardware.emulated_pass import EmulatedPass, Memory, inspect
from hardware.in_process import InProcessReader
from tests.hardware.independent_reader import IndependentReader, le

UID = bytes.fromhex("04DE5F1EACC040")
AID = bytes.fromhex("4D4545")
NEW = bytes(range(16))
TM_KEY = bytes.fromhex("F7D23E0C44AFADE542BFDF2DC5C6AE02")


def test_a_factory_pass_becomes_a_purse_that_pays() -> None:
    memory = Memory.factory(uid=UID)
    desk = InProcessReader(EmulatedPass(memory))
    assert desk.find_pass() == UID
    reader = IndependentReader(desk.transmit)
    reader.d40(0, bytes(16))
    reader.change_key(0x80, NEW, 0x10)
    reader.ev2_first(0, NEW)
    reader.call(0xCA, AID + b"\x0b\xa3" + b"\x01\xdf" + bytes.fromhex("D2760000850101"))
    reader.select(AID)
    reader.ev2_first(0)
    reader.change_key(1, NEW[::-1], 7, old=bytes(16))
    reader.call(0xCD, b"\x01\x01\xe1\x03\x00\x12" + le(64, 3))
    reader.call(0xCC, b"\x02\x03\x10\x12" + le(0, 4) + le(100000, 4) + le(5000, 4) + b"\x00")
    reader.call(0xCE, b"\x0f\x00\x1f\x1f\x02", TM_KEY + b"\x00", "full")
    reader.ev2_first(1, NEW[::-1])
    encrypted = reader.call(0xC8, bytes(16))
    assert len(encrypted) == 16
    assert reader.call(0x6C, b"\x02", mode="full") == le(5000, 4)
    reader.call(0xDC, b"\x02", le(1250, 4), "full")
    counter_and_mac = reader.call(0xC7, b"\x01")
    assert counter_and_mac[:4] == le(1, 4)
    assert reader.call(0x6C, b"\x02", mode="full") == le(3750, 4)
    files = inspect(memory)["applications"]["4D4545"]["files"]
    assert files[2]["value"] == 3750
    assert files[15]["tmv"] == counter_and_mac[4:]


@pytest.mark.parametrize("ins", [0x0A, 0x1A])
def test_the_factory_key_is_changed_to_aes(ins: int) -> None:
    memory = Memory.factory(uid=UID)
    card = EmulatedPass(memory)
    card.activate()
    reader = IndependentReader(card.exchange, native=True)
    reader.d40(0, bytes(16)) if ins == 0x0A else reader.ev1(0, bytes(16), 0x1A)
    reader.change_key(0x80, NEW, 0x10)
    reader.ev1(0, NEW)
    reader.ev2_first(0, NEW)
    assert inspect(memory)["key"] == ("AES", 0x10, NEW)
