"""What the registry keeps, and what its schema refuses whoever writes to it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Date
from sqlalchemy.exc import IntegrityError

from issuer.errors import DeskError
from issuer.people import Person
from issuer.registry import Base, Registry, loads, passes, people
from issuer.registry.tables import CardPass, Delivery, Holder, Household, StockMove
from issuer.rules import Decision, Granted, Refusal
from tests.issuer.a_registry import NOON, TODAY, a_load, everybody, holder, plan, take, waiting

SAM = Person("1", "Çelik", "van der", "Sam", date(2015, 5, 1), 110)
MOTHER = Person("1", "Çelik", "", "Aylin", date(1985, 3, 2), 110)
UNCLE = Person("2", "Çelik", "", "Kemal", date(1980, 1, 1), 120)


@pytest.fixture
def registry(empty_registry) -> Registry:
    take(empty_registry, [SAM])
    return empty_registry


@pytest.mark.parametrize(
    ("person", "new"),
    [
        (SAM, 0),
        (replace(SAM, given_name="Sam Jr"), 1),
        (replace(SAM, born=date(2015, 5, 2)), 1),
        (replace(SAM, income_percent=120), 0),
        (replace(SAM, roles=frozenset({"carer"})), 0),
        (replace(SAM, school="primary"), 0),
        (replace(SAM, household="2"), 0),
        (replace(SAM, family_name="ÇELIK", infix="Van  der"), 0),
    ],
    ids=["same", "name", "birth", "income", "carer", "school", "moved", "capitals"],
)
def test_a_person_is_known_by_name_and_birth(registry, person, new):
    take(registry, [person])
    assert len(everybody(registry)) == 1 + new
    assert person in [one.person for one in everybody(registry)]


def test_a_band_is_kept_with_who_gave_it_and_when_it_changed(registry):
    later = TODAY + timedelta(days=40)
    with registry.transaction() as session:
        people.take(session, [SAM, MOTHER], "somebody else", later)
    assert (holder(registry, SAM).household.band_by, holder(registry, SAM).household.band_on) == ("import", TODAY)
    with registry.transaction() as session:
        people.take(session, [replace(SAM, income_percent=120)], "somebody else", later)
    household = holder(registry, MOTHER).household
    assert (household.income_percent, household.band_by, household.band_on) == (120, "somebody else", later)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("celik", ["Aylin", "Kemal", "Sam"]),
        ("ÇELIK  sam", ["Sam"]),
        ("sam", []),
        ("Sam van der Çelik", ["Sam"]),
        ("van der celik", ["Aylin", "Kemal", "Sam"]),
        ("1-5-2015", ["Sam"]),
        ("2015-05-01", ["Sam"]),
        ("2", ["Aylin", "Kemal"]),
        ("31-2-2015", []),
        ("", []),
        ("%", []),
        ("_elik", []),
    ],
)
def test_a_clerk_finds_who_is_at_the_counter(registry, text, found):
    take(registry, [MOTHER, UNCLE])
    with registry.transaction() as session:
        assert [one.given_name for one in people.find(session, text)] == found


def test_a_pass_is_found_by_its_code(registry):
    plan(registry, a_pass())
    with registry.transaction() as session:
        assert [one.person for one in people.find(session, "aaaa-aaaa")] == [SAM]


def test_the_adults_of_the_household_and_who_is_put_down_act_for_a_child(registry):
    take(registry, [MOTHER, UNCLE])
    sam, mother, uncle = (holder(registry, one) for one in (SAM, MOTHER, UNCLE))
    with registry.transaction() as session:
        sam, mother, uncle = (people.holder(session, one.id) for one in (sam, mother, uncle))
        assert people.guardians(session, sam, TODAY) == [mother]
        for _ in range(2):
            people.add_guardian(session, sam, uncle, TODAY)
        assert people.guardians(session, sam, TODAY) == [mother, uncle]
        assert people.guardians(session, mother, TODAY) == []
        assert people.guardians(session, sam, date(2033, 5, 1)) == []
        with pytest.raises(DeskError, match="themselves"):
            people.add_guardian(session, mother, uncle, TODAY)
        with pytest.raises(DeskError, match="18 or older"):
            people.add_guardian(session, sam, sam, TODAY)


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


@pytest.mark.parametrize(
    "rows",
    [
        [a_pass(state="lent")],
        [a_pass(holder_id=99)],
        [a_pass(), a_pass(handle=bytes(15) + b"1", printed_code="B")],
        [a_pass(), a_pass(uid=bytes(6) + b"1", printed_code="B")],
        [a_pass(), a_pass(uid=bytes(6) + b"1", handle=bytes(15) + b"1")],
        [a_pass(uid=None, handle=None)],
        [a_pass(handle=None)],
        [a_load(1, 1, 0)],
        [a_load(1, 1, -1)],
        [a_load(1, 1, 5, state="spent")],
        [a_load(1, 1, 5), a_load(1, 1, 7)],
        [Household(reference="1", income_percent=100, band_by="x", band_on=TODAY)],
        [
            Delivery(id=1, reference="A", supplier="B", count=9, received_on=TODAY),
            StockMove(delivery_id=1, kind="used", count=1, on=TODAY, by="x"),
        ],
        [Delivery(reference="A", supplier="B", count=0, received_on=TODAY)],
    ],
    ids=[
        "state of a pass",
        "pass of nobody",
        "card twice",
        "handle twice",
        "code twice",
        "a pass in use without a chip",
        "a chip without a handle",
        "nothing",
        "less than nothing",
        "state of a load",
        "grant twice a period",
        "household twice",
        "stock that grows by use",
        "a delivery of nothing",
    ],
)
def test_the_schema_refuses(registry, rows):
    with pytest.raises(IntegrityError), registry.transaction() as session:
        session.add_all(rows)


def test_nobody_is_there_twice(registry):
    twice = Holder(household_id=1)
    twice.become(SAM)
    with pytest.raises(IntegrityError), registry.transaction() as session:
        session.add(twice)


def granted(number: int, amount: int, period: str = "2026", refill: bool = False) -> Granted:
    return Granted(number, f"Grant {number}", 1, amount, "ja", "yes", period, refill)


def decided(registry, *grants: Granted, refused: tuple[Refusal, ...] = ()) -> list[tuple[str, int, int]]:
    """Plan what was decided; what waits then, as (period, grant, amount)."""
    with registry.transaction() as session:
        loads.plan(session, people.holder(session, 1), Decision(grants, refused), "clerk", TODAY)
    return [(one.period, one.grant_number, one.amount) for one in waiting(registry)]


def test_a_grant_is_planned_once_a_period_and_topped_up_when_it_grows(registry):
    assert decided(registry, granted(1, 500)) == [("2026", 1, 500)]
    assert decided(registry, granted(1, 500)) == [("2026", 1, 500)]
    assert decided(registry, granted(1, 400)) == [("2026", 1, 500)]
    assert decided(registry, granted(1, 700)) == [("2026", 1, 500), ("2026", 1, 200)]
    assert decided(registry, granted(1, 700), granted(1, 500, "2027"), granted(2, 9)) == [
        ("2026", 1, 500),
        ("2026", 1, 200),
        ("2027", 1, 500),
        ("2026", 2, 9),
    ]


def test_a_level_is_filled_up_once_a_period(registry):
    decided(registry, granted(1, 500, refill=True))
    with registry.transaction() as session:
        loads.fill_up(session, loads.waiting(session, a_pass()), {1: 480})
    assert decided(registry, granted(1, 500, refill=True)) == [("2026", 1, 20)]
    decided(registry, granted(1, 500, "2027", refill=True))
    with registry.transaction() as session:
        loads.fill_up(session, loads.waiting(session, a_pass()), {1: 500})
    assert decided(registry, granted(1, 500, "2027", refill=True)) == [("2026", 1, 20)]


def test_a_decision_is_kept_with_its_reason_once(registry):
    no = Refusal("Grant 2", "nee", "no")
    for _ in range(2):
        decided(registry, granted(1, 500), refused=(no,))
    decided(registry, granted(1, 500), granted(2, 9))
    decided(registry, granted(1, 500), refused=(no,))
    with registry.transaction() as session:
        kept = [(one.grant_name, one.granted, one.amount, one.reason) for one in loads.decisions(session, 1)]
    assert kept == [
        ("Grant 2", False, None, "nee"),
        ("Grant 2", True, 9, "ja"),
        ("Grant 2", False, None, "nee"),
        ("Grant 1", True, 500, "ja"),
    ]


def test_what_a_lost_pass_held_is_planned_once(registry):
    lost = a_pass(state="blocked")
    plan(registry, lost)
    for _ in range(2):
        with registry.transaction() as session:
            loads.plan_replacement(session, lost, {1: 300, 2: 0, 4: 7})
    assert [(one.grant_number, one.purse, one.amount) for one in waiting(registry)] == [(0, 1, 300), (0, 4, 7)]


def test_what_is_in_doubt_on_a_lost_pass_is_not_given_again(registry):
    from issuer.registry.tables import OpenIntent

    plan(registry, a_load(1, 1, 500), a_load(2, 1, 70))
    doubt = {"clear": bytes(42), "tmc": 1, "enc_tmri": bytes(16), "in_doubt": bytes(60)}
    plan(registry, OpenIntent(terminal=1, sequence=1, handle=b"L" * 16, load_id=1, **doubt))
    assert [one.id for one in waiting(registry, handle=b"L" * 16)] == [1, 2]
    assert [one.id for one in waiting(registry, handle=b"N" * 16)] == [2]


def test_all_or_nothing(registry):
    with pytest.raises(IntegrityError):
        decided(registry, granted(1, 500), granted(2, 0))
    assert waiting(registry) == []


def test_who_and_what_is_not_there_is_said_in_words(registry):
    with registry.transaction() as session:
        with pytest.raises(DeskError, match="number 99; `meedoen issuer people`"):
            people.holder(session, 99)
        with pytest.raises(DeskError, match="issuer people"):
            passes.coded(session, "ZZZZ-ZZZZ")


def test_every_change_of_a_pass_leaves_who_when_and_why(registry):
    plan(registry, a_pass())
    with registry.transaction() as session:
        card = passes.coded(session, "aaaa-aaaa")
        passes.move(session, card, "blocked", "clerk", NOON, "lost")
        passes.move(session, card, "blocked", "clerk", NOON, "again")
        passes.move(session, card, "active", "lead", NOON, "found")
    with registry.transaction() as session:
        told = [(one.state, one.by, one.at, one.reason) for one in passes.events(session, card)]
    assert told == [("active", "lead", NOON, "found"), ("blocked", "clerk", NOON, "lost")]


def test_passes_end_after_their_last_day(registry):
    plan(registry, a_pass())
    for day, over in [(date(2026, 12, 31), 0), (date(2027, 1, 1), 1), (date(2027, 1, 2), 0)]:
        with registry.transaction() as session:
            assert passes.expire(session, day, NOON) == over


def test_there_is_no_place_for_when_or_where_something_was_spent():
    columns = [column for table in Base.metadata.tables.values() for column in table.columns]
    # A date of any other kind, or a word for a place, would be the beginning of a history.
    assert {f"{column.table.name}.{column.name}" for column in columns if isinstance(column.type, Date)} == {
        "household.band_on",
        "holder.seen_on",
        "retention_run.on",
        "holder.born",
        "card_pass.valid_from",
        "card_pass.valid_until",
        "card_pass.renewing_until",
        "decision.on",
        "delivery.received_on",
        "stock_move.on",
        "rejected_card.on",
        "message.made_on",
        "message.sent_on",
        "renewal_run.on",
    }
    assert not {column.name for column in columns} & {"venue", "offer", "price", "spent", "balance", "bsn", "income"}
