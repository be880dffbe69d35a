"""The payment order: ISO 20022 pain.001.001.09, checked against its schema, the same bytes for the same settlement.

No addresses: since November 2026 banks refuse unstructured ones, and within the EEA none is needed.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from xml.etree import ElementTree

from defusedxml import DefusedXmlException
from defusedxml import ElementTree as Outside
from sepaxml import SepaTransfer
from sepaxml.validation import ValidationError, try_valid_xml

MOST_BYTES = 8 * 1024 * 1024
SCHEMA = "pain.001.001.09"
_AMOUNT = re.compile(r"[0-9]{1,12}\.[0-9]{2}")
_NAMESPACE = f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"


@dataclass(frozen=True)
class Payment:
    """One credit transfer; `amount` in cents, above zero."""

    name: str
    iban: str
    bic: str | None
    amount: int
    end_to_end_id: str


@dataclass(frozen=True)
class PaymentFile:
    """All that goes into one file."""

    message_id: str
    made_at: datetime
    execution_on: date
    debtor: str
    debtor_iban: str
    debtor_bic: str | None
    description: str
    payments: list[Payment]


def pain_001(file: PaymentFile) -> bytes:
    """The XML; raises sepaxml's ValidationError when it does not follow the schema."""
    config = {"name": file.debtor, "IBAN": file.debtor_iban, "batch": True, "currency": "EUR"}
    if file.debtor_bic:
        config["BIC"] = file.debtor_bic
    transfer = SepaTransfer(config, schema=SCHEMA, clean=True)
    for payment in file.payments:
        transfer.add_payment(
            {
                "name": payment.name,
                "IBAN": payment.iban,
                "amount": payment.amount,
                "execution_date": file.execution_on,
                "description": file.description,
                "endtoend_id": payment.end_to_end_id,
                **({"BIC": payment.bic} if payment.bic else {}),
            }
        )
    return _fixed(transfer.export(validate=False), file)


def read_pain_001(content: bytes) -> PaymentFile:
    """What a payment order of ours says, whoever kept it and however it is laid out since.

    Raises ValueError when it says anything that `pain_001` would not write.
    """
    if len(content) > MOST_BYTES:
        raise ValueError("no order is so large")
    try:
        root = Outside.fromstring(content, forbid_dtd=True)
        file = _read(root)
        if file.made_at.tzinfo is None:
            raise ValueError("no moment")
        same = _canonical(pain_001(file)) == _canonical(ElementTree.tostring(root))
    except (ElementTree.ParseError, DefusedXmlException, ValidationError, LookupError):
        same = False
    if not same:
        raise ValueError("no payment order of ours")
    return file


def _read(root: ElementTree.Element) -> PaymentFile:
    header, batch = (_part(root, f"CstmrCdtTrfInitn/{name}") for name in ("GrpHdr", "PmtInf"))
    made = list(batch.iterfind(_path("CdtTrfTxInf")))
    return PaymentFile(
        message_id=_said(header, "MsgId"),
        made_at=datetime.fromisoformat(_said(header, "CreDtTm")),
        execution_on=date.fromisoformat(_said(batch, "ReqdExctnDt/Dt")),
        debtor=_said(batch, "Dbtr/Nm"),
        debtor_iban=_said(batch, "DbtrAcct/Id/IBAN"),
        debtor_bic=batch.findtext(_path("DbtrAgt/FinInstnId/BICFI")),
        description=_said(made[0], "RmtInf/Ustrd"),
        payments=[
            Payment(
                name=_said(each, "Cdtr/Nm"),
                iban=_said(each, "CdtrAcct/Id/IBAN"),
                bic=each.findtext(_path("CdtrAgt/FinInstnId/BICFI")),
                amount=_cents(_said(each, "Amt/InstdAmt")),
                end_to_end_id=_said(each, "PmtId/EndToEndId"),
            )
            for each in made
        ],
    )


def _path(names: str) -> str:
    return "/".join(f"{{{_NAMESPACE}}}{name}" for name in names.split("/"))


def _part(root: ElementTree.Element, names: str) -> ElementTree.Element:
    found = root.find(_path(names))
    if found is None:
        raise LookupError(names)
    return found


def _said(root: ElementTree.Element, names: str) -> str:
    return _part(root, names).text or ""


def _cents(text: str) -> int:
    if not _AMOUNT.fullmatch(text):
        raise ValueError("no amount as we write one")
    return int(text.replace(".", ""))


def _canonical(xml: bytes) -> str:
    return ElementTree.canonicalize(xml, strip_text=True, rewrite_prefixes=True)


def _fixed(xml: bytes, file: PaymentFile) -> bytes:
    """The library takes message id, batch id and time from chance and the clock; here they are the settlement's."""
    ElementTree.register_namespace("", _NAMESPACE)
    root = ElementTree.fromstring(xml)
    values = {
        "MsgId": file.message_id,
        "CreDtTm": file.made_at.isoformat(timespec="seconds"),
        "PmtInfId": f"{file.message_id}-1",
    }
    for name, value in values.items():
        (node,) = root.iter(f"{{{_NAMESPACE}}}{name}")
        node.text = value
    out: bytes = b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "utf-8")
    try_valid_xml(out, SCHEMA)
    return out
