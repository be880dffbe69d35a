"""The pages in Chromium: what axe finds on them at WCAG 2.2 AA, and that they need no mouse and no wide screen."""

import pyotp
import pytest

from issuer.web.permissions import RIGHTS
from web import accounts

PASSWORD = "drie paarse olifanten"
PAGES = [
    ((), "/login"),
    ((), "/login/start"),
    (("clerk",), "/"),
    (("clerk",), "/account"),
    (("clerk",), "/account/second-step"),
    (("clerk",), "/nowhere"),
    (("administrator",), "/accounts"),
    (("administrator",), "/accounts/new"),
    (("administrator",), "/accounts/1"),
    (("administrator", "auditor"), "/audit"),
]


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize(("roles", "address"), PAGES)
def test_a_page_is_for_everybody(page, axe, roles, address, width):
    window = page(*roles, width=width)
    window.goto(address)
    assert axe(window) == []
    assert window.evaluate("document.documentElement.scrollWidth") <= width


def test_a_message_and_a_mistake_are_for_everybody(page, axe, live):
    window = page()
    window.goto("/login")
    window.get_by_label("Gebruikersnaam").fill("joop")
    window.get_by_label("Wachtwoord", exact=True).fill("verkeerd wachtwoord")
    window.get_by_role("button", name="Inloggen").click()
    assert "horen niet bij elkaar" in window.get_by_role("alert").inner_text()
    assert axe(window) == []


def test_the_first_thing_a_keyboard_reaches_leads_past_the_menu(page):
    window = page("clerk")
    window.goto("/")
    window.keyboard.press("Tab")
    assert window.evaluate("document.activeElement.innerText") == "Naar de inhoud"
    window.keyboard.press("Enter")
    window.keyboard.press("Tab")
    assert window.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_an_officer_begins_at_the_desk_by_keyboard_alone(page, config, app, clock, axe):
    """From the start code over the password and the phone to the first page, and back with a code of the phone."""
    with config.registry.transaction() as session:
        code = accounts.create_administrator(session, RIGHTS, "sam", "Sam Bos", clock.at)
    window = page()
    window.goto("/login/start")
    window.get_by_label("Gebruikersnaam").focus()
    for word in ("sam", code, PASSWORD, PASSWORD):
        window.keyboard.type(word)
        window.keyboard.press("Tab")
    window.keyboard.press("Enter")
    log_in(window)
    window.wait_for_url("**/account/second-step")
    secret = window.locator(".desk-code").inner_text().replace(" ", "")
    window.get_by_label("Code", exact=True).fill(pyotp.TOTP(secret).at(clock.at))
    window.keyboard.press("Enter")
    window.get_by_role("heading", name="Herstelcodes").wait_for()
    assert window.locator("li.desk-code").count() == 8
    assert axe(window) == []
    window.get_by_role("button", name="Uitloggen").click()
    clock.pass_by(seconds=30)
    log_in(window)
    window.get_by_role("heading", name="Code van uw telefoon").wait_for()
    assert axe(window) == []
    window.keyboard.type(pyotp.TOTP(secret).at(clock.at))
    window.keyboard.press("Enter")
    window.get_by_role("heading", name="Goedendag, Sam Bos").wait_for()


def log_in(window):
    window.wait_for_url("**/login")
    window.get_by_label("Gebruikersnaam").fill("sam")
    window.get_by_label("Wachtwoord", exact=True).fill(PASSWORD)
    window.keyboard.press("Enter")


def test_the_language_changes_on_the_page_where_one_is(page):
    window = page("clerk")
    window.goto("/account")
    window.get_by_role("button", name="English").click()
    window.get_by_role("heading", name="My account").wait_for()
    assert window.locator("html").get_attribute("lang") == "en"


def test_no_page_breaks_its_own_policy(page):
    window, said = page("administrator", "auditor"), []
    window.on("console", lambda message: said.append(message.text))
    for address in ("/", "/account", "/account/second-step", "/accounts", "/audit"):
        window.goto(address)
    assert said == []
