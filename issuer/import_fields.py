"""What may stand in one field of a file of people. A parser returns the value or raises BadField, never quoting it."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from issuer.errors import DeskError
from web.outside import has_control

LONGEST = 80
# With its accents and marks as characters of their own.
_LONGEST_IN_PARTS = 4 * LONGEST
_SEPARATORS = frozenset("\u2028\u2029")
_FIRST_BIRTH = date(1900, 1, 1)
_HIGHEST_PERCENT = 300
_DAY_FIRST = re.compile(r"([0-9]{1,2})-([0-9]{1,2})-([0-9]{4})")
_YEAR_FIRST = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_PERCENT = r"([0-9]{1,3})(?:[.,]0+)? ?(?:%|procent)?"
_UP_TO = r"t/m|tot en met|tot"
_BAND = re.compile(rf"(?:{_PERCENT} ?(?:-|–|{_UP_TO}) ?|(?:{_UP_TO}|max\.?|maximaal|<=?|≤) ?)?{_PERCENT}")
# Overlapping, so that a number cannot hide behind other digits.
_NINE_DIGITS = re.compile(r"(?<![0-9])(?=([0-9](?:[\s.-]?[0-9]){8})(?![0-9]))")
_POSTCODE = re.compile(r"([1-9][0-9]{3}) ?([A-Za-z]{2})")
_ELEVEN_TEST = (9, 8, 7, 6, 5, 4, 3, 2, -1)
_FORMULA = ("=", "+", "-", "@")
# What most accented letters of an MS-DOS file turn into (è into a capital Š), and what stands for a character that was
# lost earlier. Not all can be told: some turn into other letters that names have.
_MANGLED = re.compile("[‚„…†‡ˆ‰‹“”•—˜™¡¢£¤µ\ufffd]|(?<=[a-z])Š")
_YES = {"ja", "j", "yes", "y", "true", "waar", "1", "x"}
_NO = {"nee", "n", "no", "false", "onwaar", "0", ""}
_SCHOOLS = {
    "": {"", "geen", "nee", "none"},
    "primary": {"primary", "basis", "basisschool", "basisonderwijs", "primair", "primair onderwijs", "po", "bo"},
    "secondary": {
        "secondary",
        "voortgezet",
        "voortgezet onderwijs",
        "middelbaar",
        "middelbare school",
        "vo",
        "vmbo",
        "mavo",
        "havo",
        "vwo",
    },
    "vocational": {"vocational", "mbo", "middelbaar beroepsonderwijs"},
}


# Where something is wrong that is of no column.
FILE = "bestand"
ROW = "rij"
# Of a file as it is sent.
MOST_BYTES = 40_000_000


@dataclass(frozen=True)
class Problem:
    """What is wrong, in Dutch and in English, and in Dutch what to do about it."""

    nl: str
    en: str
    advice_nl: str = ""


# A number or a date is one that a spreadsheet kept as such; a problem is a field without a value.
Field: TypeAlias = str | int | date | Problem
# With its number, as a spreadsheet counts.
Row: TypeAlias = tuple[int, list[Field]]


class BadField(DeskError):
    """A field that is refused, for the reason in `problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.en)
        self.problem = problem


class BadFile(DeskError):
    """Nothing of this file can be read."""

    def __init__(self, row: int, column: str, problem: Problem) -> None:
        super().__init__(problem.en)
        self.row, self.column, self.problem = row, column, problem


NO_TABLE = Problem(
    "Dit is geen CSV-bestand en geen Excel-bestand (.xlsx) dat we kunnen lezen.",
    "This is neither a CSV file nor an Excel workbook (.xlsx) that can be read; save it as CSV or .xlsx.",
    "Open het in Excel en kies: Opslaan als, Excel-werkmap of CSV UTF-8.",
)
TOO_LARGE = Problem("Dit bestand is te groot.", "This file is too large.", "Maak er twee bestanden van.")
CITIZEN_NUMBER = Problem(
    "Hier staat een getal dat een burgerservicenummer kan zijn.",
    "This holds a number that may be a citizen service number.",
    "Haal het nummer weg: de pas heeft het niet nodig.",
)
UNREADABLE = Problem(
    "Hier staat een teken dat niet te lezen is.",
    "This holds a character that cannot be read.",
    "Sla het bestand op als CSV UTF-8 en kijk deze naam na.",
)
FORMULA = Problem(
    "Dit begint met =, +, - of @, zoals een formule.",
    "This begins with =, +, - or @, like a formula.",
    "Haal dat teken weg.",
)
TOO_LONG = Problem(
    f"Dit is langer dan {LONGEST} tekens.", f"This is longer than {LONGEST} characters.", "Maak het korter."
)
EMPTY = Problem("Hier moet iets staan.", "This may not be empty.", "Vul het in.")
NO_DATE = Problem(
    "Dit is geen datum die we zeker kunnen lezen.",
    "This is not a date that can be read for certain.",
    "Schrijf de datum als dd-mm-jjjj, zoals 31-01-2015.",
)
NO_SUCH_DAY = Problem("Deze dag bestaat niet.", "This day does not exist.", "Kijk de geboortedatum na.")
FUTURE = Problem("Deze dag moet nog komen.", "This day is in the future.", "Kijk de geboortedatum na.")
LONG_AGO = Problem("Dit is vóór 1900.", "This is before 1900.", "Kijk de geboortedatum na.")
NO_BAND = Problem(
    "Dit is geen inkomensklasse met een bovengrens.",
    "This is not an income band with an upper end.",
    "Schrijf het percentage van de norm, zoals 110 of 101-110.",
)
NO_SCHOOL = Problem(
    "Dit is geen soort school die we kennen.",
    "This is not a kind of school that is known here.",
    "Schrijf geen, basisschool, voortgezet of mbo, of laat het leeg.",
)
MADE_A_DATE = Problem(
    "Excel heeft hier een datum van gemaakt.",
    "Excel made a date of this.",
    "Geef de kolom de opmaak Tekst en vul het veld opnieuw in.",
)
NO_POSTCODE = Problem(
    "Dit is geen Nederlandse postcode.", "This is not a Dutch postcode.", "Schrijf de postcode als 1234 AB."
)
NO_ANSWER = Problem("Dit is geen ja of nee.", "This is neither yes nor no.", "Schrijf ja of nee, of laat het leeg.")


def holds_citizen_number(field: str) -> bool:
    """Whether nine digits in a row, or with spaces, dots or hyphens between them, pass the eleven-test."""
    for match in _NINE_DIGITS.finditer(field):
        digits = [int(char) for char in match[1] if char.isdigit()]
        if sum(weight * digit for weight, digit in zip(_ELEVEN_TEST, digits, strict=True)) % 11 == 0:
            return True
    return False


def text(field: str) -> str:
    """The field in composed Unicode with single spaces; may be empty."""
    if holds_citizen_number(field):
        raise BadField(CITIZEN_NUMBER)
    if _has_control(field) or _MANGLED.search(field):
        raise BadField(UNREADABLE)
    plain = " ".join(field.split())
    if plain.startswith(_FORMULA):
        raise BadField(FORMULA)
    # Composing takes a time that grows with the square of a heap of accents.
    if len(plain) > _LONGEST_IN_PARTS:
        raise BadField(TOO_LONG)
    plain = unicodedata.normalize("NFC", plain)
    if len(plain) > LONGEST:
        raise BadField(TOO_LONG)
    return plain


def _has_control(field: str) -> bool:
    """Whether it has a control character, or a separator of lines or paragraphs."""
    return has_control(field) or not _SEPARATORS.isdisjoint(field)


def filled(field: str) -> str:
    """As `text`, and not empty."""
    plain = text(field)
    if not plain:
        raise BadField(EMPTY)
    return plain


def birth(field: str, today: date) -> date:
    """A day from 1900 to today: dd-mm-jjjj, d-m-jjjj or jjjj-mm-dd. Other forms can be read as two days: refused."""
    plain = filled(field)
    if match := _DAY_FIRST.fullmatch(plain):
        day, month, year = (int(part) for part in match.groups())
    elif match := _YEAR_FIRST.fullmatch(plain):
        year, month, day = (int(part) for part in match.groups())
    else:
        raise BadField(NO_DATE)
    try:
        born = date(year, month, day)
    except ValueError:
        raise BadField(NO_SUCH_DAY) from None
    if born > today:
        raise BadField(FUTURE)
    if born < _FIRST_BIRTH:
        raise BadField(LONG_AGO)
    return born


def income_percent(field: str) -> int:
    """The upper end of a band, in percent of the norm: `110`, `110%`, `101-110 %`, `t/m 120%`."""
    match = _BAND.fullmatch(filled(field).casefold())
    if not match:
        raise BadField(NO_BAND)
    upper = int(match[2])
    if not max(1, int(match[1] or 0)) <= upper <= _HIGHEST_PERCENT:
        raise BadField(NO_BAND)
    return upper


def yes_or_no(field: str) -> bool:
    """Ja or nee in their usual forms; empty is no."""
    answer = text(field).casefold()
    if answer not in _YES | _NO:
        raise BadField(NO_ANSWER)
    return answer in _YES


def school(field: str) -> str:
    """One of people.SCHOOLS: geen, basisschool, voortgezet or mbo in their usual forms; empty is none."""
    answer = text(field).casefold()
    found = next((stage for stage, words in _SCHOOLS.items() if answer in words), None)
    if found is None:
        raise BadField(NO_SCHOOL)
    return found


def postcode(field: str) -> str:
    """`1234 AB`, however it is spaced."""
    match = _POSTCODE.fullmatch(filled(field))
    if not match:
        raise BadField(NO_POSTCODE)
    return f"{match[1]} {match[2].upper()}"
