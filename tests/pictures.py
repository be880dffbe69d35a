"""The pages of the desk and of clearing, and the screens of a terminal, as pictures, for docs: `make pictures`."""

import io
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

from issuer.printing.artwork import load_artwork
from issuer.registry import Registry, cards
from issuer.retention import run_retention
from issuer.scheme import load_scheme
from issuer.web.app import create_app
from issuer.web.config import WebConfig
from issuer.web.permissions import RIGHTS
from tests.backend.web.pictures import keep_clearing
from tests.browser import CHROMIUM
from tests.city import ROOT, factory_card
from tests.issuer.web.a_counter import CounterReader, with_counter
from tests.terminal.pictures import keep_terminal
from web.accounts import add_account
from web.login import begin

FOLDER = ROOT / "docs/pictures"
_COLOURS = 64
_WIDTH = 1000
_FILE = """huishouden;voornaam;tussenvoegsel;achternaam;geboortedatum;inkomensklasse
9;Noor;;Smit;15-01-2016;110
9;Teun;;Smit;31-02-2018;110
1;Sam;de;Vos;01-05-2015;120
1;Ilse;de;Vos;02-03-1985;120
"""


class Camera:
    """A desk with a few people, and a window on it for each role."""

    def __init__(self, folder: Path, browser) -> None:
        self.at = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
        self.reader = CounterReader(None)
        plain = WebConfig(
            Registry.at(folder),
            folder,
            load_scheme(ROOT / "schemes/gelrepas.toml"),
            lambda: self.at,
            lambda: self.at.date(),
            https=False,
            artwork=load_artwork(),
            office_file=ROOT / "schemes/letters/gelrepas.toml",
        )
        self.config = with_counter(plain, lambda: self.reader, {1: 1234})
        self.app = create_app(self.config)
        self.server = make_server("127.0.0.1", 0, self.app, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self._browser = browser
        self._names = iter(("Anja de Wit", "Bram Kok", "Chris Blok", "Dewi Lim", "Eva Pot", "Finn Mos"))

    def window(self, *roles: str, width: int = _WIDTH) -> Page:
        place = f"http://127.0.0.1:{self.server.server_port}"
        context = self._browser.new_context(base_url=place, viewport={"width": width, "height": 700}, locale="nl-NL")
        if roles:
            context.add_cookies([{"name": "desk", "value": self._cookie(roles), "url": place}])
        return context.new_page()

    def _cookie(self, roles: tuple[str, ...]) -> str:
        from flask import session as cookie

        with self.app.test_request_context():
            with self.config.registry.transaction() as session:
                name = next(self._names)
                made = add_account(session, RIGHTS, name.split()[0].lower(), name, frozenset(roles), "nl")
                begin(session, made, second_step=True)
            return self.app.session_interface.get_signing_serializer(self.app).dumps(dict(cookie))


def keep(page: Page, name: str, of: str = "desk") -> None:
    """The whole page, in few colours: small enough to come along with the code."""
    page.wait_for_load_state("networkidle")
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    picture.quantize(_COLOURS).save(FOLDER / f"{of}-{name}.png", optimize=True)


def main() -> None:
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        camera = Camera(Path(folder), browser)
        _counter(camera)
        _team(camera)
        _others(camera)
        keep_terminal(browser, FOLDER, Path(folder))
        keep_clearing(browser, Path(folder) / "clearing", lambda page, name: keep(page, name, "finance"))
        browser.close()
        camera.server.shutdown()


def _counter(camera: Camera) -> None:
    clerk = camera.window("clerk")
    for name, address in (("begin", "/"), ("person", "/people/1"), ("enter", "/people/new")):
        clerk.goto(address)
        keep(clerk, name)
    clerk.goto("/people")
    clerk.locator("#q").press_sequentially("vos")
    clerk.get_by_role("link", name="Sam de Vos").wait_for()
    keep(clerk, "find")
    clerk.goto("/people/1")
    clerk.get_by_role("button", name="Print eerst de pas").click()
    keep(clerk, "face")
    clerk.goto("/people/1/pass")
    keep(clerk, "make")
    clerk.get_by_role("main").get_by_role("button", name="Begin").click()
    clerk.get_by_text("Er ligt geen kaart").wait_for()
    keep(clerk, "no-card")
    camera.reader.put(factory_card())
    clerk.get_by_role("button", name="Probeer het nog een keer").click()
    clerk.get_by_text("De pas is klaar").first.wait_for()
    keep(clerk, "ready")
    clerk.get_by_role("link", name="Overhandigen").click()
    keep(clerk, "hand-over")
    clerk.get_by_role("button", name="De pas is overhandigd").click()
    keep(clerk, "receipt")
    clerk.goto("/reader")
    clerk.get_by_role("button", name="Lees de pas").click()
    keep(clerk, "reader")
    clerk.goto("/declines?code=24")
    keep(clerk, "declines")
    clerk.goto("/people/1/exception")
    keep(clerk, "exception")
    clerk.goto("/people/1")
    clerk.get_by_role("link", name="Blokkeren").click()
    keep(clerk, "block")
    clerk.get_by_role("button", name="Blokkeer de pas").click()
    clerk.locator("textarea").fill("Pas in de trein laten liggen")
    keep(clerk, "replace")
    clerk.goto(clerk.url.replace("/lost", "/destroy"))
    keep(clerk, "shred")
    clerk.go_back()
    clerk.locator("textarea").fill("Pas in de trein laten liggen")
    clerk.get_by_role("button", name="Vraag het tegoed aan").click()
    phone = camera.window("clerk", width=400)
    phone.goto("/people/2")
    keep(phone, "small-screen")


def _team(camera: Camera) -> None:
    clerk, lead = camera.window("clerk"), camera.window("team-lead")
    clerk.goto("/imports")
    clerk.locator("#file").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": _FILE.encode()})
    clerk.get_by_role("button", name="Bekijk het bestand").click()
    keep(clerk, "import")
    clerk.goto("/imports")
    keep(clerk, "imports")
    lead.goto("/approvals")
    keep(lead, "second-person")
    with camera.config.registry.transaction() as session:
        box = cards.receive(session, "Pakbon 4411", "Kaartfabriek", 500, camera.at.date())
        cards.judge(session, box, True, [], 1, "bram", camera.at.date())
    lead.goto("/stock")
    keep(lead, "stock")
    lead.goto("/renewals")
    lead.get_by_role("button", name="Maak een voorbeeld").click()
    lead.get_by_text("Er is nog niets veranderd").wait_for()
    keep(lead, "new-year")
    lead.goto("/renewals")
    keep(lead, "new-years")


def _others(camera: Camera) -> None:
    with camera.config.registry.transaction() as session:
        run_retention(session, camera.at.date() - timedelta(days=1))
    auditor, administrator = camera.window("auditor"), camera.window("administrator")
    for page, name, address in (
        (auditor, "numbers", "/reports"),
        (auditor, "log", "/audit"),
        (administrator, "accounts", "/accounts"),
        (administrator, "new-account", "/accounts/new"),
        (administrator, "account", "/accounts/1"),
        (administrator, "own-account", "/account"),
    ):
        page.goto(address)
        keep(page, name)
    holder = camera.window(width=500)
    holder.goto("/lost")
    keep(holder, "lost")
    for name, address in (("lost-done", "/lost/done"), ("login", "/login"), ("start-code", "/login/start")):
        holder.goto(address)
        keep(holder, name)


if __name__ == "__main__":
    main()
