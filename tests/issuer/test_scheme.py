"""The scheme file: what it promises, and each thing it must refuse with the line it is on."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from issuer.errors import SchemeError
from issuer.scheme import Fund, Grant, Purse, Scheme, load_scheme

GELREPAS = Path(__file__).parents[2] / "schemes" / "gelrepas.toml"

SMALL = """\
[municipality]
name = "Gelredam"
number = 1
aid = "F0E0D1"
df_name = "NL.STADSPAS.0001"
[pass]
minimum_age = 4
income_percent = 120
year_ends = "12-31"
overlap_days = 31
[[fund]]
name = "Minimabeleid"
[[purse]]
number = 1
name = "Meedoen"
unit = "cent"
ceiling = 12000
fund = "Minimabeleid"
[[purse]]
number = 2
name = "Korting"
unit = "visit"
ceiling = 500
fund = "Minimabeleid"
[[grant]]
number = 1
name = "Vrij"
purse = 1
amount = 4500
per = "year"
[[grant]]
number = 2
name = "Sportkaart"
purse = 1
amount = 500
per = "month"
from_age = 18
until_age = 64
role = "carer"
income_percent = 110
"""


def read(tmp_path: Path, text: str) -> Scheme:
    path = tmp_path / "scheme.toml"
    path.write_text(text, encoding="utf-8")
    return load_scheme(path)


def faults(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(SchemeError) as caught:
        read(tmp_path, text)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def tells(fault: str, line: int, key: str, expected: str) -> bool:
    """Whether it has its line, its table and its key, and what is expected begins with these words."""
    pattern = rf"line {line}, \[+[a-z]+\]+ {key}: ((missing|unknown key|given twice); )?expected (is|are) "
    return bool(re.match(pattern + re.escape(expected), fault))


def test_the_gelrepas_is_a_scheme_with_three_funds_and_four_purses() -> None:
    scheme = load_scheme(GELREPAS)
    assert (scheme.name, scheme.number, scheme.aid, scheme.df_name) == ("Gelredam", 1, "F0E0D1", "NL.STADSPAS.0001")
    assert scheme.funds == (Fund("Minimabeleid"), Fund("Kinderarmoede"), Fund("Sportimpuls"))
    assert scheme.ceilings() == {1: 40000, 2: 36000, 3: 23880, 4: 500}
    assert [(purse.name, purse.unit) for purse in scheme.purses.values()] == [
        ("Meedoen", "cent"),
        ("Kleding", "cent"),
        ("Sport", "cent"),
        ("Korting", "visit"),
    ]


def test_what_a_file_leaves_out_asks_nothing(tmp_path: Path) -> None:
    scheme = read(tmp_path, SMALL)
    assert scheme.funds == (Fund("Minimabeleid"),)
    assert scheme.purses[2] == Purse(2, "Korting", "visit", 500, ("Minimabeleid",))
    free, sport = scheme.grants
    assert (free.from_age, free.until_age, free.role, free.income_percent) == (4, None, None, None)
    assert (sport.from_age, sport.until_age, sport.role, sport.income_percent) == (18, 64, "carer", 110)


FULL = """\
[municipality]
name = "Gelredam"
number = 1
aid = "F0E0D1"
df_name = "NL.STADSPAS.0001"
[pass]
minimum_age = 0
income_percent = 120
year_ends = "07-31"
overlap_days = 31
transferable = true
[hardship]
second_person_above = 15000
[[fund]]
name = "Sponsors"
budget = 5000000
[[fund]]
name = "Kinderarmoede"
[[purse]]
number = 1
name = "Kindpas"
unit = "cent"
ceiling = 17000
class = "clothes"
funds = ["Sponsors", "Kinderarmoede"]
split = "order"
[[purse]]
number = 2
name = "Sport"
unit = "cent"
ceiling = 40000
funds = ["Sponsors", "Kinderarmoede"]
split = "share"
shares = [70, 30]
[[grant]]
number = 1
name = "Kleding"
purse = 1
amount = 1000
per = "year"
age_on = "10-01"
until_age = 11
school = ["primary", "secondary"]
role = "student"
household_from = 2
household_until = 5
pro_rata = "month"
[[grant]]
number = 2
name = "Sport"
purse = 2
amount = 2500
per = "year"
per_child = true
fund = "Kinderarmoede"
[[grant]]
number = 3
name = "Bus"
purse = 2
amount = 500
per = "quarter"
[[grant]]
number = 4
name = "Boek"
purse = 2
amount = 700
per = "year"
refill = true
[[grant]]
number = 5
name = "Maatwerk"
purse = 2
per = "once"
tailored = true
[payments]
minimum = 500
second_check_above = 250000
[invoice]
oin = "00000001001234567000"
street = "Markt 1"
postcode = "6811 CG"
city = "Gelredam"
"""


def test_every_key_comes_through(tmp_path: Path) -> None:
    both = ("Sponsors", "Kinderarmoede")
    purses = {
        1: Purse(1, "Kindpas", "cent", 17000, both, "order", (), "clothes"),
        2: Purse(2, "Sport", "cent", 40000, both, "share", (70, 30)),
    }
    clothes = Grant(
        1, "Kleding", 1, 1000, "year", 0, 11, (10, 1), ("primary", "secondary"), "student", 2, 5, pro_rata=True
    )
    grants = (
        clothes,
        Grant(2, "Sport", 2, 2500, "year", 0, per_child=True, fund="Kinderarmoede"),
        Grant(3, "Bus", 2, 500, "quarter", 0),
        Grant(4, "Boek", 2, 700, "year", 0, refill=True),
        Grant(5, "Maatwerk", 2, 0, "once", 0, tailored=True),
    )
    funds = (Fund("Sponsors", 5000000), Fund("Kinderarmoede"))
    city = ("Gelredam", 1, "F0E0D1", "NL.STADSPAS.0001")
    assert read(tmp_path, FULL) == Scheme(*city, purses, funds, grants, 0, 120, (7, 31), 31, True, 15000)


def test_a_pass_is_personal_and_a_person_needs_a_second_one_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    scheme = read(tmp_path, SMALL)
    assert not scheme.transferable
    assert scheme.needs_second_person(1, 1)


@pytest.mark.parametrize(("amount", "second"), [(0, False), (15000, False), (15001, True)])
def test_a_second_person_is_needed_above_the_amount(tmp_path: Path, amount: int, second: bool) -> None:
    assert read(tmp_path, FULL).needs_second_person(5, amount) is second


def test_points_visits_and_items_always_need_a_second_person(tmp_path: Path) -> None:
    text = FULL.replace('name = "Sport"\nunit = "cent"', 'name = "Sport"\nunit = "item"').replace(
        "budget = 5000000\n", ""
    )
    assert read(tmp_path, text).needs_second_person(5, 1)


@pytest.mark.parametrize(
    ("on", "until"),
    [
        (date(2025, 1, 1), date(2026, 1, 31)),
        (date(2025, 12, 31), date(2026, 1, 31)),
        (date(2026, 1, 1), date(2027, 1, 31)),
    ],
)
def test_a_pass_is_valid_until_the_overlap_after_its_year(on: date, until: date) -> None:
    assert load_scheme(GELREPAS).validity(on) == (on, until)


def test_a_pass_year_may_end_with_the_school_year() -> None:
    scheme = replace(load_scheme(GELREPAS), year_ends=(7, 31))
    assert scheme.validity(date(2025, 8, 1)) == (date(2025, 8, 1), date(2026, 8, 31))
    assert [scheme.months_left(date(2025, month, 1)) for month in (7, 8, 12)] == [1, 12, 8]
    assert replace(scheme, year_ends=(7, 15)).months_left(date(2025, 7, 16)) == 12


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "expected"),
    [
        ('"Gelredam"', '""', 2, "name", "a text of 1 to 40 characters"),
        ("number = 1\naid", "number = 0\naid", 3, "number", "a whole number from 1 to 65535"),
        ("number = 1\naid", "number = true\naid", 3, "number", "a whole number from 1 to 65535"),
        ("F0E0D1", "F0E0D", 4, "aid", "six hexadecimal digits"),
        ("F0E0D1", "F0E0G1", 4, "aid", "six hexadecimal digits"),
        ("F0E0D1", "000000", 4, "aid", "six hexadecimal digits in capitals, not 000000"),
        ("NL.STADSPAS.0001", "NL.STADSPAS.00012", 5, "df_name", "1 to 16 ASCII"),
        ("NL.STADSPAS.0001", "NL.STADSPÁS", 5, "df_name", "1 to 16 ASCII"),
        ("minimum_age = 4", "minimum_age = 4.0", 7, "minimum_age", "a whole number"),
        ("12-31", "02-29", 9, "year_ends", "a month and a day that every year"),
        ("12-31", "31-12", 9, "year_ends", "a month and a day that every year"),
        ("12-31", "31 dec", 9, "year_ends", "a month and a day that every year"),
        ("overlap_days = 31", "overlap_days = -1", 10, "overlap_days", "a whole number from 0 to 365"),
        ("overlap_days = 31\n", "", 6, "overlap_days", "a whole number from 0 to 365"),
        ('number = 2\nname = "Korting', 'number = 15\nname = "Korting', 20, "number", "a whole number from 1 to 14"),
        ('number = 2\nname = "Korting', 'number = 1\nname = "Korting', 20, "number", "one that no other has"),
        ('"Korting"', '"Meedoen"', 21, "name", "one that no other has"),
        ('"visit"', '"euro"', 22, "unit", 'one of "cent", "point", "visit", "item"'),
        ("ceiling = 500", "ceiling = 2147483648", 23, "ceiling", "a whole number from 1 to 2147483647"),
        ("ceiling = 12000", "ceiling = 120.00", 17, "ceiling", "a whole number"),
        ('500\nfund = "Minimabeleid"', '500\nfund = "Anders"', 24, "fund", "the name of a [[fund]]"),
        ("purse = 1\namount = 4500", "purse = 3\namount = 4500", 28, "purse", "the number of a [[purse]]"),
        ("amount = 4500", "amount = 45.00", 29, "amount", "a whole number"),
        ("amount = 4500", "amount = 12001", 29, "amount", "at most the ceiling of its purse, 12000"),
        ("amount = 500\n", "amount = 1001\n", 35, "amount", "at most the ceiling of its purse, 12000"),
        ('"year"', '"week"', 30, "per", 'one of "year", "month", "quarter", "once"'),
        ('number = 2\nname = "Sport', 'number = 1\nname = "Sport', 32, "number", "one that no other has"),
        ('"Sportkaart"', '"Vrij"', 33, "name", "one that no other has"),
        ("until_age = 64", "until_age = 17", 38, "until_age", "18 or more"),
        ('"carer"', '"ja"', 39, "role", 'one of "carer", "volunteer", "student"'),
        ("income_percent = 110", "income_percent = 130", 40, "income_percent", "at most 120"),
        ("income_percent = 110", "income = 110", 40, "income", "age_on, amount, from_age"),
        ("amount = 500\n", "amount = 700\n", 17, "ceiling", "12900 or more"),
        (
            '[[fund]]\nname = "Minimabeleid"',
            2 * '[[fund]]\nname = "Minimabeleid"\n',
            14,
            "name",
            "one that no other has",
        ),
        ('500\nfund = "Minimabeleid"', "500", 19, "fund", "the name of a [[fund]]"),
        ('500\nfund = "Minimabeleid"', '500\nfund = "Minimabeleid"\nsplit = "order"', 25, "split", "`funds` with two"),
        # What follows from a fault is no fault of its own.
        ("income_percent = 120", "income_percent = 0", 8, "income_percent", "a whole number from 1 to 1000"),
        ("purse = 1\namount = 4500", "purse = 0\namount = 12001", 28, "purse", "a whole number from 1 to 14"),
    ],
)
def test_a_fault_has_its_line_its_key_and_what_is_expected(
    tmp_path: Path, old: str, new: str, line: int, key: str, expected: str
) -> None:
    assert SMALL.count(old) == 1
    (fault,) = faults(tmp_path, SMALL.replace(old, new))
    assert tells(fault, line, key, expected), fault


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "expected"),
    [
        ("transferable = true", "transferable = 1", 11, "transferable", "true or false"),
        ("above = 15000", "above = -1", 13, "second_person_above", "a whole number from 0"),
        ("second_person_above", "second_person", 13, "second_person", "second_person_above"),
        ("budget = 5000000", "budget = 0", 16, "budget", "a whole number from 1"),
        ('"clothes"', '"Clothes and shoes"', 24, "class", "a word in small letters"),
        ('"Kinderarmoede"]\nsplit = "order"', '"Anders"]\nsplit = "order"', 25, "funds", "the names of two [[fund]]"),
        (
            '["Sponsors", "Kinderarmoede"]\nsplit = "o',
            '["Sponsors"]\nsplit = "o',
            25,
            "funds",
            "the names of two [[fund]]",
        ),
        (
            '["Sponsors", "Kinderarmoede"]\nsplit = "o',
            '["Sponsors", "Sponsors"]\nsplit = "o',
            25,
            "funds",
            "the names of two",
        ),
        (
            '["Sponsors", "Kinderarmoede"]\nsplit = "o',
            '"Sponsors"\nsplit = "o',
            25,
            "funds",
            "the names of two [[fund]]",
        ),
        (
            '["Sponsors", "Kinderarmoede"]\nsplit = "o',
            '[["Sponsors"], 2]\nsplit = "o',
            25,
            "funds",
            "the names of two [[fund]]",
        ),
        ('split = "order"', "", 19, "split", 'one of "order", "share"'),
        ('split = "order"', 'split = "half"', 26, "split", 'one of "order", "share"'),
        ('split = "order"', 'split = "order"\nfund = "Sponsors"', 25, "funds", "`fund` or `funds`, not both"),
        ('split = "order"', 'split = "order"\nshares = [50, 50]', 27, "shares", 'only with split = "share"'),
        ('split = "order"', 'split = "share"', 19, "shares", "a percentage for each of the funds, together 100"),
        ('split = "share"', 'split = "half"', 33, "split", 'one of "order", "share"'),
        ('Kinderarmoede"]\nsplit = "share"', 'Anders"]\nsplit = "share"', 32, "funds", "the names of two [[fund]]"),
        ("[70, 30]", "[70, 20]", 34, "shares", "a percentage for each of the funds, together 100"),
        ("[70, 30]", "[70, 20, 10]", 34, "shares", "a percentage for each of the funds"),
        ("[70, 30]", "[70.0, 30.0]", 34, "shares", "a list of whole numbers"),
        ("[70, 30]", "[100, 0]", 34, "shares", "a list of whole numbers from 1"),
        ("[70, 30]", "[]", 34, "shares", "a list"),
        ('"10-01"', '"02-29"', 41, "age_on", "a month and a day that every year"),
        (
            '["primary", "secondary"]',
            '["primary", "high"]',
            43,
            "school",
            'some of "primary", "secondary", "vocational"',
        ),
        ('["primary", "secondary"]', '"primary"', 43, "school", "some of"),
        ('"student"', '"mayor"', 44, "role", 'one of "carer", "volunteer", "student"'),
        ("household_from = 2", "household_from = 0", 45, "household_from", "a whole number from 1"),
        ("household_from = 2", "household_from = 6", 46, "household_until", "6 or more"),
        ('pro_rata = "month"', "pro_rata = true", 47, "pro_rata", 'one of "month"'),
        ('year"\nage_on', 'once"\nage_on', 47, "pro_rata", 'with per = "year"'),
        ('"month"', '"month"\nrefill = true', 48, "refill", 'with per = "year" and without pro_rata'),
        ('"month"', '"month"\nper_child = true', 48, "per_child", 'with per = "year" or "once" and without pro_rata'),
        ('"quarter"', '"quarter"\nper_child = true', 62, "per_child", 'with per = "year" or "once"'),
        ('"quarter"', '"month"\nper_child = true', 62, "per_child", 'with per = "year" or "once"'),
        ('"quarter"', '"quarter"\nrefill = true', 62, "refill", 'with per = "year"'),
        ('fund = "Kinderarmoede"', 'fund = "Anders"', 55, "fund", "the name of a [[fund]]"),
        ("tailored = true", "", 69, "amount", "a whole number from 1 to 2147483647"),
        ("tailored = true", "tailored = true\namount = 5", 75, "amount", "none with tailored"),
        ("tailored = true", "tailored = true\nuntil_age = 5", 75, "until_age", "none with tailored"),
        ("tailored = true", 'tailored = true\nfund = "Anders"', 75, "fund", "the name of a [[fund]]"),
        ('"once"', '"month"', 73, "per", '"year" or "once"'),
        ("amount = 500\n", "amount = 10001\n", 60, "amount", "at most the ceiling of its purse, 40000"),
        ("ceiling = 40000", "ceiling = 5199", 31, "ceiling", "5200 or more"),
        ("minimum = 500", "minimum = -1", 76, "minimum", "a whole number from 0"),
        ("check_above = 250000", "check_above = -1", 77, "second_check_above", "a whole number from 0"),
        ("second_check_above", "second_check", 77, "second_check", "minimum, second_check_above"),
        ("01001234567000", "1001234567000", 79, "oin", "twenty digits"),
        ('"Markt 1"', '""', 80, "street", "1 to 70 characters"),
        ('"Markt 1"', '"' + 71 * "a" + '"', 80, "street", "1 to 70 characters"),
        ("6811 CG", "6811 cg", 81, "postcode", "four digits and two capitals"),
        ('city = "Gelredam"', 'city = "Gelre\\tdam"', 82, "city", "1 to 70 characters"),
        ('city = "Gelredam"', 'city = "Gelredam"\ncountry = "NL"', 83, "country", "city, oin, postcode, street"),
        (
            'unit = "cent"\nceiling = 40000',
            'unit = "item"\nceiling = 40000',
            16,
            "budget",
            "a fund that pays for purses of one unit",
        ),
    ],
)
def test_a_fault_in_what_few_schemes_have(
    tmp_path: Path, old: str, new: str, line: int, key: str, expected: str
) -> None:
    assert FULL.count(old) == 1
    (fault,) = faults(tmp_path, FULL.replace(old, new))
    assert tells(fault, line, key, expected), fault


# What may be left out of FULL. A purse without `funds` misses its `fund`; a grant that is not tailored, its amount.
OPTIONAL = {
    "transferable",
    "second_person_above",
    "budget",
    "class",
    "age_on",
    "until_age",
    "school",
    "role",
    "household_from",
    "household_until",
    "pro_rata",
    "per_child",
    "fund",
    "refill",
    "minimum",
    "second_check_above",
}
MISSED = {"funds": "fund", "tailored": "amount"}


@pytest.mark.parametrize(
    ("line", "key"),
    [(line, text.split(" = ")[0]) for line, text in enumerate(FULL.splitlines(), 1) if " = " in text],
)
def test_what_has_to_be_there_is_missed_and_the_rest_may_be_left_out(tmp_path: Path, line: int, key: str) -> None:
    lines = FULL.splitlines()
    del lines[line - 1]
    text = "\n".join(lines)
    if key in OPTIONAL:
        assert read(tmp_path, text)
    else:
        assert any(f"] {MISSED.get(key, key)}: missing; expected is " in fault for fault in faults(tmp_path, text))


@pytest.mark.parametrize("name", ["hardship", "payments", "invoice"])
def test_a_table_that_few_have_may_be_left_out_as_a_whole(tmp_path: Path, name: str) -> None:
    text = re.sub(rf"\[{name}\]\n([a-z].*\n)+", "", FULL)
    assert text != FULL
    assert read(tmp_path, text)


# Every number at its lowest, and at its highest.
LEAST = """\
[municipality]
name = "Gelredam"
number = 1
aid = "F0E0D1"
df_name = "NL.STADSPAS.0001"
[pass]
minimum_age = 0
income_percent = 1
year_ends = "12-31"
overlap_days = 0
[hardship]
second_person_above = 0
[payments]
minimum = 0
second_check_above = 0
[[fund]]
name = "Minimabeleid"
budget = 1
[[purse]]
number = 1
name = "Meedoen"
unit = "cent"
ceiling = 1
fund = "Minimabeleid"
[[grant]]
number = 1
name = "Vrij"
purse = 1
amount = 1
per = "year"
from_age = 0
until_age = 0
household_from = 1
household_until = 1
income_percent = 1
"""
HIGHEST = {
    3: 2**16 - 1,
    7: 150,
    8: 1000,
    10: 365,
    12: 2**31 - 1,
    14: 2**31 - 1,
    15: 2**31 - 1,
    18: 10**15,
    20: 14,
    23: 2**31 - 1,
    26: 2**32 - 1,
    28: 14,
    29: 2**31 - 1,
    31: 150,
    32: 150,
    33: 30,
    34: 30,
    35: 1000,
}
MOST = "".join(
    f"{text.split(' = ')[0]} = {HIGHEST[line]}\n" if line in HIGHEST else f"{text}\n"
    for line, text in enumerate(LEAST.splitlines(), 1)
)


@pytest.mark.parametrize("line", HIGHEST)
@pytest.mark.parametrize(("text", "beyond"), [(LEAST, -1), (MOST, 1)], ids=["least", "most"])
def test_each_number_goes_as_far_as_it_may_and_not_further(tmp_path: Path, text: str, beyond: int, line: int) -> None:
    assert read(tmp_path, text)
    lines = text.splitlines()
    key, number = lines[line - 1].split(" = ")
    lines[line - 1] = f"{key} = {int(number) + beyond}"
    found = faults(tmp_path, "\n".join(lines))
    assert any(tells(fault, line, key, "a whole number from ") for fault in found), found


def test_shares_go_from_one_to_a_hundred_percent(tmp_path: Path) -> None:
    assert read(tmp_path, FULL.replace("[70, 30]", "[1, 99]")).purses[2].shares == (1, 99)
    (fault,) = faults(tmp_path, FULL.replace("[70, 30]", "[101, 1]"))
    assert tells(fault, 34, "shares", "a list of whole numbers from 1 to 100")


def test_an_amount_that_is_wrong_is_not_also_too_much(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, LEAST.replace('amount = 1\nper = "year"', 'amount = 0\nper = "month"'))
    assert tells(fault, 29, "amount", "a whole number from 1")


def test_people_may_decide_on_a_tailored_grant_once_or_each_year(tmp_path: Path) -> None:
    assert [read(tmp_path, FULL.replace('"once"', each)).grants[-1].per for each in ('"once"', '"year"')] == [
        "once",
        "year",
    ]


def test_a_grant_with_a_fund_of_its_own_counts_for_the_unit_of_a_budget(tmp_path: Path) -> None:
    text = SMALL.replace(
        '[[fund]]\nname = "Minimabeleid"', '[[fund]]\nname = "Minimabeleid"\n[[fund]]\nname = "B"\nbudget = 5'
    )
    alone = text.replace('amount = 4500\nper = "year"\n', 'amount = 4500\nper = "year"\nfund = "B"\n')
    assert read(tmp_path, alone).grants[0].fund == "B"
    visits = '[[grant]]\nnumber = 3\nname = "Bezoek"\npurse = 2\namount = 5\nper = "year"\nfund = "B"\n'
    (fault,) = faults(tmp_path, alone + visits)
    assert "budget: expected is a fund that pays for purses of one unit only" in fault


def test_a_tailored_grant_may_have_a_fund_of_its_own(tmp_path: Path) -> None:
    text = FULL.replace("tailored = true", 'tailored = true\nfund = "Kinderarmoede"')
    assert read(tmp_path, text).grants[-1].fund == "Kinderarmoede"


def test_ages_on_another_day_may_be_below_those_of_the_pass(tmp_path: Path) -> None:
    """Who has a pass from the fourth birthday on may have been 3 on the day that ages are counted."""
    young = SMALL.replace("from_age = 18\nuntil_age = 64", 'from_age = 3\nuntil_age = 3\nage_on = "01-01"')
    assert read(tmp_path, young).grants[1].until_age == 3
    (fault,) = faults(tmp_path, young.replace('age_on = "01-01"\n', ""))
    assert "until_age: expected is 4 or more" in fault


def test_the_last_and_first_day_of_a_pass_year_are_in_it() -> None:
    scheme = replace(load_scheme(GELREPAS), year_ends=(7, 31))
    for on in (date(2025, 8, 1), date(2026, 7, 31)):
        assert scheme.year_start(on) == date(2025, 8, 1)
        assert scheme.pass_year(on) == "2026"
        assert scheme.in_year_of(on, (7, 31)) == date(2026, 7, 31)
        assert scheme.in_year_of(on, (8, 1)) == date(2025, 8, 1)


def test_who_goes_to_one_school_cannot_have_the_money_of_another(tmp_path: Path) -> None:
    """A ceiling is what one person can get; stages and sizes of a household that exclude each other do not add up."""
    two = """
[[grant]]
number = 7
name = "Een"
purse = 1
amount = 7000
per = "year"
{}
[[grant]]
number = 8
name = "Twee"
purse = 1
amount = 7000
per = "year"
{}
"""
    text = SMALL[: SMALL.index("[[grant]]")]
    assert read(tmp_path, text + two.format('school = ["primary"]', 'school = ["secondary"]')).grants
    assert read(tmp_path, text + two.format("household_until = 2", "household_from = 3")).grants
    assert "14000 or more" in faults(tmp_path, text + two.format('school = ["primary"]', ""))[0]
    assert "14000 or more" in faults(tmp_path, text + two.format("household_until = 3", "household_from = 3"))[0]
    assert "14000 or more" in faults(tmp_path, text + two.format("", "household_from = 3"))[0]


def test_every_fault_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = SMALL.replace("F0E0D1", "F0").replace('"visit"', '"euro"').replace("amount = 4500", "amount = 45.0")
    assert [fault.split(",")[0] for fault in faults(tmp_path, text)] == ["line 4", "line 22", "line 29"]
    with pytest.raises(SchemeError, match=rf"^{re.escape(str(tmp_path / 'scheme.toml'))} cannot be used:\n"):
        read(tmp_path, text)


def test_a_number_that_is_wrong_hides_none_that_is_given_twice(tmp_path: Path) -> None:
    text = FULL.replace('number = 1\nname = "Kleding"', 'number = 0\nname = "Kleding"')
    wrong, twice = faults(tmp_path, text.replace("number = 3\n", "number = 2\n"))
    assert tells(wrong, 36, "number", "a whole number from 1")
    assert tells(twice, 57, "number", "one that no other has")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FULL.replace("[hardship]", "[[hardship]]"), ["line 1, [hardship]: missing; expected is this table"]),
        (SMALL.replace("[pass]", "[passes]"), ["line 1, [pass]: missing", "line 6, passes: unknown; expected are"]),
        ("# Ours\ncolour = 1\n" + SMALL, ["line 2, colour: unknown; expected are fund, grant, hardship, invoice"]),
        (SMALL[: SMALL.index("[[grant]]")], ["line 1, [[grant]]: expected is at least one of these tables"]),
        # Where a dotted key is in the file nobody knows.
        ("colour.blue = 1\n" + SMALL, ["line 1, colour: unknown; expected are"]),
        ("payments.minimum = -1\n" + SMALL, ["line 1, [payments] minimum: expected is a whole number from 0"]),
    ],
)
def test_tables_that_are_missing_or_unknown(tmp_path: Path, text: str, expected: list[str]) -> None:
    """A table that is missing is one fault, not one for each of its keys."""
    found = faults(tmp_path, text)
    assert len(found) == len(expected), found
    assert all(fault.startswith(start) for fault, start in zip(found, expected, strict=True)), found


def test_one_table_where_several_belong_is_refused(tmp_path: Path) -> None:
    found = faults(tmp_path, SMALL.replace("[[fund]]", "[fund]"))
    assert found[0] == "line 1, [[fund]]: expected is at least one of these tables"


def test_a_file_that_is_not_toml_has_the_line_too(tmp_path: Path) -> None:
    with pytest.raises(SchemeError, match="line 3"):
        read(tmp_path, SMALL.replace("number = 1\naid", "number =\naid"))


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(SchemeError, match="cannot be read"):
        load_scheme(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(SchemeError, match="not UTF-8"):
        load_scheme(tmp_path / "latin.toml")
