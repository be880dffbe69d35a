"""What the pass refuses, and with which status; and that every refusal ends session and transaction.

Each line of a table is one rule. The mode is the reader's: "mac", "filemac" (a file in MAC mode), "full", "plain".
"""

from typing import Any

import pytest

from hardware.emulated_pass import EmulatedPass, Memory, inspect
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
    PICC_KEY,
    READ,
    RIGHTS,
    STANDARD,
    STRANGER,
    TM_KEY,
    UID,
    VALUE,
    WRITE,
    World,
    a_memory,
    a_world,
    key,
    value_file,
    with_transaction_mac,
)
from tests.hardware.independent_reader import Refused, le

OTHER = b"\x01\x02\x03"


def refused(world: World, *call: Any) -> int:
    with pytest.raises(Refused) as refusal:
        world.reader.call(*call)
    return refusal.value.status


def names(table: list[Any]) -> list[str]:
    return [line[0] for line in table]


def rules(table: list[Any]) -> list[Any]:
    return [line[1:] for line in table]


def at(offset: int, length: int) -> bytes:
    return le(offset, 3) + le(length, 3)


READ_STANDARD = bytes([STANDARD]) + at(0, 0)

# --- without a session ------------------------------------------------------------------------------------------------

NO_SESSION = [
    ("keyed read", 0xBD, READ_STANDARD, 0xAE),
    ("keyed read with a stray MAC", 0xBD, READ_STANDARD + bytes(8), 0xAE),
    ("keyed write", 0x3D, bytes([STANDARD]) + at(0, 1) + b"x", 0xAE),
    ("keyed get value", 0x6C, bytes([VALUE]), 0xAE),
    ("keyed debit", 0xDC, bytes([VALUE]) + le(1, 4), 0xAE),
    ("keyed settings", 0x5F, bytes([STANDARD, 1]) + RIGHTS, 0xAE),
    ("keyed clear", 0xEB, bytes([LINEAR]), 0xAE),
    ("real UID", 0x51, b"", 0xAE),
    ("real UID with a stray MAC", 0x51, bytes(8), 0x7E),
    ("list of files with a stray MAC", 0x6F, bytes(8), 0x7E),
    ("change of key settings", 0x54, b"\x0f", 0xAE),
    ("change of a key", 0xC4, b"\x01" + bytes(32), 0xAE),
    ("creation of a transaction MAC file", 0xCE, b"\x0f\x00\xf4\x1f\x02" + bytes(17), 0xAE),
    ("no such file", 0xBD, b"\x09" + at(0, 0), 0xF0),
    ("no such file for its settings", 0xF5, b"\x09", 0xF0),
    ("no such file to delete", 0xDF, b"\x09", 0xF0),
    ("no such key", 0x64, b"\x06", 0x40),
    ("no such key to authenticate", 0xAA, b"\x06", 0x40),
    ("no such key to authenticate, EV2", 0x71, b"\x06\x00", 0x40),
    ("DES authentication with an AES key", 0x0A, b"\x00", 0xAE),
    ("ISO authentication with an AES key", 0x1A, b"\x00", 0xAE),
    ("EV2 non-first without an EV2 session", 0x77, b"\x00", 0xAE),
    ("seven capability bytes", 0x71, b"\x00\x07" + bytes(7), 0x7E),
    ("capability bytes missing", 0x71, b"\x00\x02\x01", 0x7E),
    ("no such application", 0x5A, OTHER, 0xA0),
    ("commit of nothing", 0xC7, b"", 0x0C),
    ("abort of nothing", 0xA7, b"", 0x0C),
    ("commit with an unknown option", 0xC7, b"\x02", 0x9E),
    ("commit that wants a MAC where there is none", 0xC7, b"\x01", 0x9E),
    ("reader ID where there is no transaction MAC", 0xC8, bytes(16), 0x9D),
    ("unknown command", 0xEE, b"", 0x1C),
    ("next frame where none is due", 0xAF, b"", 0x1C),
    ("PICC command in an application: IDs", 0x6A, b"", 0x9D),
    ("PICC command in an application: names", 0x6D, b"", 0x9D),
    ("PICC command in an application: creation", 0xCA, OTHER + b"\x0f\x81", 0x9D),
    ("PICC command in an application: format", 0xFC, b"", 0x9D),
    ("too short: select", 0x5A, b"\x00\x00", 0x7E),
    ("too short: read", 0xBD, READ_STANDARD[:6], 0x7E),
    ("too short: get value", 0x6C, b"", 0x7E),
    ("too short: settings", 0x5F, b"", 0x7E),
    ("too long: version", 0x60, b"\x00", 0x7E),
    ("too long: get value of a free value", 0x6C, bytes([OPEN_VALUE, 0]), 0x7E),
]


@pytest.mark.parametrize(("ins", "parameters", "status"), rules(NO_SESSION), ids=names(NO_SESSION))
def test_refused_without_a_session(ins: int, parameters: bytes, status: int) -> None:
    reader = a_world().enter()
    assert reader.send(ins, parameters) == (status, b"")


PICC_NO_SESSION = [
    ("format", 0xFC, b"", 0xAE),
    ("configuration", 0x5C, b"\x00\x02", 0xAE),
    ("deletion", 0xDA, AID, 0xAE),
    ("deletion of what is not there", 0xDA, OTHER, 0xA0),
    ("file command", 0x6F, b"", 0x9D),
    ("read", 0xBD, READ_STANDARD, 0x9D),
    ("commit", 0xC7, b"", 0x9D),
    ("another key", 0xAA, b"\x01", 0x40),
    ("authentication of a DES kind", 0x1A, b"\x00", 0xAE),
]


@pytest.mark.parametrize(("ins", "parameters", "status"), rules(PICC_NO_SESSION), ids=names(PICC_NO_SESSION))
def test_refused_at_picc_level_without_a_session(ins: int, parameters: bytes, status: int) -> None:
    assert a_world().reader.send(ins, parameters) == (status, b"")


@pytest.mark.parametrize("ins", [0xAA, 0x71])
def test_the_factory_master_key_is_no_aes_key(ins: int) -> None:
    world = World(Memory.factory(uid=UID))
    assert world.reader.send(ins, b"\x00\x00"[: 2 if ins == 0x71 else 1]) == (0xAE, b"")


# --- rights -----------------------------------------------------------------------------------------------------------

DATA, AMOUNT = b"x" * 4, le(10, 4)
BY_KEY = [
    # name, keys that may, command
    ("read data", (READ, BOTH), (0xBD, READ_STANDARD, b"", "filemac")),
    ("write data", (WRITE, BOTH), (0x3D, bytes([STANDARD]) + at(0, 4), DATA, "filemac")),
    ("read backup data", (READ, BOTH), (0xBD, bytes([BACKUP]) + at(0, 4), b"", "plain")),
    ("get value", (READ, WRITE, BOTH), (0x6C, bytes([VALUE]), b"", "full")),
    ("debit", (READ, WRITE, BOTH), (0xDC, bytes([VALUE]), AMOUNT, "full")),
    ("credit", (BOTH,), (0x0C, bytes([VALUE]), AMOUNT, "full")),
    ("limited credit", (WRITE, BOTH), (0x1C, bytes([OPEN_VALUE]), le(0, 4), "plain")),
    ("write record", (WRITE, BOTH), (0x3B, bytes([LINEAR]) + at(0, 4), DATA, "filemac")),
    ("clear records", (BOTH,), (0xEB, bytes([LINEAR]), b"", "mac")),
    ("change settings", (CHANGE,), (0x5F, bytes([STANDARD]), b"\x01" + RIGHTS, "full")),
    ("delete a file", (MASTER,), (0xDF, bytes([STANDARD]), b"", "mac")),
    ("create a file", (MASTER,), (0xCD, b"\x09\x01" + RIGHTS + le(8, 3), b"", "mac")),
    ("change key settings", (MASTER,), (0x54, b"", b"\x0b", "full")),
]


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize(("may", "call"), rules(BY_KEY), ids=names(BY_KEY))
@pytest.mark.parametrize("generation", ["EV1", "EV2"])
def test_only_the_keys_of_a_right_have_it(generation: str, may: tuple[int, ...], call: Any, number: int) -> None:
    world = a_world(generation)
    world.enter(number)
    if number in may:
        world.reader.call(*call)
    else:
        assert refused(world, *call) == 0xAE


@pytest.mark.parametrize("session", [None, READ])
def test_a_right_that_nobody_has_is_denied(session: int | None) -> None:
    world = a_world()
    with world.memory.writing() as picc:
        file = picc.applications[AID].files[STANDARD]
        file.rights = type(file.rights)(0xF, 0xF, 0xF, 0xF)
    world.enter(session)
    assert refused(world, 0xBD, READ_STANDARD, b"", "filemac") == 0x9D
    world.enter(session)
    assert refused(world, 0x5F, bytes([STANDARD]), b"\x01" + RIGHTS, "full") == 0x9D


# --- in the session of a key that may ---------------------------------------------------------------------------------

IN_SESSION = [
    # name, key, command, status
    ("read beyond the end", BOTH, (0xBD, bytes([STANDARD]) + at(0, 65), b"", "filemac"), 0xBE),
    ("read from the end", BOTH, (0xBD, bytes([STANDARD]) + at(64, 0), b"", "filemac"), 0xBE),
    ("write beyond the end", BOTH, (0x3D, bytes([STANDARD]) + at(61, 4), DATA, "filemac"), 0xBE),
    ("write of nothing", BOTH, (0x3D, bytes([STANDARD]) + at(0, 0), b"", "filemac"), 0x9E),
    ("write of more than declared", BOTH, (0x3D, bytes([STANDARD]) + at(0, 3), DATA, "filemac"), 0x7E),
    ("write of more than any file", BOTH, (0x3D, bytes([STANDARD]) + at(0, 9000), DATA, "filemac"), 0xBE),
    ("ISO write of less than declared", BOTH, (0x8D, bytes([STANDARD]) + at(0, 5), DATA, "filemac"), 0x7E),
    ("backup write beyond the end", BOTH, (0x3D, bytes([BACKUP]) + at(30, 4), DATA, "plain"), 0xBE),
    ("data command on a value", BOTH, (0xBD, bytes([VALUE]) + at(0, 0), b"", "full"), 0x9E),
    ("data write on a value", BOTH, (0x3D, bytes([VALUE]) + at(0, 4), DATA, "full"), 0x9E),
    ("value command on data", BOTH, (0x6C, bytes([STANDARD]), b"", "filemac"), 0x9E),
    ("debit on data", BOTH, (0xDC, bytes([STANDARD]), AMOUNT, "filemac"), 0x9E),
    ("record command on data", BOTH, (0x3B, bytes([STANDARD]) + at(0, 4), DATA, "filemac"), 0x9E),
    ("record read on data", BOTH, (0xBB, bytes([STANDARD]) + at(0, 0), b"", "filemac"), 0x9E),
    ("clear on data", BOTH, (0xEB, bytes([STANDARD]), b"", "mac"), 0x9E),
    ("negative debit", BOTH, (0xDC, bytes([VALUE]), le(-1, 4), "full"), 0x9E),
    ("negative credit", BOTH, (0x0C, bytes([VALUE]), le(-1, 4), "full"), 0x9E),
    ("debit below the lower limit", BOTH, (0xDC, bytes([VALUE]), le(5001, 4), "full"), 0xBE),
    ("credit above the upper limit", BOTH, (0x0C, bytes([VALUE]), le(5001, 4), "full"), 0xBE),
    ("limited credit where it is off", BOTH, (0x1C, bytes([VALUE]), AMOUNT, "full"), 0x9D),
    ("limited credit of what was never debited", BOTH, (0x1C, bytes([OPEN_VALUE]), AMOUNT, "plain"), 0xBE),
    ("read of an empty linear file", BOTH, (0xBB, bytes([LINEAR]) + at(0, 0), b"", "filemac"), 0xBE),
    ("read of an empty cyclic file", BOTH, (0xBB, bytes([CYCLIC]) + at(0, 1), b"", "full"), 0xBE),
    ("record longer than a record", BOTH, (0x3B, bytes([LINEAR]) + at(13, 4), DATA, "filemac"), 0xBE),
    ("record of nothing", BOTH, (0x3B, bytes([LINEAR]) + at(0, 0), b"", "filemac"), 0x9E),
    ("settings with an unknown mode", CHANGE, (0x5F, bytes([STANDARD]), b"\x04" + RIGHTS, "full"), 0x9E),
    ("settings with mirroring", CHANGE, (0x5F, bytes([STANDARD]), b"\x41" + RIGHTS, "full"), 0x9E),
    ("settings naming a key that is not there", CHANGE, (0x5F, bytes([STANDARD]), b"\x01\x36\x12", "full"), 0x9E),
    ("settings with something left over", CHANGE, (0x5F, bytes([STANDARD]), b"\x01" + RIGHTS + b"\x00", "full"), 0x7E),
    ("a file that is there", MASTER, (0xCD, bytes([STANDARD, 1]) + RIGHTS + le(8, 3)), 0xDE),
    ("a file number too high", MASTER, (0xCD, b"\x20\x01" + RIGHTS + le(8, 3)), 0x9E),
    ("a file of nothing", MASTER, (0xCD, b"\x09\x01" + RIGHTS + le(0, 3)), 0x9E),
    ("a file with a key that is not there", MASTER, (0xCD, b"\x09\x01\x36\x12" + le(8, 3)), 0x9E),
    ("a file larger than what is left", MASTER, (0xCD, b"\x09\x01" + RIGHTS + le(8000, 3)), 0x0E),
    ("a file larger than the chip", MASTER, (0xCB, b"\x09\x01" + RIGHTS + le(0xFFFFFF, 3)), 0x0E),
    ("a file with an ISO identifier it must not have", MASTER, (0xCD, b"\x09\x01\xe1\x01" + RIGHTS + le(8, 3)), 0x7E),
    ("a purse below its lower limit", MASTER, (0xCC, value_file(9, 0, RIGHTS, 5, 10, 4, 0)), 0x9E),
    ("a purse above its upper limit", MASTER, (0xCC, value_file(9, 0, RIGHTS, 5, 10, 11, 0)), 0x9E),
    ("a purse with an unknown flag", MASTER, (0xCC, value_file(9, 0, RIGHTS, 5, 10, 7, 4)), 0x9E),
    ("a cyclic file of one record", MASTER, (0xC0, b"\x09\x01" + RIGHTS + le(16, 3) + le(1, 3)), 0x9E),
    ("records of nothing", MASTER, (0xC1, b"\x09\x01" + RIGHTS + le(0, 3) + le(3, 3)), 0x9E),
    ("a transaction MAC file that can be written", MASTER, (0xCE, b"\x0f\x00\xf4\x11\x02", bytes(17), "full"), 0x9E),
    ("a transaction MAC key of another kind", MASTER, (0xCE, b"\x0f\x00\xf4\x1f\x00", bytes(17), "full"), 0x9E),
    ("a transaction MAC key cut short", MASTER, (0xCE, b"\x0f\x00\xf4\x1f\x02", bytes(16), "full"), 0x7E),
    ("a key of another application", BOTH, (0x64, b"\x06"), 0x40),
]


@pytest.mark.parametrize(("number", "call", "status"), rules(IN_SESSION), ids=names(IN_SESSION))
@pytest.mark.parametrize("generation", ["EV1", "EV2", "EV3"])
def test_refused_in_a_session(generation: str, number: int, call: Any, status: int) -> None:
    world = a_world(generation)
    world.enter(number)
    if generation == "EV1" and call[0] in (0xCE, 0x8D):
        status = 0x1C
    before = inspect(world.memory)
    assert refused(world, *call) == status
    assert inspect(world.memory) == before
    # Every refusal ends the session: what was allowed a moment ago is no longer.
    assert world.reader.send(0xBD, READ_STANDARD) == (0xAE, b"")


@pytest.mark.parametrize("ins", [0x71, 0x77, 0xCE, 0xC8, 0xAD, 0x8D, 0x8B, 0xAB])
def test_an_ev1_does_not_know_what_came_later(ins: int) -> None:
    world = a_world("EV1")
    world.enter()
    assert world.reader.send(ins, bytes(16)) == (0x1C, b"")


def test_an_ev1_commit_takes_no_option() -> None:
    world = a_world("EV1")
    world.enter(BOTH)
    world.reader.call(0xDC, bytes([VALUE]), AMOUNT, "full")
    assert refused(world, 0xC7, b"\x00") == 0x7E


# --- integrity before everything that can wait ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ins", "parameters"),
    [
        (0xF5, b"\x09"),  # no such file
        (0xDF, bytes([STANDARD])),  # no right
        (0xCD, b"\x09\x01" + RIGHTS + le(0, 3)),  # bad parameter
        (0x64, b"\x07"),  # no such key
        (0xBD, bytes([STANDARD]) + at(0, 1000)),  # beyond the end
        (0xC7, b""),  # nothing to commit
    ],
)
def test_a_wrong_mac_goes_before_what_the_command_says(ins: int, parameters: bytes) -> None:
    world = a_world()
    world.enter(READ)
    assert world.reader.send(ins, parameters + bytes(8)) == (0x1E, b"")


@pytest.mark.parametrize("mac", [b"", bytes(7)])
def test_a_missing_mac_is_a_wrong_length(mac: bytes) -> None:
    world = a_world()
    world.enter(READ)
    assert world.reader.send(0x6F, mac) == (0x7E, b"")


def test_a_mac_is_good_once() -> None:
    world = a_world()
    reader = world.enter(READ)
    sealed = reader.sealed(0x6F, b"", b"", "mac")
    assert reader.send(0x6F, sealed)[0] == 0x00
    assert reader.send(0x6F, sealed) == (0x1E, b"")


@pytest.mark.parametrize("padding", [b"\x00" * 12, b"\x81" + b"\x00" * 11, b"\x80" + b"\x01" * 11])
def test_a_wrong_padding_is_refused(padding: bytes) -> None:
    from tests.hardware.independent_reader import ZERO, cbc, cmac, short

    world = a_world()
    reader = world.enter(BOTH)
    iv = cbc(reader.enc, ZERO, b"\xa5\x5a" + reader.ti + bytes(10), True)
    sealed = bytes([VALUE]) + cbc(reader.enc, iv, AMOUNT + padding, True)
    mac = short(cmac(reader.mac, b"\xdc\x00\x00" + reader.ti + sealed))
    assert reader.send(0xDC, sealed + mac) == (0x1E, b"")


def test_ciphertext_that_is_no_whole_block_is_a_wrong_length() -> None:
    world = a_world()
    reader = world.enter(BOTH)
    assert reader.send(0xDC, reader.sealed(0xDC, bytes([VALUE]) + bytes(15), b"", "mac")) == (0x7E, b"")


def test_a_session_whose_counter_is_used_up_proves_nothing() -> None:
    world = a_world()
    reader = world.enter(READ)
    assert world.card._powered is not None
    assert world.card._powered.session is not None
    world.card._powered.session.channel.counter = reader.counter = 0xFFFE  # type: ignore[attr-defined]
    assert reader.call(0x64, b"\x01") == b"\x01"
    assert refused(world, 0x64, b"\x01") == 0x1E


# --- chains -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    ("ins", "body"),
    [(0x60, b""), (0xAA, b"\x01"), (0x71, b"\x01\x00"), (0x3D, bytes([OPEN]) + at(0, 32) + b"x")],
    ids=["version", "AES", "EV2", "write"],
)
def test_another_command_within_a_chain_aborts_it(ins: int, body: bytes, native: bool) -> None:
    world = a_world(native=native)
    reader = world.enter()
    assert reader.frame(ins, body)[0] == 0xAF
    assert reader.frame(0x64, b"\x00") == (0xCA, b"")
    assert reader.frame(0xAF) == (0x1C, b"")
    assert reader.frame(0x64, b"\x00") == (0x00, b"\x20")


def test_a_chain_that_grows_too_long_or_sends_nothing_is_refused() -> None:
    world = a_world()
    reader = world.enter()
    for more in (b"", bytes(9)):
        assert reader.frame(0x3D, bytes([OPEN]) + at(0, 16) + bytes(8)) == (0xAF, b"")
        assert reader.frame(0xAF, more) == (0x7E, b"")
    assert inspect(world.memory)["applications"]["4D4545"]["files"][OPEN]["data"] == bytes(32)


def test_more_than_declared_is_a_wrong_length_before_it_is_a_wrong_mac() -> None:
    world = a_world()
    reader = world.enter(BOTH)
    sealed = reader.sealed(0x3D, bytes([STANDARD]) + at(0, 4), b"abcd", "filemac")
    assert reader.send(0x3D, sealed + b"x") == (0x7E, b"")


def test_an_answer_is_asked_for_with_an_empty_frame() -> None:
    reader = a_world().reader
    assert reader.frame(0x60)[0] == 0xAF
    assert reader.frame(0xAF, b"\x00") == (0x7E, b"")


@pytest.mark.parametrize("reply", [bytes(31), bytes(33), b""])
def test_a_proof_of_the_wrong_length_is_refused(reply: bytes) -> None:
    for ins, body in ((0x71, b"\x00\x00"), (0xAA, b"\x00")):
        reader = a_world().enter()
        assert reader.frame(ins, body)[0] == 0xAF
        assert reader.frame(0xAF, reply) == (0x7E, b"")


def test_a_failed_authentication_ends_the_session_that_was() -> None:
    world = a_world()
    reader = world.enter(READ)
    assert reader.frame(0x77, bytes([READ]))[0] == 0xAF
    assert reader.frame(0xAF, bytes(32)) == (0xAE, b"")
    assert reader.send(0xBD, READ_STANDARD) == (0xAE, b"")


# --- applications -----------------------------------------------------------------------------------------------------

CREATIONS = [
    ("one that is there", AID + b"\x0f\x81", 0xDE),
    ("a file identifier that is there", OTHER + b"\x0f\x81\x01\xdf", 0xDE),
    ("a DF name that is there", OTHER + b"\x0f\x81\x02\xdf" + DF_NAME, 0xDE),
    ("the PICC's own number", bytes(3) + b"\x0f\x81", 0x9E),
    ("fifteen keys", OTHER + b"\x0f\x8f", 0x9E),
    ("a kind of key that is none", OTHER + b"\x0f\xc1", 0x9E),
    ("key sets, which this pass does not imitate", OTHER + b"\x0f\x91\x00", 0x9E),
    ("half a file identifier", OTHER + b"\x0f\x81\x01", 0x7E),
    ("a DF name too long", OTHER + b"\x0f\x81\x02\xdf" + bytes(17), 0x7E),
    ("too short", OTHER + b"\x0f", 0x7E),
]


@pytest.mark.parametrize(("parameters", "status"), rules(CREATIONS), ids=names(CREATIONS))
def test_refused_creation_of_an_application(parameters: bytes, status: int) -> None:
    world = a_world()
    assert world.reader.send(0xCA, parameters) == (status, b"")


def test_an_ev1_holds_28_applications_and_later_ones_as_many_as_fit() -> None:
    for generation, status in (("EV1", 0xCE), ("EV2", 0x0E)):
        world = a_world(generation)
        made = 1
        while (answer := world.reader.send(0xCA, le(made, 3) + b"\x0f\x81"))[0] == 0x00:
            made += 1
        assert answer == (status, b"")
        assert (made == 28) == (generation == "EV1")


def test_settings_that_leave_nothing_free_want_the_master_key() -> None:
    world = a_world()
    world.authenticate(0, PICC_KEY)
    world.reader.call(0x54, b"", b"\x09", "full")
    world.enter(MASTER)
    world.reader.call(0x54, b"", b"\x09", "full")
    world.leave_and_return()
    for ins, body in ((0x6A, b""), (0x6D, b""), (0x45, b""), (0xCA, OTHER + b"\x0f\x81")):
        assert world.reader.send(ins, body) == (0xAE, b""), hex(ins)
    world.enter(READ)
    restricted = (
        (0x6F, b""),
        (0x61, b""),
        (0xF5, bytes([VALUE])),
        (0x45, b""),
        (0xDF, bytes([VALUE])),
        (0xCD, b"\x09\x00" + RIGHTS + le(8, 3)),
        (0xCB, b"\x0a\x00" + RIGHTS + le(8, 3)),
        (0xCC, value_file(0x0B, 0, RIGHTS, 0, 9, 5, 0)),
        (0xC1, b"\x0c\x00" + RIGHTS + le(8, 3) + le(2, 3)),
        (0xC0, b"\x0d\x00" + RIGHTS + le(8, 3) + le(2, 3)),
    )
    for ins, body in restricted:
        assert refused(world, ins, body) == 0xAE, hex(ins)
        world.enter(READ)
    world.enter(MASTER)
    for ins, body in restricted:
        world.reader.call(ins, body)


def test_frozen_settings_and_a_frozen_master_key_stay() -> None:
    world = a_world()
    reader = world.enter(MASTER)
    reader.call(0x54, b"", b"\x02", "full")
    assert refused(world, 0x54, b"", b"\x0f", "full") == 0x9D
    world.enter(MASTER)
    with pytest.raises(Refused, match="9D"):
        world.reader.change_key(0, bytes(16), 1)
    assert inspect(world.memory)["applications"]["4D4545"]["keys"][0] == (0x20, key(0))


def test_picc_settings_know_four_bits() -> None:
    world = a_world()
    world.authenticate(0, PICC_KEY)
    assert refused(world, 0x54, b"", b"\x1f", "full") == 0x9E


CHANGERS = [
    # upper half of the settings, key to change, key of the session, status
    (0x0, 2, 0, 0x00),
    (0x0, 2, 2, 0xAE),
    (0x3, 2, 3, 0x00),
    (0x3, 2, 0, 0xAE),
    (0x3, 3, 0, 0x00),
    (0x3, 3, 3, 0xAE),
    (0x3, 0, 3, 0xAE),
    (0xE, 2, 2, 0x00),
    (0xE, 2, 0, 0xAE),
    (0xE, 0, 0, 0x00),
    (0xF, 2, 0, 0x9D),
    (0xF, 2, 2, 0x9D),
    (0xF, 0, 0, 0x00),
    (0x0, 6, 0, 0x40),
    (0x0, 0x80, 0, 0x40),
]


@pytest.mark.parametrize(("right", "number", "session", "status"), CHANGERS)
@pytest.mark.parametrize("generation", ["EV1", "EV2"])
def test_who_may_change_which_key(generation: str, right: int, number: int, session: int, status: int) -> None:
    world = a_world(generation)
    with world.memory.writing() as picc:
        picc.applications[AID].settings = right << 4 | 0x0F
    world.enter(session)
    new = bytes([0xA0 + i for i in range(16)])
    old = None if session == number else key(min(number, 5))
    before = inspect(world.memory)
    if status:
        with pytest.raises(Refused) as refusal:
            world.reader.change_key(number, new, 9, old)
        assert refusal.value.status == status
        assert inspect(world.memory) == before
    else:
        world.reader.change_key(number, new, 9, old)
        assert inspect(world.memory)["applications"]["4D4545"]["keys"][number] == (9, new)


@pytest.mark.parametrize("generation", ["EV1", "EV2"])
def test_a_changed_key_must_prove_the_old_one(generation: str) -> None:
    world = a_world(generation)
    world.enter(MASTER)
    with pytest.raises(Refused, match="1E"):
        world.reader.change_key(2, bytes(16), 9, old=key(3))
    assert inspect(world.memory)["applications"]["4D4545"]["keys"][2] == (2, key(2))


def test_the_picc_has_one_key_and_three_kinds_of_it() -> None:
    world = a_world()
    for number in (0x01, 0x81, 0xC0):
        world.authenticate(0, PICC_KEY)
        with pytest.raises(Refused, match="40"):
            world.reader.change_key(number, bytes(16), 1)


# --- configuration ----------------------------------------------------------------------------------------------------

CONFIGURATIONS = [
    ("unknown flag", b"\x00", b"\x04", 0x9E),
    ("two bytes of flags", b"\x00", b"\x00\x00", 0x7E),
    ("short default key", b"\x01", bytes(24), 0x7E),
    ("ATS whose length is wrong", b"\x02", bytes.fromhex("0675778102"), 0x9E),
    ("ATS too long", b"\x02", bytes([21]) * 21, 0x7E),
    ("capabilities too short", b"\x05", bytes(9), 0x7E),
    ("LRP", b"\x05", bytes.fromhex("00000000020000000000"), 0x9E),
    ("an option not imitated", b"\x04", b"\x00", 0x9E),
]


@pytest.mark.parametrize(("option", "data", "status"), rules(CONFIGURATIONS), ids=names(CONFIGURATIONS))
def test_refused_configuration(option: bytes, data: bytes, status: int) -> None:
    world = a_world()
    world.authenticate(0, PICC_KEY)
    assert refused(world, 0x5C, option, data, "full") == status


def test_configuration_belongs_to_the_picc() -> None:
    world = a_world()
    world.enter(MASTER)
    assert refused(world, 0x5C, b"\x00", b"\x02", "full") == 0x9D


def test_format_can_be_switched_off_for_good() -> None:
    world = a_world()
    world.authenticate(0, PICC_KEY)
    world.reader.call(0x5C, b"\x00", b"\x01", "full")
    world.reader.call(0x5C, b"\x00", b"\x00", "full")
    assert refused(world, 0xFC) == 0x9D
    assert list(inspect(world.memory)["applications"]) == ["4D4545"]


# --- the transaction MAC ----------------------------------------------------------------------------------------------


def test_one_transaction_mac_file_for_each_application() -> None:
    world = with_transaction_mac(a_world())
    assert refused(world, 0xCE, b"\x0e\x00\xf4\x1f\x02", bytes(17), "full") == 0xDE


def test_the_transaction_mac_file_cannot_be_written() -> None:
    world = with_transaction_mac(a_world(), b"\x14\x1f")
    world.enter(READ)
    assert refused(world, 0x3D, bytes([MAC_FILE]) + at(0, 4), DATA, "plain") == 0x9D
    world.enter(CHANGE)
    assert refused(world, 0x5F, bytes([MAC_FILE]), b"\x00\x14\x11", "full") == 0x9E


@pytest.mark.parametrize(
    ("rights", "session", "status"),
    [(b"\x34\x1f", None, 0xAE), (b"\x34\x1f", READ, 0xAE), (b"\xf4\x1f", BOTH, 0x9D), (b"\xf4\x1f", None, 0x9D)],
    ids=["no session", "another key", "off", "off and no session"],
)
def test_who_may_name_the_reader(rights: bytes, session: int | None, status: int) -> None:
    world = with_transaction_mac(a_world(), rights)
    world.enter(session)
    assert refused(world, 0xC8, bytes(16)) == status


def test_the_reader_is_named_once() -> None:
    world = with_transaction_mac(a_world(), b"\x34\x1f")
    world.enter(BOTH)
    world.reader.call(0xC8, bytes(16))
    assert refused(world, 0xC8, bytes(16)) == 0x9D


def test_where_the_reader_must_be_named_a_commit_without_it_is_refused() -> None:
    world = with_transaction_mac(a_world(), b"\x34\x1f")
    world.enter(BOTH)
    world.reader.call(0xDC, bytes([VALUE]), AMOUNT, "full")
    assert refused(world, 0xC7) == 0x9D
    files = inspect(world.memory)["applications"]["4D4545"]["files"]
    assert (files[VALUE]["value"], files[MAC_FILE]["tmc"]) == (5000, 0)


def test_a_used_up_counter_stops_everything_but_reading_it() -> None:
    world = with_transaction_mac(a_world())
    reader = world.enter(CHANGE)
    reader.call(0x5F, bytes([MAC_FILE]), b"\x20\xf4\x1f" + le(1, 4), "full")
    reader = world.enter(BOTH)
    reader.call(0xDC, bytes([VALUE]), AMOUNT, "full")
    reader.call(0xC7)
    for call in (
        (0xDC, bytes([VALUE]), AMOUNT, "full"),
        (0x6C, bytes([VALUE]), b"", "full"),
        (0xBD, READ_STANDARD, b"", "filemac"),
        (0xEB, bytes([LINEAR]), b"", "mac"),
    ):
        world.enter(BOTH)
        assert refused(world, *call) == 0x9D
    reader = world.enter(READ)
    assert reader.call(0xBD, bytes([MAC_FILE]) + at(0, 4), b"", "plain") == le(1, 4)
    select = bytes.fromhex("00A4040C07") + DF_NAME + b"\x00"
    assert world.card.exchange(select) == b"\x62\x83"


def test_a_used_up_counter_refuses_the_readers_name() -> None:
    world = with_transaction_mac(a_world(), b"\x34\x1f")
    with world.memory.writing() as picc:
        file = picc.applications[AID].transaction_mac()
        assert file is not None
        file.counter = 0xFFFFFFFF
    world.enter(BOTH)
    assert refused(world, 0xC8, bytes(16)) == 0x9D


def test_a_limit_that_is_announced_and_not_sent_is_a_wrong_length() -> None:
    world = with_transaction_mac(a_world())
    world.enter(CHANGE)
    assert refused(world, 0x5F, bytes([MAC_FILE]), b"\x20\xf4\x1f", "full") == 0x7E


def test_a_limit_that_is_already_reached_is_refused() -> None:
    world = with_transaction_mac(a_world())
    world.enter(CHANGE)
    assert refused(world, 0x5F, bytes([MAC_FILE]), b"\x20\xf4\x1f" + le(0, 4), "full") == 0x9E


# --- the memory -------------------------------------------------------------------------------------------------------


def test_a_factory_pass_never_lands_on_another(tmp_path: Any) -> None:
    a_memory(path=tmp_path / "pass")
    with pytest.raises(FileExistsError):
        Memory.factory(tmp_path / "pass", uid=UID)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"format": "emulated pass 1"}', b'{"format": "2"}', b"\xff"])
def test_what_is_no_memory_of_a_pass_is_refused(tmp_path: Any, text: bytes) -> None:
    (tmp_path / "pass").write_bytes(text)
    with pytest.raises(ValueError, match="memory of an emulated pass"):
        Memory.load(tmp_path / "pass")


def test_a_pass_has_seven_bytes_of_uid_and_a_generation() -> None:
    with pytest.raises(ValueError, match="UID"):
        Memory.factory(uid=bytes(4))
    with pytest.raises(ValueError, match="generation"):
        Memory.factory(uid=UID, generation="EV4")


def test_faults_are_counted_from_one() -> None:
    memory = a_memory()
    with pytest.raises(ValueError, match="from 1"):
        memory.power_cut_after(0)
    with pytest.raises(ValueError, match="from 1"):
        EmulatedPass(memory).tear_after(0, executed=False)


# --- ISO commands and APDUs -------------------------------------------------------------------------------------------

APDUS = [
    ("unknown class", "80CA000000", "6E00"),
    ("unknown ISO command", "00B0000004", "6D00"),
    ("ISO select by an unknown way", "00A4010C02DF01", "6A86"),
    ("ISO select with an unknown return", "00A4040107D2760000850101", "6A86"),
    ("ISO select of an unknown name", "00A4040C07D2760000850102", "6A82"),
    ("ISO select of an unknown identifier", "00A4000C02DF02", "6A82"),
    ("ISO select of half an identifier", "00A4000C01DF", "6700"),
    ("ISO select of no name", "00A4040C", "6700"),
    ("length byte too large", "905A000004010203", "6700"),
    ("length byte too small", "905A00000201020300", "6700"),
    ("length byte zero with more", "905A00000000", "6700"),
    ("header cut short", "905A00", "6700"),
    ("parameters P1 and P2", "9060010000", "917E"),
]


@pytest.mark.parametrize(("sent", "answer"), rules(APDUS), ids=names(APDUS))
def test_refused_apdus(sent: str, answer: str) -> None:
    world = a_world()
    world.enter(READ)
    assert world.card.exchange(bytes.fromhex(sent)) == bytes.fromhex(answer)
    # Session over: the read that was allowed is not.
    assert world.reader.send(0xBD, READ_STANDARD) == (0xAE, b"")


def test_an_iso_command_within_a_chain_ends_the_chain() -> None:
    world = a_world()
    world.reader.frame(0x60)
    assert world.card.exchange(bytes.fromhex("00A4040C07D276000085010100")) == b"\x69\x85"
    assert world.reader.frame(0xAF) == (0x1C, b"")


def test_a_native_frame_holds_sixty_one_bytes() -> None:
    world = a_world(native=True)
    reader = world.enter()
    assert reader.frame(0x3D, bytes([OPEN]) + at(0, 32) + bytes(32))[0] == 0x00
    assert reader.frame(0x3D, bytes([OPEN]) + at(0, 32) + bytes(54)) == (0x7E, b"")


def test_nothing_is_no_command() -> None:
    world = a_world(native=True)
    assert world.card.exchange(b"") == b"\x7e"


def test_a_stranger_gets_nothing_out_of_a_purse() -> None:
    world = a_world()
    for call in ((0x6C, bytes([VALUE]), b"", "full"), (0x0C, bytes([VALUE]), AMOUNT, "full")):
        world.enter(STRANGER)
        assert refused(world, *call) == 0xAE


def test_wrong_transaction_mac_key_is_not_shown() -> None:
    """The key can be written, never read: the file reads as counter and MAC only."""
    world = with_transaction_mac(a_world())
    reader = world.enter(READ)
    assert reader.call(0xBD, bytes([MAC_FILE]) + at(0, 0), b"", "plain") == bytes(12)
    assert TM_KEY not in b"".join(answer for _, answer in reader.frames)
