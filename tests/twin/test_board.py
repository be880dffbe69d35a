"""Each board of the firmware, built from its dict on MicroPython, with stand-ins for what is soldered to it."""

import hmac
import os
import subprocess

import pytest

from tests.twin.test_twin import ROOT, micropython

BOOKS = {"pico_w": 2, "pico_2_w": 4, "esp32_s3": 4}


@pytest.mark.parametrize("name", BOOKS)
def test_a_board_shows_sounds_hears_keys_keeps_days_and_journals(name):
    environment = {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"}
    command = [*micropython("-X", "heapsize=256k"), str(ROOT / "tests/twin/board.py"), name]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr + answer.stdout
    said = dict(line.split(" ", 1) for line in answer.stdout.splitlines() if not line.startswith("day "))
    assert said.pop("yes").startswith("[('tone', ")
    fed = said.pop("watchdog").split()
    assert fed[0] == "8000"
    assert int(fed[1]) == 16
    digest = hmac.digest(bytes(range(32)), b"meedoen device secret 1what is asked", "sha256")
    assert said == {
        "buses": "['I2C', 'SPI']",
        "radio": str(name == "esp32_s3"),
        "display": "True False",
        "picture": "True True",
        "keys": "['1', '#']",
        "seconds": "0",
        "journal": "b'journal' 64 4096",
        "other": r"b'other\xff\xff'",
        "erased": r"b'\xff\xff\xff\xff\xff\xff\xff'",
        "refused": f"this board has room for {BOOKS[name]} books",
        "reader": "the reader does not answer",
        "calendar": "[('calendar', (2026, 11, 21, 0, 0, 0, 0, 0))]",
        "joined": "[False, False, False, False, True]",
        "joins": "[('join', 'pool')] None",
        # Without a radio an ESP32 has no random numbers.
        "after": "[True, True]" if name == "esp32_s3" else "[True, False]",
        "random": "16",
        "chip": "the key chip does not answer as it should: check its wires",
        "secret": f"False {digest[:16].hex()}",
    }
    days = [line for line in answer.stdout.splitlines() if line.startswith("day ")]
    assert days == ["day None", "day 2516"]
