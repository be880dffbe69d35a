"""Options of the slow ring; and the one pcscd and the one PostgreSQL that a process of tests meets."""

from collections.abc import Iterator

import pytest

from hardware.vpcd import PrivatePcscd
from tests.postgres import a_server

# The same fixtures for the desk's pages and the simulator's: a process has one loop for its browser.
pytest_plugins = ["tests.browser"]


@pytest.fixture(scope="session")
def pcscd() -> Iterator[PrivatePcscd]:
    """The one pcscd that this process meets: libpcsclite looks for its socket once."""
    with PrivatePcscd() as private, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PCSCLITE_CSOCK_NAME", private.socket)
        yield private


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a server, for `tests.postgres.a_database`."""
    with a_server() as address:
        yield address


def pytest_addoption(parser):
    parser.addoption("--seeds", type=int, default=1, help="how many weeks of the small city to run")
    parser.addoption("--kills", type=int, default=5, help="how often clearing is killed at a random moment")
    parser.addoption("--every-byte", type=int, default=11, help="cut the power at each n-th byte of flash")


@pytest.fixture(scope="session")
def every_byte(request: pytest.FixtureRequest) -> int:
    """The power is cut at each of so many bytes: 1 is all of them, a prime meets each kind of byte in the end."""
    return int(request.config.getoption("every_byte"))


@pytest.fixture(scope="session")
def kills(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("kills"))


def pytest_generate_tests(metafunc):
    if "week_seed" in metafunc.fixturenames:
        metafunc.parametrize("week_seed", range(1, metafunc.config.getoption("seeds") + 1))
