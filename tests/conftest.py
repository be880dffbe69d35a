"""Options of the slow ring; and the one pcscd that a process of tests meets."""

from collections.abc import Iterator

import pytest

from hardware.vpcd import PrivatePcscd


@pytest.fixture(scope="session")
def pcscd() -> Iterator[PrivatePcscd]:
    """The one pcscd that this process meets: libpcsclite looks for its socket once."""
    with PrivatePcscd() as private, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PCSCLITE_CSOCK_NAME", private.socket)
        yield private


def pytest_addoption(parser):
    parser.addoption("--seeds", type=int, default=1, help="how many weeks of the small city to run")


def pytest_generate_tests(metafunc):
    if "week_seed" in metafunc.fixturenames:
        metafunc.parametrize("week_seed", range(1, metafunc.config.getoption("seeds") + 1))
