"""The whole line for a week, with everything that goes wrong, and the money counted on the cards afterwards."""

import json
from importlib.resources import files

import pytest
import xmlschema

from hardware.emulated_pass import Memory
from meedoen.demo.audit import CardsMemory, Doubt, violations
from meedoen.demo.story import tell

REASONS = {"not_enough_budget", "wrong_purse_for_venue", "expired", "blocked", "other_municipality"}


@pytest.fixture(scope="module")
def week(tmp_path_factory):
    folder = tmp_path_factory.mktemp("week")
    assert tell(folder) == 0
    return folder, json.loads((folder / "summary.json").read_text())


@pytest.mark.timeout(300)
def test_a_week_on_real_micropython_loses_no_cent(week):
    _, summary = week
    assert summary["violations"] == []
    assert summary["passes"] >= 60
    assert summary["taps"] >= 300
    assert set(summary["declined"]) >= REASONS
    assert summary["torn"] == 20
    assert summary["power_cuts"] == 2
    assert summary["reversals"] >= 1
    assert summary["in_doubt"] == 1
    assert summary["rejected"] == {"mac": 1, "handle": 1}
    assert summary["findings"] == {"happened": 1}
    assert summary["loads_cents"] == (
        summary["card_balances_cents"] + summary["debits_cents"] + summary["in_doubt_cents"]
    )
    assert summary["paid_cents"] == sum(summary["venue_owed_cents"].values()) > 0
    assert summary["by_the_bank_cents"] == summary["paid_cents"]


def test_the_payment_order_is_valid_and_pays_each_venue_once(week):
    folder, summary = week
    order = folder / "settlement/pain.001.xml"
    schema = next(path for path in files("sepaxml").joinpath("schemas").iterdir() if "pain.001.001.09" in path.name)
    xmlschema.XMLSchema(str(schema)).validate(str(order))
    amounts = [
        int(element.text.replace(".", ""))
        for element in xmlschema.XMLResource(str(order)).root.iter()
        if element.tag.endswith("}InstdAmt")
    ]
    assert sorted(amounts) == sorted(cents for cents in summary["venue_owed_cents"].values() if cents)


def test_nobody_s_name_or_card_leaves_the_desk(week):
    """No name and no UID in what backend, terminals and vault keep."""
    folder, _ = week
    names = {
        field.encode()
        for row in (folder / "households.csv").read_text().splitlines()[1:]
        for field in (row.split(";")[1], row.split(";")[3])
        if len(field) > 4
    }
    uids = [Memory.load(path).picc.uid for path in folder.rglob("card-*.json")]
    assert len(uids) > 60
    kept = [path for path in folder.rglob("*") if path.is_file()]
    kept = [
        path for path in kept if path.relative_to(folder).parts[0] in ("backend", "vault") or "terminal-" in str(path)
    ]
    assert len(kept) > 10
    for path in kept:
        content = path.read_bytes()
        assert not [name for name in names if name in content], path
        assert not [uid for uid in uids if uid in content or uid.hex().encode() in content], path


def test_no_terminal_or_backend_keeps_a_handle(week):
    import sqlite3

    folder, _ = week
    with sqlite3.connect(folder / "desk/registry.sqlite") as registry:
        handles = [row[0] for row in registry.execute("select handle from card_pass")]
    assert len(handles) >= 60
    # The hotlist that terminals carry is sealed on their flash; journals and books must not name a pass at all.
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).parts[0] not in ("desk", "cards"):
            content = path.read_bytes()
            assert not [handle for handle in handles if handle in content or handle.hex().encode() in content], path


@pytest.mark.timeout(120)
def test_other_weeks_on_a_pc_lose_no_cent(tmp_path, week_seed):
    assert tell(tmp_path, week_seed, on_micropython=False) == 0, f"seed {week_seed}"


# The audit itself: each kind of difference is found


def totals(**changes):
    made = {
        "venues": [{"name": "Zwembad", "earned": 700, "paid": 700, "owed": 0}],
        "purses": [{"purse": 1, "outstanding": 300}],
        "records": {"proven": 3, "in_doubt": 1},
    }
    return made | changes


FINE = CardsMemory(cards=1, balances={1: 300}, transactions=3)


@pytest.fixture
def order(tmp_path):
    path = tmp_path / "order.xml"
    path.write_text('<a xmlns="urn:x"><CtrlSum>7.00</CtrlSum></a>')
    return path


def test_nothing_is_found_when_all_is_right(order):
    assert violations(FINE, totals(), [Doubt({1: 50})], {"Zwembad": 700}, order) == []
    happened = CardsMemory(1, {1: 250}, 4)
    assert violations(happened, totals(), [Doubt({1: 50})], {"Zwembad": 700}, order) == []


@pytest.mark.parametrize(
    "memory",
    [
        CardsMemory(1, {1: 299}, 3),
        CardsMemory(1, {1: 301}, 3),
        CardsMemory(1, {1: 300}, 4),
        CardsMemory(1, {1: 300}, 2),
        CardsMemory(1, {1: 250}, 3),
        CardsMemory(1, {1: 200}, 5),
        CardsMemory(1, {1: 300, 2: 1}, 3),
    ],
)
def test_a_cent_or_a_transaction_too_many_or_too_few_is_found(order, memory):
    changed = totals()
    changed["purses"] = [*changed["purses"], {"purse": 2, "outstanding": 0}]
    assert len(violations(memory, changed, [Doubt({1: 50})], {"Zwembad": 700}, order)) == 1


def test_a_venue_that_earns_what_nobody_saw_is_found(order):
    assert len(violations(FINE, totals(), [], {"Zwembad": 699}, order)) == 1
    assert len(violations(FINE, totals(), [], {"Zwembad": 700, "Museum": 5}, order)) == 1


def test_a_payment_that_differs_from_the_books_is_found(order):
    short = totals(venues=[{"name": "Zwembad", "earned": 700, "paid": 600, "owed": 100}])
    assert len(violations(FINE, short, [], {"Zwembad": 700}, order)) == 2
    assert len(violations(FINE, totals(), [], {"Zwembad": 700}, None)) == 1
