"""The terminals of a simulated city do on MicroPython what they did on CPython: each command, screen, byte of flash."""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from card.wire import uint
from terminal.firmware import link
from terminal.firmware.flash import CHECK_BYTES, checksum
from tests.city import ISSUER, MICROPYTHON, ROOT, PcTerminal, make_pass
from tests.simulation.story import make, told
from tests.simulation.tape import Tape, files_in, taped

TAPS = 150


@pytest.mark.timeout(600)
def test_no_invariant_is_broken_and_the_terminals_do_the_same_on_micropython(week_seed, firmware, tmp_path):
    with taped(tmp_path) as tapes, told(make(week_seed, TAPS)) as (run, violation):
        assert violation is None, f"seed {week_seed}: {violation}"
        left = {tape.path: comparable(tape.flash()) for tape in tapes.values()}
        assert len(left) == len(run.city.places)
    for tape in tapes.values():
        flash = tmp_path / f"{tape.path.stem}-replayed"
        played = replayed(firmware, tape, flash)
        assert played.returncode == 0, f"seed {week_seed}, {tape.path.stem}: {played.stdout}"
        assert int(played.stdout) == len(tape.path.read_text().splitlines())
        assert comparable(files_in(flash)) == left[tape.path], f"seed {week_seed}, {tape.path.stem}"


@pytest.mark.parametrize(("what", "field"), [("transmit", 1), ("show", 3), ("said", 2), ("random", 1), ("key", 1)])
def test_what_is_otherwise_on_the_tape_is_found(what, field, firmware, tmp_path):
    with taped(tmp_path) as tapes:
        terminal = PcTerminal(tmp_path / "flash", random=random.Random(1).randbytes)
        assert terminal.tap(make_pass()[0])[1] == "00"
        terminal.ask(link.JOURNAL, uint(1, 4), ISSUER)
    (tape,) = tapes.values()
    lines = [json.loads(line) for line in tape.path.read_text().splitlines()]
    last = next(line for line in reversed(lines) if line[0] == what and line[field])
    last[field] = last[field][:-1] + ("1" if last[field][-1] != "1" else "2")
    tape.path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    played = replayed(firmware, tape, tmp_path / "replayed")
    assert played.returncode != 0
    assert "on the tape" in played.stdout


def replayed(firmware: Path, tape: Tape, flash: Path) -> "subprocess.CompletedProcess[str]":
    flash.mkdir()
    environment = {**os.environ, "MICROPYPATH": f"{firmware}:{ROOT}:.frozen"}
    command = [MICROPYTHON, str(ROOT / "tests/twin/city_replay.py"), str(flash), str(tape.path)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def comparable(files: dict[str, bytes]) -> dict[str, object]:
    """The names of a JSON object have no order: the file of keys is what it says, under a checksum that fits."""
    return {name: said(content) if name.endswith("/keys") else content for name, content in files.items()}


def said(content: bytes) -> object:
    assert checksum(content[:-CHECK_BYTES]) == content[-CHECK_BYTES:]
    return json.loads(content[:-CHECK_BYTES])
