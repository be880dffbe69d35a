"""Paying the venues: two people, each record once, a file that the bank takes and a statement that reprints."""

import io
from datetime import UTC, date, datetime
from importlib.resources import files
from xml.etree import ElementTree

import pypdf
import pytest
import xmlschema
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError

from backend.errors import NotFound, SettlementRefused
from tests.backend.conftest import NOT_ALLOWED

END = date(2026, 11, 30)
DECEMBER = date(2026, 12, 31)
NS = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


@pytest.fixture
def month(world):
    """A month in which the pool earned 12.50 and the shop 3.00."""
    world.pool.tap(world.holder)
    world.pool.tap(world.sibling, offer=12, amount=750, price=750)
    world.shop.tap(world.holder, offer=21, amount=300, price=300)
    world.sync()
    return world


def settle(world, until=END, by="Bram"):
    made = world.clearing.settlements.prepare(until, "Anna")
    return world.clearing.settlements.approve(made.number, by)


def paid(settlement):
    return {line.venue: line.paid for line in settlement.lines}


def test_a_settlement_pays_what_is_owed(month):
    made = settle(month)
    assert (made.number, made.state, made.total) == ("2026-001", "approved", 1550)
    assert paid(made) == {5: 1250, 6: 300}
    assert month.venue_is_owed(5) == month.venue_is_owed(6) == 0
    assert month.balance("bank") == 1550
    assert [row["paid"] for row in month.clearing.ledger.totals()["venues"]] == [1250, 300]


def test_preparing_moves_no_money(month):
    before = month.clearing.ledger.balances()
    month.clearing.settlements.prepare(END, "Anna")
    assert month.clearing.ledger.balances() == before


@pytest.mark.parametrize("name", ["Anna", "anna", " Anna ", "ANNA"])
def test_who_prepared_a_settlement_cannot_approve_it(month, name):
    with pytest.raises(SettlementRefused) as refusal:
        settle(month, by=name)
    assert refusal.value.reason == "two people"
    assert month.balance("bank") == 0


def test_nor_when_someone_writes_past_the_service(month):
    month.clearing.settlements.prepare(END, "Anna")
    with pytest.raises(IntegrityError, match="two_people"), month.clearing.store.transaction() as tx:
        tx.payments.change("2026-001", state="approved", approved_by="anna")


@pytest.mark.parametrize("name", ["", "  "])
def test_people_have_names(month, name):
    with pytest.raises(SettlementRefused) as refusal:
        month.clearing.settlements.prepare(END, name)
    assert refusal.value.reason == "person"


def test_a_settlement_is_approved_once(month):
    made = settle(month)
    with pytest.raises(SettlementRefused) as refusal:
        month.clearing.settlements.approve(made.number, "Chris")
    assert refusal.value.reason == "approved"
    assert month.balance("bank") == 1550


def test_one_settlement_waits_at_a_time(month):
    month.clearing.settlements.prepare(END, "Anna")
    with pytest.raises(SettlementRefused) as refusal:
        month.clearing.settlements.prepare(END, "Anna")
    assert refusal.value.reason == "waiting"


def test_what_was_settled_is_not_settled_again(month):
    settle(month)
    with pytest.raises(SettlementRefused) as refusal:
        month.clearing.settlements.prepare(DECEMBER, "Anna")
    assert refusal.value.reason == "nothing"


def test_a_period_that_is_settled_stays_closed(month):
    settle(month)
    with pytest.raises(SettlementRefused) as refusal:
        month.clearing.settlements.prepare(date(2026, 11, 10), "Anna")
    assert refusal.value.reason == "period"


def test_a_settlement_that_does_not_exist_is_not_found(month):
    with pytest.raises(NotFound):
        month.clearing.settlements.approve("2026-009", "Bram")
    with pytest.raises(NotFound):
        month.clearing.settlements.get("2026-009")
    made = settle(month)
    with pytest.raises(NotFound):
        month.clearing.settlements.statement(made.number, 77)


def test_a_tap_after_the_period_or_handed_in_late_is_in_the_next(month):
    month.pool.day = date(2026, 12, 1)
    month.pool.tap(month.holder)
    month.sync()
    assert paid(settle(month)) == {5: 1250, 6: 300}
    month.pool.day = date(2026, 11, 28)
    month.pool.tap(month.holder)
    month.sync()
    assert paid(settle(month, DECEMBER)) == {5: 1000}


def test_only_what_is_proven_is_paid(month):
    month.pool.doubt(month.holder)
    month.pool.tap(month.holder, offer=99)
    month.vault.down = True
    month.sync()
    month.vault.down = False
    assert paid(settle(month)) == {5: 1250, 6: 300}


def test_what_a_venue_was_not_allowed_to_take_is_not_paid(month):
    month.shop.tap(month.holder, offer=21, purse=2, amount=9900, price=9900)
    month.sync()
    made = settle(month)
    assert paid(made) == {5: 1250, 6: 300}
    assert "Niet betaald" in words(month.clearing.settlements.statement(made.number, 6))


def test_a_withdrawn_settlement_frees_what_was_in_it(month):
    made = month.clearing.settlements.prepare(END, "Anna")
    assert month.clearing.settlements.withdraw(made.number).state == "withdrawn"
    with pytest.raises(SettlementRefused):
        month.clearing.settlements.approve(made.number, "Bram")
    again = settle(month)
    assert (again.number, again.total) == ("2026-002", 1550)
    with pytest.raises(SettlementRefused):
        month.clearing.settlements.withdraw(again.number)


def test_a_reversal_after_payout_is_carried_over_until_it_is_earned_back(month):
    settle(month)
    month.shop.day = date(2026, 12, 3)
    month.shop.reverse(month.holder, offer=21, amount=300, price=300)
    month.sync()
    made = settle(month, DECEMBER)
    (line,) = made.lines
    assert (line.opening, line.earned, line.paid, line.carried) == (0, -300, 0, -300)
    assert month.clearing.settlements.payment_file(made.number) is None
    said = words(month.clearing.settlements.statement(made.number, 6))
    assert "€ -3,00" in said
    assert "Gaat mee naar de volgende afrekening" in said

    month.shop.day = date(2027, 1, 4)
    month.shop.tap(month.holder, offer=21, amount=450, price=450)
    month.sync()
    (line,) = settle(month, date(2027, 1, 31)).lines
    assert (line.opening, line.earned, line.paid, line.carried) == (-300, 450, 150, 0)
    assert month.venue_is_owed(6) == 0
    assert month.balance("bank") == 1550 + 150


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE settlement SET approved_by = 'Chris'",
        "UPDATE settlement_line SET paid = 1, carried = 0",
        "UPDATE settlement_item SET settlement = '2026-002'",
        "DELETE FROM settlement_item",
        "DELETE FROM settlement_line",
        "DELETE FROM settlement",
    ],
)
def test_an_approved_settlement_does_not_change(month, statement):
    settle(month)
    with pytest.raises(DatabaseError, match=NOT_ALLOWED), month.connection() as connection:
        connection.execute(text(statement))


# The payment order


def test_the_payment_order_follows_its_schema_and_adds_up(month):
    xml = month.clearing.settlements.payment_file(settle(month).number)
    schema = xmlschema.XMLSchema(str(files("sepaxml") / "schemas" / "pain.001.001.09.xsd"))
    schema.validate(xml.decode())
    root = ElementTree.fromstring(xml)
    assert root.findtext(".//p:GrpHdr/p:CtrlSum", namespaces=NS) == "15.50"
    assert root.findtext(".//p:GrpHdr/p:NbOfTxs", namespaces=NS) == "2"
    assert root.findtext(".//p:DbtrAcct/p:Id/p:IBAN", namespaces=NS) == "NL44RABO0123456789"
    assert root.findtext(".//p:ReqdExctnDt/p:Dt", namespaces=NS) == "2026-11-03"
    found = {
        (
            node.findtext("p:PmtId/p:EndToEndId", namespaces=NS),
            node.findtext("p:Cdtr/p:Nm", namespaces=NS),
            node.findtext("p:CdtrAcct/p:Id/p:IBAN", namespaces=NS),
            node.findtext("p:Amt/p:InstdAmt", namespaces=NS),
        )
        for node in root.iterfind(".//p:CdtTrfTxInf", NS)
    }
    assert found == {
        ("MD-1-2026-001-5", "Zwembad De Plas", "NL91ABNA0417164300", "12.50"),
        ("MD-1-2026-001-6", "Cafe de Hoek's", "NL20INGB0001234567", "3.00"),
    }
    assert root.find(".//p:PstlAdr", NS) is None


def test_the_payment_order_comes_out_the_same_each_time(month):
    number = settle(month).number
    first = month.clearing.settlements.payment_file(number)
    month.now = datetime(2027, 3, 1, tzinfo=UTC)
    assert month.clearing.settlements.payment_file(number) == first


def test_an_account_that_changes_later_does_not_change_the_order(month):
    number = settle(month).number
    first = month.clearing.settlements.payment_file(number)
    old = (month.folder / "venues.toml").read_text(encoding="utf-8")
    month.import_venues(old.replace("NL91ABNA0417164300", "NL02ABNA0123456789"))
    assert month.clearing.settlements.payment_file(number) == first


def test_a_payment_is_not_on_a_weekend(month):
    month.now = datetime(2026, 11, 6, 12, tzinfo=UTC)  # a Friday
    assert settle(month).execution_on == date(2026, 11, 9)


@pytest.mark.parametrize("out", ["payment_file", "statement"])
def test_nothing_goes_out_before_approval(month, out):
    made = month.clearing.settlements.prepare(END, "Anna")
    with pytest.raises(SettlementRefused) as refusal:
        getattr(month.clearing.settlements, out)(made.number, *([5] if out == "statement" else []))
    assert refusal.value.reason == "not approved"


# The statement


def words(pdf):
    return " ".join("\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).split())


def test_a_statement_says_what_was_earned_by_offer_and_what_is_paid(month):
    month.pool.reverse(month.holder)
    month.sync()
    said = words(month.clearing.settlements.statement(settle(month).number, 5))
    for wanted in ("Zwembad De Plas", "2026-001", "30 november", "NL91 ABNA 0417 1643 00", "MD-1-2026-001-5"):
        assert wanted in said
    for wanted in ("Zwemmen kind", "Zwemspullen", "€ 7,50", "Teruggedraaid"):
        assert wanted in said
    assert "Schoolspullen" not in said, "another venue's offer"


def test_a_statement_comes_out_the_same_each_time(month):
    number = settle(month).number
    first = month.clearing.settlements.statement(number, 5)
    month.now = datetime(2027, 3, 1, tzinfo=UTC)
    again = month.open()
    assert again.settlements.statement(number, 5) == first
    again.close()


def test_a_statement_tells_nothing_about_days_or_guests(month):
    said = words(month.clearing.settlements.statement(settle(month).number, 5))
    assert "2 november" not in said.replace("2026", "")
    assert "Anna" not in said
