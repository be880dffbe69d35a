"""What custodians can do with the root and without it: first keys, new versions, a year, and destroying one."""

import hashlib
from datetime import date

import pytest

from keys import register as registers
from keys.custody import (
    Seeds,
    check_value,
    compare,
    compare_root,
    destroy_year,
    establish,
    new_year,
    rebuild,
    retire,
    rotatable,
    rotate,
)
from keys.errors import KeyMissing, KeyStoreError
from keys.hierarchy import PURPOSES, derive
from keys.register import Register
from keys.store import MemoryStore

ROOT, OTHER_ROOT = b"\x5a" * 32, b"\xa5" * 32
TODAY = date(2026, 11, 21)
LATER = date(2027, 3, 1)


@pytest.fixture
def seeds(tmp_path):
    return Seeds(tmp_path)


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def register(store, seeds):
    made = Register(1, "F0E0D1")
    establish(ROOT, made, store, seeds, TODAY)
    return made


def test_the_first_keys_are_one_of_every_purpose_and_of_this_year_and_the_next(register, store, seeds):
    yearly = {(name, year) for name, what in PURPOSES.items() if what.yearly for year in (2026, 2027)}
    others = {(name, 1) for name, what in PURPOSES.items() if what.stored and not what.yearly}
    assert store.names() == register.names() == yearly | others
    assert seeds.years() == [2026, 2027]
    assert ("transcript", 1) not in store.names()


def test_every_key_has_the_check_value_that_the_register_says(register, store):
    for purpose, version in register.names():
        assert register.keys[purpose][str(version)].check == check_value(store, (purpose, version))
    checks = [key.check for versions in register.keys.values() for key in versions.values()]
    assert len(set(checks)) == len(checks)


def test_the_same_root_makes_the_same_keys_again_and_another_does_not(register, store, seeds):
    again = MemoryStore()
    rebuild(ROOT, register, again, seeds)
    assert again._keys == store._keys
    assert compare(ROOT, register, seeds) == len(store.names())
    with pytest.raises(KeyStoreError, match="other keys"):
        compare(OTHER_ROOT, register, seeds)
    with pytest.raises(KeyStoreError, match="comes out with"):
        rebuild(OTHER_ROOT, register, MemoryStore(), seeds)


def test_what_was_made_of_a_wrong_root_does_not_stay(register, seeds):
    empty = MemoryStore()
    with pytest.raises(KeyStoreError):
        rebuild(OTHER_ROOT, register, empty, seeds)
    assert empty.names() == set()


def test_a_root_is_no_good_for_another_municipality(store, seeds, register):
    stranger = Register(2, "F0E0D2", keys=register.keys)
    with pytest.raises(KeyStoreError, match="other keys"):
        compare_root(ROOT, stranger)


# Rotation


@pytest.mark.parametrize("purpose", rotatable())
def test_a_new_version_stands_next_to_the_old_one_until_its_date(register, store, purpose):
    before = store._keys[purpose, 1]
    assert rotate(ROOT, register, store, purpose, LATER) == 2
    assert register.current(purpose) == 2
    assert register.accepted(purpose, LATER) == [2, 1]
    assert register.accepted(purpose, date(2027, 3, 2)) == [2]
    assert (store._keys[purpose, 1], store._keys[purpose, 2]) == (before, derive(ROOT, 1, purpose, 2))


@pytest.mark.parametrize("purpose", ["register", "transcript", "nullifier", "sealing", "door"])
def test_what_cannot_be_rotated_says_so_and_changes_nothing(register, store, purpose):
    names = store.names()
    with pytest.raises(KeyStoreError, match=r"cannot be rotated|every year"):
        rotate(ROOT, register, store, purpose, LATER)
    assert store.names() == names == register.names()


def test_shares_of_other_keys_rotate_nothing(register, store):
    names = store.names()
    with pytest.raises(KeyStoreError, match="other keys"):
        rotate(OTHER_ROOT, register, store, "load", LATER)
    assert store.names() == names == register.names()
    assert register.accepted("load", LATER) == [1]


def test_after_255_versions_it_takes_a_new_ceremony(register, store):
    register.keys["load"]["255"] = register.keys["load"]["1"]
    with pytest.raises(KeyStoreError, match="new ceremony"):
        rotate(ROOT, register, store, "load", LATER)


def test_a_rotation_that_was_cut_off_before_the_register_was_kept_can_be_done_again(register, store):
    store.put({("load", 2): bytes(16)})
    assert rotate(ROOT, register, store, "load", LATER) == 2
    assert store._keys["load", 2] == derive(ROOT, 1, "load", 2)


def test_an_old_version_is_retired_after_its_day_and_not_before(register, store):
    with pytest.raises(KeyStoreError, match="current"):
        retire(register, store, "load", 1, TODAY)
    rotate(ROOT, register, store, "load", LATER)
    for day in (TODAY, LATER):
        with pytest.raises(KeyStoreError, match="until 2027-03-01"):
            retire(register, store, "load", 1, day)
    retire(register, store, "load", 1, date(2027, 3, 2))
    assert ("load", 1) not in store.names() | register.names()
    for purpose, version in (("load", 1), ("load", 9), ("nullifier", 2026), ("door", 1)):
        with pytest.raises(KeyMissing):
            retire(register, store, purpose, version, date(2027, 3, 3))


# Years


def test_a_new_year_gets_its_own_seed_and_keys(register, store, seeds):
    new_year(ROOT, register, store, seeds, 2028)
    assert seeds.years() == [2026, 2027, 2028]
    assert store._keys["nullifier", 2028] == derive(ROOT, 1, "nullifier", 2028, seeds.read(2028))
    with pytest.raises(KeyStoreError, match="there already"):
        new_year(ROOT, register, store, seeds, 2028)
    with pytest.raises(KeyStoreError, match="other keys"):
        new_year(OTHER_ROOT, register, store, seeds, 2029)
    assert seeds.years() == [2026, 2027, 2028]


def test_a_new_year_that_was_cut_off_goes_on_with_the_seed_that_is_there(register, store, seeds):
    seed = seeds.make(2028)
    new_year(ROOT, register, store, seeds, 2028)
    assert seeds.read(2028) == seed


def test_after_destroying_a_year_all_shares_together_cannot_make_its_keys_again(register, store, seeds, tmp_path):
    key = store._keys["nullifier", 2026]
    digest = hashlib.sha256((tmp_path / "years/2026.seed").read_bytes()).hexdigest()
    checks = {purpose: register.keys[purpose]["2026"].check for purpose in ("nullifier", "sealing")}
    gone = destroy_year(register, store, seeds, 2026, date(2027, 1, 1))
    assert (gone.checks, gone.seed_digest) == (checks, digest)
    assert not {("nullifier", 2026), ("sealing", 2026)} & (store.names() | register.names())
    with pytest.raises(KeyMissing):
        store.cmacs(("nullifier", 2026), bytes(12), 12)
    with pytest.raises(KeyStoreError, match="never made again"):
        new_year(ROOT, register, store, seeds, 2026)
    # Whatever is left on the disk, with the root: none of it gives the key.
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert key not in left
    for at in range(len(left)):
        for seed in (left[at : at + 32], bytes.fromhex(left[at : at + 64].decode()) if at + 64 <= len(left) else b""):
            assert len(seed) != 32 or derive(ROOT, 1, "nullifier", 2026, seed) != key


def test_only_a_closed_year_is_destroyed_and_only_once(register, store, seeds):
    for day in (date(2026, 12, 31), TODAY):
        with pytest.raises(KeyStoreError, match="not over"):
            destroy_year(register, store, seeds, 2026, day)
    destroy_year(register, store, seeds, 2026, date(2027, 1, 1))
    with pytest.raises(KeyStoreError, match="already"):
        destroy_year(register, store, seeds, 2026, date(2027, 1, 1))
    with pytest.raises(KeyMissing):
        destroy_year(register, store, seeds, 2024, date(2027, 1, 1))


def test_a_destroyed_year_does_not_stand_in_the_way_of_recovery(register, store, seeds):
    destroy_year(register, store, seeds, 2026, date(2027, 1, 1))
    assert compare(ROOT, register, seeds) == len(store.names())


@pytest.mark.parametrize("content", [None, "", "zz", "00" * 31, "00" * 33])
def test_a_seed_that_is_missing_or_damaged_is_named(register, seeds, tmp_path, content):
    path = tmp_path / "years/2026.seed"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(KeyStoreError, match=r"2026\.seed"):
        compare(ROOT, register, seeds)


def test_a_seed_of_another_year_is_noticed(register, seeds, tmp_path):
    (tmp_path / "years/2026.seed").write_text((tmp_path / "years/2027.seed").read_text())
    with pytest.raises(KeyStoreError, match="seed belong to other keys"):
        compare(ROOT, register, seeds)


# The register


def test_the_register_comes_back_as_it_was(register, store, tmp_path):
    register.officers["Aïcha"] = "00" * 32
    register.terminals["101"] = registers.Terminal("0011223344556677", "2026-11-02")
    rotate(ROOT, register, store, "tap", LATER)
    registers.save(tmp_path, register, store)
    assert registers.load(tmp_path, store) == registers.peek(tmp_path) == register


def test_who_can_write_the_file_and_has_no_key_can_change_nothing(register, store, tmp_path):
    register.officers["Aïcha"] = "00" * 32
    registers.save(tmp_path, register, store)
    path = tmp_path / registers.FILE_NAME
    whole = path.read_text()
    for old, new in (("A\\u00efcha", "Eve"), ('"lease_days": 30', '"lease_days": 31'), ("F0E0D1", "F0E0D2")):
        assert old in whole
        path.write_text(whole.replace(old, new))
        with pytest.raises(KeyStoreError, match="does not hold the keys"):
            registers.load(tmp_path, store)
    other = MemoryStore({("register", 1): bytes(16)})
    path.write_text(whole)
    with pytest.raises(KeyStoreError, match="does not hold the keys"):
        registers.load(tmp_path, other)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"content": {}, "mac": ""}', '{"content": 1, "mac": "00"}'])
def test_what_is_no_register_is_one_sentence(store, register, tmp_path, content):
    (tmp_path / registers.FILE_NAME).write_text(content)
    with pytest.raises(KeyStoreError, match=r"back-up"):
        registers.load(tmp_path, store)
    with pytest.raises(KeyStoreError, match="back-up"):
        registers.peek(tmp_path)


def test_no_register_says_how_to_make_one(store, tmp_path):
    with pytest.raises(KeyStoreError, match="meedoen keys ceremony"):
        registers.load(tmp_path / "nowhere", store)


# The hierarchy


def test_every_purpose_and_version_and_city_has_its_own_key():
    plain = [name for name, what in PURPOSES.items() if not what.yearly]
    made = {derive(ROOT, city, purpose, version) for city in (1, 2) for purpose in plain for version in (1, 2, 2026)}
    yearly = [name for name, what in PURPOSES.items() if what.yearly]
    made |= {
        derive(ROOT, city, purpose, year, seed * 32)
        for city in (1, 2)
        for purpose in yearly
        for year in (2026, 2027)
        for seed in (b"a", b"b")
    }
    assert len(made) == 6 * len(plain) + 8 * len(yearly)


@pytest.mark.parametrize(("purpose", "seed"), [("nullifier", b""), ("nullifier", bytes(31)), ("load", bytes(32))])
def test_a_seed_where_it_belongs_and_nowhere_else(purpose, seed):
    with pytest.raises(ValueError, match="seed"):
        derive(ROOT, 1, purpose, 1, seed)
