"""The rows of an Excel workbook (.xlsx) of people, with their numbers as in the sheet.

A formula is refused, whatever value Excel last worked out for it. A date cell is a date, a cell that shows zeros in
front has them, and a percentage is what the cell shows.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from openpyxl import load_workbook

from issuer.import_fields import FILE, MOST_BYTES, NO_TABLE, TOO_LARGE, BadFile, Field, Problem, Row

# 150,000 people take about 100 MB of XML in 6 million tags. An open tag costs the parser some 100 bytes.
_MOST_UNPACKED = 160_000_000
_MOST_TAGS = 8_000_000
_MOST_LETTERS = 4 * MOST_BYTES
_MOST_SHEETS = 100
# Excel has no row after this one.
_LAST_ROW = 1_048_576
_ZEROS = re.compile("0{2,30}")
_PIECE = 1 << 16

_FORMULA = Problem(
    "Hier staat een formule.",
    "This is a formula.",
    "Kopieer de kolom in Excel en plak alleen de waarden.",
)
_ERROR = Problem("Hier staat een foutmelding van Excel.", "This is an error of Excel.", "Vul het veld opnieuw in.")
_TWO_SHEETS = Problem(
    "Op meer dan één blad staan huishoudens. Er is niets gelezen.",
    "More than one sheet has households. Nothing was read.",
    "Zet alle huishoudens op één blad.",
)

# What openpyxl does not know of a workbook (colours, buttons) is nothing to us, and its warnings repeat what is in it.
warnings.filterwarnings("ignore", module="openpyxl")


def rows(raw: bytes, fits: Callable[[Sequence[Field]], bool]) -> Iterator[Row]:
    """The names of the columns and the rows that are not blank, of the sheet whose first row `fits`, or else the first.

    Every row is as long as the first one, or longer when it has more.
    """
    try:
        _refuse_bombs(raw)
        book = load_workbook(io.BytesIO(raw), read_only=True, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"][:_MOST_SHEETS]
        fitting = [sheet for sheet in sheets if fits(_first_row(sheet))]
        if len(fitting) > 1:
            raise BadFile(1, FILE, _TWO_SHEETS)
        yield from _rows((fitting or sheets)[0])
    except BadFile:
        raise
    except Exception:
        # A damaged workbook shows as whatever openpyxl stumbles over: KeyError, ParseError, BadZipFile and many more.
        raise BadFile(1, FILE, NO_TABLE) from None


def _refuse_bombs(raw: bytes) -> None:
    """Refuse what would fill the memory; the unpacked sizes that are written in a zip file are what is unpacked."""
    with zipfile.ZipFile(io.BytesIO(raw)) as parts:
        if sum(part.file_size for part in parts.infolist()) > _MOST_UNPACKED:
            raise BadFile(1, FILE, TOO_LARGE)
        tags = 0
        for part in parts.infolist():
            with parts.open(part) as opened:
                while piece := opened.read(_PIECE):
                    tags += piece.count(b"<") - piece.count(b"</")
                    if tags > _MOST_TAGS:
                        raise BadFile(1, FILE, TOO_LARGE)


def _first_row(sheet: Any) -> list[Field]:
    for _, row in _rows(sheet, last=1):
        return row
    return []


def _rows(sheet: Any, last: int = _LAST_ROW) -> Iterator[Row]:
    # What the file says of its own size is not believed.
    sheet.reset_dimensions()
    width = letters = 0
    for number, cells in enumerate(sheet.iter_rows(max_row=last), start=1):
        row = [_field(cell) for cell in cells]
        while len(row) > width and row[-1] == "":
            row.pop()
        if number == 1:
            width = len(row)
        elif not row or all(field == "" for field in row):
            continue
        letters += sum(len(field) for field in row if isinstance(field, str))
        if letters > _MOST_LETTERS:
            raise BadFile(number, FILE, TOO_LARGE)
        yield number, row + [""] * (width - len(row))


def _field(cell: Any) -> Field:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return _FORMULA
    if cell.data_type == "e":
        return _ERROR
    if isinstance(value, bool):
        return "ja" if value else "nee"
    if isinstance(value, datetime):
        # A time of day is not part of a birthday; with one it is no date that can be read for certain.
        return str(value) if value.time().isoformat() != "00:00:00" else value.date()
    if isinstance(value, date | str):
        return value.strip() if isinstance(value, str) else value
    return _number(value, cell.number_format or "")


def _number(value: Any, shown_as: str) -> Field:
    """A number as the sheet shows it, as far as that tells one person from another."""
    if "%" in shown_as:
        value = round(value * 100, 6)
    if value != value // 1:
        return str(value)
    whole = int(value)
    return str(whole).zfill(len(shown_as)) if _ZEROS.fullmatch(shown_as) else whole
