"""The desk on the command line: what a clerk types, and what comes back with which exit code."""

import csv
import json
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner
from werkzeug.serving import make_server

from card.signing import SEAL_BYTES
from hardware.emulated_pass import EmulatedPass, Memory
from issuer import options
from issuer.cli import app
from keys.days import day_number, today
from keys.hand_out import hand_out
from keys.http import ISSUER, Caller, create_app
from tests.city import PaperLog, purses_of, vault_of
from tests.keys import test_balance as officers

SCHEME = Path(__file__).parents[2] / "schemes" / "gelrepas.toml"
HEADER = "huishouden;voornaam;tussenvoegsel;achternaam;geboortedatum;inkomensklasse;mantelzorger"
CHILD = "H1;Noor;de;Vries;15-01-2016;110;nee"
PARENT = "H1;Zoë;;Müller;1-2-1980;110;ja"
RICH = "H2;Ali;;Bos;1-2-1980;130;nee"


@pytest.fixture
def desk(tmp_path):
    """Runs a command in this folder: `(exit code, standard output, standard error)`."""

    def run(*words):
        options = {"--data": tmp_path / "desk", "--scheme": SCHEME, "--secrets": tmp_path / "keys" / "issuer.json"}
        takes = {
            "import": 2,
            "import-report": 1,
            "undo-import": 1,
            "retention": 1,
            "people": 1,
            "explain": 2,
            "issue": 3,
            "block": 1,
            "hand-over": 1,
            "print": 2,
            "hotlist": 3,
            "hand-in": 3,
        }[words[0]]
        given = [str(word) for pair in list(options.items())[:takes] for word in pair]
        answer = CliRunner().invoke(app, [words[0], *given, *map(str, words[1:])])
        assert not answer.exception or isinstance(answer.exception, SystemExit), answer.exception
        return answer.exit_code, answer.stdout, answer.stderr

    return run


@pytest.fixture
def households(tmp_path):
    def write(*rows):
        path = tmp_path / "households.csv"
        path.write_text("\r\n".join([HEADER, *rows]), encoding="utf-8")
        return path

    return write


@pytest.fixture
def vault(tmp_path):
    """The vault's own application on a socket, and the desk's file from the custodian."""
    (tmp_path / "keys").mkdir()
    made = vault_of(day=day_number(today()))
    made.register.officers |= {
        name: key.public_key().public_bytes_raw().hex() for name, key in officers.OFFICERS.items()
    }
    hand_out(tmp_path / "keys", made)
    server = make_server("127.0.0.1", 0, Caller(create_app(made, PaperLog()), ISSUER))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


def counts(output):
    found = json.loads(output)
    return {key: found[key] for key in ("new", "changed", "unchanged", "faults", "accepted")}


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_a_day_begins_at_midnight_of_the_municipality_whatever_the_machine_says(monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for at, day in (
            (datetime(2026, 11, 21, 22, 59, tzinfo=UTC), date(2026, 11, 21)),
            (datetime(2026, 11, 21, 23, 0, tzinfo=UTC), date(2026, 11, 22)),
            (datetime(2026, 7, 1, 22, 0, tzinfo=UTC), date(2026, 7, 2)),
        ):
            monkeypatch.setattr(options, "now", lambda at=at: at)
            assert options.today() == day
    finally:
        monkeypatch.undo()
        time.tzset()


def test_nothing_is_taken_in_until_it_is_accepted(desk, households):
    path = households(CHILD, PARENT, RICH)
    for _ in range(2):
        code, output, _ = desk("import", path, "--json")
        looked = {"new": 3, "changed": 0, "unchanged": 0, "faults": 0, "accepted": False}
        assert (code, counts(output)) == (0, looked)
    assert json.loads(desk("people", "--json")[1]) == []
    assert counts(desk("import", path, "--accept", "--json")[1]) == {**looked, "accepted": True}
    assert len(json.loads(desk("people", "--json")[1])) == 3
    path = households(CHILD.replace("H1", "H7"), PARENT)
    assert counts(desk("import", path, "--json")[1]) == {**looked, "new": 0, "changed": 1, "unchanged": 1}


def test_one_fault_keeps_the_whole_file_out_and_the_report_says_where(desk, households, tmp_path):
    path = households(CHILD, PARENT.replace("1-2-1980", "31-02-1980"), RICH.replace("130", "=1+1"))
    report = tmp_path / "report.csv"
    code, output, _ = desk("import", path, "--accept", "--report", report)
    assert code == 1
    assert "rij 3, geboortedatum" in output
    assert "rij 4, inkomensklasse" in output
    assert "niets ingelezen" in output
    assert json.loads(desk("people", "--json")[1]) == []
    with report.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert [row[:2] for row in rows[1:]] == [["3", "geboortedatum"], ["4", "inkomensklasse"]]
    assert all(all(row) for row in rows)


def test_an_import_is_undone_until_a_pass_was_made(desk, households, vault, tmp_path):
    assert "No file was taken in" in desk("undo-import")[1]
    for rows in ((CHILD, PARENT), (RICH,)):
        desk("import", households(*rows), "--accept")
    assert "Ingelezen als import 3." in desk("import", households(RICH), "--accept")[1]
    assert [run["state"] for run in json.loads(desk("undo-import", 2, "--json")[1])] == [
        "accepted",
        "undone",
        "accepted",
    ]
    assert len(json.loads(desk("people", "--json")[1])) == 2
    card = ["--person", 1, "--reader", "emulated", "--cards", tmp_path / "cards", "--vault", vault]
    assert desk("issue", *card)[0] == 0
    code, _, errors = desk("undo-import", 1)
    assert (code, "1 of its people got a pass" in errors) == (1, True)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_report_of_each_row_to_download(desk, households, tmp_path, kind):
    report = tmp_path / f"report.{kind}"
    code, output, _ = desk("import-report", households(CHILD, PARENT.replace("1-2-1980", "")), report, "--json")
    assert (code, json.loads(output)["new"], json.loads(output)["faults"]) == (0, 1, 1)
    assert report.read_bytes().startswith({"csv": b"\xef\xbb\xbf", "xlsx": b"PK"}[kind])
    assert desk("import-report", households(CHILD), tmp_path / "report.pdf")[0] == 2


def test_what_is_kept_long_enough_goes_and_is_reported(desk, households, tmp_path):
    desk("import", households(CHILD), "--accept")
    code, output, _ = desk("retention", "--report", tmp_path / "report.csv")
    assert (code, "people and their household" in output) == (0, True)
    assert (tmp_path / "report.csv").read_text().startswith("day;class;gone")
    assert all(line["gone"] == 0 for line in json.loads(desk("retention", "--json")[1])["classes"])
    assert len(json.loads(desk("people", "--json")[1])) == 1


def test_what_is_said_of_a_fault_names_nobody(desk, households, tmp_path):
    path = households(PARENT.replace("1-2-1980", "1-2-2980"), PARENT)
    report = tmp_path / "report.csv"
    for words in (["--json"], ["--report", report]):
        _, output, errors = desk("import", path, *words)
        assert "Müller" not in output + errors
        assert "2980" not in output + errors
    assert "Müller" not in report.read_text(encoding="utf-8-sig")


def test_many_faults_do_not_scroll_away_the_counts(desk, households):
    _, output, _ = desk("import", households(*[CHILD] * 500))
    assert len(output.splitlines()) < 30
    assert "499 fout" in output
    assert "en nog" in output


def test_why_somebody_gets_what(desk, households):
    desk("import", households(CHILD, RICH), "--accept")
    answer = json.loads(desk("explain", 1, "--json")[1])
    assert {one["grant"]: one["amount"] for one in answer["grants"]}["Kleding kind"] == 18000
    assert all(one["reason"] for one in answer["grants"] + answer["refused"])
    code, output, _ = desk("explain", 2)
    assert (code, output.count("ja  "), "120 procent" in output) == (0, 0, True)


def test_an_empty_desk_says_how_to_begin(desk):
    assert "issuer import" in desk("people")[1]


@pytest.mark.parametrize(("refused", "code"), [([], 0), ([{"sequence": 1, "reason": "grant"}], 1)])
def test_loads_that_are_refused_end_with_one(desk, vault, monkeypatch, refused, code):
    monkeypatch.setattr("issuer.cli.hand_in_loads", lambda *_: refused)
    ended, output, _ = desk("hand-in", "--json")
    assert (ended, json.loads(output)) == (code, {"refused": refused})


def test_who_is_not_there_is_refused_in_words(desk):
    code, output, errors = desk("explain", 99)
    assert (code, output) == (1, "")
    assert "no person number 99" in errors


@pytest.mark.parametrize(
    "words",
    [["issue", "--reader", "magic"], ["issue", "--reader", "pcsc"], ["explain", "Noor"], ["import", "not-there.csv"]],
    ids=["reader", "nobody named", "a name for a number", "no file"],
)
def test_wrong_use_is_told_apart_from_a_refusal(desk, words):
    assert desk(*words)[0] == 2


def test_a_faulty_scheme_is_refused_with_the_line(desk, households, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text(SCHEME.read_text(encoding="utf-8").replace("minimum_age = 4", 'minimum_age = "4"'), encoding="utf-8")
    code, _, errors = desk("import", households(CHILD), "--scheme", bad)
    line = SCHEME.read_text(encoding="utf-8").splitlines().index("minimum_age = 4") + 1
    assert code == 1
    assert f"line {line}" in errors
    assert "minimum_age" in errors


def test_passes_are_made_blocked_and_listed(desk, households, vault, tmp_path):
    cards = tmp_path / "cards"
    emulated = ["--reader", "emulated", "--cards", cards, "--vault", vault, "--json"]
    desk("import", households(CHILD, PARENT, RICH), "--accept")
    code, output, errors = desk("issue", *emulated)
    made = json.loads(output)
    assert (code, len(made)) == (0, 2), errors
    assert made[0]["balances"] == {"1": 4500, "2": 18000, "3": 0, "4": 250}
    on_the_card = purses_of(EmulatedPass(Memory.load(sorted(cards.iterdir())[0])))
    assert {str(purse): amount for purse, amount in on_the_card.items()} == made[0]["balances"]
    # Nobody waits any more; who has a pass and lays it down again gets nothing twice.
    assert json.loads(desk("issue", *emulated)[1]) == []
    assert json.loads(desk("issue", "--person", 1, *emulated)[1]) == made[:1]

    assert "has one" in desk("issue", *emulated[:-1])[1]

    assert desk("block", made[0]["code"])[0] == 0
    _, output, _ = desk("people")
    assert f"{made[0]['code']} (blocked)\n" in output
    assert f"{made[1]['code']}\n" in output
    assert [one["passes"] for one in json.loads(desk("people", "--json")[1])] == [
        [{"code": made[0]["code"], "state": "blocked"}],
        [{"code": made[1]["code"], "state": "active"}],
        [],
    ]
    code, output, errors = desk("issue", "--person", 1, *emulated)
    assert (code, json.loads(output)) == (1, [])
    assert "was blocked" in errors
    lists = [tmp_path / "before", tmp_path / "after"]
    assert desk("hotlist", lists[0])[0] == 0
    assert desk("block", made[1]["code"])[0] == desk("hotlist", lists[1])[0] == 0
    # Head and MAC of a base and of its changes, and a fingerprint for each that was blocked, in whole blocks.
    assert [path.stat().st_size - SEAL_BYTES for path in lists] == [32 + 48, 32 + 48]


def test_without_vault_or_file_the_desk_says_whom_to_ask(desk, households, vault, tmp_path):
    desk("import", households(CHILD), "--accept")
    card = ["--person", 1, "--reader", "emulated", "--cards", tmp_path / "cards"]
    code, _, errors = desk("issue", *card, "--vault", "http://127.0.0.1:9")
    assert (code, "administrator" in errors) == (1, True)
    (tmp_path / "keys" / "issuer.json").unlink()
    code, _, errors = desk("issue", *card, "--vault", vault)
    assert (code, "key custodian" in errors) == (1, True)


def test_a_pass_is_handed_over_sent_blocked_and_printed(desk, households, vault, tmp_path):
    options = ["--vault", vault]
    desk("import", households(CHILD, PARENT), "--accept")
    made = json.loads(desk("issue", "--reader", "emulated", "--cards", tmp_path / "cards", "--json", *options)[1])
    code = made[0]["code"]
    assert desk("hand-over", code)[0] == 0
    assert desk("hand-over", code, "--by-post")[0] == 1
    assert json.loads(desk("block", code, "--reason", "lost", "--json")[1]) == {"blocked": code}
    ended, _, said = desk("hand-over", code, "--to", "Ilse")
    assert (ended, said) == (1, "This pass is blocked, so it cannot be handed over.\n")
    faces = tmp_path / "faces.pdf"
    assert desk("print", code, made[1]["code"])[0] == 2
    assert desk("print", code, made[1]["code"], "--pdf", faces)[0] == 0
    assert faces.read_bytes().startswith(b"%PDF")
