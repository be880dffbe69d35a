"""What the HTTP interface of the exceptions desk takes and gives. Codes are those of `names` and `words`."""

from dataclasses import asdict
from datetime import date
from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Date, Dict, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range

from backend.exceptions.names import CLOSE_REASONS, KINDS, STATUSES
from backend.exceptions.service import MOST_NOTE, Case
from backend.http_schemas import ByIn


def _names(codes: tuple[str, ...]) -> dict[str, str]:
    return {"description": ", ".join(codes)}


class CasesQuery(Schema):
    kind = String(validate=OneOf(KINDS))
    venue = Integer(validate=Range(0))
    ended = Boolean(load_default=False, metadata={"description": "those that are closed or resolved too"})
    offset = Integer(load_default=0, validate=Range(0))
    limit = Integer(load_default=100, validate=Range(1, 1000))


class ClosingIn(ByIn):
    reason = String(required=True, validate=OneOf(CLOSE_REASONS))
    note = String(
        load_default="",
        validate=Length(0, MOST_NOTE),
        metadata={"description": "needed where the reason is `other`; names no guest"},
    )


class MovedOut(Schema):
    purse = Integer(required=True)
    amount = Integer(required=True, metadata={"description": "in the unit of the purse"})


class FactsOut(Schema):
    move = String(metadata={"description": "tap, reversal or load"})
    happenedOn = Date()
    offer = Integer(metadata={"description": "of a load: the grant"})
    purses = List(Nested(MovedOut))
    price = Integer()
    detail = String(metadata={"description": "why it was refused, in English"})
    entries = Integer(metadata={"description": "how many are missing"})
    days = Integer(allow_none=True, metadata={"description": "since the terminal was seen; none: it never was"})
    found = String(allow_none=True, metadata={"description": "what the vault found of a doubt"})
    amount = Integer(metadata={"description": "cents, of a payment"})
    direction = String(metadata={"description": "debit: left our account; credit: came on it"})
    payment = String(allow_none=True, metadata={"description": "end-to-end id"})
    settlement = String(metadata={"description": "in which it was paid"})
    entry = Integer(metadata={"description": "of the bank, as /v1/bank/entries calls it"})
    heldAs = String(allow_none=True, metadata={"description": "state of the record here; none: it is not here"})


class EventOut(Schema):
    action = String(required=True)
    by = String(allow_none=True, metadata={"description": "none: clearing itself"})
    at = AwareDateTime(required=True)
    outcome = String(allow_none=True, metadata={"description": "what was proposed: close or book"})
    reason = String(allow_none=True)
    note = String(required=True)


class ListedOut(Schema):
    id = String(required=True)
    kind = String(required=True, metadata=_names(KINDS))
    status = String(required=True, metadata=_names(STATUSES))
    reason = String(
        allow_none=True,
        metadata={"description": "why it is in quarantine, or what the bank or `why` of a bank entry says"},
    )
    terminal = Integer(allow_none=True)
    venue = Integer(allow_none=True)
    first = Integer(allow_none=True, metadata={"description": "first position that it is about"})
    last = Integer(allow_none=True)
    sequence = Integer(allow_none=True)
    since = String(allow_none=True, metadata={"description": "day or moment"})
    facts = Nested(FactsOut, required=True)
    actions = List(String(), required=True, metadata={"description": "what can be done now"})


class CaseOut(ListedOut):
    events = List(Nested(EventOut), required=True, metadata={"description": "who did what, in its order"})


class CasesOut(Schema):
    counts = Dict(keys=String(), values=Integer(), required=True, metadata={"description": "open ones, by kind"})
    total = Integer(required=True, metadata={"description": "how many there are of what was asked for"})
    cases = List(Nested(ListedOut), required=True)


def case_out(case: Case) -> dict[str, Any]:
    """Ready for JSON, but for days and moments in facts and events."""
    out = asdict(case)
    out["since"] = case.since.isoformat() if isinstance(case.since, date) else None
    renamed = {"happened_on": "happenedOn", "held_as": "heldAs"}
    out["facts"] = {renamed.get(name, name): value for name, value in case.facts.items()}
    return out
