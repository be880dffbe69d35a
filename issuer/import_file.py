"""A municipality's file of households, CSV or .xlsx, read without believing it. Pure: nothing is stored.

Nothing in a fault is personal: it has a row, a column and a reason, never what stood there.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import TypeVar

from issuer import import_csv, import_xlsx
from issuer import import_fields as fields
from issuer.import_fields import FILE, ROW, BadField, BadFile, Field, Problem, Row
from issuer.people import Address, Person

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
    "adres": {"adres", "straatenhuisnummer", "straathuisnummer"},
    "postcode": {"postcode"},
    "woonplaats": {"woonplaats", "plaats", "plaatsnaam"},
}
# A file without them says that nobody is or goes to one.
_OPTIONAL = {"mantelzorger", "vrijwilliger", "student", "school"}
# For letters: a file has all three, or none of them.
_ADDRESS = ("adres", "postcode", "woonplaats")
_ROLES = {"mantelzorger": "carer", "vrijwilliger": "volunteer", "student": "student"}
_CITIZEN_NUMBER_COLUMN = re.compile(r"bsn|burgerservice|sofi(nummer|nr|$)")
_ZIP = b"PK\x03\x04"
_MOST_ROWS = 150_000
_MOST_COLUMNS = 100
# Every row of a household tells the others: of a file that is one household, each would tell all.
_MOST_LISTED = 20

_NOBODY = Problem("Onder de kolomnamen staat niemand.", "There is nobody below the names of the columns.")
_CITIZEN_NUMBER_IN_HEADER = Problem(
    "Deze kolom is voor burgerservicenummers. Er is niets gelezen.",
    "This column is for citizen service numbers. Nothing was read.",
    "Haal de kolom weg: de pas heeft het nummer niet nodig.",
)
_COLUMN_TWICE = Problem(
    "Deze kolom staat er twee keer in. Er is niets gelezen.", "This column is there twice. Nothing was read."
)
_LOST_ZEROS = Problem(
    "Dit nummer is korter dan andere: er zijn nullen vooraan weggevallen.",
    "This number is shorter than others: zeros in front of it were lost.",
    "Geef de kolom de opmaak Tekst en vul het nummer opnieuw in.",
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
    """What a file says: (row, person) for each row without a fault, and every fault. `separator` is "" without one.

    `addresses` are those of the households (by their reference) for which the file has one.
    """

    people: tuple[tuple[int, Person], ...]
    faults: tuple[Fault, ...]
    encoding: str
    separator: str
    addresses: Mapping[str, Address] = field(default_factory=dict)


def read_people(raw: bytes, today: date) -> Reading:
    """The people in a file, with their rows as a spreadsheet counts; faults are returned, not raised."""
    encoding = separator = ""
    try:
        if len(raw) > fields.MOST_BYTES:
            raise BadFile(1, FILE, fields.TOO_LARGE)
        if raw.startswith(_ZIP):
            encoding, rows = "xlsx", import_xlsx.rows(raw, _fits)
        else:
            content, encoding = import_csv.decode(raw)
            content, separator = import_csv.separate(content, _recognised)
            rows = import_csv.rows(content, separator)
        reader = _Reader(_places(next(rows, (1, []))[1]), today)
        people, faults = reader.read(rows)
    except BadFile as bad:
        return Reading((), (_fault(bad.row, bad.column, bad.problem),), encoding, separator)
    ordered = tuple(sorted(faults, key=lambda fault: fault.row))
    return Reading(tuple(people), ordered, encoding, separator, reader.addresses(people))


def _fault(row: int, column: str, problem: Problem) -> Fault:
    return Fault(row, column, problem.nl, problem.en, problem.advice_nl)


def _columns(header: Sequence[Field]) -> list[str]:
    """What each column is, as far as any municipality has columns: one of ours, or "" for one that is not read."""
    names = [_plain(name) for name in header[:_MOST_COLUMNS]]
    return [next((column for column, known in _COLUMNS.items() if name in known), "") for name in names]


def _plain(name: Field) -> str:
    return re.sub(r"\([^()]*\)|[\W_]", "", name).casefold() if isinstance(name, str) else ""


def _recognised(header: Sequence[Field]) -> int:
    return sum(column != "" for column in _columns(header))


def _missing(columns: Sequence[str]) -> list[str]:
    needed = [column for column in _COLUMNS if column not in _OPTIONAL and column not in _ADDRESS]
    if any(column in columns for column in _ADDRESS):
        needed += _ADDRESS
    return [column for column in needed if column not in columns]


def _fits(header: Sequence[Field]) -> bool:
    return not _missing(_columns(header))


def _places(header: Sequence[Field]) -> list[str]:
    """What each column is, once they are all there."""
    if len(header) > _MOST_COLUMNS:
        raise BadFile(1, FILE, fields.TOO_LARGE)
    for place, name in enumerate(header, start=1):
        if _CITIZEN_NUMBER_COLUMN.search(_plain(name)):
            raise BadFile(1, f"kolom {place}", _CITIZEN_NUMBER_IN_HEADER)
    places = _columns(header)
    if missing := _missing(places):
        listed = ", ".join(missing)
        raise BadFile(
            1,
            FILE,
            Problem(
                f"Deze kolommen ontbreken: {listed}. Er is niets gelezen.",
                f"These columns are missing: {listed}. Nothing was read.",
                "Zet de kolomnamen in de eerste rij.",
            ),
        )
    for column in _COLUMNS:
        if places.count(column) > 1:
            raise BadFile(1, column, _COLUMN_TWICE)
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
        self._addresses: dict[str, dict[int, Address]] = {}
        # Of references that a spreadsheet kept as numbers, and of those with zeros in front.
        self._numbers: dict[int, int] = {}
        self._longest_zeros = 0

    def read(self, rows: Iterator[Row]) -> tuple[list[tuple[int, Person]], list[Fault]]:
        count = 0
        for number, row in rows:
            count += 1
            if count > _MOST_ROWS:
                raise BadFile(number, FILE, fields.TOO_LARGE)
            self._read_row(number, row)
        if not count:
            raise BadFile(1, FILE, _NOBODY)
        self._compare(self._bands, "inkomensklasse", "dezelfde inkomensklasse", "the same income band")
        self._compare(self._addresses, "adres", "hetzelfde adres", "the same address")
        lost = [number for number, digits in self._numbers.items() if digits < self._longest_zeros]
        self._faults.extend(_fault(number, "huishouden", _LOST_ZEROS) for number in lost)
        at_fault = {fault.row for fault in self._faults}
        return [(row, person) for row, person in self._people.items() if row not in at_fault], self._faults

    def addresses(self, people: list[tuple[int, Person]]) -> dict[str, Address]:
        """Where letters go, for each household of these people that has an address."""
        known = {reference: next(iter(found.values())) for reference, found in self._addresses.items()}
        references = {person.household: person.household.casefold() for _, person in people}
        return {reference: known[folded] for reference, folded in references.items() if folded in known}

    def _read_row(self, number: int, row: list[Field]) -> None:
        if len(row) != len(self._places):
            problem = Problem(
                f"Deze rij heeft {len(row)} velden en de kolomnamen zijn er {len(self._places)}.",
                f"This row has {len(row)} fields and there are {len(self._places)} names of columns.",
                "Kijk of er een scheidingsteken te veel of te weinig staat.",
            )
            self._faults.append(_fault(number, ROW, problem))
            return
        for place, (column, value) in enumerate(zip(self._places, row, strict=True), start=1):
            if not column and isinstance(value, str | int) and fields.holds_citizen_number(str(value)):
                self._faults.append(_fault(number, f"kolom {place}", fields.CITIZEN_NUMBER))
        person = self._person(number, dict(zip(self._places, row, strict=True)))
        if person:
            self._keep(number, person)

    def _person(self, number: int, row: dict[str, Field]) -> Person | None:
        """The person of a row, or None when a field is refused."""
        household = self._field(fields.filled, number, "huishouden", row)
        given_name = self._field(fields.filled, number, "voornaam", row)
        infix = self._field(fields.text, number, "tussenvoegsel", row)
        family_name = self._field(fields.filled, number, "achternaam", row)
        born = self._field(lambda field: fields.birth(field, self._today), number, "geboortedatum", row)
        income = self._field(fields.income_percent, number, "inkomensklasse", row)
        has = {role: self._field(fields.yes_or_no, number, column, row) for column, role in _ROLES.items()}
        school = self._field(fields.school, number, "school", row)
        address = self._address(number, row)
        if household is not None and income is not None:
            # Also when the rest of the row is refused: the band of the household counts.
            self._bands.setdefault(household.casefold(), {})[number] = income
        if household is not None:
            self._note_zeros(number, household, isinstance(row["huishouden"], int))
            if address is not None and address != Address():
                self._addresses.setdefault(household.casefold(), {})[number] = address
        if (
            household is None
            or given_name is None
            or infix is None
            or family_name is None
            or born is None
            or income is None
            or None in has.values()
            or school is None
            or address is None
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

    def _address(self, number: int, row: dict[str, Field]) -> Address | None:
        """Where letters go, all empty when the row does not say, or None when a field is refused."""
        if not any(row.get(column) for column in _ADDRESS):
            return Address()
        street = self._field(fields.filled, number, "adres", row)
        postcode = self._field(fields.postcode, number, "postcode", row)
        town = self._field(fields.filled, number, "woonplaats", row)
        if street is None or postcode is None or town is None:
            return None
        return Address(street, postcode, town)

    def _note_zeros(self, number: int, reference: str, is_number: bool) -> None:
        if is_number:
            self._numbers[number] = len(reference)
        elif reference.isdecimal() and reference.startswith("0"):
            self._longest_zeros = max(self._longest_zeros, len(reference))

    def _field(self, parse: Callable[[str], T], number: int, column: str, row: dict[str, Field]) -> T | None:
        value = row.get(column, "")
        try:
            if isinstance(value, Problem):
                raise BadField(value)
            if isinstance(value, date) and column != "geboortedatum":
                raise BadField(fields.MADE_A_DATE)
            return parse(str(value))
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
        self._faults.append(_fault(number, ROW, problem))

    def _compare(self, said: Mapping[str, Mapping[int, object]], column: str, what_nl: str, what_en: str) -> None:
        """Band and address are of a household. Which of two is right is not for us, so all its rows are refused."""
        for by_row in said.values():
            if len(set(by_row.values())) == 1:
                continue
            listed = ", ".join(map(str, islice(by_row, _MOST_LISTED)))
            if len(by_row) > _MOST_LISTED:
                listed += ", …"
            problem = Problem(
                f"Dit huishouden heeft niet overal {what_nl}: rij {listed}.",
                f"This household does not have {what_en} everywhere: row {listed}.",
                f"Geef iedereen in het huishouden {what_nl}.",
            )
            self._faults.extend(_fault(number, column, problem) for number in by_row)
