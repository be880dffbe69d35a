"""libfreefare, written by others for real cards, personalises the pass and uses it in every older messaging."""

import ctypes.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MISSING = [name for name in ("nfc", "freefare") if ctypes.util.find_library(name) is None]


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING} (Debian: libnfc-bin, libfreefare-bin)")
@pytest.mark.parametrize("generation", ["EV1", "EV2", "EV3"])
def test_libfreefare_agrees_with_the_pass(generation: str) -> None:
    # A program of its own: libfreefare ends the process it is in when a card surprises it.
    session = subprocess.run(
        [sys.executable, "-m", "tests.hardware.freefare_session", generation],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert session.stdout.endswith("agreed\n"), session.stdout + session.stderr
