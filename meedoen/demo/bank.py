"""The bank of the demo: it carries out a payment order, and writes the statement of that day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

from pyiso20022.camt import camt_053_001_08 as camt
from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.formats.dataclass.serializers.config import SerializerConfig
from xsdata.models.datatype import XmlDate, XmlDateTime

_PAIN = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"
_CAMT = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_OPENING = Decimal(250_000)


@dataclass(frozen=True)
class _Order:
    """What the bank reads of a payment order."""

    iban: str
    day: date
    payments: list[tuple[str, Decimal]]


def statement_of(order: Path) -> bytes:
    """camt.053.001.08 of the day on which every payment of the order left the account."""
    read = _read(order)
    day = camt.DateAndDateTime2Choice(dt=XmlDate(read.day.year, read.day.month, read.day.day))
    moment = XmlDateTime(read.day.year, read.day.month, read.day.day, 20, 0, 0)
    left = _OPENING - sum(amount for _, amount in read.payments)
    statement = camt.AccountStatement9(
        id="1",
        elctrnc_seq_nb=Decimal(1),
        cre_dt_tm=moment,
        acct=camt.CashAccount39(id=camt.AccountIdentification4Choice(iban=read.iban)),
        bal=[_balance("OPBD", _OPENING, day), _balance("CLBD", left, day)],
        ntry=[_entry(name, amount, day) for name, amount in read.payments],
    )
    header = camt.GroupHeader81(msg_id=f"STATEMENT-{read.day}", cre_dt_tm=moment)
    document = camt.Document(bk_to_cstmr_stmt=camt.BankToCustomerStatementV08(grp_hdr=header, stmt=[statement]))
    return XmlSerializer(config=SerializerConfig(indent=" ")).render(document, ns_map={None: _CAMT}).encode()


def _read(order: Path) -> _Order:
    root = ElementTree.parse(order).getroot()
    end_to_end_id, amount = f"{_PAIN}PmtId/{_PAIN}EndToEndId", f"{_PAIN}Amt/{_PAIN}InstdAmt"
    payments = [
        (node.findtext(end_to_end_id, ""), Decimal(node.findtext(amount, "")))
        for node in root.iter(f"{_PAIN}CdtTrfTxInf")
    ]
    batch = f"{_PAIN}CstmrCdtTrfInitn/{_PAIN}PmtInf/{_PAIN}"
    iban = root.findtext(f"{batch}DbtrAcct/{_PAIN}Id/{_PAIN}IBAN", "")
    return _Order(iban, date.fromisoformat(root.findtext(f"{batch}ReqdExctnDt/{_PAIN}Dt", "")), payments)


def _balance(code: str, amount: Decimal, day: camt.DateAndDateTime2Choice) -> camt.CashBalance8:
    return camt.CashBalance8(
        tp=camt.BalanceType13(cd_or_prtry=camt.BalanceType10Choice(cd=code)),
        amt=camt.ActiveOrHistoricCurrencyAndAmount(value=amount, ccy="EUR"),
        cdt_dbt_ind=camt.CreditDebitCode.CRDT,
        dt=day,
    )


def _entry(end_to_end_id: str, amount: Decimal, day: camt.DateAndDateTime2Choice) -> camt.ReportEntry10:
    references = camt.TransactionReferences6(end_to_end_id=end_to_end_id)
    return camt.ReportEntry10(
        amt=camt.ActiveOrHistoricCurrencyAndAmount(value=amount, ccy="EUR"),
        cdt_dbt_ind=camt.CreditDebitCode.DBIT,
        sts=camt.EntryStatus1Choice(cd="BOOK"),
        bookg_dt=day,
        bk_tx_cd=camt.BankTransactionCodeStructure4(),
        ntry_dtls=[camt.EntryDetails9(tx_dtls=[camt.EntryTransaction10(refs=references)])],
    )
