"""What a person gets and why: each kind of rule, in both languages; what people decide; what must always hold."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.people import ROLES, SCHOOLS, Household, Person
from issuer.rules import Decision, Hardship, decide
from issuer.scheme import Fund, Grant, Period, Purse, Scheme, load_scheme

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


# Each kind of rule, in a scheme with nothing else. Purse 1 holds 1000.00, purse 2 a hundred items.

COUPLE = Household(2, 0)
PARENT = Household(2, 1)
FAMILY = Household(5, 3)
ANY = Grant(1, "Budget", 1, 100_00, "year", 0)


def scheme_of(*grants: Grant, **rest: object) -> Scheme:
    purses = {1: Purse(1, "Meedoen", "cent", 1000_00, ("Fonds",)), 2: Purse(2, "Zwemles", "item", 100, ("Fonds",))}
    made = Scheme("Gelredam", 1, "F0E0D1", "NL.STADSPAS.0001", purses, (Fund("Fonds"),), grants, 0, 120, (12, 31), 31)
    return replace(made, **rest)  # type: ignore[arg-type]


def born(*day: int, school: str = "", income: int = 100, roles: tuple[str, ...] = ()) -> Person:
    return Person("H1", "Vries", "de", "Noor", date(*day), income, frozenset(roles), school)


ADULT_OF_35 = born(1990, 5, 1)


def said(grant: Grant, who: Person = ADULT_OF_35, household: Household = ALONE, on: date = NEW_YEAR) -> tuple[str, str]:
    """The one sentence on a grant, in Dutch and in English."""
    decision = decide(who, household, scheme_of(grant), on)
    (one,) = [*decision.grants, *decision.refused]
    return one.reason, one.reason_en


UNTIL_NL, UNTIL_EN = "voor het jaar tot en met 31 december 2026", "for the year until 31 December 2026"


@pytest.mark.parametrize(
    ("grant", "who", "household", "nl", "en"),
    [
        (
            ANY,
            ADULT_OF_35,
            ALONE,
            f"is 35 jaar en krijgt 100,00 euro {UNTIL_NL}.",
            f"is 35 and gets 100.00 euros {UNTIL_EN}.",
        ),
        (
            replace(ANY, per="once"),
            ADULT_OF_35,
            ALONE,
            "is 35 jaar en krijgt één keer 100,00 euro.",
            "is 35 and gets 100.00 euros once.",
        ),
        (
            replace(ANY, purse=2, amount=1, per="once"),
            ADULT_OF_35,
            ALONE,
            "is 35 jaar en krijgt één keer 1 product.",
            "is 35 and gets 1 item once.",
        ),
        (
            replace(ANY, per="month", amount=9_95),
            ADULT_OF_35,
            ALONE,
            "is 35 jaar en krijgt 9,95 euro per maand, 12 maanden tot en met 31 december 2026.",
            "is 35 and gets 9.95 euros a month, 12 months until 31 December 2026.",
        ),
        (
            replace(ANY, per="quarter", amount=25_00),
            ADULT_OF_35,
            ALONE,
            "is 35 jaar en krijgt 25,00 euro per kwartaal, 4 kwartalen tot en met 31 december 2026.",
            "is 35 and gets 25.00 euros a quarter, 4 quarters until 31 December 2026.",
        ),
        (
            replace(ANY, refill=True),
            ADULT_OF_35,
            ALONE,
            f"is 35 jaar en krijgt een aanvulling tot 100,00 euro {UNTIL_NL}.",
            f"is 35 and gets a top-up to 100.00 euros {UNTIL_EN}.",
        ),
        (
            replace(ANY, per_child=True),
            ADULT_OF_35,
            FAMILY,
            f"is 35 jaar en krijgt 300,00 euro {UNTIL_NL}, dat is 100,00 euro per kind voor 3 kinderen.",
            f"is 35 and gets 300.00 euros {UNTIL_EN}, which is 100.00 euros a child for 3 children.",
        ),
        (
            replace(ANY, age_on=(10, 1), school=("primary", "secondary"), until_age=12),
            born(2014, 5, 1, school="secondary"),
            FAMILY,
            f"is op 1 oktober 2026 12 jaar, gaat naar het voortgezet onderwijs en krijgt 100,00 euro {UNTIL_NL}.",
            f"is 12 on 1 October 2026, goes to secondary school and gets 100.00 euros {UNTIL_EN}.",
        ),
        (
            replace(ANY, role="volunteer", household_from=2),
            born(1990, 5, 1, roles=("carer", "volunteer")),
            COUPLE,
            f"is 35 jaar, is vrijwilliger, heeft een huishouden van 2 personen en krijgt 100,00 euro {UNTIL_NL}.",
            f"is 35, is a volunteer, has a household of 2 people and gets 100.00 euros {UNTIL_EN}.",
        ),
        (
            replace(ANY, household_until=1),
            ADULT_OF_35,
            ALONE,
            f"is 35 jaar, heeft een huishouden van 1 persoon en krijgt 100,00 euro {UNTIL_NL}.",
            f"is 35, has a household of 1 person and gets 100.00 euros {UNTIL_EN}.",
        ),
        (
            replace(ANY, amount=400_00, per_child=True),
            ADULT_OF_35,
            FAMILY,
            f"is 35 jaar en krijgt 1200,00 euro {UNTIL_NL}, dat is 400,00 euro per kind voor 3 kinderen, maar er past "
            "niet meer dan 1000,00 euro op de pas.",
            f"is 35 and gets 1200.00 euros {UNTIL_EN}, which is 400.00 euros a child for 3 children, but the pass has "
            "room for no more than 1000.00 euros.",
        ),
    ],
)
def test_a_yes_says_what_and_why(grant: Grant, who: Person, household: Household, nl: str, en: str) -> None:
    assert said(grant, who, household) == (f"Deze persoon {nl}", f"This person {en}")


@pytest.mark.parametrize(
    ("grant", "who", "household", "nl", "en"),
    [
        (
            replace(ANY, from_age=36),
            ADULT_OF_35,
            ALONE,
            "Dit is er vanaf 36 jaar en deze persoon is 35 jaar.",
            "This is for people of 36 and older, and this person is 35.",
        ),
        (
            replace(ANY, until_age=34, age_on=(10, 1)),
            ADULT_OF_35,
            ALONE,
            "Dit is er tot en met 34 jaar en deze persoon is op 1 oktober 2026 36 jaar.",
            "This is for people up to 34, and this person is 36 on 1 October 2026.",
        ),
        (
            replace(ANY, school=("primary", "vocational")),
            born(2010, 1, 1, school="secondary"),
            FAMILY,
            "Dit is er alleen voor leerlingen van de basisschool of het mbo.",
            "This is only for pupils of primary school or vocational school (mbo).",
        ),
        (
            replace(ANY, role="carer"),
            born(1990, 5, 1, roles=("student", "volunteer")),
            ALONE,
            "Dit is er alleen voor mantelzorgers.",
            "This is only for carers.",
        ),
        (
            replace(ANY, role="volunteer"),
            ADULT_OF_35,
            ALONE,
            "Dit is er alleen voor vrijwilligers.",
            "This is only for volunteers.",
        ),
        (
            replace(ANY, role="student"),
            ADULT_OF_35,
            ALONE,
            "Dit is er alleen voor studenten.",
            "This is only for students.",
        ),
        (
            replace(ANY, household_from=2),
            ADULT_OF_35,
            ALONE,
            "Dit is er voor huishoudens vanaf 2 personen en dit huishouden heeft 1 persoon.",
            "This is for households of at least 2 people, and this household has 1 person.",
        ),
        (
            replace(ANY, household_from=2, household_until=4),
            ADULT_OF_35,
            FAMILY,
            "Dit is er voor huishoudens tot en met 4 personen en dit huishouden heeft 5 personen.",
            "This is for households of up to 4 people, and this household has 5 people.",
        ),
        (
            replace(ANY, per_child=True),
            ADULT_OF_35,
            COUPLE,
            "Dit is er voor elk kind en dit huishouden heeft geen kinderen.",
            "This is for each child, and this household has no children.",
        ),
        (
            replace(ANY, income_percent=90),
            ADULT_OF_35,
            ALONE,
            "Dit is er voor een inkomen tot en met 90 procent van de norm en dit huishouden heeft meer.",
            "This is for an income up to 90 percent of the norm, and this household has more.",
        ),
        (
            replace(ANY, tailored=True, amount=0),
            ADULT_OF_35,
            ALONE,
            "Dit is maatwerk: de gemeente besluit dit voor elke persoon apart en heeft hier niets besloten.",
            "This is tailored: the municipality decides it for each person apart, and decided nothing here.",
        ),
    ],
)
def test_a_no_says_which_rule(grant: Grant, who: Person, household: Household, nl: str, en: str) -> None:
    assert said(grant, who, household) == (nl, en)


def test_who_may_have_no_pass_hears_it_in_english_too() -> None:
    refused = decide(born(2024, 1, 1, income=121), FAMILY, scheme_of(ANY, minimum_age=4), NEW_YEAR).refused
    assert [each.reason_en for each in refused] == [
        "The pass is for people of 4 and older, and this person is younger.",
        "The pass is for an income up to 120 percent of the norm, and this household has more.",
    ]


@pytest.mark.parametrize(
    ("day", "year", "quarter", "pro_rata"),
    [
        (date(2026, 1, 1), 100_00, 400_00, 100_00),
        (date(2026, 1, 31), 100_00, 400_00, 100_00),
        (date(2026, 2, 1), 100_00, 400_00, 91_66),
        (date(2026, 3, 31), 100_00, 400_00, 83_33),
        (date(2026, 4, 1), 100_00, 300_00, 75_00),
        (date(2026, 10, 1), 100_00, 100_00, 25_00),
        (date(2026, 12, 31), 100_00, 100_00, 8_33),
        (date(2027, 1, 1), 100_00, 400_00, 100_00),
    ],
)
def test_what_is_left_of_a_year(day: date, year: int, quarter: int, pro_rata: int) -> None:
    scheme = scheme_of(
        replace(ANY, number=1, name="year"),
        replace(ANY, number=2, name="quarter", per="quarter"),
        replace(ANY, number=3, name="pro_rata", pro_rata=True),
    )
    found = amounts(decide(ADULT_OF_35, ALONE, scheme, day))
    assert found == {"year": year, "quarter": quarter, "pro_rata": pro_rata}


def test_a_part_of_a_year_is_told_with_the_whole() -> None:
    assert said(replace(ANY, pro_rata=True), on=date(2026, 6, 1)) == (
        "Deze persoon is 36 jaar en krijgt 58,33 euro voor 7 maanden tot en met 31 december 2026, want een heel jaar "
        "is 100,00 euro.",
        "This person is 36 and gets 58.33 euros for 7 months until 31 December 2026, as a whole year is 100.00 euros.",
    )


def test_a_part_of_a_year_that_comes_to_nothing_is_a_no() -> None:
    one = replace(ANY, purse=2, amount=1, pro_rata=True)
    nl = "Er is te weinig over van het jaar: hiervan blijft niets over."
    assert said(one, on=date(2026, 2, 1)) == (nl, "Too little is left of the year: nothing of this remains.")
    assert amounts(decide(ADULT_OF_35, ALONE, scheme_of(one), date(2026, 1, 31))) == {"Budget": 1}


@pytest.mark.parametrize(
    ("birth", "on", "amount"),
    [
        (date(2026, 5, 10), date(2026, 5, 10), 66_66),
        (date(2026, 5, 10), date(2026, 11, 1), 66_66),
        (date(2026, 1, 1), date(2026, 11, 1), 100_00),
        (date(2025, 12, 31), date(2026, 11, 1), 16_66),
        (date(2026, 5, 10), date(2027, 1, 1), 100_00),
        (date(2026, 5, 10), date(2027, 11, 1), 16_66),
    ],
)
def test_a_newborn_has_a_right_since_birth_and_others_since_the_day_itself(birth: date, on: date, amount: int) -> None:
    baby = replace(ADULT_OF_35, born=birth)
    assert amounts(decide(baby, FAMILY, scheme_of(replace(ANY, pro_rata=True)), on)) == {"Budget": amount}


def test_an_amount_a_month_is_for_the_months_that_are_left_for_a_newborn_too() -> None:
    baby, scheme = born(2026, 5, 10), scheme_of(replace(ANY, per="month", amount=10_00))
    assert amounts(decide(baby, FAMILY, scheme, date(2026, 11, 1))) == {"Budget": 20_00}


def test_a_newborn_in_the_household_raises_what_is_per_child() -> None:
    scheme = scheme_of(replace(ANY, per_child=True, from_age=18))
    sums = [amounts(decide(ADULT_OF_35, household, scheme, date(2026, 9, 1))) for household in (COUPLE, PARENT, FAMILY)]
    assert sums == [{}, {"Budget": 100_00}, {"Budget": 300_00}]


@pytest.mark.parametrize(
    ("birth", "on", "gets"),
    [
        # 12 on 1 October, the day that counts for the pass year, whatever the day of the decision.
        (date(2014, 10, 1), date(2026, 1, 1), True),
        (date(2014, 10, 2), date(2026, 12, 31), False),
        (date(2013, 10, 2), date(2026, 12, 31), True),
        (date(2013, 10, 1), date(2026, 1, 1), False),
    ],
)
def test_ages_are_counted_on_a_day_of_the_pass_year(birth: date, on: date, gets: bool) -> None:
    twelve = scheme_of(replace(ANY, from_age=12, until_age=12, age_on=(10, 1)))
    assert bool(decide(replace(ADULT_OF_35, born=birth), FAMILY, twelve, on).grants) is gets


def test_ages_are_counted_in_the_school_year_that_the_day_is_in() -> None:
    twelve = scheme_of(replace(ANY, from_age=12, until_age=12, age_on=(10, 1)), year_ends=(7, 31))
    who = born(2013, 10, 1)
    days = (date(2025, 7, 31), date(2025, 8, 1), date(2026, 7, 31), date(2026, 8, 1))
    assert [bool(decide(who, FAMILY, twelve, on).grants) for on in days] == [False, True, True, False]


def test_who_is_not_born_yet_on_the_day_that_ages_are_counted_is_nought() -> None:
    baby, scheme = born(2026, 5, 10), scheme_of(replace(ANY, until_age=3, age_on=(1, 1)))
    assert "op 1 januari 2026 0 jaar" in decide(baby, FAMILY, scheme, date(2026, 6, 1)).grants[0].reason


@pytest.mark.parametrize(
    ("per", "on", "year_ends", "period"),
    [
        ("year", date(2026, 12, 31), (12, 31), "2026"),
        ("month", date(2027, 1, 1), (12, 31), "2027"),
        ("quarter", date(2026, 7, 31), (7, 31), "2026"),
        ("year", date(2026, 8, 1), (7, 31), "2027"),
        ("once", date(2026, 8, 1), (7, 31), "once"),
    ],
)
def test_a_grant_is_for_a_pass_year_or_once(per: Period, on: date, year_ends: tuple[int, int], period: str) -> None:
    scheme = scheme_of(replace(ANY, per=per, amount=10_00), year_ends=year_ends)
    assert decide(ADULT_OF_35, ALONE, scheme, on).grants[0].period == period


@pytest.mark.parametrize("refill", [False, True])
def test_what_is_granted_says_which_grant_it_is_and_whether_it_is_a_level(refill: bool) -> None:
    (granted,) = decide(ADULT_OF_35, ALONE, scheme_of(replace(ANY, number=7, refill=refill)), NEW_YEAR).grants
    assert (granted.number, granted.name, granted.purse, granted.refill) == (7, "Budget", 1, refill)


def test_a_purse_that_is_full_is_a_no() -> None:
    scheme = scheme_of(replace(ANY, amount=1000_00), replace(ANY, number=2, name="Extra"))
    decision = decide(ADULT_OF_35, ALONE, scheme, NEW_YEAR)
    assert amounts(decision) == {"Budget": 1000_00}
    (refusal,) = decision.refused
    assert (refusal.name, refusal.reason, refusal.reason_en) == (
        "Extra",
        "Hiervoor past niet meer dan 1000,00 euro op de pas en dat is al vol.",
        "The pass has room for no more than 1000.00 euros of this, and that is full already.",
    )


# What people decide

FOR_SENIORS = replace(ANY, from_age=65)


def budget(*hardships: Hardship, grant: Grant = FOR_SENIORS, who: Person = ADULT_OF_35, on: date = NEW_YEAR) -> int:
    """What comes of a grant by what people decided."""
    return amounts(decide(who, ALONE, scheme_of(grant), on, hardships)).get("Budget", 0)


@pytest.mark.parametrize(
    ("decided", "amount"),
    [(None, 100_00), (30_00, 30_00), (250_00, 250_00), (1000_00, 1000_00), (1000_01, 1000_00), (0, 0), (-5, 0)],
)
def test_people_give_what_a_rule_refuses_up_to_what_the_purse_holds(decided: int | None, amount: int) -> None:
    assert budget() == 0
    assert budget(Hardship(1, decided, "Hoge zorgkosten")) == amount


@pytest.mark.parametrize(("decided", "amount"), [(None, 100_00), (30_00, 100_00), (250_00, 250_00)])
def test_people_never_take_away_what_a_rule_gives(decided: int | None, amount: int) -> None:
    assert budget(Hardship(1, decided, "Hoge zorgkosten"), grant=ANY) == amount


def test_of_two_decisions_the_highest_counts_in_any_order() -> None:
    both = Hardship(1, 30_00, "Bril."), Hardship(1, 40_00, "Fiets.")
    assert budget(*both) == budget(*reversed(both)) == 40_00


def test_what_a_rule_would_give_is_for_what_is_left_of_the_year() -> None:
    assert budget(Hardship(1, None, "Bril"), grant=replace(FOR_SENIORS, pro_rata=True), on=date(2026, 7, 1)) == 50_00


def test_a_decision_on_another_grant_changes_nothing() -> None:
    assert budget(Hardship(2, 30_00, "Bril")) == 0


def test_what_people_decided_is_told_with_their_reason_on_one_line() -> None:
    hardships = [Hardship(1, 30_00, "Hoge\nzorgkosten."), Hardship(1, 30_00, "Hoge zorgkosten")]
    (grant,) = decide(ADULT_OF_35, ALONE, scheme_of(FOR_SENIORS), NEW_YEAR, hardships).grants
    assert (grant.reason, grant.reason_en) == (
        "Een medewerker van de gemeente heeft dit besloten: deze persoon krijgt 30,00 euro voor het jaar tot en met 31 "
        "december 2026, om deze reden: Hoge zorgkosten.",
        "An officer of the municipality decided this: this person gets 30.00 euros for the year until 31 December "
        "2026, for this reason: Hoge zorgkosten.",
    )


def test_a_decision_that_adds_nothing_leaves_the_reason_of_the_rule() -> None:
    (grant,) = decide(ADULT_OF_35, ALONE, scheme_of(ANY), NEW_YEAR, [Hardship(1, 30_00, "Bril")]).grants
    assert grant.reason.startswith("Deze persoon is 35 jaar")


def test_people_may_give_one_grant_to_who_may_have_no_pass_by_the_rules() -> None:
    scheme = scheme_of(ANY, replace(ANY, number=2, name="Extra"))
    decision = decide(born(1990, 5, 1, income=121), ALONE, scheme, NEW_YEAR, [Hardship(2, None, "Schulden")])
    assert amounts(decision) == {"Extra": 100_00}
    assert [each.name for each in decision.refused] == ["Pas"]


def test_what_people_decided_comes_after_what_the_rules_give() -> None:
    """Otherwise a decision for one grant could take the room of another."""
    scheme = scheme_of(FOR_SENIORS, replace(ANY, number=2, name="Extra", amount=900_00))
    decision = decide(ADULT_OF_35, ALONE, scheme, NEW_YEAR, [Hardship(1, 500_00, "Schulden")])
    assert amounts(decision) == {"Budget": 100_00, "Extra": 900_00}
    full = scheme_of(FOR_SENIORS, replace(ANY, number=2, name="Extra", amount=1000_00))
    refused = decide(ADULT_OF_35, ALONE, full, NEW_YEAR, [Hardship(1, 500_00, "Schulden")]).refused
    assert [each.reason_en[:34] for each in refused] == ["The pass has room for no more than"]


# What must always hold

DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
GRANTS = st.builds(
    Grant,
    number=st.just(0),
    name=st.just("Budget"),
    purse=st.sampled_from([1, 2]),
    amount=st.integers(1, 500_00),
    per=st.sampled_from(["year", "month", "quarter", "once"]),
    from_age=st.integers(0, 40),
    until_age=st.none() | st.integers(0, 90),
    age_on=st.none() | st.sampled_from([(1, 1), (10, 1)]),
    school=st.sampled_from([(), ("primary",), ("primary", "secondary")]),
    role=st.none() | st.sampled_from(ROLES),
    household_from=st.none() | st.integers(1, 5),
    household_until=st.none() | st.integers(1, 8),
    per_child=st.booleans(),
    refill=st.booleans(),
    pro_rata=st.booleans(),
    income_percent=st.none() | st.integers(80, 120),
    tailored=st.booleans(),
)
WORLDS = st.builds(
    lambda grants, minimum_age, year_ends: scheme_of(
        *(replace(grant, number=number) for number, grant in enumerate(grants, 1)),
        minimum_age=minimum_age,
        year_ends=year_ends,
    ),
    st.lists(GRANTS, max_size=6),
    st.integers(0, 6),
    st.sampled_from([(12, 31), (7, 31), (2, 28)]),
)
PEOPLE = st.builds(
    Person,
    st.just("H1"),
    st.just("Vries"),
    st.just("de"),
    st.just("Noor"),
    st.dates(date(1940, 1, 1), date(2024, 1, 1)),
    st.integers(1, 140),
    st.frozensets(st.sampled_from(ROLES)),
    st.sampled_from(SCHOOLS),
)
HOUSEHOLDS = st.tuples(st.integers(1, 9), st.integers(0, 8)).map(lambda pair: Household(pair[0], min(pair)))
HARDSHIPS = st.lists(
    st.builds(Hardship, st.integers(1, 7), st.none() | st.integers(0, 2000_00), st.just("Bril")), max_size=4
)


def by_purse(decision: Decision) -> dict[int, int]:
    sums = {1: 0, 2: 0}
    for grant in decision.grants:
        sums[grant.purse] += grant.amount
    return sums


@given(PEOPLE, HOUSEHOLDS, WORLDS, DAYS, HARDSHIPS)
def test_no_purse_gets_more_than_it_holds_and_every_grant_has_one_answer(
    who: Person, household: Household, scheme: Scheme, on: date, hardships: list[Hardship]
) -> None:
    decision = decide(who, household, scheme, on, hardships)
    assert all(sums <= scheme.purses[purse].ceiling for purse, sums in by_purse(decision).items())
    assert all(grant.amount > 0 for grant in decision.grants)
    answered = len(decision.grants) + sum(each.name != "Pas" for each in decision.refused)
    assert answered == len(scheme.grants) or any(each.name == "Pas" for each in decision.refused)
    for each in (*decision.grants, *decision.refused):
        assert each.reason.endswith(".")
        assert each.reason_en.endswith(".")
    assert decide(who, household, scheme, on, hardships) == decision


@given(PEOPLE, HOUSEHOLDS, WORLDS, DAYS, HARDSHIPS, st.integers(1, 60))
def test_more_income_never_gives_more(
    who: Person, household: Household, scheme: Scheme, on: date, hardships: list[Hardship], more: int
) -> None:
    richer = replace(who, income_percent=who.income_percent + more)
    low, high = (by_purse(decide(each, household, scheme, on, hardships)) for each in (who, richer))
    assert all(high[purse] <= low[purse] for purse in low)


@given(PEOPLE, HOUSEHOLDS, WORLDS, DAYS, HARDSHIPS)
def test_what_people_decide_never_takes_anything_away(
    who: Person, household: Household, scheme: Scheme, on: date, hardships: list[Hardship]
) -> None:
    def by_grant(decision: Decision) -> dict[int, int]:
        return {grant.number: grant.amount for grant in decision.grants}

    before = by_grant(decide(who, household, scheme, on))
    after = by_grant(decide(who, household, scheme, on, hardships))
    assert all(after[number] >= amount for number, amount in before.items())
