"""The scheme file: what it promises, and each thing it must refuse with the line it is on."""

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
    free, sport = read(tmp_path, SMALL).grants
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
"""


def test_every_key_comes_through(tmp_path: Path) -> None:
    scheme = read(tmp_path, FULL)
    assert (scheme.transferable, scheme.second_person_above) == (True, 15000)
    assert scheme.funds == (Fund("Sponsors", 5000000), Fund("Kinderarmoede"))
    both = ("Sponsors", "Kinderarmoede")
    assert scheme.purses == {
        1: Purse(1, "Kindpas", "cent", 17000, both, "order", (), "clothes"),
        2: Purse(2, "Sport", "cent", 40000, both, "share", (70, 30)),
    }
    clothes = Grant(
        1, "Kleding", 1, 1000, "year", 0, 11, (10, 1), ("primary", "secondary"), "student", 2, 5, pro_rata=True
    )
    assert scheme.grants == (
        clothes,
        Grant(2, "Sport", 2, 2500, "year", 0, per_child=True, fund="Kinderarmoede"),
        Grant(3, "Bus", 2, 500, "quarter", 0),
        Grant(4, "Boek", 2, 700, "year", 0, refill=True),
        Grant(5, "Maatwerk", 2, 0, "once", 0, tailored=True),
    )


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
        ('"Gelredam"', '""', 2, "name", "1 to 40 characters"),
        ("number = 1\naid", "number = 0\naid", 3, "number", "from 1 to 65535"),
        ("number = 1\naid", "number = true\naid", 3, "number", "from 1 to 65535"),
        ("F0E0D1", "F0E0D", 4, "aid", "six hexadecimal digits"),
        ("F0E0D1", "F0E0G1", 4, "aid", "six hexadecimal digits"),
        ("F0E0D1", "000000", 4, "aid", "not 000000"),
        ("NL.STADSPAS.0001", "NL.STADSPAS.00012", 5, "df_name", "1 to 16 ASCII"),
        ("NL.STADSPAS.0001", "NL.STADSPÁS", 5, "df_name", "1 to 16 ASCII"),
        ("minimum_age = 4", "minimum_age = 4.0", 7, "minimum_age", "whole number"),
        ("12-31", "02-29", 9, "year_ends", "every year"),
        ("12-31", "31-12", 9, "year_ends", "every year"),
        ("12-31", "31 dec", 9, "year_ends", "every year"),
        ("overlap_days = 31", "overlap_days = -1", 10, "overlap_days", "from 0 to 365"),
        ("overlap_days = 31\n", "", 6, "overlap_days", "missing"),
        ('number = 2\nname = "Korting', 'number = 15\nname = "Korting', 20, "number", "from 1 to 14"),
        ('number = 2\nname = "Korting', 'number = 1\nname = "Korting', 20, "number", "twice"),
        ('"Korting"', '"Meedoen"', 21, "name", "twice"),
        ('"visit"', '"euro"', 22, "unit", '"cent", "point", "visit", "item"'),
        ("ceiling = 500", "ceiling = 2147483648", 23, "ceiling", "2147483647"),
        ("ceiling = 12000", "ceiling = 120.00", 17, "ceiling", "whole number"),
        ('500\nfund = "Minimabeleid"', '500\nfund = "Anders"', 24, "fund", "[[fund]]"),
        ("purse = 1\namount = 4500", "purse = 3\namount = 4500", 28, "purse", "[[purse]]"),
        ("amount = 4500", "amount = 45.00", 29, "amount", "whole number"),
        ("amount = 4500", "amount = 12001", 29, "amount", "the ceiling of its purse, 12000"),
        ("amount = 500\n", "amount = 1001\n", 35, "amount", "the ceiling of its purse, 12000"),
        ('"year"', '"week"', 30, "per", '"year", "month", "quarter", "once"'),
        ('number = 2\nname = "Sport', 'number = 1\nname = "Sport', 32, "number", "twice"),
        ('"Sportkaart"', '"Vrij"', 33, "name", "twice"),
        ("until_age = 64", "until_age = 17", 38, "until_age", "18 or more"),
        ('"carer"', '"ja"', 39, "role", '"carer", "volunteer", "student"'),
        ("income_percent = 110", "income_percent = 130", 40, "income_percent", "at most 120"),
        ("income_percent = 110", "income = 110", 40, "income", "unknown key"),
        ("amount = 500\n", "amount = 700\n", 17, "ceiling", "12900 or more"),
    ],
)
def test_a_fault_has_its_line_its_key_and_what_is_expected(
    tmp_path: Path, old: str, new: str, line: int, key: str, expected: str
) -> None:
    assert SMALL.count(old) == 1
    (fault,) = faults(tmp_path, SMALL.replace(old, new))
    assert fault.startswith(f"line {line}, [")
    assert f"] {key}: " in fault
    assert expected in fault


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "expected"),
    [
        ("transferable = true", "transferable = 1", 11, "transferable", "true or false"),
        ("above = 15000", "above = -1", 13, "second_person_above", "from 0"),
        ("second_person_above", "second_person", 13, "second_person", "unknown key"),
        ("budget = 5000000", "budget = 0", 16, "budget", "from 1"),
        ('"clothes"', '"Clothes and shoes"', 24, "class", "small letters"),
        ('"Kinderarmoede"]\nsplit = "order"', '"Anders"]\nsplit = "order"', 25, "funds", "two [[fund]]"),
        ('["Sponsors", "Kinderarmoede"]\nsplit = "o', '["Sponsors"]\nsplit = "o', 25, "funds", "two [[fund]]"),
        ('["Sponsors", "Kinderarmoede"]\nsplit = "o', '["Sponsors", "Sponsors"]\nsplit = "o', 25, "funds", "two"),
        ('["Sponsors", "Kinderarmoede"]\nsplit = "o', '"Sponsors"\nsplit = "o', 25, "funds", "two [[fund]]"),
        ('["Sponsors", "Kinderarmoede"]\nsplit = "o', '[["Sponsors"], 2]\nsplit = "o', 25, "funds", "two [[fund]]"),
        ('split = "order"', "", 19, "split", 'missing; expected is one of "order", "share"'),
        ('split = "order"', 'split = "half"', 26, "split", '"order", "share"'),
        ('split = "order"', 'split = "order"\nfund = "Sponsors"', 25, "funds", "not both"),
        ('split = "order"', 'split = "order"\nshares = [50, 50]', 27, "shares", 'only with split = "share"'),
        ('split = "order"', 'split = "share"', 19, "shares", "missing"),
        ("[70, 30]", "[70, 20]", 34, "shares", "together 100"),
        ("[70, 30]", "[70, 20, 10]", 34, "shares", "each of the funds"),
        ("[70, 30]", "[70.0, 30.0]", 34, "shares", "whole numbers"),
        ("[70, 30]", "[100, 0]", 34, "shares", "from 1"),
        ("[70, 30]", "[]", 34, "shares", "a list"),
        ('"10-01"', '"02-29"', 41, "age_on", "every year"),
        ('["primary", "secondary"]', '["primary", "high"]', 43, "school", '"primary", "secondary", "vocational"'),
        ('["primary", "secondary"]', '"primary"', 43, "school", "some of"),
        ('"student"', '"mayor"', 44, "role", '"carer", "volunteer", "student"'),
        ("household_from = 2", "household_from = 0", 45, "household_from", "from 1"),
        ("household_from = 2", "household_from = 6", 46, "household_until", "6 or more"),
        ('pro_rata = "month"', "pro_rata = true", 47, "pro_rata", '"month"'),
        ('year"\nage_on', 'once"\nage_on', 47, "pro_rata", 'per = "year"'),
        ('"month"', '"month"\nrefill = true', 48, "refill", "without pro_rata"),
        ('"month"', '"month"\nper_child = true', 48, "per_child", "without pro_rata"),
        ('"quarter"', '"quarter"\nper_child = true', 62, "per_child", '"year" or "once"'),
        ('"quarter"', '"month"\nper_child = true', 62, "per_child", '"year" or "once"'),
        ('"quarter"', '"quarter"\nrefill = true', 62, "refill", 'per = "year"'),
        ('fund = "Kinderarmoede"', 'fund = "Anders"', 55, "fund", "[[fund]]"),
        ("tailored = true", "", 69, "amount", "missing"),
        ("tailored = true", "tailored = true\namount = 5", 75, "amount", "none with tailored"),
        ("tailored = true", "tailored = true\nuntil_age = 5", 75, "until_age", "none with tailored"),
        ("tailored = true", 'tailored = true\nfund = "Anders"', 75, "fund", "expected is the name of a [[fund]]"),
        ('"once"', '"month"', 73, "per", '"year" or "once"'),
        ("amount = 500\n", "amount = 10001\n", 60, "amount", "the ceiling of its purse, 40000"),
        ("ceiling = 40000", "ceiling = 5199", 31, "ceiling", "5200 or more"),
        ('unit = "cent"\nceiling = 40000', 'unit = "item"\nceiling = 40000', 16, "budget", "one unit"),
    ],
)
def test_a_fault_in_what_few_schemes_have(
    tmp_path: Path, old: str, new: str, line: int, key: str, expected: str
) -> None:
    assert FULL.count(old) == 1
    (fault,) = faults(tmp_path, FULL.replace(old, new))
    assert fault.startswith(f"line {line}, [")
    assert f"] {key}: " in fault
    assert expected in fault


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FULL.replace("[hardship]", "[[hardship]]"), ["line 1, [hardship]: missing; expected is this table"]),
        (SMALL.replace("[pass]", "[passes]"), ["line 1, [pass]: missing", "line 6, passes: unknown"]),
        ("colour = 1\n" + SMALL, ["line 1, colour: unknown"]),
        (SMALL[: SMALL.index("[[grant]]")], ["line 1, [[grant]]: expected is at least one"]),
        (SMALL.replace("[[fund]]", "[fund]"), ["line 1, [[fund]]: expected is at least one"]),
    ],
)
def test_tables_that_are_missing_or_unknown(tmp_path: Path, text: str, expected: list[str]) -> None:
    found = faults(tmp_path, text)
    for start in expected:
        assert any(fault.startswith(start) for fault in found), found


def test_a_file_that_is_not_toml_has_the_line_too(tmp_path: Path) -> None:
    with pytest.raises(SchemeError, match="line 3"):
        read(tmp_path, SMALL.replace("number = 1\naid", "number =\naid"))


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(SchemeError, match="cannot be read"):
        load_scheme(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(SchemeError, match="not UTF-8"):
        load_scheme(tmp_path / "latin.toml")
