"""Purses. A debit or credit is checked against the pending value and becomes true on commit."""

from hardware.emulated_pass.command import Call
from hardware.emulated_pass.messaging import Answer
from hardware.emulated_pass.model import ValueFile
from hardware.emulated_pass.powered import Powered
from hardware.emulated_pass.status import BOUNDARY_ERROR, PARAMETER_ERROR, PERMISSION_DENIED, Refused, require
from hardware.emulated_pass.transaction import ValueChange


def get_value(card: Powered, call: Call) -> Answer:
    """The committed value."""
    file = _value_file(card, call)
    value = file.value.to_bytes(4, "little", signed=True)
    card.transaction.note(card.application, bytes([call.ins]) + call.parameters + value)
    return Answer(value)


def credit(card: Powered, call: Call) -> Answer:
    file, change, amount = _pending(card, call)
    require(change.value + amount <= file.upper, BOUNDARY_ERROR)
    return _done(card, call, ValueChange(change.value + amount, change.debited, change.given_back))


def debit(card: Powered, call: Call) -> Answer:
    file, change, amount = _pending(card, call)
    require(change.value - amount >= file.lower, BOUNDARY_ERROR)
    return _done(card, call, ValueChange(change.value - amount, change.debited + amount, change.given_back))


def limited_credit(card: Powered, call: Call) -> Answer:
    """Give back at most what the last debiting transaction took, once, where the file allows it at all."""
    file, change, amount = _pending(card, call)
    require(file.limited_enabled, PERMISSION_DENIED)
    require(change.given_back + amount <= file.limited_credit, BOUNDARY_ERROR)
    require(change.value + amount <= file.upper, BOUNDARY_ERROR)
    return _done(card, call, ValueChange(change.value + amount, change.debited, change.given_back + amount))


def _value_file(card: Powered, call: Call) -> ValueFile:
    file = card.file(call.parameters[0])
    if not isinstance(file, ValueFile):
        raise Refused(PARAMETER_ERROR)
    return file


def _pending(card: Powered, call: Call) -> tuple[ValueFile, ValueChange, int]:
    file = _value_file(card, call)
    amount = int.from_bytes(call.parameters[1:5], "little", signed=True)
    require(amount >= 0, PARAMETER_ERROR)
    change = card.transaction.changes.get(call.parameters[0])
    return file, change if isinstance(change, ValueChange) else ValueChange(file.value), amount


def _done(card: Powered, call: Call, change: ValueChange) -> Answer:
    card.transaction.changes[call.parameters[0]] = change
    card.transaction.note(card.application, bytes([call.ins]) + call.parameters)
    return Answer()
