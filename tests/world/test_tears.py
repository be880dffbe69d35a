"""One tap on MicroPython, torn at every exchange and with the power cut at every byte of flash, in every combination.

Whatever happens, the guest is charged once, and what the pass paid is what the vault proves.
"""

import copy
import json
import os
import subprocess

import pytest

from card.batch import link_key, open_batch
from hardware.errors import PassGone
from hardware.in_process import InProcessReader
from tests.city import CENTS, MICROPYTHON, PIN, ROOT, VAULT, PcTerminal, in_doubt, make_pass, proven_cents, purses_of

EXCHANGES = 11
PRICE = 400
SCRIPT = ROOT / "tests/world/tearing_terminal.py"


class TearingTerminal:
    """The till in a process of MicroPython; the passes are in this one."""

    def __init__(self, folder):
        made = PcTerminal(folder / "flash")
        command = [str(MICROPYTHON), "-X", "heapsize=4m", str(SCRIPT), str(made.flash), PIN]
        environment = {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"}
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._blank = make_pass()[0]

    def close(self):
        self._process.stdin.close()
        assert self._process.wait(60) == 0

    def _say(self, line):
        self._process.stdin.write(line + "\n")

    def run(self, start, tear, executed, cut):
        """`(pass, what the terminal said at the end)` of one guest's tap; `tear` 0 for none, `cut` -1 for none."""
        card = copy.deepcopy(self._blank)
        reader = InProcessReader(None)
        if tear:
            card.tear_after(tear, executed)
        self._say(f"run {start} {cut}")
        while True:
            kind, _, content = self._process.stdout.readline().strip().partition(" ")
            if kind == "done":
                return card, json.loads(content)
            assert kind in ("find", "apdu", "release"), kind
            if kind == "find":
                reader.present(card)
                reader.find_pass()
                self._say("there")
            elif kind == "release":
                reader.remove()
                self._say("away")
            else:
                try:
                    self._say(reader.transmit(bytes.fromhex(content)).hex())
                except PassGone:
                    self._say("gone")


@pytest.fixture(scope="module")
def terminal(tmp_path_factory):
    made = TearingTerminal(tmp_path_factory.mktemp("tearing"))
    yield made
    made.close()


def charged_and_proven(card, done):
    entries = open_batch(bytes.fromhex(done["batch"]), lambda number: [link_key(VAULT.handed_out("link", 1), number)])
    ours = [entry for entry in entries.entries if entry.clear.amount1 == PRICE]
    assert in_doubt(ours) == []
    return 2000 - purses_of(card)[CENTS], proven_cents(ours)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("start", ["fresh", "turning"])
@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("tear", range(EXCHANGES + 1))
def test_a_tap_that_is_torn_and_loses_power_at_any_byte_is_charged_once(terminal, start, tear, executed, every_byte):
    """`start`: on fresh flash, and where the tap has to erase a block and begin it."""
    card, done = terminal.run(start, tear, executed, -1)
    assert done["codes"][-1] == "00"
    assert charged_and_proven(card, done) == (PRICE, PRICE)
    for cut in range(0, done["steps"], every_byte):
        card, done = terminal.run(start, tear, executed, cut)
        assert "cut" in done["codes"], f"byte {cut}"
        assert done["codes"][-1] in ("00", "02"), f"byte {cut}"
        assert charged_and_proven(card, done) == (PRICE, PRICE), f"byte {cut}"
        assert done["doubts"] == 0, f"byte {cut}"
