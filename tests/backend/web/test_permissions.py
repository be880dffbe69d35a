"""Who sees which page of clearing: every route has a stated permission, and keeps everybody else out."""

from pathlib import Path

import pytest

from backend.web.permissions import PERMISSIONS, RIGHTS
from tests.web.roles import page_of_roles
from web.rights import OPEN, opens, permission_of

ROLES = RIGHTS.roles


def routes(app):
    return [rule for rule in app.url_map.iter_rules() if permission_of(app, rule.endpoint) != OPEN]


def ask(browser, app, rule):
    """The answer to a route with numbers and words filled in; GET where there is one."""
    with app.test_request_context():
        address = app.url_for(rule.endpoint, **dict.fromkeys(rule.arguments, 1))
    return browser.open(address, method="GET" if "GET" in rule.methods else "POST")


def test_every_route_states_what_it_needs_and_only_the_entrance_is_open(app):
    stated = {rule.endpoint: permission_of(app, rule.endpoint) for rule in app.url_map.iter_rules()}
    assert [endpoint for endpoint, permission in stated.items() if permission is None] == []
    open_ones = {endpoint.partition(".")[0] for endpoint, permission in stated.items() if permission == OPEN}
    assert open_ones == {"entrance", "static"}


def test_nobody_gets_in_without_login(app, client):
    browser = client()
    assert [rule.endpoint for rule in routes(app) if ask(browser, app, rule).status_code != 302] == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_the_table_says_and_no_more(app, client, role):
    browser, wrong = client(role), []
    for rule in routes(app):
        refused = ask(browser, app, rule).status_code == 403
        if refused == opens(RIGHTS.of(frozenset({role})), permission_of(app, rule.endpoint)):
            wrong.append(rule.endpoint)
    assert wrong == []


def test_an_auditor_changes_nothing(app):
    changing = {
        rule.endpoint
        for rule in routes(app)
        if "POST" in rule.methods and opens(RIGHTS.of(frozenset({"auditor"})), permission_of(app, rule.endpoint))
    }
    own = {"own_account.password", "own_account.second_step_now"}
    assert changing - own == {"audit.verify", "verification.run"}


def test_the_page_about_roles_says_what_the_table_says():
    page = Path(__file__).parents[3] / "docs" / "finance.md"
    assert page_of_roles(ROLES, PERMISSIONS) in page.read_text()
