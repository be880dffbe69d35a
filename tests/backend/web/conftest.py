"""Clearing to look at: its pages over the small city, browsers that are logged in as a role, and a real server."""

import shutil
from datetime import date

import pytest
from flask import session as cookie

from backend.staff import Staff, speaks_for
from backend.web.app import create_app
from backend.web.config import WebConfig
from backend.web.permissions import RIGHTS
from tests.backend.conftest import POOL
from web.accounts import add_account
from web.login import begin


@pytest.fixture(scope="session")
def nobody_yet(tmp_path_factory):
    """A file of accounts without any, to copy."""
    folder = tmp_path_factory.mktemp("staff")
    Staff.at(folder).close()
    (file,) = folder.iterdir()
    return file


@pytest.fixture
def staff(world, nobody_yet):
    shutil.copy(nobody_yet, world.folder)
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
def month(world):
    """A month that is over, in which the pool earned 12.50 and the shop 3.00, and the shop sold what nobody offers."""
    world.desk.load(world.holder)
    world.sells()
    world.shop.tap(world.stranger, offer=99, amount=100)
    world.sync()
    world.now = world.now.replace(month=12, day=1)
    return world


LAST_DAY = date(2026, 11, 30)
