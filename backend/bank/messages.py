"""The bank's messages as values: camt.053 and camt.054 of an account, pain.002 of a payment file.

The file is outside input: bounded, no entities or document types, read by the published schema's classes, and refused
whole with BankFileRefused when anything in it does not fit. Of an entry only amount, day and references are taken.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException, ElementTree
from xsdata.exceptions import ConverterError, ConverterWarning, ParserError, XmlContextError
from xsdata.formats.converter import Converter, converter
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig
from xsdata.formats.dataclass.parsers.handlers import XmlEventHandler

from backend.config import iban
from backend.errors import BankFileRefused

MOST_BYTES = 8 * 1024 * 1024
# Every version that Dutch banks give, by the last part of its namespace.
_READ = (
    "camt.053.001.02",
    "camt.053.001.08",
    "camt.054.001.02",
    "camt.054.001.08",
    "pain.002.001.03",
    "pain.002.001.10",
)
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
# A reference that stands for none. (EPC132-08, AT-T014.)
_NO_REFERENCE = "NOTPROVIDED"
_LARGEST_CENTS = 10**15
# No decimal of ISO 20022 has more than 18 digits.
_DECIMAL = re.compile(r"[+-]?(?=.{1,20}$)(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_BLANK = " \t\r\n"


# What the parser raises, and what a message without a part that it must have raises when it is read.
_FAULTS = (
    ArithmeticError,
    AttributeError,
    ConverterError,
    ConverterWarning,
    ParseError,
    ParserError,
    TypeError,
    ValueError,
    XmlContextError,
)


class _PlainDecimal(Converter):
    """A decimal as XML Schema writes one: no exponent, which would ask for as many digits as it says."""

    def deserialize(self, value: Any, **kwargs: Any) -> Decimal:
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value.strip(_BLANK)):
            raise ConverterError("no decimal of XML Schema")
        return Decimal(value.strip(_BLANK))

    def serialize(self, value: Decimal, **kwargs: Any) -> str:
        return f"{value:f}"


converter.register_converter(Decimal, _PlainDecimal())


@dataclass(frozen=True)
class Movement:
    """Money that came on the account (`credit`) or left it (`debit`), in cents.

    `batch`: one entry for all payments of a file of ours, known by the ids in it. `reason`: why it came back.
    """

    direction: str
    amount: int
    booked_on: date
    end_to_end_id: str | None
    reference: str | None
    reason: str | None
    batch: str | None = None


@dataclass(frozen=True)
class Balance:
    """What an account held at the beginning and the end of a statement, in cents."""

    number: int | None
    day: date
    opening: int
    closing: int


@dataclass(frozen=True)
class AccountReport:
    """One statement or notification of one account; a notification has no balance."""

    iban: str
    balance: Balance | None
    movements: tuple[Movement, ...]


@dataclass(frozen=True)
class AccountFile:
    """A camt.053 or camt.054."""

    kind: str
    message_id: str
    reports: tuple[AccountReport, ...]


@dataclass(frozen=True)
class Status:
    """What the bank says of a file, a batch or a payment. `code`: ACCP, RJCT and so on; `reason`: ISO 20022 code."""

    code: str | None
    reason: str | None


@dataclass(frozen=True)
class StatusFile:
    """A pain.002. `payments` by end-to-end id."""

    kind: str
    message_id: str
    made_on: date
    original: str
    group: Status
    batches: tuple[Status, ...]
    payments: dict[str, Status]


def read(content: bytes) -> AccountFile | StatusFile:
    """The message in a file; raises BankFileRefused."""
    if len(content) > MOST_BYTES:
        raise BankFileRefused(
            "size", f"The file is larger than {MOST_BYTES // 1024 // 1024} MiB. Ask for shorter periods."
        )
    try:
        root = ElementTree.fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise BankFileRefused("xml", "The file is no XML, or holds a document type, which no bank sends.") from None
    version = root.tag.removeprefix("{").partition("}")[0].removeprefix(_NAMESPACE)
    if version not in _READ:
        raise BankFileRefused("version", f"The file is none of {', '.join(_READ)}. Fetch one of those from the bank.")
    try:
        document = _parser().from_bytes(content, _document(version))
        message = _status_file(document) if version.startswith("pain") else _account_file(version[:8], document)
    except _FAULTS:
        raise BankFileRefused(
            "format", f"The file says that it is {version}, and does not follow its schema."
        ) from None
    return message


@cache
def _document(version: str) -> Any:
    name = version.replace(".", "_")
    return import_module(f"pyiso20022.{version[:4]}.{name}").Document


@cache
def _parser() -> XmlParser:
    return XmlParser(config=ParserConfig(fail_on_converter_warnings=True), handler=XmlEventHandler)


# camt.053 and camt.054


def _account_file(kind: str, document: Any) -> AccountFile:
    body = document.bk_to_cstmr_stmt if kind == "camt.053" else document.bk_to_cstmr_dbt_cdt_ntfctn
    reports = body.stmt if kind == "camt.053" else body.ntfctn
    return AccountFile(kind, _identifier(body.grp_hdr.msg_id), tuple(_report(kind, report) for report in reports))


def _report(kind: str, report: Any) -> AccountReport:
    if report.acct.id.iban is None:
        raise ValueError("an account without IBAN")
    booked = [entry for entry in report.ntry if _code(entry.sts) == "BOOK"]
    movements = tuple(movement for entry in booked for movement in _movements(entry) if movement.amount)
    return AccountReport(iban(report.acct.id.iban), _balance(report) if kind == "camt.053" else None, movements)


def _balance(report: Any) -> Balance:
    held = {_code(balance.tp.cd_or_prtry): balance for balance in report.bal}
    # PRCD: the closing balance of the statement before, which some banks give in the place of the opening one.
    opening, closing = held.get("OPBD") or held.get("PRCD"), held.get("CLBD")
    if opening is None or closing is None:
        raise ValueError("a statement without opening or closing balance")
    # Dutch banks count in either; the legal number is the one that has no holes.
    number = report.lgl_seq_nb if report.lgl_seq_nb is not None else report.elctrnc_seq_nb
    whole = None if number is None else int(number)
    if whole is not None and (whole != number or not 0 <= whole < _LARGEST_CENTS):
        raise ValueError("a number out of range")
    return Balance(whole, _day(closing.dt), _signed(opening), _signed(closing))


def _movements(entry: Any) -> list[Movement]:
    details = [detail for group in entry.ntry_dtls for detail in group.tx_dtls]
    batch = next((group.btch for group in entry.ntry_dtls if group.btch is not None), None)
    amounts = [_amount_of(detail) for detail in details]
    if len(details) == 1 and amounts[0] is None:
        amounts = [entry.amt]
    if not details or None in amounts:
        refs = None if batch is None else (batch.pmt_inf_id or batch.msg_id)
        return [_movement(entry, details[0] if len(details) == 1 else None, entry.amt, refs)]
    return [_movement(entry, detail, amount) for detail, amount in zip(details, amounts, strict=True)]


def _movement(entry: Any, detail: Any, amount: Any, batch: str | None = None) -> Movement:
    refs = getattr(detail, "refs", None)
    side = getattr(detail, "cdt_dbt_ind", None) or entry.cdt_dbt_ind
    returned = getattr(detail, "rtr_inf", None)
    reason = None if returned is None or returned.rsn is None else (returned.rsn.cd or returned.rsn.prtry)
    return Movement(
        "credit" if side.value == "CRDT" else "debit",
        _cents(amount),
        _day(entry.bookg_dt or entry.val_dt),
        _reference(refs and refs.end_to_end_id),
        _reference((refs and refs.acct_svcr_ref) or entry.acct_svcr_ref),
        _reference(reason),
        _reference(batch),
    )


def _amount_of(detail: Any) -> Any:
    """The amount of a transaction, which version 8 has of its own and version 2 among the details."""
    own = getattr(detail, "amt", None)
    if own is not None or detail.amt_dtls is None:
        return own
    among = detail.amt_dtls.tx_amt or detail.amt_dtls.instd_amt
    return None if among is None else among.amt


# pain.002


def _status_file(document: Any) -> StatusFile:
    body = document.cstmr_pmt_sts_rpt
    group, batches = body.orgnl_grp_inf_and_sts, body.orgnl_pmt_inf_and_sts
    payments = {
        _identifier(each.orgnl_end_to_end_id): Status(_text(each.tx_sts), _reason(each))
        for batch in batches
        for each in batch.tx_inf_and_sts
        if each.orgnl_end_to_end_id
    }
    return StatusFile(
        "pain.002",
        _identifier(body.grp_hdr.msg_id),
        _date(body.grp_hdr.cre_dt_tm),
        _identifier(group.orgnl_msg_id),
        Status(_text(group.grp_sts), _reason(group)),
        tuple(Status(_text(batch.pmt_inf_sts), _reason(batch)) for batch in batches),
        payments,
    )


def _reason(each: Any) -> str | None:
    found = [reason.rsn.cd or reason.rsn.prtry for reason in each.sts_rsn_inf if reason.rsn is not None]
    return _reference(found[0]) if found else None


# Parts


def _text(value: Any) -> str | None:
    """A code, which is an enumeration in one version and text in another."""
    return None if value is None else str(getattr(value, "value", value))


def _code(value: Any) -> str | None:
    return _text(getattr(value, "cd", value))


def _identifier(text: str) -> str:
    if not 0 < len(text) <= 35:
        raise ValueError("an identifier of another length")
    return text


def _reference(text: str | None) -> str | None:
    return None if text is None or text in ("", _NO_REFERENCE) else _identifier(text)


def _signed(balance: Any) -> int:
    return _cents(balance.amt) * (1 if balance.cdt_dbt_ind.value == "CRDT" else -1)


def _cents(amount: Any) -> int:
    cents: Decimal = amount.value * 100
    if amount.ccy != "EUR" or not cents.is_finite() or not 0 <= cents < _LARGEST_CENTS or cents != int(cents):
        raise ValueError("no whole number of euro cents")
    return int(cents)


def _day(choice: Any) -> date:
    return _date(choice.dt or choice.dt_tm)


def _date(value: Any) -> date:
    return date(value.year, value.month, value.day)
