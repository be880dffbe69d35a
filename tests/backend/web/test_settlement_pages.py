"""A settlement on its pages: prepared by one, approved by another, and what the auditor reads about it."""

import csv

import pytest

from backend.errors import AccountRefused, SettlementRefused
from tests.backend.test_busy import somebody_writes
from tests.backend.web.conftest import LAST_DAY

NUMBER = "2026-001"


@pytest.fixture
def prepared(month, client):
    """The browser of who prepared a settlement."""
    browser = client("finance-lead")
    assert browser.post("/settlements", data={"until": LAST_DAY.isoformat()}).status_code == 303
    return browser


def test_one_prepares_and_another_approves_and_out_comes_the_order_for_the_bank(month, client, prepared):
    lead = client("finance-lead")
    assert lead.post(f"/settlements/{NUMBER}/approve").status_code == 303
    order = client("finance").get(f"/settlements/{NUMBER}/payments.xml")
    assert order.data == month.clearing.settlements.payment_file(NUMBER)
    statement = lead.get(f"/settlements/{NUMBER}/statements/5.pdf")
    assert statement.data.startswith(b"%PDF")


def test_who_prepared_it_sees_no_button_and_is_refused(month, prepared):
    assert "Keur goed" not in prepared.get(f"/settlements/{NUMBER}").text
    answer = prepared.post(f"/settlements/{NUMBER}/approve")
    assert answer.status_code == 400
    assert "Laat iemand anders goedkeuren" in answer.text
    assert month.clearing.settlements.get(NUMBER).state == "prepared"


def test_who_prepared_it_is_the_same_person_on_the_command_line(month, prepared):
    with pytest.raises(AccountRefused):
        month.clearing.answering("Noor de Wit", "release")
    person = month.clearing.answering(" Finance-lead-1", "release")
    with pytest.raises(SettlementRefused) as refusal:
        month.clearing.settlements.approve(NUMBER, person)
    assert refusal.value.reason == "two people"


def test_one_of_finance_who_is_no_lead_approves_nothing(month, client, prepared):
    assert client("finance").post(f"/settlements/{NUMBER}/approve").status_code == 403


def test_who_comes_while_the_books_are_busy_is_asked_to_come_back(month, client):
    browser, asked = client("finance"), {"until": LAST_DAY.isoformat()}
    with somebody_writes(month):
        answer = browser.post("/settlements", data=asked)
    assert answer.status_code == 503
    assert "Er is niets verloren" in answer.text
    assert browser.post("/settlements", data=asked).status_code == 303


def test_what_is_withdrawn_is_settled_the_next_time(month, client, prepared):
    assert prepared.post(f"/settlements/{NUMBER}/withdraw").status_code == 303
    prepared.post("/settlements", data={"until": LAST_DAY.isoformat()})
    assert month.clearing.settlements.get("2026-002").total == 1550


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("", "Kies de laatste dag"),
        ("someday", "Kies de laatste dag"),
        ("2026-12-01", "Kies een dag die voorbij is"),
        ("2026-11-01", "niets af te rekenen"),
    ],
)
def test_a_period_that_cannot_be_is_refused_in_words(month, client, until, said):
    answer = client("finance").post("/settlements", data={"until": until})
    assert answer.status_code == 400
    assert said in answer.text
    assert month.clearing.settlements.all() == []


def test_there_is_no_file_before_somebody_approved(month, client, prepared):
    answer = prepared.get(f"/settlements/{NUMBER}/payments.xml")
    assert answer.status_code == 400
    assert "niet goedgekeurd" in answer.text


def test_the_log_says_who_asked_for_what_and_how_it_ended(month, client, prepared):
    prepared.post(f"/settlements/{NUMBER}/approve")
    lead = client("finance-lead")
    lead.post(f"/settlements/{NUMBER}/approve")
    lead.get(f"/settlements/{NUMBER}/payments.xml")
    text = client("auditor").get("/audit/lines.csv").text
    lines = list(csv.DictReader(text.splitlines(), delimiter=";"))
    told = [(line["actor"], line["action"], line["result"]) for line in reversed(lines)]
    assert told == [
        ("finance-lead-1", "prepare settlement", "asked"),
        ("finance-lead-1", "prepare settlement", "done"),
        ("finance-lead-1", "approve settlement", "asked"),
        ("finance-lead-1", "approve settlement", "refused"),
        ("finance-lead-2", "approve settlement", "asked"),
        ("finance-lead-2", "approve settlement", "done"),
        ("finance-lead-2", "fetch payment file", "asked"),
        ("finance-lead-2", "fetch payment file", "done"),
    ]


def test_the_first_page_says_where_the_money_is_and_what_waits(month, client, prepared):
    shown = client("finance").get("/money").text.replace("\xa0", " ")
    assert "€ 15,50" in shown
    assert f"Afrekening {NUMBER} wacht op goedkeuring" in shown
    waiting = sum(month.clearing.exceptions.counts().values())
    assert waiting > 1
    assert f"{waiting} gevallen om uit te zoeken" in shown


def test_the_chart_is_a_picture_made_here(month, client):
    answer = client("auditor").get("/money/funds.svg")
    assert answer.mimetype == "image/svg+xml"
    assert "Minimabeleid" in answer.text
    assert "<script" not in answer.text
