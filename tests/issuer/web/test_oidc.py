"""Login by a city's own provider, against a provider that is not ours."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from oidc_provider_mock import User, run_server_in_thread

from issuer.web.app import create_app
from issuer.web.permissions import RIGHTS
from web import accounts
from web.oidc import Oidc, Provider, is_citizen_number

PEOPLE = (
    User(sub="f3a9", claims={"preferred_username": "N.deWit", "acr": "high", "email": "n@city.example"}),
    User(sub="77b1", claims={"preferred_username": "s.bos", "email": "s@city.example", "email_verified": True}),
    User(sub="123456782", claims={"preferred_username": "k.vos"}),
)


@pytest.fixture
def provider():
    with run_server_in_thread(require_nonce=True, user_claims=PEOPLE) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def desk(config, provider, clock):
    """`desk()` is a browser at a desk with this login; `desk(claim="email")` at one that is set up otherwise."""
    # The provider has a clock of its own.
    clock.at = datetime.now(UTC)

    def at(**settings):
        oidc = Oidc(provider, "desk", "a secret", "Gelredam", **settings)
        return create_app(replace(config, oidc=oidc)).test_client()

    return at


@pytest.fixture
def account(config):
    def make(claim, *roles):
        with config.registry.transaction() as session:
            return accounts.add_account(
                session, RIGHTS, "noor", "Noor de Wit", frozenset(roles or ["clerk"]), "nl", claim
            ).id

    return make


def go(browser, sub="f3a9", change=lambda query: query):
    """Through the provider's page and back; `change` is what somebody on the way does to the answer."""
    there = browser.get("/login/city").location
    back = urlsplit(httpx.post(there, data={"sub": sub}).headers["Location"])
    query = {name: values[0] for name, values in parse_qs(back.query).items()}
    return browser.get(back.path, query_string=change(query))


def is_in(browser):
    return browser.get("/").status_code == 200


def test_an_officer_gets_in_by_the_citys_login(desk, account):
    account("n.dewit")
    browser = desk()
    assert go(browser).location == "/"
    assert is_in(browser)


def test_the_login_page_offers_it(desk):
    assert "Inloggen met Gelredam" in desk().get("/login").text


def test_we_ask_for_a_code_with_pkce_and_a_nonce(desk):
    asked = parse_qs(urlsplit(desk().get("/login/city").location).query)
    assert (asked["response_type"], asked["code_challenge_method"]) == (["code"], ["S256"])
    assert all(len(asked[name][0]) >= 43 for name in ("state", "nonce", "code_challenge"))


def test_who_has_no_account_does_not_get_in(desk, account):
    account("somebody.else")
    browser = desk()
    assert go(browser).location == "/login"
    assert not is_in(browser)
    assert "nog geen account" in browser.get("/login").text


def test_after_the_first_time_it_is_the_subject_that_counts_and_not_the_name(desk, account, config):
    number = account("n.dewit")
    go(desk())
    with config.registry.transaction() as session:
        found = accounts.account(session, number)
        assert found.oidc_subject == "f3a9"
        found.oidc_claim = "s.bos"
    stranger = desk()
    go(stranger, "77b1")
    assert not is_in(stranger)
    browser = desk()
    go(browser)
    assert is_in(browser)


def test_roles_are_those_of_the_desk_and_a_closed_account_stays_closed(desk, account, config):
    number = account("n.dewit")
    browser = desk()
    go(browser)
    assert browser.get("/accounts").status_code == 403
    with config.registry.transaction() as session:
        accounts.account(session, number).active = False
    assert go(desk()).location == "/login"


def test_a_team_lead_needs_a_second_step_unless_the_provider_asked_for_it(desk, account):
    account("n.dewit", "team-lead")
    browser = desk()
    go(browser)
    assert browser.get("/").location == "/account/second-step"
    browser = desk(acr="high")
    go(browser)
    assert is_in(browser)


def test_a_level_that_the_provider_did_not_reach_is_refused(desk, account):
    account("n.dewit")
    browser = desk(acr="highest")
    assert go(browser).status_code == 400
    assert not is_in(browser)


@pytest.mark.parametrize(
    "change",
    [lambda query: {**query, "state": "another"}, lambda query: {"code": query["code"]}, lambda query: {"error": "no"}],
)
def test_an_answer_that_this_browser_did_not_ask_for_is_refused(desk, account, change):
    account("n.dewit")
    browser = desk()
    assert go(browser, change=change).status_code == 400
    assert not is_in(browser)


def test_a_code_of_somebody_elses_browser_is_refused(desk, account):
    account("n.dewit")
    thief, browser, stolen = desk(), desk(), {}
    go(thief, "77b1", change=lambda query: stolen.update(query) or query)
    assert go(browser, change=lambda query: {**query, "code": stolen["code"]}).status_code == 400
    assert not is_in(browser)


def test_an_answer_is_used_once(desk, account):
    account("n.dewit")
    browser, kept = desk(), {}
    go(browser, change=lambda query: kept.update(query) or query)
    browser.get("/login/city/return", query_string=kept)
    assert desk().get("/login/city/return", query_string=kept).location == "/login"


def test_a_token_that_is_too_old_is_refused(desk, account, clock):
    account("n.dewit")
    browser = desk()
    there = browser.get("/login/city").location
    back = urlsplit(httpx.post(there, data={"sub": "f3a9"}).headers["Location"])
    clock.pass_by(days=1)
    assert browser.get(f"{back.path}?{back.query}").status_code == 400


ANOTHER_KEY = RSAKey.generate_key(2048)


def good(provider, nonce, now):
    return {
        "iss": provider,
        "aud": "desk",
        "sub": "f3a9",
        "nonce": nonce,
        "preferred_username": "n.dewit",
        "exp": now + 60,
    }


@pytest.mark.parametrize(
    ("wrong", "signed", "gets_in"),
    [
        ({}, {}, True),
        ({"aud": "another"}, {}, False),
        ({"iss": "https://another.example"}, {}, False),
        ({"nonce": "another"}, {}, False),
        ({"exp": 1}, {}, False),
        ({"sub": None}, {}, False),
        ({}, {"key": ANOTHER_KEY}, False),
        ({}, {"alg": "none"}, False),
        ({}, {"alg": "HS256", "key": OctKey.import_key("a secret of 32 bytes, and a bit ")}, False),
    ],
)
def test_only_a_token_for_this_login_by_this_provider_counts(
    desk, account, provider, clock, monkeypatch, wrong, signed, gets_in
):
    account("n.dewit")
    browser, key = desk(), RSAKey.generate_key(2048)

    def token(*_):
        claims = good(provider, nonce, int(clock.at.timestamp())) | wrong
        header = {"alg": signed.get("alg", "RS256")}
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, given, signed.get("key", key), algorithms=["RS256", "HS256", "none"])

    monkeypatch.setattr(Provider, "_keys", lambda _: KeySet([key]))
    monkeypatch.setattr(Provider, "_id_token", token)
    browser.get("/login/city")
    with browser.session_transaction() as held:
        nonce, state = held["oidc"]["nonce"], held["oidc"]["state"]
    browser.get("/login/city/return", query_string={"state": state, "code": "any"})
    assert is_in(browser) is gets_in


def test_an_address_that_nobody_checked_is_nobodys(desk, account):
    account("n@city.example")
    browser = desk(claim="email")
    assert go(browser).status_code == 400
    assert not is_in(browser)


def test_an_officer_is_never_known_by_a_citizen_number(desk, account):
    account("k.vos")
    browser = desk()
    assert go(browser, "123456782").status_code == 400
    assert not is_in(browser)
    with pytest.raises(ValueError, match="citizen number"):
        desk(claim="bsn")


@pytest.mark.parametrize(
    ("text", "is_one"), [("123456782", True), ("123456789", False), ("12345678", False), ("f3a9", False)]
)
def test_a_citizen_number_is_recognised(text, is_one):
    assert is_citizen_number(text) is is_one


def test_a_provider_that_does_not_answer_is_said_in_words(config):
    oidc = Oidc("http://localhost:9", "desk", "a secret", "Gelredam")
    answer = create_app(replace(config, oidc=oidc)).test_client().get("/login/city")
    assert answer.status_code == 400
    assert "geen antwoord" in answer.text


def test_a_provider_that_says_it_is_another_one_is_refused(desk, monkeypatch):
    endpoints = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    about = {name: "https://another.example" for name in ("issuer", *endpoints)}
    monkeypatch.setattr(Provider, "_get", lambda _self, _address: about)
    answer = desk().get("/login/city")
    assert answer.status_code == 400
    assert "niet de goede" in answer.text
