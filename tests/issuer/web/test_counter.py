"""What a clerk does at the counter, page by page."""

import re
import time

import pytest

from issuer.registry import loads, passes, people
from issuer.web.app import create_app
from issuer.web.pages.declines import DECLINES
from terminal.firmware.results import SENTENCES
from tests.city import factory_card, purses_of
from tests.issuer.web.a_counter import CounterReader, with_counter

OTHER_UID = b"\x04\x99\x11\x22\x33\x44\x55"


@pytest.fixture
def reader():
    return CounterReader(None)


@pytest.fixture
def config(config, reader):
    return with_counter(config, lambda: reader, {1: 1234})


@pytest.fixture
def app(config):
    return create_app(config)


def text(answer) -> str:
    assert answer.status_code in (200, 303), (answer.status_code, answer.text)
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def make(browser, number: int):
    """Ask for a pass and wait for the end; the last page."""
    answer = browser.post(f"/people/{number}/pass")
    while "wordt gemaakt" in (page := browser.get(answer.headers["Location"])).text:
        time.sleep(0.01)
    return page


def code_of(config, number: int) -> str:
    with config.registry.transaction() as session:
        return passes.of(session, number).printed_code


def test_the_counter_case(client, reader, config):
    clerk = client("clerk")
    assert "Sam de Vos" in text(clerk.post("/people/find", data={"q": "vos"}))
    person = text(clerk.get("/people/1"))
    assert "Maak de pas" in person
    assert "180,00" in person
    card = factory_card()
    reader.put(card)
    made = text(make(clerk, 1))
    code = code_of(config, 1)
    assert code in made
    assert purses_of(card)[2] == 18000
    assert "Ilse de Vos" in text(clerk.get(f"/passes/{code}/hand-over"))
    answer = clerk.post(f"/passes/{code}/hand-over", data={"how": "counter", "to": "Ilse de Vos"})
    receipt = text(clerk.get(answer.headers["Location"]))
    assert "Meegenomen door Ilse de Vos" in receipt
    assert "180,00" in receipt
    assert "in gebruik" in text(clerk.get("/people/1"))


def test_without_a_card_the_page_says_what_to_do_and_it_goes_on_after_that(client, reader):
    clerk = client("clerk")
    failed = text(make(clerk, 1))
    assert "Er ligt geen kaart op de lezer" in failed
    assert "Probeer het nog een keer" in failed
    reader.put(factory_card())
    assert "De pas is klaar" in text(make(clerk, 1))


def test_whom_the_rules_give_nothing_gets_the_reason_and_no_button(client, reader):
    page = text(client("clerk").get("/people/4"))
    assert "120 procent" in page
    assert "Maak de pas" not in page


def test_the_progress_is_told_step_by_step(client, reader):
    clerk = client("clerk")
    reader.put(factory_card())
    place = clerk.post("/people/1/pass").headers["Location"]
    told = clerk.get(f"{place}/events").text
    states = re.findall(r'"steps": (\d+), "state": "(\w+)"', told)
    assert states[-1] == ("6", "done")
    assert [int(steps) for steps, _ in states] == sorted(int(steps) for steps, _ in states)
    assert told.rstrip().endswith("event: end\ndata: {}")


def test_a_pass_is_read_for_its_holder(client, reader):
    clerk = client("clerk")
    reader.put(factory_card())
    make(clerk, 1)
    page = text(clerk.post("/reader"))
    assert "Sam de Vos" in page
    assert "€ 45,00" in page.replace("\xa0", " ")
    reader.put(factory_card(OTHER_UID))
    answer = clerk.post("/reader")
    assert answer.status_code == 400
    assert "niet bekend" in answer.text


def test_a_lost_pass_is_blocked_replaced_and_its_balance_follows(client, reader, config):
    clerk, lead = client("clerk"), client("team-lead")
    reader.put(factory_card())
    make(clerk, 1)
    lost = code_of(config, 1)
    clerk.post(f"/passes/{lost}/hand-over", data={"how": "counter"})
    place = clerk.post(f"/passes/{lost}/block", data={"reason": "lost"}).headers["Location"]
    assert "Maak de pas" in text(clerk.get(place))
    clerk.post(f"/passes/{lost}/lost/balance", data={"reason": "in de trein laten liggen"})
    assert clerk.get(f"/passes/{lost}/lost/balance/request").status_code == 404
    assert "Trek mijn aanvraag in" in text(clerk.get("/approvals"))
    assert "Een teamleider beslist" in text(client("clerk").get("/approvals"))
    assert "Sam de Vos" in text(lead.get("/approvals"))
    lead.post("/approvals/1", data={"answer": "yes"})
    asked = clerk.get(f"/passes/{lost}/lost/balance/request").data
    assert b"in de trein laten liggen" in asked
    from io import BytesIO

    place = f"/passes/{lost}/lost/balance/signatures"
    one = clerk.post(place, data={"signature": [(BytesIO(b"1"), "a.sig")]}, content_type="multipart/form-data")
    assert one.status_code == 400
    both = {"signature": [(BytesIO(b"1"), "a.sig"), (BytesIO(b"2"), "b.sig")]}
    assert clerk.post(place, data=both, content_type="multipart/form-data").status_code == 303
    card = factory_card(OTHER_UID)
    reader.put(card)
    assert "12,34" in text(make(clerk, 1))
    assert purses_of(card)[1] == 1234
    assert "vervangen" in text(clerk.get("/people/1"))


def test_hardship_above_the_amount_needs_a_second_person(client, config):
    lead, other = client("team-lead"), client("team-lead")
    page = lead.post("/people/1/exception", data={"grant": "5", "amount": "veel", "reason": "nodig"})
    assert page.status_code == 400
    for amount, state in (("150", "valid"), ("200", "proposed")):
        answer = lead.post("/people/1/exception", data={"grant": "5", "amount": amount, "reason": "zorgt voor moeder"})
        assert answer.status_code == 303, answer.text
        with config.registry.transaction() as session:
            latest = loads.decisions(session, 1)[0]
            assert (latest.hardship, latest.amount, latest.state) == (True, int(amount) * 100, state)
    own = lead.post("/approvals/1", data={"answer": "yes"})
    assert own.status_code == 400
    other.post("/approvals/1", data={"answer": "yes"})
    with config.registry.transaction() as session:
        assert loads.decisions(session, 1)[0].state == "valid"


def test_a_household_is_entered_by_hand(client, config):
    clerk = client("clerk")
    facts = {
        "given_name": "Noor",
        "infix": "",
        "family_name": "Özdemir",
        "born": "2016-01-15",
        "household": "",
        "income_percent": "100",
        "school": "primary",
        "roles": ["volunteer"],
        "postcode": "1234 AB",
    }
    wrong = clerk.post("/people", data={**facts, "born": "31-02-2016", "family_name": ""})
    assert wrong.status_code == 400
    assert "Deze dag bestaat niet" in wrong.text
    assert 'value="Noor"' in wrong.text
    place = clerk.post("/people", data=facts).headers["Location"]
    assert "balie-2026-4" in text(clerk.get(place))
    twice = clerk.post("/people", data=facts)
    assert twice.status_code == 400
    assert "nummer 5" in twice.text
    clerk.post("/people/5", data={**facts, "given_name": "Nora", "household": "balie-2026-4"})
    with config.registry.transaction() as session:
        assert people.holder(session, 5).person.full_name == "Nora Özdemir"
        assert len(people.holders(session)) == 5


def test_every_code_of_a_terminal_is_explained():
    assert {each.code for each in DECLINES} == set(SENTENCES)


def test_a_code_is_looked_up(client):
    clerk = client("clerk")
    assert "te weinig" in text(clerk.get("/declines?code=24"))
    assert "Deze code is er niet" in text(clerk.get("/declines?code=99"))


def test_a_pass_that_came_back_is_shredded(client, reader, config):
    clerk = client("clerk")
    reader.put(factory_card())
    make(clerk, 1)
    code = code_of(config, 1)
    clerk.post(f"/passes/{code}/hand-over", data={"how": "counter"})
    in_use = clerk.post(f"/passes/{code}/destroy")
    assert in_use.status_code == 400
    assert "Blokkeer" in in_use.text
    clerk.post(f"/passes/{code}/block", data={"reason": "broken"})
    assert "papiervernietiger" in text(clerk.get(f"/passes/{code}/destroy"))
    for _ in range(2):
        clerk.post(f"/passes/{code}/destroy")
    with config.registry.transaction() as session:
        assert passes.coded(session, code).state == "destroyed"
    assert "vernietigd" in text(clerk.get("/people/1"))
