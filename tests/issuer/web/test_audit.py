"""The auditor reads the log, takes it along, and sees when somebody was at it."""

import csv
import io
import re

import pytest
from sqlalchemy import update

from web import audit_log
from web.audit_log import AuditLine
from web.csv_export import csv_text


@pytest.fixture
def log(config, app, clock):
    with config.registry.transaction() as session:
        for actor, action, about in (("noor", "block pass", "pass K7QW-M2XP"), ("sam", "make pass", "person 12")):
            audit_log.add(session, clock.at, actor, "10.0.0.5", action, about, "done")


def rows(answer):
    return re.findall(r"<tr>\s*<td", answer.text)


def test_the_auditor_sees_what_was_done(client, log):
    shown = client("auditor").get("/audit")
    assert len(rows(shown)) == 2
    assert "pas blokkeren" in shown.text
    assert "pass K7QW-M2XP" in shown.text


@pytest.mark.parametrize("asked", ["actor=noor", "action=block+pass", "about=K7QW", "first=2026-11-21&actor=noor"])
def test_the_filter_leaves_what_was_asked_for(client, log, asked):
    shown = client("auditor").get(f"/audit?{asked}")
    assert len(rows(shown)) == 1
    assert "noor" in shown.text


def test_a_filter_that_is_not_a_day_is_left_out(client, log):
    assert len(rows(client("auditor").get("/audit?first=yesterday&page=x"))) == 2


def test_a_long_log_has_pages(client, config, clock, app):
    with config.registry.transaction() as session:
        for number in range(60):
            audit_log.add(session, clock.at, "noor", "-", "make pass", f"person {number}", "done")
    browser = client("auditor")
    first = browser.get("/audit?actor=noor")
    assert (len(rows(first)), "Blad 1 van 2" in first.text) == (50, True)
    following = re.search(r'rel="next" href="([^"]+)"', first.text).group(1).replace("&amp;", "&")
    assert len(rows(browser.get(following))) == 10


def test_the_file_has_what_the_filter_leaves_and_is_itself_in_the_log(client, log):
    browser = client("auditor")
    answer = browser.get("/audit/lines.csv?actor=noor")
    lines = list(csv.DictReader(answer.text.splitlines(), delimiter=";"))
    assert [line["object"] for line in lines] == ["pass K7QW-M2XP"]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "export audit log" in browser.get("/audit/lines.csv").text


def test_a_whole_log_is_said_to_be_whole_with_a_hash_to_note(client, log):
    browser = client("auditor")
    browser.post("/audit/verify")
    said = browser.get("/audit").text
    noted = re.search(r"[0-9a-f]{64}", said).group()
    assert "2 regels" in said
    browser.post("/audit/verify", data={"noted": noted})
    assert "klopt: 3 regels" in browser.get("/audit").text
    browser.post("/audit/verify", data={"noted": "f" * 64})
    assert "staat niet meer in het logboek" in browser.get("/audit").text


def test_a_log_that_somebody_was_at_is_said_to_be_broken_and_at_which_line(client, log, config):
    with config.registry.transaction() as session:
        session.execute(update(AuditLine).where(AuditLine.number == 1).values(actor="sam"))
    browser = client("auditor")
    browser.post("/audit/verify")
    assert "Regel 2 van het logboek past niet" in browser.get("/audit").text


def test_who_tries_a_door_that_is_not_theirs_is_in_the_log(client):
    client("clerk").get("/audit")
    assert "officer-1;127.0.0.1;open page;/audit;refused" in client("auditor").get("/audit/lines.csv").text


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@a", "\tx", "\rx"])
def test_a_spreadsheet_executes_nothing_of_a_file(value):
    rows = csv.reader(io.StringIO(csv_text(["a"], [[value]]), newline=""), delimiter=";")
    assert list(rows) == [["a"], [f"'{value}"]]


def test_a_number_in_a_file_stays_a_number():
    assert csv_text(["a"], [[-12]]) == "a\r\n-12\r\n"
