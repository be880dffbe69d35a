"""The count of passes that leaves the desk: what is counted, on which days, and that nobody is in it."""

import json
from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

from issuer import reach_cli
from issuer.cli import app
from issuer.errors import DeskError
from issuer.lifecycle import STATES
from issuer.people import Person
from issuer.reach import reach_of
from issuer.registry import Registry, passes
from issuer.registry.tables import CardPass
from tests.issuer.a_registry import NOON, TODAY, give_pass, take
from tests.issuer.test_renewal import SCHEME
from web.audit_log import AuditLine


def city(registry, *states):
    """Somebody with a pass in each of these states; names, numbers and days of birth that would be recognised."""
    people = [
        Person(f"H{number}", "Quispel", "de", f"Xanthe{number}", date(1961, 7, 19) + timedelta(number), 110)
        for number in range(len(states))
    ]
    for number, (who, state) in enumerate(zip(take(registry, people), states, strict=True)):
        give_pass(registry, who, f"{number:04}-M2XP", state)


def counted(registry, on=TODAY, year=TODAY.year):
    with registry.transaction() as session:
        return reach_of(session, SCHEME, year, on)


def test_a_pass_counts_when_it_is_with_its_holder_or_on_its_way(empty_registry):
    city(empty_registry, *STATES, *["active"] * 8, *["handed_over"] * 3)
    found = counted(empty_registry)
    assert (found.passes, found.municipality, found.year, found.counted_on) == (13, SCHEME.number, 2026, TODAY)


@pytest.mark.parametrize(("passes_in_use", "told"), [(0, 0), (1, None), (9, None), (10, 10)])
def test_a_small_count_is_not_told(empty_registry, passes_in_use, told):
    city(empty_registry, *["active"] * passes_in_use)
    found = counted(empty_registry)
    assert (found.passes, found.minimum) == (told, 10)


def test_a_pass_that_is_over_or_does_not_work_yet_does_not_count(empty_registry):
    city(empty_registry, *["active"] * 13)
    with empty_registry.transaction() as session:
        cards = passes.listing(session)
        cards[0].valid_until = TODAY - timedelta(days=1)
        cards[1].valid_from = TODAY + timedelta(days=1)
        cards[2].valid_from = cards[2].valid_until = TODAY
    assert counted(empty_registry).passes == 11


def test_who_lost_a_pass_and_got_another_counts_once(empty_registry):
    city(empty_registry, *["active"] * 10)
    with empty_registry.transaction() as session:
        lost = passes.listing(session)[0]
        valid = lost.valid_from, lost.valid_until
        passes.move(session, lost, "blocked", "clerk", NOON)
        new = passes.set_aside(session, lost.holder, "ZZZZ-ZZZZ", valid, "clerk", NOON)
        new.uid, new.handle, new.state = bytes(7), bytes(16), "active"
    assert counted(empty_registry).passes == 10


@pytest.mark.parametrize(
    ("on", "may"),
    [
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 31), True),
        (date(2027, 2, 1), False),
    ],
)
def test_a_year_is_counted_in_it_or_in_the_month_after_it(empty_registry, on, may):
    if may:
        assert counted(empty_registry, on).counted_on == on
        return
    with pytest.raises(DeskError, match="count them in 2026, or in the month after it"):
        counted(empty_registry, on)


# On the command line


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(reach_cli, "today", lambda: TODAY)
    city(Registry.at(tmp_path), *["active"] * 12)

    def run(*words):
        return CliRunner().invoke(app, ["reach", *map(str, words), "--data", str(tmp_path)])

    return run


def test_the_file_holds_one_count_and_nothing_of_a_person(run, tmp_path):
    file = tmp_path / "reach.json"
    said = run("--year", 2026, "--out", file, "--json")
    assert said.exit_code == 0
    content = file.read_text()
    assert json.loads(content) == json.loads(said.stdout)
    facts = json.loads(content)
    assert set(facts) == {"municipality", "year", "counted_on", "counts", "minimum", "passes"}
    assert (facts["municipality"], facts["year"], facts["counted_on"], facts["passes"]) == (1, 2026, "2026-11-21", 12)
    assert facts["counts"].endswith("on the day of counting")
    with Registry.at(tmp_path).transaction() as session:
        for card in session.query(CardPass):
            who, chip = card.holder, (card.uid or b"").hex()
            told = (who.family_name, who.given_name, who.household.reference, who.born.isoformat())
            for each in (*told, card.printed_code, chip, card.valid_until.isoformat()):
                assert each not in content
        assert [line.object for line in session.query(AuditLine)] == ["2026"]


def test_the_count_is_said_to_who_asks_for_no_file(run):
    assert run("--year", 2026).stdout == "12 passes in use on 2026-11-21.\n"


def test_another_year_is_refused_in_one_sentence_and_leaves_no_file(run, tmp_path):
    file = tmp_path / "reach.json"
    said = run("--year", 2025, "--out", file)
    assert (said.exit_code, said.stderr.count("\n"), file.exists()) == (1, 1, False)
