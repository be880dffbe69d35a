"""A small heap stays as it was: what a tap takes is given back, however many there were."""

import pytest

from tests.bench.recording import record_tap
from tests.bench.tap_crypto import growth, replayed


@pytest.fixture(scope="module")
def tap(tmp_path_factory):
    return record_tap(tmp_path_factory.mktemp("tap"))


def test_three_hundred_guests_leave_nothing_behind(tap):
    flash, recording, _ = tap
    assert growth(flash, recording, 300) == 0


def test_the_plainest_cryptography_says_what_ours_does(tap):
    """Of the tap that both are measured with: every byte that is sent, and what the terminal keeps of it."""
    _, recording, _ = tap
    assert replayed("card", recording, 2) == replayed("plain", recording, 1)
