"""The states of a terminal. A state is a function: key, result or tick in, next state and screen out.

The loop around them owns reader, screen, clock and link. Keys: 0-9, `#` yes, `*` back, `A` put the last tap back, `B`
charge once more, `D` menu. A screen is `(code of a result or "", line 1, line 2)`, None when it stays as it is.
"""

from terminal.firmware import lock, offers
from terminal.firmware.results import (
    AGAIN,
    PIN_SET,
    PIN_TOO_EASY,
    PINS_DIFFER,
    PURSE_TOO_SMALL,
    REVERSED,
    SAME_AGAIN,
    SHIFT_CLOSED,
    SHIFT_OPEN,
    TOO_MANY_WRONG,
    YES,
)
from terminal.firmware.shift import (
    BACK_KEY,
    KEY,
    MENU_KEY,
    ONCE_MORE_KEY,
    RESULT,
    REVERSE_KEY,
    TICK,
    YES_KEY,
    euro,
)
from terminal.firmware.texts import DUTCH, ENGLISH

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
        return start(shift) if shift.is_open else switched_on(shift)
    if value != YES_KEY:
        return opening, _dots(shift, value)
    if len(shift.typed) < lock.LEAST_DIGITS:
        shift.typed = ""
        return opening, shift.say("pin")
    shift.pin, shift.typed = shift.typed, ""
    return checking, shift.say("moment")


def checking(shift, event, value):
    """The device tries the PIN, which takes about a second."""
    if event != RESULT:
        return checking, None
    was_open, shift.pin = shift.is_open, ""
    shift.is_open = value.code == SHIFT_OPEN
    if value.code == TOO_MANY_WRONG:
        return waiting, shift.said(value.code)
    if not shift.is_open:
        return opening, shift.said(value.code, shift.words("pin"))
    if was_open:
        return choosing_pin, shift.say("new pin")
    state, (_, choose, _) = start(shift)
    return state, shift.said(SHIFT_OPEN, choose)


def waiting(shift, event, value):
    """After too many wrong PINs; `value` of a tick is how many seconds are left."""
    if event != TICK:
        return waiting, None
    if value > 0:
        return waiting, ("", shift.words("wait") % value, "")
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
    if len(shift.pin) < lock.LEAST_DIGITS:
        return choosing_pin, shift.say("new pin")
    if lock.is_easy(shift.pin):
        return choosing_pin, shift.said(PIN_TOO_EASY, shift.words("new pin"))
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
    shift.has_pin = shift.is_open = True
    state, (_, choose, _) = start(shift)
    return state, shift.said(PIN_SET, choose)


# Guests


def start(shift):
    """The state after opening the shift, or after `back`."""
    shift.typed = shift.code = ""
    shift.line, shift.orders, shift.pages = None, {}, []
    return choosing, shift.say("choose")


def choosing(shift, event, value):
    """Digits name an offer by its place in the menu."""
    if event != KEY:
        return choosing, None
    if value == REVERSE_KEY:
        return reversing, shift.say("reverse")
    if value == MENU_KEY:
        start(shift)
        return menu, ("", shift.words("menu"), shift.words("menu 2"))
    if value == BACK_KEY:
        return start(shift)
    if value != YES_KEY:
        shift.type(value, 2)
        # So that it can be seen before it is chosen.
        line = shift.line_typed()
        return choosing, ("", shift.typed, line.name if line else "")
    shift.line = shift.line_typed()
    shift.typed = ""
    if shift.line is None:
        return choosing, shift.say("unknown")
    return _priced(shift)


def pricing(shift, event, value):
    """Digits are the price in cents."""
    if event != KEY:
        return pricing, None
    if value == BACK_KEY:
        return start(shift)
    if value != YES_KEY:
        shift.type(value, 5)
        return pricing, ("", euro(int(shift.typed or "0")), shift.line.name)
    price = int(shift.typed or "0")
    shift.typed = ""
    if not offers.is_price(price):
        return pricing, shift.say("price", shift.line.name)
    return _arm(shift, price)


def armed(shift, event, value):
    """The reader waits for a pass to charge."""
    if event == RESULT:
        return _after(shift, armed, value)
    return start(shift) if event == KEY and value == BACK_KEY else (armed, None)


def reversing(shift, event, value):
    """The reader waits for the pass of the last tap."""
    if event == RESULT:
        return _after(shift, reversing, value)
    return start(shift) if event == KEY and value == BACK_KEY else (reversing, None)


def showing(shift, event, value):
    """A result stays until somebody has seen it and says so; the next guest of a queue gets the same offer."""
    if event != KEY:
        return showing, None
    if value == ONCE_MORE_KEY and shift.code == SAME_AGAIN:
        return _arm(shift, shift.price, once_more=True)
    if value == YES_KEY and shift.line is not None:
        return _priced(shift)
    return start(shift) if value in (YES_KEY, BACK_KEY) else (showing, None)


# What staff do beside taps


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


# The reader is on in these alone.
READING = (armed, reversing)
# In these the device does something that takes a moment, and gives its result.
WORKING = (checking, setting, closing, counting)


def _priced(shift):
    """The state in which the chosen line gets its price, or a pass."""
    if shift.line.needs_price:
        return pricing, shift.say("price", shift.line.name)
    return _arm(shift, 0)


def _arm(shift, price, once_more=False):
    shift.price = price
    shift.orders = shift.line.orders(price, once_more)
    return armed, shift.say("hold", _asked(shift))


def _asked(shift):
    """The name, and what a pass is asked for where that is the same for every municipality."""
    texts = []
    for issuer, order in shift.orders.items():
        purse, amount = order.moves[0]
        text = shift.amount(shift.bundles[issuer].units[str(purse)], amount)
        if text not in texts:
            texts.append(text)
    return "%s %s" % (shift.line.name, texts[0]) if len(texts) == 1 else shift.line.name


def _after(shift, state, result):
    """Torn taps keep the reader armed for the same order; every other result stays on the screen."""
    shift.code = result.code
    return (state if result.code == AGAIN else showing), shift.said(result.code, _detail(shift, result))


def _detail(shift, result):
    if result.code == PURSE_TOO_SMALL and result.left is not None:
        purse = shift.orders[result.bundle.issuer].moves[0][0]
        return shift.words("had") % shift.amount(result.bundle.units[str(purse)], result.left)
    if result.code not in (YES, REVERSED, SAME_AGAIN):
        return ""
    record = result.record
    if record.discount:
        return shift.words("pays") % (euro(record.discount), euro(record.copayment))
    if result.left is None:
        return ""
    return shift.words("left") % shift.amount(result.bundle.units[str(record.purse1)], result.left)


def _dots(shift, key):
    shift.type(key, lock.MOST_DIGITS)
    return "", "•" * len(shift.typed), ""
