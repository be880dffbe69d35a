"""The states of a terminal while it serves guests. A state is a function: key or result in, next state and screen out.

The loop around them owns reader, screen, clock and link. Keys: 0-9, `#` yes, `*` back, `A` put the last tap back, `B`
charge once more, `D` menu. A screen is `(code of a result or "", line 1, line 2)`, None when it stays as it is.
"""

from terminal.firmware import offers
from terminal.firmware.results import AGAIN, BUSY, PURSE_TOO_SMALL, REVERSED, SAME_AGAIN, YES
from terminal.firmware.shift import BACK_KEY, KEY, MENU_KEY, ONCE_MORE_KEY, RESULT, REVERSE_KEY, YES_KEY, euro

# The reader is on in these alone.
READING = ("armed", "reversing")
# In these nobody is being served.
IDLE = ("choosing", "opening", "choosing_pin")
# In these the device does something that takes a moment, and gives its result.
WORKING = ("checking", "setting", "closing", "counting")
# These are told every second.
TICKING = ("waiting",)


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
        from terminal.firmware import staff

        return staff.enter(shift)
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
    """Taps that were cut off keep the reader armed for the same order; every other result stays on the screen."""
    shift.code = result.code
    return (state if result.code in (AGAIN, BUSY) else showing), shift.said(result.code, _detail(shift, result))


def _detail(shift, result):
    if result.code == PURSE_TOO_SMALL and result.left is not None:
        purse = shift.orders[result.bundle.issuer].moves[0][0]
        return shift.words("had") % shift.amount(result.bundle.units[str(purse)], result.left)
    if result.code not in (YES, REVERSED, SAME_AGAIN):
        return ""
    record = result.record
    if record.discount and result.code == YES:
        return shift.words("pays") % (euro(record.discount), euro(record.copayment))
    if record.copayment:
        return shift.words("give back" if result.code == REVERSED else "had paid") % euro(record.copayment)
    if result.left is None:
        return ""
    return shift.words("left") % shift.amount(result.bundle.units[str(record.purse1)], result.left)
