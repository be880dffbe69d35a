"""A desk to look at: an app over a registry of its own, browsers that are logged in as a role, and a real server."""

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import session as cookie
from werkzeug.serving import make_server

from issuer.registry import Registry
from issuer.scheme import load_scheme
from issuer.web.app import create_app
from issuer.web.config import WebConfig
from issuer.web.permissions import RIGHTS
from web.accounts import add_account
from web.login import begin

ROOT = Path(__file__).parents[3]


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self):
        self.at = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

    def now(self):
        return self.at

    def today(self) -> date:
        return self.at.date()

    def pass_by(self, **time):
        self.at += timedelta(**time)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def config(tmp_path, clock):
    return WebConfig(
        registry=Registry.at(tmp_path),
        folder=tmp_path,
        scheme=load_scheme(ROOT / "schemes" / "gelrepas.toml"),
        now=clock.now,
        today=clock.today,
        https=False,
    )


@pytest.fixture
def app(config):
    return create_app(config)


@pytest.fixture
def officer_key(app, config):
    """Makes an account with these roles and logs it in: `officer_key("clerk")` is what its cookie holds."""
    made = iter(range(1, 1000))

    def log_in(*roles, language="nl"):
        with app.test_request_context():
            with config.registry.transaction() as session:
                name = f"officer-{next(made)}"
                begin(
                    session,
                    add_account(session, RIGHTS, name, "Noor de Wit", frozenset(roles), language),
                    second_step=True,
                )
            return dict(cookie)

    return log_in


@pytest.fixture
def client(app, officer_key):
    """`client("clerk")` is a browser of a clerk; `client()` is one of somebody who is not logged in."""
    app.config["WTF_CSRF_ENABLED"] = False

    def of(*roles):
        browser = app.test_client()
        if roles:
            with browser.session_transaction() as held:
                held.update(officer_key(*roles))
        return browser

    return of


@pytest.fixture
def live(app):
    """The address of the app on a real server."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def page(app, chromium, live, officer_key):
    """`page("clerk")` is a window of a clerk in Chromium; `page()` one of somebody who is not logged in."""
    contexts = []

    def of(*roles, width=1280):
        context = chromium.new_context(base_url=live, viewport={"width": width, "height": 900}, locale="nl-NL")
        contexts.append(context)
        if roles:
            value = app.session_interface.get_signing_serializer(app).dumps(officer_key(*roles))
            context.add_cookies([{"name": "desk", "value": value, "url": live}])
        return context.new_page()

    yield of
    for context in contexts:
        context.close()
