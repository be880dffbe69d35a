"""A pass pulled away, or without power, at every possible moment: the state is the one before or the one after."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardware.emulated_pass import EmulatedPass, Memory, PassTorn, PowerCut, inspect
from hardware.errors import PassGone, ReaderError
from hardware.in_process import InProcessReader
from tests.hardware.a_pass import (
    AID,
    BACKUP,
    BOTH,
    CHANGE,
    CYCLIC,
    MAC_FILE,
    MASTER,
    PICC_KEY,
    RIGHTS,
    STANDARD,
    UID,
    VALUE,
    World,
    a_world,
    key,
    with_transaction_mac,
)
from tests.hardware.independent_reader import IndependentReader, le


def at(offset: int, length: int) -> bytes:
    return le(offset, 3) + le(length, 3)


def purchase(reader: IndependentReader) -> bytes:
    """What a terminal does: name itself, debit, write a record and a backup file, commit."""
    reader.select(AID)
    reader.ev2_first(BOTH, key(BOTH))
    reader.call(0xC8, b"terminal no. one")
    reader.call(0xDC, bytes([VALUE]), le(800, 4), "full")
    reader.call(0x3B, bytes([CYCLIC]) + at(0, 16), b"8.00 swimming   ", "full")
    reader.call(0x3D, bytes([BACKUP]) + at(0, 4), b"once", "plain")
    return reader.call(0xC7, b"\x01")


# Select, two halves of the authentication, and the five commands above.
EXCHANGES = 8
COMMIT = EXCHANGES


def a_counted_world(path: Path | None = None) -> World:
    world = with_transaction_mac(a_world(path=path), b"\x34\x1f")
    world.card.deactivate()
    return world


def state(world: World) -> tuple[Any, ...]:
    files = inspect(world.memory)["applications"]["4D4545"]["files"]
    return (
        files[VALUE]["value"],
        files[VALUE]["limited_credit"],
        files[CYCLIC]["records"],
        files[BACKUP]["data"][:4],
        files[MAC_FILE]["tmc"],
        files[MAC_FILE]["tmri_prev"],
    )


BEFORE = (5000, 0, [], bytes(4), 0, bytes(16))
AFTER = (4200, 800, [b"8.00 swimming   "], b"once", 1, b"terminal no. one")


@pytest.mark.parametrize("executed", [False, True])
@pytest.mark.parametrize("exchange", range(1, EXCHANGES + 1))
def test_a_purchase_torn_anywhere_happened_wholly_or_not(exchange: int, executed: bool) -> None:
    world = a_counted_world()
    world.card.tear_after(exchange, executed)
    world.card.activate()
    with pytest.raises(PassTorn):
        purchase(world.reader)
    assert not world.card.in_field
    assert state(world) == (AFTER if executed and exchange == COMMIT else BEFORE)
    # It comes back and knows nothing of what was going on.
    world.card.activate()
    assert world.reader.send(0xAF) == (0x1C, b"")
    assert purchase(world.reader)[:4] == le(2 if executed and exchange == COMMIT else 1, 4)


def test_a_tear_after_the_last_exchange_never_comes() -> None:
    world = a_counted_world()
    world.card.tear_after(EXCHANGES + 1, executed=False)
    world.card.activate()
    purchase(world.reader)
    assert state(world) == AFTER


def test_a_tear_waits_for_the_next_activation_and_happens_once() -> None:
    world = a_world()
    world.card.tear_after(1, executed=False)
    assert world.reader.send(0x64, b"\x00")[0] == 0x00
    world.card.activate()
    with pytest.raises(PassTorn):
        world.reader.send(0x64, b"\x00")
    world.card.activate()
    assert world.reader.send(0x64, b"\x00")[0] == 0x00


def test_a_pass_that_is_not_in_the_field_answers_nothing() -> None:
    world = a_world()
    world.card.deactivate()
    with pytest.raises(PassTorn):
        world.card.exchange(b"\x60")


# --- power cuts at every write ----------------------------------------------------------------------------------------

WRITES = 2  # one change of the memory: the new contents, and the switch to them


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("write", range(1, WRITES + 2))
def test_a_commit_without_power_happened_wholly_or_not(tmp_path: Path, on_disk: bool, write: int) -> None:
    world = a_counted_world(tmp_path / "pass" if on_disk else None)
    world.card.activate()
    world.memory.power_cut_after(write)
    if write <= WRITES:
        with pytest.raises(PowerCut):
            purchase(world.reader)
    else:
        purchase(world.reader)
    expected = BEFORE if write <= WRITES else AFTER
    assert state(world) == expected
    if on_disk:
        assert inspect(tmp_path / "pass") == inspect(world.memory)
        world.memory = Memory.load(tmp_path / "pass")
        assert state(world) == expected
        # The next life of the pass goes on from there.
        card = EmulatedPass(world.memory)
        card.activate()
        assert purchase(IndependentReader(card.exchange))[:4] == le(1 + (write > WRITES), 4)


CHANGES: dict[str, tuple[int | None, Callable[[IndependentReader], Any]]] = {
    "standard write": (BOTH, lambda r: r.call(0x3D, bytes([STANDARD]) + at(0, 4), b"abcd", "filemac")),
    "key": (MASTER, lambda r: r.change_key(2, bytes(16), 9, key(2))),
    "own key": (MASTER, lambda r: r.change_key(0, bytes(16), 9)),
    "key settings": (MASTER, lambda r: r.call(0x54, b"", b"\x0f", "full")),
    "file settings": (CHANGE, lambda r: r.call(0x5F, bytes([STANDARD]), b"\x00" + RIGHTS, "full")),
    "new file": (MASTER, lambda r: r.call(0xCD, b"\x09\x01" + RIGHTS + le(8, 3))),
    "deleted file": (MASTER, lambda r: r.call(0xDF, bytes([STANDARD]))),
    "new application": (None, lambda r: r.call(0xCA, b"\x01\x02\x03\x0f\x81")),
    "deleted application": (None, lambda r: r.call(0xDA, AID)),
    "format": (None, lambda r: r.call(0xFC)),
    "configuration": (None, lambda r: r.call(0x5C, b"\x00", b"\x02", "full")),
    "PICC key": (None, lambda r: r.change_key(0x00, bytes(16), None)),
}


@pytest.mark.parametrize("write", range(1, WRITES + 1))
@pytest.mark.parametrize("name", list(CHANGES))
def test_any_change_without_power_did_not_happen(tmp_path: Path, name: str, write: int) -> None:
    number, change = CHANGES[name]
    world = a_world(path=tmp_path / "pass")
    world.enter(number) if number is not None else world.reader.ev2_first(0, PICC_KEY)
    before = inspect(world.memory)
    world.memory.power_cut_after(write)
    with pytest.raises(PassTorn):
        change(world.reader)
    assert inspect(world.memory) == before == inspect(tmp_path / "pass")
    assert not world.card.in_field
    world.card.activate()
    world.enter(number) if number is not None else world.reader.ev2_first(0, PICC_KEY)
    change(world.reader)
    assert inspect(tmp_path / "pass") != before


def test_what_is_left_beside_the_file_after_a_cut_does_no_harm(tmp_path: Path) -> None:
    world = a_world(path=tmp_path / "pass")
    (tmp_path / "pass.new").write_bytes(b'{"half')
    assert inspect(Memory.load(tmp_path / "pass"))["uid"] == UID
    reader = world.enter(BOTH)
    reader.call(0x3D, bytes([STANDARD]) + at(0, 4), b"abcd", "filemac")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pass"]


def test_a_disk_that_is_full_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = a_world(path=tmp_path / "pass")
    reader = world.enter(BOTH)
    before = inspect(world.memory)
    with monkeypatch.context() as patch:
        patch.setattr("os.write", lambda handle, contents: len(contents) - 1)
        with pytest.raises(OSError, match="only a part"):
            reader.call(0x3D, bytes([STANDARD]) + at(0, 4), b"abcd", "filemac")
    assert inspect(world.memory) == before == inspect(tmp_path / "pass")


def test_a_file_holds_the_same_with_fsync(tmp_path: Path) -> None:
    memory = Memory.factory(tmp_path / "pass", uid=UID, fsync=True)
    with memory.writing() as picc:
        picc.settings = 0x09
    assert inspect(Memory.load(tmp_path / "pass", fsync=True))["key_settings"] == 0x09
    assert (tmp_path / "pass").stat().st_mode & 0o777 == 0o600


# --- the reader around it ---------------------------------------------------------------------------------------------


def test_the_in_process_reader_says_when_the_pass_is_gone() -> None:
    world = a_counted_world()
    reader = InProcessReader()
    assert reader.find_pass() is None
    with pytest.raises(PassGone):
        reader.transmit(b"\x90\x60\x00\x00\x00")
    reader.present(world.card)
    with pytest.raises(PassGone):
        reader.transmit(b"\x90\x60\x00\x00\x00")
    world.card.tear_after(2, executed=True)
    assert reader.find_pass() == UID
    assert reader.transmit(b"\x90\x64\x00\x00\x01\x00\x00") == b"\x10\x91\x00"
    with pytest.raises(ReaderError):
        reader.transmit(b"\x90\x64\x00\x00\x01\x00\x00")
    assert reader.find_pass() == UID
    reader.release()
    with pytest.raises(PassGone):
        reader.transmit(b"\x90\x60\x00\x00\x00")
    assert reader.find_pass() == UID
    reader.remove()
    assert reader.find_pass() is None
    assert not world.card.in_field


def test_a_pass_laid_over_another_takes_its_place() -> None:
    first, second = a_world(), a_world()
    reader = InProcessReader(first.card)
    reader.find_pass()
    reader.present(second.card)
    assert not first.card.in_field
    reader.find_pass()
    assert second.card.in_field
