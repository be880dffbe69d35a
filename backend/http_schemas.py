"""What the HTTP interface takes and gives. Amounts in cents unless a unit is named; moments in UTC."""

from dataclasses import asdict
from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Date, Dict, Integer, List, Nested, String
from apiflask.validators import Range

from backend.ingest import Receipt
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


class VenueTotalOut(Schema):
    venue = Integer(required=True)
    name = String(required=True)
    taps = Integer(required=True, metadata={"description": "less reversals"})
    earned = Integer(required=True)
    discounts = Integer(required=True, metadata={"description": "part of earned that discount funds pay"})
    paid = Integer(required=True)
    owed = Integer(required=True)
    units = Dict(keys=String(), values=Integer(), metadata={"description": "points, visits and items handed in"})


class FundTotalOut(Schema):
    fund = String(required=True)
    loaded = Integer(required=True)
    spent = Integer(required=True)
    outstanding = Integer(required=True)
    discounts = Integer(required=True)


class PurseTotalOut(Schema):
    purse = Integer(required=True)
    name = String(required=True)
    unit = String(required=True)
    fund = String(required=True)
    loaded = Integer(required=True, metadata={"description": "in the unit of the purse, as spent and outstanding"})
    spent = Integer(required=True)
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


class LineOut(Schema):
    venue = Integer(required=True)
    name = String(required=True)
    iban = String(required=True)
    opening = Integer(required=True)
    earned = Integer(required=True)
    paid = Integer(required=True)
    carried = Integer(required=True)
    endToEndId = String(required=True)


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
    state = String(required=True, metadata={"description": "prepared, approved or withdrawn"})
    preparedBy = String(required=True)
    preparedAt = AwareDateTime(required=True)
    approvedBy = String(allow_none=True)
    approvedAt = AwareDateTime(allow_none=True)
    executionOn = Date(allow_none=True)
    total = Integer(required=True)
    lines = List(Nested(LineOut), required=True)


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
    lines = [{**asdict(line), "endToEndId": line.end_to_end_id} for line in settlement.lines]
    return {
        "number": settlement.number,
        "since": settlement.since,
        "until": settlement.until,
        "state": settlement.state,
        "preparedBy": settlement.prepared_by,
        "preparedAt": settlement.prepared_at,
        "approvedBy": settlement.approved_by,
        "approvedAt": settlement.approved_at,
        "executionOn": settlement.execution_on,
        "total": settlement.total,
        "lines": lines,
    }
