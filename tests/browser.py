"""The browser of the tests: Debian's Chromium, and what axe finds on its pages. One for all tests of a process."""

import contextlib
from importlib.resources import files

import pytest
from playwright.sync_api import sync_playwright

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
