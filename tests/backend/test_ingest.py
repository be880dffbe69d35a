"""The way in: what is taken, what is refused, and that the way does not change the outcome."""

import dataclasses
import struct
from types import SimpleNamespace

import httpx
import pytest
from sqlalchemy import text

from backend.errors import BatchRefused, LinkError, NotFound, RecordRefused, TwoJournals
from backend.ingest import Ingest, differing_field
from backend.ledger import Rules
from card.batch import COMMITTED, IN_DOUBT, VOID, build_batch
from card.record import LOAD, TAP

POOL = 5


def test_a_tap_is_proven_posted_and_owed_to_its_venue(world):
    tap = world.pool.tap(world.holder)
    receipt = world.accept(world.pool.batch())
    assert dataclasses.asdict(receipt) == {
        "terminal": 101, "accepted": 1, "duplicates": 0, "next_position": 2, "gaps": [], "pending": 0, "refused": [],
    }  # fmt: skip
    assert world.state(world.pool, tap) == "proven"
    assert world.venue_is_owed() == 500
    assert world.balance("purse:1") == -500


def test_a_tap_that_did_not_commit_moves_nothing(world):
    tap = world.pool.void()
    world.sync()
    assert world.state(world.pool, tap) == "void"
    assert world.clearing.ledger.balances() == {}
    assert world.vault.asked == 0


def test_the_same_batch_again_is_a_duplicate(world):
    world.pool.tap(world.holder)
    world.pool.tap(world.sibling)
    world.sync()
    receipt = world.accept(world.pool.batch())
    assert (receipt.accepted, receipt.duplicates) == (0, 2)
    assert world.venue_is_owed() == 1000


def test_a_batch_that_skips_entries_says_what_is_missing(world):
    for _ in range(9):
        world.pool.tap(world.holder)
    receipt = world.accept(world.pool.batch(3, 4))
    assert (receipt.next_position, receipt.gaps) == (1, [(1, 2)])
    receipt = world.accept(world.pool.batch(8, 8))
    assert (receipt.next_position, receipt.gaps) == (1, [(1, 2), (5, 7)])
    receipt = world.accept(world.pool.batch(1, 6))
    assert (receipt.accepted, receipt.duplicates) == (4, 2)
    assert (receipt.next_position, receipt.gaps) == (7, [(7, 7)])
    receipt = world.accept(world.pool.batch())
    assert (receipt.next_position, receipt.gaps) == (10, [])
    assert world.venue_is_owed() == 9 * 500


# A batch that cannot be taken


def flipped(body, at):
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda body: b"", "format"),
        (lambda body: body[:-1], "format"),
        (lambda body: body + b"x", "format"),
        (lambda body: flipped(body, 0), "format"),
        (lambda body: flipped(body, 4), "terminal"),
        (lambda body: flipped(body, 9), "mac"),
        (lambda body: flipped(body, 40), "mac"),
        (lambda body: flipped(body, len(body) - 1), "mac"),
    ],
)
def test_a_damaged_batch_is_refused_kept_and_changes_nothing(world, damage, reason):
    world.pool.tap(world.holder)
    with pytest.raises(BatchRefused) as refusal:
        world.accept(damage(world.pool.batch()))
    assert refusal.value.reason == reason
    assert world.reasons() == [reason]
    assert world.picture()[:3] == ({}, [], {})


def test_a_batch_with_an_entry_left_out_is_refused(world):
    for _ in range(3):
        world.pool.tap(world.holder)
    pool = world.pool
    body = build_batch(pool.key, pool.number, 1, pool.macs[0], [pool.entries[0], pool.entries[2]])
    with pytest.raises(BatchRefused, match="entry 2 does not follow") as refusal:
        world.accept(body)
    assert refusal.value.reason == "chain"


def test_a_batch_of_another_terminal_than_it_is_sent_for_is_refused(world):
    world.pool.tap(world.holder)
    with pytest.raises(BatchRefused, match="of terminal 101, not 201"):
        world.accept(world.pool.batch(), 201)


def test_the_same_refused_batch_is_kept_once(world):
    for _ in range(3):
        with pytest.raises(BatchRefused):
            world.accept(b"nonsense")
    assert world.reasons() == ["format"]


def test_a_batch_of_a_terminal_that_is_registered_later_is_taken_on_retry(world):
    late = world.terminal(102)
    late.tap(world.holder)
    with pytest.raises(BatchRefused) as refusal:
        world.sync(late)
    assert refusal.value.reason == "terminal"
    (item,) = world.quarantine()
    assert not world.clearing.ingest.retry(item.id).resolved
    world.import_venues((world.folder / "venues.toml").read_text().replace("[101]", "[101, 102]"))
    assert world.clearing.ingest.retry(item.id).resolved
    assert world.reasons() == []
    assert world.venue_is_owed() == 500


def test_a_refused_batch_that_is_sent_again_and_taken_is_resolved(world):
    late = world.terminal(102)
    late.tap(world.holder)
    with pytest.raises(BatchRefused):
        world.sync(late)
    world.import_venues((world.folder / "venues.toml").read_text().replace("[101]", "[101, 102]"))
    world.sync(late)
    assert world.reasons() == []


# Two journals


def clone(world, taps):
    """A terminal with the pool's keys and another past."""
    other = world.terminal(101)
    for _ in range(taps):
        other.tap(world.stranger)
    return other


def test_another_journal_of_the_same_terminal_is_refused(world):
    world.pool.tap(world.holder)
    world.sync()
    before = world.picture()
    with pytest.raises(TwoJournals, match="held with another sealed"):
        world.accept(clone(world, 1).batch())
    assert world.picture()[:3] == before[:3]
    assert world.reasons() == ["two journals"]


def test_a_batch_must_follow_what_is_held_before_it(world):
    world.pool.tap(world.holder)
    world.sync()
    with pytest.raises(TwoJournals, match="does not follow the entry 1"):
        world.accept(clone(world, 2).batch(2, 2))


def test_a_batch_must_lead_to_what_is_held_after_it(world):
    world.pool.tap(world.holder)
    world.pool.tap(world.holder)
    world.accept(world.pool.batch(2, 2))
    with pytest.raises(TwoJournals, match="entry 2 that is held does not follow entry 1"):
        world.accept(clone(world, 1).batch())


def test_a_journal_begins_at_its_beginning(world):
    pool = world.pool
    pool.macs[0] = bytes([1] * 16)
    pool.tap(world.holder)
    with pytest.raises(TwoJournals):
        world.sync(pool)


@pytest.mark.parametrize("field", ["sequence", "outcome", "clear", "sealed", "previous_mac", "mac"])
def test_an_entry_that_comes_twice_is_compared_field_by_field(field):
    values = dict.fromkeys(("sequence", "outcome", "clear", "sealed", "previous_mac", "mac"), b"same")
    held = SimpleNamespace(**values)
    assert differing_field(held, values) is None
    assert differing_field(held, values | {field: b"other"}) == field


# Doubt


@pytest.mark.parametrize("apart", [False, True])
def test_a_doubt_that_the_pass_resolves_is_paid(world, apart):
    tap = world.pool.doubt(world.holder)
    if apart:
        world.sync()
        assert world.state(world.pool, tap) == "in_doubt"
        assert world.venue_is_owed() == 0
    world.pool.commit(tap, world.holder)
    world.sync()
    assert world.state(world.pool, tap) == "proven"
    assert world.venue_is_owed() == 500


def test_a_doubt_that_was_no_tap_is_void(world):
    tap = world.pool.doubt(world.holder)
    world.pool.void(sequence=tap.sequence)
    world.sync()
    assert world.state(world.pool, tap) == "void"
    assert world.venue_is_owed() == 0


def test_a_resolution_may_come_in_before_its_doubt(world):
    tap = world.pool.doubt(world.holder)
    world.pool.commit(tap, world.holder)
    world.accept(world.pool.batch(2, 2))
    world.accept(world.pool.batch(1, 1))
    assert world.state(world.pool, tap) == "proven"
    assert world.venue_is_owed() == 500
    assert world.reasons() == []


@pytest.mark.parametrize("second", [COMMITTED, VOID, IN_DOUBT])
def test_a_sequence_that_is_decided_stays_decided(world, second):
    tap = world.pool.tap(world.holder)
    world.pool.append(second, tap, world.pool.seal(tap, world.holder))
    receipt = world.accept(world.pool.batch())
    assert [(each.position, each.reason) for each in receipt.refused] == [(2, "sequence")]
    assert world.venue_is_owed() == 500


def test_a_doubt_is_resolved_once(world):
    tap = world.pool.doubt(world.holder)
    world.pool.commit(tap, world.holder)
    world.pool.void(sequence=tap.sequence)
    world.sync()
    assert world.reasons() == ["sequence"]
    assert world.state(world.pool, tap) == "proven"
    (item,) = world.quarantine()
    assert not world.clearing.ingest.retry(item.id).resolved


@pytest.mark.parametrize("before", [[3], [1, 3]], ids=["and no doubt before it", "after another doubt"])
def test_a_sequence_has_one_doubt_also_when_the_resolution_comes_in_first(world, before):
    tap = world.pool.doubt(world.holder)
    world.pool.append(IN_DOUBT, tap, world.pool.seal(tap, world.holder))
    world.pool.commit(tap, world.holder)
    for position in before:
        world.accept(world.pool.batch(position, position))
    receipt = world.accept(world.pool.batch(1, 2))
    assert [(each.position, each.reason) for each in receipt.refused] == [(2, "sequence")]
    assert world.venue_is_owed() == 500


def test_a_doubt_is_resolved_by_a_later_entry_only(world):
    tap = world.pool.tap(world.holder)
    world.pool.append(IN_DOUBT, tap, world.pool.seal(tap, world.holder))
    world.accept(world.pool.batch(2, 2))
    world.accept(world.pool.batch(1, 1))
    assert world.state(world.pool, tap) == "in_doubt"
    assert world.reasons() == ["sequence"]


def test_a_doubt_is_not_resolved_by_another_record(world):
    tap = world.pool.doubt(world.holder)
    world.pool.commit(world.pool.record(TAP, 12, 1, 900, price=900, sequence=tap.sequence), world.holder)
    world.sync()
    assert world.state(world.pool, tap) == "in_doubt"
    assert world.reasons() == ["sequence"]


# Proof


@pytest.mark.parametrize("reason", ["seal", "handle", "mac", "record"])
def test_what_the_vault_does_not_prove_is_kept_and_not_paid(world, reason):
    record = world.pool.record(TAP, 11, 1, 500)
    sealed = world.pool.seal(record, world.stranger)
    world.vault.says[record.to_bytes(), sealed] = reason
    world.pool.append(COMMITTED, record, sealed)
    receipt = world.accept(world.pool.batch())
    assert [each.reason for each in receipt.refused] == [reason]
    assert world.state(world.pool, record) == "rejected"
    assert world.venue_is_owed() == 0
    # Sent again, the answer is the same: whoever lost the first one learns what was refused.
    assert [each.reason for each in world.accept(world.pool.batch()).refused] == [reason]


def test_a_transaction_handed_in_under_two_numbers_is_paid_once(world):
    first = world.pool.tap(world.holder)
    second = world.pool.record(TAP, 11, 1, 500)
    sealed = world.pool.seal(second, world.holder)
    nullifier = next(iter(world.vault.committed.values()))
    world.vault.committed[second.to_bytes(), sealed] = nullifier
    world.pool.append(COMMITTED, second, sealed)
    world.sync()
    assert world.state(world.pool, first) == "proven"
    assert world.state(world.pool, second) == "rejected"
    assert world.reasons() == ["replay"]
    assert world.venue_is_owed() == 500


def test_while_the_vault_is_down_nothing_is_lost(world):
    world.vault.down = True
    tap = world.pool.tap(world.holder)
    receipt = world.accept(world.pool.batch())
    assert (receipt.accepted, receipt.pending) == (1, 1)
    assert world.state(world.pool, tap) == "received"
    with pytest.raises(LinkError):
        world.clearing.ingest.prove_pending()
    world.vault.down = False
    assert world.clearing.ingest.prove_pending() == 1
    assert world.clearing.ingest.prove_pending() == 0
    assert world.venue_is_owed() == 500


def proof(terminal=101, sequence=1, reason=0, nullifier=b"\1" * 16):
    """An answer of the vault."""
    return struct.pack("<IIB16s", terminal, sequence, reason, nullifier)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(401),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={}),
        httpx.Response(200),
        httpx.Response(200, content=proof()[:-1]),
        httpx.Response(200, content=proof() * 2),
        httpx.Response(200, content=proof(terminal=102)),
        httpx.Response(200, content=proof(sequence=2)),
        httpx.Response(200, content=proof(nullifier=bytes(16))),
        httpx.Response(200, content=proof(reason=5)),
        httpx.Response(200, content=proof(reason=6, nullifier=bytes(16))),
        httpx.Response(200, content=proof(reason=255, nullifier=bytes(16))),
    ],
)
def test_an_answer_of_the_vault_that_cannot_be_trusted_decides_nothing(world, answer):
    world.vault.answer = answer
    tap = world.pool.tap(world.holder)
    assert world.accept(world.pool.batch()).pending == 1
    assert world.state(world.pool, tap) == "received"
    world.vault.answer = None
    world.clearing.ingest.prove_pending()
    assert world.venue_is_owed() == 500


def test_two_that_prove_at_once_post_once(world, monkeypatch):
    world.vault.down = True
    world.pool.tap(world.holder)
    world.sync()
    world.vault.down = False
    prove = world.clearing.ingest._vault.prove

    def meanwhile(questions):
        verdicts = prove(questions)
        other = world.open()
        assert other.ingest.prove_pending() == 1
        other.close()
        return verdicts

    monkeypatch.setattr(world.clearing.ingest._vault, "prove", meanwhile)
    assert world.clearing.ingest.prove_pending() == 0
    assert world.venue_is_owed() == 500


# Rules


def refused_for(world, terminal):
    world.sync(terminal)
    assert world.clearing.ledger.balances() == {}
    return world.reasons()


def test_an_offer_that_is_not_known_is_refused_until_it_is(world):
    world.pool.tap(world.holder, offer=99)
    assert refused_for(world, world.pool) == ["offer"]
    (item,) = world.quarantine()
    again = world.clearing.ingest.retry(item.id)
    assert (again.resolved, again.reason) == (False, "offer")
    venues = (world.folder / "venues.toml").read_text().replace("number = 11", "number = 99", 1)
    world.import_venues(venues)
    assert world.clearing.ingest.retry(item.id).resolved
    assert world.venue_is_owed() == 500
    assert world.reasons() == []
    assert world.clearing.ingest.retry(item.id).resolved  # once more does nothing
    assert world.venue_is_owed() == 500


def test_an_offer_of_another_venue_is_refused(world):
    world.shop.tap(world.holder, offer=11)
    assert refused_for(world, world.shop) == ["offer venue"]


def test_an_offer_before_its_first_day_is_refused(world):
    world.pool.day = world.pool.day.replace(day=1)
    world.pool.tap(world.holder)
    assert refused_for(world, world.pool) == ["offer day"]


@pytest.mark.parametrize(
    "tap",
    [
        {"amount": 499},
        {"amount": 501},
        {"price": 700},
        {"discount": 1},
        {"copayment": 1},
        {"purse2": 4, "amount2": 1},
        {"purse": 4, "amount": 1},
        {"offer": 12, "amount": 800, "price": 700},
        {"offer": 12, "amount": 600, "price": 700},
        {"offer": 12, "amount": 700, "price": 700, "discount": 1},
        {"offer": 13, "purse": 4, "amount": 2, "price": 1000, "discount": 500, "copayment": 500},
        {"offer": 13, "purse": 4, "amount": 1, "price": 1001, "discount": 501, "copayment": 500},
        {"offer": 13, "purse": 4, "amount": 1, "price": 9000, "discount": 4500, "copayment": 4500},
        {"offer": 13, "purse": 4, "amount": 1, "price": 1000, "discount": 500, "copayment": 501},
        {"offer": 13, "purse": 4, "amount": 1, "price": 1000, "discount": 400, "copayment": 500},
        {"offer": 15, "purse": 3, "amount": 20},
        {"offer": 15, "purse": 3, "amount": 20, "purse2": 4, "amount2": 2},
        {"offer": 15, "purse": 3, "amount": 20, "purse2": 5, "amount2": 1},
    ],
)
def test_a_tap_that_is_not_what_its_offer_says_is_refused(world, tap):
    world.pool.tap(world.holder, **tap)
    assert refused_for(world, world.pool) == ["amount"]


@pytest.mark.parametrize(
    ("tap", "owed"),
    [
        ({"price": 500}, 500),
        ({"offer": 12, "amount": 700, "price": 700}, 700),
        ({"offer": 12, "amount": 600, "price": 700, "copayment": 100}, 600),
        ({"offer": 13, "purse": 4, "amount": 1, "price": 1001, "discount": 500, "copayment": 501}, 500),
        ({"offer": 13, "purse": 4, "amount": 1, "price": 9000, "discount": 1000, "copayment": 8000}, 1000),
        ({"offer": 14, "purse": 5, "amount": 1}, 850),
        ({"offer": 15, "purse": 3, "amount": 20, "purse2": 4, "amount2": 1}, 0),
    ],
)
def test_a_tap_that_is_what_its_offer_says_is_owed(world, tap, owed):
    world.pool.tap(world.holder, **tap)
    world.sync()
    assert world.reasons() == []
    assert world.venue_is_owed() == owed


def test_a_discount_that_a_venue_gives_by_itself_is_owed_by_nobody(world):
    world.import_venues((world.folder / "venues.toml").read_text().replace("compensated = true\n", ""))
    world.pool.tap(world.holder, offer=13, purse=4, amount=1, price=1000, discount=500, copayment=500)
    world.sync()
    assert world.reasons() == []
    assert (world.venue_is_owed(), world.balance("discounts:Minimabeleid")) == (0, 0)


def test_a_purse_that_the_scheme_does_not_have_is_refused(world):
    world.pool.tap(world.holder, purse=9)
    assert refused_for(world, world.pool) == ["purse"]


@pytest.mark.parametrize("purse", [1, 2])
def test_a_venue_that_takes_from_a_purse_it_may_not_is_not_paid_and_the_holder_is_due(world, purse):
    owed, due = (500, 0) if purse == 1 else (0, 500)
    world.shop.tap(world.holder, offer=21, purse=purse, price=500)
    world.sync()
    assert world.reasons() == []
    assert (world.venue_is_owed(6), world.balance("suspense:recredit")) == (owed, due)
    assert world.balance(f"purse:{purse}") == -500
    world.shop.reverse(world.holder, offer=21, purse=purse, price=500)
    world.sync()
    assert (world.venue_is_owed(6), world.balance("suspense:recredit")) == (0, 0)
    with world.connection() as connection:
        why = connection.scalars(text("SELECT not_payable FROM posting")).all()
    assert why == [None if purse == 1 else "purse"] * 2


def test_a_second_purse_that_a_venue_may_not_take_from_spoils_the_whole_tap(world):
    world.shop.tap(world.holder, offer=21, amount=500, price=500, purse2=2, amount2=300)
    world.sync()
    assert (world.venue_is_owed(6), world.balance("suspense:recredit")) == (0, 800)


def test_only_a_desk_loads(world):
    world.pool.load(world.holder)
    assert refused_for(world, world.pool) == ["load"]


def test_a_desk_sells_nothing(world):
    world.desk.tap(world.holder)
    assert refused_for(world, world.desk) == ["desk"]


@pytest.mark.parametrize(
    "load", [{"grant": 8}, {"purse": 2}, {"purse2": 2, "amount2": 100}, {"price": 5}, {"discount": 5}]
)
def test_a_load_that_its_grant_does_not_say_is_refused(world, load):
    world.desk.load(world.holder, **load)
    assert refused_for(world, world.desk) == ["grant"]


@pytest.mark.parametrize("more", [{"purse2": 2, "amount2": 100}, {"price": 5}, {"discount": 5}])
def test_what_a_lost_pass_held_goes_to_one_purse_and_has_no_price(world, more):
    world.desk.load(world.holder, grant=0, **more)
    assert refused_for(world, world.desk) == ["grant"]


def test_a_record_of_a_terminal_that_is_not_in_the_catalogue_is_refused(world):
    record = world.terminal(999).record(TAP, 11, 1, 500)
    with pytest.raises(RecordRefused) as refusal, world.clearing.store.reading() as tx:
        Rules(world.config).book(tx, record)
    assert refusal.value.reason == "terminal"


def test_taps_that_are_alike_but_for_their_day_are_each_judged_by_their_own(world):
    world.pool.tap(world.holder)
    world.pool.day = world.pool.day.replace(day=1)
    world.pool.tap(world.holder)
    world.sync()
    assert world.reasons() == ["offer day"]
    assert world.venue_is_owed() == 500


def test_taps_that_only_differ_in_their_number_are_one_posting_and_each_load_is_its_own(world):
    for _ in range(2):
        world.desk.load(world.holder)
    for _ in range(3):
        world.pool.tap(world.holder)
    world.sync()
    with world.connection() as connection:
        made = connection.execute(text("SELECT kind, records FROM posting ORDER BY id")).all()
    assert [tuple(each) for each in made] == [("load", 1), ("load", 1), ("tap", 3)]


def test_a_reversal_nets(world):
    world.desk.load(world.holder)
    world.pool.tap(world.holder)
    world.pool.reverse(world.holder)
    world.sync()
    assert world.venue_is_owed() == 0
    assert world.balance("purse:1") == 15000


def test_a_reversal_of_a_discount_takes_the_compensation_back(world):
    what = {"offer": 13, "purse": 4, "amount": 1, "price": 1000, "discount": 500, "copayment": 500}
    world.pool.tap(world.holder, **what)
    world.sync()
    assert world.balance("discounts:Minimabeleid") == -500
    world.pool.reverse(world.holder, **what)
    world.sync()
    assert world.balance("discounts:Minimabeleid") == world.venue_is_owed() == 0


def test_a_retry_of_nothing_is_not_found(world):
    with pytest.raises(NotFound):
        world.clearing.ingest.retry(77)


def test_a_retry_without_the_vault_changes_nothing(world):
    world.pool.tap(world.holder, offer=99)
    world.sync()
    (item,) = world.quarantine()
    world.vault.down = True
    with pytest.raises(LinkError):
        world.clearing.ingest.retry(item.id)
    assert world.reasons() == ["offer"]


def test_the_desk_of_a_scheme_is_a_terminal_without_a_venue(world):
    record = world.desk.load(world.holder)
    assert record.kind == LOAD
    assert isinstance(world.clearing.ingest, Ingest)
    world.sync()
    assert world.balance("fund:Minimabeleid") == -15000
    assert world.balance("purse:1") == 15000
