"""The long search, for a night: every target of a terminal, guided by coverage on CPython and seeded on both Pythons;
and every reader of documents, guided by coverage.

    python -m tests.fuzz COUNT [NAME ...]     those of these names; without any, all

Inputs that bring about a fault are written to tests/fuzz/corpus/TARGET, where `make test` finds them.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz import documents, engines
from tests.fuzz.kit import make_kit
from tests.fuzz.targets import NAMES

_HOURS = 24 * 3600
# MicroPython collects its small heap all the time.
_SLOWER = 10
# Of choices, and of bytes of a document.
_LONGEST_INPUT, _LONGEST_DOCUMENT = 128, 1 << 16


def main(count: int, *wanted: str) -> int:
    """How many faults were found."""
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name in [each for each in documents.names() if each in wanted or not wanted]:
            found += _guided("guided_documents", name, count, _LONGEST_DOCUMENT, _made(place / name))
        targets = [each for each in NAMES if each in wanted or not wanted]
        kit, code = str(make_kit(place / "kit.json")), engines.compiled(place / "code")
        for name in targets:
            flash = str(place / name)
            found += _guided("guided", name, count, _LONGEST_INPUT, kit, flash)
            found += _seeded(name, "CPython", engines.cpython(kit, flash, name, "2", str(count), "16", timeout=_HOURS))
            some = str(count // _SLOWER)
            said = engines.micropython(code, kit, flash, name, "3", some, "16", timeout=_HOURS)
            found += _seeded(name, "MicroPython", said)
    return found


def _made(folder: Path) -> str:
    folder.mkdir()
    return str(folder)


def _guided(module: str, name: str, count: int, longest: int, *places: str) -> int:
    began = time.monotonic()
    cases = engines.CORPUS / name
    options = [f"-runs={count}", "-seed=1", f"-max_len={longest}", "-timeout=60", f"-artifact_prefix={cases}/"]
    with tempfile.TemporaryDirectory() as seen:
        command = [
            sys.executable,
            "-m",
            f"tests.fuzz.{module}",
            *places,
            name,
            *options,
            "-verbosity=0",
            seen,
            str(cases),
        ]
        answer = subprocess.run(command, capture_output=True, text=True)
    print(f"{name}: {count} inputs under atheris in {time.monotonic() - began:.0f} s, exit {answer.returncode}")
    if answer.returncode:
        print(answer.stderr[-2000:])
    return int(answer.returncode != 0)


def _seeded(name: str, python: str, said: list[str]) -> int:
    faults = [line.split(" ", 2) for line in said if line.startswith("fault ")]
    for _, data, what in faults:
        print(f"{name} on {python}: {what}")
        (engines.CORPUS / name / f"found_{data.rstrip(':')[:16]}").write_bytes(bytes.fromhex(data.rstrip(":")))
    print(f"{name}: {said[-1].split()[1]} seeded inputs on {python}, {len(faults)} faults")
    return len(faults)


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]), *sys.argv[2:]) else 0)
