"""The types of the firmware against the modules of each board: `python -m tests.board_types`, part of `make check`.

The stubs are in var/stubs, a folder for each board, because each brings a machine.pyi of its own.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
STUBS = ROOT / "var/stubs"
FIRMWARE = ROOT / "terminal/firmware"
# What is there for one board only.
_ONLY_ON = {
    "rp2": [FIRMWARE / "drivers/rp2_flash.py", ROOT / "terminal/frozen/rp2_modules/_boot.py"],
    "esp32": [FIRMWARE / "drivers/esp32_flash.py"],
}
BOARDS = tuple(_ONLY_ON)
_CONFIGURATION = """
[mypy]
custom_typeshed_dir = {stubs}
mypy_path = {stubs}:{root}
cache_dir = {root}/.mypy_cache/{board}
follow_imports = silent
follow_imports_for_stubs = True
namespace_packages = True
explicit_package_bases = True
check_untyped_defs = True
implicit_reexport = True
# Half of it is what CPython imports instead.
[mypy-terminal.firmware.ticks]
ignore_errors = True
"""


def sources(board: str) -> list[Path]:
    others = {path for name, paths in _ONLY_ON.items() if name != board for path in paths}
    elsewhere = {*others, FIRMWARE / "unix.py"}
    return sorted({*FIRMWARE.rglob("*.py"), *_ONLY_ON[board]} - elsewhere)


def findings(board: str, files: list[Path]) -> str:
    """What mypy says against the stubs of a board, nothing when all is well."""
    stubs = STUBS / board
    if not (stubs / "machine.pyi").exists():
        return f"There are no stubs in {stubs}; `make check` fetches them."
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as configuration:
        configuration.write(_CONFIGURATION.format(stubs=stubs, root=ROOT, board=board))
        configuration.flush()
        command = [sys.executable, "-m", "mypy", "--config-file", configuration.name, *map(str, files)]
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return "" if answer.returncode == 0 else answer.stdout + answer.stderr


def main() -> None:
    found = "".join(findings(board, sources(board)) for board in BOARDS)
    sys.exit(found or None)


if __name__ == "__main__":
    main()
