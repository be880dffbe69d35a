"""libfreefare, written by others for real cards, personalises the pass and uses it in every older messaging."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hardware.real_parts import require_library

ROOT = Path(__file__).parents[2]
WHY = "libfreefare checks every MAC and checksum of the emulated pass"


def agrees(*program: str) -> None:
    """A program of its own: libfreefare ends the process it is in when a card surprises it."""
    for name in ("nfc", "freefare"):
        require_library(name, "libfreefare-bin", WHY)
    command = [sys.executable, "-m", *program]
    session = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert session.stdout.endswith("agreed\n"), session.stdout + session.stderr


@pytest.mark.parametrize("generation", ["EV1", "EV2", "EV3"])
def test_libfreefare_agrees_with_the_pass(generation: str) -> None:
    agrees("tests.hardware.freefare_session", generation)


def test_libfreefare_and_the_pass_refuse_each_others_lies() -> None:
    agrees("tests.hardware.freefare_doubts")
