"""A trainee at the simulator in Chromium: what a counter has to cope with, each step looked at by axe (WCAG 2.2 AA)."""

from meedoen.training import TERMINAL
from terminal.host import about
from tests.city import purses_of


class Trainee:
    """A trainee who looks, after each step, whether everybody could have done it."""

    def __init__(self, page, axe):
        self.page, self._axe = page, axe

    def sees(self, result, *more):
        self.page.locator("#result").get_by_text(result, exact=True).wait_for()
        for text in more:
            assert text in self.page.locator("#said").inner_text()
        self.looks()

    def reads(self, state):
        self.page.locator("#state").get_by_text(state, exact=True).wait_for()
        self.looks()

    def looks(self):
        assert self._axe(self.page) == []
        assert self.page.said == []

    def clicks(self, *keys):
        for key in keys:
            self.page.locator(f"#keys button[value='{key}']").click()

    def places(self, key):
        self.page.locator(f"#passes button[value='{key}']").click()

    def lifts(self, key):
        button = self.page.locator(f"#passes button[value='{key}']")
        button.get_by_text("Haal van de lezer").wait_for()
        button.click()
        button.get_by_text("Leg op de lezer").wait_for()

    def lamp(self):
        return self.page.locator("#light").inner_text()

    def lit(self):
        """How many pixels of the display are lit, as they are drawn on the page."""
        return self.page.evaluate(
            "() => { const c = document.getElementById('display');"
            " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;"
            " for (let y = 2; y < 384; y += 6) for (let x = 2; x < 768; x += 6) n += d[4 * (y * 768 + x)] > 0;"
            " return n; }"
        )


def test_a_day_at_the_counter(window, axe, simulator, city):
    """A typed price, a pass pulled away too early, a blocked pass, and the plug pulled out."""
    paid = city.passes[0].card
    before = purses_of(paid)[1]
    trainee = Trainee(window(), axe)
    trainee.looks()

    trainee.clicks("2", "#")
    trainee.reads("Typ de prijs")
    trainee.page.keyboard.type("850")
    trainee.page.get_by_text("€ 8,50").first.wait_for()
    trainee.clicks("#")
    trainee.reads("Wacht op een pas")
    trainee.places("budget")
    trainee.sees("JA (00)", "Over: €")
    assert trainee.lamp() == "groen"
    assert "twee korte tonen, omhoog (• •)" in trainee.page.locator("#sound").inner_text()
    assert purses_of(paid)[1] == before - 850
    assert trainee.lit() == sum(byte.bit_count() for byte in simulator.situation().screen.picture) > 500
    trainee.lifts("budget")

    trainee.clicks("*", "1", "#")
    trainee.page.get_by_label("trekt de gast de pas te vroeg weg").check()
    trainee.places("budget")
    trainee.sees("NOG EEN KEER (10)")
    assert trainee.lamp() == "oranje"
    assert trainee.page.get_by_label("gaat alles goed").is_checked()
    trainee.places("budget")
    trainee.sees("JA (00)")
    assert purses_of(paid)[1] == before - 850 - 400
    trainee.lifts("budget")

    trainee.clicks("*", "1", "#")
    trainee.places("blocked")
    trainee.sees("NEE (23)", "geblokkeerd")
    assert trainee.lamp() == "rood"
    trainee.lifts("blocked")

    trainee.clicks("*", *"2#400#")
    trainee.page.get_by_label("valt de stroom uit").check()
    trainee.places("budget")
    trainee.reads("Uit: de stekker zit er niet in")
    assert trainee.lit() == 0
    assert purses_of(paid)[1] == before - 850 - 800
    trainee.lifts("budget")
    trainee.page.get_by_role("button", name="Doe de stekker erin").click()
    trainee.reads("Typ de PIN")
    trainee.clicks(*"2580#")
    trainee.reads("Kies een aanbod")
    trainee.clicks(*"2#400#")
    trainee.places("budget")
    trainee.sees("JA (00)")
    assert purses_of(paid)[1] == before - 850 - 800
    assert about(simulator.link)["books"][0]["terminal"] == TERMINAL


def test_each_other_pass_gets_the_answer_that_it_should(window, axe):
    trainee = Trainee(window(), axe)
    for key, result in (
        ("empty", "NEE (24)"),
        ("expired", "NEE (22)"),
        ("neighbours", "NEE (21)"),
        ("bank", "NEE (20)"),
    ):
        trainee.clicks("*", "1", "#")
        trainee.places(key)
        trainee.sees(result)
        trainee.lifts(key)


def test_a_pass_is_dragged_on_the_reader_and_off_it(window, axe):
    trainee = Trainee(window(), axe)
    trainee.clicks("1", "#")
    page = trainee.page
    page.locator("[data-pass=budget]").drag_to(page.locator("#reader"))
    trainee.sees("JA (00)")
    page.locator("#lies").get_by_text("Pas met tegoed").drag_to(page.locator("#passes"))
    page.locator("#lies").get_by_text("Sleep een pas hierheen").wait_for()


def test_it_is_done_by_keyboard_alone(window, axe):
    trainee = Trainee(window(), axe)
    page = trainee.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Naar de terminal"
    page.keyboard.press("Enter")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    trainee.reads("Wacht op een pas")
    button = page.locator("#passes button[value='budget']")
    button.focus()
    page.keyboard.press("Space")
    trainee.sees("JA (00)")
    # Who turns it off can type for something else, such as a screen reader.
    page.get_by_label("Typ ook op het toetsenbord").uncheck()
    page.keyboard.type("#")
    page.wait_for_timeout(300)
    trainee.sees("JA (00)")


def test_it_speaks_english_and_fits_a_small_screen(window, axe):
    trainee = Trainee(window(width=400), axe)
    trainee.page.get_by_role("button", name="English").click()
    trainee.page.get_by_role("heading", name="Practise with the terminal").wait_for()
    trainee.reads("Type the PIN")
    trainee.clicks(*"2580#")
    trainee.reads("Choose an offer")
    assert trainee.page.locator("html").get_attribute("lang") == "en"
    assert trainee.page.evaluate("document.documentElement.scrollWidth") <= 400
    trainee.clicks("1", "#")
    trainee.places("budget")
    trainee.sees("YES (00)", "Yes, accepted")


def test_the_sound_can_be_heard_and_silenced(window, axe):
    page = window()
    page.evaluate(
        "() => { window.heard = []; const make = AudioContext.prototype.createOscillator;"
        " AudioContext.prototype.createOscillator = function () {"
        " const made = make.call(this); window.heard.push(made); return made; }; }"
    )
    trainee = Trainee(page, axe)
    trainee.clicks("1", "#")
    trainee.places("blocked")
    trainee.sees("NEE (23)")
    assert page.evaluate("window.heard.map(each => each.frequency.value)") == [330]
    trainee.lifts("blocked")
    page.get_by_label("Laat het geluid horen").uncheck()
    trainee.clicks("*", "1", "#")
    trainee.places("blocked")
    trainee.sees("NEE (23)")
    assert page.evaluate("window.heard.length") == 1
