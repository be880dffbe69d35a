"""A hotlist on flash gives the same answers on CPython and on MicroPython, and its look-ups take no memory."""

import sys

import pytest

from tests.city import list_keys
from tests.twin.hotlist_town import LOOK_UPS, town
from tests.twin.test_twin import micropython, run


@pytest.mark.parametrize(("count", "blocked"), [(20_000, 2_000), (1000, 500), (60, 1), (1000, 0)])
def test_every_look_up_is_right_on_both_pythons_and_takes_no_memory(tmp_path, count, blocked):
    made = town(tmp_path, count, blocked)
    for python in (micropython("-X", "heapsize=128k"), [sys.executable]):
        about = (str(made.flash), list_keys().key.hex(), str(made.queries), str(LOOK_UPS))
        assert run(python, "hotlist_look_ups.py", *about) == ["heap 0", made.answers]
    assert {"0", "1"} == set(made.answers)
