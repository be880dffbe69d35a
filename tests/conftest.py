"""Options of the slow ring."""


def pytest_addoption(parser):
    parser.addoption("--seeds", type=int, default=1, help="how many weeks of the small city to run")


def pytest_generate_tests(metafunc):
    if "week_seed" in metafunc.fixturenames:
        metafunc.parametrize("week_seed", range(1, metafunc.config.getoption("seeds") + 1))
