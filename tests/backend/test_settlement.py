"""Paying the venues: two people, each record once, a file that the bank takes and a statement that reprints."""

import io
from datetime import UTC, date, datetime
from importlib.resources import files
from xml.etree import ElementTree

import peppol
import pypdf
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from backend.errors import ImportRefused, NotFound, PersonRefused, SettlementRefused
from backend.schema import settlement
from backend.settlement.invoice import KVK, OIN, Invoice, Party, ubl
from backend.settlement.statement import StatementLine
from tests.backend.conftest import NOT_ALLOWED

END = date(2026, 11, 30)
DECEMBER = date(2026, 12, 31)
NS = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


@pytest.fixture
def month(world):
    """A month in which the pool earned 12.50 and the shop 3.00."""
    world.sells()
    return world


def settle(world, until=END, by="Bram"):
    made = world.clearing.settlements.prepare(until, "Anna")
    return world.clearing.settlements.approve(made.number, by)


@pytest.fixture
def busy_year(month):
    """A month of which 998 settlements were prepared, and withdrawn again."""
    with month.connection() as connection:
        row = {"until": END, "state": "withdrawn", "prepared_by": "Anna", "prepared_at": month.now}
        payer = {"debtor": "Gelredam", "debtor_iban": "NL44RABO0123456789"}
        rows = [{"number": f"2026-{each:03d}"} | row | payer for each in range(1, 999)]
        connection.execute(insert(settlement), rows)
    return month


def paid(settlement):
    return {line.venue: line.paid for line in settlement.lines}


def test_a_settlement_pays_what_is_owed(month):
    made = settle(month)
    assert (made.number, made.state, made.total) == ("2026-001", "approved", 1550)
    assert paid(made) == {5: 1250, 6: 300}
    assert month.venue_is_owed(5) == month.venue_is_owed(6) == 0
    assert (month.balance("transit"), month.balance("bank")) == (1550, 0)
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
    assert month.balance("transit") == 0


def test_nor_when_someone_writes_past_the_service(month):
    month.clearing.settlements.prepare(END, "Anna")
    with pytest.raises(IntegrityError, match="two_people"), month.clearing.store.transaction() as tx:
        tx.payments.change("2026-001", state="approved", approved_by="anna")


@pytest.mark.parametrize("name", ["", "  ", "A" * 61])
def test_people_have_names(month, name):
    with pytest.raises(PersonRefused):
        month.clearing.settlements.prepare(END, name)


def test_a_settlement_is_approved_once(month):
    made = settle(month)
    with pytest.raises(SettlementRefused) as refusal:
        month.clearing.settlements.approve(made.number, "Chris")
    assert refusal.value.reason == "approved"
    assert month.balance("transit") == 1550


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
    made = settle(month, DECEMBER)
    assert paid(made) == {5: 1000}
    said = words(month.clearing.settlements.statement(made.number, 5))
    assert said.count("Zwemmen kind") == 2
    assert said.count("Van voor deze periode") == 1


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
    assert month.clearing.settlements.withdraw(made.number, "Anna").state == "withdrawn"
    with pytest.raises(SettlementRefused):
        month.clearing.settlements.approve(made.number, "Bram")
    again = settle(month)
    assert (again.number, again.total) == ("2026-002", 1550)
    with pytest.raises(SettlementRefused):
        month.clearing.settlements.withdraw(again.number, "Anna")


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
    assert month.balance("transit") == 1550 + 150


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE settlement SET approved_by = 'Chris'",
        "UPDATE settlement_line SET paid = 1, carried = 0",
        "UPDATE settlement_item SET settlement = '2026-002'",
        "DELETE FROM settlement_item",
        "DELETE FROM settlement_line",
        "DELETE FROM settlement",
        "UPDATE settlement_event SET by = 'Anna'",
        "UPDATE payment_event SET kind = 'paid'",
        "DELETE FROM payment_event",
    ],
)
def test_an_approved_settlement_does_not_change(month, statement):
    month.clearing.settlements.revoke(settle(month).number, "Chris")
    with pytest.raises(DatabaseError, match=NOT_ALLOWED), month.connection() as connection:
        connection.execute(text(statement))


# Before it goes to the bank, and who decides


def test_a_settlement_that_was_approved_is_sent_once(month):
    number = settle(month).number
    made = month.clearing.settlements.sent(number, "Chris")
    assert (made.state, made.sent_by, {line.state for line in made.lines}) == ("sent", "Chris", {"sent"})
    with pytest.raises(SettlementRefused) as refusal:
        month.clearing.settlements.sent(number, "Chris")
    assert refusal.value.reason == "not approved"


def test_what_is_revoked_before_it_is_sent_is_paid_by_the_next_settlement(month):
    number = settle(month).number
    made = month.clearing.settlements.revoke(number, "Chris")
    assert (made.state, made.undone_by, {line.state for line in made.lines}) == ("revoked", "Chris", {"revoked"})
    assert (month.balance("transit"), month.venue_is_owed(5), month.venue_is_owed(6)) == (0, 1250, 300)
    with pytest.raises(SettlementRefused) as refusal:
        month.clearing.settlements.payment_file(number)
    assert refusal.value.reason == "revoked"

    month.shop.tap(month.holder, offer=21, amount=450, price=450)
    month.sync()
    again = settle(month)
    assert [(line.venue, line.opening, line.earned, line.paid) for line in again.lines] == [
        (5, 1250, 0, 1250),
        (6, 300, 450, 750),
    ]
    assert [(each.end_to_end_id, each.how) for each in again.lines[1].reopened] == [("MD-1-2026-001-6", "revoked")]
    said = words(month.clearing.settlements.statement(again.number, 6))
    assert "Wij stopten deze betaling: MD-1-2026-001-6" in said
    assert "Meegenomen van de vorige afrekening" not in said
    assert month.venue_is_owed(5) == month.venue_is_owed(6) == 0


@pytest.mark.parametrize("state", ["prepared", "sent", "revoked", "withdrawn"])
def test_only_an_approved_settlement_is_revoked(month, state):
    settlements = month.clearing.settlements
    number = settlements.prepare(END, "Anna").number
    if state == "withdrawn":
        settlements.withdraw(number, "Anna")
    elif state != "prepared":
        settlements.approve(number, "Bram")
        (settlements.sent if state == "sent" else settlements.revoke)(number, "Chris")
    before = month.clearing.ledger.balances()
    with pytest.raises(SettlementRefused) as refusal:
        settlements.revoke(number, "Chris")
    assert refusal.value.reason == state
    assert month.clearing.ledger.balances() == before


def test_a_revoked_payment_is_claimed_once_also_when_the_next_preparation_is_withdrawn(month):
    settlements = month.clearing.settlements
    settlements.revoke(settle(month).number, "Chris")
    settlements.withdraw(settlements.prepare(END, "Anna").number, "Anna")
    again = settle(month)
    assert (again.number, again.total, len(again.lines[0].reopened)) == ("2026-003", 1550, 1)
    with pytest.raises(SettlementRefused) as refusal:
        settlements.prepare(END, "Anna")
    assert refusal.value.reason == "nothing"


def with_rules(world, **rules):
    world.config = type(world.config)(data=world.config.data, **world.config.model_dump() | {"payments": rules})
    world.clearing = world.open()


def test_above_the_threshold_a_third_person_approves(month):
    with_rules(month, second_check_above=1549)
    number = month.clearing.settlements.prepare(END, "Anna").number
    made = month.clearing.settlements.approve(number, "Bram")
    assert (made.state, made.checked_by, made.needs_third) == ("prepared", "Bram", True)
    assert month.balance("transit") == 0
    for name, reason in (("ANNA", "two people"), (" bram", "three people")):
        with pytest.raises(SettlementRefused) as refusal:
            month.clearing.settlements.approve(number, name)
        assert refusal.value.reason == reason
    made = month.clearing.settlements.approve(number, "Chris")
    assert (made.state, made.checked_by, made.approved_by) == ("approved", "Bram", "Chris")


def test_up_to_the_threshold_two_people_are_enough(month):
    with_rules(month, second_check_above=1550)
    assert settle(month).state == "approved"


def test_what_is_below_the_minimum_is_carried_until_it_is_enough(month):
    with_rules(month, minimum=500)
    made = settle(month)
    assert [(line.venue, line.paid, line.carried) for line in made.lines] == [(5, 1250, 0), (6, 0, 300)]
    said = words(month.clearing.settlements.statement(made.number, 6))
    assert "Gaat mee naar de volgende afrekening" in said
    month.shop.day = date(2026, 12, 3)
    month.shop.tap(month.holder, offer=21, amount=200, price=200)
    month.sync()
    (line,) = settle(month, DECEMBER).lines
    assert (line.opening, line.earned, line.paid, line.carried) == (300, 200, 500, 0)
    assert "Meegenomen van de vorige afrekening" in words(month.clearing.settlements.statement("2026-002", 6))
    assert month.venue_is_owed(6) == 0


def test_an_account_that_is_new_since_the_last_payment_is_shown(month):
    assert {line.account for line in settle(month).lines} == {"first"}
    old = (month.folder / "venues.toml").read_text(encoding="utf-8")
    month.import_venues(old.replace("NL91ABNA0417164300", "NL02ABNA0123456789"))
    month.pool.day = month.shop.day = date(2026, 12, 3)
    month.pool.tap(month.holder)
    month.shop.tap(month.holder, offer=21, amount=450, price=450)
    month.sync()
    pool, shop = month.clearing.settlements.prepare(DECEMBER, "Anna").lines
    assert (pool.account, pool.iban, pool.last_iban) == ("new", "NL02ABNA0123456789", "NL91ABNA0417164300")
    assert shop.account == "known"


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


def test_the_thousandth_settlement_of_a_year_comes_after_the_one_before(busy_year):
    first = settle(busy_year).number
    busy_year.pool.tap(busy_year.holder)
    busy_year.sync()
    old = (busy_year.folder / "venues.toml").read_text(encoding="utf-8")
    busy_year.import_venues(old.replace("NL91ABNA0417164300", "NL02ABNA0123456789"))
    second = settle(busy_year, DECEMBER)
    assert (first, second.number) == ("2026-999", "2026-1000")
    assert [line.last_iban for line in second.lines] == ["NL91ABNA0417164300"]
    busy_year.pool.tap(busy_year.holder)
    busy_year.sync()
    third = settle(busy_year, date(2027, 1, 31))
    assert [(line.account, line.last_iban) for line in third.lines] == [("known", "NL02ABNA0123456789")]
    in_order = ["2026-999", "2026-1000", "2027-001"]
    assert [each.number for each in busy_year.clearing.settlements.all()][-3:] == in_order
    with busy_year.clearing.store.reading() as tx:
        assert list(dict.fromkeys(line.settlement for line in tx.states.lines())) == in_order[::-1]


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


# The invoice that is made out for a venue

CITY_HALL = {"oin": "00000001001234567000", "street": "Markt 1", "postcode": "6811 CG", "city": "Gelredam"}
INVOICE = """
[venue.invoice]
company = "12345678"
vat_number = "NL123456789B01"
vat_rate = 9
street = "Plas 2"
postcode = "6811 AA"
city = "Gelredam"

[[venue.offer]]
number = 11
"""
UBL = {
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
}


def wants_invoices(world, rate=9):
    """The pool does, the shop does not."""
    world.config = type(world.config)(data=world.config.data, **world.config.model_dump() | {"invoice": CITY_HALL})
    world.clearing = world.open()
    old = (world.folder / "venues.toml").read_text(encoding="utf-8")
    asks = INVOICE.replace("vat_rate = 9", f"vat_rate = {rate}")
    world.import_venues(old.replace("\n[[venue.offer]]\nnumber = 11\n", asks, 1))


def checked(xml):
    """An invoice that UBL's own schema and the rules of EN 16931 have nothing against."""
    held, faults = peppol.validate_xsd(xml)
    assert held, faults
    assert peppol.check_rules(xml) == []
    return ElementTree.fromstring(xml)


@pytest.mark.parametrize(
    ("rate", "net", "vat", "rounding", "category"),
    [(9, "11.47", "1.03", None, "S"), (21, "10.33", "2.17", None, "S"), (0, "12.50", "0.00", None, "E")],
)
def test_an_invoice_says_what_was_earned_with_and_without_vat(month, rate, net, vat, rounding, category):
    wants_invoices(month, rate)
    root = checked(month.clearing.settlements.invoice(settle(month).number, 5))
    said = {
        tag: root.findtext(f"cac:LegalMonetaryTotal/cbc:{tag}", namespaces=UBL)
        for tag in ("TaxExclusiveAmount", "PayableRoundingAmount", "PayableAmount")
    }
    assert said == {"TaxExclusiveAmount": net, "PayableRoundingAmount": rounding, "PayableAmount": "12.50"}
    assert root.findtext("cac:TaxTotal/cbc:TaxAmount", namespaces=UBL) == vat
    assert root.findtext(".//cac:TaxCategory/cbc:ID", namespaces=UBL) == category
    assert root.findtext("cbc:InvoiceTypeCode", namespaces=UBL) == "389"
    assert root.findtext("cbc:ID", namespaces=UBL) == "MD-1-2026-001-5"
    assert "Factuur uitgereikt door afnemer." in root.findtext("cbc:Note", namespaces=UBL)
    assert len(root.findall("cac:InvoiceLine", UBL)) == 2


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(-50000, 50000).filter(bool), st.integers(1, 900)), min_size=1, max_size=8),
    st.sampled_from([0, 9, 21]),
)
def test_every_invoice_adds_up_to_what_was_earned(amounts, rate):
    lines = [
        StatementLine(number, "Zwemmen", "tap" if cents > 0 else "reversal", count, cents, None)
        for number, (cents, count) in enumerate(amounts, 1)
    ]
    place = "Plas 2", "6811 AA", "Gelredam"
    seller = Party("Zwembad", "12345678", KVK, *place, vat_number="NL123456789B01")
    buyer = Party("Gelredam", CITY_HALL["oin"], OIN, *place)
    parts = "1", END, END, None, END, "2026-001", seller, buyer, "NL91ABNA0417164300", "MD-1-2026-001-5"
    root = checked(ubl(Invoice(*parts, rate, lines)))
    payable = root.findtext("cac:LegalMonetaryTotal/cbc:PayableAmount", namespaces=UBL)
    assert int(payable.replace(".", "")) == sum(cents for cents, _ in amounts)


def test_who_wants_no_invoice_gets_none(month):
    wants_invoices(month)
    number = settle(month).number
    with pytest.raises(NotFound):
        month.clearing.settlements.invoice(number, 6)


def test_an_invoice_stays_as_it_was_made_out(month):
    wants_invoices(month)
    number = settle(month).number
    first = month.clearing.settlements.invoice(number, 5)
    moved = (month.folder / "venues.toml").read_text(encoding="utf-8").replace("Plas 2", "Plas 3")
    month.import_venues(moved)
    assert month.clearing.settlements.invoice(number, 5) == first


def test_what_comes_back_is_not_invoiced_twice(month):
    wants_invoices(month)
    month.clearing.settlements.revoke(settle(month).number, "Chris")
    again = settle(month)
    assert again.lines[0].paid == 1250
    with pytest.raises(NotFound):
        month.clearing.settlements.invoice(again.number, 5)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("12345678", "1234567", "invoice, company"),
        ("NL123456789B01", "123456789", "as NL123456789B01"),
        ("vat_rate = 9", "vat_rate = 19", "invoice, vat_rate"),
        ("6811 AA", "68111", "invoice, postcode"),
    ],
)
def test_an_invoice_without_what_it_must_say_is_refused_with_its_line(month, old, new, fault):
    wants_invoices(month)
    content = (month.folder / "venues.toml").read_text(encoding="utf-8")
    with pytest.raises(ImportRefused, match=fault):
        month.import_venues(content.replace(old, new))


def test_a_municipality_without_an_address_makes_out_no_invoices(month):
    old = (month.folder / "venues.toml").read_text(encoding="utf-8")
    with pytest.raises(ImportRefused, match=r"the scheme has no \[invoice\]"):
        month.import_venues(old.replace("\n[[venue.offer]]\nnumber = 11\n", INVOICE, 1))
