"""The commands that say what the books hold: what they answer, and how they end."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from backend.clearing import Clearing
from backend.cli import app
from tests.backend.busy_city import busy
from tests.backend.conftest import World
from tests.backend.test_statistics import a_count
from tests.backend.test_verify import change


class Finance:
    """Someone at a command line, over the books of a city."""

    def __init__(self, world):
        self.data = world.folder
        self.vault = httpx.MockTransport(world.vault)

    def __call__(self, *words, status=0):
        answer = CliRunner().invoke(app, [str(word) for word in (*words, "--data", self.data)], obj=self.vault)
        assert answer.exit_code == status, answer.output
        return answer.output

    def json(self, *words, status=0):
        return json.loads(self(*words, "--json", status=status))


def it_is_march(monkeypatch):
    """The commands take the clock of the machine; here it is one on which 2026 can be closed."""
    march = datetime(2027, 3, 4, tzinfo=UTC)
    monkeypatch.setattr(Clearing.__init__, "__defaults__", (None, lambda: march))


@pytest.fixture
def finance(world):
    busy(world).config.save()
    return Finance(world)


def test_reconcile_says_what_moved_and_names_what_is_in_no_books(finance):
    words = finance("reconcile")
    assert "Terminal 101, no. 8: rejected" in words
    found = finance.json("reconcile")
    taps = [each for each in found["venues"] if (each["venue"], each["kind"]) == (5, "tap")]
    assert [(each["records"], each["cents"]) for each in taps] == [(6, 3000)]
    assert {"terminal": 201, "sequence": 3, "state": "in_doubt"} in found["unmatched"]


@pytest.fixture
def thief(tmp_path):
    """Of the books of a city over a file, which can be opened with anything."""
    made = World(tmp_path)
    busy(made).config.save()
    yield made
    made.clearing.close()


def test_books_that_hold_end_with_zero_and_others_with_one(thief):
    finance = Finance(thief)
    assert "The books are what the signed entries say." in finance("verify")
    assert finance.json("verify")["difference"] is None
    change(thief, "UPDATE transfer SET amount = 50 WHERE posting = (SELECT min(posting) FROM transfer)")
    assert "expected 15000 cent from fund:Minimabeleid to purse:1, found 50" in finance("verify", status=1)
    found = finance.json("verify", status=1)["difference"]
    assert (found["what"], found["terminal"], found["sequence"]) == ("transfer", 1, 1)
    assert found["account"] == "fund:Minimabeleid"


def test_a_vault_that_is_down_is_said(finance, world):
    world.vault.down = True
    assert "vault cannot be reached" in finance("verify", status=1)


def test_a_report_says_what_is_owed_and_whether_the_account_covers_it(finance, tmp_path):
    sheet, book = tmp_path / "funds.csv", tmp_path / "funds.xlsx"
    made = finance.json("report", "--quarter", "2026-Q4", "--csv", sheet, "--xlsx", book)
    assert made["obligation"]["covered"] is None
    owed = made["obligation"]["to_cover"]
    assert made["network"]["state"] == "below"
    assert "covers it" in finance("report", "--quarter", "2026-Q4", "--bank-balance", owed)
    assert "DOES NOT COVER IT" in finance("report", "--quarter", "2026-Q4", "--bank-balance", owed - 1)
    assert "is no period" in finance("report", "--quarter", "2026-Q9", status=1)
    assert sheet.read_text("utf-8-sig").startswith("fund;purse;name;category;unit;loaded")
    assert book.stat().st_size > 0


def test_books_are_exported_for_others(finance, tmp_path):
    books, audit, sheet = (tmp_path / name for name in ("books.beancount", "books.xaf", "books.csv"))
    finance("export", "beancount", books, "--until", "2027-01-31")
    programs = Path(sys.executable).parent
    assert subprocess.run([programs / "bean-check", books], timeout=60).returncode == 0
    assert finance.json("export", "xaf", audit, "--period", "2027", "--tax-number", "001234567")["lines"] == 4
    assert "<fiscalYear>2027</fiscalYear>" in audit.read_text()
    rows = finance.json("export", "csv", sheet, "--period", "2027-01")["lines"]
    assert rows == len(sheet.read_text("utf-8-sig").splitlines()) - 1 == 4


def test_a_year_is_closed_by_two_people(finance, monkeypatch):
    it_is_march(monkeypatch)
    year = "2026-12-31"
    assert finance.json("year-end", "show", year)["left"]["3"] == 180
    finance("year-end", "propose", year, "--by", "Anna", "--amount", "3=100")
    assert "cannot decide" in finance("year-end", "decide", year, "--by", "ANNA", status=1)
    assert "100 point of 180 point lapses, decided, by Bram" in finance("year-end", "decide", year, "--by", "Bram")
    finance("year-end", "propose", year, "--by", "Anna", "--restore", "--amount", "3=40")
    finance("year-end", "withdraw", year, "--by", "Anna")
    assert "withdrawn" in finance("year-end", "show", year)
    assert "write PURSE=AMOUNT" in finance("year-end", "propose", year, "--by", "A", "--amount", "3", status=2)
    assert "--amount" in finance("year-end", "propose", year, "--by", "A", "--restore", status=2)


def test_statistics_are_shown_when_they_are_published(finance, tmp_path, monkeypatch):
    count = tmp_path / "reach.json"
    assert "not published yet" in finance("statistics", "--year", "2026", status=1)
    assert "--by NAME" in finance("statistics", "--year", "2026", "--publish", status=2)
    it_is_march(monkeypatch)
    publish = ("statistics", "--year", "2026", "--publish", "--by", "Anna", "--reach", count)
    count.write_bytes(a_count())
    assert "take the file of 2026" in finance(*publish, status=1)
    count.write_bytes(a_count(year=2026, counted_on="2026-12-30"))
    made = finance.json(*publish)
    assert [table["name"] for table in made["tables"]] == ["month", "category", "venue", "reach"]
    assert made["tables"][-1]["rows"] == [["2026-12-30", [412]]]
    assert "A dot: not shown, to protect a count below 10." in finance("statistics", "--year", "2026")
