"""Browsers for tests of pages: of Flask, and Debian's Chromium (one for all tests of a process) with axe.

The folder of an app says what `app` is, and `officer_key("role")`: what the cookie of somebody logged in holds.
"""

import contextlib
import threading
from importlib.resources import files

import pytest
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

CHROMIUM = "/usr/bin/chromium"
_WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="session")
def chromium():
    with (
        sync_playwright() as playwright,
        contextlib.closing(playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])) as browser,
    ):
        yield browser


@pytest.fixture
def axe():
    """`axe(page)` is what axe-core finds on it, in words; nothing is what it should be."""
    script = files("axe_playwright_python").joinpath("axe.min.js").read_text()

    def findings(page):
        # Not as a script element: the policy of the page lets none in, and is not switched off for a test.
        page.evaluate(script)
        found = page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", _WCAG)
        return [f"{each['id']}: {node['html']}" for each in found["violations"] for node in each["nodes"]]

    return findings


@pytest.fixture
def client(app, officer_key):
    """`client("clerk")` is a browser of a clerk; `client()` is one of somebody who is not logged in."""
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
    """`page("clerk")` is a window of a clerk in Chromium; `page()` one of somebody who is not logged in."""
    contexts = []

    def of(*roles, width=1280):
        context = chromium.new_context(base_url=live, viewport={"width": width, "height": 900}, locale="nl-NL")
        contexts.append(context)
        if roles:
            value = app.session_interface.get_signing_serializer(app).dumps(officer_key(*roles))
            context.add_cookies([{"name": app.config["SESSION_COOKIE_NAME"], "value": value, "url": live}])
        return context.new_page()

    yield of
    for context in contexts:
        context.close()
