"""Reports, exports, the end of a pass year, statistics and the verification of the books, on their pages."""

import io
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.backend.a_bank import camt
from tests.backend.test_settlement import wants_invoices
from tests.backend.test_statistics import a_count
from tests.backend.web.conftest import LAST_DAY

YEAR = "2026-12-31"
Q4 = "2026-Q4"


def said(answer):
    return answer.text.replace("\xa0", " ")


@pytest.fixture
def year_over(month):
    """A year later: what is left of 2026 may lapse, and its statistics may be published."""
    month.now = datetime(2027, 3, 3, 9, tzinfo=UTC)
    return month


# Reports and exports


def test_a_report_shows_what_each_fund_gave_and_whether_the_newest_statement_covers_it(month, client):
    browser = client("finance")
    assert "nog geen afschrift" in said(browser.get(f"/reports?period={Q4}"))
    for message, day, opening in (("S1", "2026-11-20", 10_000), ("S2", "2026-11-30", 14_999)):
        month.clearing.bank.take(camt([], message=message, day=day, opening=opening), "Anna")
    # 150.00 was loaded; 15.50 of it is owed to venues, and the rest stands on passes.
    assert "Op de rekening staat € 0,01 te weinig." in said(browser.get(f"/reports?period={Q4}"))
    month.clearing.bank.take(camt([], message="S3", day="2026-12-01", opening=15_000), "Anna")
    answer = said(browser.get(f"/reports?period={Q4}"))
    assert "Op de rekening staat genoeg." in answer
    assert "Minimabeleid" in answer


def test_money_on_its_way_to_venues_has_to_be_on_the_account_still(month):
    before = month.clearing.funds.obligation(LAST_DAY)
    month.clearing.settlements.prepare(LAST_DAY, "Anna")
    month.clearing.settlements.approve("2026-001", "Bram")
    after = month.clearing.funds.obligation(LAST_DAY)
    assert (before.owed, before.on_its_way) == (after.on_its_way, after.owed) == (1550, 0)
    assert before.to_cover == after.to_cover


@pytest.mark.parametrize(
    ("cents", "words"), [(79_000_000, "79 procent"), (80_000_000, "in de buurt"), (100_000_001, "Meld het bij")]
)
def test_the_volume_of_twelve_months_comes_with_its_warning(world, client, monkeypatch, cents, words):
    monkeypatch.setattr("backend.store.reports.Reports.paid_with_passes", lambda *_: cents)
    assert words in said(client("finance").get("/reports"))


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        (f"funds.csv?period={Q4}", b"\xef\xbb\xbffund;"),
        (f"funds.xlsx?period={Q4}", b"PK"),
        (f"books.csv?period={Q4}", b"\xef\xbb\xbfhappened_on;"),
        (f"books.beancount?period={Q4}", b'option "title"'),
        (f"books.xaf?period={Q4}&tax_number=123456782", b"<?xml"),
    ],
)
def test_the_books_are_taken_along_as_a_file(month, client, name, begins):
    answer = client("auditor").get(f"/reports/{name}")
    assert answer.data.startswith(begins)
    assert Q4 in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/reports?period=2026-Q5", "Deze periode is er niet"),
        ("/reports/books.csv", "Deze periode is er niet"),
        (f"/reports/books.xaf?period={Q4}&tax_number=12", "negen cijfers"),
        ("/reports/year-end?until=2026-12-30", "eindigt geen pasjaar"),
    ],
)
def test_what_cannot_be_reported_is_refused_in_words(month, client, address, words):
    answer = client("finance").get(address)
    assert answer.status_code == 400
    assert words in answer.text


def test_the_invoice_of_a_venue_is_beside_its_statement(month, client):
    wants_invoices(month)
    month.clearing.settlements.prepare(LAST_DAY, "Anna")
    month.clearing.settlements.approve("2026-001", "Bram")
    finance, venue = client("finance"), client("venue")
    assert "/settlements/2026-001/invoices/5.xml" in finance.get("/settlements/2026-001").text
    assert "/settlements/2026-001/invoices/6.xml" not in finance.get("/settlements/2026-001").text
    assert "/own/invoices/2026-001.xml" in venue.get("/own").text
    made = month.clearing.settlements.invoice("2026-001", 5)
    assert finance.get("/settlements/2026-001/invoices/5.xml").data == made
    assert venue.get("/own/invoices/2026-001.xml").data == made
    assert client("venue", venue=6).get("/own/invoices/2026-001.xml").status_code == 404


def test_finance_reads_what_purses_and_venues_moved_and_what_is_in_no_books(month, client):
    page = said(client("auditor").get("/reports/reconciliation"))
    assert 'opgeladen</td><td class="desk-number">€ 150,00' in page
    assert 'bezoek</td><td class="desk-number">€ -15,50' in page
    assert '<td>bezoek</td><td class="desk-number">2</td><td class="desk-number">€ 12,50' in page
    assert "Regels van apparaten die niet zijn geboekt: 1." in page
    assert "geweigerd" in page


def test_of_much_that_is_in_no_books_the_first_are_shown(month, client, monkeypatch):
    monkeypatch.setattr("backend.web.pages.reports._MOST_SHOWN", 0)
    assert "Hier staan de eerste 0." in client("finance").get("/reports/reconciliation").text


# The end of a pass year


def test_two_people_let_lapse_what_is_left_of_a_year(year_over, client):
    first, second = client("finance-lead"), client("finance-lead")
    assert 'value="134,50"' in first.get("/reports/year-end").text
    assert first.post("/reports/year-end/propose", data={"until": YEAR, "amount-1": "100,00"}).status_code == 303
    refusal = first.post("/reports/year-end/decide", data={"until": YEAR})
    assert refusal.status_code == 400
    assert "Laat iemand anders besluiten" in refusal.text
    assert year_over.balance("lapsed:1") == 0
    assert second.post("/reports/year-end/decide", data={"until": YEAR}).status_code == 303
    assert year_over.balance("lapsed:1") == 10000
    assert "€ 100,00" in said(client("auditor").get(f"/reports/year-end?until={YEAR}"))


def close_the_year(clearing):
    clearing.year_end.propose(date(2026, 12, 31), "Anna")
    clearing.year_end.decide(date(2026, 12, 31), "Bram")


def test_two_people_give_back_what_lapsed(year_over, client):
    first, second = client("finance-lead"), client("finance-lead")
    assert "Geef terug" not in first.get("/reports/year-end").text
    close_the_year(year_over.clearing)
    assert "Hoogstens € 134,50" in said(first.get("/reports/year-end"))
    assert first.post("/reports/year-end/restore", data={"until": YEAR, "amount-1": "20,00"}).status_code == 303
    assert "Geef terug" not in first.get("/reports/year-end").text
    assert first.post("/reports/year-end/decide", data={"until": YEAR}).status_code == 400
    assert second.post("/reports/year-end/decide", data={"until": YEAR}).status_code == 303
    assert year_over.balance("lapsed:1") == 11450
    assert "Hoogstens € 114,50" in said(first.get("/reports/year-end"))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"amount-1": "134,51"}, "hoogstens wat erbij staat"),
        ({"amount-1": ""}, "Vul bij minstens een tegoed in"),
    ],
)
def test_no_more_is_given_back_than_lapsed(year_over, client, form, words):
    close_the_year(year_over.clearing)
    answer = client("finance").post("/reports/year-end/restore", data={"until": YEAR} | form)
    assert answer.status_code == 400
    assert words in answer.text
    assert [each.kind for each in year_over.clearing.year_end.all()] == ["lapse"]


def test_only_who_may_propose_sees_the_way_back(year_over, client):
    close_the_year(year_over.clearing)
    auditor = client("auditor")
    assert "Geef terug" not in auditor.get("/reports/year-end").text
    assert auditor.post("/reports/year-end/restore", data={"until": YEAR, "amount-1": "1,00"}).status_code == 403


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"amount-1": "1000,00"}, "hoogstens wat erbij staat"),
        ({"amount-1": "veel"}, "hoogstens wat erbij staat"),
        ({"amount-1": ""}, "Vul bij minstens een tegoed in"),
    ],
)
def test_no_more_lapses_than_is_left(year_over, client, form, words):
    answer = client("finance").post("/reports/year-end/propose", data={"until": YEAR} | form)
    assert answer.status_code == 400
    assert words in answer.text
    assert year_over.clearing.year_end.all() == []


def test_a_proposal_is_taken_back(year_over, client):
    browser = client("finance")
    browser.post("/reports/year-end/propose", data={"until": YEAR, "amount-1": "100,00"})
    assert browser.post("/reports/year-end/withdraw", data={"until": YEAR}).status_code == 303
    assert [each.state for each in year_over.clearing.year_end.all()] == ["withdrawn"]


def test_a_year_of_which_taps_may_come_in_is_not_closed(month, client):
    month.now += timedelta(days=40)
    answer = client("finance").post("/reports/year-end/propose", data={"until": YEAR, "amount-1": "1,00"})
    assert "Er kunnen nog bezoeken van dit jaar binnenkomen" in answer.text


# Statistics


def publish(browser, year, count=None):
    """With the file of the desk, or with nothing chosen, as a browser sends that."""
    data = {"year": year, "reach": (io.BytesIO(count or b""), "reach.json" if count else "")}
    return browser.post("/reports/statistics", data=data, content_type="multipart/form-data")


def test_the_statistics_of_a_year_are_published_once_and_shown(year_over, client):
    browser = client("finance-lead")
    assert "Publiceer" in browser.get("/reports/statistics?year=2026").text
    assert publish(browser, "2026", a_count(year=2026, counted_on="2026-12-30")).status_code == 303
    shown = said(client("auditor").get("/reports/statistics?year=2026"))
    assert "412" in shown
    assert "30 december 2026" in shown
    assert "november" in shown
    assert "niet getoond" in shown
    again = publish(browser, "2026")
    assert (again.status_code, "al gepubliceerd" in again.text) == (400, True)


@pytest.mark.parametrize(
    ("year", "count", "words"),
    [
        ("2027", None, "een jaar dat voorbij is"),
        ("2026", b"412", "geen telling van de passen"),
        ("2026", a_count(year=2026, municipality=2), "van een andere gemeente"),
        ("2026", a_count(), "van een ander jaar"),
    ],
)
def test_what_cannot_be_published_is_said_and_can_be_published_after_it(year_over, client, year, count, words):
    browser = client("finance-lead")
    answer = publish(browser, year, count)
    assert answer.status_code == 400
    assert words in answer.text
    assert publish(browser, "2026").status_code == 303


# Verification


def verified(month, browser):
    """What the page says when it is ready."""
    assert browser.post("/reports/verification").status_code == 303
    month.clearing.runs.close()
    return said(browser.get("/reports/verification"))


def test_the_books_are_verified_on_a_button_and_the_first_difference_is_named(month, client):
    browser = client("auditor")
    assert "Begonnen door" not in browser.get("/reports/verification").text
    answer = verified(month, browser)
    assert "De boeken zijn wat de ondertekende regels zeggen." in answer
    assert "Begonnen door auditor-1" in answer
    month.vault.down = True
    assert "De kluis geeft geen antwoord" in verified(month, browser)
    month.vault.down = False
    month.vault.committed.clear()
    assert "De boeken zijn niet wat" in verified(month, browser)


def test_a_page_says_how_far_a_run_is_and_whether_its_server_stopped(month, client):
    with month.clearing.store.transaction() as tx:
        now = month.clearing.calendar.now()
        values = {
            "kind": "verify",
            "started_by": "bram",
            "started_at": now,
            "heard_at": now,
            "done": 1000,
            "total": 5000,
        }
        tx.runs.add(values)
    browser = client("finance")
    page = browser.get("/reports/verification").text
    assert "1000 van 5000 regels nagekeken" in page
    assert "Kijk alles na" not in page
    assert "Dit is al bezig" in browser.post("/reports/verification", follow_redirects=True).text
    month.now += timedelta(minutes=2)
    answer = browser.get("/reports/verification").text
    assert "De server stopte voordat dit klaar was" in answer
    assert "Kijk alles na" in answer
    assert "De boeken zijn wat" in verified(month, browser)
