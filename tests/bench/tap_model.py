"""How long a tap would take on a board up to the yes: real traffic of the driver on a model of all that it waits for.

Every byte and every transfer is recorded on the emulated bus. SPI at 5 MHz; I2C at 400 kHz, nine bits a byte; HSU ten.
The reader chip's own program takes 1.5 ms a command, an estimate that gives NXP's published reading times within 5 %.
Getting a pass started: a field of 5.1 ms (ISO/IEC 14443-3), 5.8 ms on the air for anticollision and RATS, 0.6 of its
own. The program of the terminal is not in it: `driver` says how many instructions of it are the driver's.

The floor is the same without any bus: what a terminal of unlimited speed, wired into the chip, would wait for.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hardware.emulated_pn532 import EmulatedPN532
from hardware.emulated_pn532.bus import BusChip
from tests.bench import card_model
from tests.city import ROOT, PcTerminal, make_pass
from tests.terminal.readers import SerialPort, connect

_COMMIT = 0xC7
_CHIP_MS = 1.5
_ACTIVATION_MS = 5.1 + 5.8 + 0.6
_PPS_BYTES, _PPS_ANSWER_BYTES = 5, 3
_BYTE_MS = {"spi": 8 / 5000, "i2c": 9 / 400, "hsu": 10 / 115.2, "hsu at 921600": 10 / 921.6}
# A start and a stop take a bit each.
_TRANSFER_MS = {"i2c": 2 / 400}
_EXCHANGES = (100, 300)
_RP2040_INSTRUCTIONS_PER_MS = 52_000


def figures() -> dict[str, Any]:
    """The model, and what of it the processor of a terminal adds."""
    return modelled() | {"driver": driver_instructions()}


def modelled() -> dict[str, Any]:
    """In milliseconds; `ratio_to_floor` is of SPI at 106 kbit/s."""
    with tempfile.TemporaryDirectory() as folder:
        taps = {
            (bus, fast): _Tap(Path(folder) / f"{number}", bus, fast)
            for number, (bus, fast) in enumerate((bus, fast) for bus in _BYTE_MS for fast in (False, True))
        }
    spi = taps["spi", False]
    made: dict[str, Any] = {
        f"modelled_ms_{bus.replace(' at ', '_')}_{424 if fast else 106}": round(tap.milliseconds, 1)
        for (bus, fast), tap in taps.items()
    }
    made["floor_ms_106"] = round(spi.floor, 1)
    made["ratio_to_floor"] = round(spi.milliseconds / spi.floor, 3)
    made["bus_bytes_spi"] = spi.bus_bytes
    return made


class _CountingPort(SerialPort):
    """A serial port that counts what goes over it."""

    def __init__(self, chip: EmulatedPN532) -> None:
        super().__init__(chip)
        self.count = 0

    def write(self, data: bytes) -> None:
        self.count += len(data)
        super().write(data)

    def read(self, count: int, timeout_ms: int) -> bytes:
        data = super().read(count, timeout_ms)
        self.count += len(data)
        return data


class _Tap:
    """A tap of one purse that is a yes, with the driver on one bus."""

    def __init__(self, folder: Path, bus: str, fast: bool) -> None:
        terminal = PcTerminal(folder)
        world = connect(bus, fast, port=_CountingPort)
        terminal.device.board.reader = self._reader = world.reader
        terminal.press("1#")
        terminal.device.turn()
        card, _ = make_pass()
        self.exchanges: list[tuple[bytes, bytes]] = []
        self.bus_bytes = self._transfers = 0
        self.kbit = 106
        self._chip, self._port = world.chip, getattr(world.bus, "_port", None)
        self._began = self._counts()
        transmit = world.reader.transmit

        def recorded(apdu: bytes) -> bytes:
            self.kbit = world.chip.air_kbit
            answer = transmit(apdu)
            if not self.bus_bytes:
                self.exchanges.append((bytes(apdu), answer))
            if apdu[1] == _COMMIT:
                self._said_yes()
            return answer

        world.reader.transmit = recorded
        world.chip.present(card)
        terminal.device.turn()
        world.close()
        assert terminal.screen[1] == "00", terminal.screen
        assert self.bus_bytes
        assert self.kbit == (424 if fast else 106)
        self._bus = bus
        self._fast = fast

    def _counts(self) -> tuple[int, int]:
        """Bytes and transfers on the bus so far."""
        if isinstance(self._chip, BusChip):
            return sum(each.total for each in self._chip.transfers), len(self._chip.transfers)
        return self._port.count, 0

    def _said_yes(self) -> None:
        count, transfers = self._counts()
        self.bus_bytes, self._transfers = count - self._began[0], transfers - self._began[1]

    @property
    def milliseconds(self) -> float:
        link = self.bus_bytes * _BYTE_MS[self._bus] + self._transfers * _TRANSFER_MS.get(self._bus, 0)
        if not self._fast:
            return self.floor + link
        pps = _CHIP_MS + card_model.raw_air(_PPS_BYTES + _PPS_ANSWER_BYTES, 106)
        return self.floor + link + pps

    @property
    def floor(self) -> float:
        air = sum(card_model.air(len(part), self.kbit) for pair in self.exchanges for part in pair)
        chip = _CHIP_MS * (1 + len(self.exchanges))
        return _ACTIVATION_MS + air + card_model.card(self.exchanges) + chip


def driver_instructions() -> dict[str, Any]:
    """What one exchange over SPI takes of MicroPython, as callgrind counts on this machine: two runs, their difference.

    Without valgrind there is nothing to say.
    """
    try:
        few, many = (_instructions(count) for count in _EXCHANGES)
    except FileNotFoundError:
        return {"instructions_an_exchange": None, "how": "valgrind is not installed"}
    each = (many - few) / (_EXCHANGES[1] - _EXCHANGES[0])
    return {
        "instructions_an_exchange": round(each),
        "estimated_ms_a_tap_rp2040": round(11 * each / _RP2040_INSTRUCTIONS_PER_MS, 1),
        "how": "callgrind, unix port, SPI, 20 bytes there and 30 back; 52 M instructions a second (+- 40 %)",
    }


def _instructions(exchanges: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        counted = Path(folder) / "callgrind.out"
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={counted}"]
        python = [sys.executable, str(Path(sys.executable).parent / "micropython"), "-X", "heapsize=1m"]
        script = [str(ROOT / "tests/bench/driver_load.py"), str(exchanges)]
        environment = {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen", "PYTHONHASHSEED": "0"}
        subprocess.run([*valgrind, *python, *script], env=environment, capture_output=True, check=True, timeout=300)
        totals = [line for line in counted.read_text().splitlines() if line.startswith("summary:")]
        return int(totals[0].split()[1])
