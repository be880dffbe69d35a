"""Each command as it goes over the air, what its answer means, and what a scheme puts on a pass with them."""

import pytest

from card import administration as desk
from card import commands as tap
from card.blueprint import Blueprint, rights
from card.errors import BadAnswer, OutOfRange
from card.record import LOAD, REVERSAL, TAP, Proof
from card.tmac import is_committed, previous_reader_id, transaction_input, transaction_mac
from tests.plain_crypto import cmac, encrypted, odd_bytes

AID = b"\xd1\xe0\xf0"
RIGHTS = b"\x12\x34"
KEY = bytes(range(16))
OTHER = bytes(range(16, 32))
UID = b"\x04\x11\x22\x33\x44\x55\x66"


@pytest.mark.parametrize(
    ("made", "ins", "header", "data"),
    [
        (lambda: tap.SelectApplication(AID), "5a", "d1e0f0", ""),
        (lambda: tap.ReadData(2, 0x030201, 0x060504), "bd", "02 010203 040506", ""),
        (lambda: tap.GetValue(14), "6c", "0e", ""),
        (lambda: tap.GetValue(14).of(3), "6c", "03", ""),
        (lambda: tap.Debit(3, 0x7FFFFFFF), "dc", "03", "ffffff7f"),
        (lambda: tap.Debit(3, 1).of(4, 0x0102), "dc", "04", "02010000"),
        (lambda: tap.LimitedCredit(3, 1), "1c", "03", "01000000"),
        (lambda: desk.Credit(3, 1), "0c", "03", "01000000"),
        (lambda: tap.CommitReaderID(KEY), "c8", KEY.hex(), ""),
        (lambda: tap.CommitReaderID(KEY).of(OTHER), "c8", OTHER.hex(), ""),
        (lambda: tap.CommitTransaction(), "c7", "01", ""),
        (lambda: tap.AbortTransaction(), "a7", "", ""),
        (lambda: desk.CreateApplication(AID, 9, 4), "ca", "d1e0f0 09 84", ""),
        (lambda: desk.CreateApplication(AID, 9, 4, b"\x10\xe1", b"PASS"), "ca", "d1e0f0 09 a4 10e1 50415353", ""),
        (lambda: desk.ChangeKeySettings(9), "54", "", "09"),
        (lambda: desk.GetKeyVersion(3), "64", "03", ""),
        (lambda: desk.ChangeKey(2, KEY, 5), "c4", "02", KEY.hex() + "05"),
        (lambda: desk.RestoreFactoryKey(), "c4", "00", "00" * 16),
        (lambda: desk.SetConfiguration(0, b"\x02"), "5c", "00", "02"),
        (lambda: desk.GetVersion(), "60", "", ""),
        (lambda: desk.GetCardUID(), "51", "", ""),
        (lambda: desk.FreeMemory(), "6e", "", ""),
        (lambda: desk.FormatPICC(), "fc", "", ""),
        (lambda: desk.GetApplicationIDs(), "6a", "", ""),
        (lambda: desk.GetFileIDs(), "6f", "", ""),
        (lambda: desk.CreateStdDataFile(2, 3, RIGHTS, 0x030201), "cd", "02 03 1234 010203", ""),
        (lambda: desk.CreateStdDataFile(2, 3, RIGHTS, 32, b"\x01\xe1"), "cd", "02 01e1 03 1234 200000", ""),
        (
            lambda: desk.CreateValueFile(1, 3, RIGHTS, 1, 2, 3, True),
            "cc",
            "01031234 01000000 02000000 03000000 01",
            "",
        ),
        (
            lambda: desk.CreateValueFile(1, 3, RIGHTS, 1, 2, 3, False),
            "cc",
            "01031234 01000000 02000000 03000000 00",
            "",
        ),
        (lambda: desk.CreateTransactionMACFile(15, 1, RIGHTS, KEY, 7), "ce", "0f 01 1234 02", KEY.hex() + "07"),
        (lambda: desk.DeleteFile(15), "df", "0f", ""),
        (lambda: desk.GetFileSettings(15), "f5", "0f", ""),
        (lambda: desk.ChangeFileSettings(2, 1, RIGHTS), "5f", "02", "01 1234"),
        (lambda: desk.WriteData(2, 0x030201, b"abc"), "3d", "02 010203 030000", "616263"),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value()).__name__,
)
def test_a_command_is_its_parameters_byte_for_byte(made, ins, header, data):
    command = made()
    assert (command.INS, command.header, command.data) == (int(ins, 16), bytes.fromhex(header), bytes.fromhex(data))


def test_another_key_goes_over_the_air_mixed_with_the_old_one_and_with_its_checksum():
    """The CRC-32 of AN12343, of the well-known nine digits: CBF43926, not inverted at the end."""
    assert desk.key_checksum(b"123456789") == (0xCBF43926 ^ 0xFFFFFFFF).to_bytes(4, "little")
    change = desk.ChangeKey(1, KEY, 5, OTHER)
    assert change.data == b"\x10" * 16 + b"\x05" + desk.key_checksum(KEY)
    assert not change.ends_session
    assert desk.ChangeKey(1, KEY, 5).ends_session


@pytest.mark.parametrize(
    ("command", "answer", "value"),
    [
        (tap.AbortTransaction(), b"", None),
        (tap.ReadData(0, 0, 3), b"abc", b"abc"),
        (tap.GetValue(1), b"\x01\x02\x03\x04", 0x04030201),
        (tap.CommitReaderID(KEY), OTHER, OTHER),
        (tap.CommitTransaction(), b"\x01\x02\x03\x04" + UID + b"\x00", (0x04030201, UID + b"\x00")),
        (desk.GetKeyVersion(0), b"\x07", 7),
        (desk.GetCardUID(), UID, UID),
        (desk.FreeMemory(), b"\x01\x02\x03", 0x030201),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, tap.Command) else "",
)
def test_an_answer_has_one_length(command, answer, value):
    assert command.parse(answer) == value
    for wrong in (answer[:-1], answer + b"\x00"):
        if wrong != answer:
            with pytest.raises(BadAnswer):
                command.parse(wrong)


def test_lists_of_applications_and_files():
    assert desk.GetApplicationIDs().parse(b"") == []
    assert desk.GetApplicationIDs().parse(b"abcdefghi") == [b"abc", b"def", b"ghi"]
    for size in (1, 2, 4):
        with pytest.raises(BadAnswer):
            desk.GetApplicationIDs().parse(bytes(size))
    assert desk.GetFileIDs().parse(b"\x00\x0f\x01") == [0, 15, 1]


@pytest.mark.parametrize(
    ("type_byte", "major", "generation"),
    [
        (0x01, 0x01, "EV1"),
        (0x01, 0x12, "EV2"),
        (0x81, 0x33, "EV3"),
        (0x01, 0x02, None),
        (0x02, 0x33, None),
        (0x00, 0x12, None),
    ],
)
def test_what_a_card_is_follows_from_type_and_major_version(type_byte, major, generation):
    assert desk.CardVersion(bytes([4, type_byte, 1, major, *bytes(24)])).generation == generation


def test_a_version_has_its_parts_where_the_card_puts_them():
    answer = bytes.fromhex("04 01 01 12 05 1a 05  04 01 01 07 08 18 05") + UID + bytes(7)
    version = desk.CardVersion(answer)
    assert (version.hardware, version.software, version.storage, version.uid) == ((0x12, 5), (7, 8), 8192, UID)
    assert desk.CardVersion(answer[:5] + b"\x19" + answer[6:]).storage == 4096
    with pytest.raises(BadAnswer):
        desk.CardVersion(answer[:-1])


def settings(text):
    found = vars(desk.FileSettings(bytes.fromhex(text)))
    return {name: value for name, value in found.items() if value is not None}


def test_the_settings_of_a_file_are_those_of_its_type():
    file = dict(mode=3, rights=RIGHTS)
    assert settings("00 ff 1234 010203") == dict(type=0, size=0x030201, **file)
    assert settings("02 03 1234 01000080 02000080 03000080 05") == dict(
        type=2, lower=0x80000001, upper=0x80000002, refundable=0x80000003, flags=5, **file
    )
    assert settings("05 03 1234 02 09") == dict(type=5, key_version=9, **file)
    assert settings("01 03 1234") == dict(type=1, **file)


@pytest.mark.parametrize("text", ["00 03 12", "00 03 1234 0102", "02 03 1234" + "00" * 12, "05 03 1234 02"])
def test_settings_cut_short_are_refused(text):
    with pytest.raises(BadAnswer):
        settings(text)


# What a scheme puts on a pass

# Rights as two bytes: read & write and change, then read and write; a key by its number, F is never.
FILES = {
    0: "00 01e1 03 f021 200000",
    1: "01 03 10f3 00000000 d0070000 00000000 01",
    14: "0e 03 10f3 00000000 0a000000 00000000 01",
    15: "0f 01 302f 02",
}
SETTINGS = {
    0: "00 03 f021 200000",
    1: "02 03 10f3 00000000 d0070000 00000000 01",
    14: "02 03 10f3 00000000 0a000000 00000000 01",
    15: "05 01 302f 02 07",
}


@pytest.fixture
def plan():
    return Blueprint("F0E0D1", "PASS.0001", {1: 2000, 14: 10})


def test_a_right_is_half_a_byte():
    assert rights(read=1, write=2, read_write=3, change=4) == b"\x34\x12"


def test_a_pass_has_the_files_and_rights_of_the_page_on_formats(plan):
    made = plan.create_files(KEY, 7)
    assert {number: command.header for number, command in made.items()} == {
        number: bytes.fromhex(header) for number, header in FILES.items()
    }
    assert made[15].data == KEY + b"\x07"
    assert plan.create_application().header == AID + b"\x09\xa4\x10\xe1PASS.0001"


@pytest.mark.parametrize("number", SETTINGS)
def test_a_file_is_known_again_by_its_settings(plan, number):
    right = bytes.fromhex(SETTINGS[number])
    assert plan.describes(number, desk.FileSettings(right))
    # Type, mode, rights; then the size, or the ceiling.
    for at in (0, 1, 2, 3, *{0: [4], 1: [8], 14: [8], 15: []}[number]):
        wrong = right[:at] + bytes([right[at] ^ 1]) + right[at + 1 :] + bytes(16)
        assert not plan.describes(number, desk.FileSettings(wrong))


def test_a_purse_that_a_scheme_does_not_have_is_not_known(plan):
    assert not plan.describes(2, desk.FileSettings(bytes.fromhex(SETTINGS[1])))


@pytest.mark.parametrize("name", ["P", "P" * 16])
def test_an_application_has_a_name_of_1_to_16_characters(name):
    assert Blueprint("F0E0D1", name, {}).create_application().header.endswith(name.encode())


@pytest.mark.parametrize(
    ("name", "purses"), [("", {}), ("P" * 17, {}), ("P", {0: 1}), ("P", {15: 1}), ("P", {1: 1, 15: 1})], ids=str
)
def test_a_scheme_that_does_not_fit_on_a_pass_is_refused(name, purses):
    with pytest.raises(OutOfRange):
        Blueprint("F0E0D1", name, purses)


# What a pass signs


def signed_by_hand(tmc, content):
    """AN12343: the session key of this counter, over what was moved and who read."""
    return odd_bytes(cmac(cmac(KEY, b"\x5a\x00\x01\x00\x80" + tmc.to_bytes(4, "little") + UID), content))


@pytest.mark.parametrize(("kind", "ins"), [(TAP, "dc"), (REVERSAL, "1c"), (LOAD, "0c")])
def test_a_pass_signs_each_move_and_the_reader_in_whole_blocks(kind, ins):
    content = bytes.fromhex(f"{ins} 03 04030201 {'00' * 10} {ins} 0e 01000000 {'00' * 10} c8") + KEY + OTHER + bytes(15)
    assert transaction_input(kind, [(3, 0x01020304), (14, 1)], KEY, OTHER) == content
    assert transaction_mac(KEY, 5, UID, content) == signed_by_hand(5, content)
    with pytest.raises(OutOfRange):
        transaction_input(kind, [(3, 1 << 32)], KEY, OTHER)


MOVES = [(3, 500)]
PROOF = (bytes(16), 5, transaction_mac(KEY, 5, UID, transaction_input(TAP, MOVES, OTHER, KEY)), KEY)


def test_what_a_pass_committed_is_that_and_nothing_else():
    proof = Proof(*PROOF)
    assert is_committed(KEY, UID, TAP, MOVES, OTHER, proof)
    for said in (
        (OTHER, UID, TAP, MOVES, OTHER, proof),
        (KEY, UID[::-1], TAP, MOVES, OTHER, proof),
        (KEY, UID, LOAD, MOVES, OTHER, proof),
        (KEY, UID, TAP, [(3, 501)], OTHER, proof),
        (KEY, UID, TAP, [(4, 500)], OTHER, proof),
        (KEY, UID, TAP, MOVES * 2, OTHER, proof),
        (KEY, UID, TAP, MOVES, KEY, proof),
        (KEY, UID, TAP, MOVES, OTHER, Proof(bytes(16), 6, PROOF[2], KEY)),
        (KEY, UID, TAP, MOVES, OTHER, Proof(bytes(16), 5, bytes(8), KEY)),
        (KEY, UID, TAP, MOVES, OTHER, Proof(bytes(16), 5, PROOF[2], OTHER)),
    ):
        assert not is_committed(*said)


def test_the_reader_before_is_read_with_the_key_of_the_transaction():
    session_key = cmac(KEY, b"\xa5\x00\x01\x00\x80\x05\x00\x00\x00" + UID)
    assert previous_reader_id(KEY, 5, UID, encrypted(session_key, OTHER)) == OTHER
    with pytest.raises(OutOfRange, match=r"^encrypted reader id: "):
        previous_reader_id(KEY, 5, UID, OTHER[:15])
