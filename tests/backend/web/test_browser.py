"""The pages of clearing in Chromium: what axe finds on them at WCAG 2.2 AA, and a settlement walked by two people."""

import pytest

from tests.backend.web.conftest import LAST_DAY

PAGES = [
    ("finance-lead", "/"),
    ("finance-lead", "/money"),
    ("finance", "/settlements"),
    ("finance", "/settlements/2026-001"),
    ("finance", "/exceptions"),
    ("finance", "/exceptions/refused"),
    ("finance", "/exceptions/cases/item:1"),
    ("finance", "/bank"),
    ("partner-manager", "/venues"),
    ("partner-manager", "/venues/5"),
    ("partner-manager", "/proposals"),
    ("venue", "/own"),
    ("venue", "/own/taps?first=2026-11-01&last=2026-11-30"),
    ("venue", "/own/offers"),
    ("auditor", "/audit"),
]
TEA = {"name": "Thee", "price": "fixed", "purse": 1, "amount": 250}


@pytest.mark.parametrize("width", [1280, 400])
def test_every_page_is_for_everybody(month, page, axe, width):
    month.clearing.proposals.propose(5, TEA, "vera")
    made = month.clearing.settlements.prepare(LAST_DAY, "anna")
    month.clearing.settlements.approve(made.number, "bram")
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


def test_a_settlement_from_preparing_to_the_file_for_the_bank(month, page, axe):
    first, second = page("finance"), page("finance-lead")
    first.goto("/money")
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
    assert fetched.value.path().read_bytes() == month.clearing.settlements.payment_file("2026-001")


def test_a_page_speaks_english_when_asked(month, page):
    window = page("finance")
    window.goto("/money")
    window.get_by_role("button", name="English").click()
    window.get_by_role("heading", name="Money").wait_for()
    window.get_by_text("1 case to look into").wait_for()
