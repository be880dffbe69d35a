"""What the HTTP interface takes and gives. Amounts in cents unless a unit is named; moments in UTC."""

from dataclasses import asdict
from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Date, Dict, Integer, List, Nested, String
from apiflask.validators import Length, Range

from backend.bank.service import BankReceipt, Unmatched
from backend.bank.statements import BankStatement
from backend.ingest import Receipt
from backend.people import MOST_NAME
from backend.reports.states import STATES
from backend.settlement.service import Settlement
from backend.vault import FINDINGS, Audit


class BundleQuery(Schema):
    day = Integer(
        validate=Range(0, 0xFFFF), metadata={"description": "day number of records from which it is good; today"}
    )


class AuditQuery(Schema):
    since = Date(metadata={"description": "first day; without it, all that there ever was"})
    until = Date(metadata={"description": "last day"})


class RefusedOut(Schema):
    position = Integer(required=True)
    sequence = Integer(required=True)
    reason = String(required=True)


class ReceiptOut(Schema):
    terminal = Integer(required=True)
    accepted = Integer(required=True, metadata={"description": "entries that were not held yet"})
    duplicates = Integer(required=True, metadata={"description": "entries that were held already, and are the same"})
    nextPosition = Integer(required=True, metadata={"description": "first position that is not held"})
    gaps = List(List(Integer()), required=True, metadata={"description": "missing positions, first and last of each"})
    pending = Integer(required=True, metadata={"description": "records of this terminal that wait for proof"})
    refused = List(Nested(RefusedOut), required=True)


class JournalOut(Schema):
    terminal = Integer(required=True)
    nextPosition = Integer(required=True, metadata={"description": "first position that is not held"})
    gaps = List(List(Integer()), required=True, metadata={"description": "missing positions, first and last of each"})
    challenge = String(required=True, metadata={"description": "16 bytes in hex, for the terminal's statement"})


class RetriedOut(Schema):
    id = Integer(required=True)
    resolved = Boolean(required=True)
    reason = String(allow_none=True, metadata={"description": "why it is still refused"})


class StateSumOut(Schema):
    records = Integer(required=True)
    cents = Integer(required=True, metadata={"description": "to the venue; unproven: as the records say"})


_STATES = ", ".join(STATES)


class VenueTotalOut(Schema):
    venue = Integer(required=True)
    name = String(required=True)
    taps = Integer(required=True, metadata={"description": "less reversals"})
    earned = Integer(required=True)
    discounts = Integer(required=True, metadata={"description": "part of earned that discount funds pay"})
    paid = Integer(required=True)
    owed = Integer(required=True)
    units = Dict(keys=String(), values=Integer(), metadata={"description": "points, visits and items handed in"})
    states = Dict(keys=String(), values=Nested(StateSumOut), required=True, metadata={"description": _STATES})


class FundTotalOut(Schema):
    fund = String(required=True)
    loaded = Integer(required=True)
    spent = Integer(required=True)
    expired = Integer(required=True, metadata={"description": "at the end of pass years"})
    outstanding = Integer(required=True)
    discounts = Integer(required=True)


class PurseTotalOut(Schema):
    purse = Integer(required=True)
    name = String(required=True)
    unit = String(required=True)
    fund = String(required=True)
    loaded = Integer(required=True, metadata={"description": "in the unit of the purse, as spent and outstanding"})
    spent = Integer(required=True)
    expired = Integer(required=True, metadata={"description": "at the end of pass years"})
    outstanding = Integer(required=True)
    replaced = Integer(required=True, metadata={"description": "put on new passes in the place of lost ones"})


class BudgetOut(Schema):
    fund = String(required=True)
    unit = String(required=True)
    until = String(required=True, metadata={"description": "last day of the pass year", "format": "date"})
    budget = Integer(required=True, metadata={"description": "in this unit, as given and over"})
    given = Integer(required=True)
    over = Integer(required=True, metadata={"description": "what the fund gave beyond its budget"})


class TotalsOut(Schema):
    venues = List(Nested(VenueTotalOut), required=True)
    funds = List(Nested(FundTotalOut), required=True)
    purses = List(Nested(PurseTotalOut), required=True)
    budgets = List(Nested(BudgetOut), required=True)
    suspense = Integer(required=True, metadata={"description": "due back to holders"})
    records = Dict(keys=String(), values=Integer(), metadata={"description": "how many in each state"})
    quarantine = Integer(required=True)
    states = Dict(
        keys=String(), values=Nested(StateSumOut), required=True, metadata={"description": f"taps: {_STATES}"}
    )


class ReopenedOut(Schema):
    endToEndId = String(required=True)
    how = String(required=True, metadata={"description": "returned, rejected or revoked"})
    amount = Integer(required=True)


class LineOut(Schema):
    venue = Integer(required=True)
    name = String(required=True)
    iban = String(required=True)
    opening = Integer(required=True)
    earned = Integer(required=True)
    paid = Integer(required=True)
    carried = Integer(required=True)
    endToEndId = String(required=True)
    state = String(
        required=True,
        metadata={"description": "that of the settlement, or accepted, rejected, revoked, paid, returned"},
    )
    reason = String(allow_none=True, metadata={"description": "ISO 20022 code of the bank"})
    account = String(required=True, metadata={"description": "known, first, new or came back"})
    lastIban = String(allow_none=True, metadata={"description": "to which the payment before went"})
    reopened = List(Nested(ReopenedOut), required=True)


class FindingOut(Schema):
    kind = String(required=True, metadata={"description": ", ".join(FINDINGS)})
    terminal = Integer(required=True)
    sequence = Integer(required=True)


class AuditOut(Schema):
    records = Integer(required=True)
    findings = List(Nested(FindingOut), required=True)
    unnamed = Integer(required=True, metadata={"description": "transactions of which nothing more is known"})


class SettlementOut(Schema):
    number = String(required=True)
    since = Date(allow_none=True)
    until = Date(required=True)
    state = String(required=True, metadata={"description": "prepared, approved, sent, revoked or withdrawn"})
    preparedBy = String(required=True)
    preparedAt = AwareDateTime(required=True)
    approvedBy = String(allow_none=True)
    approvedAt = AwareDateTime(allow_none=True)
    checkedBy = String(allow_none=True, metadata={"description": "who checked it, when three people decide"})
    needsThird = Boolean(required=True, metadata={"description": "a third person decides as well"})
    sentBy = String(allow_none=True)
    sentAt = AwareDateTime(allow_none=True)
    undoneBy = String(allow_none=True, metadata={"description": "who revoked or withdrew it"})
    executionOn = Date(allow_none=True)
    total = Integer(required=True)
    lines = List(Nested(LineOut), required=True)


class BankReceiptOut(Schema):
    kind = String(required=True, metadata={"description": "camt.053, camt.054 or pain.002"})
    messageId = String(required=True)
    known = Boolean(required=True, metadata={"description": "taken in before; nothing was done"})
    duplicate = Boolean(required=True, metadata={"description": "the bank has this payment order already"})
    counts = Dict(keys=String(), values=Integer(), required=True)


class StatementOut(Schema):
    iban = String(required=True)
    number = Integer(allow_none=True)
    day = Date(required=True)
    opening = Integer(required=True)
    closing = Integer(required=True)
    missing = List(Integer(), allow_none=True, metadata={"description": "first and last number missing before it"})
    jump = Integer(required=True, metadata={"description": "how far it opens beside the closing balance before it"})
    unexplained = Integer(required=True, metadata={"description": "closing less opening less entries; 0 when whole"})


class ByIn(Schema):
    by = String(
        required=True,
        validate=Length(1, MOST_NAME),
        metadata={"description": "user name of who does this; where there are no accounts, a name"},
    )


class EntryQuery(Schema):
    with_decided = Boolean(data_key="withDecided", load_default=False)


class EntryOut(Schema):
    id = Integer(required=True)
    kind = String(required=True)
    direction = String(required=True, metadata={"description": "debit: left our account; credit: came on it"})
    amount = Integer(required=True)
    happenedOn = Date(required=True)
    endToEndId = String(allow_none=True)
    reference = String(allow_none=True, metadata={"description": "the bank's own"})
    reason = String(allow_none=True)
    why = String(required=True, metadata={"description": "why it is no payment of ours by itself"})
    state = String(required=True, metadata={"description": "open, proposed, assigned or not ours"})
    payment = String(allow_none=True)
    by = String(allow_none=True)
    words = String(allow_none=True)
    candidates = List(String(), required=True, metadata={"description": "payments that it could be"})


class HealthOut(Schema):
    status = String(required=True)
    pending = Integer(required=True)
    quarantine = Integer(required=True)


def receipt_out(receipt: Receipt) -> dict[str, Any]:
    out = asdict(receipt)
    out["nextPosition"] = out.pop("next_position")
    return out


def audit_out(audit: Audit) -> dict[str, Any]:
    # A nullifier is for the books, and for nobody else.
    findings = [{"kind": each.kind, "terminal": each.terminal, "sequence": each.sequence} for each in audit.findings]
    return {"records": audit.records, "findings": findings, "unnamed": audit.unnamed}


def settlement_out(settlement: Settlement) -> dict[str, Any]:
    lines = [
        {
            **asdict(line),
            "endToEndId": line.end_to_end_id,
            "lastIban": line.last_iban,
            "reopened": [{**asdict(each), "endToEndId": each.end_to_end_id} for each in line.reopened],
        }
        for line in settlement.lines
    ]
    return {
        "number": settlement.number,
        "since": settlement.since,
        "until": settlement.until,
        "state": settlement.state,
        "preparedBy": settlement.prepared_by,
        "preparedAt": settlement.prepared_at,
        "approvedBy": settlement.approved_by,
        "approvedAt": settlement.approved_at,
        "checkedBy": settlement.checked_by,
        "needsThird": settlement.needs_third,
        "sentBy": settlement.sent_by,
        "sentAt": settlement.sent_at,
        "undoneBy": settlement.undone_by,
        "executionOn": settlement.execution_on,
        "total": settlement.total,
        "lines": lines,
    }


def receipt_of_bank(receipt: BankReceipt) -> dict[str, Any]:
    return {
        "kind": receipt.kind,
        "messageId": receipt.message_id,
        "known": receipt.known,
        "duplicate": receipt.duplicate,
        "counts": dict(receipt.counts),
    }


def statement_out(statement: BankStatement) -> dict[str, Any]:
    return asdict(statement)


def entry_out(entry: Unmatched) -> dict[str, Any]:
    return {**asdict(entry), "happenedOn": entry.happened_on, "endToEndId": entry.end_to_end_id}
