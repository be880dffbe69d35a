"""A terminal that is open for its guests, and a pass with money on it."""

import pytest

from tests.city import PcTerminal, make_pass


@pytest.fixture
def card():
    return make_pass()[0]


@pytest.fixture
def terminal(tmp_path):
    return PcTerminal(tmp_path / "flash")
