"""The pages of a desk with 100 000 holders, against a page of Flask that has nothing on it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from issuer.people import plain
from issuer.registry import Registry
from issuer.registry.tables import CardPass, Decision, Holder, Household, PlannedLoad
from issuer.scheme import load_scheme
from issuer.web.app import create_app
from issuer.web.config import WebConfig
from issuer.web.permissions import RIGHTS
from tests.bench.renewal_city import card, decision, load
from tests.city import ROOT
from web.accounts import add_account
from web.login import begin

HOLDERS = 100_000
_AT_ONCE = 10_000
_NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
_LAST = HOLDERS - 7
PAGES = {
    "person": f"/people/{_LAST}",
    "approvals": "/approvals",
    "imports": "/imports",
    "new year": "/renewals",
    "stock": "/stock",
    "reports": "/reports",
}


SEARCHES = {
    "find by name": f"Vos {_LAST}",
    "find many": "Vos",
    "find by day of birth": "11-4-1970",
    "find by code": f"CODE-{_LAST}",
}


class BigCity:
    """Households of four, each with a pass, three budgets and a decision."""

    def __init__(self, folder: Path) -> None:
        self._registry = Registry.at(folder)
        with self._registry.transaction() as session:
            for first in range(0, HOLDERS, _AT_ONCE):
                some = range(first, first + _AT_ONCE)
                session.execute(insert(Household), [_household(number) for number in some[::4]])
                session.execute(insert(Holder), [_holder(number) for number in some])
                session.execute(insert(CardPass), [card(number + 1) for number in some])
                session.execute(
                    insert(PlannedLoad), [load(number + 1, grant) for number in some for grant in (1, 2, 6)]
                )
                session.execute(insert(Decision), [decision(number + 1) for number in some])
        rules = load_scheme(ROOT / "schemes/gelrepas.toml")
        config = WebConfig(self._registry, folder, rules, lambda: _NOW, lambda: _NOW.date(), https=False)
        self._app = create_app(config)
        self._app.config["WTF_CSRF_ENABLED"] = False
        self._browser = self._logged_in()

    def _logged_in(self) -> FlaskClient:
        from flask import session as cookie

        with self._app.test_request_context():
            with self._registry.transaction() as session:
                roles = frozenset({"clerk", "team-lead", "auditor"})
                begin(session, add_account(session, RIGHTS, "anja", "Anja", roles, "nl"), second_step=True)
            key = dict(cookie)
        browser = self._app.test_client()
        with browser.session_transaction() as held:
            held.update(key)
        return browser

    def page(self, address: str) -> Callable[[], None]:
        def ask() -> None:
            answer = self._browser.get(address)
            assert answer.status_code == 200, (address, answer.status_code)

        return ask

    def search(self, text: str) -> Callable[[], None]:
        def ask() -> None:
            answer = self._browser.post("/people/find", data={"q": text})
            assert answer.status_code == 200, (text, answer.status_code)

        return ask

    def close(self) -> None:
        self._registry.close()


def empty_page() -> Callable[[], None]:
    """The reference: Flask itself."""
    app = Flask("empty")
    app.add_url_rule("/", "home", lambda: "")
    browser = app.test_client()

    def ask() -> None:
        assert browser.get("/").status_code == 200

    return ask


def _household(number: int) -> dict[str, object]:
    return {
        "id": number // 4 + 1,
        "reference": str(number // 4 + 1),
        "income_percent": 100 + 10 * (number % 3),
        "band_by": "import",
        "band_on": _NOW.date(),
        "street": "",
        "postcode": "",
        "town": "",
    }


def _holder(number: int) -> dict[str, object]:
    family = f"Vos {number}"
    return {
        "id": number + 1,
        "household_id": number // 4 + 1,
        "identity": f"{number}",
        "family_name": family,
        "infix": "de",
        "given_name": "Sam",
        "search_name": plain(f"{family} Sam de"),
        "born": date(1955 + number % 65, 1 + number % 12, 1 + number % 28),
        "roles": [],
        "school": "",
    }
