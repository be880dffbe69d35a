"""The reader driver on SPI, I2C and a serial line: what it asks of the chip, and what it says when the chip fails."""

import fcntl
import os
import sys
import termios
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.emulated_pass import EmulatedPass, Memory
from hardware.emulated_pn532 import BusMisused, EmulatedPN532, I2cChip, SpiChip
from terminal.firmware import pn532
from terminal.firmware.errors import PassGone, ReaderError
from terminal.firmware.pn532_hsu import Hsu, Uart
from terminal.firmware.pn532_i2c import I2c
from terminal.firmware.pn532_spi import Spi
from tests.terminal.readers import BUSES, Connected, IrqPin, MachineSoftI2c, MachineSpi, SelectPin, SerialPort, connect

UID = bytes.fromhex("04DE5F1EACC040")
SELECT_PICC = bytes.fromhex("905A00000300000000")
OK = b"\x91\x00"
ACK = bytes.fromhex("0000FF00FF00")
Fault = Callable[[bytes], list[tuple[float, bytes]]]


@pytest.fixture(params=BUSES)
def world(request):
    connected = connect(request.param)
    yield connected
    connected.close()


@pytest.fixture
def card():
    return EmulatedPass(Memory.factory(uid=UID))


def at_frame(number: int, fault: Fault) -> Fault:
    """A fault in one frame of the chip, counted from 0; the others pass."""
    count = -1

    def once(frame: bytes) -> list[tuple[float, bytes]]:
        nonlocal count
        count += 1
        return fault(frame) if count == number else [(0.0, frame)]

    return once


def nothing(frame: bytes) -> list[tuple[float, bytes]]:
    return []


def instead(data: bytes) -> Fault:
    return lambda frame: [(0.0, data)]


def flipped(at: int) -> Fault:
    return lambda frame: [(0.0, frame[:at] + bytes([frame[at] ^ 0x10]) + frame[at + 1 :])]


def works(world: Connected) -> None:
    """A pass can be found and spoken to, if not at once then at the second try."""
    world.chip.fault = None
    for _ in range(2):
        try:
            assert world.reader.find_pass() == UID
            break
        except ReaderError:
            continue
    assert world.reader.transmit(SELECT_PICC) == OK


def test_a_pass_is_found_spoken_to_let_go_and_found_again(world, card):
    assert world.reader.find_pass() is None
    world.chip.present(card)
    for _ in range(2):
        assert world.reader.find_pass() == UID
        assert world.reader.transmit(SELECT_PICC) == OK
        world.reader.release()
    world.chip.remove()
    assert world.reader.find_pass() is None


def test_a_pass_that_leaves_is_said_to_have_left_and_the_next_one_is_found(world, card):
    world.chip.present(card)
    assert world.reader.find_pass() == UID
    world.chip.remove()
    with pytest.raises(PassGone, match="left"):
        world.reader.transmit(SELECT_PICC)
    assert world.reader.find_pass() is None
    world.chip.present(card)
    works(world)


def test_the_longest_commands_and_answers_pass_in_extended_frames(world):
    card = EmulatedPass(Memory.factory(uid=UID), wrapped_answer=256)
    world.chip.present(card)
    assert world.reader.find_pass() == UID
    long = bytes(range(247))
    for ins, body in (
        (0xCA, bytes.fromhex("4D45450F01")),
        (0x5A, bytes.fromhex("4D4545")),
        (0xCD, bytes([1, 0, 0xEE, 0xEE, 255, 0, 0])),
        (0x3D, bytes([1, 0, 0, 0, 247, 0, 0]) + long),
    ):
        assert world.reader.transmit(bytes([0x90, ins, 0, 0, len(body)]) + body + b"\0") == OK
    read = world.reader.transmit(bytes([0x90, 0xBD, 0, 0, 7, 1]) + bytes(6) + b"\0")
    assert read == long + bytes(8) + OK
    with pytest.raises(ReaderError, match="too long"):
        world.reader.transmit(bytes(263))


# The speed on the air


def test_a_pass_that_offers_424_kbit_is_talked_to_at_424(world, card):
    world.chip.present(card)
    works(world)
    assert world.chip.air_kbit == 424
    world.reader.release()
    assert world.chip.air_kbit == 106


def test_a_slow_reader_stays_at_106(card):
    world = connect("spi", fast=False)
    world.chip.present(card)
    works(world)
    assert world.chip.air_kbit == 106


@pytest.mark.parametrize("ats", ["067570810280", "067507810280", "067511810280", "0605810280", "01"])
def test_a_pass_that_does_not_offer_424_is_talked_to_at_106(ats):
    memory = Memory.factory(uid=UID)
    with memory.writing() as picc:
        picc.ats = bytes.fromhex(ats)
    world = connect("spi")
    world.chip.present(EmulatedPass(memory))
    works(world)
    assert world.chip.air_kbit == 106


def test_a_pass_that_offers_424_and_then_does_not_do_it_is_talked_to_at_106(world, card):
    world.chip.present(card)
    assert world.reader.find_pass() == UID
    refused = bytes.fromhex("0000FF03FDD54F01DB00")
    # The frames of a search: ACK and answer, ACK and answer to InPSL.
    world.chip.fault = at_frame(3, instead(refused))
    assert world.reader.find_pass() == UID
    assert world.chip.air_kbit == 106
    assert world.reader.transmit(SELECT_PICC) == OK


# The bytes on the bus


@pytest.mark.parametrize("name", ["spi", "spi without irq", "i2c", "i2c without irq"])
def test_every_frame_is_read_exactly_to_its_end_in_one_transfer(name, card):
    world = connect(name)
    world.chip.present(card)
    works(world)
    world.chip.transfers.clear()
    assert world.reader.transmit(SELECT_PICC) == OK
    overhead = 1 if name.startswith("spi") else 2
    kinds = [transfer.kind for transfer in world.chip.transfers if transfer.kind != "status"]
    assert kinds == ["write", "read", "read"]
    sent, ack, answer = (transfer for transfer in world.chip.transfers if transfer.kind != "status")
    assert sent.total == 1 + 7 + 3 + len(SELECT_PICC)
    assert ack.total == overhead + 6
    assert answer.total == overhead + 7 + 3 + len(OK)
    assert ack.unread == ack.beyond == answer.unread == answer.beyond == 0


def test_the_line_of_the_chip_saves_asking_it(card):
    """On I2C the status leads each frame anyway; on SPI it is asked once more for each frame, not all the time."""
    asked = {}
    for name in ("spi", "spi without irq", "i2c"):
        world = connect(name)
        world.chip.present(card)
        works(world)
        world.chip.fault = lambda frame: [(0.02, frame)]
        world.chip.transfers.clear()
        world.reader.transmit(SELECT_PICC)
        asked[name] = sum(transfer.kind == "status" for transfer in world.chip.transfers)
    assert asked["spi"] == 2
    assert asked["i2c"] == 0
    assert asked["spi without irq"] > 2


def test_a_serial_line_works_at_its_highest_speed_also_when_only_the_terminal_was_restarted(card):
    world = connect("hsu at 921600")
    try:
        world.chip.present(card)
        works(world)
        assert world.chip._chip.line_speed == termios.B921600
        world.restart()
        assert world.reader.find_pass() == UID
        assert world.reader.transmit(SELECT_PICC) == OK
    finally:
        world.close()


@pytest.mark.parametrize("preamble", [b"", bytes(1), bytes(9)])
def test_a_frame_may_have_more_preamble_or_none(world, card, preamble):
    """Some chips leave it out on SPI (UM 6.2.5.2)."""
    world.chip.present(card)
    works(world)
    world.chip.fault = lambda frame: [(0.0, preamble + frame[1:])]
    assert world.reader.transmit(SELECT_PICC) == OK
    assert world.reader.find_pass() == UID


class MachineUart:
    """As machine.UART, on a pseudo-terminal."""

    def __init__(self, chip):
        self._port = SerialPort(chip)
        self.inits = []

    def init(self, baudrate, **settings):
        self.inits.append((baudrate, settings))
        self._port.set_speed(baudrate)

    def any(self):
        waiting = bytearray(4)
        fcntl.ioctl(self._port.descriptor, termios.FIONREAD, waiting)
        return int.from_bytes(waiting, sys.byteorder)

    def read(self, count):
        return os.read(self._port.descriptor, count)

    def write(self, data):
        self._port.write(data)

    def close(self):
        os.close(self._port.descriptor)


def test_what_a_slow_chip_has_yet_to_read_was_sent_at_the_old_speed(card, monkeypatch):
    world = connect("hsu at 921600")
    through_line = world.chip._through_line
    monkeypatch.setattr(world.chip, "_through_line", lambda data: (time.sleep(0.02), through_line(data))[1])
    try:
        world.chip.present(card)
        assert world.reader.find_pass() == UID
    finally:
        world.close()


def test_a_serial_port_of_a_board_is_read_as_far_as_there_is_something_and_in_time(card):
    with EmulatedPN532(card, minds_speed=True) as chip:
        uart = MachineUart(chip)
        reader = pn532.Pn532(Hsu(Uart(uart, rxbuf=512), (115200, 921600)))
        assert reader.find_pass() == UID
        assert reader.transmit(SELECT_PICC) == OK
        assert uart.inits == [(115200, {"rxbuf": 512}), (921600, {"rxbuf": 512})]
        chip.fault = nothing
        with pytest.raises(ReaderError, match="does not answer"):
            reader.transmit(SELECT_PICC)
        uart.close()


# Faults

FAULTS = {
    "nothing": nothing,
    "no start": instead(bytes(40)),
    "all ones": instead(b"\xff" * 40),
    "garbage": instead(bytes.fromhex("123456789ABCDEF0") * 9),
    "a flipped length": flipped(3),
    "a flipped length checksum": flipped(4),
    "length nought": instead(bytes.fromhex("0000FF0000")),
    "a length that no frame has": instead(bytes.fromhex("0000FFFFFFFFFF02") + bytes(40)),
    "half a frame": lambda frame: [(0.0, frame[:5])],
    "one byte": lambda frame: [(0.0, frame[:1])],
    "another command": instead(bytes.fromhex("0000FF06FAD50332010607E800")),
    "a syntax error": instead(bytes.fromhex("0000FF01FF7F8100")),
    "a frame of the host": instead(bytes.fromhex("0000FF02FED4022A00")),
    "not to acknowledge": instead(bytes.fromhex("0000FFFF0000")),
    "late": lambda frame: [(1.3, frame)],
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("frame", [0, 1], ids=["acknowledgement", "answer"])
def test_what_the_chip_says_wrongly_is_a_reader_error_in_time_and_the_next_tap_works(world, card, frame, fault):
    world.chip.present(card)
    works(world)

    said = []

    def from_now_on(whole):
        """The answer stays wrong when the driver asks for it again."""
        said.append(whole)
        return fault(whole) if len(said) > frame else [(0.0, whole)]

    world.chip.fault = from_now_on
    began = time.monotonic()
    with pytest.raises(ReaderError) as caught:
        world.reader.transmit(SELECT_PICC)
    assert time.monotonic() - began < 30
    assert str(caught.value).startswith("the reader ")
    works(world)


@pytest.mark.parametrize("fault", [flipped(5), flipped(-2)], ids=["body", "checksum"])
def test_an_answer_spoilt_on_its_way_is_asked_for_again_and_not_the_command(world, card, fault):
    """The pass has debited by then; it must hear its command once."""
    heard = []
    world.chip.present(card)
    works(world)
    world.chip.after_card = lambda command, answer: heard.append(command)
    world.chip.fault = at_frame(1, fault)
    assert world.reader.transmit(SELECT_PICC) == OK
    assert heard == [SELECT_PICC]


def test_an_answer_spoilt_twice_is_a_reader_error(world, card):
    world.chip.present(card)
    works(world)
    world.chip.fault = flipped(-2)
    with pytest.raises(ReaderError):
        world.reader.transmit(SELECT_PICC)
    works(world)


def test_a_chip_that_says_nothing_at_all_is_a_reader_error_each_time_in_time(world):
    world.chip.fault = nothing
    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(ReaderError, match="does not answer"):
            world.reader.find_pass()
        assert time.monotonic() - began < 30


def test_what_the_chip_had_to_say_to_somebody_before_is_dropped(world, card):
    world.chip.present(card)
    works(world)
    world.chip.fault = lambda frame: [(0.0, frame), (0.0, frame)]
    with pytest.raises(ReaderError):
        world.reader.transmit(SELECT_PICC)
    world.restart()
    works(world)


def test_an_irq_that_never_comes_is_a_reader_error(card):
    class StuckHigh:
        def value(self):
            return 1

    for chip, bus in (
        (spi := SpiChip(card), Spi(MachineSpi(spi), SelectPin(spi), StuckHigh())),
        (i2c := I2cChip(card), I2c(MachineSoftI2c(i2c), StuckHigh())),
    ):
        with pytest.raises(ReaderError, match="does not answer"):
            pn532.Pn532(bus).find_pass()
        assert [transfer.kind for transfer in chip.transfers if transfer.kind != "write"] == []


def test_an_irq_that_is_stuck_low_is_not_believed(card):
    class StuckLow:
        def value(self):
            return 0

    for chip, bus in (
        (spi := SpiChip(card), Spi(MachineSpi(spi), SelectPin(spi), StuckLow())),
        (i2c := I2cChip(card), I2c(MachineSoftI2c(i2c), StuckLow())),
    ):
        chip.fault = lambda frame: [(0.01, frame)]
        reader = pn532.Pn532(bus)
        assert reader.find_pass() == UID
        assert reader.transmit(SELECT_PICC) == OK


def test_a_chip_that_does_not_acknowledge_its_address_is_called_again_and_then_given_up(card):
    chip = I2cChip(card)
    reader = pn532.Pn532(I2c(MachineSoftI2c(chip), IrqPin(chip)))
    assert reader.find_pass() == UID
    chip.deaf = 5
    assert reader.transmit(SELECT_PICC) == OK
    chip.deaf = -1
    with pytest.raises(ReaderError, match="not on the bus"):
        reader.transmit(SELECT_PICC)


def test_a_bus_that_fails_is_a_reader_error(card):
    """A short circuit of the clock line, which MicroPython reports as an OSError."""
    chip = I2cChip(card)
    i2c = MachineSoftI2c(chip)
    reader = pn532.Pn532(I2c(i2c, IrqPin(chip)))
    assert reader.find_pass() == UID

    def held() -> None:
        raise OSError(110)

    i2c.start = held
    with pytest.raises(ReaderError, match="bus to the reader"):
        reader.transmit(SELECT_PICC)


def test_a_chip_with_a_reset_line_is_reset_before_it_is_woken(card):
    levels = []

    class ResetPin:
        def value(self, level):
            levels.append(level)

    chip = SpiChip(card)
    reader = pn532.Pn532(Spi(MachineSpi(chip), SelectPin(chip), IrqPin(chip), ResetPin()))
    assert reader.find_pass() == UID
    assert levels == [0, 1]


def test_the_emulated_buses_refuse_a_host_that_misuses_them():
    spi, i2c = SpiChip(), I2cChip()
    with pytest.raises(BusMisused, match="not selected"):
        spi.transfer(b"\x80")
    i2c.start()
    with pytest.raises(BusMisused, match="without a stop"):
        i2c.start()
    i2c.stop()
    with pytest.raises(BusMisused, match="did not ask"):
        i2c.read(1, True)
    i2c.start()
    assert i2c.write(b"\x49") == 1
    i2c.read(1, False)
    with pytest.raises(BusMisused, match="still sends"):
        i2c.stop()


GARBAGE = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=30).map(lambda rest: b"\x00\x00\xff" + rest),
    st.binary(min_size=1, max_size=40).map(
        lambda body: b"\x00\x00\xff" + bytes([len(body), -len(body) & 0xFF]) + body + bytes([-sum(body) & 0xFF, 0])
    ),
    st.just(ACK),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(GARBAGE, min_size=1, max_size=4), name=st.sampled_from(BUSES[:4]))
def test_whatever_the_chip_says_is_an_answer_or_a_reader_error(said, name, monkeypatch):
    monkeypatch.setattr(pn532, "_TIMEOUT_MS", 5)
    monkeypatch.setattr(pn532, "_ACK_TIMEOUT_MS", 5)
    card = EmulatedPass(Memory.factory(uid=UID))
    world = connect(name)
    world.chip.present(card)
    works(world)
    left = list(said)
    world.chip.fault = lambda frame: [(0.0, left.pop(0) if left else frame)]
    for ask in (lambda: world.reader.transmit(SELECT_PICC), world.reader.find_pass):
        try:
            ask()
        except ReaderError:
            continue
    works(world)
