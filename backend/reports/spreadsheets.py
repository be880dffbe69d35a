"""The books and the reports for a spreadsheet: CSV, and a workbook with a sheet for each table."""

import io
from dataclasses import astuple, fields

import xlsxwriter

from backend.reports.funds import FundReport, FundRow
from backend.reports.periods import Period
from backend.store import Store
from web.csv_export import csv_text

_BOOKS = (
    "happened_on", "recorded_on", "id", "kind", "source", "destination", "unit", "amount", "settlement", "terminal",
    "records",
)  # fmt: skip
_FUNDS = tuple(field.name for field in fields(FundRow))


class Spreadsheets:
    """Of one municipality. Amounts are whole: cents, points, visits or items."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def books(self, period: Period) -> str:
        """Every transfer of a period as CSV, by day."""
        with self._store.reading() as tx:
            rows = ([getattr(row, name) for name in _BOOKS] for row in tx.reports.lines(period.first, period.last))
            return csv_text(_BOOKS, rows)

    @staticmethod
    def funds(report: FundReport) -> str:
        """A report of funds as CSV."""
        return csv_text(_FUNDS, [astuple(row) for row in report.rows])

    @staticmethod
    def workbook(report: FundReport) -> bytes:
        """A report of funds as XLSX; nothing in it is run as a formula."""
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
            sheet = book.add_worksheet(report.period.name)
            for place, row in enumerate([_FUNDS, *(astuple(each) for each in report.rows)]):
                sheet.write_row(place, 0, row)
            sheet.autofilter(0, 0, len(report.rows), len(_FUNDS) - 1)
            sheet.freeze_panes(1, 0)
        return out.getvalue()
