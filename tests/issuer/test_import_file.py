"""Files as municipalities export them, and everything in them that must be refused without repeating it."""

from datetime import date

import pytest

from issuer.import_file import Fault, Reading, read_people
from issuer.people import Person

TODAY = date(2026, 3, 1)
HEADER = "huishouden;voornaam;tussenvoegsel;achternaam;geboortedatum;inkomensklasse;mantelzorger"
NOOR = "H1;Noor;de;Vries;15-01-2016;101-110 %;nee"
ZOE = "H2;Zoë;;Müller;1-2-1980;t/m 120%;ja"
NOOR_PERSON = Person("H1", "Vries", "de", "Noor", date(2016, 1, 15), 110)
ZOE_PERSON = Person("H2", "Müller", "", "Zoë", date(1980, 2, 1), 120, frozenset({"carer"}))
# Made up, and passes the eleven-test.
NINE_DIGITS = "123456782"


def read(*lines: str, header: str = HEADER) -> Reading:
    return read_people("\r\n".join([header, *lines, ""]).encode(), TODAY)


def only_fault(reading: Reading) -> Fault:
    (fault,) = reading.faults
    return fault


def with_field(column: str, value: str) -> str:
    row = dict(zip(HEADER.split(";"), NOOR.split(";"), strict=True))
    row[column] = value
    return ";".join(row.values())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_file_is_read_whatever_saved_it(encoding: str, separator: str, end: str) -> None:
    raw = end.join([HEADER, NOOR, ZOE]).replace(";", separator).encode(encoding)
    reading = read_people(raw, TODAY)
    assert reading == Reading(((2, NOOR_PERSON), (3, ZOE_PERSON)), (), encoding, separator)


def test_the_separator_line_of_excel_does_not_count_as_a_row() -> None:
    reading = read(HEADER.replace(";", ","), NOOR.replace(";", ","), header="sep=,")
    assert (reading.people, reading.separator) == (((2, NOOR_PERSON),), ",")


def test_quotes_blank_rows_and_the_end_of_a_file_without_a_line_end() -> None:
    raw = f'{HEADER}\n\n;;;;;;\n"H1";"Noor";"de";"Vries";"15-01-2016";"110";""'.encode()
    assert read_people(raw, TODAY).people == ((4, NOOR_PERSON),)


def test_a_separator_inside_quotes_stays_in_the_name() -> None:
    assert read(with_field("achternaam", '"Vries; Jr."')).people[0][1].family_name == "Vries; Jr."


def test_columns_in_any_order_case_and_usual_spelling_and_others_are_not_read() -> None:
    header = "Mantelzorger (ja/nee);INKOMENS-KLASSE;Geb. datum;Straat;Familienaam;Voorvoegsels;Roepnaam;Huishoud nr"
    assert read("n;110;2016-01-15;Kade 1;Vries;de;Noor;H1", header=header).people == ((2, NOOR_PERSON),)


def test_names_are_composed_and_spaces_are_single() -> None:
    person = read(with_field("voornaam", "  Zoe\u0308   Anna ")).people[0][1]
    assert person.given_name == "Zoë Anna"


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("geboortedatum", "5-3-2016", date(2016, 3, 5)),
        ("geboortedatum", "2016-03-05", date(2016, 3, 5)),
        ("geboortedatum", "29-02-2016", date(2016, 2, 29)),
        ("geboortedatum", "01-01-1900", date(1900, 1, 1)),
        ("geboortedatum", "01-03-2026", TODAY),
        ("inkomensklasse", "110", 110),
        ("inkomensklasse", "110%", 110),
        ("inkomensklasse", "110,00 %", 110),
        ("inkomensklasse", "101-110 %", 110),
        ("inkomensklasse", "101% – 110%", 110),
        ("inkomensklasse", "101 t/m 110", 110),
        ("inkomensklasse", "T/m 120%", 120),
        ("inkomensklasse", "tot en met 120 procent", 120),
        ("inkomensklasse", "<= 100%", 100),
        ("inkomensklasse", "0-100", 100),
        ("inkomensklasse", "130", 130),
        *(("mantelzorger", answer, frozenset({"carer"})) for answer in ("ja", "J", "1", "Ja ", "true")),
        *(("mantelzorger", answer, frozenset()) for answer in ("nee", "N", "0", "", " ")),
    ],
)
def test_what_a_field_may_hold(column: str, value: str, expected: object) -> None:
    reading = read(with_field(column, value))
    attribute = {"geboortedatum": "born", "inkomensklasse": "income_percent", "mantelzorger": "roles"}[column]
    assert reading.faults == ()
    assert getattr(reading.people[0][1], attribute) == expected


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("geboortedatum", "31-02-2016", "does not exist"),
        ("geboortedatum", "29-02-2015", "does not exist"),
        ("geboortedatum", "13-13-2015", "does not exist"),
        ("geboortedatum", "03/04/2016", "for certain"),
        ("geboortedatum", "03-04-16", "for certain"),
        ("geboortedatum", "2016-3-4", "for certain"),
        ("geboortedatum", "42384", "for certain"),
        ("geboortedatum", "15 januari 2016", "for certain"),
        ("geboortedatum", "02-03-2026", "future"),
        ("geboortedatum", "31-12-1899", "before 1900"),
        ("geboortedatum", "", "empty"),
        ("inkomensklasse", "", "empty"),
        ("inkomensklasse", "> 120", "income band"),
        ("inkomensklasse", "120-110", "income band"),
        ("inkomensklasse", "1450", "income band"),
        ("inkomensklasse", "950", "income band"),
        ("inkomensklasse", "0", "income band"),
        ("inkomensklasse", "1,10", "income band"),
        ("inkomensklasse", "laag", "income band"),
        ("mantelzorger", "misschien", "yes nor no"),
        ("huishouden", " ", "empty"),
        ("voornaam", "", "empty"),
        ("achternaam", "", "empty"),
        ("achternaam", "V" * 81, "longer than 80"),
        ("huishouden", "9" * 81, "longer than 80"),
        *(("voornaam", f"{sign}SOM(A1)", "formula") for sign in "=+-@"),
        ("tussenvoegsel", " =1+1", "formula"),
        ("achternaam", "Vri\x07es", "cannot be read"),
        ("achternaam", '"Vri\nes"', "cannot be read"),
        ("achternaam", "Vri\u202ees", "cannot be read"),
        ("achternaam", "M\ufffdller", "cannot be read"),
        ("huishouden", NINE_DIGITS, "citizen service number"),
        ("voornaam", f"Noor {NINE_DIGITS}", "citizen service number"),
        ("tussenvoegsel", "1234.56.782", "citizen service number"),
        ("achternaam", "123 456 782", "citizen service number"),
        ("huishouden", f"11-{NINE_DIGITS}-1", "citizen service number"),
        ("mantelzorger", NINE_DIGITS, "citizen service number"),
    ],
)
def test_a_field_that_is_refused_keeps_its_row_out_and_is_not_repeated(column: str, value: str, problem: str) -> None:
    reading = read(with_field(column, value), ZOE)
    fault = only_fault(reading)
    assert (fault.row, fault.column) == (2, column)
    assert problem in fault.problem_en
    assert fault.problem_nl
    assert fault.advice_nl
    texts = fault.problem_nl + fault.problem_en + fault.advice_nl
    assert len(value.strip()) < 5 or value not in texts
    assert not any(name in texts for name in ("Noor", "Vries", NINE_DIGITS))
    assert reading.people == ((3, ZOE_PERSON),)


@pytest.mark.parametrize("number", ["123456789", "1234567820", "12345678", "06-12345678"])
def test_a_number_that_fails_the_eleven_test_is_only_a_number(number: str) -> None:
    assert read(with_field("huishouden", number)).faults == ()


def test_a_citizen_number_is_refused_in_a_column_that_is_not_read_too() -> None:
    reading = read(f"{NOOR};{NINE_DIGITS}", header=f"{HEADER};opmerking")
    assert (only_fault(reading).row, only_fault(reading).column, reading.people) == (2, "kolom 8", ())


@pytest.mark.parametrize("name", ["BSN", "bsn-nummer", "Sofinummer", "Burgerservicenummer", "BSN kind"])
def test_a_column_for_citizen_numbers_is_refused_whole(name: str) -> None:
    reading = read(f"{NOOR};", header=f"{HEADER};{name}")
    assert (only_fault(reading).row, only_fault(reading).column, reading.people) == (1, "kolom 8", ())


def test_missing_columns_are_one_fault_that_names_them() -> None:
    reading = read("H1;Noor;de;Vries", header="huishouden;voornaam;tussenvoegsel;achternaam")
    assert "ontbreken: geboortedatum, inkomensklasse. " in only_fault(reading).problem_nl
    assert reading.people == ()


def test_roles_and_school_are_columns_that_a_file_may_leave_out() -> None:
    required = "huishouden;voornaam;tussenvoegsel;achternaam;geboortedatum;inkomensklasse"
    noor = "H1;Noor;de;Vries;15-01-2016;110"
    assert read(noor, header=required).people == ((2, NOOR_PERSON),)
    both = read(f"{noor};basisschool;ja;ja", header=f"{required};school;Student;Vrijwilliger (ja/nee)").people[0][1]
    assert (both.school, both.roles) == ("primary", {"student", "volunteer"})


@pytest.mark.parametrize(
    ("value", "stage"),
    [
        ("", ""),
        ("geen", ""),
        ("Basisschool", "primary"),
        ("basis", "primary"),
        ("primary", "primary"),
        ("voortgezet", "secondary"),
        ("Voortgezet onderwijs", "secondary"),
        ("VWO", "secondary"),
        ("secondary", "secondary"),
        ("mbo", "vocational"),
        ("vocational", "vocational"),
    ],
)
def test_a_school_is_known_by_its_dutch_name(value: str, stage: str) -> None:
    assert read(f"{NOOR};{value}", header=f"{HEADER};school").people[0][1].school == stage


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("school", "hbo", "kind of school"),
        ("school", "ja", "kind of school"),
        ("school", NINE_DIGITS, "citizen service number"),
        ("vrijwilliger", "soms", "yes nor no"),
        ("student", "mbo", "yes nor no"),
    ],
)
def test_a_bad_role_or_school_keeps_its_row_out(column: str, value: str, problem: str) -> None:
    reading = read(f"{NOOR};{value}", header=f"{HEADER};{column}")
    assert (only_fault(reading).column, reading.people) == (column, ())
    assert problem in only_fault(reading).problem_en
    assert value not in only_fault(reading).problem_nl


@pytest.mark.parametrize(("column", "bad", "good"), [("student", "soms", "ja"), ("school", "hbo", "mbo")])
def test_a_row_that_is_refused_does_not_make_the_right_one_a_second_one(column: str, bad: str, good: str) -> None:
    reading = read(f"{NOOR};{bad}", f"{NOOR};{good}", header=f"{HEADER};{column}")
    assert only_fault(reading).row == 2
    assert [row for row, _ in reading.people] == [3]


def test_a_file_without_names_of_columns_is_refused_without_repeating_its_first_row() -> None:
    fault = only_fault(read(ZOE, header=NOOR))
    assert "missing" in fault.problem_en
    assert "Noor" not in str(fault)


def test_a_column_that_is_there_twice_is_refused() -> None:
    assert only_fault(read(f"{NOOR};Noor", header=f"{HEADER};roepnaam")).column == "voornaam"


@pytest.mark.parametrize("row", ["H1;Noor;de;Vries;15-01-2016;110", f"{NOOR};", "Noor"])
def test_a_row_with_too_few_or_too_many_fields(row: str) -> None:
    reading = read(row, ZOE)
    assert (only_fault(reading).row, only_fault(reading).column) == (2, "rij")
    assert reading.people == ((3, ZOE_PERSON),)


@pytest.mark.parametrize("again", [NOOR, "h1;NOOR;De;vries;2016-01-15;110;ja", "H9;Noor;de;Vries;15-01-2016;100;nee"])
def test_the_same_person_twice_is_kept_once(again: str) -> None:
    reading = read(NOOR, ZOE, again)
    assert (only_fault(reading).row, only_fault(reading).column) == (4, "rij")
    assert "row 2" in only_fault(reading).problem_en
    assert [row for row, _ in reading.people] == [2, 3]


def test_twins_and_namesakes_are_different_people() -> None:
    assert read(NOOR, NOOR.replace("Noor", "Saar"), NOOR.replace("2016", "2015")).faults == ()


def test_two_income_bands_in_a_household_keep_all_of_it_out() -> None:
    reading = read(NOOR, ZOE, "H1;Sem;de;Vries;1-1-2014;120;nee")
    assert [(fault.row, fault.column) for fault in reading.faults] == [(2, "inkomensklasse"), (4, "inkomensklasse")]
    assert reading.people == ((3, ZOE_PERSON),)


def test_a_file_that_is_one_household_does_not_tell_every_row_about_all_others() -> None:
    rows = [
        f"H1;{'a' * (number // 26)}{chr(97 + number % 26)};;Vries;15-01-2016;{110 + number % 2};nee"
        for number in range(500)
    ]
    faults = read(*rows).faults
    assert len(faults) == 500
    assert max(len(fault.problem_nl) for fault in faults) < 200


def test_a_row_at_fault_still_tells_the_band_of_its_household() -> None:
    reading = read(NOOR, "H1;;de;Vries;1-1-2014;120;nee")
    assert [fault.row for fault in reading.faults] == [2, 3, 3]


@pytest.mark.parametrize("name", ["Šárka", "D’Arcy", "'t Hart", "Łukasz", "Nguyễn", "Yılmaz", "Vries-Jansen", "李"])
def test_a_name_is_taken_as_it_is_written(name: str) -> None:
    assert read(with_field("achternaam", name)).people[0][1].family_name == name


def test_each_fault_of_a_row_is_told() -> None:
    assert [fault.column for fault in read("H1;;de;Vries;31-02-2016;veel;nee").faults] == [
        "voornaam",
        "geboortedatum",
        "inkomensklasse",
    ]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n", "empty"),
        (b"sep=;\r\n", "empty"),
        (HEADER.encode(), "nobody"),
        (b"PK\x03\x04\x14\x00\x06\x00", "save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "save it as CSV"),
        (HEADER.encode("utf-16"), "save it as CSV"),
        (f'{HEADER}\n{NOOR}\n"H2;Sem'.encode(), "quotation mark"),
        (f'{HEADER}\n"H1"x;Noor'.encode(), "quotation mark"),
    ],
)
def test_a_file_of_which_nothing_can_be_read(raw: bytes, problem: str) -> None:
    reading = read_people(raw, TODAY)
    assert problem in only_fault(reading).problem_en
    assert reading.people == ()


@pytest.mark.parametrize("name", ["Zoé", "Müller", "Noëlle", "Jörg", "Zoì", "Irène", "Jesús", "Anaïs"])
def test_a_file_saved_for_ms_dos_does_not_spoil_a_name(name: str) -> None:
    raw = f"{HEADER}\n{with_field('voornaam', name)}".encode("cp850")
    reading = read_people(raw, TODAY)
    assert only_fault(reading).column == "voornaam"
