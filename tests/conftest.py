"""Options of the slow ring; and the one pcscd and the one PostgreSQL that a process of tests meets."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from hardware.vpcd import PrivatePcscd
from terminal.build import build_firmware
from tests.postgres import a_server

# The same fixtures for the desk's pages and the simulator's: a process has one loop for its browser.
pytest_plugins = ["tests.browser"]

# How long an example takes says more of the computer than of the code.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
# Of the slow ring: --hypothesis-profile world
settings.register_profile("world", max_examples=500, deadline=None)


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


@pytest.fixture(scope="session")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware as it is built for a board, for all who only run it."""
    folder = tmp_path_factory.mktemp("firmware")
    build_firmware(folder)
    return folder


def pytest_addoption(parser):
    parser.addoption("--seeds", type=int, default=1, help="how many weeks, and years on both Pythons, to run")
    parser.addoption("--kills", type=int, default=5, help="how often clearing is killed at a random moment")
    parser.addoption("--every-byte", type=int, default=11, help="cut the power at each n-th byte of flash")
    parser.addoption(
        "--every-exchange", type=int, default=7, help="what was torn on SQLite, at each n-th on PostgreSQL"
    )
    parser.addoption("--proofs", type=int, default=3, help="how often a vault proves all that one request can hold")


@pytest.fixture(scope="session")
def every_byte(request: pytest.FixtureRequest) -> int:
    """The power is cut at each of so many bytes: 1 is all of them, a prime meets each kind of byte in the end."""
    return int(request.config.getoption("every_byte"))


@pytest.fixture(scope="session")
def every_exchange(request: pytest.FixtureRequest) -> int:
    """What leaves or dies at each exchange on SQLite does so at each of so many on PostgreSQL."""
    return int(request.config.getoption("every_exchange"))


@pytest.fixture(scope="session")
def proofs(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("proofs"))


@pytest.fixture(scope="session")
def kills(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("kills"))


# What takes minutes with few tests.
_LONGEST = (
    "tests/simulation/",
    "tests/world/",
    "tests/terminal/test_update.py",
    "tests/terminal/test_online.py",
    "tests/backend/web/test_browser.py",
    "tests/issuer/web/test_walks.py",
    "tests/keys/test_ceremony.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Each test has an id of its own: several processes do only one of those with the same. And what takes longest
    begins first, lest one process is busy with it when the others have nothing left."""
    for item in items:
        # Schemathesis puts the operation in the name of a test, and since pytest 9.2 that is not in its id.
        if hasattr(item, "operation_label"):
            item._id = item.id.with_params(item.operation_label)
    same = [each for each, times in Counter(item.nodeid for item in items).items() if times > 1]
    if same:
        raise pytest.UsageError(f"tests have the same id, and only one of them would be run: {same}")
    size = Counter(item.path for item in items)
    items.sort(key=lambda item: (not item.nodeid.startswith(_LONGEST), -size[item.path]))


def pytest_generate_tests(metafunc):
    if "week_seed" in metafunc.fixturenames:
        metafunc.parametrize("week_seed", range(1, metafunc.config.getoption("seeds") + 1))
