"""A copy of the database was put back: what the bank paid since is not paid again, and each venue is paid once."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from backend.errors import BankFileRefused, NotFound, RecoveryRefused, SettlementRefused
from tests.backend.a_bank import camt
from tests.backend.conftest import NOT_ALLOWED, POOL, SHOP

END, DECEMBER = date(2026, 11, 30), date(2026, 12, 31)


def settle(world, until=END):
    """The order that goes to the bank."""
    made = world.clearing.settlements.prepare(until, "Anna")
    world.clearing.settlements.approve(made.number, "Bram")
    world.clearing.settlements.sent(made.number, "Bram")
    return world.clearing.settlements.payment_file(made.number)


def first_month(world):
    """12.50 for the pool and 3.00 for the shop are paid, and the bank said so."""
    world.sells()
    settle(world)
    take(world, camt([("DBIT", 1250, "MD-1-2026-001-5"), ("DBIT", 300, "MD-1-2026-001-6")]))


def sells_more(world):
    world.pool.tap(world.sibling)
    world.shop.tap(world.holder, offer=21, amount=450, price=450)


# What the bank says of the second settlement, payment by payment or in one entry for the whole order.
EACH = [("DBIT", 500, "MD-1-2026-002-5"), ("DBIT", 450, "MD-1-2026-002-6")]
WHOLE = [("DBIT", 950, None, "<Btch><PmtInfId>MD-1-2026-002-1</PmtInfId></Btch>")]


def said(entries, message="S2", number=2, opening=998450, **more):
    return camt(entries, message=message, number=number, opening=opening, **more)


def take(world, content):
    return world.clearing.bank.take(content, "Chris")


@pytest.fixture
def lost(new_world):
    """The order of a second settlement of 5.00 and 4.50, which the bank carried out."""
    world = new_world()
    first_month(world)
    sells_more(world)
    world.sync()
    return settle(world, DECEMBER)


@pytest.fixture
def copy(new_world):
    """Clearing as it was before that settlement. Terminals handed in again what it lacked."""
    world = new_world()
    first_month(world)
    sells_more(world)
    world.sync()
    return world


def recovered(world, order):
    world.clearing.recovery.begin("Dirk")
    for name in ("Anna", "Bram"):
        world.clearing.recovery.order(order, name)
    return world


def money(world):
    """Cents on the way, gone by the bank's statement, and owed to each venue."""
    return world.balance("transit"), world.balance("bank"), world.venue_is_owed(POOL), world.venue_is_owed(SHOP)


@pytest.mark.parametrize("entries", [EACH, WHOLE], ids=["each", "whole"])
def test_a_statement_of_a_payment_that_the_books_lack_stops_all_payments_until_its_order_is_taken_in(
    copy, lost, entries
):
    with pytest.raises(BankFileRefused, match="settlement 2026-002, which the books do not have") as refusal:
        take(copy, said(entries))
    assert refusal.value.reason == "behind"
    assert money(copy) == (0, 1550, 500, 450)
    with pytest.raises(SettlementRefused, match="A copy of the books was put back") as stopped:
        settle(copy, DECEMBER)
    assert stopped.value.reason == "behind"
    for name in ("Anna", "Bram"):
        copy.clearing.recovery.order(lost, name)
    assert take(copy, said(entries))["paid"] == 2
    copy.clearing.recovery.end("Dirk")
    assert money(copy) == (0, 2500, 0, 0)
    assert copy.clearing.verification.run().difference is None


def test_what_was_paid_is_less_of_the_next_settlement_also_when_that_has_more_taps(copy, lost):
    recovered(copy, lost).clearing.recovery.end("Els")
    copy.pool.tap(copy.holder)
    copy.sync()
    made = copy.clearing.settlements.prepare(DECEMBER, "Anna")
    assert [(line.venue, line.opening, line.earned, line.paid) for line in made.lines] == [
        (POOL, -500, 1000, 500),
        (SHOP, -450, 450, 0),
    ]
    copy.clearing.settlements.approve(made.number, "Bram")
    assert money(copy) == (1450, 1550, 0, 0)
    assert copy.clearing.verification.run().difference is None
    states = copy.clearing.records.now().venues
    assert {name: each.cents for name, each in states[SHOP].items() if each.cents} == {"paid": 750}
    assert {name: each.cents for name, each in states[POOL].items() if each.cents} == {"settled": 1000, "paid": 1250}


def test_a_venue_whose_taps_come_in_again_later_is_paid_what_is_left_of_them(new_world, lost):
    copy = new_world()
    first_month(copy)
    recovered(copy, lost).clearing.recovery.end("Els")
    assert money(copy) == (950, 1550, -500, -450)
    with pytest.raises(SettlementRefused) as refusal:
        settle(copy, DECEMBER)
    assert refusal.value.reason == "nothing"
    sells_more(copy)
    copy.pool.tap(copy.holder)
    copy.sync()
    settle(copy, DECEMBER)
    assert money(copy) == (1450, 1550, 0, 0)


def test_the_first_settlement_of_all_can_be_the_lost_one(new_world):
    then, copy = new_world(), new_world()
    for world in (then, copy):
        world.sells()
    recovered(copy, settle(then)).clearing.recovery.end("Els")
    assert money(copy) == (1550, 0, 0, 0)
    copy.pool.tap(copy.holder)
    copy.sync()
    settle(copy)
    assert money(copy) == (2050, 0, 0, 0)


def test_the_order_that_was_taken_in_is_the_same_bytes_again(copy, lost):
    recovered(copy, lost)
    assert copy.clearing.settlements.payment_file("2026-002") == lost
    assert copy.clearing.settlements.get("2026-002").state == "sent"


def test_a_recovered_payment_that_comes_back_is_paid_again(copy, lost):
    recovered(copy, lost).clearing.recovery.end("Els")
    take(copy, said([*EACH, ("CRDT", 450, "MD-1-2026-002-6")]))
    settle(copy, DECEMBER)
    assert money(copy) == (450, 2050, 0, 0)


def test_no_number_is_given_out_twice(copy, lost):
    """Orders that the bank refused, and statements that venues have, may have had one that nobody knows any more."""
    recovered(copy, lost).clearing.recovery.end("Els")
    copy.now += timedelta(days=1)
    copy.pool.tap(copy.holder)
    copy.sync()
    settle(copy, DECEMBER)
    copy.pool.tap(copy.holder)
    copy.sync()
    settle(copy, DECEMBER)
    assert [made.number for made in copy.clearing.settlements.all()] == ["2026-001", "2026-002", "2026-101", "2026-102"]


def test_in_another_year_numbers_begin_anew_as_well(copy, lost):
    recovered(copy, lost).clearing.recovery.end("Els")
    copy.pool.tap(copy.holder)
    copy.sync()
    settle(copy, date(2027, 1, 31))
    assert copy.clearing.settlements.all()[-1].number == "2027-101"


# Two people


def test_two_people_take_in_the_same_order(copy, lost):
    copy.clearing.recovery.begin("Dirk")
    assert copy.clearing.recovery.order(lost, "Anna").state == "proposed"
    with pytest.raises(NotFound):
        copy.clearing.settlements.get("2026-002")
    with pytest.raises(RecoveryRefused) as refusal:
        copy.clearing.recovery.order(lost, " ANNA ")
    assert refusal.value.reason == "two people"
    with pytest.raises(RecoveryRefused) as refusal:
        copy.clearing.recovery.end("Els")
    assert refusal.value.reason == "proposed"
    done = copy.clearing.recovery.order(lost, "Bram")
    assert (done.settlement, done.total, done.payments, done.state) == ("2026-002", 950, 2, "booked")
    with pytest.raises(RecoveryRefused) as refusal:
        copy.clearing.recovery.order(lost, "Chris")
    assert refusal.value.reason == "known"
    copy.clearing.recovery.end("Els")


def test_who_takes_in_another_order_begins_anew(copy, lost):
    other = lost.replace(b"4.50", b"4.40").replace(b"9.50", b"9.40")
    copy.clearing.recovery.begin("Dirk")
    copy.clearing.recovery.order(other, "Anna")
    assert copy.clearing.recovery.order(lost, "Bram").state == "proposed"
    assert copy.clearing.recovery.order(lost, "Anna").state == "booked"
    assert money(copy) == (950, 1550, 0, 0)


def test_who_began_does_not_end_it(copy):
    copy.clearing.recovery.begin("Dirk")
    with pytest.raises(RecoveryRefused) as refusal:
        copy.clearing.recovery.end("dirk")
    assert refusal.value.reason == "two people"
    with pytest.raises(RecoveryRefused) as refusal:
        copy.clearing.recovery.begin("Els")
    assert refusal.value.reason == "begun"
    copy.clearing.recovery.end("Els")
    settle(copy, DECEMBER)
    assert money(copy) == (950, 1550, 0, 0)


@pytest.mark.parametrize("do", [lambda it, order: it.order(order, "Anna"), lambda it, order: it.end("Anna")])
def test_without_a_copy_nothing_is_recovered(copy, lost, do):
    with pytest.raises(RecoveryRefused) as refusal:
        do(copy.clearing.recovery, lost)
    assert refusal.value.reason == "not begun"


# What the copy knows already


def test_a_settlement_that_was_prepared_in_the_copy_is_approved_as_it_was_paid(copy, lost):
    copy.clearing.settlements.prepare(DECEMBER, "Anna")
    copy.clearing.recovery.begin("Dirk")
    with pytest.raises(SettlementRefused) as stopped:
        copy.clearing.settlements.approve("2026-002", "Bram")
    assert stopped.value.reason == "behind"
    with pytest.raises(BankFileRefused) as refusal:
        take(copy, said(EACH))
    assert refusal.value.reason == "behind"
    copy.clearing.recovery.order(lost, "Bram")
    with pytest.raises(RecoveryRefused) as refused:
        copy.clearing.recovery.order(lost, "Anna")
    assert refused.value.reason == "two people"
    copy.clearing.recovery.order(lost, "Chris")
    take(copy, said(EACH))
    copy.clearing.recovery.end("Els")
    assert money(copy) == (0, 2500, 0, 0)
    assert copy.clearing.settlements.payment_file("2026-002") == lost
    with pytest.raises(SettlementRefused) as refusal:
        settle(copy, DECEMBER)
    assert refusal.value.reason == "nothing"
    assert copy.clearing.verification.run().difference is None


def test_a_settlement_that_was_approved_in_the_copy_is_noted_as_sent_and_not_revoked(copy, lost):
    settlements = copy.clearing.settlements
    settlements.approve(settlements.prepare(DECEMBER, "Anna").number, "Bram")
    copy.clearing.recovery.begin("Dirk")
    with pytest.raises(RecoveryRefused) as refused:
        copy.clearing.recovery.end("Els")
    assert refused.value.reason == "not sent"
    for name in ("Anna", "Bram"):
        copy.clearing.recovery.order(lost, name)
    copy.clearing.recovery.end("Els")
    assert money(copy) == (950, 1550, 0, 0)
    with pytest.raises(SettlementRefused) as refusal:
        settlements.revoke("2026-002", "Bram")
    assert refusal.value.reason == "sent"


def test_what_the_copy_has_as_prepared_or_approved_and_another_settlement_paid_is_undone_first(new_world):
    """Since the copy the first was withdrawn (or revoked), and the next paid the same taps: it pays them once."""
    then, prepared, approved = new_world(), new_world(), new_world()
    for world in (then, prepared, approved):
        world.sells()
        world.clearing.settlements.prepare(END, "Anna")
    then.clearing.settlements.withdraw("2026-001", "Anna")
    order = settle(then)
    approved.clearing.settlements.approve("2026-001", "Bram")
    undo = {prepared: lambda it: it.withdraw("2026-001", "Anna"), approved: lambda it: it.revoke("2026-001", "Bram")}
    for world, undone in undo.items():
        recovered(world, order)
        with pytest.raises(RecoveryRefused, match="Settlement 2026-001 wa"):
            world.clearing.recovery.end("Els")
        undone(world.clearing.settlements)
        world.clearing.recovery.end("Els")
        assert money(world) == (1550, 0, 0, 0)
        world.pool.tap(world.holder)
        world.sync()
        settle(world)
        assert money(world) == (2050, 0, 0, 0)


def test_an_order_that_the_bank_never_got_is_left_out(copy, lost):
    copy.clearing.recovery.begin("Dirk")
    copy.clearing.recovery.order(lost, "Anna")
    copy.clearing.recovery.end("Els", without=["2026-002"])
    settle(copy, DECEMBER)
    assert money(copy) == (950, 1550, 0, 0)


def test_an_order_that_says_something_else_than_the_settlement_in_the_books_is_refused(copy, lost):
    copy.shop.tap(copy.holder, offer=21, amount=100, price=100)
    copy.sync()
    copy.clearing.settlements.prepare(DECEMBER, "Anna")
    copy.clearing.recovery.begin("Dirk")
    with pytest.raises(RecoveryRefused) as refusal:
        copy.clearing.recovery.order(lost, "Bram")
    assert refusal.value.reason == "differs"


# What is no order of ours


@pytest.mark.parametrize(
    ("was", "becomes", "reason"),
    [
        (b"<Document", b"<Dokument", "format"),
        (b"MD-1-2026-002", b"MD-2-2026-002", "format"),
        (b"<EndToEndId>MD-1-2026-002-5<", b"<EndToEndId>MD-1-2026-001-5<", "format"),
        (b"<EndToEndId>MD-1-2026-002-5<", b"<EndToEndId>MD-1-2026-002-6<", "format"),
        (b"<EndToEndId>MD-1-2026-002-5<", b"<EndToEndId>MD-1-2026-002<", "format"),
        (b"<CtrlSum>9.50<", b"<CtrlSum>9.51<", "format"),
        (b'Ccy="EUR">5.00<', b'Ccy="EUR">5E9<', "format"),
        (b"+00:00</CreDtTm>", b"</CreDtTm>", "format"),
        (b"NL44RABO0123456789", b"NL38BNGH0285000123", "account"),
        (b"-002-5<", b"-002-7<", "venue"),
    ],
)
def test_what_is_no_order_of_ours_is_refused(copy, lost, was, becomes, reason):
    assert was in lost
    copy.clearing.recovery.begin("Dirk")
    with pytest.raises(RecoveryRefused) as refusal:
        copy.clearing.recovery.order(lost.replace(was, becomes), "Anna")
    assert refusal.value.reason == reason
    assert money(copy) == (0, 1550, 500, 450)


def test_an_order_is_read_however_the_bank_lays_it_out(copy, lost):
    laid_out = lost.replace(b"><", b">\n  <").replace(b"<Document xmlns=", b"<p:Document xmlns:p=")
    laid_out = laid_out.replace(b"</", b"</p:").replace(b"  <", b"  <p:").replace(b"<p:/", b"</")
    recovered(copy, laid_out)
    assert money(copy) == (950, 1550, 0, 0)


@pytest.mark.parametrize("entry", [("DBIT", 500, "MD-1-2026-999-9"), ("DBIT", 500, "MD-2-2026-002-5")])
def test_a_strange_entry_that_no_order_of_ours_can_have_made_waits_for_people_and_stops_nothing(copy, entry):
    assert take(copy, said([entry]))["unmatched"] == 1
    settle(copy, DECEMBER)
    assert money(copy) == (950, 1550, 0, 0)


def test_who_sends_a_cent_under_a_number_of_ours_stops_nothing(copy):
    """Anybody can, and each venue has seen such a number."""
    assert take(copy, said([("CRDT", 1, "MD-1-2026-002-5")]))["unmatched"] == 1
    settle(copy, DECEMBER)
    assert copy.balance("transit") == 950


def test_nothing_that_was_said_of_a_recovery_is_changed(copy, lost):
    recovered(copy, lost)
    for change in ("UPDATE recovery SET kind = 'ended'", "DELETE FROM recovery"):
        with pytest.raises(DatabaseError, match=NOT_ALLOWED), copy.connection() as connection:
            connection.execute(text(change))
