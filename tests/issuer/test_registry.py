"""What the registry keeps, and what its schema refuses whoever writes to it."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Date, create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import StaticPool

from issuer.errors import DeskError
from issuer.people import Person
from issuer.registry import Base, CardPass, Holder, PlannedLoad, Registry

SAM = Person("1", "Çelik", "van der", "Sam", date(2015, 5, 1), 110)


@pytest.fixture
def registry() -> Registry:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    made = Registry(engine)
    made.take([SAM])
    return made


@pytest.mark.parametrize(
    ("person", "counts"),
    [
        (SAM, (0, 0, 1)),
        (replace(SAM, given_name="Sam Jr"), (1, 0, 0)),
        (replace(SAM, born=date(2015, 5, 2)), (1, 0, 0)),
        (replace(SAM, income_percent=120), (0, 1, 0)),
        (replace(SAM, roles=frozenset({"carer"})), (0, 1, 0)),
        (replace(SAM, household="2"), (0, 1, 0)),
        (replace(SAM, family_name="ÇELIK", infix="Van  der"), (0, 1, 0)),
    ],
    ids=["same", "name", "birth", "income", "carer", "moved", "capitals"],
)
def test_a_person_is_known_by_name_and_birth(registry, person, counts):
    new, changed, unchanged = registry.compare([person])
    assert (len(new), len(changed), unchanged) == counts
    registry.take([person])
    assert len(registry.holders()) == 1 + counts[0]
    assert person in [holder.person for holder in registry.holders()]
    assert registry.compare([person])[2] == 1


def test_looking_changes_nothing(registry):
    registry.compare([replace(SAM, household="2"), replace(SAM, given_name="Noor")])
    assert [holder.person for holder in registry.holders()] == [SAM]


def a_pass(**changes) -> CardPass:
    given = {
        "holder_id": 1,
        "uid": bytes(7),
        "handle": bytes(16),
        "generation": 1,
        "printed_code": "AAAA-AAAA",
        "state": "active",
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2026, 12, 31),
    }
    return CardPass(**{**given, **changes})


def a_load(**changes) -> PlannedLoad:
    given = {"holder_id": 1, "grant_number": 1, "pass_year": 2026, "purse": 1, "amount": 500}
    return PlannedLoad(**{**given, **changes})


@pytest.mark.parametrize(
    "rows",
    [
        [a_pass(state="lent")],
        [a_pass(holder_id=99)],
        [a_pass(), a_pass(handle=bytes(15) + b"1", printed_code="B")],
        [a_pass(), a_pass(uid=bytes(6) + b"1", printed_code="B")],
        [a_pass(), a_pass(uid=bytes(6) + b"1", handle=bytes(15) + b"1")],
        [a_load(amount=0)],
        [a_load(amount=-1)],
        [a_load(state="spent")],
        [a_load(), a_load(amount=700)],
        [Holder(identity=SAM.identity, **vars(replace(SAM, household="2")))],
    ],
    ids=[
        "state of a pass",
        "pass of nobody",
        "card twice",
        "handle twice",
        "code twice",
        "nothing",
        "less than nothing",
        "state of a load",
        "grant twice a year",
        "person twice",
    ],
)
def test_the_schema_refuses(registry, rows):
    with pytest.raises(IntegrityError), registry.transaction() as session:
        session.add_all(rows)


def test_a_grant_is_planned_once_a_year(registry):
    registry.plan(1, [a_load()])
    registry.plan(1, [a_load(amount=900), a_load(grant_number=2), a_load(pass_year=2027)])
    assert [(one.pass_year, one.grant_number, one.amount) for one in registry.planned(1)] == [
        (2026, 1, 500),
        (2027, 1, 500),
        (2026, 2, 500),
    ]


def test_all_or_nothing(registry):
    with pytest.raises(IntegrityError):
        registry.plan(1, [a_load(), a_load(grant_number=2, amount=0)])
    assert registry.planned(1) == []


def test_who_and_what_is_not_there_is_said_in_words(registry):
    with pytest.raises(DeskError, match="meedoen issuer people"):
        registry.holder(99)
    with pytest.raises(DeskError, match="issuer people"):
        registry.set_pass_state("ZZZZ-ZZZZ", "blocked")


def test_there_is_no_place_for_when_or_where_something_was_spent():
    columns = [column for table in Base.metadata.tables.values() for column in table.columns]
    # A date of any other kind, or a word for a place, would be the beginning of a history.
    assert {column.name for column in columns if isinstance(column.type, Date)} == {"born", "valid_from", "valid_until"}
    assert not {column.name for column in columns} & {"venue", "offer", "terminal", "price", "spent", "balance"}
