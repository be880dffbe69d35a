"""Commit, abort, and the reader's name for the transaction MAC."""

from hardware.emulated_pass.command import Call
from hardware.emulated_pass.messaging import Answer
from hardware.emulated_pass.model import FREE, NEVER
from hardware.emulated_pass.powered import Powered
from hardware.emulated_pass.status import (
    AUTHENTICATION_ERROR,
    LENGTH_ERROR,
    NO_CHANGES,
    PARAMETER_ERROR,
    PERMISSION_DENIED,
    Refused,
    require,
)

RETURN_MAC = 0x01


def commit_transaction(card: Powered, call: Call) -> Answer:
    """All changes of all files in one write of the memory. Option 01 returns the new counter and transaction MAC."""
    option = call.parameters[0] if call.parameters else 0
    application, transaction = card.application, card.transaction
    # The option came with the transaction MAC: an EV1 takes no parameter at all.
    require(not call.parameters or card.picc.generation != "EV1", LENGTH_ERROR)
    require(option <= RETURN_MAC, PARAMETER_ERROR)
    # That option 01 is refused without a transaction MAC file is known; the status is our choice.
    require(option != RETURN_MAC or application.transaction_mac() is not None, PARAMETER_ERROR)
    transaction.check(application)
    with card.memory.writing():
        transaction.apply(application)
    card.abort_transaction()
    counted = application.transaction_mac()
    if option != RETURN_MAC or counted is None:
        return Answer()
    return Answer(counted.counter.to_bytes(4, "little") + counted.mac)


def abort_transaction(card: Powered, call: Call) -> Answer:
    require(not card.transaction.empty, NO_CHANGES)
    card.abort_transaction()
    return Answer()


def commit_reader_id(card: Powered, call: Call) -> Answer:
    """Name the reader; an authenticated one is given EncTMRI, the encrypted name of the reader before it."""
    application, transaction = card.application, card.transaction
    file = application.transaction_mac()
    if file is None or file.rights.read_write == NEVER:
        raise Refused(PERMISSION_DENIED)
    right = file.rights.read_write
    if right != FREE:
        require(card.session is not None and card.session.key_no == right, AUTHENTICATION_ERROR)
    require(not file.exhausted, PERMISSION_DENIED)
    # What a second name in one transaction does is not published; we refuse it.
    require(transaction.reader is None, PERMISSION_DENIED)
    transaction.reader = call.parameters
    if card.session is None:
        transaction.note(application, bytes([call.ins]) + call.parameters)
        return Answer()
    previous = transaction.encrypted_previous_reader(file)
    transaction.note(application, bytes([call.ins]) + call.parameters + previous)
    return Answer(previous)
