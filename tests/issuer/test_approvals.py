"""Four eyes: two people, one decision, done once."""

from dataclasses import dataclass

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from issuer import approvals
from issuer.approvals import Approval
from issuer.errors import DeskError
from tests.issuer.a_registry import NOON


@dataclass(frozen=True)
class Colleague:
    user_name: str
    roles: frozenset[str]


CLERK = Colleague("noor", frozenset({"clerk"}))
LEAD = Colleague("sam", frozenset({"team-lead"}))
OTHER_LEAD = Colleague("kim", frozenset({"clerk", "team-lead"}))


@pytest.fixture
def session(empty_registry):
    with empty_registry.transaction() as session:
        yield session


def ask(session, by=CLERK, about="person 12", amount=15000):
    return approvals.ask(session, "hardship", about, amount, "Schoolreis", by, NOON)


def use(session, about="person 12", amount=15000):
    return approvals.use(session, "hardship", about, amount, NOON)


def test_a_clerk_asks_and_a_team_lead_allows(session):
    asked = ask(session)
    assert approvals.approve(session, asked.id, LEAD, NOON).outcome == "approved"
    assert use(session).decided_by == "sam"


def test_nobody_decides_on_what_they_asked(session):
    asked = ask(session, by=LEAD)
    for decide in (approvals.approve, approvals.reject):
        with pytest.raises(DeskError, match="yourself"):
            decide(session, asked.id, LEAD, NOON)
    assert approvals.approve(session, asked.id, OTHER_LEAD, NOON).decided_by == "kim"


def test_only_a_team_lead_decides(session):
    asked = ask(session, by=LEAD)
    for role in ("clerk", "administrator", "auditor"):
        with pytest.raises(DeskError, match="Only a team lead"):
            approvals.approve(session, asked.id, Colleague("noor", frozenset({role})), NOON)


def test_the_schema_refuses_a_decision_by_who_asked(session):
    asked = ask(session)
    decided = {"outcome": "approved", "decided_by": "noor", "decided_at": NOON}
    with pytest.raises(IntegrityError):
        session.execute(update(Approval).where(Approval.id == asked.id).values(**decided))
    session.rollback()


@pytest.mark.parametrize(
    "wrong", [{"outcome": "approved"}, {"decided_by": "sam"}, {"used_at": NOON}, {"outcome": "so"}]
)
def test_the_schema_refuses_half_a_decision(session, wrong):
    row = {"kind": "a", "about": "b", "reason": "c", "asked_by": "noor", "asked_at": NOON, "outcome": "open"}
    session.execute(insert(Approval).values(**row))
    with pytest.raises(IntegrityError):
        session.execute(insert(Approval).values(**{**row, **wrong}))
    session.rollback()


def test_what_was_allowed_is_done_once(session):
    approvals.approve(session, ask(session).id, LEAD, NOON)
    use(session)
    with pytest.raises(DeskError, match="approval of a team lead"):
        use(session)


@pytest.mark.parametrize("other", [{"about": "person 13"}, {"amount": 15001}, {"amount": None}])
def test_only_what_was_allowed_is_done(session, other):
    approvals.approve(session, ask(session).id, LEAD, NOON)
    with pytest.raises(DeskError, match="approval of a team lead"):
        use(session, **other)


@pytest.mark.parametrize("end", ["open", "rejected", "withdrawn"])
def test_what_was_not_allowed_is_not_done(session, end):
    asked = ask(session)
    if end == "rejected":
        approvals.reject(session, asked.id, LEAD, NOON)
    if end == "withdrawn":
        approvals.withdraw(session, asked.id, CLERK, NOON)
    with pytest.raises(DeskError, match="approval of a team lead"):
        use(session)


def test_a_decision_stands(session):
    asked = ask(session)
    approvals.reject(session, asked.id, LEAD, NOON)
    with pytest.raises(DeskError, match="does not wait"):
        approvals.approve(session, asked.id, OTHER_LEAD, NOON)


def test_only_who_asked_takes_it_back(session):
    asked = ask(session)
    with pytest.raises(DeskError, match="take it back"):
        approvals.withdraw(session, asked.id, LEAD, NOON)
    assert approvals.withdraw(session, asked.id, CLERK, NOON).outcome == "withdrawn"


def test_the_same_is_asked_once_at_a_time(session):
    first = ask(session)
    with pytest.raises(DeskError, match="already"):
        ask(session, by=OTHER_LEAD)
    approvals.reject(session, first.id, LEAD, NOON)
    assert [each.id for each in approvals.waiting(session)] == []
    again = ask(session)
    assert [each.id for each in approvals.waiting(session)] == [again.id]


@pytest.mark.parametrize("reason", ["", "  ", "a" * 501])
def test_a_reason_is_given_and_short(session, reason):
    with pytest.raises(DeskError, match=r"reason|why"):
        approvals.ask(session, "hardship", "person 12", 100, reason, CLERK, NOON)


def test_a_number_that_is_not_there_is_refused_in_words(session):
    with pytest.raises(DeskError, match="no request number 7"):
        approvals.approve(session, 7, LEAD, NOON)
