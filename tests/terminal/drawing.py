"""Screens as MicroPython draws them, brought here as rows of pixels."""

import json
import os
import subprocess

from terminal.firmware.screen import HEIGHT, WIDTH
from tests.city import MICROPYTHON, ROOT

Rows = list[str]


def drawn(screens) -> list[tuple[Rows, int, int]]:
    """For each `(state, code, lines)`: 64 rows of 128 `#` and spaces, memory used by it, memory in use after it."""
    answer = subprocess.run(
        [MICROPYTHON, str(ROOT / "tests/twin/draw_screens.py")],
        env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"},
        input="".join(json.dumps(screen, ensure_ascii=False) + "\n" for screen in screens),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    found = []
    for line in answer.stdout.splitlines():
        picture, used, kept = line.split()
        found.append((rows_of(bytes.fromhex(picture)), int(used), int(kept)))
    return found


def rows_of(picture: bytes) -> Rows:
    """A picture of eight pixels below each other a byte, as rows."""
    return [
        "".join("#" if picture[(y // 8) * WIDTH + x] >> (y % 8) & 1 else " " for x in range(WIDTH))
        for y in range(HEIGHT)
    ]
