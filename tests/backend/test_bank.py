"""What the bank says: money on its way arrives or comes back, an entry counts once, and what fits nothing waits."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from backend.bank.messages import MOST_BYTES, read
from backend.errors import BankEntryRefused, BankFileRefused, NotFound, SettlementRefused
from tests.backend.a_bank import OURS, camt, euros, open_bank, pain_002
from tests.backend.conftest import NOT_ALLOWED

END, DECEMBER = date(2026, 11, 30), date(2026, 12, 31)
TODAY = date(2026, 11, 2)
POOL, SHOP = "MD-1-2026-001-5", "MD-1-2026-001-6"


@pytest.fixture
def month(world):
    """A settlement of 15.50 is with the bank: 12.50 for the pool and 3.00 for the shop."""
    world.sells()
    settle(world)
    return world


def settle(world, until=END):
    made = world.clearing.settlements.prepare(until, "Anna")
    world.clearing.settlements.approve(made.number, "Bram")
    return world.clearing.settlements.sent(made.number, "Bram")


def take(world, content, by="Chris"):
    return world.clearing.bank.take(content, by)


def states(world, number="2026-001"):
    return {line.venue: line.state for line in world.clearing.settlements.get(number).lines}


def money(world):
    """Cents on the way, gone by the bank's statement, and owed to each venue."""
    return world.balance("transit"), world.balance("bank"), world.venue_is_owed(5), world.venue_is_owed(6)


ON_THE_WAY, ARRIVED = (1550, 0, 0, 0), (0, 1550, 0, 0)


# With a bank that is not ours


@pytest.fixture
def bank():
    with open_bank(OURS, "2026-11-02T10:00") as made:
        yield made


def order(world, number="2026-001"):
    return world.clearing.settlements.payment_file(number)


def test_a_payment_that_the_bank_carries_out_arrives(month, bank):
    assert bank.gets(order(month)).status_code < 300
    (report,) = bank.new_files("pain.002")
    assert take(month, report)["accepted"] == 2
    assert (states(month), money(month)) == ({5: "accepted", 6: "accepted"}, ON_THE_WAY)
    bank.to_day(TODAY + timedelta(days=2))
    notice, *statements = bank.new_files()
    assert take(month, notice)["paid"] == 2
    assert (states(month), money(month)) == ({5: "paid", 6: "paid"}, ARRIVED)
    receipts = [take(month, each) for each in statements]
    assert sum(receipt["paid"] for receipt in receipts) == 0
    assert sum(receipt["repeated"] for receipt in receipts) == 2
    assert money(month) == ARRIVED
    assert all(each.whole for each in month.clearing.bank.statements())
    assert month.clearing.bank.unmatched() == []


def test_a_closed_account_is_paid_with_the_next_settlement_to_the_new_one(month, bank):
    bank.holds("NL91ABNA0417164300", "POOL", "closed-account")
    bank.gets(order(month))
    (report,) = bank.new_files("pain.002")
    receipt = take(month, report)
    assert (receipt["accepted"], receipt["rejected"]) == (1, 1)
    assert states(month) == {5: "rejected", 6: "accepted"}
    assert money(month) == (300, 0, 1250, 0)
    assert month.clearing.settlements.get("2026-001").lines[0].reason == "AC04"
    again = month.clearing.settlements.prepare(END, "Anna").lines
    assert [(line.venue, line.opening, line.paid, line.account) for line in again] == [(5, 1250, 1250, "came back")]
    assert [(each.end_to_end_id, each.how) for each in again[0].reopened] == [(POOL, "rejected")]


def test_a_payment_that_comes_back_later_is_paid_with_the_next_settlement(month, bank):
    bank.behaves("return-later", parameters={"days": 2, "end_to_end_id": POOL})
    bank.gets(order(month))
    bank.to_day(TODAY + timedelta(days=9))
    counted = [take(month, each) for each in bank.new_files()]
    assert sum(receipt["paid"] for receipt in counted) == 2
    assert sum(receipt["returned"] for receipt in counted) == 1
    assert (states(month), money(month)) == ({5: "returned", 6: "paid"}, (0, 300, 1250, 0))
    again = settle(month)
    assert (again.lines[0].paid, again.lines[0].end_to_end_id) == (1250, "MD-1-2026-002-5")
    assert money(month) == (1250, 300, 0, 0)
    bank.behaves("accept")
    assert bank.gets(order(month, "2026-002")).status_code < 300
    bank.to_day(TODAY + timedelta(days=12))
    for each in bank.new_files():
        take(month, each)
    assert (states(month, "2026-002"), money(month)) == ({5: "paid"}, ARRIVED)
    assert month.clearing.bank.unmatched() == []


def test_a_file_that_the_bank_rejects_opens_every_payment_in_it(month, bank):
    bank.behaves("reject-file")
    bank.gets(order(month))
    (report,) = bank.new_files("pain.002")
    assert take(month, report)["rejected"] == 2
    assert (states(month), money(month)) == ({5: "rejected", 6: "rejected"}, (0, 0, 1250, 300))
    assert settle(month).total == 1550


def test_a_file_that_was_uploaded_twice_is_paid_once_and_nothing_opens(month, bank):
    bank.gets(order(month))
    bank.gets(order(month))
    receipts = [take(month, each) for each in bank.new_files("pain.002")]
    assert [receipt.duplicate for receipt in receipts] == [False, True]
    assert (states(month), money(month)) == ({5: "accepted", 6: "accepted"}, ON_THE_WAY)
    bank.to_day(TODAY + timedelta(days=2))
    for each in bank.new_files():
        take(month, each)
    assert money(month) == ARRIVED


def test_a_bank_that_says_nothing_before_its_statement_is_believed_by_its_statement(month, bank):
    bank.behaves("silent")
    bank.gets(order(month))
    assert bank.new_files("pain.002") == []
    assert (states(month), money(month)) == ({5: "sent", 6: "sent"}, ON_THE_WAY)


def test_a_statement_with_a_hole_is_named_and_stops_nothing(month, bank):
    bank.behaves("statement-gap")
    bank.gets(order(month))
    bank.to_day(TODAY + timedelta(days=3))
    for each in bank.new_files("camt.053"):
        take(month, each)
    assert sorted(states(month).values()) == ["paid", "sent"]
    (faulty,) = [each for each in month.clearing.bank.statements() if not each.whole]
    assert faulty.unexplained in (-1250, -300)
    assert month.balance("transit") == -faulty.unexplained


def test_statements_that_did_not_come_in_are_named_until_they_do(month, bank):
    bank.gets(order(month))
    bank.to_day(TODAY + timedelta(days=4))
    first, second, *rest = bank.new_files("camt.053")
    for each in (first, *rest):
        take(month, each)
    (gap,) = [each for each in month.clearing.bank.statements() if not each.whole]
    assert gap.missing == (2, 2)
    assert gap.jump == -1550
    take(month, second)
    assert all(each.whole for each in month.clearing.bank.statements())
    assert money(month) == ARRIVED


# Files of other banks, by hand


def two_payments(**more):
    return camt([("DBIT", 1250, POOL), ("DBIT", 300, SHOP)], **more)


@pytest.mark.parametrize("version", ["02", "08"])
@pytest.mark.parametrize("kind", ["camt.053", "camt.054"])
def test_every_version_of_a_statement_is_read(month, kind, version):
    assert take(month, two_payments(kind=kind, version=version))["paid"] == 2
    assert money(month) == ARRIVED


@pytest.mark.parametrize("kinds", [("camt.053", "camt.054"), ("camt.054", "camt.053")])
def test_an_entry_in_a_notification_and_in_a_statement_counts_once(month, kinds):
    for kind in kinds:
        take(month, two_payments(kind=kind, message=kind))
    assert money(month) == ARRIVED
    assert month.clearing.bank.unmatched() == []


def test_the_same_file_again_does_nothing(month):
    assert not take(month, two_payments()).known
    assert take(month, two_payments()).known
    assert money(month) == ARRIVED


def test_the_same_entries_in_another_file_count_once(month):
    take(month, two_payments())
    assert take(month, two_payments(message="S1 again"))["repeated"] == 2
    assert money(month) == ARRIVED
    assert month.clearing.bank.unmatched() == []


@pytest.mark.parametrize(
    "amount", ["1.25E1", "1_2.50", "１２.50", "NaN", "12.50000000000000000000000000000000000001", "-12.50"]
)
def test_an_amount_that_no_bank_writes_like_this_is_refused(month, amount):
    with pytest.raises(BankFileRefused):
        take(month, two_payments().replace(b">12.50<", f">{amount}<".encode()))
    assert money(month) == ON_THE_WAY


@pytest.mark.parametrize("number", ["1E+999999", "1.5", "-1"])
def test_a_number_of_a_statement_is_a_whole_one_of_as_many_digits_as_it_has(month, number):
    with pytest.raises(BankFileRefused):
        take(month, two_payments(number=number))
    assert money(month) == ON_THE_WAY


def test_a_message_that_comes_with_another_content_is_refused(month):
    take(month, two_payments())
    with pytest.raises(BankFileRefused) as refusal:
        take(month, two_payments(day="2026-11-05"))
    assert refusal.value.reason == "two files"


def test_money_that_moved_twice_is_shown(month):
    take(month, two_payments())
    take(month, camt([("DBIT", 300, SHOP, None, "ANOTHER")], message="S2", number=2, opening=998450))
    (found,) = month.clearing.bank.unmatched()
    assert (found.why, found.amount, found.candidates) == ("again", 300, ())
    assert money(month) == ARRIVED


@pytest.mark.parametrize("id_of", ["<PmtInfId>MD-1-2026-001-1</PmtInfId>", "<MsgId>MD-1-2026-001</MsgId>"])
def test_one_entry_for_the_whole_file_is_every_payment_in_it(month, id_of):
    assert take(month, camt([("DBIT", 1550, None, f"<Btch>{id_of}</Btch>")]))["paid"] == 2
    assert money(month) == ARRIVED
    assert take(month, two_payments(kind="camt.054"))["repeated"] == 2
    assert money(month) == ARRIVED


def test_one_entry_for_part_of_the_file_waits_for_people(month):
    batch = "<Btch><PmtInfId>MD-1-2026-001-1</PmtInfId></Btch>"
    assert take(month, camt([("DBIT", 1250, None, batch)]))["unmatched"] == 1
    assert money(month) == ON_THE_WAY


def test_several_payments_in_one_entry_each_have_their_amount(month):
    details = "".join(
        f"<TxDtls><Refs><EndToEndId>{name}</EndToEndId></Refs>{euros(cents)}<CdtDbtInd>DBIT</CdtDbtInd></TxDtls>"
        for name, cents in ((POOL, 1250), (SHOP, 300))
    )
    assert take(month, camt([("DBIT", 1550, None, details)]))["paid"] == 2
    assert money(month) == ARRIVED


def test_a_return_before_its_debit_is_seen_ends_the_same(month):
    take(month, camt([("CRDT", 1250, POOL)], number=2, message="S2"))
    take(month, two_payments())
    assert (states(month), money(month)) == ({5: "returned", 6: "paid"}, (0, 300, 1250, 0))


def test_what_the_bank_says_counts_also_when_nobody_noted_that_the_file_went_out(month):
    settlements = month.clearing.settlements
    month.shop.tap(month.holder, offer=21, amount=450, price=450)
    month.sync()
    number = settlements.approve(settlements.prepare(END, "Anna").number, "Bram").number
    take(month, camt([("DBIT", 450, f"MD-1-{number}-6")]))
    assert settlements.get(number).state == "sent"
    with pytest.raises(SettlementRefused):
        settlements.revoke(number, "Chris")


# Entries that wait for people


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (("DBIT", 999, None), "unknown"),
        (("CRDT", 500000, "TOP-UP"), "unknown"),
        (("DBIT", 1251, POOL), "amount"),
        (("CRDT", 1249, POOL), "amount"),
    ],
)
def test_an_entry_that_is_none_of_ours_by_itself_waits(month, entry, why):
    assert take(month, camt([entry]))["unmatched"] == 1
    (found,) = month.clearing.bank.unmatched()
    assert (found.why, found.state, found.amount) == (why, "open", entry[1])
    assert money(month) == ON_THE_WAY


def test_a_payment_that_nobody_approved_yet_waits(month):
    month.shop.tap(month.holder, offer=21, amount=450, price=450)
    month.sync()
    (line,) = month.clearing.settlements.prepare(END, "Anna").lines
    assert take(month, camt([("DBIT", 450, line.end_to_end_id)]))["unmatched"] == 1
    (found,) = month.clearing.bank.unmatched()
    assert (found.why, found.candidates) == ("not approved", ())
    assert money(month) == (1550, 0, 0, 450)


def test_an_entry_that_waits_is_not_counted_again_when_the_statement_tells_it_too(month):
    entry = ("DBIT", 999, None)
    receipts = [take(month, camt([entry], kind)) for kind in ("camt.054", "camt.053")]
    assert [(each["unmatched"], each["repeated"]) for each in receipts] == [(1, 0), (0, 1)]
    assert len(month.clearing.bank.unmatched()) == 1


def waiting(month, *entry):
    take(month, camt([entry or ("DBIT", 300, None)]))
    (found,) = month.clearing.bank.unmatched()
    return found


def test_two_people_say_of_which_payment_an_entry_is(month):
    found = waiting(month)
    assert found.candidates == (SHOP,)
    assert month.clearing.bank.assign(found.id, SHOP, "Dirk").state == "proposed"
    assert money(month) == ON_THE_WAY
    with pytest.raises(BankEntryRefused) as refusal:
        month.clearing.bank.assign(found.id, SHOP, " DIRK ")
    assert refusal.value.reason == "two people"
    assert month.clearing.bank.assign(found.id, SHOP, "Els").state == "assigned"
    assert money(month) == (1250, 300, 0, 0)
    assert month.clearing.bank.unmatched() == []
    assert [each.payment for each in month.clearing.bank.unmatched(with_decided=True)] == [SHOP]


def test_an_entry_is_assigned_once(month):
    found = waiting(month)
    for name in ("Dirk", "Els"):
        month.clearing.bank.assign(found.id, SHOP, name)
    for decide in (
        lambda: month.clearing.bank.assign(found.id, SHOP, "Fatima"),
        lambda: month.clearing.bank.not_ours(found.id, "a mistake", "Fatima"),
    ):
        with pytest.raises(BankEntryRefused) as refusal:
            decide()
        assert refusal.value.reason == "decided"
    # The bank tells of it under its own name after all: it is the same money, and people see it.
    assert take(month, camt([("DBIT", 300, SHOP)], message="S2", kind="camt.054"))["unmatched"] == 1
    assert money(month) == (1250, 300, 0, 0)


def test_who_says_another_payment_begins_anew(month):
    month.shop.tap(month.holder, offer=21, amount=300, price=300)
    month.sync()
    settle(month)
    found = waiting(month)
    assert found.candidates == (SHOP, "MD-1-2026-002-6")
    month.clearing.bank.assign(found.id, SHOP, "Dirk")
    assert month.clearing.bank.assign(found.id, "MD-1-2026-002-6", "Els").state == "proposed"
    assert month.clearing.bank.assign(found.id, "MD-1-2026-002-6", "Dirk").state == "assigned"
    assert (states(month), states(month, "2026-002")) == ({5: "sent", 6: "sent"}, {6: "paid"})


@pytest.mark.parametrize(
    ("entry", "payment", "reason"),
    [
        (("DBIT", 300, None), POOL, "amount"),
        (("DBIT", 300, None), "MD-1-2026-001-9", "payment"),
    ],
)
def test_an_entry_is_not_assigned_to_what_it_cannot_be(month, entry, payment, reason):
    found = waiting(month, *entry)
    with pytest.raises((BankEntryRefused, NotFound)) as refusal:
        month.clearing.bank.assign(found.id, payment, "Dirk")
    assert refusal.value.reason == reason


def test_what_is_not_ours_is_put_away_with_a_reason(month):
    found = waiting(month)
    for reason in ("", "x" * 201):
        with pytest.raises(BankEntryRefused):
            month.clearing.bank.not_ours(found.id, reason, "Dirk")
    assert month.clearing.bank.not_ours(found.id, "bank charges", "Dirk").state == "not ours"
    assert month.clearing.bank.unmatched() == []
    assert money(month) == ON_THE_WAY
    with pytest.raises(NotFound):
        month.clearing.bank.not_ours(777, "bank charges", "Dirk")


def test_money_that_went_out_after_all_is_booked_by_people_and_taken_off_what_is_owed(month):
    settlements = month.clearing.settlements
    month.shop.tap(month.holder, offer=21, amount=450, price=450)
    month.sync()
    number = settlements.approve(settlements.prepare(END, "Anna").number, "Bram").number
    settlements.revoke(number, "Chris")
    payment = f"MD-1-{number}-6"
    found = waiting(month, "DBIT", 450, payment)
    assert (found.why, found.candidates) == ("revoked", (payment,))
    assert settlements.prepare(END, "Anna").total == 450
    for name in ("Dirk", "Els"):
        month.clearing.bank.assign(found.id, payment, name)
    assert month.venue_is_owed(6) == 0
    assert month.balance("bank") == 450
    # And it comes back: the next settlement pays it, once.
    settlements.withdraw("2026-003", "Anna")
    assert take(month, camt([("CRDT", 450, payment)], message="S2", number=2))["returned"] == 1
    (line,) = settlements.prepare(END, "Anna").lines
    assert [(each.how, each.amount) for each in line.reopened] == [("returned", 450)]
    assert line.paid == 450


def test_nothing_that_the_bank_said_is_changed(month):
    found = waiting(month)
    month.clearing.bank.not_ours(found.id, "bank charges", "Dirk")
    for table in ("bank_file", "bank_statement", "bank_entry", "bank_decision"):
        for change in (f"UPDATE {table} SET id = 7", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match=NOT_ALLOWED), month.connection() as connection:
                connection.execute(text(change))


# Status reports, by hand


@pytest.mark.parametrize("version", ["03", "10"])
@pytest.mark.parametrize(
    ("group", "payments", "expected"),
    [
        ("ACCP", (), {5: "accepted", 6: "accepted"}),
        ("RJCT", (), {5: "rejected", 6: "rejected"}),
        ("PART", ((SHOP, "RJCT"),), {5: "sent", 6: "rejected"}),
        ("PART", ((SHOP, "RJCT"), (POOL, "ACSP")), {5: "accepted", 6: "rejected"}),
        ("PDNG", (), {5: "sent", 6: "sent"}),
        ("", ((POOL, "RJCT"),), {5: "rejected", 6: "sent"}),
    ],
)
def test_a_status_report_says_of_each_payment_what_becomes_of_it(month, version, group, payments, expected):
    take(month, pain_002(group, payments, version=version))
    assert states(month) == expected
    take(month, pain_002(group, payments, version=version, message="P2"))
    assert states(month) == expected


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        ({"original": "MD-1-2026-007"}, "unknown file"),
        ({"original": "MD-2-2026-001"}, "unknown file"),
        ({"original": "SALARIES"}, "unknown file"),
        ({"payments": [("MD-1-2026-002-5", "ACCP")]}, "unknown payment"),
    ],
)
def test_a_status_report_of_another_file_is_refused(month, report, reason):
    with pytest.raises(BankFileRefused) as refusal:
        take(month, pain_002("ACCP", **report))
    assert refusal.value.reason == reason
    assert month.clearing.bank.files() == []


def test_a_rejection_of_what_was_paid_waits_for_people(month):
    take(month, two_payments())
    assert take(month, pain_002("RJCT"))["unmatched"] == 2
    assert money(month) == ARRIVED
    first, _ = month.clearing.bank.unmatched()
    assert (first.why, first.candidates) == ("paid", ())
    with pytest.raises(BankEntryRefused):
        month.clearing.bank.assign(first.id, POOL, "Dirk")


def test_a_debit_of_what_was_rejected_waits_for_people(month):
    take(month, pain_002("RJCT"))
    assert take(month, two_payments())["unmatched"] == 2
    assert {each.why for each in month.clearing.bank.unmatched()} == {"rejected"}
    assert money(month) == (0, 0, 1250, 300)


# Files that are refused, and then nothing has changed

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">&b;</Document>'
)
FILE = b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "xml"),
        (b"MT940", "xml"),
        (BOMB, "xml"),
        (FILE, "xml"),
        (FILE.decode().encode("utf-16"), "xml"),
        (b" " * (MOST_BYTES + 1), "size"),
        (b"<Document/>", "version"),
        (two_payments(version="99"), "version"),
        (two_payments(kind="camt.052"), "version"),
        (two_payments().replace(b"<MsgId>S1</MsgId>", b""), "format"),
        (two_payments().replace(b"<MsgId>S1</MsgId>", b"<MsgId></MsgId>"), "format"),
        (two_payments().replace(b"S1<", b"x" * 36 + b"<"), "format"),
        (two_payments().replace(b"12.50", b"12.505"), "format"),
        (two_payments().replace(b"12.50", b"-12.50"), "format"),
        (two_payments().replace(b"12.50", b"NaN"), "format"),
        (two_payments().replace(b"12.50", b"1E30"), "format"),
        (two_payments().replace(b"EUR", b"USD"), "format"),
        (two_payments().replace(b"2026-11-04", b"2026-11-31"), "format"),
        (two_payments().replace(b"CLBD", b"XPCD"), "format"),
        (two_payments().replace(b"DBIT", b"BOTH"), "format"),
        (two_payments().replace(b"<Ntry>", b"<Ntry><Surprise/>"), "format"),
        (two_payments(iban="NL00RABO0123456789"), "format"),
    ],
)
def test_a_file_that_does_not_hold_is_refused(content, reason):
    with pytest.raises(BankFileRefused) as refusal:
        read(content)
    assert refusal.value.reason == reason


@pytest.mark.parametrize("content", [BOMB, two_payments(iban="NL20INGB0001234567")])
def test_a_file_that_is_refused_changes_nothing(month, content):
    with pytest.raises(BankFileRefused):
        take(month, content)
    assert (states(month), money(month)) == ({5: "sent", 6: "sent"}, ON_THE_WAY)
    assert month.clearing.bank.files() == month.clearing.bank.statements() == month.clearing.bank.unmatched() == []


def test_entries_that_are_not_booked_yet_move_nothing(month):
    pending = two_payments().replace(b"<Cd>BOOK</Cd>", b"<Cd>PDNG</Cd>")
    assert take(month, pending).counts == ()
    assert money(month) == ON_THE_WAY


SEEDS = [two_payments(), two_payments(kind="camt.054", version="02"), pain_002("PART", ((SHOP, "RJCT"),), version="03")]


@settings(max_examples=300)
@given(data=st.data())
def test_any_bytes_are_a_message_or_are_refused(data):
    content = bytearray(data.draw(st.sampled_from(SEEDS) | st.binary(max_size=200)))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(at, min(len(content), at + 40)))
        content[at:end] = data.draw(st.binary(max_size=8) | st.sampled_from([b"<Amt/>", b"\x00", b"&amp;", b"9" * 30]))
    try:
        message = read(bytes(content))
    except BankFileRefused:
        return
    assert message.kind in ("camt.053", "camt.054", "pain.002")


def test_two_readings_of_the_clock_do_not_change_what_is_booked(month):
    month.now = datetime(2027, 3, 1, tzinfo=UTC)
    take(month, two_payments())
    events = month.clearing.store
    with events.transaction() as tx:
        (event,) = tx.payments.payment_events(POOL)
    assert (event.happened_on, event.recorded_at) == (date(2026, 11, 4), month.now)
