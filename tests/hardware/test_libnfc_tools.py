"""The command line programs of libnfc and libfreefare, as Debian ships them, use the emulated reader and pass."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware.emulated_pass import EmulatedPass, Memory, inspect
from hardware.emulated_pn532 import EmulatedPN532
from tests.hardware.real_parts import run

UID = bytes.fromhex("04DE5F1EACC040")


@pytest.fixture
def memory() -> Memory:
    return Memory.factory(uid=UID)


@pytest.fixture
def pn532(memory: Memory) -> Iterator[EmulatedPN532]:
    with EmulatedPN532(EmulatedPass(memory)) as chip:
        yield chip


def nfc_list(pn532: EmulatedPN532) -> str:
    return run("nfc-list", package="libnfc-bin", why="libnfc judges the emulated PN532", pn532=pn532.path)


def desfire(pn532: EmulatedPN532, tool: str, *arguments: str) -> str:
    why = "libfreefare judges the emulated pass"
    return run(f"mifare-desfire-{tool}", *arguments, package="libfreefare-bin", why=why, pn532=pn532.path)


def test_nfc_list_finds_the_pass_and_then_an_empty_reader(pn532: EmulatedPN532) -> None:
    seen = nfc_list(pn532)
    for line in (
        "ATQA (SENS_RES): 03  44",
        "04  de  5f  1e  ac  c0  40",
        "SAK (SEL_RES): 20",
        "ATS: 75  77  81  02  80",
    ):
        assert line in seen
    pn532.remove()
    assert "UID" not in nfc_list(pn532)


def test_mifare_desfire_info_describes_the_pass(pn532: EmulatedPN532) -> None:
    seen = desfire(pn532, "info")
    for line in ("UID:                      0x04de5f1eacc040", "8192 bytes", "Use random UID: no"):
        assert line in seen


def test_mifare_desfire_access_writes_reads_and_formats(pn532: EmulatedPN532, memory: Memory) -> None:
    asked: list[bytes] = []
    pn532.after_card = lambda command, answer: asked.append(command[1:2])
    desfire(pn532, "access")
    assert {b"\x0a", b"\xca", b"\xcd", b"\x3d", b"\xbd", b"\xfc"} <= set(asked)
    assert inspect(memory)["applications"] == {}


def test_with_a_random_uid_the_tools_see_another_one_each_time(pn532: EmulatedPN532, memory: Memory) -> None:
    desfire(pn532, "ev1-configure-random-uid", "-y")
    assert inspect(memory)["random_id"] is True
    first, second = (re.findall(r"NFCID.\): (08(?:  [0-9a-f]{2}){3})", nfc_list(pn532)) for _ in range(2))
    assert len(first) == len(second) == 1
    assert first != second
    assert "Use random UID: yes" in desfire(pn532, "info")


def test_the_tools_set_ats_and_default_key(pn532: EmulatedPN532, memory: Memory) -> None:
    with memory.writing() as picc:
        picc.ats = bytes.fromhex("0675778102AA")
    assert "ATS: 75  77  81  02  aa" in nfc_list(pn532)
    desfire(pn532, "ev1-configure-ats", "-y")
    assert "ATS: 75  77  81  02  80" in nfc_list(pn532)
    desfire(pn532, "ev1-configure-default-key", "-y")


def test_an_ndef_message_comes_back_and_a_formatted_pass_is_empty(
    pn532: EmulatedPN532, memory: Memory, tmp_path: Path
) -> None:
    message, read = tmp_path / "message", tmp_path / "read"
    message.write_bytes(bytes.fromhex("D101085501") + bytes(range(200)))
    desfire(pn532, "create-ndef", "-y")
    desfire(pn532, "write-ndef", "-y", "-i", str(message))
    desfire(pn532, "read-ndef", "-y", "-o", str(read))
    assert read.read_bytes() == message.read_bytes()
    desfire(pn532, "format", "-y")
    assert inspect(memory)["applications"] == {}


def test_no_tool_takes_the_pass_for_another_kind(pn532: EmulatedPN532) -> None:
    why = "libfreefare judges what kind of card the emulated pass is"
    for tool in ("mifare-ultralight-info", "mifare-classic-format"):
        assert "UID" not in run(tool, package="libfreefare-bin", why=why, pn532=pn532.path)
