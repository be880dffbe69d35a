"""The invoice that the municipality makes out for a venue: UBL 2.1, EN 16931, Peppol BIS Self-Billing 3.0.

What a venue earns is with VAT, at the one rate that the venue states; of it the part without VAT is worked out, rounded
to whole cents over the whole invoice. Whether that rate is right is for the venue to answer for, and the note says so.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree

from backend.settlement.statement import StatementLine

_CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
_CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
_UBL = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
_CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:selfbilling:3.0"
_PROFILE = "urn:fdc:peppol.eu:2017:poacc:selfbilling:01:1.0"
# UNTDID 1001: self-billed invoice. UNTDID 4461: SEPA credit transfer.
_SELF_BILLED, _CREDIT_TRANSFER = "389", "58"
# ISO 6523: number in the Dutch trade register, and of Dutch public bodies.
KVK, OIN = "0106", "0190"
_PIECES = "C62"
_EXEMPT = "Vrijgesteld van btw, volgens opgave van de leverancier."
# The first sentence is asked for by article 35a of the VAT act (Wet op de omzetbelasting 1968).
_NOTE = (
    "Factuur uitgereikt door afnemer. Bedragen zijn inclusief btw bepaald; het btw-tarief is opgave van de leverancier."
)


@dataclass(frozen=True)
class Party:
    """Who sells or buys; `scheme` says which register `number` is of."""

    name: str
    number: str
    scheme: str
    street: str
    postcode: str
    city: str
    vat_number: str | None = None


@dataclass(frozen=True)
class Invoice:
    """All that is on one invoice. Lines in cents with VAT; `vat_rate` in percent, 0 when exempt."""

    number: str
    issued_on: date
    due_on: date
    since: date | None
    until: date
    settlement: str
    seller: Party
    buyer: Party
    iban: str
    reference: str
    vat_rate: int
    lines: list[StatementLine]


def ubl(invoice: Invoice) -> bytes:
    """The XML, the same bytes for the same invoice."""
    for prefix, namespace in (("", _UBL), ("cac", _CAC), ("cbc", _CBC)):
        ElementTree.register_namespace(prefix, namespace)
    lines = [line for line in invoice.lines if line.cents and not line.not_payable]
    whole = sum(line.cents for line in lines)
    net = _without_vat(whole, invoice.vat_rate)
    vat = _rounded(net * invoice.vat_rate, 100)
    root = ElementTree.Element(f"{{{_UBL}}}Invoice")
    _head(root, invoice)
    _party(root, "AccountingSupplierParty", invoice.seller)
    _party(root, "AccountingCustomerParty", invoice.buyer)
    means = _part(root, "PaymentMeans")
    _say(means, "PaymentMeansCode", _CREDIT_TRANSFER)
    _say(means, "PaymentID", invoice.reference)
    _say(_part(means, "PayeeFinancialAccount"), "ID", invoice.iban)
    total = _part(root, "TaxTotal")
    _amount(total, "TaxAmount", vat)
    subtotal = _part(total, "TaxSubtotal")
    _amount(subtotal, "TaxableAmount", net)
    _amount(subtotal, "TaxAmount", vat)
    _category(subtotal, "TaxCategory", invoice.vat_rate, with_reason=True)
    sums = _part(root, "LegalMonetaryTotal")
    for tag, cents in (("LineExtensionAmount", net), ("TaxExclusiveAmount", net), ("TaxInclusiveAmount", net + vat)):
        _amount(sums, tag, cents)
    if whole != net + vat:
        _amount(sums, "PayableRoundingAmount", whole - net - vat)
    _amount(sums, "PayableAmount", whole)
    _lines(root, lines, invoice.vat_rate)
    ElementTree.indent(root, " ")
    out: bytes = b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "utf-8") + b"\n"
    return out


def _head(root: ElementTree.Element, invoice: Invoice) -> None:
    for tag, text in (
        ("CustomizationID", _CUSTOMIZATION),
        ("ProfileID", _PROFILE),
        ("ID", invoice.number),
        ("IssueDate", invoice.issued_on.isoformat()),
        ("DueDate", invoice.due_on.isoformat()),
        ("InvoiceTypeCode", _SELF_BILLED),
        ("Note", _NOTE),
        ("DocumentCurrencyCode", "EUR"),
        ("BuyerReference", invoice.settlement),
    ):
        _say(root, tag, text)
    period = _part(root, "InvoicePeriod")
    if invoice.since is not None:
        _say(period, "StartDate", invoice.since.isoformat())
    _say(period, "EndDate", invoice.until.isoformat())


def _party(root: ElementTree.Element, tag: str, party: Party) -> None:
    made = _part(_part(root, tag), "Party")
    _say(made, "EndpointID", party.number, schemeID=party.scheme)
    address = _part(made, "PostalAddress")
    for name, text in (("StreetName", party.street), ("CityName", party.city), ("PostalZone", party.postcode)):
        _say(address, name, text)
    _say(_part(address, "Country"), "IdentificationCode", "NL")
    if party.vat_number:
        tax = _part(made, "PartyTaxScheme")
        _say(tax, "CompanyID", party.vat_number)
        _say(_part(tax, "TaxScheme"), "ID", "VAT")
    entity = _part(made, "PartyLegalEntity")
    _say(entity, "RegistrationName", party.name)
    _say(entity, "CompanyID", party.number, schemeID=party.scheme)


def _lines(root: ElementTree.Element, lines: list[StatementLine], rate: int) -> None:
    """Each line without VAT, rounded so that together they are the whole without VAT."""
    with_vat = before = 0
    for number, line in enumerate(lines, 1):
        with_vat += line.cents
        net, before = _without_vat(with_vat, rate) - before, _without_vat(with_vat, rate)
        # A price is never below zero; what is taken back has a quantity below zero.
        sign = -1 if net < 0 else 1
        made = _part(root, "InvoiceLine")
        _say(made, "ID", str(number))
        _say(made, "InvoicedQuantity", str(sign * line.count), unitCode=_PIECES)
        _amount(made, "LineExtensionAmount", net)
        item = _part(made, "Item")
        _say(item, "Name", line.name if line.kind == "tap" else f"{line.name}, teruggedraaid")
        _category(item, "ClassifiedTaxCategory", rate)
        price = _part(made, "Price")
        _amount(price, "PriceAmount", abs(net))
        _say(price, "BaseQuantity", str(line.count), unitCode=_PIECES)


def _category(parent: ElementTree.Element, tag: str, rate: int, with_reason: bool = False) -> None:
    """UNCL 5305: S is a rate, E is exempt."""
    made = _part(parent, tag)
    _say(made, "ID", "S" if rate else "E")
    _say(made, "Percent", str(rate))
    if with_reason and not rate:
        _say(made, "TaxExemptionReason", _EXEMPT)
    _say(_part(made, "TaxScheme"), "ID", "VAT")


def _part(parent: ElementTree.Element, tag: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, f"{{{_CAC}}}{tag}")


def _say(parent: ElementTree.Element, tag: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, f"{{{_CBC}}}{tag}", attributes).text = text


def _amount(parent: ElementTree.Element, tag: str, cents: int) -> None:
    _say(parent, tag, str(Decimal(cents).scaleb(-2)), currencyID="EUR")


def _without_vat(cents: int, rate: int) -> int:
    return _rounded(cents * 100, 100 + rate)


def _rounded(dividend: int, divisor: int) -> int:
    """To the nearest whole number, halves away from zero."""
    sign = -1 if dividend < 0 else 1
    return sign * ((2 * abs(dividend) + divisor) // (2 * divisor))
