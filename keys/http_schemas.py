"""What goes in and out of the vault over HTTP, for the specification at /v1/openapi.json."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, File, Integer, List, Nested, String
from apiflask.validators import OneOf, Range, Regexp

from keys.auditing import DID_NOT_HAPPEN, DIFFERS, HAPPENED, MISSING, NOT_OURS


class Whole(Integer):
    """A whole number, also when it is written 3.0; nothing is rounded."""

    def _validated(self, value: Any) -> Any:
        if isinstance(value, float) and not value.is_integer():
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class CardIn(Schema):
    uid = String(required=True, validate=Regexp(r"^[0-9A-Fa-f]{14}$"))
    generation = Whole(required=True, validate=Range(0, 255))


class CardKeyOut(Schema):
    purpose = String(required=True)
    version = Integer(required=True, metadata={"description": "the key version on the pass"})
    key = String(required=True)
    handle = String(allow_none=True, metadata={"description": "of a tap key: the handle that it follows from"})


class CardKeysOut(Schema):
    handle = String(required=True)
    current = List(Nested(CardKeyOut), required=True, metadata={"description": "what goes onto the pass"})
    older = List(
        Nested(CardKeyOut), required=True, metadata={"description": "what may be on it from before a rotation"}
    )


class FindingOut(Schema):
    kind = String(
        required=True,
        validate=OneOf([MISSING, HAPPENED, DID_NOT_HAPPEN, NOT_OURS, DIFFERS]),
        metadata={
            "description": "missing: a pass made this transaction and nobody handed it in. happened, did_not_happen: "
            "how a record in doubt ended. not_ours: the terminal has no keys from here. differs: the record says "
            "something else than what the pass signed."
        },
    )
    terminal = Integer(required=True)
    sequence = Integer(required=True)
    nullifier = String(allow_none=True, metadata={"description": "32 hex digits; only of what happened"})


class AuditQuery(Schema):
    fromTheStart = Boolean(load_default=False, metadata={"description": "the body is all that there ever was"})


class AuditOut(Schema):
    records = Integer(required=True)
    findings = List(Nested(FindingOut), required=True)
    unnamed = Integer(required=True, metadata={"description": "transactions that nothing tells more of"})


class BalanceIn(Schema):
    request = String(
        required=True,
        metadata={
            "description": "JSON text: request (the exact text that the officers signed) and signatures, a list of "
            "officer and signature (hex)"
        },
    )
    table = File(  # type: ignore[no-untyped-call]
        required=True, metadata={"description": "the table of nullifiers, as clearing sealed it"}
    )


class PurseOut(Schema):
    purse = Integer(required=True)
    amount = Integer(required=True)


class BalanceOut(Schema):
    balances = List(Nested(PurseOut), required=True)
    asOf = Date(required=True, metadata={"description": "the day up to which clearing had proven records"})
