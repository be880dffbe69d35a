"""What the device does for staff between two screens: the PIN, the end of a shift, and the totals of the day."""

from terminal.firmware import cards
from terminal.firmware.errors import FlashError, KeyChipError
from terminal.firmware.lock import lock_of
from terminal.firmware.results import (
    KEY_CHIP,
    PIN_SET,
    SHIFT_CLOSED,
    SHIFT_OPEN,
    TERMINAL_FULL,
    TOO_MANY_WRONG,
    WRONG_PIN,
    Result,
)


def do(device, state):
    """What the state of this name waits for."""
    if state == "counting":
        from terminal.firmware import totals

        return totals.pages(device.shift, device.books)
    if state == "closing":
        return close(device)
    try:
        return _check_pin(device) if state == "checking" else _set_pin(device)
    except FlashError:
        return Result(TERMINAL_FULL)
    except KeyChipError:
        return Result(KEY_CHIP)


def close(device):
    """Forget what opens passes."""
    device.shift.key = None
    for book in device.books:
        book.use_cards([], [])
    return Result(SHIFT_CLOSED)


def _check_pin(device):
    close(device)
    lock = lock_of(device)
    key = lock.open(device.shift.pin)
    if key is None:
        device.wait(lock.wait_s)
        return Result(TOO_MANY_WRONG if lock.wait_s else WRONG_PIN)
    _open(device, key)
    return Result(SHIFT_OPEN)


def _set_pin(device):
    shift = device.shift
    _open(device, lock_of(device).set_pin(shift.pin, shift.key, device.board.random))
    return Result(PIN_SET)


def _open(device, key):
    device.shift.key = key
    for book in device.books:
        book.use_cards(*cards.read(book.flash, book.issuer, key))
