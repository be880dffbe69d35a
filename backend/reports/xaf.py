"""The books of a period as XML Auditfile Financieel 3.2, which Dutch accountants and the tax office read.

Only what is in cents: a point, a visit or an item has no currency. Debit and credit are as in the beancount export:
what a transfer takes from its source is debited there. Written as it is read, so a year of a city fits in memory.
The format: https://odb.belastingdienst.nl (XML Auditfile Financieel), namespace of the XSD of version 3.2.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from typing import BinaryIO
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from backend.reports.periods import Period, months
from backend.store import Store, Transaction

_NAMESPACE = "http://www.auditfiles.nl/XAF/3.2"
_ACCOUNT_LETTERS = 35
# Journals: number, name, kinds of posting, and type: M memorial, B bank.
_JOURNALS = (
    ("LOAD", "Budgetten op passen", ("load",), "M"),
    ("TAP", "Bestedingen en terugboekingen", ("tap", "reversal"), "M"),
    ("PAY", "Betalingen aan aanbieders", ("payment", "revoked", "rejected", "paid", "returned"), "B"),
    ("LAPSE", "Vervallen budgetten", ("lapse",), "M"),
)
# A balance is of the balance sheet, a gain or loss of the year's result.
_RESULT = ("fund:", "discounts:", "lapsed:")


class Auditfile:
    """Writes audit files of one municipality; `tax_number` is its RSIN."""

    def __init__(self, store: Store, municipality: str, tax_number: str) -> None:
        self._store = store
        self._municipality = municipality
        self._tax_number = tax_number

    def write(self, out: BinaryIO, period: Period, made_on: date) -> int:
        """All postings of a period; how many lines."""
        with self._store.reading() as tx:
            xml = _Writer(out)
            with xml.element("auditfile", xmlns=_NAMESPACE):
                self._header(xml, period, made_on)
                with xml.element("company"):
                    xml.text("companyIdent", self._tax_number)
                    xml.text("companyName", self._municipality)
                    xml.text("taxRegistrationCountry", "NL")
                    xml.text("taxRegIdent", self._tax_number)
                    _accounts(xml, tx, period)
                    _periods(xml, period)
                    _opening(xml, tx, period)
                    return _transactions(xml, tx, period)

    @staticmethod
    def _header(xml: "_Writer", period: Period, made_on: date) -> None:
        with xml.element("header"):
            xml.text("fiscalYear", period.first.year)
            xml.text("startDate", period.first)
            xml.text("endDate", period.last)
            xml.text("curCode", "EUR")
            xml.text("dateCreated", made_on)
            xml.text("softwareDesc", "meedoen")
            xml.text("softwareVersion", version("meedoen"))


def _accounts(xml: "_Writer", tx: Transaction, period: Period) -> None:
    with xml.element("generalLedger"):
        for account in tx.reports.accounts_used(period.last):
            if account.unit == "cent":
                with xml.element("ledgerAccount"):
                    xml.text("accID", account_number(account.account))
                    xml.text("accDesc", account.account)
                    xml.text("accTp", "P" if account.account.startswith(_RESULT) else "B")


def _periods(xml: "_Writer", period: Period) -> None:
    with xml.element("periods"):
        for month in months(period.first, period.last):
            with xml.element("period"):
                xml.text("periodNumber", month.first.month)
                xml.text("startDatePeriod", month.first)
                xml.text("endDatePeriod", month.last)


def _opening(xml: "_Writer", tx: Transaction, period: Period) -> None:
    held = tx.reports.balances_before(period.first).items()
    balances = [(name, -total) for (name, unit), total in held if unit == "cent" and total]
    if not balances:
        return
    with xml.element("openingBalance"):
        xml.text("opBalDate", period.first)
        xml.text("linesCount", len(balances))
        xml.text("totalDebit", _euro(sum(each for _, each in balances if each > 0)))
        xml.text("totalCredit", _euro(-sum(each for _, each in balances if each < 0)))
        for place, (name, amount) in enumerate(balances, 1):
            with xml.element("obLine"):
                xml.text("nr", place)
                xml.text("accID", account_number(name))
                xml.text("amnt", _euro(abs(amount)))
                xml.text("amntTp", "D" if amount > 0 else "C")


def _transactions(xml: "_Writer", tx: Transaction, period: Period) -> int:
    """Each transfer is two lines."""
    count, total = tx.reports.cents_moved(period.first, period.last)
    with xml.element("transactions"):
        xml.text("linesCount", 2 * count)
        xml.text("totalDebit", _euro(total))
        xml.text("totalCredit", _euro(total))
        for number, name, kinds, kind in _JOURNALS:
            with xml.element("journal"):
                xml.text("jrnID", number)
                xml.text("desc", name)
                xml.text("jrnTp", kind)
                _journal(xml, tx, period, kinds)
    return 2 * count


def _journal(xml: "_Writer", tx: Transaction, period: Period, kinds: tuple[str, ...]) -> None:
    last, open_one = None, None
    for row in tx.reports.lines(period.first, period.last, kinds, "cent"):
        if row.id != last:
            if open_one is not None:
                xml.end("transaction")
            xml.begin("transaction")
            xml.text("nr", row.id)
            xml.text("desc", row.kind)
            xml.text("periodNumber", row.happened_on.month)
            xml.text("trDt", row.happened_on)
            last, open_one = row.id, row
        reference = row.settlement or (f"{row.terminal}-{row.id}" if row.terminal else str(row.id))
        for side, account in (("D", row.source), ("C", row.destination)):
            with xml.element("trLine"):
                xml.text("nr", 2 * row.number - (side == "D"))
                xml.text("accID", account_number(account))
                xml.text("docRef", reference)
                xml.text("effDate", row.happened_on)
                xml.text("amnt", _euro(row.amount))
                xml.text("amntTp", side)
    if open_one is not None:
        xml.end("transaction")


def account_number(name: str) -> str:
    """At most 35 letters; a longer name is cut, and what was lost is made up for."""
    if len(name) <= _ACCOUNT_LETTERS:
        return name
    rest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _ACCOUNT_LETTERS - len(rest) - 1]}~{rest}"


def _euro(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


class _Writer:
    """Elements one after another; the library escapes what stands in them."""

    def __init__(self, out: BinaryIO) -> None:
        self._xml = XMLGenerator(out, encoding="utf-8", short_empty_elements=True)
        self._xml.startDocument()

    def begin(self, name: str, **attributes: str) -> None:
        self._xml.startElement(name, AttributesImpl(attributes))

    def end(self, name: str) -> None:
        self._xml.endElement(name)
        self._xml.ignorableWhitespace("\n")

    @contextmanager
    def element(self, name: str, **attributes: str) -> Iterator[None]:
        self.begin(name, **attributes)
        yield
        self.end(name)

    def text(self, name: str, content: object) -> None:
        with self.element(name):
            self._xml.characters(str(content))
