"""The back button, two officers at once, words where a number should be: what pages meet, and survive."""

import io
import time

import pytest
from sqlalchemy import select

from issuer import messages
from issuer.registry import passes
from issuer.registry.tables import Message, PlannedLoad
from issuer.web.app import create_app
from tests.issuer.a_registry import give_pass, holder
from tests.issuer.web.a_counter import CHILD, STRANGER, CounterReader, with_counter
from web.audit_log import AuditLine

CODE = "K7QW-M2XP"


@pytest.fixture
def config(config):
    return with_counter(config, lambda: CounterReader(None), {1: 1234})


@pytest.fixture
def app(config):
    return create_app(config)


def lines(config):
    with config.registry.transaction() as session:
        return [(each.action, each.object, each.result) for each in session.scalars(select(AuditLine))]


def test_no_name_in_the_address_of_the_login_page(client):
    answer = client().get("/approvals?q=Vos")
    assert "Vos" not in answer.headers["Location"]


def test_what_was_refused_is_not_in_the_log_as_done(client, config):
    assert client("clerk").post("/people/4/face").status_code == 400  # The rules give her nothing.
    assert ("set a card aside", "person 4", "done") not in lines(config)


def test_a_blocked_pass_is_not_opened_by_the_page_of_the_hand_over(client, config):
    give_pass(config.registry, holder(config.registry, CHILD), CODE, "encoded")
    clerk = client("clerk")
    clerk.post(f"/passes/{CODE}/hand-over")
    client().post("/lost", data={"code": CODE, "born": "01-05-2015"})
    with config.registry.transaction() as session:
        assert passes.coded(session, CODE).state == "blocked"
    clerk.post(f"/passes/{CODE}/hand-over")  # The back button.
    with config.registry.transaction() as session:
        assert passes.coded(session, CODE).state == "blocked"


def test_a_pass_that_works_gets_no_balance_of_itself(client, config):
    give_pass(config.registry, holder(config.registry, CHILD), CODE, "active")
    clerk, lead = client("clerk"), client("team-lead")
    clerk.post(f"/passes/{CODE}/lost/balance", data={"reason": "lost"})
    lead.post("/approvals/1", data={"answer": "yes"})
    files = {"signature": [(io.BytesIO(each), "s.json") for each in (b"one", b"two")]}
    clerk.post(f"/passes/{CODE}/lost/balance/signatures", data=files)
    with config.registry.transaction() as session:
        assert session.scalars(select(PlannedLoad)).all() == []


def test_letters_that_nobody_saw_do_not_count_as_sent(client, config):
    """A colleague makes the letters anew between the printing of the first ones and the click on "sent"."""
    lead, folder = client("team-lead"), config.letters
    folder.mkdir()
    for who, code in ((CHILD, CODE), (STRANGER, "AAAA-BBBB")):
        card = give_pass(config.registry, holder(config.registry, who), code)
        with config.registry.transaction() as session:
            messages.blocked(session, passes.coded(session, card.printed_code), config.today())
    (folder / "letters-001.pdf").write_bytes(b"the first")
    (folder / "letters-001.json").write_text("[1]")
    page = lead.get("/renewals").text
    (folder / "letters-001.json").write_text("[1, 2]")  # As `print_all` of a colleague does.
    assert "letters-001.pdf" in page
    lead.post("/letters/sent")
    with config.registry.transaction() as session:
        assert session.get_one(Message, 2).sent_on is None


def test_an_approval_that_is_too_old_for_the_vault_can_be_asked_again(client, config, clock):
    give_pass(config.registry, holder(config.registry, CHILD), CODE, "blocked")
    clerk, lead = client("clerk"), client("team-lead")
    clerk.post(f"/passes/{CODE}/lost/balance", data={"reason": "lost"})
    lead.post("/approvals/1", data={"answer": "yes"})
    clock.pass_by(days=8)
    assert "Vraag het tegoed aan" in client("clerk").get(f"/passes/{CODE}/lost").text


def test_a_number_that_is_no_number_is_refused_in_words(client):
    assert client("clerk").post("/people/1/guardians", data={"guardian": "Ilse"}).status_code == 400


def test_an_address_with_a_long_number_is_not_there(client):
    assert client("clerk").get("/people/" + "9" * 20).status_code == 404


def test_who_makes_a_pass_while_the_reader_is_busy_leaves_no_line(client, config):
    """The line says that it was begun; nothing was."""
    config.counter.bench.start("other", lambda tell: time.sleep(1))
    assert client("clerk").post("/people/1/pass").status_code == 400
    assert ("make pass", "person 1", "begun") not in lines(config)


def test_a_pass_handed_over_twice_is_one_line(client, config):
    give_pass(config.registry, holder(config.registry, CHILD), CODE, "encoded")
    clerk = client("clerk")
    for _ in range(2):
        clerk.post(f"/passes/{CODE}/hand-over")
    assert lines(config).count(("hand over pass", f"pass {CODE}", "done")) == 1


def test_a_search_leaves_no_name_in_the_history_of_the_browser(client):
    """htmx puts the address of each search in the history; no-store does not take it out."""
    assert 'hx-push-url="true"' not in client("clerk").get("/people").text


def test_a_pass_sent_by_post_twice_is_one_letter(client, config):
    give_pass(config.registry, holder(config.registry, CHILD), "K7QW-M2XP", "encoded")
    clerk = client("clerk")
    for _ in range(2):
        clerk.post("/passes/K7QW-M2XP/hand-over", data={"how": "post"})
    with config.registry.transaction() as session:
        assert len(session.scalars(select(Message)).all()) == 1


def test_a_reason_that_the_page_takes_is_one_that_the_vault_takes(client, config):
    """The vault takes 200 characters; after the approval nobody can ask again with a shorter one."""
    give_pass(config.registry, holder(config.registry, CHILD), "K7QW-M2XP", "blocked")
    answer = client("clerk").post("/passes/K7QW-M2XP/lost/balance", data={"reason": "x" * 201})
    assert answer.status_code == 400
