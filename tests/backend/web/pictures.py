"""The pages of clearing as pictures, for docs/finance.md."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from flask import session as cookie
from playwright.sync_api import Page
from werkzeug.serving import make_server

from backend.staff import Staff, speaks_for
from backend.web.app import create_app
from backend.web.config import WebConfig
from backend.web.permissions import RIGHTS
from tests.backend.a_bank import camt
from tests.backend.conftest import POOL, World
from web.accounts import add_account
from web.login import begin

_WIDTH, _HEIGHT = 1000, 700
_OFFER = {
    "name": "Zwemmen met ontbijt",
    "price": "fixed",
    "purse": 1,
    "amount": 750,
    "from": "2026-12-15",
}


class Windows:
    """Windows on the pages, each of somebody with a role."""

    def __init__(self, world: World, browser) -> None:
        self._staff, self._browser = Staff.at(world.folder), browser
        self._app = create_app(WebConfig(world.clearing, self._staff, https=False))
        self.server = make_server("127.0.0.1", 0, self._app, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, user_name: str, full_name: str, *roles: str) -> Page:
        place = f"http://127.0.0.1:{self.server.server_port}"
        context = self._browser.new_context(
            base_url=place, viewport={"width": _WIDTH, "height": _HEIGHT}, locale="nl-NL"
        )
        value = self._app.session_interface.get_signing_serializer(self._app).dumps(
            self._cookie(user_name, full_name, roles)
        )
        context.add_cookies([{"name": "clearing", "value": value, "url": place}])
        return context.new_page()

    def _cookie(self, user_name: str, full_name: str, roles: tuple[str, ...]) -> dict[str, str]:
        with self._app.test_request_context():
            with self._staff.transaction() as session:
                made = add_account(session, RIGHTS, user_name, full_name, frozenset(roles))
                begin(session, made, second_step=True)
                if "venue" in roles:
                    speaks_for(session, made.id, POOL)
            return dict(cookie)


@contextlib.contextmanager
def _a_month(folder: Path) -> Iterator[World]:
    """Two families, a few venues, a thing or two that went wrong, and the month is over."""
    world = World(folder)
    for guest in (world.holder, world.sibling, world.stranger):
        world.desk.load(guest)
        world.desk.load(guest, grant=2, purse=2, amount=10000)
    for day in range(3, 9):
        world.pool.day = world.shop.day = world.pool.day.replace(day=day)
        world.pool.tap(world.holder)
        world.pool.tap(world.sibling, offer=12, amount=750, price=750)
        world.shop.tap(world.stranger, offer=21, amount=1300 + day, price=1300 + day)
    world.shop.tap(world.stranger, offer=99, amount=100)
    world.pool.tap(world.holder, amount=400)
    world.sync()
    world.now = world.now.replace(month=12, day=1)
    yield world
    world.clearing.close()


def keep_clearing(browser, folder: Path, keep: Callable[[Page, str], None]) -> None:
    """A month of finance, partner managers and a venue; `keep(page, name)` takes a picture."""
    with _a_month(folder) as world:
        windows = Windows(world, browser)
        _finance(windows, keep)
        _venues(windows, world, keep)
        windows.server.shutdown()


def _finance(windows: Windows, keep: Callable[[Page, str], None]) -> None:
    anna = windows.of("anna", "Anna Bos", "finance")
    for name, address in (
        ("money", "/money"),
        ("exceptions", "/exceptions"),
        ("kind", "/exceptions/refused"),
        ("exception", "/exceptions/cases/item:2"),
        ("prepare", "/settlements"),
    ):
        anna.goto(address)
        keep(anna, name)
    anna.get_by_label("Laatste dag").fill("2026-11-30")
    anna.get_by_role("button", name="Bereid de afrekening voor").click()
    anna.get_by_role("heading", name="Afrekening 2026-001").wait_for()
    keep(anna, "prepared")
    bram = windows.of("bram", "Bram Kok", "finance-lead")
    bram.goto(anna.url)
    bram.get_by_role("button", name="Keur goed").click()
    bram.get_by_text("Haal nu het bestand").wait_for()
    keep(bram, "settlement")
    bram.get_by_role("button", name="Het bestand is bij de bank").click()
    bram.get_by_text("Genoteerd").wait_for()
    _bank(bram, keep)


def _bank(bram: Page, keep: Callable[[Page, str], None]) -> None:
    """A statement with one payment of the two, and one that nobody knows."""
    entries = [("DBIT", 7500, "MD-1-2026-001-5"), ("DBIT", 7833, None)]
    content = camt(entries, number=2, day="2026-12-02")
    bram.goto("/bank")
    bram.locator("#files").set_input_files({"name": "camt.xml", "mimeType": "text/xml", "buffer": content})
    bram.get_by_role("button", name="Lees in").click()
    bram.get_by_text("1 betaald").wait_for()
    keep(bram, "bank")


def _venues(windows: Windows, world: World, keep: Callable[[Page, str], None]) -> None:
    world.clearing.proposals.propose(POOL, _OFFER, "vera")
    world.clearing.proposals.propose(POOL, {**_OFFER, "number": 11, "name": "Zwemmen kind", "amount": 550}, "vera")
    chris = windows.of("chris", "Chris Blok", "partner-manager")
    vera = windows.of("vera", "Vera Plas", "venue")
    for page, name, address in (
        (chris, "proposals", "/proposals"),
        (chris, "venues", "/venues"),
        (chris, "venue", f"/venues/{POOL}"),
        (vera, "own-money", "/own"),
        (vera, "own-visits", "/own/taps?first=2026-11-01&last=2026-11-30"),
        (vera, "own-offers", "/own/offers"),
    ):
        page.goto(address)
        keep(page, name)
