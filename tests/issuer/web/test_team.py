"""What a team takes in, and what a team lead renews, page by page."""

import io
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from issuer.registry import people
from issuer.web.app import create_app
from tests.city import factory_card
from tests.issuer.web.a_counter import CHILD, CounterReader, with_counter
from tests.issuer.web.test_counter import code_of, make, text

ROOT = Path(__file__).parents[3]
HEADER = (
    "huishouden;voornaam;tussenvoegsel;achternaam;geboortedatum;inkomensklasse;mantelzorger;adres;postcode;woonplaats"
)
NEW = "9;Noor;;Smit;15-01-2016;110;nee;Dorpsstraat 1;1234 AB;Gelredam"
SAM = "1;Sam;de;Vos;01-05-2015;110;nee;Kerkweg 2;1234 AC;Gelredam"


@pytest.fixture
def reader():
    return CounterReader(None)


@pytest.fixture
def config(config, reader):
    return replace(with_counter(config, lambda: reader), office_file=ROOT / "schemes" / "letters" / "gelrepas.toml")


@pytest.fixture
def app(config):
    return create_app(config)


def upload(browser, *rows, name="huishoudens.csv"):
    sent = {"file": (io.BytesIO("\r\n".join([HEADER, *rows]).encode()), name)}
    return browser.post("/imports", data=sent, content_type="multipart/form-data").headers["Location"]


def everybody(config):
    with config.registry.transaction() as session:
        return [holder.person for holder in people.holders(session)]


def finish(browser, answer):
    """Wait for the end of what takes longer than a page; the last page."""
    while "progress" in (page := browser.get(answer.headers["Location"], follow_redirects=True)).text:
        time.sleep(0.02)
    return page


def test_a_file_is_looked_at_taken_in_and_taken_back(client, config):
    clerk, before = client("clerk"), everybody(config)
    place = upload(clerk, NEW, SAM)
    shown = text(clerk.get(place))
    assert "Nieuw 1 Gewijzigd 1 Gelijk 0 Fouten 0" in shown
    assert everybody(config) == before
    assert b"Smit" not in clerk.get(f"{place}/report.csv").data
    assert clerk.get(f"{place}/report.xlsx").data.startswith(b"PK")
    clerk.post(f"{place}/accept")
    assert len(everybody(config)) == len(before) + 1
    clerk.post(f"{place}/undo")
    assert everybody(config) == before
    assert "teruggedraaid" in text(clerk.get("/imports"))


def test_a_file_with_faults_says_where_and_is_not_taken_in(client, config):
    clerk = client("clerk")
    place = upload(clerk, NEW.replace("15-01-2016", "31-02-2016"))
    shown = text(clerk.get(place))
    assert "geboortedatum Deze dag bestaat niet" in shown
    assert "Lees dit bestand in" not in shown
    assert clerk.post(f"{place}/accept").status_code == 400
    clerk.post(f"{place}/cancel")
    assert clerk.get(f"{place}/report.csv").status_code == 400
    assert clerk.post("/imports", data={}).status_code == 400


def test_an_import_is_not_taken_back_when_somebody_got_a_pass(client, reader, config):
    clerk = client("clerk")
    place = upload(clerk, NEW)
    clerk.post(f"{place}/accept")
    reader.put(factory_card())
    make(clerk, 5)
    assert clerk.post(f"{place}/undo").status_code == 400
    assert len(everybody(config)) == 5


def test_a_new_year(client, reader, config, clock):
    clerk, lead, other = client("clerk"), client("team-lead"), client("team-lead")
    clerk.post(f"{upload(clerk, NEW, SAM)}/accept")
    card = factory_card()
    reader.put(card)
    make(clerk, 1)
    clerk.post(f"/passes/{code_of(config, 1)}/hand-over", data={"how": "counter"})
    shown = text(finish(lead, lead.post("/renewals")))
    assert "Pasjaar 2027" in shown
    # Sam has a pass; his mother, the stranger and Noor may have one.
    assert "Houdt de pas 1 Verliest de pas 0 Krijgt een pas 3" in shown
    assert "Een andere teamleider moet akkoord gaan" in shown
    assert lead.post("/renewals/1/accept").status_code == 400
    # Between preview and acceptance the household earns more.
    with config.registry.transaction() as session:
        people.take(session, [replace(CHILD, income_percent=130)], "import", clock.today())
    accepted = text(finish(other, other.post("/renewals/1/accept")))
    assert "4 van 4 mensen zijn klaar" in accepted
    assert "veranderd na het voorbeeld" in accepted
    outside = other.get("/renewals/1/counts.csv").text
    assert "<5" in outside
    assert "Sam" not in outside
    assert "niet verstuurd zijn:" in text(other.get("/renewals"))
    finish(other, other.post("/letters"))
    letters = other.get("/letters/letters-001.pdf")
    said = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(letters.data)).pages)
    assert "Smit" in said
    assert other.get("/letters/../registry.sqlite").status_code == 404
    assert other.post("/letters/sent", data={"letters": "those of yesterday"}).status_code == 400
    marks = re.findall(r'name="letters" value="(\w+)"', other.get("/renewals").text)
    other.post("/letters/sent", data={"letters": marks})
    assert other.get("/letters/letters-001.pdf").status_code == 404
    # In the new year the budgets that were planned go on a pass at the first contact.
    clock.pass_by(days=50)
    fresh = client("clerk")
    reader.put(factory_card(b"\x04\x77\x11\x22\x33\x44\x55"))
    assert "180,00" in text(make(fresh, 5))


def test_a_notice_before_the_pass_ends(client, reader, clock):
    clerk, lead = client("clerk"), client("team-lead")
    reader.put(factory_card())
    make(clerk, 1)
    for expected in ("1 mensen", "0 mensen"):
        lead.post("/letters/notices")
        assert expected in text(lead.get("/renewals"))


def test_without_who_signs_there_are_no_letters(config, client):
    lead = client("team-lead")
    object.__setattr__(config, "office_file", None)
    answer = lead.post("/letters")
    assert answer.status_code == 400
    assert re.search("ondertekent", answer.text)
