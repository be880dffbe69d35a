"""The states of a terminal that are for staff alone: the PIN that opens a shift, and the menu."""

from terminal.firmware.app import start
from terminal.firmware.results import PIN_SET, PIN_TOO_EASY, PINS_DIFFER, SHIFT_CLOSED, SHIFT_OPEN, TOO_MANY_WRONG
from terminal.firmware.shift import BACK_KEY, KEY, RESULT, TICK, YES_KEY
from terminal.firmware.texts import DUTCH, ENGLISH

_LEAST_DIGITS = 4
_MOST_DIGITS = 8

# A shift is opened with the PIN


def switched_on(shift):
    """The state that a terminal begins in, and that a forgotten PIN leads to."""
    shift.typed = shift.pin = ""
    if not shift.has_pin:
        return choosing_pin, shift.say("new pin")
    return opening, shift.say("pin")


def opening(shift, event, value):
    """Digits are the PIN. In an open shift the way to another PIN."""
    if event != KEY:
        return opening, None
    if value == BACK_KEY:
        shift.changes_pin = False
        return start(shift) if shift.is_open else switched_on(shift)
    if value != YES_KEY:
        return opening, _dots(shift, value)
    if len(shift.typed) < _LEAST_DIGITS:
        shift.typed = ""
        return opening, shift.say("pin")
    shift.pin, shift.typed = shift.typed, ""
    return checking, shift.say("moment")


def checking(shift, event, value):
    """The device tries the PIN, which takes about a second."""
    if event != RESULT:
        return checking, None
    shift.pin = ""
    if value.code == TOO_MANY_WRONG:
        shift.changes_pin = False
        return waiting, shift.said(value.code)
    if value.code != SHIFT_OPEN:
        shift.changes_pin = False
        return opening, shift.said(value.code, shift.words("pin"))
    if shift.changes_pin:
        shift.changes_pin = False
        return choosing_pin, shift.say("new pin")
    state, (_, choose, _) = start(shift)
    return state, shift.said(SHIFT_OPEN, choose)


def waiting(shift, event, value):
    """After too many wrong PINs; `value` of a tick is how many seconds are left."""
    if event != TICK:
        return waiting, None
    if value > 0:
        return waiting, ("", shift.counted("wait", value), "")
    return switched_on(shift)


def choosing_pin(shift, event, value):
    """Digits are a new PIN."""
    if event != KEY:
        return choosing_pin, None
    if value == BACK_KEY:
        return start(shift) if shift.is_open else switched_on(shift)
    if value != YES_KEY:
        return choosing_pin, _dots(shift, value)
    shift.pin, shift.typed = shift.typed, ""
    if len(shift.pin) < _LEAST_DIGITS:
        return choosing_pin, shift.say("new pin")
    if _is_easy(shift.pin):
        return choosing_pin, shift.said(PIN_TOO_EASY)
    return repeating_pin, shift.say("repeat pin")


def repeating_pin(shift, event, value):
    """Once more, so that nobody locks himself out."""
    if event != KEY:
        return repeating_pin, None
    if value not in (YES_KEY, BACK_KEY):
        return repeating_pin, _dots(shift, value)
    typed, shift.typed = shift.typed, ""
    if value == BACK_KEY:
        return choosing_pin, shift.say("new pin")
    if typed != shift.pin:
        return choosing_pin, shift.said(PINS_DIFFER, shift.words("new pin"))
    return setting, shift.say("moment")


def setting(shift, event, value):
    """The device keeps the new PIN, and the shift is open."""
    if event != RESULT:
        return setting, None
    shift.pin = ""
    if value.code != PIN_SET:
        return choosing_pin, shift.said(value.code, shift.words("new pin"))
    shift.has_pin = True
    state, (_, choose, _) = start(shift)
    return state, shift.said(PIN_SET, choose)


# What staff do beside taps


def enter(shift):
    """From the guests to the menu."""
    start(shift)
    return menu, ("", shift.words("menu"), shift.words("menu 2"))


def menu(shift, event, value):
    """What staff do beside taps."""
    if event != KEY:
        return menu, None
    if value == "1":
        return closing, shift.say("moment")
    if value == "2":
        return counting, shift.say("moment")
    if value == "3":
        shift.language = DUTCH if shift.language == ENGLISH else ENGLISH
        return start(shift)
    if value == "4":
        # Who wants another PIN shows that he knows this one.
        shift.changes_pin = True
        return opening, shift.say("pin")
    return start(shift) if value == BACK_KEY else (menu, None)


def closing(shift, event, value):
    """The device forgets what opens passes."""
    if event != RESULT:
        return closing, None
    start(shift)
    return opening, shift.said(SHIFT_CLOSED, shift.words("pin"))


def counting(shift, event, value):
    """The device adds up the day, and gives pages of two lines each."""
    if event != RESULT:
        return counting, None
    shift.pages = value or [(shift.words("nothing"), "")]
    return totals, ("",) + shift.pages[0]


def totals(shift, event, value):
    """A page stays until somebody asks for the next."""
    if event != KEY or value not in (YES_KEY, BACK_KEY):
        return totals, None
    shift.pages = shift.pages[1:]
    if value == BACK_KEY or not shift.pages:
        return start(shift)
    return totals, ("",) + shift.pages[0]


def _dots(shift, key):
    shift.type(key, _MOST_DIGITS)
    return "", "•" * len(shift.typed), ""


def _is_easy(pin):
    """Whether somebody would try this PIN first: one digit all along, or digits that count up."""
    steps = [ord(pin[at + 1]) - ord(pin[at]) for at in range(len(pin) - 1)]
    return steps == [0] * len(steps) or steps == [1] * len(steps)
