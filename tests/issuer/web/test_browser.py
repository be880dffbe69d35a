"""The pages in Chromium: what axe finds on them at WCAG 2.2 AA, and that they need no mouse."""

import pytest

ROLES = ("clerk", "team-lead", "administrator", "auditor")


@pytest.mark.parametrize("width", [1280, 400])
def test_the_login_page_is_for_everybody(page, axe, width):
    window = page(width=width)
    window.goto("/login")
    assert axe(window) == []


@pytest.mark.parametrize("role", ROLES)
def test_the_first_page_is_for_everybody(page, axe, role):
    window = page(role)
    window.goto("/")
    assert window.get_by_role("heading", level=1).inner_text() == "Goedendag, Noor de Wit"
    assert axe(window) == []
