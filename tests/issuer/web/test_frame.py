"""What holds for every page: the headers, the words of an error, the key of the cookies."""

import stat
from dataclasses import replace

import pytest

from issuer.web.app import create_app
from web.site import secret_key


def test_a_page_runs_only_our_own_scripts_and_is_kept_nowhere(client):
    headers = client("clerk").get("/").headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_with_its_hash_in_the_address_is_kept_by_the_browser(client):
    assert "max-age" in client().get("/static/desk.css?v=1").headers["Cache-Control"]
    assert client().get("/static/desk.css").headers["Cache-Control"] == "no-store"


def test_the_cookie_stays_with_the_browser_and_with_us(client):
    cookie = client().get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_over_https_the_cookie_never_travels_in_the_clear(config):
    browser = create_app(replace(config, https=True)).test_client()
    answer = browser.get("/login", base_url="https://localhost")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    ("method", "address", "code", "said"),
    [
        ("GET", "/nowhere", 404, "Deze pagina is er niet"),
        ("GET", "/logout", 405, "Dit is niet gelukt"),
        ("GET", "/accounts", 403, "Dit mag u niet"),
        ("GET", "/broken", 500, "Er ging iets mis"),
        ("GET", "/people?q=%00", 400, "Dit is niet gelukt"),
        ("GET", "/people/%00", 400, "Dit is niet gelukt"),
    ],
)
def test_an_error_is_said_in_words(app, client, method, address, code, said):
    app.add_url_rule("/broken", "start.broken", lambda: [][1])
    answer = client("clerk").open(address, method=method)
    assert answer.status_code == code
    assert f"<h1>{said}</h1>" in answer.text


def test_what_a_broken_page_was_about_is_not_in_the_log_of_the_server(app, client, caplog):
    def broken():
        raise ValueError("Noor de Wit")

    app.add_url_rule("/broken", "start.broken", broken)
    assert client("clerk").get("/broken").status_code == 500
    assert "ValueError" in caplog.text
    assert "Noor de Wit" not in caplog.text.replace('raise ValueError("Noor de Wit")', "")


def test_the_key_of_the_cookies_is_made_once_and_readable_to_its_owner_only(tmp_path):
    made = secret_key(tmp_path / "new")
    (path,) = (tmp_path / "new").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(made) == 32
    assert secret_key(tmp_path / "new") == made
    assert secret_key(tmp_path / "other") != made


def test_behind_a_proxy_of_ours_the_log_has_the_address_of_the_browser(config, officer_key):
    app = create_app(replace(config, proxies=1))
    browser = app.test_client()
    with browser.session_transaction() as held:
        held.update(officer_key("auditor"))
    browser.get("/accounts", headers={"X-Forwarded-For": "6.6.6.6, 10.0.0.7"})
    assert ";10.0.0.7;open page;/accounts;refused" in browser.get("/audit/lines.csv").text
