"""What would happen to each row of a file of people, to download as CSV or .xlsx: in Dutch, nothing personal."""

import io
from collections.abc import Iterator

import xlsxwriter

from issuer.importing import CHANGED, NEW, UNCHANGED, Look
from web.csv_export import csv_text

_HEADER = ("rij", "wat gebeurt er", "kolom", "wat is er mis", "wat te doen")
_WIDTHS = (8, 16, 28, 60, 60)
_WORDS = {NEW: "nieuw", CHANGED: "gewijzigd", UNCHANGED: "gelijk"}
_FAULT = "fout"


def rows(look: Look) -> Iterator[tuple[int, str, str, str, str]]:
    """A line for each row, and for each fault of a row: number, outcome, columns, problem, advice."""
    seen = [(row.row, _WORDS[row.outcome], ", ".join(row.columns), "", "") for row in look.rows]
    faults = [(fault.row, _FAULT, fault.column, fault.problem_nl, fault.advice_nl) for fault in look.faults]
    yield from sorted(seen + faults)


def as_csv(look: Look) -> bytes:
    """As Excel opens it: in UTF-8 with its mark in front."""
    return csv_text(_HEADER, rows(look)).encode("utf-8-sig")


def as_xlsx(look: Look) -> bytes:
    """A workbook with one sheet."""
    content = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(content, options) as book:
        sheet = book.add_worksheet("Import")
        for place, width in enumerate(_WIDTHS):
            sheet.set_column(place, place, width)
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, _HEADER, book.add_format({"bold": True}))
        for at, row in enumerate(rows(look), start=1):
            sheet.write_row(at, 0, row)
    return content.getvalue()
