"""The same script on CPython and on MicroPython: same output, to the byte."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from terminal.build import build_firmware

ROOT = Path(__file__).parents[2]
VECTORS = [ROOT / "tests/vectors" / name for name in ("desfire_public.json", "rfc_4493_5297.json")]


def run(python: list[str], script: str, *arguments: str, path: str = str(ROOT)) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MICROPYPATH": f"{path}:.frozen"}
    command = [*python, str(ROOT / "tests/twin" / script), *arguments]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr or answer.stdout
    return answer.stdout.splitlines()


def micropython(*options: str) -> list[str]:
    return [str(Path(sys.executable).parent / "micropython"), *options]


@pytest.mark.parametrize("vectors", VECTORS, ids=lambda path: path.stem)
def test_every_published_vector_holds_on_both_pythons(vectors):
    here = run([sys.executable], "card_vectors.py", str(vectors))
    there = run(micropython(), "card_vectors.py", str(vectors))
    assert here == there
    assert [line for line in here if line.startswith("WRONG")] == []
    assert sum(line.startswith("ok") for line in here) >= 7


def test_what_is_worked_out_where_it_stands_is_what_the_plainest_version_says(tmp_path):
    """On CPython, in native code, and in the byte code of a port that makes none."""
    here = run([sys.executable], "in_place.py")
    assert [line for line in here if not line.startswith("ok ")] == []
    assert len(here) > 100
    assert run(micropython(), "in_place.py") == here
    build_firmware(tmp_path, native=False)
    assert run(micropython(), "in_place.py", path=f"{tmp_path}:{ROOT}") == here


def test_a_number_that_does_not_fit_is_refused_on_both_pythons():
    here = run([sys.executable], "refusals.py")
    assert here == run(micropython(), "refusals.py")
    assert [line for line in here if not line.endswith("refused")] == []


def test_an_offer_comes_to_the_same_on_both_pythons_as_the_vectors_say():
    """The backend's check of the same vectors is in tests/backend/test_offers.py."""
    vectors = ROOT / "tests/vectors/offers.json"
    here = run([sys.executable], "offer_vectors.py", str(vectors))
    assert here == run(micropython(), "offer_vectors.py", str(vectors))
    assert here == [said(vector) for vector in json.loads(vectors.read_text())["vectors"]]


def said(vector):
    if vector.get("refused"):
        return f"{vector['name']}: refused"
    moves = " ".join(f"{purse}:{amount}" for purse, amount in vector["moves"])
    return f"{vector['name']}: {moves} {vector['recorded']} {vector['discount']} {vector['copayment']}"
