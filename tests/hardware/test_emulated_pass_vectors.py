"""Published exchanges, replayed through the pass byte for byte.

Sources: NXP AN12196 (NTAG 424 DNA features and hints) and AN12343 (MIFARE DESFire Light features and hints), as
collected in tests/vectors/desfire_public.json; each test names the vectors it uses. Where a note prints only the
session keys, a session with these keys is put into the pass.
"""

from typing import Any

import pytest

from hardware.emulated_pass import EmulatedPass, Memory, inspect
from hardware.emulated_pass.crypto import Cipher, crc32
from hardware.emulated_pass.ev2 import Ev2Channel
from hardware.emulated_pass.messaging import Answer, Guard, Wire
from hardware.emulated_pass.model import Application, DataFile, Key, Mode, Rights, TransactionMacFile
from hardware.emulated_pass.powered import Session
from hardware.emulated_pass.transaction import ENCRYPTION_LABEL, MAC_LABEL, session_key
from tests.hardware.a_pass import TM_KEY, published, scripted

AID = bytes.fromhex("010000")
ALL_BY_KEY_0 = Rights(0, 0, 0, 0)


def note_pass(random: Any = None, uid: str = "04DE5F1EACC040") -> EmulatedPass:
    """The pass of the notes: AES zero keys, files 0 (MAC or full), 2 and 3 (full), everything with key 0 or 3."""
    memory = Memory.factory(uid=bytes.fromhex(uid))
    keys = [Key("AES", bytes(16)) for _ in range(5)]
    with memory.writing() as picc:
        picc.key = Key("AES", bytes(16))
        application = Application(AID, 0x0F, "AES", keys)
        application.files[0] = DataFile(Mode.MAC, ALL_BY_KEY_0, None, False, bytes(256))
        application.files[2] = DataFile(Mode.FULL, ALL_BY_KEY_0, None, False, bytes(256))
        application.files[3] = DataFile(Mode.FULL, Rights(3, 3, 3, 3), None, False, bytes(128))
        picc.applications[AID] = application
    card = EmulatedPass(memory, random) if random else EmulatedPass(memory)
    card.activate()
    assert card.exchange(bytes.fromhex("905A00000301000000")) == b"\x91\x00"
    return card


def in_session(card: EmulatedPass, vector: dict[str, Any], counter: int | None = None) -> EmulatedPass:
    channel = Ev2Channel(
        vector.get("ses_auth_enc", bytes(16)),
        vector["ses_auth_mac"],
        vector["ti"],
        vector["cmd_ctr"] if counter is None else counter,
    )
    assert card._powered is not None
    card._powered.session = Session(0, channel)
    return card


def apdu(ins: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes([0x90, ins, 0, 0]) + (bytes([len(body)]) + body if body else b"") + b"\x00"


AUTHENTICATIONS = [
    ("AN12343 AuthenticateEV2First key 0 (table 16)", 0),
    ("AN12196 AuthenticateEV2First key 0 (table 14)", 0),
    ("AN12196 AuthenticateEV2First key 3 (table 19)", 3),
]


def authenticate(card: EmulatedPass, vector: dict[str, Any], start: bytes) -> None:
    assert card.exchange(start) == vector["enc_rnd_b"] + b"\x91\xaf"
    assert card.exchange(apdu(0xAF, vector["pcd_token"])) == vector["picc_token"] + b"\x91\x00"


@pytest.mark.parametrize(("name", "number"), AUTHENTICATIONS)
def test_authenticate_ev2_first(name: str, number: int) -> None:
    vector = published(name)
    card = note_pass(scripted(vector["rnd_b"], vector["ti"]))
    authenticate(card, vector, apdu(0x71, bytes([number, 0])))


@pytest.mark.parametrize(("name", "number"), AUTHENTICATIONS)
def test_a_proof_with_one_bit_wrong_is_refused(name: str, number: int) -> None:
    vector = published(name)
    card = note_pass(scripted(vector["rnd_b"], vector["ti"]))
    card.exchange(apdu(0x71, bytes([number, 0])))
    wrong = vector["pcd_token"][:-1] + bytes([vector["pcd_token"][-1] ^ 1])
    assert card.exchange(apdu(0xAF, wrong)) == b"\x91\xae"


def test_an12196_tables_14_and_17() -> None:
    """EV2 first with key 0, then 128 bytes in full protection."""
    first = published("AN12196 AuthenticateEV2First key 0 (table 14)")
    write = published("AN12196 WriteData Full command (128 bytes)")
    card = note_pass(scripted(first["rnd_b"], first["ti"]))
    authenticate(card, first, apdu(0x71, b"\x00\x00"))
    answer = card.exchange(write["apdu"])
    assert answer == published("AN12196 WriteData Full response")["mac"] + b"\x91\x00"
    assert inspect(card.memory)["applications"]["010000"]["files"][2]["data"][:128] == write["data"]


def test_an12196_tables_19_to_26() -> None:
    """EV2 first with key 3, a write, EV2 non-first with key 0, then two keys changed, the last being its own."""
    first = published("AN12196 AuthenticateEV2First key 3 (table 19)")
    non_first = published("AN12196 AuthenticateEV2NonFirst key 0 (table 23)")
    card = note_pass(scripted(first["rnd_b"], first["ti"], non_first["rnd_b"]))
    authenticate(card, first, apdu(0x71, b"\x03\x00"))
    assert card.exchange(published("AN12196 WriteData Full command (10 bytes)")["apdu"]) == (
        published("AN12196 WriteData Full response (10 bytes)")["mac"] + b"\x91\x00"
    )
    # The note does something here that it does not print; any command without MAC counts as much.
    with card.memory.writing() as picc:
        picc.applications[AID].files[0].rights = Rights(0xE, 0xE, 0xE, 0)
    assert card.exchange(apdu(0xBD, bytes.fromhex("00000000010000"))) == b"\x00\x91\x00"
    authenticate(card, non_first, apdu(0x77, b"\x00"))
    other = published("AN12196 ChangeKey of another key (key 2, session key 0)")
    assert card.exchange(other["apdu"]) == published("AN12196 ChangeKey response")["mac"] + b"\x91\x00"
    own = published("AN12196 ChangeKey of the authenticated key (key 0)")
    assert card.exchange(own["apdu"]) == b"\x91\x00"
    keys = inspect(card.memory)["applications"]["010000"]["keys"]
    assert keys[2] == (1, other["new_key"])
    assert keys[0] == (1, own["new_key"])


COMMANDS = [
    # command vector, answer vector, mode of file 0, what is in it before
    ("AN12343 WriteData 8D MAC command", "AN12343 WriteData 8D MAC response", Mode.MAC, b""),
    ("AN12343 ReadData AD MAC command", "AN12343 ReadData AD MAC response", Mode.MAC, b"\x22" * 25),
    ("AN12343 WriteData 8D Full command", "AN12343 WriteData 8D Full response", Mode.FULL, b""),
    ("AN12343 ReadData AD Full command", "AN12343 ReadData AD Full response", Mode.FULL, b"\x22" * 25),
]


@pytest.mark.parametrize(("command", "response", "mode", "before"), COMMANDS)
def test_an12343_tables_23_to_26(command: str, response: str, mode: Mode, before: bytes) -> None:
    sent, expected = published(command), published(response)
    card = in_session(note_pass(), sent)
    with card.memory.writing() as picc:
        file = picc.applications[AID].files[0]
        assert isinstance(file, DataFile)
        file.mode, file.data = mode, before.ljust(256, b"\x00")
    body = sent.get("ciphertext", sent.get("data", b""))
    answer = card.exchange(apdu(sent["cmd"][0], sent["header"], body, sent["mac"]))
    data = expected.get("ciphertext", expected.get("data", b""))
    assert answer == data + expected["mac"] + b"\x91\x00"


@pytest.mark.parametrize(("command", "response", "mode", "before"), COMMANDS)
@pytest.mark.parametrize("bit", [0, 63])
def test_a_command_mac_with_one_bit_wrong_is_refused(
    command: str, response: str, mode: Mode, before: bytes, bit: int
) -> None:
    sent = published(command)
    card = in_session(note_pass(), sent)
    with card.memory.writing() as picc:
        picc.applications[AID].files[0].mode = mode
    body = sent.get("ciphertext", sent.get("data", b""))
    wrong = (int.from_bytes(sent["mac"], "big") ^ 1 << bit).to_bytes(8, "big")
    assert card.exchange(apdu(sent["cmd"][0], sent["header"], body, wrong)) == b"\x91\x1e"


@pytest.mark.parametrize(("note", "uid"), [("AN12343", "04DE5F1EACC040"), ("AN12196", "04958CAA5C5E80")])
def test_get_card_uid(note: str, uid: str) -> None:
    sent, expected = published(f"{note} GetCardUID command"), published(f"{note} GetCardUID response")
    card = in_session(note_pass(uid=uid), sent)
    answer = expected.get("response") or expected["ciphertext"] + expected["mac"]
    assert card.exchange(apdu(0x51, sent["mac"])) == answer + b"\x91\x00"


def test_get_card_uid_without_its_mac_is_refused() -> None:
    card = in_session(note_pass(), published("AN12343 GetCardUID command"))
    assert card.exchange(apdu(0x51)) == b"\x91\x7e"


def test_an12343_create_transaction_mac_file() -> None:
    sent = published("AN12343 CreateTransactionMACFile")
    card = in_session(note_pass(), sent)
    answer = card.exchange(apdu(0xCE, sent["header"], sent["ciphertext"], sent["mac"]))
    assert answer[-2:] == b"\x91\x00"
    assert inspect(card.memory)["applications"]["010000"]["files"][15] == {
        "type": "transaction_mac",
        "comm_mode": "plain",
        "rights": "101F",
        "fid": None,
        "tmc": 0,
        "tmv": bytes(8),
        "tmri_prev": bytes(16),
        "key": (0, TM_KEY),
        "limit": None,
    }


def test_an12196_set_configuration_random_id() -> None:
    sent = published("AN12196 SetConfiguration option 0 (random ID on)")
    card = in_session(note_pass(), sent)
    assert card._powered is not None
    session = card._powered.session
    card._powered.select(bytes(3))
    card._powered.session = session
    assert card.exchange(sent["apdu"]) == published("AN12196 SetConfiguration response")["mac"] + b"\x91\x00"
    assert inspect(card.memory)["random_id"] is True


def test_an12196_get_file_settings_command_is_accepted_and_its_answer_mac_is_made() -> None:
    sent, expected = published("AN12196 GetFileSettings MAC command"), published("AN12196 GetFileSettings MAC response")
    assert in_session(note_pass(), sent).exchange(sent["apdu"])[-2:] == b"\x91\x00"
    # The file of the note mirrors, which this pass does not imitate: its answer goes through the channel alone.
    channel = Ev2Channel(bytes(16), sent["ses_auth_mac"], sent["ti"], 1)
    closed = channel.close(Wire(Guard.MAC, Mode.MAC), Answer(expected["data"]))
    assert closed == expected["data"] + expected["mac"]


def test_an12196_change_file_settings_command_opens() -> None:
    sent, expected = published("AN12196 ChangeFileSettings command"), published("AN12196 ChangeFileSettings response")
    channel = Ev2Channel(sent["ses_auth_enc"], sent["ses_auth_mac"], sent["ti"], 1)
    wire = Wire(Guard.CHANGE, Mode.FULL)
    assert channel.open(wire, 0x5F, b"\x02", sent["apdu"][6:-1]) == sent["data"]
    assert channel.close(wire, Answer()) == expected["mac"]


def counted_pass() -> tuple[EmulatedPass, TransactionMacFile]:
    """The pass of AN12343 after its third transaction, by the reader that comes again."""
    card = note_pass()
    previous = published("AN12343 EncTMRI of CommitReaderID")["tmri_prev"]
    file = TransactionMacFile(Mode.PLAIN, Rights(0, 0xF, 0xE, 0), None, Key("AES", TM_KEY), 3, bytes(8), previous)
    with card.memory.writing() as picc:
        picc.applications[AID].files[15] = file
    return card, file


def test_an12343_transaction_mac_session_keys() -> None:
    vector = published("AN12343 TransactionMAC session keys")
    _, file = counted_pass()
    assert session_key(MAC_LABEL, file, vector["uid"]) == vector["ses_tm_mac"]
    assert session_key(ENCRYPTION_LABEL, file, vector["uid"]) == vector["ses_tm_enc"]


def test_an12343_enc_tmri() -> None:
    vector = published("AN12343 EncTMRI of CommitReaderID")
    card, _ = counted_pass()
    session = published("AN12343 GetCardUID command")
    in_session(card, session)
    reader_mac = Ev2Channel(bytes(16), session["ses_auth_mac"], session["ti"])._mac(0xC8, 0, vector["tmri_prev"])
    answer = card.exchange(apdu(0xC8, vector["tmri_prev"], reader_mac))
    assert answer[:16] == vector["enc_tmri"]
    assert answer[-2:] == b"\x91\x00"


def test_an12343_change_key_crc32() -> None:
    vector = published("AN12343 ChangeKey CRC32")
    assert crc32(vector["data"]) == vector["jamcrc_le"]


def test_the_carried_cmac_agrees_with_the_standard_one() -> None:
    """EV1 messaging needs a CMAC with an IV; started at zero it is the CMAC of NIST SP 800-38B (RFC 4493, 2 to 4)."""
    cipher = Cipher("AES", bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C"))
    text = bytes.fromhex(
        "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411E5FBC1191A0A52EF"
        "F69F2445DF4F9B17AD2B417BE66C3710"
    )
    assert cipher.cmac(bytes(16), b"").hex() == "bb1d6929e95937287fa37d129b756746"
    assert cipher.cmac(bytes(16), text[:16]).hex() == "070a16b46b4d4144f79bdd9dd04a287c"
    assert cipher.cmac(bytes(16), text[:40]).hex() == "dfa66747de9ae63030ca32611497c827"
    assert cipher.cmac(bytes(16), text).hex() == "51f0bebf7e3b9d92fc49741779363cfe"
