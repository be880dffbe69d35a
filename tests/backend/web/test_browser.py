"""The pages of clearing in Chromium: what axe finds on them at WCAG 2.2 AA, and a month walked by two people."""

from xml.etree import ElementTree

import pytest

from tests.backend.a_bank import camt
from tests.backend.web.conftest import LAST_DAY

PAGES = [
    ("finance-lead", "/"),
    ("finance-lead", "/money"),
    ("finance", "/settlements"),
    ("finance", "/settlements/2026-001"),
    ("finance", "/exceptions"),
    ("finance", "/exceptions/refused"),
    ("finance", "/exceptions/cases/item:1"),
    ("finance", "/exceptions/bank_entry"),
    ("finance", "/exceptions/cases/bank_entry:1"),
    ("finance", "/bank"),
    ("finance", "/reports"),
    ("finance", "/reports/year-end?until=2026-12-31"),
    ("finance-lead", "/reports/statistics"),
    ("auditor", "/reports/reconciliation"),
    ("auditor", "/reports/verification"),
    ("partner-manager", "/venues"),
    ("partner-manager", "/venues/5"),
    ("partner-manager", "/proposals"),
    ("venue", "/own"),
    ("venue", "/own/taps?first=2026-11-01&last=2026-11-30"),
    ("venue", "/own/offers"),
    ("auditor", "/audit"),
]
# What a browser shows does not depend on the database; the other tests of these pages run on both.
pytestmark = pytest.mark.parametrize("furnished", ["sqlite"], indirect=True, scope="session")
TEA = {"name": "Thee", "price": "fixed", "purse": 1, "amount": 250}


@pytest.mark.parametrize("width", [1280, 400])
def test_every_page_is_for_everybody(month, page, axe, width):
    month.clearing.proposals.propose(5, TEA, "vera")
    made = month.clearing.settlements.prepare(LAST_DAY, "anna")
    month.clearing.settlements.approve(made.number, "bram")
    month.clearing.bank.take(camt([("CRDT", 9900, None)]), "chris")
    windows, said = {}, []
    for role, address in PAGES:
        if role not in windows:
            windows[role] = page(role, width=width)
            windows[role].on("console", lambda message: said.append(message.text))
        window = windows[role]
        window.goto(address)
        assert axe(window) == [], address
        assert window.evaluate("document.documentElement.scrollWidth") <= width, address
    assert said == [], "a page breaks its own policy"


def test_a_month_from_an_exception_to_money_that_arrived(month, page, axe):
    first, second = page("finance"), page("finance-lead")
    look_into_what_was_refused(first, second)
    file = settle_and_fetch(first, second, axe)
    assert file == month.clearing.settlements.payment_file("2026-001")
    second.get_by_role("button", name="Het bestand is bij de bank").click()
    second.get_by_text("Naar de bank gebracht door").wait_for()
    # The day after, the bank says that it paid what it was told to.
    first.get_by_role("link", name="Bank").click()
    statement = {"name": "camt.053.xml", "mimeType": "text/xml", "buffer": camt(paid_by(file), day="2026-12-02")}
    first.locator("#files").set_input_files(statement)
    first.get_by_role("button", name="Lees in").click()
    first.get_by_text("camt.053: 2 betaald.").wait_for()
    first.get_by_text("Er wacht niets.").wait_for()
    first.get_by_role("link", name="Geld").click()
    assert cells(first, "betaald") == ["3", "€ 15,50"]
    assert cells(first, "afgerekend, nog niet betaald") == ["0", "€ 0,00"]
    second.reload()
    assert second.get_by_role("cell", name="betaald", exact=True).count() == 2
    assert (month.balance("transit"), month.balance("bank")) == (0, 1550)


def look_into_what_was_refused(first, second):
    """One proposes to close the case, and another confirms it."""
    first.goto("/money")
    first.get_by_role("link", name="gevallen om uit te zoeken").click()
    first.get_by_role("link", name="Past niet bij de afspraken").click()
    first.get_by_role("cell", name="Café de Hoek").locator("xpath=..").get_by_role("link").click()
    first.get_by_text("Dit aanbod bestaat niet.").wait_for()
    first.get_by_label("Waarom").select_option(label="Dit was een proef")
    first.get_by_role("button", name="Stel voor om te sluiten").click()
    first.get_by_text("U hebt dit zelf voorgesteld.").wait_for()
    assert first.get_by_role("button", name="Bevestig").count() == 0
    second.goto(first.url)
    second.get_by_role("button", name="Bevestig").click()
    second.get_by_text("gesloten").wait_for()


def settle_and_fetch(first, second, axe):
    """One prepares the settlement, another approves it and fetches the file for the bank."""
    first.get_by_role("link", name="Afrekenen").click()
    first.get_by_label("Laatste dag").fill("2026-11-30")
    first.get_by_role("button", name="Bereid de afrekening voor").click()
    first.get_by_role("heading", name="Afrekening 2026-001").wait_for()
    assert axe(first) == []
    assert first.get_by_role("button", name="Keur goed").count() == 0
    second.goto("/money")
    second.get_by_role("link", name="Afrekening 2026-001 wacht op goedkeuring").click()
    second.get_by_role("button", name="Keur goed").click()
    second.get_by_text("Haal nu het bestand").wait_for()
    assert axe(second) == []
    with second.expect_download() as fetched:
        second.get_by_role("link", name="Bestand voor de bank").click()
    assert fetched.value.suggested_filename == "pain.001-2026-001.xml"
    return fetched.value.path().read_bytes()


def paid_by(file):
    """What a bank books that carries out every payment of a file: (direction, cents, end-to-end id)."""
    of = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
    return [
        (
            "DBIT",
            int(each.findtext("p:Amt/p:InstdAmt", namespaces=of).replace(".", "")),
            each.findtext("p:PmtId/p:EndToEndId", namespaces=of),
        )
        for each in ElementTree.fromstring(file).iterfind(".//p:CdtTrfTxInf", of)
    ]


def cells(window, state):
    """What the table of states says of one."""
    row = window.get_by_role("rowheader", name=state, exact=True).locator("xpath=..")
    return [each.replace("\xa0", " ") for each in row.get_by_role("cell").all_inner_texts()]


def test_a_page_speaks_english_when_asked(month, page):
    window = page("finance")
    window.goto("/money")
    window.get_by_role("button", name="English").click()
    window.get_by_role("heading", name="Money").wait_for()
    window.get_by_text("3 cases to look into").wait_for()
