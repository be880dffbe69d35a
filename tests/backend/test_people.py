"""Who answers for an act: with accounts of staff, one of them whose role allows it, by the name that pages write."""

import json

import httpx
import pytest
import typer
from typer.testing import CliRunner

from backend.cli import app
from backend.errors import PersonRefused
from backend.staff import Staff
from backend.web.permissions import PERMISSIONS, RIGHTS
from tests.backend.test_http import client_of
from web.accounts import Officer, add_account, all_accounts, change_account

CLOSING = {"reason": "test", "note": ""}
# What each command that somebody answers for needs, as the page beside it does; and the rest of its line.
COMMANDS = {
    "settle prepare": ("settle", ["--until", "2026-11-30"]),
    "settle withdraw": ("settle", ["2026-001"]),
    "settle sent": ("settle", ["2026-001"]),
    "settle approve": ("release", ["2026-001"]),
    "settle revoke": ("release", ["2026-001"]),
    "recover begin": ("settle", []),
    "recover order": ("settle", ["config.json"]),
    "recover end": ("release", []),
    "bank import": ("settle", ["config.json"]),
    "bank assign": ("settle", ["1", "--not-ours", "rent"]),
    "exceptions retry": ("mend", ["item:1"]),
    "exceptions close": ("mend", ["item:1", "--reason", "test"]),
    "exceptions book": ("mend", ["item:1"]),
    "exceptions confirm": ("mend", ["item:1"]),
    "exceptions decline": ("mend", ["item:1"]),
    "year-end propose": ("settle", ["2026-12-31"]),
    "year-end decide": ("release", ["2026-12-31"]),
    "year-end withdraw": ("settle", ["2026-12-31"]),
    "statistics": ("release", ["--year", "2024", "--publish"]),
}
CALLS = {
    "/bank/files": ("settle", {"params": {"by": ...}, "content": b"<x/>"}),
    "/exceptions/{case}/retries": ("mend", {"json": {"by": ...}}),
    "/exceptions/{case}/closings": ("mend", {"json": {"by": ...} | CLOSING}),
    "/exceptions/{case}/bookings": ("mend", {"json": {"by": ...}}),
    "/exceptions/{case}/confirmations": ("mend", {"json": {"by": ...}}),
    "/exceptions/{case}/refusals": ("mend", {"json": {"by": ...}}),
}
ROLES = ("finance", "finance-lead", "auditor")


@pytest.fixture
def staffed(world):
    """A city with an account of each role, called as its role, and one that was closed."""
    staff = Staff.at(world.folder)
    with staff.transaction() as session:
        for role in ROLES:
            add_account(session, RIGHTS, role, "Anja Jansen", frozenset([role]))
        closed = add_account(session, RIGHTS, "gone", "Bram Kok", frozenset(["finance-lead"]))
        administrator = Officer(0, "a", "A", frozenset(), frozenset())
        change_account(session, RIGHTS, administrator, closed.id, "Bram Kok", closed.roles, False, "")
    staff.close()
    world.config.save()
    return world


def run(world, words, by):
    """What the command refused, None when it did not refuse it for who did it."""
    said = CliRunner().invoke(
        app, [*words, "--by", by, "--json", "--data", str(world.folder)], obj=httpx.MockTransport(world.vault)
    )
    assert said.exit_code in (0, 1), said.output
    return json.loads(said.stderr) if said.exit_code else None


def is_about_the_account(refusal):
    return refusal is not None and refusal["reason"] == "account"


def test_every_command_and_call_that_asks_who_does_it_is_in_these_tables(world):
    def commands(group, *names):
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from commands(command, *names, name)
            elif any(each.name == "by" for each in command.params):
                yield " ".join([*names, name])

    assert set(commands(typer.main.get_command(app))) == set(COMMANDS)
    with client_of(world) as client:
        spec = client.get("/v1/openapi.json").json()
    asking = {
        path
        for path, calls in spec["paths"].items()
        if '"by"' in json.dumps(calls) or "ByIn" in json.dumps(calls) or "ClosingIn" in json.dumps(calls)
    }
    assert asking == set(CALLS)


@pytest.mark.parametrize("command", COMMANDS)
def test_on_the_command_line_an_account_does_what_its_role_may_on_a_page(staffed, command):
    permission, rest = COMMANDS[command]
    rest = [str(staffed.folder / word) if word == "config.json" else word for word in rest]
    for role in ROLES:
        refusal = run(staffed, [*command.split(), *rest], role)
        assert is_about_the_account(refusal) != (role in PERMISSIONS[permission][0]), role
    for nobody in ("gone", "Anja Jansen", ""):
        refusal = run(staffed, [*command.split(), *rest], nobody)
        assert is_about_the_account(refusal), nobody
        assert "finance-lead" in refusal["faults"][0]
        assert "meedoen backend web add-account" in refusal["faults"][0]


@pytest.mark.parametrize("path", CALLS)
def test_over_http_an_account_does_what_its_role_may_on_a_page(staffed, path):
    permission, call = CALLS[path]

    def answer(client, by):
        filled = {key: {**held, "by": by} if isinstance(held, dict) else held for key, held in call.items()}
        return client.post("/v1" + path.replace("{case}", "item:1"), **filled)

    with client_of(staffed) as client:
        for role in ROLES:
            assert (answer(client, role).status_code == 403) != (role in PERMISSIONS[permission][0]), role
        for nobody in ("gone", "Anja Jansen"):
            refusal = answer(client, nobody)
            assert (refusal.status_code, refusal.json()["reason"]) == (403, "account")


def test_one_person_is_one_however_the_user_name_is_written(staffed):
    staffed.sells()
    prepare = ["settle", "prepare", "--until", str(staffed.pool.day)]
    assert run(staffed, prepare, " FINANCE-LEAD") is None
    assert run(staffed, ["settle", "approve", "2026-001"], "Finance-Lead ")["reason"] == "two people"
    assert run(staffed, ["settle", "withdraw", "2026-001"], "finance") is None
    assert run(staffed, prepare, " Finance") is None
    assert run(staffed, ["settle", "approve", "2026-002"], "finance-lead") is None
    held = staffed.clearing.settlements.get("2026-002")
    assert (held.prepared_by, held.approved_by) == ("finance", "finance-lead")


def test_where_there_are_no_accounts_a_name_is_believed_and_none_are_made(world):
    assert world.clearing.answering("Anja  Jansen ", "release") == "Anja Jansen"
    with pytest.raises(PersonRefused):
        world.clearing.answering(" ", "release")
    assert not (world.folder / "staff.db").exists()


def test_a_place_for_accounts_in_which_there_are_none_changes_nothing(world):
    staff = Staff.at(world.folder)
    with staff.transaction() as session:
        assert all_accounts(session) == []
    assert world.clearing.answering("Anja Jansen", "release") == "Anja Jansen"
    staff.close()
