"""Who sees which page: every route has a stated permission, and keeps everybody else out."""

from pathlib import Path

import pytest

from issuer.web.permissions import PERMISSIONS, RIGHTS, ROLES
from tests.web.roles import page_of_roles
from web.rights import ANY_OFFICER, OPEN, opens, permission_of


def routes(app):
    return [rule for rule in app.url_map.iter_rules() if permission_of(app, rule.endpoint) != OPEN]


def ask(browser, app, rule):
    """The answer to a route with numbers and words filled in; GET where there is one."""
    values = {name: 1 for name in rule.arguments}
    with app.test_request_context():
        address = app.url_for(rule.endpoint, **values)
    return browser.open(address, method="GET" if "GET" in rule.methods else "POST")


def test_every_route_states_what_it_needs(app):
    stated = {rule.endpoint: permission_of(app, rule.endpoint) for rule in app.url_map.iter_rules()}
    assert [endpoint for endpoint, permission in stated.items() if permission is None] == []


def test_only_the_entrance_and_the_page_of_a_holder_are_open(app):
    open_ones = {rule.endpoint for rule in app.url_map.iter_rules() if permission_of(app, rule.endpoint) == OPEN}
    assert {endpoint.partition(".")[0] for endpoint in open_ones} == {"entrance", "holder", "static"}


def test_nobody_gets_in_without_login(app, client):
    browser = client()
    wrong = [rule.endpoint for rule in routes(app) if ask(browser, app, rule).status_code != 302]
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_the_table_says_and_no_more(app, client, role):
    browser, wrong = client(role), []
    for rule in routes(app):
        refused = ask(browser, app, rule).status_code == 403
        if refused == opens(RIGHTS.of(frozenset({role})), permission_of(app, rule.endpoint)):
            wrong.append(rule.endpoint)
    assert wrong == []


def test_a_page_that_nobody_tied_to_a_permission_is_seen_by_nobody(app, client):
    app.add_url_rule("/forgotten", "forgotten", lambda: "names")
    assert client("clerk", "team-lead", "administrator", "auditor").get("/forgotten").status_code == 403


def test_no_role_is_in_the_table_that_does_not_exist():
    assert {role for roles, _ in PERMISSIONS.values() for role in roles} <= set(ROLES)
    assert {OPEN, ANY_OFFICER}.isdisjoint(PERMISSIONS)


def test_the_page_about_roles_says_what_the_table_says():
    page = Path(__file__).parents[3] / "docs" / "desk-roles.md"
    assert page_of_roles(ROLES, PERMISSIONS) in page.read_text()
