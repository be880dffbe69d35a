"""What was refused, on its pages: said in words, and tried again."""

import pytest

from backend.errors import LinkError
from backend.web.pages.exceptions import KINDS
from tests.backend.conftest import VENUES


def test_a_refused_record_is_found_by_its_kind_with_what_happened(month, client):
    browser = client("finance")
    assert "Onbekend aanbod" in browser.get("/exceptions").text
    shown = browser.get("/exceptions/offer").text
    assert "Het nummer van het aanbod bestaat niet." in shown
    assert "Café de Hoek" in shown


def test_what_is_tried_again_after_its_cause_is_gone_is_booked(month, client):
    (item,) = month.quarantine()
    browser = client("finance")
    assert browser.post(f"/exceptions/items/{item.id}/retry", follow_redirects=True).text.count("weer geweigerd") == 1
    offer = '\n[[venue.offer]]\nnumber = 99\nname = "Pennen"\npurse = 1\nprice = "fixed"\namount = 100\n'
    month.import_venues(VENUES + offer, month.pool.day)
    assert "Gelukt" in browser.post(f"/exceptions/items/{item.id}/retry", follow_redirects=True).text
    assert month.quarantine() == []
    assert month.venue_is_owed(6) == 400


def test_a_vault_that_does_not_answer_is_said_so(month, client):
    (item,) = month.quarantine()
    month.vault.down = True
    answer = client("finance").post(f"/exceptions/items/{item.id}/retry")
    assert answer.status_code == 503
    assert "De kluis geeft geen antwoord" in answer.text
    with pytest.raises(LinkError):
        month.clearing.ingest.retry(item.id)


def test_an_auditor_reads_and_tries_nothing(month, client):
    browser = client("auditor")
    (item,) = month.quarantine()
    assert "Probeer opnieuw" not in browser.get("/exceptions/offer").text
    assert browser.post(f"/exceptions/items/{item.id}/retry").status_code == 403


def test_a_kind_that_is_not_there_is_no_page(month, client):
    assert client("finance").get("/exceptions/nonsense").status_code == 404
    assert client("finance").post("/exceptions/items/77/retry").status_code == 404


@pytest.mark.parametrize("reason", KINDS)
def test_every_kind_has_a_page(world, client, reason):
    assert client("finance").get(f"/exceptions/{reason}").status_code == 200
