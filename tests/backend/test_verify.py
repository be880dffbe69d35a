"""A verification believes what is signed and nothing else: whatever was changed behind the books' back is named."""

import sqlite3

import pytest

from backend.errors import LinkError
from card.record import TAP
from tests.backend.busy_city import busy
from tests.backend.conftest import VENUES, WITH_OFFER_99, World
from tests.backend.test_exceptions import NULLIFIER, finds
from tests.backend.test_funding import BUDGETS, IN_ORDER, with_grant


@pytest.fixture
def city(world):
    return busy(world)


def verified(world):
    return world.clearing.verification.run()


@pytest.fixture
def file_city(tmp_path):
    """A city over a file, which its thief can open with what he likes."""
    made = World(tmp_path)
    yield busy(made)
    made.clearing.close()


def change(world, *statements):
    """Somebody with the file of the database, to whom no trigger and no constraint is anything."""
    with sqlite3.connect(world.folder / "clearing.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.executescript("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;")
        for statement in statements:
            assert database.execute(statement).rowcount, f"{statement} changed nothing"


def test_books_that_nobody_touched_hold(city):
    heard = []
    found = city.clearing.verification.run(lambda done, total: heard.append((done, total)))
    assert found.difference is None
    assert (found.entries, found.proven, found.waiting) == (18, 14, 0)
    assert heard == [(18, 18)]


POOL_TAP = "terminal = 101 AND sequence = 1"
OF_POOL_TAP = f"(SELECT posting FROM entry WHERE {POOL_TAP})"
PAYMENT = "(SELECT id FROM posting WHERE kind = 'payment' AND venue = 5)"
WITHOUT_KEY = ("CREATE TABLE loose AS SELECT * FROM {0}", "DROP TABLE {0}", "ALTER TABLE loose RENAME TO {0}")
ADDED_POSTING = (
    "INSERT INTO posting (id, kind, happened_on, recorded_on, terminal, records, venue, offer, municipality)"
    f" SELECT 99, kind, happened_on, recorded_on, {{0}}, 1, venue, offer, 1 FROM posting WHERE id = {OF_POOL_TAP}"
)
OF_ADDED = "INSERT INTO transfer SELECT max(id), 1, 'purse:1', 'venue:5', 'cent', 700, 1 FROM posting"

# What was done, and what of it is found: kind, terminal, sequence, account.
TAMPERINGS = {
    "an amount": (
        [f"UPDATE transfer SET amount = 50 WHERE posting = {OF_POOL_TAP}"],
        ("transfer", 101, 1, "purse:1"),
    ),
    "an amount, and its account to match": (
        [f"UPDATE transfer SET destination = 'venue:6' WHERE posting = {OF_POOL_TAP}"],
        ("transfer", 101, 1, "purse:1"),
    ),
    "a transfer removed": ([f"DELETE FROM transfer WHERE posting = {OF_POOL_TAP}"], ("transfer", 101, 1, "purse:1")),
    "a transfer added": (
        [f"INSERT INTO transfer SELECT {OF_POOL_TAP}, 2, 'fund:Rotary', 'venue:5', 'cent', 1, 1"],
        ("transfer", 101, 1, "fund:Rotary"),
    ),
    "the fund of a load": (
        ["UPDATE transfer SET source = 'fund:Minimabeleid' WHERE source = 'fund:Rotary'"],
        ("transfer", 1, 2, "fund:Rotary"),
    ),
    "a posting removed": (
        [f"DELETE FROM transfer WHERE posting = {OF_POOL_TAP}", f"DELETE FROM posting WHERE id = {OF_POOL_TAP}"],
        ("posting", 101, 1, "purse:1"),
    ),
    "a posting of no record": ([ADDED_POSTING.format(101), OF_ADDED], ("posting", 101, None, None)),
    "a posting of a terminal that took nothing": ([ADDED_POSTING.format(102), OF_ADDED], ("posting", 102, None, None)),
    "a posting that names nothing": ([ADDED_POSTING.format("NULL"), OF_ADDED], ("posting", None, None, None)),
    "a posting with a record more": (
        [f"UPDATE posting SET records = records + 1 WHERE id = {OF_POOL_TAP}"],
        ("posting", 101, 1, None),
    ),
    "a posting of another terminal": (
        [f"UPDATE posting SET terminal = 201 WHERE id = {OF_POOL_TAP}"],
        ("posting", 101, 1, None),
    ),
    "a record in another posting": (
        [f"UPDATE entry SET posting = (SELECT max(posting) FROM entry WHERE terminal = 201) WHERE {POOL_TAP}"],
        ("posting", 101, 1, None),
    ),
    "a transfer of no posting": (
        ["INSERT INTO transfer VALUES (999, 1, 'purse:1', 'venue:5', 'cent', 700, 1)"],
        ("transfer", None, None, "purse:1"),
    ),
    "the day of a posting": (
        [f"UPDATE posting SET happened_on = '2026-10-01' WHERE id = {OF_POOL_TAP}"],
        ("posting", 101, 1, None),
    ),
    "the venue of a posting": ([f"UPDATE posting SET venue = 6 WHERE id = {OF_POOL_TAP}"], ("posting", 101, 1, None)),
    "the offer of a posting": ([f"UPDATE posting SET offer = 2 WHERE id = {OF_POOL_TAP}"], ("posting", 101, 1, None)),
    "payable after all": (
        ["UPDATE posting SET not_payable = NULL WHERE not_payable IS NOT NULL"],
        ("posting", 201, 2, None),
    ),
    "void instead of proven": (
        [f"UPDATE entry SET state = 'void', nullifier = NULL, posting = NULL WHERE {POOL_TAP}"],
        ("state", 101, 1, None),
    ),
    "rejected instead of proven": (
        [
            f"DELETE FROM transfer WHERE posting = {OF_POOL_TAP}",
            f"DELETE FROM posting WHERE id = {OF_POOL_TAP}",
            "UPDATE entry SET state = 'rejected', reason = 'offer', nullifier = NULL, posting = NULL"
            f" WHERE {POOL_TAP}",
        ],
        ("state", 101, 1, None),
    ),
    "proven instead of void": (
        ["UPDATE entry SET state = 'proven', nullifier = 'aa' WHERE state = 'void'"],
        ("state", 101, 5, None),
    ),
    "proven instead of rejected": (
        ["UPDATE entry SET state = 'proven', reason = NULL, nullifier = 'aa' WHERE state = 'rejected'"],
        ("state", 101, 8, None),
    ),
    "proven instead of in doubt": (
        ["UPDATE entry SET state = 'proven', nullifier = 'aa' WHERE state = 'in_doubt'"],
        ("state", 201, 3, None),
    ),
    "the day of a record": (
        [f"UPDATE entry SET happened_on = '2026-10-01' WHERE {POOL_TAP}"],
        ("record", 101, 1, None),
    ),
    "a nullifier": ([f"UPDATE entry SET nullifier = 'ab' WHERE {POOL_TAP}"], ("nullifier", 101, 1, None)),
    "no nullifier": ([f"UPDATE entry SET nullifier = NULL WHERE {POOL_TAP}"], ("nullifier", 101, 1, None)),
    "a record of no state": (
        [f"UPDATE entry SET state = NULL, nullifier = NULL, posting = NULL WHERE {POOL_TAP}"],
        ("record", 101, 1, None),
    ),
    "an entry twice": (
        [
            *(each.format("entry") for each in WITHOUT_KEY),
            f"INSERT INTO entry SELECT * FROM entry WHERE {POOL_TAP}",
        ],
        ("entry", 101, 1, None),
    ),
    "the doubt decides again": (
        [
            "DROP INDEX ix_entry_record",
            "UPDATE entry SET (state, posting) = (SELECT state, posting FROM entry AS other"
            " WHERE other.terminal = entry.terminal AND other.doubt_position = entry.position)"
            " WHERE terminal = 101 AND sequence = 6 AND outcome = 3",
            "UPDATE entry SET state = NULL, doubt_position = NULL, nullifier = NULL, posting = NULL"
            " WHERE terminal = 101 AND sequence = 6 AND outcome <> 3",
        ],
        ("state", 101, 6, None),
    ),
    "bytes of an entry": (
        [f"UPDATE entry SET clear = CAST(substr(clear, 1, 16) || X'02' || substr(clear, 18) AS BLOB) WHERE {POOL_TAP}"],
        ("entry", 101, 1, None),
    ),
    "the sealed part of an entry": (
        ["UPDATE entry SET sealed = zeroblob(60) WHERE terminal = 101 AND position = 1"],
        ("entry", 101, 1, None),
    ),
    "the outcome of an entry": (
        ["UPDATE entry SET outcome = 2 WHERE terminal = 101 AND position = 1"],
        ("entry", 101, 1, None),
    ),
    "the number of an entry": (
        ["UPDATE entry SET sequence = 70 WHERE terminal = 101 AND position = 1"],
        ("entry", 101, 70, None),
    ),
    "an entry of another terminal": (
        ["UPDATE entry SET (clear, sealed, previous_mac, mac) ="
         " (SELECT clear, sealed, previous_mac, mac FROM entry WHERE terminal = 201 AND position = 1)"
         " WHERE terminal = 101 AND position = 1"],
        ("entry", 101, 1, None),
    ),
    "an entry removed": (["DELETE FROM entry WHERE terminal = 101 AND position = 1"], ("posting", 101, 2, None)),
    "a sum": (
        ["UPDATE flow SET amount = amount + 1 WHERE kind = 'tap' AND source = 'purse:1' AND destination = 'venue:5'"],
        ("sum", None, None, "purse:1"),
    ),
    "a sum removed": (["DELETE FROM flow WHERE source = 'fund:Rotary'"], ("sum", None, None, "fund:Rotary")),
    "a sum of nothing": (
        ["INSERT INTO flow VALUES ('tap', 5, 'purse:1', 'venue:6', 'cent', 500, 1)"],
        ("sum", None, None, "purse:1"),
    ),
    "a count": (["UPDATE tally SET records = records - 1 WHERE venue = 5"], ("sum", None, None, None)),
    "an item twice": (
        [each.format("settlement_item") for each in WITHOUT_KEY]
        + [f"INSERT INTO settlement_item VALUES ({OF_POOL_TAP}, '2026-001', 1)"],
        ("settlement", None, None, None),
    ),
    "an item removed": (
        [f"DELETE FROM settlement_item WHERE posting = {OF_POOL_TAP}"],
        ("settlement", None, None, "venue:5"),
    ),
    "a load as an item": (
        ["INSERT INTO settlement_item SELECT id, '2026-001', 1 FROM posting WHERE kind = 'load' LIMIT 1"],
        ("settlement", None, None, None),
    ),
    "what a venue earned": (
        ["UPDATE settlement_line SET earned = earned + 1, paid = paid + 1 WHERE venue = 5"],
        ("settlement", None, None, "venue:5"),
    ),
    "what a venue was paid": (
        ["UPDATE settlement_line SET paid = paid + 1 WHERE venue = 5"],
        ("payment", None, None, "venue:5"),
    ),
    "a payment removed": (
        [f"DELETE FROM transfer WHERE posting = {PAYMENT}", "DELETE FROM posting WHERE kind = 'payment' AND venue = 5"],
        ("payment", None, None, "venue:5"),
    ),
    "a payment changed": (
        [f"UPDATE transfer SET amount = 1 WHERE posting = {PAYMENT}"],
        ("payment", None, None, "venue:5"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_what_was_changed_behind_the_books_is_named(file_city, tampering):
    statements, expected = TAMPERINGS[tampering]
    change(file_city, *statements)
    found = verified(file_city).difference
    assert found is not None
    assert (found.what, found.terminal, found.sequence, found.account) == expected
    assert found.expected != found.found


def test_entries_that_do_not_follow_on_are_a_break_in_the_chain(file_city):
    change(file_city, "UPDATE entry SET previous_mac = zeroblob(16) WHERE terminal = 101 AND position = 3")
    assert verified(file_city).difference.what == "chain"


def test_a_vault_that_says_no_to_what_was_paid_is_a_difference(city):
    city.vault.committed.clear()
    found = verified(city).difference
    assert (found.what, found.expected, found.found) == ("state", "rejected or received", "proven")


def test_a_vault_that_does_not_answer_is_not_taken_for_a_yes(city):
    city.vault.down = True
    with pytest.raises(LinkError):
        verified(city)


def test_records_that_wait_for_proof_are_counted_and_are_no_difference(world):
    world.vault.down = True
    world.pool.tap(world.holder)
    world.sync()
    world.vault.down = False
    found = verified(world)
    assert (found.difference, found.waiting) == (None, 1)


def test_a_record_in_quarantine_that_can_be_booked_by_now_is_named(world):
    world.pool.tap(world.holder, offer=99)
    world.sync()
    assert verified(world).difference is None
    world.import_venues(WITH_OFFER_99)
    found = verified(world).difference
    assert (found.what, found.expected, found.found) == ("state", "proven or received", "rejected")


def booked(world):
    """A doubt that the vault found to have happened, booked by two people."""
    tap = world.pool.doubt(world.holder)
    world.sync()
    finds(world, ("happened", 1, NULLIFIER))
    world.clearing.exceptions.book("doubt:101.1", "Anna")
    world.clearing.exceptions.confirm("doubt:101.1", "Bram")
    return tap


def test_a_doubt_that_two_people_booked_holds(world):
    booked(world)
    assert verified(world).difference is None


FOUND = (
    "INSERT INTO finding (kind, terminal, sequence, nullifier, recorded_at, municipality)"
    " VALUES ('{}', 201, 3, {}, '2026-11-02', 1)"
)
OTHER_NULLIFIER = "b" * 32
FORGED_FINDINGS = {
    "a doubt that the pass did pay, made void": [
        FOUND.format("did_not_happen", "NULL"),
        "UPDATE entry SET state = 'void' WHERE state = 'in_doubt'",
    ],
    "a doubt that is due to be booked": [FOUND.format("happened", f"'{OTHER_NULLIFIER}'")],
}


@pytest.mark.parametrize("forged", FORGED_FINDINGS)
def test_a_finding_that_the_vault_never_made_is_named(file_city, forged):
    change(file_city, *FORGED_FINDINGS[forged])
    found = verified(file_city).difference
    assert (found.what, found.terminal, found.sequence, found.expected) == ("finding", 201, 3, "none")


def test_a_finding_with_another_nullifier_is_named(tmp_path):
    """With it the same transaction could be booked once more."""
    world = World(tmp_path)
    booked(world)
    change(
        world,
        f"UPDATE finding SET nullifier = '{OTHER_NULLIFIER}'",
        f"UPDATE entry SET nullifier = '{OTHER_NULLIFIER}' WHERE state = 'proven'",
    )
    found = verified(world).difference
    world.clearing.close()
    assert (found.what, found.expected) == ("finding", f"happened {NULLIFIER}")


def test_a_nullifier_that_the_vault_cannot_make_any_more_is_believed(world):
    booked(world)
    finds(world, ("happened", 1, None))
    assert verified(world).difference is None


def test_without_doubts_that_ended_the_vault_is_asked_for_no_audit(city):
    assert verified(city).difference is None
    assert city.vault.audited == b""


def test_a_booked_doubt_that_its_terminal_settles_later_holds(world):
    world.pool.commit(booked(world), world.holder)
    proof = next(reversed(world.vault.committed))
    world.vault.committed[proof] = NULLIFIER
    world.sync()
    assert verified(world).difference is None


def test_a_doubt_that_was_booked_against_the_rules_is_named(tmp_path):
    world = World(tmp_path)
    booked(world)
    change(world, "UPDATE offer SET number = 16 WHERE number = 11")
    found = verified(world).difference
    world.clearing.close()
    assert (found.what, found.expected, found.found) == ("state", "in_doubt or rejected", "proven")


def test_loads_in_order_of_funds_are_computed_as_on_the_day_of_each(world):
    with_grant(world, IN_ORDER, budgets=BUDGETS)
    for holder in (world.holder, world.sibling, world.stranger):
        world.desk.load(holder, amount=15000)
        world.sync()
    assert verified(world).difference is None


def test_a_tap_under_terms_that_changed_the_same_day_is_computed_by_its_own(world):
    world.pool.tap(world.holder, offer=14, purse=5, amount=1)
    world.sync()
    world.import_venues(VENUES.replace("compensation = 850", "compensation = 900"))
    assert world.venue_is_owed() == 850
    assert verified(world).difference is None
    world.pool.tap(world.sibling, offer=14, purse=5, amount=1)
    world.sync()
    assert world.venue_is_owed() == 850 + 900
    assert verified(world).difference is None


def test_a_repeated_transaction_under_another_number_stays_refused(world):
    world.pool.tap(world.holder)
    world.sync()
    key = next(iter(world.vault.committed))
    record = world.pool.record(TAP, 11, 1, 500)
    sealed = world.pool.seal(record, world.holder)
    world.vault.committed[record.to_bytes(), sealed] = world.vault.committed[key]
    world.pool.append(1, record, sealed)
    world.sync()
    assert world.reasons() == ["replay"]
    assert verified(world).difference is None
