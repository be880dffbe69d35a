"""No input stops a terminal: what once did, what hypothesis thinks of, and seeded inputs on MicroPython."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from card.hotlist import HEAD_BYTES
from terminal.firmware import intake
from terminal.firmware.hotlist import Hotlist
from terminal.firmware.journal import Journal
from tests.fuzz import engines
from tests.fuzz.kit import make_kit
from tests.fuzz.targets import NAMES, Targets, WentWrong
from tests.fuzz.world import Kit, World

# In `make test`; `make fuzz` goes on for longer.
EXAMPLES = {"link": 150, "card": 150, "chip": 80, "flash": 60}
SEEDED = {"link": 150, "card": 120, "chip": 80, "flash": 60}


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return make_kit(tmp_path_factory.mktemp("kit") / "kit.json")


@pytest.fixture(scope="module")
def targets(kit, tmp_path_factory):
    return Targets(World(Kit(kit), str(tmp_path_factory.mktemp("world") / "flash")))


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    return engines.compiled(tmp_path_factory.mktemp("code"))


def target_in(targets, name) -> Callable[[bytes], None]:
    def target(data: bytes) -> None:
        try:
            getattr(targets, name)(data)
        except BaseException:
            targets.forget()
            raise

    return target


@pytest.mark.parametrize(("name", "case"), [(name, case) for name in NAMES for case in engines.cases(name)])
def test_what_once_went_wrong_stays_right(targets, name, case):
    target_in(targets, name)(engines.cases(name)[case])


@pytest.mark.parametrize("name", NAMES)
def test_what_once_went_wrong_stays_right_on_micropython(kit, code, tmp_path, name):
    given = [data.hex() for data in engines.cases(name).values()]
    said = engines.micropython(code, str(kit), str(tmp_path / "flash"), name, "these", *given)
    assert said[-1].startswith(f"done {len(given)} 0 "), said


@pytest.mark.parametrize("name", NAMES)
def test_no_input_that_hypothesis_thinks_of_stops_a_terminal(targets, name):
    target = target_in(targets, name)

    @settings(
        max_examples=EXAMPLES[name],
        derandomize=True,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.binary(max_size=96))
    def search(data):
        target(data)

    search()


@pytest.mark.parametrize("name", NAMES)
def test_seeded_inputs_leave_a_terminal_on_micropython_whole_and_its_heap_as_it_was(kit, code, tmp_path, name):
    count = SEEDED[name]
    said = engines.micropython(code, str(kit), str(tmp_path / "flash"), name, "1", str(count), "4")
    assert said[-1].startswith(f"done {count} 0 "), said
    assert int(said[-1].split()[-1]) < 4096


def test_the_search_finds_a_terminal_that_forgets_its_doubts(kit, tmp_path, monkeypatch):
    """Of the search itself: with a fault in the till it must fail."""
    monkeypatch.setattr(Journal, "in_doubt", lambda journal, doubt: None)
    targets = Targets(World(Kit(kit), str(tmp_path / "flash")))
    with pytest.raises(WentWrong, match="1200 charged, 800 proven"):
        _without_an_answer_at_each_exchange(targets)


def _without_an_answer_at_each_exchange(targets):
    for exchange in range(20):
        targets.chip(bytes(exchange) + b"\x02")
        targets.forget()


# What a host may bring where the same pass stays blocked; the bytes that are lacking are the honest choice.
_LEASE, _PART_OF_A_LIST, _LIST = b"\x00\x02", b"\x00\x04", b"\x00\x04\x00\x00\x00\x00\x01\xff"


@pytest.mark.parametrize(
    ("data", "lease", "version"),
    [(b"", 1, 2), (_LEASE, 2, 2), (_PART_OF_A_LIST, 1, 2), (_LIST, 1, 3)],
    ids=["nothing", "a lease", "part of a list", "a list"],
)
def test_the_search_finds_a_terminal_that_forgets_who_is_blocked(kit, tmp_path, monkeypatch, data, lease, version):
    """Of the search itself, after nothing that can open a blocked pass."""
    monkeypatch.setattr(Hotlist, "blocks", lambda hotlist, handle, issued: False)
    world = World(Kit(kit), str(tmp_path / "flash"))
    with pytest.raises(WentWrong, match="a blocked pass gets a yes"):
        Targets(world).link(data)
    about = intake.about(world.book)
    assert (about["lease"], about["changes"]) == (lease, version)


def test_the_search_finds_a_terminal_that_takes_any_list(kit, tmp_path, monkeypatch):
    """Of the search itself: one byte of the list that blocks the pass is another, and no MAC is looked at."""
    monkeypatch.setattr("terminal.firmware.hotlist.same", lambda made, mac: True)
    world = World(Kit(kit), str(tmp_path / "flash"))
    spoilt = bytes([1, world.kit.base_bytes + HEAD_BYTES, 0xFF])
    with pytest.raises(WentWrong, match="a blocked pass gets a yes"):
        Targets(world).link(_LIST[:4] + spoilt + _LIST[6:])
    assert intake.about(world.book)["changes"] == 3
