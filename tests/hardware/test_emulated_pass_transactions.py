"""What a transaction does: nothing shows before the commit, everything after it, and the transaction MAC proves it."""

from typing import Any

import pytest

from hardware.emulated_pass import inspect
from tests.hardware.a_pass import (
    AID,
    BACKUP,
    BOTH,
    CHANGE,
    CYCLIC,
    DF_NAME,
    LINEAR,
    MAC_FILE,
    MASTER,
    OPEN,
    OPEN_VALUE,
    READ,
    STANDARD,
    TM_KEY,
    UID,
    VALUE,
    WRITE,
    World,
    a_world,
    key,
    with_transaction_mac,
)
from tests.hardware.independent_reader import ZERO, IndependentReader, Refused, cbc, cmac, le, short, zero_pad


def at(offset: int, length: int) -> bytes:
    return le(offset, 3) + le(length, 3)


def files(world: World) -> Any:
    return inspect(world.memory)["applications"]["4D4545"]["files"]


def value(reader: IndependentReader, number: int = VALUE) -> int:
    mode = "full" if number == VALUE else "plain"
    return int.from_bytes(reader.call(0x6C, bytes([number]), mode=mode), "little", signed=True)


def debit(reader: IndependentReader, amount: int, number: int = VALUE) -> None:
    reader.call(0xDC, bytes([number]), le(amount, 4), "full" if number == VALUE else "plain")


def credit(reader: IndependentReader, amount: int, number: int = VALUE) -> None:
    reader.call(0x0C, bytes([number]), le(amount, 4), "full" if number == VALUE else "plain")


def give_back(reader: IndependentReader, amount: int) -> None:
    reader.call(0x1C, bytes([OPEN_VALUE]), le(amount, 4), "plain")


def write_record(reader: IndependentReader, number: int, data: bytes, offset: int = 0, ins: int = 0x3B) -> None:
    reader.call(ins, bytes([number]) + at(offset, len(data)), data, "filemac" if number == LINEAR else "full")


def read_records(reader: IndependentReader, number: int, first: int, count: int) -> bytes:
    return reader.call(0xBB, bytes([number]) + at(first, count), b"", "filemac" if number == LINEAR else "full")


# --- the shadow -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("generation", ["EV1", "EV2", "EV3"])
def test_nothing_shows_before_the_commit_and_all_of_it_after(generation: str) -> None:
    world = a_world(generation)
    reader = world.enter(BOTH)
    before = files(world)
    reader.call(0x3D, bytes([BACKUP]) + at(4, 4), b"abcd", "plain")
    debit(reader, 1300)
    write_record(reader, CYCLIC, b"one")
    assert files(world) == before
    assert reader.call(0xBD, bytes([BACKUP]) + at(0, 0), b"", "plain") == bytes(32)
    assert value(reader) == 5000
    reader.call(0xC7)
    assert reader.call(0xBD, bytes([BACKUP]) + at(4, 4), b"", "plain") == b"abcd"
    assert value(reader) == 3700
    assert read_records(reader, CYCLIC, 0, 1) == b"one".ljust(16, b"\x00")


def test_a_standard_file_is_written_through() -> None:
    world = a_world()
    reader = world.enter(BOTH)
    reader.call(0x3D, bytes([STANDARD]) + at(60, 4), b"abcd", "filemac")
    assert files(world)[STANDARD]["data"][60:] == b"abcd"
    assert reader.send(0xC7, reader.sealed(0xC7, b"", b"", "mac")) == (0x0C, b"")


def test_pending_writes_to_one_backup_file_build_on_each_other() -> None:
    world = a_world()
    reader = world.enter(BOTH)
    for offset, data in ((0, b"ab"), (1, b"xy"), (30, b"zz")):
        reader.call(0x3D, bytes([BACKUP]) + at(offset, 2), data, "plain")
    reader.call(0xC7)
    assert files(world)[BACKUP]["data"] == b"axy".ljust(30, b"\x00") + b"zz"


def abort_by_error(world: World) -> None:
    with pytest.raises(Refused):
        world.reader.call(0x64, b"\x20")


ABORTS = {
    "abort": lambda world: world.reader.call(0xA7),
    "selection": lambda world: world.reader.select(AID),
    "ISO selection": lambda world: world.card.exchange(bytes.fromhex("00A4040C07") + DF_NAME + b"\x00"),
    "failed ISO selection": lambda world: world.card.exchange(bytes.fromhex("00A4040C020102")),
    "EV2 first": lambda world: world.reader.ev2_first(BOTH, key(BOTH)),
    "an error": abort_by_error,
    "field loss": lambda world: world.leave_and_return(),
    "its file deleted": lambda world: (world.reader.ev2_non_first(MASTER, key(0)), world.reader.call(0xDF, b"\x02")),
}


@pytest.mark.parametrize("how", list(ABORTS))
def test_what_aborts_a_transaction(how: str) -> None:
    world = a_world()
    reader = world.enter(BOTH)
    debit(reader, 1000)
    debit(reader, 50, OPEN_VALUE)
    ABORTS[how](world)
    world.enter(BOTH)
    # Nothing is left to commit.
    assert reader.send(0xC7, reader.sealed(0xC7, b"", b"", "mac")) == (0x0C, b"")
    assert files(world)[OPEN_VALUE]["value"] == 100
    assert VALUE not in files(world) or files(world)[VALUE]["value"] == 5000


def test_non_first_keeps_the_transaction_and_its_mac() -> None:
    world = with_transaction_mac(a_world())
    reader = world.enter(READ)
    debit(reader, 1000)
    reader.ev2_non_first(BOTH, key(BOTH))
    debit(reader, 1)
    answer = reader.call(0xC7, b"\x01")
    assert files(world)[VALUE]["value"] == 3999
    pieces = b"\xdc\x02" + le(1000, 4) + bytes(10) + b"\xdc\x02" + le(1, 4) + bytes(10)
    assert answer == le(1, 4) + transaction_mac(1, pieces)


@pytest.mark.parametrize("ins", [0xC7, 0xA7])
def test_nothing_pending_is_no_change_and_ends_the_session(ins: int) -> None:
    world = a_world()
    reader = world.enter(BOTH)
    with pytest.raises(Refused, match="0C"):
        reader.call(ins)
    assert reader.send(0x6C, bytes([VALUE])) == (0xAE, b"")


# --- values -----------------------------------------------------------------------------------------------------------


def test_several_operations_add_up_and_are_checked_as_they_come() -> None:
    world = a_world()
    reader = world.enter(BOTH)
    debit(reader, 5000)
    credit(reader, 10000)
    debit(reader, 2500)
    reader.call(0xC7)
    assert value(reader) == 7500
    debit(reader, 7500)
    with pytest.raises(Refused, match="BE"):
        debit(reader, 1)
    assert files(world)[VALUE]["value"] == 7500


def test_a_value_can_go_below_nothing_if_its_limit_does() -> None:
    world = a_world()
    reader = world.enter(BOTH)
    debit(reader, 200, OPEN_VALUE)
    reader.call(0xC7)
    assert value(reader, OPEN_VALUE) == -100


def test_the_limited_credit_is_what_the_last_debiting_transaction_took() -> None:
    """Debits 1300 and 1700 with a credit of 20 between them: 3000 may be given back (libfreefare, test on a card)."""
    world = a_world()
    reader = world.enter(BOTH)
    credit(reader, 5000, OPEN_VALUE)
    reader.call(0xC7)
    debit(reader, 10, OPEN_VALUE)
    reader.call(0xC7)
    debit(reader, 1300, OPEN_VALUE)
    credit(reader, 20, OPEN_VALUE)
    debit(reader, 1700, OPEN_VALUE)
    reader.call(0xC7)
    assert files(world)[OPEN_VALUE]["limited_credit"] == 3000
    with pytest.raises(Refused, match="BE"):
        give_back(reader, 3001)
    reader = world.enter(WRITE)
    give_back(reader, 100)
    reader.call(0xC7)
    assert files(world)[OPEN_VALUE]["limited_credit"] == 0
    assert files(world)[OPEN_VALUE]["value"] == 100 + 5000 - 10 - 3000 + 20 + 100
    with pytest.raises(Refused, match="BE"):
        give_back(reader, 1)


def test_the_limited_credit_ends_at_the_upper_limit() -> None:
    world = a_world()
    reader = world.enter(BOTH)
    debit(reader, 100, OPEN_VALUE)
    reader.call(0xC7)
    credit(reader, 9950, OPEN_VALUE)
    reader.call(0xC7)
    with pytest.raises(Refused, match="BE"):
        give_back(reader, 51)
    reader = world.enter(BOTH)
    give_back(reader, 50)
    reader.call(0xC7)
    assert files(world)[OPEN_VALUE]["value"] == 10000


def test_the_limited_credit_survives_a_credit_and_not_an_abort_of_its_use() -> None:
    world = a_world()
    reader = world.enter(BOTH)
    debit(reader, 100, OPEN_VALUE)
    reader.call(0xC7)
    credit(reader, 1, OPEN_VALUE)
    reader.call(0xC7)
    give_back(reader, 60)
    with pytest.raises(Refused, match="BE"):
        give_back(reader, 41)
    reader = world.enter(BOTH)
    give_back(reader, 100)
    reader.call(0xA7)
    assert files(world)[OPEN_VALUE]["limited_credit"] == 100


def test_the_limited_credit_is_counted_even_where_it_is_off() -> None:
    """Credit 100, debit 97: 97 (hardware notes of libnxpsc)."""
    world = a_world()
    reader = world.enter(BOTH)
    credit(reader, 100)
    debit(reader, 97)
    reader.call(0xC7)
    settings = reader.call(0xF5, bytes([VALUE]))
    assert settings == b"\x02\x03\x34\x12" + le(0, 4) + le(10000, 4) + le(97, 4) + b"\x00"
    assert files(world)[VALUE]["limited_credit"] == 97


@pytest.mark.parametrize("session", [None, CHANGE, READ])
def test_a_free_value_can_be_read_by_anyone_in_plain(session: int | None) -> None:
    world = a_world()
    reader = world.enter(session)
    assert reader.call(0x6C, bytes([OPEN_VALUE]), mode="plain") == le(100, 4)


def test_a_free_value_can_only_be_read_freely() -> None:
    world = a_world()
    world.enter()
    with pytest.raises(Refused, match="AE"):
        debit(world.reader, 1, OPEN_VALUE)


# --- records ----------------------------------------------------------------------------------------------------------


def test_one_transaction_writes_one_record_in_pieces() -> None:
    world = a_world()
    reader = world.enter(BOTH)
    write_record(reader, LINEAR, b"abcd")
    write_record(reader, LINEAR, b"xy", 10)
    reader.call(0xC7)
    assert files(world)[LINEAR]["records"] == [b"abcd".ljust(10, b"\x00") + b"xy" + bytes(4)]


def three_records(world: World, number: int, count: int) -> IndependentReader:
    reader = world.enter(BOTH)
    for i in range(count):
        write_record(reader, number, bytes([0x41 + i]) * 16)
        reader.call(0xC7)
    return reader


def letters(data: bytes) -> str:
    return data[::16].decode()


@pytest.mark.parametrize(
    ("first", "count", "read"), [(0, 0, "ABC"), (0, 1, "C"), (0, 2, "BC"), (1, 1, "B"), (1, 0, "AB"), (2, 1, "A")]
)
@pytest.mark.parametrize("number", [LINEAR, CYCLIC])
def test_record_0_is_the_newest_and_many_come_oldest_first(number: int, first: int, count: int, read: str) -> None:
    reader = three_records(a_world(), number, 3)
    assert letters(read_records(reader, number, first, count)) == read


@pytest.mark.parametrize(("first", "count"), [(3, 0), (3, 1), (0, 4), (2, 2)])
def test_records_that_are_not_there_are_beyond_the_end(first: int, count: int) -> None:
    reader = three_records(a_world(), LINEAR, 3)
    with pytest.raises(Refused, match="BE"):
        read_records(reader, LINEAR, first, count)


def test_a_full_linear_file_takes_no_more() -> None:
    reader = three_records(a_world(), LINEAR, 3)
    with pytest.raises(Refused, match="BE"):
        write_record(reader, LINEAR, b"D")


def test_a_cyclic_file_of_four_keeps_the_last_three() -> None:
    reader = three_records(a_world(), CYCLIC, 5)
    assert letters(read_records(reader, CYCLIC, 0, 0)) == "CDE"
    assert reader.call(0xF5, bytes([CYCLIC]))[-9:] == le(16, 3) + le(4, 3) + le(3, 3)


def test_clearing_waits_for_the_commit_and_bars_new_records_until_then() -> None:
    world = a_world()
    reader = three_records(world, LINEAR, 2)
    reader.call(0xEB, bytes([LINEAR]))
    assert letters(read_records(reader, LINEAR, 0, 0)) == "AB"
    reader.call(0xC7)
    assert files(world)[LINEAR]["records"] == []
    write_record(reader, LINEAR, b"x")
    reader.call(0xC7)
    reader.call(0xEB, bytes([LINEAR]))
    with pytest.raises(Refused, match="9D"):
        write_record(reader, LINEAR, b"y")
    assert len(files(world)[LINEAR]["records"]) == 1


# --- the transaction MAC ----------------------------------------------------------------------------------------------


def transaction_mac(counter: int, pieces: bytes) -> bytes:
    """TMV over the pieces, computed here: MIFARE DESFire Light data sheet, transaction MAC."""
    assert len(pieces) % 16 == 0
    return short(cmac(cmac(TM_KEY, bytes.fromhex("5A00010080") + le(counter, 4) + UID), pieces))


def encrypted_reader(counter: int, previous: bytes) -> bytes:
    return cbc(cmac(TM_KEY, bytes.fromhex("A500010080") + le(counter, 4) + UID), ZERO, previous, True)


def piece(head: bytes, data: bytes = b"") -> bytes:
    return zero_pad(head, 16) + zero_pad(data, 16)


def op_read(reader: IndependentReader, ins: int) -> bytes:
    data = reader.call(ins, bytes([STANDARD]) + at(3, 0), b"", "filemac")
    return piece(bytes([ins, STANDARD]) + at(3, 61), data)


def op_write(reader: IndependentReader, ins: int, number: int, mode: str) -> bytes:
    reader.call(ins, bytes([number]) + at(2, 11), b"hello world", mode)
    return piece(bytes([ins, number]) + at(2, 11), b"hello world")


def op_record(reader: IndependentReader, ins: int) -> bytes:
    write_record(reader, LINEAR, bytes(range(16)), ins=ins)
    return piece(bytes([ins, LINEAR]) + at(0, 16), bytes(range(16)))


def op_read_records(reader: IndependentReader, ins: int) -> bytes:
    write_record(reader, CYCLIC, b"1234567")
    reader.call(0xC7)
    data = reader.call(ins, bytes([CYCLIC]) + at(0, 0), b"", "full")
    return piece(bytes([ins, CYCLIC]) + at(0, 1), data)


def op_value(reader: IndependentReader, ins: int) -> bytes:
    amount = 5 if ins == 0xDC else 0
    if ins == 0x6C:
        reader.call(ins, bytes([OPEN_VALUE]), mode="plain")
        amount = 100
    else:
        reader.call(ins, bytes([OPEN_VALUE]), le(amount, 4), "plain")
    return piece(bytes([ins, OPEN_VALUE]) + le(amount, 4))


def op_clear(reader: IndependentReader) -> bytes:
    reader.call(0xEB, bytes([LINEAR]))
    return piece(bytes([0xEB, LINEAR]))


OPERATIONS = {
    "read": lambda reader: op_read(reader, 0xBD),
    "ISO read": lambda reader: op_read(reader, 0xAD),
    "write standard": lambda reader: op_write(reader, 0x3D, STANDARD, "filemac"),
    "ISO write backup": lambda reader: op_write(reader, 0x8D, BACKUP, "plain"),
    "write record": lambda reader: op_record(reader, 0x3B),
    "ISO write record": lambda reader: op_record(reader, 0x8B),
    "read records": lambda reader: op_read_records(reader, 0xBB),
    "ISO read records": lambda reader: op_read_records(reader, 0xAB),
    "get value": lambda reader: op_value(reader, 0x6C),
    "credit": lambda reader: op_value(reader, 0x0C),
    "debit": lambda reader: op_value(reader, 0xDC),
    "limited credit": lambda reader: op_value(reader, 0x1C),
    "clear": op_clear,
}


@pytest.mark.parametrize("name", list(OPERATIONS))
@pytest.mark.parametrize("option", [b"", b"\x00", b"\x01"])
def test_every_operation_enters_the_transaction_mac(name: str, option: bytes) -> None:
    world = with_transaction_mac(a_world())
    reader = world.enter(BOTH)
    pieces = OPERATIONS[name](reader)
    counter = files(world)[MAC_FILE]["tmc"] + 1
    expected = le(counter, 4) + transaction_mac(counter, pieces)
    assert reader.call(0xC7, option) == (expected if option == b"\x01" else b"")
    assert files(world)[MAC_FILE]["tmv"] == expected[4:]
    reader = world.enter(READ)
    assert reader.call(0xBD, bytes([MAC_FILE]) + at(0, 0), b"", "plain") == expected


def test_the_mac_file_is_itself_not_counted() -> None:
    world = with_transaction_mac(a_world())
    reader = world.enter(READ)
    reader.call(0xBD, bytes([MAC_FILE]) + at(0, 0), b"", "plain")
    with pytest.raises(Refused, match="0C"):
        reader.call(0xC7)
    assert files(world)[MAC_FILE]["tmc"] == 0


def test_a_read_alone_can_be_committed_or_left_out() -> None:
    world = with_transaction_mac(a_world())
    reader = world.enter(BOTH)
    value(reader)
    reader.call(0xA7)
    debit(reader, 5)
    answer = reader.call(0xC7, b"\x01")
    assert answer == le(1, 4) + transaction_mac(1, piece(b"\xdc\x02" + le(5, 4)))
    value(reader)
    reader.call(0xC7)
    assert files(world)[MAC_FILE]["tmc"] == 2


def test_free_access_is_counted_too() -> None:
    world = with_transaction_mac(a_world())
    reader = world.enter()
    reader.call(0x3D, bytes([OPEN]) + at(0, 3), b"abc", "plain")
    reader.call(0xC7)
    assert files(world)[MAC_FILE]["tmv"] == transaction_mac(1, piece(b"\x3d\x06" + at(0, 3), b"abc"))


def test_the_readers_name_is_bound_in_and_given_to_the_next_one() -> None:
    world = with_transaction_mac(a_world(), b"\x34\x1f")
    previous = bytes(16)
    for counter, name in ((1, b"terminal no. one"), (2, b"terminal no. two"), (3, b"terminal no. one")):
        reader = world.enter(BOTH)
        assert reader.call(0xC8, name) == encrypted_reader(counter, previous)
        debit(reader, counter)
        pieces = piece(b"\xc8" + name + encrypted_reader(counter, previous)) + piece(b"\xdc\x02" + le(counter, 4))
        assert reader.call(0xC7, b"\x01") == le(counter, 4) + transaction_mac(counter, pieces)
        assert files(world)[MAC_FILE]["tmri_prev"] == name
        previous = name


def test_an_aborted_transaction_leaves_the_last_readers_name() -> None:
    world = with_transaction_mac(a_world(), b"\x34\x1f")
    reader = world.enter(BOTH)
    reader.call(0xC8, b"terminal no. one")
    debit(reader, 1)
    reader.call(0xA7)
    assert reader.call(0xC8, b"terminal no. two") == encrypted_reader(1, bytes(16))
    debit(reader, 1)
    reader.call(0xC7)
    assert files(world)[MAC_FILE]["tmri_prev"] == b"terminal no. two"


def test_a_reader_without_a_session_is_named_without_an_answer() -> None:
    world = with_transaction_mac(a_world(), b"\xe4\x1f")
    reader = world.enter()
    assert reader.call(0xC8, b"terminal no. one") == b""
    reader.call(0x3D, bytes([OPEN]) + at(0, 3), b"abc", "plain")
    reader.call(0xC7)
    pieces = zero_pad(b"\xc8terminal no. one", 16) + piece(b"\x3d\x06" + at(0, 3), b"abc")
    assert files(world)[MAC_FILE]["tmv"] == transaction_mac(1, pieces)


def test_the_same_operations_on_an_ev1_session_give_the_same_mac() -> None:
    world = with_transaction_mac(a_world())
    reader = world.reader
    reader.select(AID)
    reader.ev1(BOTH, key(BOTH))
    debit(reader, 7)
    assert reader.call(0xC7, b"\x01") == le(1, 4) + transaction_mac(1, piece(b"\xdc\x02" + le(7, 4)))


def test_the_settings_of_the_mac_file_show_its_limit_when_it_has_one() -> None:
    world = with_transaction_mac(a_world())
    reader = world.enter(MASTER)
    assert reader.call(0xF5, bytes([MAC_FILE])) == bytes.fromhex("0500F41F0205")
    reader = world.enter(CHANGE)
    reader.call(0x5F, bytes([MAC_FILE]), b"\x21\x14\x1f" + le(500, 4), "full")
    assert reader.call(0xF5, bytes([MAC_FILE])) == bytes.fromhex("0521141F0205") + le(500, 4)


def test_frames_do_not_show_in_the_mac() -> None:
    """The same write in one frame and in many."""
    macs = []
    for native, part in ((False, 0), (True, 20), (True, 59)):
        world = with_transaction_mac(a_world())
        reader = IndependentReader(world.card.exchange, native=native, part=part)
        world.leave_and_return()
        reader.select(AID)
        reader.ev2_first(BOTH, key(BOTH))
        reader.call(0x3D, bytes([STANDARD]) + at(0, 64), bytes(range(64)), "filemac")
        reader.call(0xC7)
        macs.append(files(world)[MAC_FILE]["tmv"])
    assert macs == [transaction_mac(1, piece(b"\x3d\x01" + at(0, 64), bytes(range(64))))] * 3
