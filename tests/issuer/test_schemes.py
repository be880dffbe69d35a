"""The schemes that ship: people, and what each gets to the cent, with the numbers of the published rules."""

import re
from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path

import pytest

from issuer.errors import SchemeError
from issuer.people import SCHOOLS, Household, Person
from issuer.rules import Decision, Hardship, decide
from issuer.scheme import load_scheme

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "schemes").glob("*.toml"))
SCHEMES = {path.stem: load_scheme(path) for path in FILES}

ALONE = Household(1, 0)
COUPLE = Household(2, 0)
FAMILY = Household(4, 2)


def born(*day: int, school: str = "", income: int = 100, role: str = "") -> Person:
    return Person("H1", "Vries", "de", "Noor", date(*day), income, frozenset({role} - {""}), school)


@dataclass(frozen=True)
class Case:
    """On a day, somebody in a household gets this and nothing else."""

    scheme: str
    on: date
    who: Person
    gets: dict[str, int]
    household: Household = FAMILY


def amounts(decision: Decision) -> dict[str, int]:
    return {grant.name: grant.amount for grant in decision.grants}


NEW_YEAR = date(2026, 1, 1)
KORTING = {"Korting": 250}

# At most 225 EUR a year, of which 180 for clothing until 18; from 18 a sports card of 9.95 a month; 65+ 50; carers 150.
GELREPAS = [
    Case("gelrepas", NEW_YEAR, born(2022, 1, 2), {}),
    Case("gelrepas", NEW_YEAR, born(2022, 1, 1), {"Meedoen kind": 45_00, "Kleding kind": 180_00} | KORTING),
    Case("gelrepas", NEW_YEAR, born(2008, 1, 2), {"Meedoen kind": 45_00, "Kleding kind": 180_00} | KORTING),
    Case("gelrepas", NEW_YEAR, born(2008, 1, 1), {"Sportkaart": 119_40} | KORTING),
    Case("gelrepas", date(2026, 7, 15), born(1990, 5, 1), {"Sportkaart": 6 * 9_95} | KORTING),
    Case("gelrepas", NEW_YEAR, born(1961, 1, 1), {"Sportkaart": 119_40, "Meedoen 65+": 50_00} | KORTING),
    Case("gelrepas", NEW_YEAR, born(1990, 5, 1, role="carer"), {"Sportkaart": 119_40, "Mantelzorg": 150_00} | KORTING),
    Case("gelrepas", NEW_YEAR, born(1990, 5, 1, income=120), {"Sportkaart": 119_40} | KORTING),
    Case("gelrepas", NEW_YEAR, born(1990, 5, 1, income=121), {}),
]

# A discount for everybody; money for school things for who goes to school. The amounts are examples.
HILVERSUMPAS = [
    Case("hilversumpas", NEW_YEAR, born(1990, 5, 1), KORTING, ALONE),
    Case("hilversumpas", NEW_YEAR, born(2025, 12, 31), KORTING),
    Case("hilversumpas", NEW_YEAR, born(2018, 5, 1, school="primary"), {"Kindpakket": 100_00} | KORTING),
    Case("hilversumpas", NEW_YEAR, born(2010, 5, 1, school="secondary"), {"Kindpakket": 100_00} | KORTING),
    Case("hilversumpas", NEW_YEAR, born(2009, 5, 1, school="vocational"), KORTING),
    Case("hilversumpas", NEW_YEAR, born(2018, 5, 1, school="primary", income=121), {}),
]

# About 85 EUR per child; a swimming voucher for 5, 6 and 7 only; each with its own limit. Other amounts are examples.
FREE = {"Vrij te besteden": 100_00}
ZOETERMEERPAS = [
    Case("zoetermeerpas", NEW_YEAR, born(1990, 5, 1), FREE, COUPLE),
    Case("zoetermeerpas", NEW_YEAR, born(2021, 1, 2), FREE | {"Kindpas": 85_00}),
    Case("zoetermeerpas", NEW_YEAR, born(2021, 1, 1), FREE | {"Kindpas": 85_00, "Zwembon": 1}),
    Case("zoetermeerpas", NEW_YEAR, born(2018, 1, 2), FREE | {"Kindpas": 85_00, "Zwembon": 1}),
    Case("zoetermeerpas", NEW_YEAR, born(2018, 1, 1), FREE | {"Kindpas": 85_00}),
    Case("zoetermeerpas", NEW_YEAR, born(2020, 1, 1, income=110), FREE | {"Kindpas": 85_00, "Zwembon": 1}),
    Case("zoetermeerpas", NEW_YEAR, born(2020, 1, 1, income=111), FREE | {"Kindpas": 85_00}),
    Case("zoetermeerpas", NEW_YEAR, born(2020, 1, 1, income=121), FREE),
    Case("zoetermeerpas", NEW_YEAR, born(2020, 1, 1, income=131), {}),
    Case("zoetermeerpas", NEW_YEAR, born(2008, 1, 1), FREE),
    Case(
        "zoetermeerpas",
        NEW_YEAR,
        born(2016, 1, 1, school="primary"),
        FREE | {"Kindpas": 85_00, "Schoolspullen": 100_00},
    ),
    # Moved in on 16 October: three months of the free budget. Born on 10 May and brought in October: eight months.
    Case("zoetermeerpas", date(2026, 10, 16), born(1990, 5, 1), {"Vrij te besteden": 25_00}, ALONE),
    Case("zoetermeerpas", date(2026, 10, 16), born(2026, 5, 10), {"Vrij te besteden": 66_66, "Kindpas": 85_00}),
    Case("zoetermeerpas", date(2026, 12, 31), born(1990, 5, 1), {"Vrij te besteden": 8_33}, ALONE),
    Case("zoetermeerpas", date(2027, 1, 1), born(2026, 5, 10), FREE | {"Kindpas": 85_00}),
]

# 200 points a year; 600 EUR once at the step to secondary school and 100 a year later; 200 for music lessons.
POINTS, MUSIC = {"Punten": 200}, {"Muziekles": 200_00}
STEP, LATER = {"Stap naar het voortgezet onderwijs": 600_00}, {"Voortgezet onderwijs": 100_00}
MIDDEN_GRONINGEN = [
    Case("midden-groningen", date(2026, 8, 1), born(1990, 5, 1), POINTS, ALONE),
    Case("midden-groningen", date(2026, 8, 1), born(2016, 5, 1, school="primary"), POINTS | MUSIC),
    # One child, from the last months at primary school to two years later. The pass year begins on 1 August.
    Case("midden-groningen", date(2026, 7, 31), born(2014, 5, 1, school="primary"), POINTS | MUSIC),
    Case("midden-groningen", date(2026, 8, 1), born(2014, 5, 1, school="secondary"), POINTS | MUSIC | STEP),
    Case("midden-groningen", date(2027, 7, 31), born(2014, 5, 1, school="secondary"), POINTS | MUSIC | STEP),
    Case("midden-groningen", date(2027, 8, 1), born(2014, 5, 1, school="secondary"), POINTS | MUSIC | LATER),
    # 12 and 13 are counted on 1 October, also before it.
    Case("midden-groningen", date(2026, 8, 1), born(2013, 10, 2, school="secondary"), POINTS | MUSIC | STEP),
    Case("midden-groningen", date(2026, 8, 1), born(2013, 10, 1, school="secondary"), POINTS | MUSIC | LATER),
    Case("midden-groningen", date(2026, 8, 1), born(2008, 10, 2, school="secondary"), POINTS | MUSIC | LATER),
    Case("midden-groningen", date(2026, 11, 1), born(2008, 10, 2, school="secondary"), POINTS | LATER),
]

# 200 EUR a year; children once 450 for swimming lessons; 125 (primary) or 175 (secondary) a year.
MEEDOEN, SWIM = {"Meedoen": 200_00}, {"Zwemles": 450_00}
EDE = [
    Case("ede", NEW_YEAR, born(1990, 5, 1), MEEDOEN, ALONE),
    Case("ede", NEW_YEAR, born(2023, 5, 1), MEEDOEN | SWIM),
    Case("ede", NEW_YEAR, born(2018, 5, 1, school="primary"), MEEDOEN | SWIM | {"Basisschool": 125_00}),
    Case("ede", NEW_YEAR, born(2012, 5, 1, school="secondary"), MEEDOEN | SWIM | {"Voortgezet onderwijs": 175_00}),
    Case("ede", NEW_YEAR, born(2008, 1, 1, school="secondary"), MEEDOEN | {"Voortgezet onderwijs": 175_00}),
]

# 40 swimming lessons per child; the widest of 100, 110 and 120 percent.
DRUTEN_WIJCHEN = [
    Case("druten-wijchen", NEW_YEAR, born(2020, 5, 1, income=120), {"Zwemles": 40} | KORTING),
    Case("druten-wijchen", NEW_YEAR, born(2020, 5, 1, income=121), {}),
    Case("druten-wijchen", NEW_YEAR, born(2008, 1, 1), KORTING),
]
CASES = [*GELREPAS, *HILVERSUMPAS, *ZOETERMEERPAS, *MIDDEN_GRONINGEN, *EDE, *DRUTEN_WIJCHEN]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.scheme}-{case.who.born}-{case.on}")
def test_who_gets_what(case: Case) -> None:
    decision = decide(case.who, case.household, SCHEMES[case.scheme], case.on)
    assert amounts(decision) == case.gets


def test_every_scheme_has_people_and_a_name_number_and_application_of_its_own() -> None:
    assert {case.scheme for case in CASES} == set(SCHEMES)
    for of in ("name", "number", "aid", "df_name"):
        assert len({getattr(scheme, of) for scheme in SCHEMES.values()}) == len(SCHEMES)


@pytest.mark.parametrize("name", SCHEMES)
def test_every_grant_is_got_by_somebody_in_the_tables_or_is_for_people_to_decide(name: str) -> None:
    got = {grant for case in CASES if case.scheme == name for grant in case.gets}
    assert got == {grant.name for grant in SCHEMES[name].grants if not grant.tailored}


def test_only_the_gelrepas_may_be_lent() -> None:
    assert {name for name, scheme in SCHEMES.items() if scheme.transferable} == {"gelrepas"}


@pytest.mark.parametrize("name", SCHEMES)
def test_a_pass_that_is_renewed_in_the_overlap_holds_two_years(name: str) -> None:
    scheme = SCHEMES[name]
    for age, stage in product(range(100), SCHOOLS):
        who = born(2026 - age, 1, 1, school=stage, role="carer")
        room = scheme.ceilings()
        for grant in decide(who, FAMILY, scheme, NEW_YEAR).grants:
            room[grant.purse] -= grant.amount if grant.period == "once" else 2 * grant.amount
        assert min(room.values()) >= 0


# The numbers that need a person


def test_a_child_of_eight_gets_a_swimming_voucher_when_people_decide_so() -> None:
    eight, scheme = born(2018, 1, 1), SCHEMES["zoetermeerpas"]
    assert "Zwembon" not in amounts(decide(eight, FAMILY, scheme, NEW_YEAR))
    decision = decide(eight, FAMILY, scheme, NEW_YEAR, [Hardship(3, None, "Later in Nederland gekomen.")])
    (voucher,) = [grant for grant in decision.grants if grant.name == "Zwembon"]
    assert (voucher.amount, voucher.period) == (1, "once")
    assert voucher.reason == (
        "Een medewerker van de gemeente heeft dit besloten: deze persoon krijgt één keer 1 product, om deze reden: "
        "Later in Nederland gekomen."
    )
    assert scheme.needs_second_person(3, 1)


def test_a_tailored_budget_is_what_people_decide_for_one_child() -> None:
    child, scheme = born(2016, 1, 1), SCHEMES["midden-groningen"]
    on = date(2026, 8, 1)
    (refusal,) = [each for each in decide(child, FAMILY, scheme, on).refused if each.name == "Maatwerk"]
    assert refusal.reason.startswith("Dit is maatwerk:")
    assert amounts(decide(child, FAMILY, scheme, on, [Hardship(5, 123_45, "Bril.")]))["Maatwerk"] == 123_45
    assert "Maatwerk" not in amounts(decide(child, FAMILY, scheme, on, [Hardship(5, None, "Bril.")]))


@pytest.mark.parametrize(("amount", "second"), [(150_00, False), (150_01, True)])
def test_two_people_decide_above_the_amount_of_the_gelrepas(amount: int, second: bool) -> None:
    scheme = SCHEMES["gelrepas"]
    assert scheme.needs_second_person(5, amount) is second
    decision = decide(born(1990, 5, 1), ALONE, scheme, NEW_YEAR, [Hardship(5, amount, "Zorg zonder indicatie")])
    assert amounts(decision)["Mantelzorg"] == amount


# The page that explains every key


def explained() -> dict[str, set[str]]:
    """The keys in the table of the page, by the table of the scheme that they are in."""
    found: dict[str, set[str]] = {}
    name = ""
    for line in (ROOT / "docs/add-a-scheme.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith(("| table", "|---")):
            of, keys = line.split("|")[1:3]
            name = of.strip(" `[]") or name
            found.setdefault(name, set()).update(re.findall("`([a-z_]+)`", keys))
    return found


def known(tmp_path: Path) -> dict[str, set[str]]:
    """The keys that the loader expects, as it says when it is given another one."""
    path = tmp_path / "scheme.toml"
    one = [f"[{name}]\nno-such-key = 1\n" for name in ("municipality", "pass", "hardship", "payments", "invoice")]
    each = [f"[[{name}]]\nno-such-key = 1\n" for name in ("fund", "purse", "grant")]
    path.write_text("".join(one + each), encoding="utf-8")
    with pytest.raises(SchemeError) as caught:
        load_scheme(path)
    said = re.findall(r"\[+(\w+)\]+ no-such-key: unknown key; expected are (.*)", str(caught.value))
    return {name: set(keys.split(", ")) for name, keys in said}


def test_every_key_is_explained_and_every_explained_key_is_known(tmp_path: Path) -> None:
    assert explained() == known(tmp_path)
