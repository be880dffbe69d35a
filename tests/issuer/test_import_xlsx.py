"""Workbooks as Excel saves them, what Excel does to a field, and files that are made to do harm."""

import io
import zipfile
from datetime import date, datetime
from typing import Any

import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from issuer import import_file, import_xlsx
from issuer.import_file import Fault, Reading, read_people
from issuer.people import Address, Person

TODAY = date(2026, 3, 1)
HEADER = ["huishouden", "voornaam", "tussenvoegsel", "achternaam", "geboortedatum", "inkomensklasse"]
BORN = datetime(2016, 1, 15)  # noqa: DTZ001 - what a sheet holds has no zone
NOOR = ["H1", "Noor", "de", "Vries", BORN, 110]
SEM = ["H1", "Sem", "de", "Vries", "1-2-2014", "101-110 %"]
NOOR_PERSON = Person("H1", "Vries", "de", "Noor", date(2016, 1, 15), 110)
SEM_PERSON = Person("H1", "Vries", "de", "Sem", date(2014, 2, 1), 110)
HOME = ["Kade 12", "1234ab", "Arnhem"]


def workbook(*sheets: list[list[Any]], formats: dict[int, str] | None = None) -> bytes:
    """A workbook; `formats` by column. A text that begins with `=` becomes a formula, `(shown as, number)` a number."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"default_date_format": "dd-mm-yyyy"}) as book:
        for rows in sheets:
            sheet = book.add_worksheet()
            for at, row in enumerate(rows):
                for place, value in enumerate(row):
                    shown_as, value = value if isinstance(value, tuple) else (None, value)
                    sheet.write(at, place, value, book.add_format({"num_format": shown_as}) if shown_as else None)
    return content.getvalue()


def read(*rows: list[Any], header: list[str] = HEADER) -> Reading:
    return read_people(workbook([header, *rows]), TODAY)


def only_fault(reading: Reading) -> Fault:
    (fault,) = reading.faults
    return fault


def with_field(column: str, value: object) -> list[Any]:
    row = [*NOOR]
    row[HEADER.index(column)] = value
    return row


def test_a_workbook_is_read_as_a_csv_is_with_rows_as_in_the_sheet() -> None:
    reading = read(NOOR, [], SEM, ["", " ", None])
    assert reading == Reading(((2, NOOR_PERSON), (4, SEM_PERSON)), (), "xlsx", "")


@pytest.mark.parametrize(
    ("column", "value", "attribute", "expected"),
    [
        ("huishouden", 12, "household", "12"),
        ("huishouden", ("0000", 12), "household", "0012"),
        ("huishouden", 123.5, "household", "123.5"),
        ("inkomensklasse", ("0%", 1.1), "income_percent", 110),
        ("inkomensklasse", ("0.0 %", 1.15), "income_percent", 115),
        ("voornaam", " Noor ", "given_name", "Noor"),
        ("geboortedatum", "2016-01-15", "born", date(2016, 1, 15)),
    ],
)
def test_a_field_is_what_the_sheet_shows(column: str, value: object, attribute: str, expected: object) -> None:
    reading = read(with_field(column, value))
    assert reading.faults == ()
    assert getattr(reading.people[0][1], attribute) == expected


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("huishouden", "=1+1", "formula"),
        ("geboortedatum", "=TODAY()", "formula"),
        ("inkomensklasse", 1.1, "income band"),
        ("inkomensklasse", "=1/0", "formula"),
        ("geboortedatum", 42384, "for certain"),
        ("geboortedatum", datetime(2016, 1, 15, 12, 30), "for certain"),  # noqa: DTZ001
        ("huishouden", BORN, "made a date"),
        ("voornaam", True, ""),
        ("huishouden", 123456782, "citizen service number"),
        ("achternaam", "", "empty"),
    ],
)
def test_what_excel_made_of_a_field_is_refused_in_its_row(column: str, value: object, problem: str) -> None:
    reading = read(with_field(column, value), SEM)
    if not problem:
        assert reading.faults == ()
        return
    assert (only_fault(reading).row, only_fault(reading).column) == (2, column)
    assert problem in only_fault(reading).problem_en
    assert only_fault(reading).advice_nl
    assert reading.people == ((3, SEM_PERSON),)


def test_the_value_that_excel_worked_out_for_a_formula_is_not_believed() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, SEM)
        sheet.write_formula(1, 5, "=100+10", None, 110)
    assert "formula" in only_fault(read_people(content.getvalue(), TODAY)).problem_en


def test_an_error_of_excel_is_a_fault() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.add_worksheet().write_row(0, 0, HEADER)
        book.worksheets()[0].write_row(1, 0, SEM)
    raw = rewritten(
        content.getvalue(), "xl/worksheets/sheet1.xml", b'<c r="F2" t="s"><v>11</v>', b'<c r="F2" t="e"><v>#N/A</v>'
    )
    assert "error of Excel" in only_fault(read_people(raw, TODAY)).problem_en


def rewritten(raw: bytes, name: str, before: bytes, after: bytes) -> bytes:
    """A workbook with something else in one of its parts."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            body = old.read(part)
            assert part != name or before in body, body
            new.writestr(part, body.replace(before, after, 1) if part == name else body)
    return content.getvalue()


@pytest.mark.parametrize(("numbers", "at_fault"), [(["0012", 13], [3]), (["0012", 1234], []), ([12, 13], [])])
def test_zeros_that_excel_took_from_a_number_are_missed_when_another_one_has_them(
    numbers: list[object], at_fault: list[int]
) -> None:
    rows = [[number, *each[1:]] for number, each in zip(numbers, (NOOR, SEM), strict=True)]
    reading = read(*rows)
    assert [(fault.row, fault.column) for fault in reading.faults] == [(row, "huishouden") for row in at_fault]
    assert all("zeros" in fault.problem_en for fault in reading.faults)


def test_a_citizen_number_is_refused_in_a_column_that_is_not_read_too() -> None:
    reading = read([*NOOR, 123456782], header=[*HEADER, "opmerking"])
    assert (only_fault(reading).row, only_fault(reading).column, reading.people) == (2, "kolom 7", ())


def test_the_sheet_with_the_households_is_found_wherever_it_is() -> None:
    explained, people = [["Zo vult u dit in"]], [HEADER, NOOR]
    assert read_people(workbook(explained, people), TODAY).people == ((2, NOOR_PERSON),)
    assert "More than one sheet" in only_fault(read_people(workbook(people, people), TODAY)).problem_en
    assert "missing" in only_fault(read_people(workbook(explained, explained), TODAY)).problem_en


def test_a_hidden_sheet_is_not_read() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.add_worksheet().write_row(0, 0, ["Zo vult u dit in"])
        hidden = book.add_worksheet()
        hidden.write_row(0, 0, HEADER)
        hidden.write_row(1, 0, SEM)
        hidden.hide()
    assert "missing" in only_fault(read_people(content.getvalue(), TODAY)).problem_en


def test_a_row_with_more_fields_than_names_of_columns() -> None:
    assert (only_fault(read([*NOOR, "x"], SEM)).row, only_fault(read([*NOOR, "x"], SEM)).column) == (2, "rij")


# Addresses, in either kind of file


def test_an_address_is_of_the_household_and_beside_the_facts() -> None:
    reading = read([*NOOR, *HOME], [*SEM, "", "", ""], header=[*HEADER, "Adres", "Postcode", "Woonplaats"])
    assert reading.people == ((2, NOOR_PERSON), (3, SEM_PERSON))
    assert reading.addresses == {"H1": Address("Kade 12", "1234 AB", "Arnhem")}


def test_two_addresses_in_a_household_keep_all_of_it_out() -> None:
    other = [*SEM, "Kade 14", "1234 AB", "Arnhem"]
    reading = read([*NOOR, *HOME], other, header=[*HEADER, "adres", "postcode", "woonplaats"])
    assert [(fault.row, fault.column) for fault in reading.faults] == [(2, "adres"), (3, "adres")]
    assert (reading.people, reading.addresses) == ((), {})


@pytest.mark.parametrize(
    ("home", "column", "problem"),
    [
        (["Kade 12", "12345", "Arnhem"], "postcode", "postcode"),
        (["Kade 12", "0123 AB", "Arnhem"], "postcode", "postcode"),
        (["Kade 12", "", "Arnhem"], "postcode", "empty"),
        (["", "1234 AB", "Arnhem"], "adres", "empty"),
        (["Kade 12", "1234 AB", ""], "woonplaats", "empty"),
        (["+Kade", "1234 AB", "Arnhem"], "adres", "formula"),
    ],
)
def test_half_an_address_is_a_fault(home: list[str], column: str, problem: str) -> None:
    fault = only_fault(read([*NOOR, *home], header=[*HEADER, "adres", "postcode", "woonplaats"]))
    assert fault.column == column
    assert problem in fault.problem_en


def test_a_file_has_all_three_columns_of_an_address_or_none() -> None:
    fault = only_fault(read([*NOOR, "Kade 12"], header=[*HEADER, "adres"]))
    assert "ontbreken: postcode, woonplaats." in fault.problem_nl


# Harm


def bomb(part: bytes) -> bytes:
    return rewritten(workbook([HEADER, NOOR]), "xl/worksheets/sheet1.xml", b"<sheetData>", b"<sheetData>" + part)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = bomb(b" " * 200_000)
    assert read_people(raw, TODAY).faults == ()
    monkeypatch.setattr(import_xlsx, "_MOST_UNPACKED", 200_000)
    assert "too large" in only_fault(read_people(raw, TODAY)).problem_en


def test_a_sheet_of_nothing_but_tags_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_xlsx, "_MOST_TAGS", 10_000)
    assert read_people(bomb(b""), TODAY).faults == ()
    assert "too large" in only_fault(read_people(bomb(b"<row/>" * 10_000), TODAY)).problem_en


def test_one_text_in_a_million_cells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_xlsx, "_MOST_LETTERS", 100_000)
    assert "too large" in only_fault(read(*[["x" * 1000] * 6] * 20)).problem_en


def test_entities_that_grow_are_refused() -> None:
    raw = rewritten(
        workbook([HEADER, NOOR]),
        "xl/sharedStrings.xml",
        b"<sst",
        b'<!DOCTYPE sst [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><sst',
    )
    assert "Excel workbook" in only_fault(read_people(raw, TODAY)).problem_en


def test_what_a_sheet_says_of_its_size_is_not_believed() -> None:
    raw = rewritten(workbook([HEADER, NOOR]), "xl/worksheets/sheet1.xml", b'"A1:F2"', b'"A1:A1"')
    assert read_people(raw, TODAY).people == ((2, NOOR_PERSON),)


@pytest.mark.parametrize(("limit", "at_most"), [("_MOST_ROWS", 1), ("_MOST_COLUMNS", 5)])
def test_more_rows_or_columns_than_any_municipality_has(
    monkeypatch: pytest.MonkeyPatch, limit: str, at_most: int
) -> None:
    assert read(NOOR, SEM).faults == ()
    monkeypatch.setattr(import_file, limit, at_most)
    assert "too large" in only_fault(read(NOOR, SEM)).problem_en


def test_a_file_of_too_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_file.fields, "MOST_BYTES", 1000)
    assert "too large" in only_fault(read_people(b"x" * 1001, TODAY)).problem_en


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"])
def test_a_damaged_or_foreign_workbook_is_one_clear_sentence(part: str) -> None:
    raw = rewritten(workbook([HEADER, NOOR]), part, b"<", b"")
    assert "neither a CSV file nor an Excel workbook" in only_fault(read_people(raw, TODAY)).problem_en
    assert "neither a CSV" in only_fault(read_people(raw[:-100], TODAY)).problem_en


# Whatever it is


TEXTS = st.text(alphabet=st.sampled_from(list('H1;,\t"\r\n =é0123456789-%jaNoor\x85\u2028')), max_size=80)
GOOD = workbook([HEADER, NOOR, SEM])
PARTS = zipfile.ZipFile(io.BytesIO(GOOD)).namelist()


@st.composite
def bent_workbooks(draw: st.DrawFn) -> bytes:
    """A workbook with bytes of one part replaced, packed well again."""
    bent, content = draw(st.sampled_from(PARTS)), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD)) as old, zipfile.ZipFile(content, "w") as new:
        for part in PARTS:
            body = old.read(part)
            if part == bent:
                at = draw(st.integers(0, len(body)))
                body = body[:at] + draw(st.binary(max_size=6) | st.sampled_from([b"9", b"r=", b"<v>"])) + body[at + 3 :]
            new.writestr(part, body)
    return content.getvalue()


@settings(max_examples=150)
@given(
    st.binary(max_size=200)
    | TEXTS.map(str.encode)
    | TEXTS.map(lambda rest: (";".join(HEADER) + "\n" + rest).encode())
    | st.lists(st.lists(TEXTS.map(lambda text: text[:30]), max_size=8), max_size=3).map(
        lambda rows: workbook([HEADER, *rows])
    )
    | st.tuples(st.integers(0, len(GOOD)), st.binary(max_size=4)).map(lambda cut: GOOD[: cut[0]] + cut[1])
    | bent_workbooks()
)
@example(b"PK\x03\x04")
@example(b"sep=;\nhuishouden")
@example(b"\n")
def test_any_file_is_people_or_faults_and_never_an_exception(raw: bytes) -> None:
    reading = read_people(raw, TODAY)
    assert reading.people or reading.faults
    assert all(fault.row >= 1 and fault.problem_nl and fault.problem_en for fault in reading.faults)
