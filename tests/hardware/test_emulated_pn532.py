"""The emulated PN532, frame by frame. What is sent and what comes back stand side by side in hexadecimal."""

import os
import select
import threading
import time
import tty
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.emulated_pass import EmulatedPass, Memory
from hardware.emulated_pn532 import EmulatedPN532
from terminal.firmware.errors import PassGone
from terminal.firmware.pn532 import Pn532
from terminal.firmware.pn532_hsu import Hsu

UID = bytes.fromhex("04DE5F1EACC040")
ACK = "0000FF00FF00"
NACK = "0000FFFF0000"
GET_VERSION = "0000FF02FED4022A00"
VERSION = "0000FF06FAD50332010607E800"
SYNTAX_ERROR = "0000FF01FF7F8100"
WAKE_UP = "55" * 2 + "00" * 14
SELECT_PICC = "905A00000300000000"
PATIENCE_SECONDS = 30.0


class Host:
    """A program at the other end of the serial line. Knows frames, nothing else."""

    def __init__(self, path: str) -> None:
        self._port = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._port)

    def close(self) -> None:
        os.close(self._port)

    def write(self, data: bytes) -> None:
        os.write(self._port, data)

    def read(self, count: int, timeout_ms: int = 5000) -> bytes:
        data, end = b"", time.monotonic() + timeout_ms / 1000
        while len(data) < count:
            ready, _, _ = select.select([self._port], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                break
            data += os.read(self._port, count - len(data))
        return data

    def silent(self) -> bool:
        return self.read(1, 60) == b""

    def send(self, command: str) -> None:
        body = b"\xd4" + bytes.fromhex(command)
        self.write(b"\x00\x00\xff" + bytes([len(body), -len(body) & 0xFF]) + body + bytes([-sum(body) & 0xFF, 0]))
        assert self.read(6).hex().upper() == ACK

    def answer(self) -> str:
        """Code and data of the next frame, whose checksums fit."""
        head = self.read(5)
        assert head[:3] == b"\x00\x00\xff"
        if head[3:] == b"\xff\xff":
            high, low, check = self.read(3)
            length = high << 8 | low
            assert (high + low + check) & 0xFF == 0
            assert length > 255
        else:
            length = head[3]
            assert sum(head[3:]) & 0xFF == 0
        body, tail = self.read(length), self.read(2)
        assert (sum(body) + tail[0]) & 0xFF == tail[1] == 0
        assert body[0] == 0xD5
        return body[1:].hex().upper()

    def ask(self, command: str) -> str:
        """The data of the answer."""
        self.send(command)
        answer = self.answer()
        assert int(answer[:2], 16) == int(command[:2], 16) + 1
        return answer[2:]


@pytest.fixture
def card() -> EmulatedPass:
    return EmulatedPass(Memory.factory(uid=UID))


@pytest.fixture
def chip() -> Iterator[EmulatedPN532]:
    with EmulatedPN532() as chip:
        yield chip


@pytest.fixture
def host(chip: EmulatedPN532) -> Iterator[Host]:
    host = Host(chip.path)
    yield host
    host.close()


@pytest.mark.parametrize(
    ("sent", "back"),
    [
        pytest.param(GET_VERSION, ACK + VERSION, id="normal frame"),
        pytest.param("0000FFFFFF0002FED4022A00", ACK + VERSION, id="extended frame"),
        pytest.param(WAKE_UP + GET_VERSION, ACK + VERSION, id="wake-up"),
        pytest.param("FF00FE12" + GET_VERSION, ACK + VERSION, id="noise before a frame"),
        pytest.param(GET_VERSION[:-2] + GET_VERSION[2:], (ACK + VERSION) * 2, id="one 00 between two frames"),
        pytest.param("0000FF02FDD4022A00", "", id="wrong length checksum"),
        pytest.param("0000FFFFFF0002FDD4022A00", "", id="wrong length checksum, extended"),
        pytest.param("0000FF02FED4022B00", "", id="wrong checksum"),
        pytest.param("0000FF02FED4022B00" + GET_VERSION, ACK + VERSION, id="right frame after a wrong one"),
        pytest.param("0000FF30D0D402" + GET_VERSION, ACK + VERSION, id="frame that does not end"),
        pytest.param("0000FFFFFFFFFF02" + GET_VERSION, ACK + VERSION, id="frame too long to be one"),
        pytest.param(ACK, "", id="abort of nothing"),
        pytest.param(GET_VERSION + NACK, ACK + VERSION * 2, id="once more, please"),
        pytest.param("0000FF02FED5022900", ACK + SYNTAX_ERROR, id="frame not to the chip"),
        pytest.param("0000FF01FFD42C00", ACK + SYNTAX_ERROR, id="no command"),
    ],
)
def test_frames(host: Host, sent: str, back: str) -> None:
    host.write(bytes.fromhex(sent))
    assert host.read(len(back) // 2).hex().upper() == back
    assert host.silent()


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("00006C69626E6663", "006C69626E6663"),
        ("0001", "00"),
        ("0002", "00"),
        ("0006", "27"),
        ("02", "32010607"),
        ("0663026303", "0000"),
        ("08630280", ""),
        ("1004", ""),
        ("1214", ""),
        ("140114", ""),
        ("14011401", ""),
        ("162000", "00"),
        ("320101", ""),
        ("3205FF01FF", ""),
        ("320A59F43F114D85616F266287", ""),
        ("4001" + SELECT_PICC, "27"),
        ("4000", "27"),
        ("42E080", "01"),
        ("4401", "27"),
        ("4400", "00"),
        ("5200", "00"),
        ("5201", "27"),
        ("5401", "27"),
    ],
)
def test_commands_without_a_pass(host: Host, command: str, answer: str) -> None:
    assert host.ask(command) == answer


@pytest.mark.parametrize(
    "command", ["99", "00", "0009", "06", "0663", "0863", "12", "14", "32", "3205FF", "3277", "4A01", "4A0300"]
)
def test_a_command_that_makes_no_sense_is_a_syntax_error(host: Host, command: str) -> None:
    host.send(command)
    assert host.read(8).hex().upper() == SYNTAX_ERROR
    assert host.ask("02") == "32010607"


def test_registers_keep_what_is_written(host: Host) -> None:
    host.ask("08630280630311")
    assert host.ask("066303630263FF") == "118000"


def test_the_longest_frame_comes_back_whole(host: Host) -> None:
    body = bytes.fromhex("D400") + bytes(i & 0xFF for i in range(263))
    head = bytes.fromhex("0000FFFFFF") + bytes([1, 9, 0xF6])
    host.write(head + body + bytes([-sum(body) & 0xFF, 0]))
    assert host.read(6).hex().upper() == ACK
    assert host.answer() == "01" + body[2:].hex().upper()


LISTED = "010103442007" + UID.hex().upper() + "067577810280"


def test_a_pass_is_listed_spoken_to_released_and_listed_again(
    chip: EmulatedPN532, host: Host, card: EmulatedPass
) -> None:
    chip.present(card)
    for _ in range(2):
        assert host.ask("4A0100") == LISTED
        assert host.ask("4001" + SELECT_PICC) == "009100"
        assert host.ask("4002" + SELECT_PICC) == "27"
        assert host.ask("0006") == "00"
        assert host.ask("5200") == "00"
        assert not card.in_field
        assert host.ask("4001" + SELECT_PICC) == "27"


def test_every_listing_activates_the_pass_anew(chip: EmulatedPN532, host: Host, card: EmulatedPass) -> None:
    chip.present(card)
    host.ask("4A0100")
    assert host.ask("40019060000000").endswith("91AF")
    host.ask("4A0100")
    assert host.ask("4001" + SELECT_PICC) == "009100"


@pytest.mark.parametrize("item", ["320100", "1620"])
def test_without_the_field_there_is_no_target(chip: EmulatedPN532, host: Host, card: EmulatedPass, item: str) -> None:
    chip.present(card)
    host.ask("4A0100")
    host.ask(item)
    assert not card.in_field
    assert host.ask("4001" + SELECT_PICC) == "27"


def test_a_deselected_pass_is_activated_again_when_it_is_needed(
    chip: EmulatedPN532, host: Host, card: EmulatedPass
) -> None:
    chip.present(card)
    host.ask("4A0100")
    for wake in ("4001" + SELECT_PICC, "5401"):
        assert host.ask("4401") == "00"
        assert not card.in_field
        assert host.ask(wake)[:2] == "00"
        assert card.in_field


def test_only_the_pass_with_the_wanted_uid_is_listed(chip: EmulatedPN532, host: Host, card: EmulatedPass) -> None:
    chip.present(card)
    host.ask("3205000000")
    assert host.ask("4A010088" + UID.hex()) == LISTED
    assert host.ask("4A010088" + "04AABBCCDDEEFF") == "00"
    assert host.ask("4A010008AABBCC") == "00"


def test_a_random_uid_stays_while_the_power_does(chip: EmulatedPN532, host: Host, card: EmulatedPass) -> None:
    with card.memory.writing() as picc:
        picc.random_id = True
    chip.present(card)
    host.ask("3205000000")
    listed = host.ask("4A0100")
    assert listed.startswith("01010304200408")
    assert host.ask("5200") == "00"
    assert host.ask("4A0100" + listed[12:20]) == listed
    host.ask("320100")
    assert host.ask("4A0100" + listed[12:20]) == "00"
    chip.present(card)
    again = host.ask("4A0100")
    assert again != listed
    assert again.startswith("01010304200408")


def test_an_empty_reader_says_so_after_the_tries_it_was_told_to_make(host: Host) -> None:
    host.ask("3205FF0109")
    start = time.monotonic()
    assert host.ask("4A0100") == "00"
    assert time.monotonic() - start >= 0.02
    assert host.ask("066339") == "26"


def test_other_kinds_of_card_are_never_found(chip: EmulatedPN532, host: Host, card: EmulatedPass) -> None:
    chip.present(card)
    host.ask("3205000000")
    for kind in ("4A010100FFFF0000", "4A010200FFFF0000", "4A010300", "4A0104"):
        assert host.ask(kind) == "00"


def test_a_search_without_end_finds_the_pass_when_it_comes(chip: EmulatedPN532, host: Host, card: EmulatedPass) -> None:
    host.send("4A0100")
    assert host.silent()
    chip.present(card)
    assert host.answer() == "4B" + LISTED


@pytest.mark.parametrize("abort", [ACK, GET_VERSION])
def test_a_search_without_end_ends_when_the_host_says_so(
    chip: EmulatedPN532, host: Host, card: EmulatedPass, abort: str
) -> None:
    host.send("4A0100")
    host.write(bytes.fromhex(abort))
    if abort == GET_VERSION:
        assert host.read(19).hex().upper() == ACK + VERSION
    # The chip is through with the abort when it answers this.
    assert host.ask("02") == "32010607"
    chip.present(card)
    assert host.silent()
    assert not card.in_field


def test_noise_does_not_end_a_search(chip: EmulatedPN532, host: Host, card: EmulatedPass) -> None:
    host.send("4A0100")
    host.write(bytes.fromhex("0000FF02FED4022B00"))
    chip.present(card)
    assert host.answer() == "4B" + LISTED


def test_a_pass_that_left_does_not_answer(chip: EmulatedPN532, host: Host, card: EmulatedPass) -> None:
    chip.present(card)
    host.ask("4A0100")
    chip.remove()
    assert not card.in_field
    assert host.ask("4001" + SELECT_PICC) == "01"
    assert host.ask("0006") == "01"
    chip.present(card)
    assert host.ask("4001" + SELECT_PICC) == "01"


@pytest.mark.parametrize("executed", [False, True])
def test_a_pass_that_is_torn_out_is_not_on_the_reader_until_it_comes_back(
    chip: EmulatedPN532, host: Host, card: EmulatedPass, executed: bool
) -> None:
    chip.present(card)
    card.tear_after(2, executed)
    host.ask("4A0100")
    assert host.ask("4001" + SELECT_PICC) == "009100"
    assert host.ask("4001" + SELECT_PICC) == "01"
    host.send("4A0100")
    assert host.silent()
    chip.present(card)
    assert host.answer() == "4B" + LISTED


def test_after_card_comes_between_the_execution_and_the_answer(
    chip: EmulatedPN532, host: Host, card: EmulatedPass
) -> None:
    seen: list[tuple[str, str]] = []
    may_go_on, called = threading.Event(), threading.Event()

    def after_card(command: bytes, answer: bytes) -> None:
        seen.append((command.hex().upper(), answer.hex().upper()))
        called.set()
        assert may_go_on.wait(PATIENCE_SECONDS)

    chip.present(card)
    host.ask("4A0100")
    chip.after_card = after_card
    host.send("4001" + SELECT_PICC)
    assert called.wait(PATIENCE_SECONDS)
    assert seen == [(SELECT_PICC, "9100")]
    assert host.silent()
    may_go_on.set()
    assert host.answer() == "41009100"


def test_a_pass_taken_away_after_it_executed_does_not_answer(
    chip: EmulatedPN532, host: Host, card: EmulatedPass
) -> None:
    chip.after_card = lambda command, answer: chip.remove()
    chip.present(card)
    host.ask("4A0100")
    assert host.ask("4001" + SELECT_PICC) == "01"


def test_a_command_in_parts_reaches_the_pass_whole(chip: EmulatedPN532, host: Host, card: EmulatedPass) -> None:
    chip.present(card)
    host.ask("4A0100")
    assert host.ask("4041" + SELECT_PICC[:6]) == "00"
    assert host.ask("4001" + SELECT_PICC[6:]) == "009100"
    answers = [host.ask("4041" + "00" * 200) for _ in range(21)]
    assert answers[:-1] == ["00"] * 20
    assert answers[-1] == "0E"


def test_blocks_of_a_host_that_does_them_itself(chip: EmulatedPN532, host: Host, card: EmulatedPass) -> None:
    chip.present(card)
    host.ask("1200")
    assert host.ask("4A0100") == LISTED[:26]
    for sent, back in [
        ("02" + SELECT_PICC, "01"),  # before RATS: silence
        ("E001", "00067577810280"),  # CID 1, frames of 16 bytes
        ("02" + SELECT_PICC, "01"),  # for another CID
        ("0A01" + SELECT_PICC, "000A019100"),
        ("BB01", "00AA01"),  # R(NAK) of the other number: are you there? R(ACK)
        ("1B01" + SELECT_PICC[:6], "00AB01"),
        ("0A01" + SELECT_PICC[6:], "000A019100"),
        ("BA01", "000A019100"),  # R(NAK) of its own number: the last block again
        ("0B01" + "9060000000", "000B0104010112001A0591AF"),
        ("0A0190AF000000", "000A0104010102011A0591AF"),
        ("0B0190AF000000", "001B0104DE5F1EACC0404D4545444F"),  # 12 bytes fit a frame; R(ACK) asks for the rest
        ("AA01", "000A0101269100"),
        ("1B01" + "00" * 100, "01"),  # longer than a frame
        ("CA01", "00CA01"),  # S(DESELECT), and then it sleeps
        ("0A01" + SELECT_PICC, "01"),
    ]:
        assert host.ask("42" + sent) == back, sent


def test_the_reader_driver_of_the_terminals_works_with_it(chip: EmulatedPN532, host: Host, card: EmulatedPass) -> None:
    reader = Pn532(Hsu(host))
    assert reader.find_pass() is None
    chip.present(card)
    for _ in range(2):
        assert reader.find_pass() == UID
        assert reader.transmit(bytes.fromhex(SELECT_PICC)) == b"\x91\x00"
        reader.release()
    assert reader.find_pass() == UID
    chip.remove()
    with pytest.raises(PassGone):
        reader.transmit(bytes.fromhex(SELECT_PICC))
    assert reader.find_pass() is None


def test_the_port_outlives_its_hosts_and_what_nobody_reads_is_lost(chip: EmulatedPN532) -> None:
    first = Host(chip.path)
    for _ in range(2000):
        first.write(bytes.fromhex(GET_VERSION))
    first.close()
    second = Host(chip.path)
    second.write(bytes.fromhex(ACK))
    while not second.silent():
        second.read(4096, 60)
    assert second.ask("02") == "32010607"
    second.close()


def test_an_error_in_after_card_is_not_swallowed(card: EmulatedPass) -> None:
    def fails(command: bytes, answer: bytes) -> None:
        raise ZeroDivisionError

    chip = EmulatedPN532(card).start()
    host = Host(chip.path)
    chip.after_card = fails
    host.ask("4A0100")
    host.send("4001" + SELECT_PICC)
    assert host.silent()
    with pytest.raises(ZeroDivisionError):
        chip.stop()
    host.close()


COMMANDS = [0x00, 0x02, 0x06, 0x08, 0x10, 0x12, 0x14, 0x16, 0x32, 0x40, 0x42, 0x44, 0x4A, 0x52, 0x54]


def frame(body: bytes) -> bytes:
    return b"\x00\x00\xff" + bytes([len(body), -len(body) & 0xFF]) + body + bytes([-sum(body) & 0xFF, 0])


GARBAGE = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.binary(max_size=20).map(lambda rest: b"\x00\x00\xff" + rest),
        st.tuples(st.sampled_from(COMMANDS), st.binary(max_size=30)).map(
            lambda command: frame(bytes([0xD4, command[0]]) + command[1])
        ),
        st.binary(min_size=1, max_size=60).map(lambda block: frame(b"\xd4\x42" + block)),
        st.sampled_from([bytes.fromhex(ACK), bytes.fromhex(NACK), frame(b"\xd4\x4a\x01\x00")]),
    ),
    max_size=12,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=GARBAGE)
def test_after_any_garbage_the_chip_answers(card: EmulatedPass, sent: list[bytes]) -> None:
    with EmulatedPN532(card) as chip:
        host = Host(chip.path)
        try:
            host.write(b"".join(sent))
            end = time.monotonic() + PATIENCE_SECONDS
            seen = b""
            while bytes.fromhex(VERSION) not in seen:
                assert time.monotonic() < end, seen.hex()
                host.write(bytes.fromhex(GET_VERSION))
                seen += host.read(4096, 30)
        finally:
            host.close()
