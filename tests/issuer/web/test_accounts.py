"""What an administrator arranges, and what nobody arranges for themselves."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from issuer.web.permissions import RIGHTS
from web import accounts
from web.accounts import Account
from web.refusal import Refusal

PASSWORD = "drie paarse olifanten"


def number_of(config, user_name):
    with config.registry.transaction() as session:
        return session.scalar(select(Account.id).where(Account.user_name == user_name))


def add(browser, user_name="sam", roles=("clerk",), **more):
    data = {"user_name": user_name, "full_name": "Sam Bos", "roles": list(roles), **more}
    return browser.post("/accounts/new", data=data)


def change(browser, number, roles=("clerk",), active="yes"):
    data = {"full_name": "Sam Bos", "roles": list(roles), "active": active}
    return browser.post(f"/accounts/{number}", data=data)


def code_in(answer):
    return re.search(r"\b(?:[A-Z0-9]{4}-){3}[A-Z0-9]{4}\b", answer.text).group()


def start(browser, code, user_name="sam", password=PASSWORD, again=None):
    data = {"user_name": user_name, "code": code, "password": password, "again": again or password}
    return browser.post("/login/start", data=data)


def log_in(browser, user_name="sam", password=PASSWORD):
    return browser.post("/login", data={"user_name": user_name, "password": password}).status_code == 303


def test_an_officer_begins_with_a_start_code_and_an_own_password(client):
    code = code_in(add(client("administrator")))
    browser = client()
    assert start(browser, code.lower()).location == "/login"
    assert log_in(browser)


def test_a_start_code_works_once(client):
    code = code_in(add(client("administrator")))
    start(client(), code)
    assert start(client(), code, password="vier groene giraffen").status_code == 400
    assert not log_in(client(), password="vier groene giraffen")


def test_a_start_code_is_good_for_a_week(client, clock):
    code = code_in(add(client("administrator")))
    clock.pass_by(days=7)
    assert start(client(), code).status_code == 400


def test_a_start_code_is_that_of_one_account(client):
    administrator = client("administrator")
    add(administrator, "kim")
    code = code_in(add(administrator, "sam"))
    assert start(client(), code, "kim").status_code == 400


def test_a_bad_password_does_not_use_up_the_code(client):
    code = code_in(add(client("administrator")))
    browser = client()
    assert start(browser, code, password="kort").status_code == 400
    assert start(browser, code, again="iets heel anders").status_code == 400
    assert start(browser, code).status_code == 303


def test_a_start_code_cannot_be_guessed_for_long(client):
    code = code_in(add(client("administrator")))
    answers = [start(client(), "AAAA-AAAA-AAAA-AAAA").status_code for _ in range(5)]
    assert answers == [400] * 5
    assert start(client(), code).status_code == 429


def test_a_new_start_code_takes_the_old_password_and_ends_every_login(client, config):
    administrator = client("administrator")
    start(client(), code_in(add(administrator)))
    browser = client()
    log_in(browser)
    administrator.post(f"/accounts/{number_of(config, 'sam')}/start-code")
    assert browser.get("/").status_code == 302
    assert not log_in(client())


def test_a_start_code_leaves_the_phone_unless_that_is_gone_too(client, config, clock, app):
    administrator = client("administrator")
    add(administrator)
    number = number_of(config, "sam")
    for data, left in (({}, "closed"), ({"second_step": "yes"}, None)):
        with config.registry.transaction() as session:
            accounts.account(session, number).totp_secret = "closed"
        administrator.post(f"/accounts/{number}/start-code", data=data)
        with config.registry.transaction() as session:
            assert accounts.account(session, number).totp_secret == left


def test_a_role_that_is_taken_is_gone_at_once(client, config):
    administrator = client("administrator")
    start(client(), code_in(add(administrator, roles=("clerk", "auditor"))))
    browser = client()
    log_in(browser)
    assert browser.get("/audit").status_code == 200
    assert change(administrator, number_of(config, "sam"), ("clerk",)).status_code == 303
    assert browser.get("/audit").status_code == 403


def test_a_closed_account_is_out_at_once(client, config):
    administrator = client("administrator")
    start(client(), code_in(add(administrator)))
    browser = client()
    log_in(browser)
    change(administrator, number_of(config, "sam"), active="")
    assert browser.get("/").status_code == 302
    assert not log_in(client())


@pytest.mark.parametrize(("roles", "active"), [(("administrator", "team-lead"), "yes"), (("administrator",), "")])
def test_nobody_changes_their_own_roles(client, config, roles, active):
    administrator = client("administrator")
    own = number_of(config, "officer-1")
    assert change(administrator, own, roles, active).status_code == 400
    with config.registry.transaction() as session:
        kept = accounts.account(session, own)
        assert (kept.roles, kept.active) == ({"administrator"}, True)


def test_nobody_gives_themselves_a_start_code(client, config):
    administrator = client("administrator")
    assert administrator.post(f"/accounts/{number_of(config, 'officer-1')}/start-code").status_code == 400
    assert administrator.get("/").status_code == 200


@pytest.mark.parametrize(
    ("user_name", "more"),
    [
        ("sa", {}),
        ("sam bos", {}),
        ("kim", {}),
        ("sam", {"roles": []}),
        ("sam", {"roles": ["king"]}),
        ("sam", {"full_name": " "}),
    ],
)
def test_an_account_that_cannot_be_is_refused(client, config, user_name, more):
    administrator = client("administrator")
    add(administrator, "kim")
    assert add(administrator, **{"user_name": user_name, **more}).status_code == 400
    assert number_of(config, "sam") is None


def test_the_first_administrator_is_made_once(config, client, clock):
    with config.registry.transaction() as session:
        code = accounts.create_administrator(session, RIGHTS, "sam", "Sam Bos", clock.at)
    assert start(client(), code).status_code == 303
    with config.registry.transaction() as session, pytest.raises(Refusal, match="administrator already"):
        accounts.create_administrator(session, RIGHTS, "kim", "Kim Vos", clock.at + timedelta(days=1))


def test_every_change_of_an_account_is_in_the_log(client, config):
    administrator = client("administrator")
    add(administrator)
    number = number_of(config, "sam")
    change(administrator, number, ("team-lead",))
    change(administrator, number, ("team-lead",), active="")
    administrator.post(f"/accounts/{number}/start-code", data={"second_step": "yes"})
    text = client("auditor").get("/audit/lines.csv").text
    lines = [line.split(";")[2:7] for line in text.splitlines()[1:]]
    assert [(actor, action, about, result) for actor, _, action, about, result in lines] == [
        ("officer-1", "give start code", "account sam", "password and second step"),
        ("officer-1", "change account", "account sam", "closed"),
        ("officer-1", "change account", "account sam", "team-lead"),
        ("officer-1", "add account", "account sam", "clerk"),
    ]
    assert "Bos" not in text
