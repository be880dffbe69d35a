"""Clearing to look at: its pages over the small city, browsers that are logged in as a role, and a real server."""

import threading
from datetime import date

import pytest
from flask import session as cookie
from werkzeug.serving import make_server

from backend.staff import Staff, speaks_for
from backend.web.app import create_app
from backend.web.config import WebConfig
from backend.web.permissions import RIGHTS
from tests.backend.conftest import POOL
from web.accounts import add_account
from web.login import begin


@pytest.fixture
def staff(world):
    made = Staff.at(world.folder)
    yield made
    made.close()


@pytest.fixture
def app(world, staff):
    return create_app(WebConfig(world.clearing, staff, https=False))


@pytest.fixture
def officer_key(app, staff):
    """Makes an account with these roles and logs it in: `officer_key("finance")` is what its cookie holds.

    Who has the role of a venue speaks for the pool, or for `venue`.
    """
    made = iter(range(1, 1000))

    def log_in(*roles, venue=POOL):
        with app.test_request_context():
            with staff.transaction() as session:
                name = f"{roles[0]}-{next(made)}"
                account = add_account(session, RIGHTS, name, "Noor de Wit", frozenset(roles))
                begin(session, account, second_step=True)
                if "venue" in roles and venue:
                    speaks_for(session, account.id, venue)
            return dict(cookie)

    return log_in


@pytest.fixture
def client(app, officer_key):
    """`client("finance")` is a browser of somebody in finance; `client()` one of somebody who is not logged in."""
    app.config["WTF_CSRF_ENABLED"] = False

    def of(*roles, **more):
        browser = app.test_client()
        if roles:
            with browser.session_transaction() as held:
                held.update(officer_key(*roles, **more))
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
    """`page("finance")` is a window of finance in Chromium; `page()` one of somebody who is not logged in."""
    contexts = []

    def of(*roles, width=1280):
        context = chromium.new_context(base_url=live, viewport={"width": width, "height": 900}, locale="nl-NL")
        contexts.append(context)
        if roles:
            value = app.session_interface.get_signing_serializer(app).dumps(officer_key(*roles))
            context.add_cookies([{"name": "clearing", "value": value, "url": live}])
        return context.new_page()

    yield of
    for context in contexts:
        context.close()


@pytest.fixture
def month(world):
    """A month that is over, in which the pool earned 12.50 and the shop 3.00, and the shop sold what nobody offers."""
    world.desk.load(world.holder)
    world.pool.tap(world.holder)
    world.pool.tap(world.sibling, offer=12, amount=750, price=750)
    world.shop.tap(world.holder, offer=21, amount=300, price=300)
    world.shop.tap(world.stranger, offer=99, amount=100)
    world.sync()
    world.now = world.now.replace(month=12, day=1)
    return world


LAST_DAY = date(2026, 11, 30)
