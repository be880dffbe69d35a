"""The log of the desk: what was done stands there, and what was done to the log shows."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, text, update

from tests.issuer.a_registry import NOON
from web import audit_log
from web.audit_log import AuditHead, AuditLine
from web.refusal import Refusal


def write(registry, *actions):
    with registry.transaction() as session:
        for action in actions:
            audit_log.add(session, NOON, "noor", "10.0.0.5", action, "pass K7QW-M2XP", "done")


def verify(registry, noted=""):
    with registry.transaction() as session:
        return audit_log.verify(session, noted)


@pytest.fixture
def log(empty_registry):
    write(empty_registry, "issue", "block", "replace")
    return empty_registry


def test_an_empty_log_is_whole(empty_registry):
    assert verify(empty_registry)[0] == 0


def test_lines_follow_each_other(log):
    count, last = verify(log)
    write(log, "issue")
    assert count == 3
    assert verify(log, noted=last)[0] == 4


def test_a_line_has_the_six_fields(log):
    with log.transaction() as session:
        line = session.scalars(audit_log.chosen()).first()
    fields = (line.action, line.object, line.result, line.origin, line.actor, line.at)
    assert fields == ("replace", "pass K7QW-M2XP", "done", "10.0.0.5", "noor", NOON)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", NOON + timedelta(seconds=1)),
        ("actor", "sam"),
        ("origin", "10.0.0.6"),
        ("action", "unblock"),
        ("object", "pass AAAA-AAAA"),
        ("result", "refused"),
    ],
)
def test_a_line_that_was_changed_shows_at_the_next_one(log, column, value):
    with log.transaction() as session:
        session.execute(update(AuditLine).where(AuditLine.number == 2).values({column: value}))
    with pytest.raises(Refusal, match="Line 3 "):
        verify(log)


def test_a_line_that_was_changed_shows_though_the_next_one_was_made_to_follow(log):
    with log.transaction() as session:
        first, second = session.get(AuditLine, 1), session.get(AuditLine, 2)
        first.actor = "sam"
        second.before = first.hash
    with pytest.raises(Refusal, match="Line 3 "):
        verify(log)


def test_a_last_line_that_was_changed_shows(log):
    with log.transaction() as session:
        session.execute(update(AuditLine).where(AuditLine.number == 3).values(result="refused"))
    with pytest.raises(Refusal, match="after line 3"):
        verify(log)


@pytest.mark.parametrize("number", [1, 2])
def test_a_line_that_was_taken_out_shows(log, number):
    with log.transaction() as session:
        session.execute(delete(AuditLine).where(AuditLine.number == number))
    with pytest.raises(Refusal, match=f"Line {number + 1} "):
        verify(log)


def test_a_line_that_was_put_in_shows(log):
    with log.transaction() as session:
        session.execute(
            text("insert into audit_line values (4, '2026-11-21T12:00:00+00:00', 'a', 'b', 'c', 'd', 'e', 'f')")
        )
    with pytest.raises(Refusal, match="Line 4 "):
        verify(log)


def test_a_log_that_was_cut_off_shows(log):
    with log.transaction() as session:
        session.execute(delete(AuditLine).where(AuditLine.number == 3))
    with pytest.raises(Refusal, match="after line 2"):
        verify(log)


def test_a_log_that_was_made_anew_is_not_the_one_that_was_noted(log):
    _, noted = verify(log)
    with log.transaction() as session:
        session.execute(delete(AuditLine))
        session.execute(delete(AuditHead))
    write(log, "issue", "block", "issue")
    assert verify(log)[0] == 3
    with pytest.raises(Refusal, match="noted"):
        verify(log, noted)


def test_what_was_not_done_is_not_in_the_log(log):
    with log.transaction() as session:
        audit_log.add(session, NOON, "noor", "10.0.0.5", "block", "pass K7QW-M2XP", "done")
        session.rollback()
    assert verify(log)[0] == 3


def test_the_filter_finds_by_who_what_about_and_day(empty_registry):
    with empty_registry.transaction() as session:
        for days, actor, action, about in ((0, "noor", "block", "pass A%"), (1, "sam", "issue", "person 12")):
            audit_log.add(session, NOON + timedelta(days=days), actor, "-", action, about, "done")
    today, tomorrow = NOON.date(), NOON.date() + timedelta(days=1)

    def numbers(**asked):
        with empty_registry.transaction() as session:
            return [line.number for line in session.scalars(audit_log.chosen(**asked))]

    assert numbers() == [2, 1]
    assert numbers(actor="noor") == numbers(action="block") == numbers(about="A%") == numbers(last=today) == [1]
    assert numbers(first=tomorrow) == numbers(about="person") == [2]
    assert numbers(about="_") == []
