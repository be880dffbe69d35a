"""What people do at the counter, in a real browser, with a real PC/SC reader that a card is put into and taken from."""

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hardware.pcsc import PcscReader
from hardware.vpcd import VirtualCard
from issuer.printing.artwork import load_artwork
from issuer.registry import passes
from issuer.web.app import create_app
from tests.city import factory_card, purses_of
from tests.issuer.web.a_counter import with_counter

ROOT = Path(__file__).parents[3]
OTHER_UID = b"\x04\x99\x11\x22\x33\x44\x55"
# An hour for a bus that is late, and not one of the tests' own numbers: what the slowest machine here needs at most.
PATIENCE_MS = 60_000
PAGES = (
    *("/people", "/people/1", "/people/new", "/people/1/exception", "/declines", "/approvals"),
    *("/reader", "/imports", "/renewals", "/stock", "/reports"),
)
FIRST_SLOT = "Virtual PCD 00 00"


@pytest.fixture
def config(config, pcscd):
    made = with_counter(config, lambda: PcscReader(FIRST_SLOT), {1: 1234})
    return replace(made, office_file=ROOT / "schemes/letters/gelrepas.toml", artwork=load_artwork())


@pytest.fixture
def app(config):
    return create_app(config)


@pytest.fixture
def on_reader(pcscd):
    """Puts a card on the reader, and takes the one off that lay there."""
    there = []

    def put(card):
        for each in there:
            each.remove()
        there[:] = [VirtualCard(card, pcscd.port)]
        there[0].insert()
        reader, end = PcscReader(FIRST_SLOT), time.monotonic() + 30
        while reader.find_pass() is None:
            assert time.monotonic() < end, "the card was not seen in 30 seconds"
            time.sleep(0.02)
        reader.release()

    yield put
    for each in there:
        each.remove()


@pytest.fixture
def walk(page, axe):
    """A window of somebody; `look()` has axe look at the page, `press` presses what says so."""

    class Walk:
        def __init__(self, *roles):
            self.page = page(*roles)
            self.page.set_default_timeout(PATIENCE_MS)

        def go(self, address):
            self.page.goto(address)
            self.look()

        def press(self, words, stays=True):
            """Press, and look at what comes; `stays` is False for a page that goes on to the next by itself."""
            main = self.page.get_by_role("main")
            button, link = (main.get_by_role(role, name=words, exact=True) for role in ("button", "link"))
            button.or_(link).first.click()
            self.page.wait_for_load_state()
            if stays:
                self.look()

        def press_when(self, words):
            """Press what comes by itself after a while."""
            self.page.get_by_role("main").get_by_role("link", name=words, exact=True).wait_for()
            self.press(words)

        def sees(self, words):
            self.page.get_by_text(words).first.wait_for()

        def look(self):
            assert axe(self.page) == [], self.page.url

    return Walk


def test_the_two_minute_counter_case(walk, on_reader, config):
    """A resident stands at the counter: found, explained, made, handed over, with a receipt. By keyboard where it is
    asked."""
    clerk = walk("clerk")
    clerk.go("/people")
    clerk.page.get_by_label("Naam, geboortedatum").press_sequentially("vos")
    clerk.page.get_by_role("link", name="Sam de Vos").click()
    clerk.sees("€ 180,00")
    clerk.sees("Dit is er alleen voor mantelzorgers")
    clerk.press("Maak de pas")
    # The clerk forgets the card; the page says so, and goes on when it is there.
    clerk.press("Begin", stays=False)
    clerk.sees("Er ligt geen kaart op de lezer")
    card = factory_card()
    on_reader(card)
    clerk.press("Probeer het nog een keer", stays=False)
    clerk.sees("De pas is klaar")
    clerk.look()
    assert purses_of(card) == {1: 4500, 2: 18000, 3: 0, 4: 250}
    clerk.press("Overhandigen")
    clerk.page.get_by_label("Wie neemt de pas mee").fill("Ilse de Vos")
    clerk.press("De pas is overhandigd")
    clerk.sees("Ontvangstbewijs")
    with config.registry.transaction() as session:
        assert passes.of(session, 1).state == "active"


def test_the_way_to_a_person_works_without_a_mouse(walk):
    clerk = walk("clerk")
    clerk.go("/people")
    clerk.page.keyboard.type("bos")
    clerk.page.keyboard.press("Enter")
    clerk.page.get_by_role("link", name="Ali Bos").focus()
    clerk.page.keyboard.press("Enter")
    clerk.page.wait_for_url(re.compile(r"/people/3$"))
    clerk.page.keyboard.press("Tab")
    assert clerk.page.evaluate("document.activeElement.textContent.trim()") == "Naar de inhoud"


def test_a_lost_pass(walk, on_reader, config, tmp_path):
    """Blocked, replaced at once, and what was left on it follows when a team lead and two officers agreed."""
    clerk, lead = walk("clerk"), walk("team-lead")
    on_reader(factory_card())
    clerk.go("/people/1/pass")
    clerk.press("Begin", stays=False)
    clerk.sees("De pas is klaar")
    clerk.press("Overhandigen")
    clerk.press("De pas is overhandigd")
    clerk.press("Terug naar de persoon")
    clerk.press("Blokkeren")
    clerk.press("Blokkeer de pas")
    clerk.sees("De pas is geblokkeerd.")
    clerk.page.get_by_label("Waarom vraagt u dit?").fill("in de trein laten liggen")
    clerk.press("Vraag het tegoed aan")
    lead.go("/approvals")
    lead.press("Goedkeuren")
    lead.sees("Er wacht niets")
    clerk.page.reload()
    with clerk.page.expect_download() as download:
        clerk.page.get_by_role("link", name="Haal het bestand op").click()
    assert "in de trein" in download.value.path().read_text()
    for number, content in enumerate((b"of the first", b"of the second"), 1):
        (tmp_path / f"{number}.sig").write_bytes(content)
        clerk.page.locator(f"#signature-{number}").set_input_files(tmp_path / f"{number}.sig")
    clerk.press("Zet het tegoed klaar")
    clerk.sees("€ 12,34")
    card = factory_card(OTHER_UID)
    on_reader(card)
    clerk.press("Maak de pas")
    clerk.press("Begin", stays=False)
    clerk.sees("De pas is klaar")
    assert purses_of(card)[1] == 1234
    clerk.go("/reader")
    clerk.press("Lees de pas")
    clerk.sees("Dit staat er nu op de pas")


def test_the_renewal(walk, on_reader, config, clock):
    """A team lead looks at the new year, another one accepts, letters go out; at the next visit the budgets follow."""
    clerk, lead, other = walk("clerk"), walk("team-lead"), walk("team-lead")
    card = factory_card()
    on_reader(card)
    clerk.go("/people/1/pass")
    clerk.press("Begin", stays=False)
    clerk.press_when("Overhandigen")
    clerk.press("De pas is overhandigd")
    lead.go("/renewals")
    lead.press("Maak een voorbeeld voor 2027", stays=False)
    lead.sees("Er is nog niets veranderd")
    lead.look()
    lead.sees("Een andere teamleider moet akkoord gaan.")
    other.go("/renewals/1")
    other.press("Akkoord", stays=False)
    other.sees("3 van 3 mensen zijn klaar")
    other.look()
    other.go("/renewals")
    other.sees("Brieven die nog niet verstuurd zijn: 3")
    assert purses_of(card) == {1: 4500, 2: 18000, 3: 0, 4: 250}
    clock.pass_by(days=45)
    january = walk("clerk")
    january.go("/people/1")
    january.press("Zet tegoed op de pas")
    january.press("Begin", stays=False)
    january.sees("De pas is klaar")
    january.look()
    assert purses_of(card) == {1: 9000, 2: 36000, 3: 0, 4: 500}
    january.go("/people/1")
    january.sees("geldig tot en met 31 januari 2028")


def test_a_face_is_looked_at_before_it_is_printed(walk):
    clerk = walk("clerk")
    clerk.go("/people/1")
    clerk.press("Print eerst de pas")
    shown = clerk.page.get_by_role("img")
    assert shown.count() == 2
    assert clerk.page.evaluate("[...document.images].every(each => each.complete && each.naturalWidth === 1011)")
    with clerk.page.expect_download() as download:
        clerk.page.get_by_role("button", name="Maak een bestand").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")


def test_who_lost_a_pass_blocks_it_at_home(walk, on_reader, config, page, axe):
    clerk = walk("clerk")
    on_reader(factory_card())
    clerk.go("/people/1/pass")
    clerk.press("Begin", stays=False)
    clerk.press_when("Overhandigen")
    clerk.press("De pas is overhandigd")
    with config.registry.transaction() as session:
        code = passes.of(session, 1).printed_code
    at_home = page(width=400)
    for born, said in (("02-05-2015", "geboortedatum"), ("1-5-2015", "De pas is geblokkeerd")):
        at_home.goto("/lost")
        at_home.get_by_label("Code van de pas").fill(code.lower().replace("-", ""))
        at_home.get_by_label("Geboortedatum").fill(born)
        at_home.get_by_role("button", name="Blokkeer de pas").click()
        at_home.get_by_role("main").get_by_text(said).first.wait_for()
        assert axe(at_home) == []
    clerk.go("/people/1")
    clerk.sees("geblokkeerd")


def test_a_page_for_everybody_in_both_languages_and_on_a_small_screen(page, axe):
    for width in (400, 1280):
        window = page("clerk", "team-lead", width=width)
        window.set_default_timeout(PATIENCE_MS)
        for address in PAGES:
            window.goto(address)
            assert axe(window) == [], address
            wide = window.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{address} has to be scrolled sideways"
        window.get_by_role("button", name="English").click()
        window.wait_for_load_state()
        assert window.locator("html").get_attribute("lang") == "en"
        assert "Second person" in window.content()
