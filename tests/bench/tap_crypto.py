"""The cryptography of a tap in instructions, and the heap of many taps: both on the unix port of MicroPython."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.city import MICROPYTHON, ROOT

# A difference between two counts leaves out the start of the interpreter, and the parsing of the script.
TIMES = 4
# Room for all that the plain version leaves behind, because the collector is off.
_HEAP = "heapsize=16m"
_NO_VALGRIND = "callgrind is not here to count instructions with; `tests/install-parts` installs valgrind."


class NoValgrind(Exception):
    """Instructions cannot be counted on this machine."""


def crypto_ratio(recording: Path) -> dict[str, object]:
    """Instructions of `card/` in one tap, against those of the plain version on the same bytes."""
    ours, plain = (instructions_of_a_tap(which, recording) for which in ("card", "plain"))
    return {
        "value": round(ours / plain, 3),
        "instructions": ours,
        "plain_instructions": plain,
        "how": f"callgrind, {2 * TIMES} taps less {TIMES}, collector off, unix port 64 bit",
    }


def instructions_of_a_tap(which: str, recording: Path) -> int:
    return (instructions(which, recording, 2 * TIMES) - instructions(which, recording, TIMES)) // TIMES


def instructions(which: str, recording: Path, times: int) -> int:
    """Of the whole process. Raises NoValgrind."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise NoValgrind(_NO_VALGRIND)
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts"
        # `micropython` is a script that loads the port into CPython; named outright, it is the same CPython each time.
        command = [valgrind, "--tool=callgrind", f"--callgrind-out-file={counts}", sys.executable, MICROPYTHON]
        command += ["-X", _HEAP, str(ROOT / "tests/bench/tap_replay.py"), which, str(recording), str(times)]
        environment = {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen", "PYTHONHASHSEED": "0"}
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        totals = [line for line in counts.read_text().splitlines() if line.startswith("totals:")]
    return int(totals[0].split()[1])
