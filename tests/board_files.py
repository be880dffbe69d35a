"""What is derived from the firmware and its boards: `python -m tests.board_files` writes package.json and the wiring
tables of docs/build-a-terminal.md; a test compares."""

import json
import re
from pathlib import Path

from terminal.build import sources
from terminal.firmware.boards import esp32_s3, pico_2_w, pico_w

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "package.json"
PAGE = ROOT / "docs/build-a-terminal.md"
BOARDS = (pico_w.BOARD, pico_2_w.BOARD, esp32_s3.BOARD)
_BEGIN, _END = "<!-- wiring -->", "<!-- end of wiring -->"
_BUS_WIRES = {
    "sck": ("reader SCK",),
    "mosi": ("reader MOSI",),
    "miso": ("reader MISO",),
    "sda": ("display SDA", "clock SDA"),
    "scl": ("display SCL", "clock SCL"),
}


def firmware() -> list[str]:
    """Every file that a board needs, as its path from the root."""
    folders = [ROOT / "terminal/firmware" / name for name in ("drivers", "boards")]
    files = [*sources(), *(path for folder in folders for path in folder.glob("*.py"))]
    return sorted({str(path.relative_to(ROOT)) for path in files} - {"terminal/firmware/unix.py"})


def package() -> str:
    """For `mpremote mip install`."""
    listed = {"urls": [[path, path] for path in firmware()], "deps": [["neopixel", "latest"]], "version": "0.1.0"}
    return json.dumps(listed, indent=1) + "\n"


def wires(board: dict) -> dict[str, int]:  # type: ignore[type-arg]
    """Which GPIO goes where."""
    found = {}
    for bus in board["buses"].values():
        for wire, names in _BUS_WIRES.items():
            found |= {name: bus[wire] for name in names if wire in bus}
    reader, keypad = board["reader"], board["keypad"]
    found |= {"reader NSS": reader["select"], "reader IRQ": reader["irq"], "reader RSTPDN": reader["reset"]}
    for kind in ("rows", "columns"):
        found |= {f"keypad {kind[:-1]} {number}": pin for number, pin in enumerate(keypad[kind], 1)}
    return found | {"buzzer": board["buzzer"], "light DIN": board["light"]}


def wiring() -> str:
    """One table: a line for each wire, a column for each board."""
    columns = [wires(board) for board in BOARDS]
    lines = ["| GPIO | " + " | ".join(board["name"] for board in BOARDS) + " |", "|---" * (1 + len(BOARDS)) + "|"]
    lines += [f"| {wire} | " + " | ".join(str(column[wire]) for column in columns) + " |" for wire in columns[0]]
    return "\n".join(lines)


def page() -> str:
    """The page, with the wiring as the boards have it now."""
    return re.sub(f"(?s){_BEGIN}\n.*{_END}", lambda _: f"{_BEGIN}\n{wiring()}\n{_END}", PAGE.read_text())


def main() -> None:
    PACKAGE.write_text(package())
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
