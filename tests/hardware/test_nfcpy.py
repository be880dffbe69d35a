"""nfcpy, an independent reader that does ISO/IEC 14443-4 itself, block by block, through the emulated PN532."""

from collections.abc import Iterator
from typing import Any

import nfc
import pytest
from nfc.clf import pn532 as nfcpy_pn532
from nfc.clf import transport
from nfc.tag.tt4 import Type4ATag

from hardware.emulated_pass import EmulatedPass, Memory
from hardware.emulated_pn532 import EmulatedPN532

TYPE_A = nfc.clf.RemoteTarget("106A")
LONG = bytes(range(200))


class Nfcpy:
    """nfcpy with its driver for the PN532 on a serial port that is not called /dev/tty-something."""

    def __init__(self, path: str) -> None:
        self.clf: Any = nfc.clf.ContactlessFrontend()
        self.clf.device = nfcpy_pn532.init(transport.TTY(path))

    def tag(self) -> Any:
        return nfc.tag.activate(self.clf, self.clf.sense(TYPE_A))


@pytest.fixture
def chip() -> Iterator[EmulatedPN532]:
    # Long answers, so that they too come in several blocks.
    card = EmulatedPass(Memory.factory(uid=bytes.fromhex("04DE5F1EACC040")), wrapped_answer=256)
    with EmulatedPN532(card) as chip:
        yield chip


@pytest.fixture
def nfcpy(chip: EmulatedPN532) -> Iterator[Nfcpy]:
    reader = Nfcpy(chip.path)
    yield reader
    reader.clf.close()


def apdu(ins: int, body: bytes = b"") -> bytes:
    return bytes([0x90, ins, 0, 0]) + (bytes([len(body)]) + body if body else b"") + b"\x00"


def test_nfcpy_activates_the_pass_and_asks_its_version(nfcpy: Nfcpy) -> None:
    tag = nfcpy.tag()
    assert isinstance(tag, Type4ATag)
    assert bytes(tag.identifier) == bytes.fromhex("04DE5F1EACC040")
    assert bytes(tag.transceive(apdu(0x60)))[-2:] == b"\x91\xaf"
    assert tag.is_present


def test_long_commands_and_answers_go_in_chains_of_blocks(nfcpy: Nfcpy) -> None:
    tag = nfcpy.tag()
    file = bytes([1, 0]) + b"\xee\xee" + (255).to_bytes(3, "little")
    data = bytes([1]) + (3).to_bytes(3, "little") + len(LONG).to_bytes(3, "little") + LONG
    for command in (
        apdu(0xCA, bytes.fromhex("4D45450F01")),
        apdu(0x5A, bytes.fromhex("4D4545")),
        apdu(0xCD, file),
        apdu(0x3D, data),
    ):
        assert bytes(tag.transceive(command)) == b"\x91\x00"
    whole = bytes(tag.transceive(apdu(0xBD, bytes([1]) + bytes(6))))
    assert whole == bytes(3) + LONG + bytes(52) + b"\x91\x00"


def test_nfcpy_sees_the_pass_leave_and_come_back(chip: EmulatedPN532, nfcpy: Nfcpy) -> None:
    tag = nfcpy.tag()
    chip.remove()
    assert not tag.is_present
    assert nfcpy.clf.sense(TYPE_A) is None
    chip.present(EmulatedPass(Memory.factory(uid=bytes.fromhex("04AABBCCDDEEFF"))))
    assert bytes(nfcpy.tag().identifier) == bytes.fromhex("04AABBCCDDEEFF")
