"""The first accounts of clearing on the command line, and what they open."""

import json

import pytest
from typer.testing import CliRunner

from backend.cli import app
from backend.staff import Staff
from backend.web.app import create_app
from backend.web.config import WebConfig

PASSWORD = "drie paarse olifanten"


@pytest.fixture
def run(world):
    """A command on the folder of the city: its exit status and what it says."""
    world.config.save()

    def call(*words):
        made = CliRunner().invoke(app, ["web", *words, "--data", str(world.folder)])
        return made.exit_code, made.output

    return call


def test_the_first_account_is_an_administrator_and_there_is_one_first(run):
    status, said = run("init", "a.jansen", "Anja Jansen")
    assert (status, "Start code for a.jansen" in said) == (0, True)
    status, said = run("init", "b.kok", "Bram Kok")
    assert (status, "administrator already" in said) == (1, True)


def test_the_accounts_are_brought_to_this_version_and_to_an_earlier_one(run):
    run("init", "a.jansen", "Anja Jansen")
    assert run("migrate", "--json") == (0, '{"version": "newest"}\n')
    assert run("migrate", "--to", "0001") == (0, "The accounts have version 0001.\n")
    assert "administrator already" in run("init", "b.kok", "Bram Kok")[1]


def test_a_venue_gets_in_with_its_code_and_sees_its_own(run, world):
    status, said = run("add-account", "V.Plas", "Vera Plas", "--role", "venue", "--venue", "5", "--json")
    assert status == 0
    code = json.loads(said)["startCode"]
    made = create_app(WebConfig(world.clearing, Staff.at(world.folder), https=False))
    made.config["WTF_CSRF_ENABLED"] = False
    browser = made.test_client()
    # The city has a clock of its own: the code is from another day than this one.
    chosen = {"user_name": "v.plas", "code": code, "password": PASSWORD, "again": PASSWORD}
    assert browser.post("/login/start", data=chosen).status_code == 303
    assert browser.post("/login", data={"user_name": "v.plas", "password": PASSWORD}).location == "/"
    assert "Zwembad De Plas" in browser.get("/own").text


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("--role", "venue"), 2, "--venue"),
        (("--role", "finance", "--venue", "5"), 2, "--venue"),
        (("--role", "venue", "--venue", "77"), 1, "no venue 77"),
        (("--role", "king"), 1, "no such role"),
    ],
)
def test_an_account_that_cannot_be_is_not_made(run, words, status, says):
    got, said = run("add-account", "v.plas", "Vera Plas", *words)
    assert (got, says in said) == (status, True)
    assert run("add-account", "v.plas", "Vera Plas", "--role", "auditor")[0] == 0
