"""A municipality's CSV of households, read without believing it. Pure: nothing is stored, the caller decides.

Nothing in a fault is personal: it has a row, a column and a reason, never what stood there.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from issuer import csv_fields as fields
from issuer.csv_fields import BadField, Problem
from issuer.errors import DeskError
from issuer.people import Person

T = TypeVar("T")

# How the columns are called, without case, spaces, punctuation and what is in brackets.
_COLUMNS = {
    "huishouden": {"huishouden", "huishoudnummer", "huishoudennummer", "huishoudnr", "huishoudennr", "huishoudid"},
    "voornaam": {"voornaam", "voornamen", "roepnaam"},
    "tussenvoegsel": {"tussenvoegsel", "tussenvoegsels", "tussenv", "tv", "voorvoegsel", "voorvoegsels"},
    "achternaam": {"achternaam", "geslachtsnaam", "familienaam"},
    "geboortedatum": {"geboortedatum", "gebdatum", "gebdat", "geboren"},
    "inkomensklasse": {"inkomensklasse", "inkomensgroep", "inkomensband", "inkomen", "inkomenspercentage"},
    "mantelzorger": {"mantelzorger", "mantelzorg", "ismantelzorger"},
    "vrijwilliger": {"vrijwilliger", "vrijwilligerswerk", "isvrijwilliger"},
    "student": {"student", "studeert", "isstudent"},
    "school": {"school", "schoolsoort", "soortschool", "onderwijs", "schooltype"},
}
# A file without them says that nobody is or goes to one.
_OPTIONAL = {"mantelzorger", "vrijwilliger", "student", "school"}
_ROLES = {"mantelzorger": "carer", "vrijwilliger": "volunteer", "student": "student"}
_CITIZEN_NUMBER_COLUMN = re.compile(r"bsn|burgerservice|sofi(nummer|nr|$)")
_SEPARATORS = (";", ",", "\t")
_EXCEL_SEPARATOR = re.compile(r'"?sep=([;,\t])"?(?:\r\n|\r|\n|$)', re.IGNORECASE)
# Starts of xlsx/ods/zip, xls and PDF. Any other binary file, and UTF-16, has zero bytes.
_BINARY = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")
_FILE = "bestand"
_ROW = "rij"

_SAVE_AS_CSV = Problem(
    "Dit is geen CSV-bestand.",
    "This is not a CSV file; save it as CSV.",
    "Open het in Excel en kies: Opslaan als, CSV UTF-8.",
)
_EMPTY_FILE = Problem("Dit bestand is leeg.", "This file is empty.")
_NOBODY = Problem("Onder de kolomnamen staat niemand.", "There is nobody below the names of the columns.")
_BAD_QUOTES = Problem(
    "Hier staat een aanhalingsteken of regeleinde verkeerd. Er is niets gelezen.",
    "A quotation mark or the end of a line is wrong here. Nothing was read.",
    "Haal het weg of sla het bestand opnieuw op als CSV.",
)
_CITIZEN_NUMBER_IN_HEADER = Problem(
    "Deze kolom is voor burgerservicenummers. Er is niets gelezen.",
    "This column is for citizen service numbers. Nothing was read.",
    "Haal de kolom weg: de pas heeft het nummer niet nodig.",
)
_COLUMN_TWICE = Problem(
    "Deze kolom staat er twee keer in. Er is niets gelezen.", "This column is there twice. Nothing was read."
)


@dataclass(frozen=True)
class Fault:
    """What is wrong where. `row` as a spreadsheet counts, with the names of the columns in row 1."""

    row: int
    column: str
    problem_nl: str
    problem_en: str
    advice_nl: str = ""


@dataclass(frozen=True)
class Reading:
    """What a file says: (row, person) for each row without a fault, and every fault. `separator` is "" if unknown."""

    people: tuple[tuple[int, Person], ...]
    faults: tuple[Fault, ...]
    encoding: str
    separator: str


class _BadFile(DeskError):
    """Nothing of this file can be read."""

    def __init__(self, row: int, column: str, problem: Problem) -> None:
        super().__init__(problem.en)
        self.fault = _fault(row, column, problem)


def read_people(raw: bytes, today: date) -> Reading:
    """The people in a CSV, in UTF-8 or Windows-1252, separated by `;`, `,` or tabs; faults are returned, not raised."""
    encoding = separator = ""
    try:
        content, encoding = _decode(raw)
        content, separator = _separate(content)
        rows = _rows(content, separator)
        places = _places(next(rows)[1])
        people, faults = _Reader(places, today).read(rows)
    except _BadFile as bad:
        return Reading((), (bad.fault,), encoding, separator)
    return Reading(tuple(people), tuple(sorted(faults, key=lambda fault: fault.row)), encoding, separator)


def _fault(row: int, column: str, problem: Problem) -> Fault:
    return Fault(row, column, problem.nl, problem.en, problem.advice_nl)


def _decode(raw: bytes) -> tuple[str, str]:
    if raw.startswith(_BINARY) or b"\x00" in raw:
        raise _BadFile(1, _FILE, _SAVE_AS_CSV)
    # Latin-1 reads any byte; what it makes of those that Windows-1252 lacks is refused as a control character.
    tried = ("utf-8-sig",) if raw.startswith(b"\xef\xbb\xbf") else ("utf-8", "cp1252", "latin-1")
    for encoding in tried:
        try:
            content = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not content.strip():
            raise _BadFile(1, _FILE, _EMPTY_FILE)
        return content, encoding
    raise _BadFile(1, _FILE, _SAVE_AS_CSV)


def _separate(content: str) -> tuple[str, str]:
    """The content from the names of the columns on, and its separator."""
    if said := _EXCEL_SEPARATOR.match(content):
        return content[said.end() :], said[1]
    header = content.splitlines()[0]
    known = set().union(*_COLUMNS.values())

    def recognised(separator: str) -> int:
        return sum(_plain(name) in known for name in header.split(separator))

    return content, max(_SEPARATORS, key=recognised)


def _rows(content: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, with their numbers."""
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            if any(field.strip() for field in row) or number == 1:
                yield number, row
    except csv.Error:
        raise _BadFile(number + 1, _ROW, _BAD_QUOTES) from None
    if number == 0:
        raise _BadFile(1, _FILE, _EMPTY_FILE)


def _plain(name: str) -> str:
    return re.sub(r"\(.*?\)|[\W_]", "", name).casefold()


def _places(header: Sequence[str]) -> list[str]:
    """What each column is: one of ours, or "" for one that is not read."""
    names = [_plain(name) for name in header]
    for place, name in enumerate(names, start=1):
        if _CITIZEN_NUMBER_COLUMN.search(name):
            raise _BadFile(1, f"kolom {place}", _CITIZEN_NUMBER_IN_HEADER)
    places = [next((column for column, known in _COLUMNS.items() if name in known), "") for name in names]
    missing = [column for column in _COLUMNS if column not in places and column not in _OPTIONAL]
    if missing:
        listed = ", ".join(missing)
        raise _BadFile(
            1,
            _FILE,
            Problem(
                f"Deze kolommen ontbreken: {listed}. Er is niets gelezen.",
                f"These columns are missing: {listed}. Nothing was read.",
                "Zet de kolomnamen in de eerste rij.",
            ),
        )
    for column in _COLUMNS:
        if places.count(column) > 1:
            raise _BadFile(1, column, _COLUMN_TWICE)
    return places


class _Reader:
    """Reads row by row, and remembers what rows must agree on."""

    def __init__(self, places: list[str], today: date) -> None:
        self._places = places
        self._today = today
        self._faults: list[Fault] = []
        self._people: dict[int, Person] = {}
        self._first_row: dict[str, int] = {}
        self._bands: dict[str, dict[int, int]] = {}

    def read(self, rows: Iterator[tuple[int, list[str]]]) -> tuple[list[tuple[int, Person]], list[Fault]]:
        empty = True
        for number, row in rows:
            empty = False
            self._read_row(number, row)
        if empty:
            raise _BadFile(1, _FILE, _NOBODY)
        self._compare_bands()
        at_fault = {fault.row for fault in self._faults}
        return [(row, person) for row, person in self._people.items() if row not in at_fault], self._faults

    def _read_row(self, number: int, row: list[str]) -> None:
        if len(row) != len(self._places):
            problem = Problem(
                f"Deze rij heeft {len(row)} velden en de kolomnamen zijn er {len(self._places)}.",
                f"This row has {len(row)} fields and there are {len(self._places)} names of columns.",
                "Kijk of er een scheidingsteken te veel of te weinig staat.",
            )
            self._faults.append(_fault(number, _ROW, problem))
            return
        for place, (column, field) in enumerate(zip(self._places, row, strict=True), start=1):
            if not column and fields.holds_citizen_number(field):
                self._faults.append(_fault(number, f"kolom {place}", fields.CITIZEN_NUMBER))
        person = self._person(number, dict(zip(self._places, row, strict=True)))
        if person:
            self._keep(number, person)

    def _person(self, number: int, row: dict[str, str]) -> Person | None:
        """The person of a row, or None when a field is refused."""
        household = self._field(fields.filled, number, "huishouden", row)
        given_name = self._field(fields.filled, number, "voornaam", row)
        infix = self._field(fields.text, number, "tussenvoegsel", row)
        family_name = self._field(fields.filled, number, "achternaam", row)
        born = self._field(lambda field: fields.birth(field, self._today), number, "geboortedatum", row)
        income = self._field(fields.income_percent, number, "inkomensklasse", row)
        has = {role: self._field(fields.yes_or_no, number, column, row) for column, role in _ROLES.items()}
        school = self._field(fields.school, number, "school", row)
        if household is not None and income is not None:
            # Also when the rest of the row is refused: the band of the household counts.
            self._bands.setdefault(household.casefold(), {})[number] = income
        if (
            household is None
            or given_name is None
            or infix is None
            or family_name is None
            or born is None
            or income is None
            or None in has.values()
            or school is None
        ):
            return None
        return Person(
            household,
            family_name,
            infix,
            given_name,
            born,
            income,
            frozenset(role for role in has if has[role]),
            school,
        )

    def _field(self, parse: Callable[[str], T], number: int, column: str, row: dict[str, str]) -> T | None:
        try:
            return parse(row.get(column, ""))
        except BadField as bad:
            self._faults.append(_fault(number, column, bad.problem))
            return None

    def _keep(self, number: int, person: Person) -> None:
        first = self._first_row.setdefault(person.identity, number)
        if first == number:
            self._people[number] = person
            return
        problem = Problem(
            f"Dit is dezelfde persoon als in rij {first}.",
            f"This is the same person as in row {first}.",
            # A child of two parents who both apply is one child; two children of one name and birthday are rare.
            "Haal een van de twee rijen weg. Zijn het twee personen? Zet dan een voorletter achter de voornaam.",
        )
        self._faults.append(_fault(number, _ROW, problem))

    def _compare_bands(self) -> None:
        """Income is that of a household. Which of two bands is right is not for us, so all its rows are refused."""
        for bands in self._bands.values():
            if len(set(bands.values())) == 1:
                continue
            listed = ", ".join(map(str, bands))
            problem = Problem(
                f"Dit huishouden heeft niet overal dezelfde inkomensklasse: rij {listed}.",
                f"This household does not have the same income band everywhere: row {listed}.",
                "Geef iedereen in het huishouden dezelfde inkomensklasse.",
            )
            self._faults.extend(_fault(number, "inkomensklasse", problem) for number in bands)
