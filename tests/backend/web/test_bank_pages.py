"""What the bank says, on its page: files taken in, and an entry that fits nothing assigned by two people."""

import io

import pytest

from tests.backend.a_bank import camt
from tests.backend.web.conftest import LAST_DAY

POOL, SHOP = "MD-1-2026-001-5", "MD-1-2026-001-6"
BOTH = [("DBIT", 1250, POOL), ("DBIT", 300, SHOP)]


@pytest.fixture
def paying(month, client):
    """A settlement that is with the bank, and a browser of finance."""
    made = month.clearing.settlements.prepare(LAST_DAY, "anna")
    month.clearing.settlements.approve(made.number, "bram")
    browser = client("finance")
    assert browser.post(f"/settlements/{made.number}/sent").status_code == 303
    return browser


def take(browser, content, name="statement.xml"):
    data = {"files": (io.BytesIO(content.encode() if isinstance(content, str) else content), name)}
    return browser.post("/bank", data=data, content_type="multipart/form-data", follow_redirects=True)


def on_its_way(month):
    return month.balance("transit")


def test_a_statement_of_the_bank_says_that_venues_are_paid(month, paying):
    assert "2 betaald" in take(paying, camt(BOTH)).text
    assert (on_its_way(month), month.balance("bank")) == (0, 1550)
    assert "betaald" in paying.get("/settlements/2026-001").text


def test_the_same_file_again_does_nothing(month, paying):
    take(paying, camt(BOTH))
    assert "dit bestand was er al" in take(paying, camt(BOTH)).text
    assert month.balance("bank") == 1550


def test_an_entry_that_fits_nothing_is_assigned_when_two_people_say_the_same(month, client, paying):
    take(paying, camt([("DBIT", 1250, None), ("DBIT", 300, SHOP)]))
    (entry,) = month.clearing.bank.unmatched()
    other = client("finance-lead")
    address = f"/bank/{entry.id}/assign"
    assert paying.post(address, data={"payment": POOL}).status_code == 303
    assert paying.post(address, data={"payment": POOL}).status_code == 400
    assert on_its_way(month) == 1250
    assert other.post(address, data={"payment": POOL}).status_code == 303
    assert on_its_way(month) == 0


def test_what_is_not_ours_is_set_aside_with_a_reason(month, paying):
    take(paying, camt([("CRDT", 9900, None)]))
    (entry,) = month.clearing.bank.unmatched()
    address = f"/bank/{entry.id}/not-ours"
    assert "waarom dit niet van ons is" in paying.post(address, data={}).text
    assert paying.post(address, data={f"words-{entry.id}": "Huur van een zaal"}).status_code == 303
    assert month.clearing.bank.unmatched() == []


def test_statements_that_are_missing_are_named(month, paying):
    take(paying, camt([], number=1))
    take(paying, camt([], message="S4", number=4, day="2026-11-09"))
    assert "ontbreken nummer 2 tot en met 3" in paying.get("/bank").text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("hello", "geen bestand van een bank"),
        (camt(BOTH, iban="NL91ABNA0417164300"), "een andere rekening"),
    ],
)
def test_a_file_that_is_not_of_our_bank_is_refused_in_words(month, paying, content, said):
    answer = take(paying, content)
    assert answer.status_code == 400
    assert said in answer.text
    assert on_its_way(month) == 1550


def test_no_file_is_refused_in_words(paying):
    assert "Kies een bestand" in paying.post("/bank", data={}).text


def test_an_approved_settlement_is_revoked_until_its_file_is_with_the_bank(month, client, paying):
    assert client("finance-lead").post("/settlements/2026-001/revoke").status_code == 400
    assert on_its_way(month) == 1550


def test_what_was_revoked_is_not_given_to_the_bank(month, client):
    month.clearing.settlements.prepare(LAST_DAY, "anna")
    month.clearing.settlements.approve("2026-001", "bram")
    lead = client("finance-lead")
    assert lead.post("/settlements/2026-001/revoke").status_code == 303
    answer = lead.get("/settlements/2026-001/payments.xml")
    assert answer.status_code == 400
    assert "mag niet naar de bank" in answer.text


def test_an_auditor_reads_what_the_bank_said_and_takes_nothing_in(month, client, paying):
    take(paying, camt([("CRDT", 9900, None)]))
    auditor = client("auditor")
    assert "€ 99,00" in auditor.get("/bank").text.replace("\xa0", " ")
    assert take(auditor, camt(BOTH)).status_code == 403
