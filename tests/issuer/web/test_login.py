"""The door of the desk: who gets in, who does not, and for how long."""

import re

import pyotp
import pytest

from issuer.web.permissions import RIGHTS
from web import accounts, attempts, passwords
from web.accounts import Account
from web.audit_log import chosen
from web.second_step import SecretBox

PASSWORD = "drie paarse olifanten"


@pytest.fixture
def officer(config, app):
    """`officer("noor", "clerk")` makes an account with the password of this module."""

    def make(user_name, *roles):
        with config.registry.transaction() as session:
            made = accounts.add_account(session, RIGHTS, user_name, "Noor de Wit", frozenset(roles or ["clerk"]))
            accounts.choose_password(session, made, PASSWORD)
            return made.id

    return make


@pytest.fixture
def phone(config, app, clock):
    """`phone(number)` sets up a second step, and is what the phone shows now."""

    def of(number):
        box = SecretBox(app.config["SECRET_KEY"])
        with config.registry.transaction() as session:
            found = accounts.account(session, number)
            shared = pyotp.TOTP(accounts.new_phone(found, box))
            of.paper = accounts.take_phone(session, found, shared.at(clock.at), box, clock.at)
        clock.pass_by(seconds=30)
        return lambda: shared.at(clock.at)

    return of


def log_in(browser, user_name="noor", password=PASSWORD, **more):
    return browser.post("/login", data={"user_name": user_name, "password": password, **more})


def without_tokens(answer):
    return re.sub(r"[\w-]+\.[\w-]+\.[\w-]+", "", answer.text)


def is_in(browser):
    return browser.get("/").status_code == 200


def logged(config):
    with config.registry.transaction() as session:
        return [(line.actor, line.action, line.object, line.result) for line in session.scalars(chosen())]


def test_a_clerk_gets_in_with_name_and_password(client, officer):
    officer("noor")
    browser = client()
    assert log_in(browser, "Noor ").location == "/"
    assert is_in(browser)


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(client, officer):
    officer("noor")
    wrong, unknown = log_in(client(), password="drie blauwe olifanten"), log_in(client(), "joop")
    assert wrong.status_code == unknown.status_code == 401
    assert without_tokens(wrong).replace("noor", "joop") == without_tokens(unknown)


def test_an_unknown_name_costs_the_same_work(client, officer, monkeypatch):
    officer("noor")
    work = []
    counted = passwords._HASHER
    monkeypatch.setattr(passwords, "_HASHER", Counting(counted, work))
    for name in ("noor", "joop"):
        log_in(client(), name, "drie blauwe olifanten")
    assert work[0] == work[1]


class Counting:
    """A hasher that notes with which settings it was asked."""

    def __init__(self, hasher, work):
        self._hasher, self._work = hasher, work

    def verify(self, kept, password):
        self._work.append(kept.rpartition("$")[0].rpartition("$")[0])
        return self._hasher.verify(kept, password)


def test_an_account_that_was_closed_does_not_open(client, officer, config):
    number = officer("noor")
    browser = client()
    log_in(browser)
    with config.registry.transaction() as session:
        session.get(Account, number).active = False
    assert not is_in(browser)
    assert log_in(client()).status_code == 401


def test_after_five_wrong_passwords_the_right_one_waits_a_quarter_of_an_hour(client, officer, clock):
    officer("noor")
    browser = client()
    for _ in range(attempts.MOST_OF_AN_ACCOUNT):
        assert log_in(browser, password="verkeerd wachtwoord").status_code == 401
    refused = log_in(browser)
    assert refused.status_code == 429
    assert "kwartier" in refused.text
    clock.pass_by(minutes=15, seconds=1)
    log_in(browser)
    assert is_in(browser)


def test_an_unknown_name_is_locked_like_a_known_one(client, officer):
    browser = client()
    answers = [log_in(browser, "joop").status_code for _ in range(attempts.MOST_OF_AN_ACCOUNT + 1)]
    assert answers == [401] * attempts.MOST_OF_AN_ACCOUNT + [429]


def test_one_origin_cannot_try_many_names(client, officer, monkeypatch):
    monkeypatch.setattr(attempts, "MOST_OF_AN_ORIGIN", 3)
    officer("noor")
    browser = client()
    for name in ("joop", "joep", "jaap"):
        log_in(browser, name)
    assert log_in(browser).status_code == 429


def test_the_right_password_makes_the_wrong_ones_forgotten(client, officer):
    officer("noor")
    browser = client()
    for _ in range(3):
        for _ in range(attempts.MOST_OF_AN_ACCOUNT - 1):
            log_in(browser, password="verkeerd wachtwoord")
        assert log_in(browser).status_code == 303


def test_a_session_that_somebody_prepared_is_not_the_one_that_is_logged_in(client, officer, officer_key):
    officer("noor")
    browser = client()
    browser.get("/login")
    planted = officer_key("clerk")
    with browser.session_transaction() as held:
        held.update(planted, csrf_token="planted")
    log_in(browser)
    with browser.session_transaction() as held:
        assert held["key"] != planted["key"]
        assert "csrf_token" not in held
    thief = client()
    with thief.session_transaction() as held:
        held.update(planted)
    assert not is_in(thief)


def test_a_cookie_that_was_copied_opens_nothing_after_logging_out(client, officer):
    officer("noor")
    browser, thief = client(), client()
    log_in(browser)
    with browser.session_transaction() as held, thief.session_transaction() as copied:
        copied.update(held)
    assert is_in(thief)
    browser.post("/logout")
    assert not is_in(thief)


def test_a_desk_that_is_left_alone_locks_after_a_quarter_of_an_hour(client, clock):
    browser = client("clerk")
    clock.pass_by(minutes=14)
    assert is_in(browser)
    clock.pass_by(minutes=15)
    assert browser.get("/").location == "/login?next=/"
    assert "langer dan 15 minuten weg" in browser.get("/login").text


def test_a_login_ends_with_the_working_day_however_busy_it_was(client, clock):
    browser = client("clerk")
    for _ in range(10 * 6 - 1):
        clock.pass_by(minutes=10)
        assert is_in(browser)
    clock.pass_by(minutes=10)
    assert not is_in(browser)


def test_after_login_the_officer_is_where_they_wanted_to_be(client, officer):
    officer("noor")
    browser = client()
    assert log_in(browser, next="/account").location == "/account"


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example"])
def test_a_link_cannot_send_an_officer_to_another_site(client, officer, elsewhere):
    officer("noor")
    assert log_in(client(), next=elsewhere).location == "/"


def test_a_form_without_the_token_is_not_taken_in(app, officer):
    officer("noor")
    browser = app.test_client()
    assert log_in(browser).status_code == 400
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/login").text).group(1)
    assert log_in(browser, csrf_token=token).status_code == 303


def test_a_change_by_htmx_needs_the_token_in_its_header(app, officer_key):
    browser = app.test_client()
    with browser.session_transaction() as held:
        held.update(officer_key("clerk"))
    token = re.search(r'"X-CSRFToken": "([^"]+)"', browser.get("/").text).group(1)
    assert browser.post("/language", data={"language": "en"}).status_code == 400
    assert browser.post("/language", data={"language": "en"}, headers={"X-CSRFToken": token}).status_code == 303


def test_who_was_logged_out_is_sent_to_the_login_page_by_htmx_too(client):
    answer = client().get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")


def test_the_log_tells_who_got_in_and_not_what_a_stranger_typed(client, officer, config):
    officer("noor")
    log_in(client(), password="verkeerd wachtwoord")
    log_in(client(), "my secret password")
    log_in(client())
    assert logged(config) == [
        ("noor", "log in", "account noor", "done"),
        ("-", "log in", "unknown account", "refused"),
        ("-", "log in", "account noor", "refused"),
    ]


# The second step


def test_with_a_phone_the_password_alone_opens_nothing(client, officer, phone):
    shows = phone(officer("noor"))
    browser = client()
    assert log_in(browser, next="/account").location == "/login/code?next=/account"
    assert not is_in(browser)
    assert browser.post("/login/code", data={"code": shows(), "next": "/account"}).location == "/account"
    assert is_in(browser)


def test_a_code_opens_once(client, officer, phone):
    shows = phone(officer("noor"))
    first, second = client(), client()
    log_in(first)
    log_in(second)
    code = shows()
    assert first.post("/login/code", data={"code": code}).status_code == 303
    assert second.post("/login/code", data={"code": code}).status_code == 401
    assert not is_in(second)


def test_the_code_of_half_a_minute_ago_does_not_open_after_a_later_one(client, officer, phone, clock):
    shows = phone(officer("noor"))
    earlier = shows()
    clock.pass_by(seconds=30)
    first, second = client(), client()
    log_in(first)
    first.post("/login/code", data={"code": shows()})
    log_in(second)
    assert second.post("/login/code", data={"code": earlier}).status_code == 401


@pytest.mark.parametrize("age_s", [-60, 60, 90])
def test_a_code_of_another_minute_does_not_open(client, officer, phone, clock, age_s):
    shows = phone(officer("noor"))
    clock.pass_by(minutes=5)
    then = shows()
    clock.pass_by(seconds=age_s)
    browser = client()
    log_in(browser)
    assert browser.post("/login/code", data={"code": then}).status_code == 401


def test_codes_cannot_be_guessed_for_long(client, officer, phone):
    shows = phone(officer("noor"))
    browser = client()
    log_in(browser)
    answers = [browser.post("/login/code", data={"code": "000000"}).status_code for _ in range(5)]
    assert answers == [401] * 4 + [429]
    assert browser.post("/login/code", data={"code": shows()}).status_code == 429


def test_the_second_step_follows_the_first_within_minutes(client, officer, phone, clock):
    shows = phone(officer("noor"))
    browser = client()
    log_in(browser)
    clock.pass_by(minutes=6)
    assert browser.post("/login/code", data={"code": shows()}).location.startswith("/login?")
    assert not is_in(browser)


def test_a_code_from_paper_stands_for_the_phone_once(client, officer, phone):
    phone(officer("noor"))
    typed = phone.paper[0].replace("-", " ").lower()
    for expected in (303, 401):
        browser = client()
        log_in(browser)
        assert browser.post("/login/code", data={"code": typed}).status_code == expected


@pytest.mark.parametrize("role", ["team-lead", "administrator"])
def test_a_team_lead_or_administrator_does_nothing_before_there_is_a_second_step(client, officer, role, config, clock):
    officer("noor", role)
    browser = client()
    log_in(browser)
    assert browser.get("/").location == "/account/second-step"
    shown = re.search(r'desk-code">([A-Z2-7 ]+)<', browser.get("/account/second-step").text).group(1)
    assert browser.post("/account/second-step", data={"code": "000000"}).status_code == 400
    assert not is_in(browser)
    done = browser.post("/account/second-step", data={"code": pyotp.TOTP(shown.replace(" ", "")).at(clock.at)})
    assert len(re.findall(r"<li class=\"desk-code\">", done.text)) == 8
    assert is_in(browser)


def test_who_becomes_team_lead_while_logged_in_needs_a_second_step_from_then_on(client, officer, config):
    number = officer("noor")
    browser = client()
    log_in(browser)
    with config.registry.transaction() as session:
        session.add(accounts.AccountRole(account_id=number, role="team-lead"))
    assert browser.get("/").location == "/account/second-step"


def test_a_phone_that_is_set_up_cannot_be_replaced_by_who_sits_down_at_the_desk(client, officer, phone):
    shows = phone(officer("noor"))
    browser = client()
    log_in(browser)
    browser.post("/login/code", data={"code": shows()})
    assert browser.get("/account/second-step").location == "/account"
    assert browser.post("/account/second-step", data={"code": "000000"}).location == "/account"


def test_the_registry_alone_does_not_give_away_what_phones_share(officer, phone, config):
    number = officer("noor")
    phone(number)
    with config.registry.transaction() as session:
        kept = accounts.account(session, number).totp_secret
    assert re.fullmatch(r"[A-Z2-7]{32}", kept) is None


# Passwords


@pytest.mark.parametrize(
    "password", ["kort woord", "welkom2026!!", "noor en de regen", "aaaaaaaaaaaaaa", "Wachtwoord12345", "x" * 129]
)
def test_a_password_that_others_guess_is_refused(client, officer, password):
    officer("noor")
    browser = client()
    log_in(browser)
    data = {"old": PASSWORD, "password": password, "again": password}
    assert browser.post("/account/password", data=data).status_code == 400
    assert log_in(client()).status_code == 303


def test_a_new_password_logs_out_the_other_browsers(client, officer):
    officer("noor")
    here, elsewhere = client(), client()
    log_in(here)
    log_in(elsewhere)
    new = "vier groene giraffen"
    assert here.post("/account/password", data={"old": PASSWORD, "password": new, "again": new}).status_code == 303
    assert is_in(here)
    assert not is_in(elsewhere)
    assert log_in(client()).status_code == 401
    assert log_in(client(), password=new).status_code == 303


def test_a_password_is_not_changed_by_who_does_not_know_it(client, officer):
    officer("noor")
    browser = client()
    log_in(browser)
    new = "vier groene giraffen"
    answers = [
        browser.post("/account/password", data={"old": "gok", "password": new, "again": new}).status_code
        for _ in range(6)
    ]
    assert answers == [400] * 5 + [429]


def test_the_language_that_an_officer_chose_comes_back_at_the_next_login(client, officer):
    officer("noor")
    browser = client()
    assert '<html lang="nl"' in browser.get("/login").text
    log_in(browser)
    browser.post("/language", data={"language": "en", "next": "/"})
    assert '<html lang="en"' in browser.get("/").text
    other = client()
    log_in(other)
    assert '<html lang="en"' in other.get("/").text
