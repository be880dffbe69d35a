"""What goes onto a board, by each of the two ways, and what the page tells who solders it."""

import csv
import itertools
import json
import os
from pathlib import Path

import pytest

from terminal.firmware.boards import esp32_s3
from tests import board_files
from tests.board_files import ROOT

FROZEN = ROOT / "terminal/frozen"


class Manifest:
    """Executes a manifest as MicroPython's manifestfile.py does: paths from the folder of the file."""

    def __init__(self, path: Path) -> None:
        self.frozen: list[str] = []
        self.required: list[str] = []
        self._include(str(path))

    def _include(self, path: str) -> None:
        if path.startswith("$("):
            return
        before = Path.cwd()
        os.chdir(Path(path).resolve().parent)
        try:
            names = {name: getattr(self, "_" + name) for name in ("include", "module", "freeze")}
            exec(Path(Path(path).name).read_text(), names | {"require": self.required.append})
        finally:
            os.chdir(before)

    def _module(self, name: str, base_path: str, opt: int | None = None) -> None:
        assert Path(base_path, name).is_file()
        self.frozen.append(name)

    def _freeze(self, folder: str, files: tuple[str, ...]) -> None:
        self.frozen += files


def test_every_module_of_the_firmware_is_frozen_and_nothing_else():
    manifest = Manifest(FROZEN / "manifest.py")
    assert sorted(manifest.frozen) == board_files.firmware()
    assert len(set(manifest.frozen)) == len(manifest.frozen)
    assert {"card/aes.py", "terminal/firmware/till.py", "terminal/firmware/boards/pico_w.py"} <= set(manifest.frozen)


def test_a_pico_gets_a_boot_of_its_own_and_not_that_of_micropython():
    manifest = Manifest(FROZEN / "rp2.py")
    assert sorted(set(manifest.frozen) - set(board_files.firmware())) == ["_boot.py", "rp2.py"]
    assert "neopixel" in manifest.required


def test_an_esp32_gets_what_micropython_gives_it_and_the_firmware():
    assert sorted(Manifest(FROZEN / "esp32.py").frozen) == board_files.firmware()


def test_the_mip_package_is_that_of_the_manifest():
    assert board_files.PACKAGE.read_text() == board_files.package(), "run python -m tests.board_files"
    listed = json.loads(board_files.PACKAGE.read_text())
    assert [name for name, _ in listed["deps"]] == Manifest(FROZEN / "manifest.py").required
    assert all((ROOT / path).is_file() and path == target for target, path in listed["urls"])


def test_the_wiring_on_the_page_is_that_of_the_boards():
    assert board_files.PAGE.read_text() == board_files.page(), "run python -m tests.board_files"


@pytest.mark.parametrize("board", board_files.BOARDS, ids=lambda board: board["name"])
def test_every_pin_of_a_board_is_on_the_page_once(board):
    by_pin: dict[int, list[str]] = {}
    for wire, pin in board_files.wires(board).items():
        by_pin.setdefault(pin, []).append(wire)
    assert len(by_pin) == 18
    assert sorted(len(names) for names in by_pin.values()) == [1] * 16 + [2, 2]


def test_the_partitions_of_an_esp32_hold_its_journals_and_do_not_overlap():
    lines = [line for line in (FROZEN / "partitions.csv").read_text().splitlines() if not line.startswith("#")]
    parts = {
        name: (kind, int(at, 16), int(size, 16)) for name, kind, _, at, size in csv.reader(lines, skipinitialspace=True)
    }
    journal = esp32_s3.BOARD["journal"]
    assert parts[journal["partition"]][2] == journal["books"] * journal["blocks"] * 4096
    assert parts[journal["partition"]][0] == "data"
    ordered = sorted((at, at + size) for _, at, size in parts.values())
    assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(ordered))
    assert ordered[-1][1] == 8 << 20
