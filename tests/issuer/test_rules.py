"""What a person gets, with the numbers of the GelrePas."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from issuer.people import Household, Person
from issuer.rules import Decision, decide
from issuer.scheme import Grant, Scheme, load_scheme

ROOT = Path(__file__).parents[2]
NEW_YEAR = date(2026, 1, 1)
ALONE = Household(1, 0)


@pytest.fixture(scope="module")
def gelrepas() -> Scheme:
    return load_scheme(ROOT / "schemes" / "gelrepas.toml")


def person(age: int, *, on: date = NEW_YEAR, income: int = 120, carer: bool = False) -> Person:
    roles = frozenset({"carer"} if carer else ())
    return Person("H1", "Vries", "de", "Noor", date(on.year - age, on.month, on.day), income, roles)


def amounts(decision: Decision) -> dict[str, int]:
    return {grant.name: grant.amount for grant in decision.grants}


CHILD = {"Meedoen kind": 45_00, "Kleding kind": 180_00, "Korting": 250}
ADULT = {"Sportkaart": 12 * 9_95, "Korting": 250}
SENIOR = {**ADULT, "Meedoen 65+": 50_00}


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (person(3), {}),
        (person(4), CHILD),
        (person(10), CHILD),
        (person(17), CHILD),
        (person(18), ADULT),
        (person(64), ADULT),
        (person(65), SENIOR),
        (person(40, carer=True), {**ADULT, "Mantelzorg": 150_00}),
        (person(70, carer=True), {**SENIOR, "Mantelzorg": 150_00}),
        (person(12, carer=True), {**CHILD, "Mantelzorg": 150_00}),
        (person(40, income=120), ADULT),
        (person(40, income=121), {}),
    ],
)
def test_a_full_year_of_the_gelrepas(gelrepas: Scheme, who: Person, expected: dict[str, int]) -> None:
    assert amounts(decide(who, ALONE, gelrepas, NEW_YEAR)) == expected


def test_a_child_has_225_euro_of_which_180_for_clothing(gelrepas: Scheme) -> None:
    grants = decide(person(10), ALONE, gelrepas, NEW_YEAR).grants
    euro = [grant for grant in grants if gelrepas.purses[grant.purse].unit == "cent"]
    assert sum(grant.amount for grant in euro) == 225_00
    assert [(grant.amount, gelrepas.purses[grant.purse].funds) for grant in euro] == [
        (45_00, ("Minimabeleid",)),
        (180_00, ("Kinderarmoede",)),
    ]


@pytest.mark.parametrize(
    ("on", "months"),
    [(date(2025, 11, 1), 2), (date(2025, 11, 30), 2), (date(2025, 12, 31), 1), (date(2026, 1, 31), 12)],
)
def test_the_sports_card_is_for_the_months_that_are_left(gelrepas: Scheme, on: date, months: int) -> None:
    assert amounts(decide(person(30, on=on), ALONE, gelrepas, on))["Sportkaart"] == months * 9_95


@pytest.mark.parametrize(
    ("birthday", "before", "since"),
    [(4, {}, CHILD), (18, CHILD, ADULT), (65, ADULT, SENIOR)],
)
def test_a_birthday_counts_on_the_day_itself(
    gelrepas: Scheme, birthday: int, before: dict[str, int], since: dict[str, int]
) -> None:
    who = Person("H1", "Vries", "de", "Noor", date(2026 - birthday, 1, 15), 100)
    assert amounts(decide(who, ALONE, gelrepas, date(2026, 1, 14))) == before
    assert amounts(decide(who, ALONE, gelrepas, date(2026, 1, 15))) == since


def test_somebody_of_29_february_turns_18_on_1_march(gelrepas: Scheme) -> None:
    who = Person("H1", "Vries", "de", "Noor", date(2008, 2, 29), 100)
    assert "Kleding kind" in amounts(decide(who, ALONE, gelrepas, date(2026, 2, 28)))
    assert "Sportkaart" in amounts(decide(who, ALONE, gelrepas, date(2026, 3, 1)))


def test_who_may_have_no_pass_hears_every_reason_and_gets_nothing(gelrepas: Scheme) -> None:
    decision = decide(person(3, income=121, carer=True), ALONE, gelrepas, NEW_YEAR)
    assert decision.grants == ()
    assert [(refusal.name, refusal.reason) for refusal in decision.refused] == [
        ("Pas", "De pas is er vanaf 4 jaar en deze persoon is jonger."),
        ("Pas", "De pas is er voor een inkomen tot en met 120 procent van de norm en dit huishouden heeft meer."),
    ]


def test_each_grant_has_a_yes_or_a_no_in_one_dutch_sentence(gelrepas: Scheme) -> None:
    decision = decide(person(30, on=date(2025, 11, 3)), ALONE, gelrepas, date(2025, 11, 3))
    said = {one.name: one.reason for one in decision.grants} | {one.name: one.reason for one in decision.refused}
    assert said == {
        "Sportkaart": "Deze persoon is 30 jaar en krijgt 9,95 euro per maand, 2 maanden tot en met 31 december 2025.",
        "Korting": "Deze persoon is 30 jaar en krijgt 250 bezoeken voor het jaar tot en met 31 december 2025.",
        "Meedoen kind": "Dit is er tot en met 17 jaar en deze persoon is 30 jaar.",
        "Kleding kind": "Dit is er tot en met 17 jaar en deze persoon is 30 jaar.",
        "Meedoen 65+": "Dit is er vanaf 65 jaar en deze persoon is 30 jaar.",
        "Mantelzorg": "Dit is er alleen voor mantelzorgers.",
    }


def test_a_grant_may_ask_a_lower_income_than_the_pass(gelrepas: Scheme) -> None:
    strict = Grant(7, "Extra", 1, 10_00, "year", 4, income_percent=100)
    scheme = replace(gelrepas, grants=(strict,))
    assert amounts(decide(person(30, income=100), ALONE, scheme, NEW_YEAR)) == {"Extra": 10_00}
    assert decide(person(30, income=101), ALONE, scheme, NEW_YEAR).refused[0].reason == (
        "Dit is er voor een inkomen tot en met 100 procent van de norm en dit huishouden heeft meer."
    )


def test_nobody_can_be_given_more_than_half_of_what_a_purse_holds(gelrepas: Scheme) -> None:
    """So there is room for next year's money while this year's is still on the pass."""
    for age in range(4, 100):
        given: dict[int, int] = {}
        for grant in decide(person(age, carer=True), ALONE, gelrepas, NEW_YEAR).grants:
            given[grant.purse] = given.get(grant.purse, 0) + grant.amount
        assert all(2 * amount <= gelrepas.purses[purse].ceiling for purse, amount in given.items())
