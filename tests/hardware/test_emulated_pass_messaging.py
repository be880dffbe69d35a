"""The pass over every messaging, in both framings, and with every kind of key; and what it says about itself."""

from typing import Any

import pytest

from hardware.emulated_pass import EmulatedPass, Memory, inspect
from hardware.emulated_pass.crypto import Cipher
from tests.hardware.a_pass import (
    AID,
    BOTH,
    CYCLIC,
    DF_NAME,
    FREE,
    LINEAR,
    MASTER,
    OPEN,
    PICC_KEY,
    READ,
    RIGHTS,
    STANDARD,
    STRANGER,
    UID,
    VALUE,
    World,
    a_memory,
    a_world,
    key,
    value_file,
)
from tests.hardware.independent_reader import IndependentReader, Refused, le

ALL_BY_KEY_0 = b"\x00\x00"
MODES = {"plain": 0, "filemac": 1, "full": 3}


def at(offset: int, length: int) -> bytes:
    return le(offset, 3) + le(length, 3)


def authenticated(world: World, messaging: str, number: int, value: bytes) -> IndependentReader:
    reader = world.reader
    if messaging == "D40":
        reader.d40(number, value)
    elif messaging in ("ISO", "3TDEA"):
        reader.ev1(number, value, 0x1A)
    elif messaging == "AES":
        reader.ev1(number, value)
    else:
        reader.ev2_first(number, value)
    return reader


KINDS = {"D40": (b"\x02", 16), "ISO": (b"\x02", 16), "3TDEA": (b"\x42", 24), "AES": (b"\x82", 16), "EV2": (b"\x82", 16)}


@pytest.mark.parametrize("native", [True, False], ids=["native", "wrapped"])
@pytest.mark.parametrize("messaging", list(KINDS))
@pytest.mark.parametrize("mode", list(MODES))
@pytest.mark.parametrize("new", ["single", "double"])
def test_data_values_records_and_keys_over_every_messaging(messaging: str, mode: str, native: bool, new: str) -> None:
    """An application of each kind of key; every access of a file in each mode; then both its keys changed."""
    world = World(Memory.factory(uid=UID), native)
    settings, size = KINDS[messaging]
    world.reader.send(0xCA, AID + b"\x0f" + settings)
    reader = world.reader
    reader.select(AID)
    reader = authenticated(world, messaging, 0, bytes(size))
    reader.call(0xCD, bytes([1, MODES[mode]]) + ALL_BY_KEY_0 + le(200, 3))
    reader.call(0xCC, value_file(2, MODES[mode], ALL_BY_KEY_0, -5, 500, 100, 0))
    reader.call(0xC0, bytes([3, MODES[mode]]) + ALL_BY_KEY_0 + le(20, 3) + le(3, 3))
    text = bytes(range(1, 151))
    reader.call(0x3D, b"\x01" + at(10, 150), text, mode)
    assert reader.call(0xBD, b"\x01" + at(10, 150), b"", mode) == text
    assert reader.call(0xBD, b"\x01" + at(0, 0), b"", mode) == bytes(10) + text + bytes(40)
    reader.call(0x0C, b"\x02", le(25, 4), mode)
    reader.call(0xDC, b"\x02", le(130, 4), mode)
    reader.call(0x3B, b"\x03" + at(0, 5), b"first", mode)
    reader.call(0xC7)
    assert reader.call(0x6C, b"\x02", b"", mode) == le(-5, 4)
    assert reader.call(0xBB, b"\x03" + at(0, 0), b"", mode) == b"first".ljust(20, b"\x00")
    reader.call(0x5F, b"\x01", b"\x03" + ALL_BY_KEY_0, "full")
    assert reader.call(0xBD, b"\x01" + at(10, 5), b"", "full") == text[:5]
    reader.call(0x54, b"", b"\x0f", "full")
    version = 7 if messaging in ("AES", "EV2") else None
    value = bytes(range(size)) if new == "double" else bytes(range(8)) * (size // 8)
    reader.change_key(1, value, version, old=bytes(size))
    reader.change_key(0, value[::-1], version)
    for number, changed in ((1, value), (0, value[::-1])):
        reader.select(AID)
        reader = authenticated(world, messaging, number, changed)
        assert reader.call(0x51, mode="full") == UID


@pytest.mark.parametrize("messaging", ["D40", "ISO", "AES", "EV2"])
@pytest.mark.parametrize("kind", [0x00, 0x40, 0x80])
def test_the_picc_key_changes_from_any_kind_to_any(messaging: str, kind: int) -> None:
    memory = Memory.factory(uid=UID)
    world = World(memory)
    value = bytes(16)
    if messaging in ("AES", "EV2"):
        world.reader.d40(0, value)
        world.reader.change_key(0x80, PICC_KEY, 3)
        value = PICC_KEY
    new = bytes(range(0x20, 0x38))[: 24 if kind == 0x40 else 16]
    authenticated(world, messaging, 0, value)
    world.reader.change_key(kind, new, 9 if kind == 0x80 else None)
    # The version of a DES key is in its parity bits: 20 21 22 ... carries 01010101.
    assert inspect(memory)["key"] == ({0: "2TDEA", 0x40: "3TDEA", 0x80: "AES"}[kind], 9 if kind == 0x80 else 0x55, new)
    assert world.reader.send(0x45) == (0x00, bytes([0x0F, 0x01 | kind]))
    authenticated(world, {0: "ISO", 0x40: "3TDEA", 0x80: "EV2"}[kind], 0, new)
    assert world.reader.call(0x64, b"\x00") == bytes([9 if kind == 0x80 else 0x55])


@pytest.mark.parametrize("messaging", ["D40", "AES"])
@pytest.mark.parametrize("mode", ["filemac", "full"])
def test_the_older_messagings_refuse_what_was_altered(messaging: str, mode: str) -> None:
    world = World(Memory.factory(uid=UID))
    reader = world.reader
    reader.send(0xCA, AID + b"\x0f" + KINDS[messaging][0])
    reader.select(AID)
    authenticated(world, messaging, 0, bytes(16))
    reader.call(0xCD, bytes([1, MODES[mode]]) + ALL_BY_KEY_0 + le(32, 3))
    good = reader.sealed(0x3D, b"\x01" + at(0, 8), b"12345678", mode)
    assert reader.send(0x3D, good[:-1] + bytes([good[-1] ^ 1])) == (0x1E, b"")
    assert inspect(world.memory)["applications"]["4D4545"]["files"][1]["data"] == bytes(32)


@pytest.mark.parametrize("messaging", ["D40", "ISO", "AES"])
def test_the_older_messagings_check_a_new_keys_sums(messaging: str) -> None:
    world = World(Memory.factory(uid=UID))
    reader = world.reader
    reader.send(0xCA, AID + b"\x0f" + KINDS[messaging][0])
    for old in (b"\x01" * 16, None):
        reader.select(AID)
        authenticated(world, messaging, 0, bytes(16))
        if old:
            with pytest.raises(Refused, match="1E"):
                reader.change_key(1, bytes(16), 1 if messaging == "AES" else None, old)
        else:
            assert reader.send(0xC4, b"\x00" + bytes(24 if messaging != "AES" else 32)) == (0x1E, b"")
            reader.select(AID)
            authenticated(world, messaging, 0, bytes(16))
            assert reader.send(0xC4, b"\x00" + bytes(48))[0] == 0x7E
    assert {each[1] for each in inspect(world.memory)["applications"]["4D4545"]["keys"]} == {bytes(16)}


@pytest.mark.parametrize(
    ("messaging", "number", "length"), [("D40", 2, 4), ("AES", 2, 8), ("D40", 3, 15), ("AES", 3, 31)]
)
def test_the_older_messagings_refuse_lengths_that_cannot_be(messaging: str, number: int, length: int) -> None:
    """A value file in MAC mode that gets a MAC only, and one in full mode that gets no whole block."""
    world = World(Memory.factory(uid=UID))
    reader = world.reader
    reader.send(0xCA, AID + b"\x0f" + KINDS[messaging][0])
    reader.select(AID)
    authenticated(world, messaging, 0, bytes(16))
    reader.call(0xCC, value_file(2, 1, ALL_BY_KEY_0, 0, 500, 100, 0))
    reader.call(0xCC, value_file(3, 3, ALL_BY_KEY_0, 0, 500, 100, 0))
    assert reader.send(0xDC, bytes([number]) + bytes(length)) == (0x7E, b"")


@pytest.mark.parametrize("length", [16, 18])
@pytest.mark.parametrize("own", [True, False])
def test_a_new_key_of_the_wrong_length_is_refused_in_ev2_messaging(length: int, own: bool) -> None:
    world = a_world()
    reader = world.enter(MASTER)
    fields = bytes(length) + (b"" if own else bytes(4))
    with pytest.raises(Refused, match="7E"):
        reader.call(0xC4, b"\x00" if own else b"\x01", fields, "full")


def test_a_cipher_wants_a_key_of_its_length() -> None:
    with pytest.raises(ValueError, match="24 bytes"):
        Cipher("3TDEA", bytes(16))


@pytest.mark.parametrize("length", [0, 8, 15, 17, 24])
@pytest.mark.parametrize("ins", [0x0A, 0x1A])
def test_a_des_proof_of_the_wrong_length_is_refused(ins: int, length: int) -> None:
    world = World(Memory.factory(uid=UID))
    assert world.reader.frame(ins, b"\x00")[0] == 0xAF
    assert world.reader.frame(0xAF, bytes(length)) == (0x7E, b"")


@pytest.mark.parametrize("ins", [0x0A, 0x1A])
def test_a_wrong_des_proof_is_refused(ins: int) -> None:
    world = World(Memory.factory(uid=UID))
    assert world.reader.frame(ins, b"\x00")[0] == 0xAF
    assert world.reader.frame(0xAF, bytes(16)) == (0xAE, b"")


# --- EV2 --------------------------------------------------------------------------------------------------------------


def test_capabilities_are_echoed_and_configured() -> None:
    world = a_world()
    reader = world.reader
    reader.ev2_first(0, PICC_KEY)
    reader.call(0x5C, b"\x05", bytes(8) + b"\xab\xcd", "full")
    plain = reader.ev2_first(0, PICC_KEY, b"\x01\x02\x03")
    assert plain[20:] == bytes.fromhex("00000000ABCD") + bytes.fromhex("010203000000")


def test_a_new_session_has_a_new_identifier_and_a_count_from_zero() -> None:
    world = a_world()
    reader = world.enter(READ)
    first = reader.ti
    reader.call(0x64, b"\x00")
    world.enter(READ)
    assert reader.ti != first
    assert reader.call(0x64, b"\x00") == b"\x20"


def test_free_access_within_a_session_is_plain_but_counts() -> None:
    world = a_world()
    reader = world.enter(STRANGER)
    reader.call(0x3D, bytes([OPEN]) + at(0, 3), b"abc", "plain")
    assert reader.call(0xBD, bytes([OPEN]) + at(0, 3), b"", "plain") == b"abc"
    assert reader.call(0x64, b"\x00") == b"\x20"


def test_a_key_that_is_named_uses_the_files_mode_even_where_access_is_free() -> None:
    world = a_world()
    reader = world.enter(MASTER)
    reader.call(0xCD, b"\x09\x03\x14\xee" + le(8, 3))  # Read and Write free, ReadWrite key 1, Change key 4
    reader.ev2_first(1, key(1))
    reader.call(0x3D, b"\x09" + at(0, 3), b"abc", "full")
    reader.ev2_first(2, key(2))
    assert reader.call(0xBD, b"\x09" + at(0, 3), b"", "plain") == b"abc"


def test_settings_that_anyone_may_change_travel_plain() -> None:
    world = a_world()
    reader = world.enter(STRANGER)
    reader.call(0x5F, bytes([OPEN]), b"\x00" + FREE, "plain")
    reader = world.enter()
    reader.call(0x5F, bytes([OPEN]), b"\x01\xf4\x1f", "plain")
    assert reader.call(0xF5, bytes([OPEN]), mode="plain") == b"\x00\x01\xf4\x1f" + le(32, 3)


# --- frames -----------------------------------------------------------------------------------------------------------


def test_native_answers_come_in_frames_of_at_most_sixty_bytes() -> None:
    world = a_world(native=True)
    reader = world.enter(BOTH)
    reader.frames.clear()
    assert reader.call(0xBD, bytes([STANDARD]) + at(0, 64), b"", "filemac") == bytes(64)
    assert [len(answer) for _, answer in reader.frames] == [60, 14]


@pytest.mark.parametrize(("room", "frames"), [(59, [61] * 8 + [30]), (240, [242, 242, 22])])
def test_wrapped_answers_come_in_frames_of_59_bytes_or_as_large_as_asked(room: int, frames: list[int]) -> None:
    memory = a_memory()
    card = EmulatedPass(memory, wrapped_answer=room)
    card.activate()
    reader = IndependentReader(card.exchange)
    reader.select(AID)
    reader.ev2_first(MASTER, key(MASTER))
    reader.call(0xCD, b"\x09\x00" + FREE + le(500, 3))
    reader.frames.clear()
    assert reader.call(0xBD, b"\x09" + at(0, 500), b"", "plain") == bytes(500)
    assert [len(answer) for _, answer in reader.frames] == frames


@pytest.mark.parametrize("native", [True, False])
def test_the_iso_twins_come_in_one_piece(native: bool) -> None:
    world = a_world(native=native, part=250)
    reader = world.enter(BOTH)
    reader.frames.clear()
    reader.call(0x8D, bytes([STANDARD]) + at(0, 64), bytes(range(64)), "filemac")
    assert reader.call(0xAD, bytes([STANDARD]) + at(0, 64), b"", "filemac") == bytes(range(64))
    reader.call(0x8B, bytes([LINEAR]) + at(0, 3), b"abc", "filemac")
    reader.call(0xC7)
    assert reader.call(0xAB, bytes([LINEAR]) + at(0, 1), b"", "filemac") == b"abc".ljust(16, b"\x00")
    assert len(reader.frames) == 5


def test_a_pass_spoken_to_in_apdus_answers_in_apdus_until_it_leaves() -> None:
    world = a_world()
    assert world.card.exchange(b"\x64\x00") == b"\x00\x10"
    assert world.card.exchange(bytes.fromhex("90640000010000")) == b"\x10\x91\x00"
    assert world.card.exchange(b"\x64\x00") == b"\x10\x91\x00"
    world.card.activate()
    assert world.card.exchange(b"\x64\x00") == b"\x00\x10"


def test_le_may_be_left_off() -> None:
    assert a_world().card.exchange(bytes.fromhex("906400000100")) == b"\x10\x91\x00"
    assert a_world().card.exchange(bytes.fromhex("906E0000"))[-2:] == b"\x91\x00"


# --- what it says about itself ----------------------------------------------------------------------------------------


def test_an_ordinary_activation() -> None:
    card = EmulatedPass(Memory.factory(uid=UID))
    seen = card.activate()
    assert (seen.uid, seen.atqa, seen.sak, seen.ats) == (UID, b"\x03\x44", 0x20, bytes.fromhex("067577810280"))


def test_a_pass_with_random_id_hides_its_uid_from_all_but_its_own() -> None:
    world = a_world()
    world.reader.ev2_first(0, PICC_KEY)
    world.reader.call(0x5C, b"\x00", b"\x02", "full")
    seen = {world.card.activate().uid for _ in range(5)}
    assert len(seen) == 5
    assert all(len(uid) == 4 and uid[0] == 0x08 for uid in seen)
    assert world.card.activate().atqa == b"\x03\x04"
    assert world.reader.send(0x60)[1][14:21] == bytes(7)
    world.enter(STRANGER)
    assert world.reader.call(0x51, mode="full") == UID


@pytest.mark.parametrize("generation", ["EV1", "EV2", "EV3"])
@pytest.mark.parametrize("native", [True, False])
def test_get_version_in_three_frames(generation: str, native: bool) -> None:
    world = a_world(generation, native=native)
    status, data = world.reader.send(0x60)
    assert (status, len(data), data[14:21]) == (0x00, 28, UID)
    assert (
        data[:5]
        == {"EV1": b"\x04\x01\x01\x01\x00", "EV2": b"\x04\x01\x01\x12\x00", "EV3": b"\x04\x01\x01\x33\x00"}[generation]
    )
    assert [len(answer) for _, answer in world.reader.frames] == [n + (1 if native else 2) for n in (7, 7, 14)]
    world.enter(READ)
    assert world.reader.call(0x60) == data


def test_applications_and_their_names_are_listed() -> None:
    world = a_world()
    assert world.reader.send(0x6A) == (0x00, AID)
    assert world.reader.send(0x6D) == (0x00, AID + b"\x01\xdf" + DF_NAME)
    for number in range(1, 25):
        world.reader.send(0xCA, le(number, 3) + b"\x0f\x81" + (le(number, 2) if number == 1 else b""))
    world.reader.frames.clear()
    world.reader.ev2_first(0, PICC_KEY)
    world.reader.frames.clear()
    assert world.reader.call(0x6A) == AID + b"".join(le(number, 3) for number in range(1, 25))
    assert [len(answer) for _, answer in world.reader.frames] == [59, 28]
    assert world.reader.call(0x6D) == AID + b"\x01\xdf" + DF_NAME + le(1, 3) + le(1, 2)


def test_files_are_listed() -> None:
    reader = a_world().enter()
    assert reader.send(0x6F) == (0x00, bytes(range(1, 8)))
    assert reader.send(0x61) == (0x00, b"")


def test_an_application_with_iso_files_wants_an_identifier_for_each() -> None:
    world = a_world()
    reader = world.reader
    reader.send(0xCA, b"\x01\x02\x03\x0f\xa1")
    reader.select(b"\x01\x02\x03")
    assert reader.send(0xCD, b"\x01\x00" + FREE + le(8, 3)) == (0x7E, b"")
    assert reader.send(0xCD, b"\x01\x03\xe1\x00" + FREE + le(8, 3)) == (0x00, b"")
    assert reader.send(0xCB, b"\x02\x03\xe1\x00" + FREE + le(8, 3)) == (0xDE, b"")
    assert reader.send(0xC1, b"\x02\x04\xe1\x00" + FREE + le(8, 3) + le(2, 3)) == (0x00, b"")
    assert reader.send(0x61) == (0x00, b"\x03\xe1\x04\xe1")
    assert reader.send(0x45) == (0x00, b"\x0f\xa1")
    assert world.card.exchange(bytes.fromhex("00A4000C02E10300")) == b"\x90\x00"
    assert reader.send(0x6F) == (0x00, b"\x01\x02")


SELECTIONS = [
    ("DF name", "00A4040C07D276000085010100", AID),
    ("DF name without Le", "00A4040C07D2760000850101", AID),
    ("file identifier", "00A4000C02DF01", AID),
    ("the PICC by name", "00A4040C07D2760000850100", bytes(3)),
    ("the PICC by identifier", "00A4000C023F00", bytes(3)),
    ("the PICC by nothing", "00A40000", bytes(3)),
]


@pytest.mark.parametrize(("sent", "aid"), [line[1:] for line in SELECTIONS], ids=[line[0] for line in SELECTIONS])
def test_iso_select(sent: str, aid: bytes) -> None:
    world = a_world()
    world.enter(READ)
    if aid == AID:
        world.reader.select(bytes(3))
    assert world.card.exchange(bytes.fromhex(sent)) == b"\x90\x00"
    inside = world.reader.send(0x6F)[0] == 0x00
    assert inside == (aid == AID)


def test_memory_is_used_up_and_comes_back_only_by_formatting() -> None:
    world = World(Memory.factory(uid=UID))
    reader = world.reader
    assert reader.send(0x6E) == (0x00, le(8192, 3))
    reader.send(0xCA, AID + b"\x0f\x81")
    left = int.from_bytes(reader.send(0x6E)[1], "little")
    assert left < 8192
    authenticated(world, "D40", 0, bytes(16))
    reader.call(0xDA, AID)
    assert reader.call(0x6E) == le(left, 3)
    reader.call(0xFC)
    assert reader.call(0x6E) == le(8192, 3)


def test_formatting_keeps_the_key_and_takes_the_rest() -> None:
    world = a_world()
    world.reader.ev2_first(0, PICC_KEY)
    world.reader.call(0xFC)
    seen = inspect(world.memory)
    assert (seen["applications"], seen["key"]) == ({}, ("AES", 0x10, PICC_KEY))


def test_an_application_deletes_itself_where_the_picc_leaves_that_free() -> None:
    world = a_world()
    world.enter(MASTER)
    world.reader.call(0xDA, AID, bare=True)
    assert inspect(world.memory)["applications"] == {}
    assert world.reader.send(0x6A) == (0x00, b"")


def test_an_application_cannot_delete_itself_where_the_picc_forbids() -> None:
    world = a_world()
    world.reader.ev2_first(0, PICC_KEY)
    world.reader.call(0x54, b"", b"\x0b", "full")
    world.enter(MASTER)
    with pytest.raises(Refused, match="9D"):
        world.reader.call(0xDA, AID)


def test_the_default_key_of_new_applications_and_the_ats_can_be_configured() -> None:
    world = a_world()
    reader = world.reader
    reader.ev2_first(0, PICC_KEY)
    reader.call(0x5C, b"\x01", bytes(range(24)) + b"\x42", "full")
    reader.call(0x5C, b"\x02", bytes.fromhex("0675778102AA"), "full")
    reader.call(0xCA, b"\x01\x02\x03\x0f\x82")
    assert inspect(world.memory)["applications"]["010203"]["keys"] == [(0x42, bytes(range(16)))] * 2
    assert world.card.activate().ats == bytes.fromhex("0675778102AA")


def test_file_settings_of_every_kind() -> None:
    reader = a_world().enter()
    expected = {
        STANDARD: "0001" + RIGHTS.hex() + "400000",
        VALUE: "0203" + RIGHTS.hex() + "00000000" + "10270000" + "00000000" + "00",
        3: "0100" + RIGHTS.hex() + "200000",
        LINEAR: "0301" + RIGHTS.hex() + "100000" + "030000" + "000000",
        CYCLIC: "0403" + RIGHTS.hex() + "100000" + "040000" + "000000",
        OPEN: "0003eeee200000",
        7: "0200" + RIGHTS.hex() + "9CFFFFFF" + "10270000" + "00000000" + "03",
    }
    for number, settings in expected.items():
        assert reader.send(0xF5, bytes([number])) == (0x00, bytes.fromhex(settings)), number


def test_a_pass_is_the_same_after_a_night_in_a_drawer(tmp_path: Any) -> None:
    memory = a_memory(path=tmp_path / "pass")
    world = World(memory)
    reader = world.enter(BOTH)
    for letter in b"AB":
        reader.call(0x3B, bytes([LINEAR]) + at(0, 1), bytes([letter]), "filemac")
        reader.call(0xDC, bytes([VALUE]), le(1, 4), "full")
        reader.call(0xC7)
    loaded = Memory.load(tmp_path / "pass")
    assert inspect(loaded) == inspect(memory) == inspect(tmp_path / "pass")
    assert loaded.picc == memory.picc
