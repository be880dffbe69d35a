"""The books: what they hold, and what the schema refuses whoever writes."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, IntegrityError, StatementError

from backend.schema import posting
from backend.store.books import NewPosting
from tests.backend.conftest import NOT_ALLOWED

DAY = date(2026, 11, 2)
TODAY = date(2026, 11, 2)


def test_totals_by_venue_fund_and_purse(world):
    world.desk.load(world.holder, amount=15000)
    world.desk.load(world.sibling, grant=2, purse=2, amount=4000)
    world.desk.load(world.stranger, grant=3, purse=3, amount=200)
    world.pool.tap(world.holder)
    world.pool.tap(world.holder, offer=14, purse=5, amount=1)
    world.pool.tap(world.stranger, offer=15, purse=3, amount=20, purse2=4, amount2=1)
    discount = {"price": 3000, "discount": 1000, "copayment": 2000}
    world.pool.tap(world.stranger, offer=13, purse=4, amount=1, **discount)
    world.shop.tap(world.holder, offer=21, amount=1250, price=1250)
    world.shop.reverse(world.holder, offer=21, amount=1250, price=1250)
    world.shop.tap(world.sibling, offer=21, purse=2, amount=300, price=300)
    world.sync()
    totals = world.clearing.ledger.totals()
    assert totals["venues"] == [
        {
            "venue": 5, "name": "Zwembad De Plas", "taps": 4, "earned": 500 + 850 + 1000, "discounts": 850 + 1000,
            "paid": 0, "owed": 2350, "units": {"point": 20, "visit": 2, "item": 1},
        },
        {
            "venue": 6, "name": "Café de Hoek’s", "taps": 1, "earned": 0, "discounts": 0, "paid": 0, "owed": 0,
            "units": {},
        },
    ]  # fmt: skip
    assert totals["funds"] == [
        {"fund": "Kindpakket", "loaded": 4000, "spent": 300, "expired": 0, "outstanding": 3700, "discounts": 850},
        {"fund": "Minimabeleid", "loaded": 15000, "spent": 500, "expired": 0, "outstanding": 14500, "discounts": 1000},
        {"fund": "Rotary", "loaded": 0, "spent": 0, "expired": 0, "outstanding": 0, "discounts": 0},
    ]
    purses = {row["purse"]: (row["loaded"], row["spent"], row["outstanding"]) for row in totals["purses"]}
    assert purses == {1: (15000, 500, 14500), 2: (4000, 300, 3700), 3: (200, 20, 180), 4: (0, 2, -2), 5: (0, 1, -1)}
    assert totals["suspense"] == 300
    assert (totals["records"], totals["quarantine"]) == ({"proven": 10}, 0)


def test_totals_say_what_was_paid_what_came_back_and_what_is_owed(world):
    world.sells()
    settlements = world.clearing.settlements
    made = settlements.approve(settlements.prepare(date(2026, 11, 30), "Anna").number, "Bram")
    with world.clearing.store.transaction() as tx:
        for kind, source, destination in (("paid", "transit", "bank"), ("returned", "bank", "venue:5")):
            transfers = [(source, destination, "cent", 1250)]
            tx.books.post(kind, DAY, TODAY, transfers, venue=5, settlement=made.number)
    venues = [[row[name] for name in ("earned", "paid", "owed")] for row in world.clearing.ledger.totals()["venues"]]
    assert venues == [[1250, 0, 1250], [300, 300, 0]]


def test_totals_say_what_expired_of_each_purse_and_of_whose_loads(world):
    world.desk.load(world.holder, amount=10000)
    world.desk.load(world.sibling, grant=9, amount=10000)
    world.desk.load(world.sibling, grant=2, purse=2, amount=4000)
    world.desk.load(world.stranger, grant=3, purse=3, amount=200)
    world.desk.load(world.holder, grant=0, purse=3, amount=50)
    world.pool.tap(world.holder)
    world.sync()
    lapses = [
        ("purse:1", "lapsed:1", "cent", 900), ("purse:2", "lapsed:2", "cent", 40), ("purse:3", "lapsed:3", "point", 30)
    ]  # fmt: skip
    with world.clearing.store.transaction() as tx:
        tx.books.post("lapse", DAY, TODAY, lapses)
    totals = world.clearing.ledger.totals()
    assert [row for row in totals["purses"] if row["purse"] in (1, 3)] == [
        {
            "purse": 1, "name": "Meedoen", "unit": "cent", "fund": "Minimabeleid",
            "loaded": 20000, "spent": 500, "expired": 900, "outstanding": 18600, "replaced": 0,
        },
        {
            "purse": 3, "name": "Punten", "unit": "point", "fund": "Minimabeleid",
            "loaded": 200, "spent": 0, "expired": 30, "outstanding": 170, "replaced": 50,
        },
    ]  # fmt: skip
    funds = {row["fund"]: (row["expired"], row["outstanding"]) for row in totals["funds"]}
    assert funds == {"Minimabeleid": (450, 9300), "Rotary": (450, 9300), "Kindpakket": (40, 3960)}
    assert [(row["taps"], row["units"]) for row in totals["venues"]] == [(1, {}), (0, {})]


def test_what_a_shared_purse_spent_is_divided_over_its_funds_to_the_cent(world):
    world.desk.load(world.holder, grant=1, amount=10000)
    world.desk.load(world.sibling, grant=9, amount=20001)
    world.pool.tap(world.holder, offer=12, amount=1000, price=1000)
    world.sync()
    funds = {row["fund"]: row for row in world.clearing.ledger.totals()["funds"]}
    assert (funds["Minimabeleid"]["spent"], funds["Rotary"]["spent"]) == (334, 666)
    assert funds["Minimabeleid"]["outstanding"] + funds["Rotary"]["outstanding"] == 30001 - 1000


def test_what_a_lost_pass_held_counts_once_and_costs_no_fund_again(world):
    world.desk.load(world.holder, amount=15000)
    world.pool.tap(world.holder, amount=500)
    world.sync()
    before = world.clearing.ledger.totals()
    # 145 euro was left; it goes on the pass that replaces the lost one.
    world.desk.load(world.sibling, grant=0, purse=1, amount=14500)
    world.sync()
    after = world.clearing.ledger.totals()
    assert world.quarantine() == []
    assert after["funds"] == before["funds"]
    (purse,) = [row for row in after["purses"] if row["purse"] == 1]
    assert [purse[name] for name in ("loaded", "spent", "outstanding", "replaced")] == [15000, 500, 14500, 14500]
    # What is spent from the new pass is spent of what was loaded on the old one.
    world.pool.tap(world.sibling, amount=500)
    world.sync()
    (purse,) = [row for row in world.clearing.ledger.totals()["purses"] if row["purse"] == 1]
    assert [purse[name] for name in ("loaded", "spent", "outstanding", "replaced")] == [15000, 1000, 14000, 14500]


def test_a_second_purse_of_another_unit_moves_apart(world):
    world.pool.tap(world.stranger, offer=15, purse=3, amount=20, purse2=4, amount2=1)
    world.sync()
    assert world.clearing.ledger.balances() == {
        ("purse:3", "point"): -20, ("venue:5", "point"): 20, ("purse:4", "visit"): -1, ("venue:5", "visit"): 1,
    }  # fmt: skip


def run(world, statement):
    with world.connection() as connection:
        connection.execute(text(statement))


@pytest.fixture
def busy(world):
    world.pool.tap(world.holder)
    world.sync()
    return world


def tap(*transfers):
    """A posting of one tap at the pool."""
    return NewPosting("tap", DAY, TODAY, 101, 1, transfers, {"venue": 5, "offer": 1})


@pytest.mark.parametrize("table", ["entry", "account", "posting", "transfer"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_journal_and_books_are_append_only(busy, table, change):
    column = {"entry": "outcome", "account": "unit", "posting": "kind", "transfer": "amount"}[table]
    with pytest.raises(DatabaseError, match=NOT_ALLOWED):
        run(busy, change.format(table, column, column))


@pytest.mark.parametrize("table", ["entry", "quarantine"])
def test_what_came_in_is_never_dropped(world, table):
    world.pool.tap(world.holder, offer=99)
    world.sync()
    with pytest.raises(DatabaseError, match=NOT_ALLOWED):
        run(world, f"DELETE FROM {table}")


@pytest.mark.parametrize(
    ("source", "destination", "unit", "amount"),
    [
        ("purse:1", "venue:5", "cent", 0),
        ("purse:1", "venue:5", "cent", -5),
        ("purse:1", "purse:1", "cent", 5),
        ("purse:1", "venue:5", "franc", 5),
    ],
)
def test_a_transfer_moves_an_amount_from_one_account_to_another(busy, source, destination, unit, amount):
    before = busy.picture()
    with pytest.raises(IntegrityError), busy.clearing.store.transaction() as tx:
        tx.books.post_records([tap((source, destination, unit, amount))])
    assert busy.picture() == before


def test_a_transfer_needs_two_accounts_of_its_own_unit(busy):
    run(busy, "INSERT INTO account VALUES ('purse:3', 'point', 1)")
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"):
        run(busy, "INSERT INTO transfer VALUES (1, 2, 'purse:3', 'venue:5', 'point', 5, 1)")


def test_a_posting_of_a_terminal_books_at_least_one_record(busy):
    with pytest.raises(IntegrityError, match="records"), busy.clearing.store.transaction() as tx:
        tx.books.post_records([replace(tap(("purse:1", "venue:5", "cent", 5)), records=0)])


def test_what_is_proven_is_in_the_books_and_what_is_in_the_books_is_proven(busy):
    for change in ("posting = NULL", "state = 'void', nullifier = NULL"):
        with pytest.raises(IntegrityError, match="posting"):
            run(busy, f"UPDATE entry SET {change}")


def test_a_record_is_decided_by_one_entry(busy):
    busy.pool.tap(busy.sibling)
    busy.sync()
    copy = "terminal, position + 5, happened_on, sequence, outcome, clear, sealed, previous_mac, mac, recorded_on"
    names = copy.replace(" + 5", "")
    with pytest.raises(IntegrityError, match=r"(?i)unique.*sequence"):
        run(busy, f"INSERT INTO entry ({names}, state, municipality) SELECT {copy}, 'void', 1 FROM entry")


def test_a_position_of_a_terminal_is_held_once(busy):
    with pytest.raises(IntegrityError, match=r"(?i)unique"):
        run(busy, "INSERT INTO entry SELECT * FROM entry")


def test_a_nullifier_is_held_once(busy):
    busy.pool.tap(busy.sibling)
    busy.sync()
    with pytest.raises(IntegrityError, match=r"(?i)unique.*nullifier"):
        run(busy, "UPDATE entry SET nullifier = (SELECT nullifier FROM entry WHERE sequence = 1) WHERE sequence = 2")


def test_proven_needs_a_nullifier(busy):
    with pytest.raises(IntegrityError, match="nullifier"):
        run(busy, "UPDATE entry SET nullifier = NULL")


def test_a_moment_needs_its_zone(busy):
    with pytest.raises(StatementError, match="time zone"), busy.clearing.store.transaction() as tx:
        tx.catalogue.note_import("00", datetime(2026, 11, 2))  # noqa: DTZ001 - this is what must be refused


def test_when_it_happened_is_not_when_it_was_recorded(world):
    world.pool.tap(world.holder)
    world.now = datetime(2026, 11, 9, 18, 30, tzinfo=UTC)
    world.sync()
    with world.connection() as connection:
        (row,) = connection.execute(select(posting)).all()
    assert (row.happened_on, row.recorded_on) == (date(2026, 11, 2), world.now.date())
