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
_SMALL_HEAP = "heapsize=384k"
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
        measured = [valgrind, "--tool=callgrind", f"--callgrind-out-file={counts}", sys.executable]
        _run([*measured, *_replay(which, recording, times)])
        totals = [line for line in counts.read_text().splitlines() if line.startswith("totals:")]
    return int(totals[0].split()[1])


def replayed(which: str, recording: Path, times: int) -> str:
    """What a recorded tap leaves behind, in hexadecimal digits, after it was replayed some times."""
    return _run(_replay(which, recording, times)).strip()


def growth(flash: Path, recording: Path, taps: int) -> int:
    """How much more heap is in use after so many taps than before. Writes to `flash`."""
    script = ROOT / "tests/bench/many_taps.py"
    said = _run([MICROPYTHON, "-X", _SMALL_HEAP, str(script), str(flash), str(recording), str(taps)])
    assert said.startswith("growth "), said
    return int(said.split()[1])


def _replay(which: str, recording: Path, times: int) -> list[str]:
    script = ROOT / "tests/bench/tap_replay.py"
    return [MICROPYTHON, "-X", _HEAP, str(script), which, str(recording), str(times)]


def _run(command: list[str]) -> str:
    environment = {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen", "PYTHONHASHSEED": "0"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout
