"""The reader driver on both Pythons, on SPI and I2C, with the faults that a bus can have."""

import os
import socket
import subprocess
import sys
import threading

import pytest

from hardware.emulated_pass import EmulatedPass, Memory
from hardware.emulated_pn532 import I2cChip, SpiChip
from tests.twin.test_twin import ROOT, micropython

UID = "04de5f1eacc040"
SELECT_PICC = "905a00000300000000"


class Server:
    """Puts a chip at the other end of the wire of `reader.py`."""

    def __init__(self, chip):
        self._chip = chip
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        connection = self._listening.accept()[0]
        with connection, connection.makefile("rwb") as stream:
            while head := stream.read(5):
                count, back = int.from_bytes(head[1:3], "big"), int.from_bytes(head[3:5], "big")
                answer = self._operate(head[:1], stream.read(count), back)
                assert len(answer) == back
                stream.write(answer)
                stream.flush()

    def _operate(self, kind, data, back):
        match kind:
            case b"I":
                return bytes([self._chip.irq])
            case b"S":
                self._chip.select(data[0])
            case b"T":
                return self._chip.transfer(data)
            case b"a":
                self._chip.start()
            case b"o":
                self._chip.stop()
            case b"w":
                return self._chip.write(data).to_bytes(2, "big")
            case b"l" | b"r":
                return self._chip.read(back, kind == b"l")
        return b"\x00"

    def close(self):
        self._listening.close()


class Driver:
    """`reader.py` on one of the Pythons."""

    def __init__(self, python, kind, port):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "MICROPYPATH": f"{ROOT}:.frozen"}
        script = str(ROOT / "tests/twin/reader.py")
        self._process = subprocess.Popen(
            [*python, script, kind, str(port)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ask(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self):
        self._process.stdin.close()
        self._process.wait(60)


@pytest.fixture(params=["CPython", "MicroPython"])
def python(request):
    return [sys.executable, "-u"] if request.param == "CPython" else micropython("-X", "heapsize=96k")


@pytest.fixture(params=["spi", "i2c"])
def world(request, python):
    chip = SpiChip() if request.param == "spi" else I2cChip()
    server = Server(chip)
    driver = Driver(python, request.param, server.port)
    yield chip, driver
    driver.close()
    server.close()


def test_a_pass_is_found_spoken_to_and_leaves(world):
    chip, driver = world
    assert driver.ask("find") == "None"
    chip.present(EmulatedPass(Memory.factory(uid=bytes.fromhex(UID))))
    for _ in range(2):
        assert driver.ask("find") == UID
        assert chip.air_kbit == 424
        assert driver.ask(SELECT_PICC) == "9100"
        assert driver.ask("release") == "None"
    assert driver.ask("find") == UID
    chip.remove()
    assert driver.ask(SELECT_PICC) == "PassGone the pass left"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda frame: [], "ReaderError the reader does not answer"),
        (lambda frame: [(1.3, frame)], "ReaderError the reader does not answer"),
        (lambda frame: [(0.0, bytes(40))], "ReaderError the reader sends no frame"),
        (
            lambda frame: [(0.0, frame[:3] + b"\x21\x21" + frame[5:])],
            "ReaderError the reader sends a frame with",
        ),
        (lambda frame: [(0.0, frame[:-2] + b"\x77\x00")], "ReaderError the reader "),
    ],
    ids=["nothing", "late", "noughts", "wrong length", "wrong checksum"],
)
def test_what_goes_wrong_on_the_bus_is_a_reader_error_and_passes(world, fault, said):
    chip, driver = world
    chip.present(EmulatedPass(Memory.factory(uid=bytes.fromhex(UID))))
    assert driver.ask("find") == UID
    chip.fault = fault
    assert driver.ask(SELECT_PICC).startswith(said)
    chip.fault = None
    assert driver.ask("find") == UID
    assert driver.ask(SELECT_PICC) == "9100"
