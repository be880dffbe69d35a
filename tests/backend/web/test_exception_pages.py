"""What is not in order, on its pages: said in words, tried again, and closed by two people."""

import re

import pytest

from backend.exceptions.names import KINDS
from tests.backend.conftest import VENUES

WHY = {"reason": "test", "note": "Een proef met het apparaat"}


@pytest.fixture
def case(month):
    """The address of what was refused in the month: an offer that nobody has."""
    (held,) = month.clearing.exceptions.cases("refused")
    return f"/exceptions/cases/{held.id}"


def status(month, address):
    return month.clearing.exceptions.case(address.rpartition("/")[2]).status


def test_a_refused_record_is_found_by_its_kind_with_what_happened(month, client, case):
    browser = client("finance")
    assert "Past niet bij de afspraken" in browser.get("/exceptions").text
    assert "Café de Hoek" in browser.get("/exceptions/refused").text
    shown = browser.get(case).text
    assert "Dit aanbod bestaat niet." in shown
    assert "€" in shown


def test_what_is_tried_again_after_its_cause_is_gone_is_booked(month, client, case):
    browser = client("finance")
    assert "weer geweigerd" in browser.post(f"{case}/retry", follow_redirects=True).text
    offer = '\n[[venue.offer]]\nnumber = 99\nname = "Pennen"\npurse = 1\nprice = "fixed"\namount = 100\n'
    month.import_venues(VENUES + offer, month.pool.day)
    assert "Gelukt" in browser.post(f"{case}/retry", follow_redirects=True).text
    assert month.quarantine() == []
    assert month.venue_is_owed(6) == 400


def test_two_people_close_what_cannot_be_mended(month, client, case):
    first, second = client("finance"), client("finance")
    assert first.post(f"{case}/close", data=WHY).status_code == 303
    assert "Iemand anders bevestigt het" in first.get(case).text
    assert first.post(f"{case}/confirm").status_code == 400
    assert status(month, case) == "proposed"
    assert second.post(f"{case}/confirm").status_code == 303
    assert status(month, case) == "closed"
    assert "Een proef met het apparaat" in second.get(case).text


def test_a_proposal_is_dropped_and_the_case_stays_open(month, client, case):
    first = client("finance")
    first.post(f"{case}/close", data=WHY)
    first.post(f"{case}/decline")
    assert status(month, case) == "open"


def test_no_reason_is_chosen_before_somebody_chooses_one(month, client, case):
    form = client("finance").get(case).text.partition('<select id="reason"')[2].partition("</select>")[0]
    assert re.findall(r"<option (.+) selected>(.+)</option>", form) == [('value=""', "Kies een reden")]
    assert " required" in form.partition(">")[0]


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ({}, "Kies waarom"),
        ({"reason": ""}, "Kies waarom"),
        ({"reason": "other"}, "Schrijf in hoogstens 200 tekens op waarom"),
    ],
)
def test_nothing_is_closed_without_a_reason(month, client, case, why, said):
    answer = client("finance").post(f"{case}/close", data=why)
    assert answer.status_code == 400
    assert said in answer.text
    assert status(month, case) == "open"


def test_a_doubt_that_the_vault_found_to_have_happened_is_booked_by_two(month, client):
    record = month.pool.doubt(month.holder)
    month.sync(month.pool)
    finding = {"kind": "happened", "terminal": 101, "sequence": record.sequence, "nullifier": "ab" * 16}
    month.vault.finds = {"findings": [finding], "unnamed": 0}
    before = month.venue_is_owed()
    first, second = client("finance"), client("finance-lead")
    assert first.post("/exceptions/audit").status_code == 303
    month.clearing.runs.close()
    assert "De kluis keek 6 regels na." in first.get("/exceptions").text
    case = f"/exceptions/cases/doubt:101.{record.sequence}"
    assert first.post(f"{case}/book").status_code == 303
    assert month.venue_is_owed() == before
    assert second.post(f"{case}/confirm").status_code == 303
    assert month.venue_is_owed() == before + 500


def test_a_vault_that_does_not_answer_is_said_so(month, client, case):
    month.vault.down = True
    answer = client("finance").post(f"{case}/retry")
    assert answer.status_code == 503
    assert "De kluis geeft geen antwoord" in answer.text


def test_an_auditor_reads_and_does_nothing(month, client, case):
    browser = client("auditor")
    assert "<button" not in browser.get(case).text.partition("<main")[2]
    assert browser.post(f"{case}/retry").status_code == 403


def test_a_case_or_a_kind_that_is_not_there_is_no_page(month, client):
    browser = client("finance")
    for address in ("/exceptions/nonsense", "/exceptions/cases/item:77", "/exceptions/cases/nonsense"):
        assert browser.get(address).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_page(world, client, kind):
    assert client("finance").get(f"/exceptions/{kind}").status_code == 200
