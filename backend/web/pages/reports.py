"""What each fund gave in a period, whether the bank covers what is owed, the volume of twelve months, and the books to
take along."""

import io
from datetime import date

from flask import Blueprint, Response, render_template, request

from backend.errors import ReportRefused
from backend.reports.periods import Period, period
from backend.web.acting import acting
from backend.web.config import clearing
from backend.web.files import download
from backend.web.words import POSTING_KINDS
from web.site import site
from web.words import _

pages = Blueprint("reports", __name__, url_prefix="/reports")
_QUARTERS_BACK, _YEARS_BACK = 8, 3
_RSIN_DIGITS = 9
_MOST_SHOWN = 200
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pages.get("")
def index() -> str:
    chosen = _period() if "period" in request.args else period(_quarters(site().today())[0])
    last = min(chosen.last, site().today())
    bank = clearing().bank.newest_statement(clearing().config.municipality.iban, last)
    return render_template(
        "reports/index.html",
        choices=_choices(site().today()),
        chosen=chosen,
        report=clearing().funds.of(chosen),
        owed=clearing().funds.obligation(last, bank.closing if bank else None),
        bank=bank,
        volume=clearing().funds.network_volume(last),
    )


@pages.get("/reconciliation")
def reconciliation() -> str:
    return render_template(
        "reports/reconciliation.html",
        found=clearing().reconciling.now(),
        purses=clearing().config.purses,
        kinds=POSTING_KINDS,
        most=_MOST_SHOWN,
    )


@pages.get("/funds.csv")
def funds_csv() -> Response:
    chosen = _period()
    content = clearing().spreadsheets.funds(clearing().funds.of(chosen))
    return download(content.encode("utf-8-sig"), "text/csv", f"funds-{chosen.name}.csv")


@pages.get("/funds.xlsx")
def funds_xlsx() -> Response:
    chosen = _period()
    return download(clearing().spreadsheets.workbook(clearing().funds.of(chosen)), _XLSX, f"funds-{chosen.name}.xlsx")


@pages.get("/books.csv")
def books_csv() -> Response:
    chosen = _period()
    with acting("export books", chosen.name):
        content = clearing().spreadsheets.books(chosen)
    return download(content.encode("utf-8-sig"), "text/csv", f"books-{chosen.name}.csv")


@pages.get("/books.beancount")
def books_beancount() -> Response:
    """All books from the beginning up to the end of the period: balances have no other beginning."""
    chosen = _period()
    with acting("export books", chosen.name):
        lines = clearing().beancount.lines(min(chosen.last, site().today()))
        content = "".join(line + "\n" for line in lines)
    return download(content, "text/plain", f"books-{chosen.name}.beancount")


@pages.get("/books.xaf")
def books_xaf() -> Response:
    chosen, number = _period(), request.args.get("tax_number", "").strip()
    if not (number.isdecimal() and len(number) == _RSIN_DIGITS):
        raise ReportRefused("tax number", f"An RSIN has {_RSIN_DIGITS} digits.")
    out = io.BytesIO()
    with acting("export books", chosen.name):
        clearing().auditfile(number).write(out, chosen, site().today())
    return download(out.getvalue(), "application/xml", f"books-{chosen.name}.xaf")


def _period() -> Period:
    return period(request.args.get("period", ""))


def _quarters(today: date) -> list[str]:
    """Names of this quarter and those before it."""
    last = today.year * 4 + (today.month - 1) // 3
    return [f"{place // 4}-Q{place % 4 + 1}" for place in range(last, last - _QUARTERS_BACK, -1)]


def _choices(today: date) -> list[tuple[str, str]]:
    quarters = [
        (name, _("Kwartaal %(quarter)s van %(year)s", quarter=name[-1], year=name[:4])) for name in _quarters(today)
    ]
    years = [str(today.year - back) for back in range(_YEARS_BACK)]
    return quarters + [(year, _("Heel %(year)s", year=year)) for year in years]
