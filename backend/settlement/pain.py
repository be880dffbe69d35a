"""The payment order: ISO 20022 pain.001.001.09, checked against its schema, the same bytes for the same settlement.

No addresses: since November 2026 banks refuse unstructured ones, and within the EEA none is needed.
"""

from dataclasses import dataclass
from datetime import date, datetime
from xml.etree import ElementTree

from sepaxml import SepaTransfer
from sepaxml.validation import try_valid_xml

SCHEMA = "pain.001.001.09"
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
