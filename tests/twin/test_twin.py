"""The same script on CPython and on MicroPython: same output, to the byte."""

import io
import json
import os
import runpy
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from terminal.build import build_firmware

ROOT = Path(__file__).parents[2]
VECTORS = [(str(ROOT / "tests/vectors" / name),) for name in ("desfire_public.json", "rfc_4493_5297.json")]
OFFERS = ROOT / "tests/vectors/offers.json"


def said_here(script, *arguments):
    """The lines of a script in `tests/twin`, run in this process."""
    told = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(told):
        patch.setattr(sys, "argv", [script, *arguments])
        runpy.run_path(str(ROOT / "tests/twin" / script), run_name="__main__")
    return told.getvalue().splitlines()


def run(python: list[str], script: str, *arguments: str, path: str = str(ROOT)) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MICROPYPATH": f"{path}:.frozen"}
    command = [*python, str(ROOT / "tests/twin" / script), *arguments]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr or answer.stdout
    return answer.stdout.splitlines()


def micropython(*options: str) -> list[str]:
    return [str(Path(sys.executable).parent / "micropython"), *options]


@pytest.mark.parametrize("vectors", VECTORS, ids=lambda paths: Path(*paths).stem)
def test_every_published_vector_holds(vectors):
    lines = said_here("card_vectors.py", *vectors)
    assert [line for line in lines if line.startswith("WRONG")] == []
    assert sum(line.startswith("ok") for line in lines) >= 7


def test_what_is_worked_out_where_it_stands_is_what_the_plainest_version_says():
    lines = said_here("in_place.py")
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert len(lines) > 100


def test_what_may_not_go_on_the_wire_or_into_the_ledger_is_refused():
    lines = said_here("refusals.py")
    assert [line for line in lines if not line.endswith("refused")] == []


def test_an_offer_comes_to_what_the_vectors_say():
    """The backend's check of the same vectors is in tests/backend/test_offers.py."""
    assert said_here("offer_vectors.py", str(OFFERS)) == [
        said(vector) for vector in json.loads(OFFERS.read_text())["vectors"]
    ]


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        *[("card_vectors.py", vectors) for vectors in VECTORS],
        ("in_place.py", ()),
        ("refusals.py", ()),
        ("offer_vectors.py", (str(OFFERS),)),
    ],
    ids=["DESFire", "RFC", "in place", "refusals", "offers"],
)
def test_micropython_says_the_same(script, arguments):
    assert run(micropython(), script, *arguments) == said_here(script, *arguments)


def test_micropython_says_the_same_in_the_byte_code_of_a_port_that_makes_no_native_code(tmp_path):
    build_firmware(tmp_path, native=False)
    assert run(micropython(), "in_place.py", path=f"{tmp_path}:{ROOT}") == said_here("in_place.py")


def said(vector):
    if vector.get("refused"):
        return f"{vector['name']}: refused"
    moves = " ".join(f"{purse}:{amount}" for purse, amount in vector["moves"])
    return f"{vector['name']}: {moves} {vector['recorded']} {vector['discount']} {vector['copayment']}"
