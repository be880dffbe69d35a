"""A desk to look at: an app over a registry of its own, browsers that are logged in as a role, and a real server."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import session as cookie

from issuer.scheme import load_scheme
from issuer.web.app import create_app
from issuer.web.config import WebConfig
from issuer.web.permissions import RIGHTS
from tests.issuer.a_registry import on_disk
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
        registry=on_disk(tmp_path),
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
