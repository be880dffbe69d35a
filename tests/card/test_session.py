"""Commands and secure channel against the emulated pass, which shares no code with them."""

import os

import pytest

from card.administration import (
    ChangeFileSettings,
    CreateApplication,
    CreateStdDataFile,
    CreateValueFile,
    Credit,
    GetApplicationIDs,
    GetCardUID,
    GetFileIDs,
    GetFileSettings,
    GetKeyVersion,
    GetVersion,
    WriteData,
)
from card.aes import Scratch
from card.blueprint import rights
from card.commands import (
    FULL,
    MAC,
    PLAIN,
    AbortTransaction,
    CommitReaderID,
    Debit,
    GetValue,
    LimitedCredit,
    ReadData,
    SelectApplication,
)
from card.errors import (
    BadAnswer,
    BadMac,
    BoundaryReached,
    NoSuchApplication,
    NoSuchFile,
    NotAuthenticated,
    NotPermitted,
    OutOfRange,
    Refused,
)
from card.ev2 import PassKey, authenticate_first, authenticate_non_first
from card.session import Session
from card.wire import uint
from hardware.in_process import InProcessReader
from issuer.factory_card import replace_factory_key
from tests.city import factory_card
from tests.plain_crypto import cbc_encrypted, cmac, encrypted, odd_bytes, padded

AID = b"\xd1\xe0\xf0"
UID = b"\x04\x11\x22\x33\x44\x55\x66"
KEY = bytes(16)
MODES = {1: PLAIN, 2: MAC, 3: FULL}
ALL = rights(0, 0, 0, 0)


class Tampering:
    """A reader whose answers can be changed on their way."""

    def __init__(self, card):
        self.reader = InProcessReader(card)
        self.reader.find_pass()
        self.change = lambda answer: answer
        self.sent = []

    def transmit(self, apdu):
        self.sent.append(apdu)
        return self.change(self.reader.transmit(apdu))


@pytest.fixture
def reader():
    """A card with one application: a data file and a value file in each protection."""
    made = Tampering(factory_card(UID))
    session = Session(made.transmit)
    replace_factory_key(session, KEY, 1, os.urandom)
    authenticate_first(session, 0, KEY, os.urandom, {})
    session.run(CreateApplication(AID, 0x0F, 3))
    session.run(SelectApplication(AID))
    authenticate_first(session, 0, KEY, os.urandom, {})
    for number, mode in MODES.items():
        session.run(CreateStdDataFile(number, mode, ALL, 200))
        session.run(CreateValueFile(number + 10, mode, ALL, 0, 1000, 100, True))
    return made


@pytest.fixture
def session(reader):
    modes = {**MODES, **{number + 10: mode for number, mode in MODES.items()}}
    made = Session(reader.transmit)
    made.run(SelectApplication(AID))
    authenticate_first(made, 0, KEY, os.urandom, modes)
    return made


@pytest.mark.parametrize("number", MODES, ids=["plain", "MAC", "full"])
@pytest.mark.parametrize("size", [1, 15, 16, 17, 32, 47, 48, 120, 180])
def test_what_is_written_is_read_in_every_protection_and_length(session, number, size):
    content = bytes(range(size))
    session.run(WriteData(number, 0, content))
    assert session.run(ReadData(number, 0, size)) == content


def test_only_full_protection_hides_what_is_read(session, reader):
    secret = b"who may know this"
    seen = {}
    for number in MODES:
        session.run(WriteData(number, 0, secret))
        answers = []
        reader.change = lambda answer, answers=answers: answers.append(answer) or answer
        session.run(ReadData(number, 0, len(secret)))
        seen[MODES[number]] = secret in b"".join(answers)
    assert seen == {PLAIN: True, MAC: True, FULL: False}


@pytest.mark.parametrize("number", [2, 3], ids=["MAC", "full"])
@pytest.mark.parametrize("at", range(28))
def test_an_answer_that_was_changed_on_its_way_is_refused_and_ends_the_session(session, reader, number, at):
    """Every byte of data and MAC."""
    session.run(WriteData(number, 0, b"twenty bytes of data"))
    reader.change = lambda answer: answer[:at] + bytes([answer[at] ^ 1]) + answer[at + 1 :]
    with pytest.raises(BadMac):
        session.run(ReadData(number, 0, 20))
    assert session.channel is None


def test_an_answer_cannot_be_played_back(session, reader):
    kept = []
    reader.change = lambda answer: kept.append(answer) or answer
    session.run(GetValue(13))
    session.run(Debit(13, 40))
    reader.change = lambda answer: kept[0]
    with pytest.raises(BadMac):
        session.run(GetValue(13))


@pytest.mark.parametrize("number", [11, 12, 13], ids=["plain", "MAC", "full"])
def test_moves_count_within_the_transaction_and_an_abort_forgets_them(session, number):
    session.run(Debit(number, 30))
    session.run(Credit(number, 5))
    session.run(AbortTransaction())
    assert session.run(GetValue(number)) == 100
    with pytest.raises(Refused):
        session.run(LimitedCredit(number, 1))


def test_the_channel_goes_on_under_another_key_and_keeps_its_counter(session):
    session.run(GetValue(13))
    before = bytes(session.channel.ti), session.channel.counter, bytes(session.channel.enc_key)
    authenticate_non_first(session, 1, KEY, os.urandom)
    assert (session.channel.ti, session.channel.counter) == before[:2]
    assert session.channel.enc_key != before[2]
    assert session.run(GetKeyVersion(1)) == 0


def test_a_wrong_key_is_said_by_the_card_and_a_false_card_by_us(session, reader):
    with pytest.raises(NotAuthenticated):
        authenticate_first(session, 0, bytes(15) + b"\x01", os.urandom, {})
    assert session.channel is None
    answers = []

    def forged(answer):
        answers.append(answer)
        return answer if len(answers) == 1 else os.urandom(32) + b"\x91\x00"

    reader.change = forged
    with pytest.raises(BadMac):
        authenticate_first(session, 0, KEY, os.urandom, {})


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (SelectApplication(b"\x01\x02\x03"), NoSuchApplication),
        (ReadData(9, 0, 1), NoSuchFile),
        (Debit(13, 101), BoundaryReached),
        (Credit(13, 901), BoundaryReached),
        (ReadData(1, 199, 2), BoundaryReached),
        (CommitReaderID(bytes(16)), NotPermitted),
    ],
)
def test_a_refusal_has_its_own_error_and_ends_the_session(session, command, error):
    with pytest.raises(error):
        session.run(command)
    assert session.channel is None


def test_file_settings_are_what_was_asked_for_and_can_be_changed(session):
    assert set(session.run(GetFileIDs())) == {1, 2, 3, 11, 12, 13}
    found = session.run(GetFileSettings(13))
    assert (found.type, found.mode, found.rights, found.lower, found.upper) == (found.VALUE, FULL, ALL, 0, 1000)
    closed = rights(1, 1, 1, 0)
    session.run(ChangeFileSettings(1, MAC, closed))
    found = session.run(GetFileSettings(1))
    assert (found.type, found.mode, found.rights, found.size) == (found.STANDARD, MAC, closed, 200)
    authenticate_first(session, 0, KEY, os.urandom, {1: MAC})
    with pytest.raises(NotAuthenticated):
        session.run(ReadData(1, 0, 1))


def test_a_version_is_read_in_a_session_and_without(session, reader):
    within = session.run(GetVersion())
    reader.reader.find_pass()  # activated anew, so that the card knows of no session either
    without = Session(reader.transmit).run(GetVersion())
    assert (within.generation, within.uid) == (without.generation, without.uid) == ("EV2", UID)


def test_the_uid_and_the_applications_are_told_in_a_session(session):
    assert session.run(GetCardUID()) == UID
    session.run(SelectApplication(bytes(3)))
    assert session.run(GetApplicationIDs()) == [AID]


def test_a_pass_that_goes_on_talking_is_given_up_before_a_small_memory_is_full():
    heard = []

    def talk(apdu):
        heard.append(bytes(253))
        return heard[-1] + b"\x91\xaf"

    with pytest.raises(BadAnswer, match="does not end"):
        Session(talk).run(ReadData(0, 0, 32))
    assert sum(len(data) for data in heard) <= 1280
    with pytest.raises(BadAnswer, match="does not end"):
        Session(lambda apdu: bytes(1023) + b"\x91\x00").run(ReadData(0, 0, 1023))
    assert Session(lambda apdu: bytes(1022) + b"\x91\x00").run(ReadData(0, 0, 1022)) == bytes(1022)


@pytest.mark.parametrize(("frames", "taken"), [(1, True), (32, True), (33, False)])
def test_an_answer_comes_in_at_most_32_frames_each_asked_for(frames, taken):
    asked = []

    def talk(apdu):
        asked.append(apdu)
        return bytes([len(asked)]) + (b"\x91\x00" if len(asked) == frames else b"\x91\xaf")

    def run():
        return Session(talk).run(ReadData(0, 0, frames))

    if taken:
        assert run() == bytes(range(1, frames + 1))
    else:
        with pytest.raises(BadAnswer, match="command BD: the answer does not end"):
            run()
    assert asked[0] == b"\x90\xbd\x00\x00\x07\x00\x00\x00\x00" + uint(frames, 3) + b"\x00"
    assert asked[1:] == [b"\x90\xaf\x00\x00\x00"] * (min(frames, 32) - 1)


def test_a_frame_that_goes_on_without_a_status_is_out_of_shape():
    answers = [b"\x01\x91\xaf", b"\x02"]
    with pytest.raises(BadAnswer, match="no DESFire status"):
        Session(lambda apdu: answers.pop(0)).run(ReadData(0, 0, 2))


def test_a_frame_without_parameters_has_no_length_of_them():
    """What is asked in plain, outside of any session."""
    asked = []
    status, data = Session(lambda apdu: asked.append(apdu) or b"\x04\x91\xaf").exchange(0x60)
    assert (status, data, asked) == (0xAF, b"\x04", [b"\x90\x60\x00\x00\x00"])


def cut(count):
    return lambda answer: answer[: len(answer) - 2 - count] + answer[-2:]


def longer(count):
    return lambda answer: answer[:-2] + bytes(count) + answer[-2:]


@pytest.mark.parametrize("number", [2, 3], ids=["MAC", "full"])
@pytest.mark.parametrize("change", [cut(1), cut(8), cut(16), cut(99), longer(1), longer(16), longer(300)])
def test_an_answer_that_is_short_or_too_long_is_refused_like_one_that_was_changed(session, reader, number, change):
    session.run(WriteData(number, 0, b"twenty bytes of data"))
    reader.change = change
    with pytest.raises(BadMac):
        session.run(ReadData(number, 0, 20))
    assert session.channel is None


@pytest.mark.parametrize(
    "authenticate",
    [
        lambda session: authenticate_first(session, 1, KEY, os.urandom, MODES),
        lambda session: authenticate_non_first(session, 1, KEY, os.urandom),
    ],
    ids=["first", "non-first"],
)
@pytest.mark.parametrize(
    ("at", "change"),
    [
        (0, cut(1)),
        (0, longer(1)),
        (0, lambda answer: answer[:-1] + b"\x00"),
        (1, cut(1)),
        (1, longer(16)),
        (1, lambda answer: answer[:-1] + b"\xaf"),
    ],
    ids=["short challenge", "long challenge", "no challenge", "short proof", "long proof", "proof with no end"],
)
def test_an_authentication_out_of_shape_opens_nothing(session, reader, authenticate, at, change):
    answers = []

    def changed(answer):
        answers.append(answer)
        return change(answer) if len(answers) == at + 1 else answer

    reader.change = changed
    with pytest.raises(BadAnswer):
        authenticate(session)
    assert session.channel is None


def answered(channel, plain):
    """An answer under the keys of a channel, put together by hand."""
    counter = uint(channel.counter + 1, 2)
    iv = encrypted(bytes(channel.enc_key), b"\x5a\xa5" + channel.ti + counter + bytes(8))
    data = cbc_encrypted(bytes(channel.enc_key), iv, plain)
    return data + odd_bytes(cmac(bytes(channel.mac_key), b"\x00" + counter + channel.ti + data)) + b"\x91\x00"


@pytest.mark.parametrize("content", [b"", b"fifteen bytes..", b"sixteen bytes...", b"\x80\x00", bytes(20)])
def test_what_follows_the_padding_is_no_part_of_an_answer(session, reader, content):
    made = answered(session.channel, padded(content))
    reader.change = lambda answer: made
    assert session.run(ReadData(3, 0, len(content))) == content


@pytest.mark.parametrize("counter", [0x00FE, 0x00FF, 0x0100, 0x12FF, 0xFFFE])
def test_both_bytes_of_the_counter_are_in_what_protects_an_answer(session, reader, counter):
    session.channel.count(counter)
    made = answered(session.channel, padded(b"guest 4660"))
    reader.change = lambda answer: made
    assert session.run(ReadData(3, 0, 10)) == b"guest 4660"


@pytest.mark.parametrize(
    "plain",
    [bytes(16), bytes(15) + b"\x01", b"\x80" + bytes(14) + b"\x01", b"\x80" + bytes(31), b"\x81" + bytes(15)],
    ids=["zeros", "one", "one behind the padding", "padding of another block", "almost"],
)
def test_an_answer_of_the_pass_itself_without_padding_is_out_of_shape(session, reader, plain):
    made = answered(session.channel, plain)
    reader.change = lambda answer: made
    with pytest.raises(BadAnswer, match="padding"):
        session.run(ReadData(3, 0, 1))
    assert session.channel is None


def test_an_answer_of_half_a_block_is_out_of_shape(session, reader):
    channel = session.channel
    mac = odd_bytes(cmac(bytes(channel.mac_key), b"\x00" + uint(channel.counter + 1, 2) + channel.ti + bytes(8)))
    reader.change = lambda answer: bytes(8) + mac + b"\x91\x00"
    with pytest.raises(BadAnswer, match="8 bytes"):
        session.run(ReadData(3, 0, 1))


def test_a_key_takes_the_place_of_another_in_the_same_memory(session):
    key = PassKey(b"another key.....", session.scratch)
    key.rekey(KEY)
    authenticate_first(session, 0, key, os.urandom, {})
    assert session.run(GetKeyVersion(1)) == 0


def test_a_command_that_does_not_fit_one_frame_is_not_sent(session, reader):
    """Seven bytes say which file and where."""
    del reader.sent[:]
    with pytest.raises(OutOfRange):
        session.run(WriteData(1, 0, bytes(249)))
    assert reader.sent == []
    sent = []
    Session(lambda apdu: sent.append(apdu) or b"\x91\x00").run(WriteData(1, 0, bytes(248)))
    assert len(sent[0]) == 5 + 255 + 1


def test_a_counter_at_its_end_closes_the_channel(session):
    session.channel.count(0xFFFF)
    with pytest.raises(OutOfRange):
        session.channel.count(0x10000)


def test_nothing_of_a_pass_stays_when_it_is_forgotten(session):
    secret = b"what only this pass may tell"
    session.run(WriteData(3, 0, secret))
    assert session.run(ReadData(3, 0, len(secret))) == secret
    channel = session.channel
    keys = bytes(channel.enc_key), bytes(channel.mac_key)
    session.forget()
    assert session.channel is None
    held = [session.scratch.message.getvalue()]
    assert not any(held[0])
    for one in (session.scratch, channel, channel.mac):
        held += [bytes(value) for value in vars(one).values() if isinstance(value, bytes | bytearray)]
    assert not any(known in value for value in held for known in (secret, *keys))
    assert channel.cipher is None
    assert channel.mac.cipher is None


def test_every_byte_of_a_message_is_forgotten():
    scratch = Scratch()
    scratch.message.write(b"\xff" * 200)
    scratch.wipe()
    assert not any(scratch.message.getvalue())


def test_a_session_goes_on_with_the_next_pass(session):
    """In the same memory, under keys that were made once."""
    key = PassKey(KEY, session.scratch)
    for number in range(3):
        content = b"pass %d" % number
        made = Tampering(factory_card(bytes([4, number]) + UID[2:]))
        replace_factory_key(Session(made.transmit), KEY, 1, os.urandom)
        session.meet(made.transmit)
        authenticate_first(session, 0, key, os.urandom, {})
        session.run(CreateApplication(AID, 0x0F, 3))
        session.run(SelectApplication(AID))
        authenticate_first(session, 0, key, os.urandom, {})
        session.run(CreateStdDataFile(3, FULL, ALL, 200))
        session.run(WriteData(3, 0, content))
        assert session.run(ReadData(3, 0, len(content))) == content
        session.forget()
