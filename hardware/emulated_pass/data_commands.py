"""Reading and writing: data files and record files. Each successful command is noted for the transaction MAC."""

from hardware.emulated_pass.command import Call
from hardware.emulated_pass.messaging import Answer
from hardware.emulated_pass.model import DataFile, RecordFile, TransactionMacFile
from hardware.emulated_pass.powered import Powered
from hardware.emulated_pass.status import (
    BOUNDARY_ERROR,
    LENGTH_ERROR,
    PARAMETER_ERROR,
    PERMISSION_DENIED,
    Refused,
    require,
)
from hardware.emulated_pass.transaction import DataChange, RecordChange


def read_data(card: Powered, call: Call) -> Answer:
    """What is committed; length 0 reads to the end. The transaction MAC file reads as counter and MAC."""
    number, offset, length = call.parameters[0], call.number(1, 3), call.number(4, 3)
    file = card.file(number)
    match file:
        case DataFile():
            contents = file.data
        case TransactionMacFile():
            contents = file.counter.to_bytes(4, "little") + file.mac
        case _:
            raise Refused(PARAMETER_ERROR)
    require(offset + length <= len(contents) and offset < len(contents), BOUNDARY_ERROR)
    data = contents[offset : offset + length if length else len(contents)]
    if isinstance(file, DataFile):
        _note(card, call.ins, call.parameters[:4] + len(data).to_bytes(3, "little"), data)
    return Answer(data, open_ended=not length)


def write_data(card: Powered, call: Call) -> Answer:
    """A standard file changes at once, a backup file on commit."""
    number, offset = call.parameters[0], call.number(1, 3)
    data = _declared(call, 7)
    file = card.file(number)
    require(not isinstance(file, TransactionMacFile), PERMISSION_DENIED)
    if not isinstance(file, DataFile):
        raise Refused(PARAMETER_ERROR)
    require(bool(data), PARAMETER_ERROR)
    require(offset + len(data) <= len(file.data), BOUNDARY_ERROR)
    pending = card.transaction.changes.get(number)
    image = _patched(pending.image if isinstance(pending, DataChange) else file.data, offset, data)
    if file.backup:
        card.transaction.changes[number] = DataChange(image)
    else:
        with card.memory.writing():
            file.data = image
    _note(card, call.ins, call.parameters[:7], data)
    return Answer()


def write_record(card: Powered, call: Call) -> Answer:
    """All writes to one file within a transaction build the same new record."""
    number, offset = call.parameters[0], call.number(1, 3)
    data = _declared(call, 7)
    file = _record_file(card, number)
    change = _change(card, number)
    require(not change.cleared, PERMISSION_DENIED)
    require(bool(data), PARAMETER_ERROR)
    require(offset + len(data) <= file.record_size, BOUNDARY_ERROR)
    require(file.cyclic or len(file.records) < file.maximum, BOUNDARY_ERROR)
    started = bytes(file.record_size) if change.record is None else change.record
    card.transaction.changes[number] = RecordChange(_patched(started, offset, data))
    _note(card, call.ins, call.parameters[:7], data)
    return Answer()


def read_records(card: Powered, call: Call) -> Answer:
    """`count` committed records ending with number `first` before the newest (0), oldest first; 0 reads all of them."""
    number, first, count = call.parameters[0], call.number(1, 3), call.number(4, 3)
    file = _record_file(card, number)
    newest = len(file.records) - first
    require(newest > 0 and count <= newest, BOUNDARY_ERROR)
    chosen = file.records[newest - (count or newest) : newest]
    data = b"".join(chosen)
    _note(card, call.ins, call.parameters[:4] + len(chosen).to_bytes(3, "little"), data)
    return Answer(data, open_ended=not count)


def clear_record_file(card: Powered, call: Call) -> Answer:
    number = call.parameters[0]
    _record_file(card, number)
    card.transaction.changes[number] = RecordChange(cleared=True)
    card.transaction.note(card.application, bytes([call.ins, number]))
    return Answer()


def _record_file(card: Powered, number: int) -> RecordFile:
    file = card.file(number)
    if not isinstance(file, RecordFile):
        raise Refused(PARAMETER_ERROR)
    return file


def _change(card: Powered, number: int) -> RecordChange:
    change = card.transaction.changes.get(number)
    return change if isinstance(change, RecordChange) else RecordChange()


def _declared(call: Call, header: int) -> bytes:
    """The data after the header, exactly as many as its last three bytes say (else 7E)."""
    data = call.parameters[header:]
    require(len(data) == call.number(header - 3, 3), LENGTH_ERROR)
    return data


def _patched(old: bytes, offset: int, data: bytes) -> bytes:
    return old[:offset] + data + old[offset + len(data) :]


def _note(card: Powered, ins: int, header: bytes, data: bytes) -> None:
    """Header and data are padded apart: each starts a block of the transaction MAC input."""
    card.transaction.note(card.application, bytes([ins]) + header)
    card.transaction.note(card.application, data)
