"""The states of a terminal. A state is a function: key or result in, next state and screen out.

The loop around them owns reader, screen, clock and link. Keys: 0-9, `#` yes, `*` back, `A` put the last tap back.
"""

from terminal.firmware.results import AGAIN, DUTCH, PURSE_TOO_SMALL, REVERSED, SAME_AGAIN, SENTENCES, YES

KEY = "key"
RESULT = "result"

YES_KEY = "#"
BACK_KEY = "*"
REVERSE_KEY = "A"

_MOST_CENTS = 99999

_WORDS = {
    "choose": ("Kies een aanbod en druk #", "Choose an offer and press #"),
    "price": ("Typ de prijs (8,50 = 850) en druk #", "Type the price (8.50 = 850) and press #"),
    "hold": ("Houd de pas tegen de lezer", "Hold the pass against the reader"),
    "reverse": ("Terugboeken: houd dezelfde pas tegen de lezer", "Put back: hold the same pass against the reader"),
    "unknown": ("Dit aanbod is er niet", "There is no such offer"),
    "left": ("Over: %s", "Left: %s"),
    "had": ("Er staat nu op: %s", "It holds now: %s"),
    "pays": ("Korting %s, gast betaalt %s", "Discount %s, guest pays %s"),
    "point": ("%d punten", "%d points"),
    "visit": ("%d keer", "%d times"),
    "item": ("%d stuks", "%d items"),
}


class Shift:
    """What the states remember between two events."""

    def __init__(self, language=DUTCH):
        self.language = language
        self.menu = []
        self.bundles = {}
        self.typed = ""
        self.line = None
        self.orders = {}

    def words(self, name):
        return _WORDS[name][self.language]

    def line_typed(self):
        """The line of the menu that the typed number stands for, or None."""
        number = int(self.typed or "0")
        return self.menu[number - 1] if 1 <= number <= len(self.menu) else None

    def amount(self, bundle, purse, number):
        """An amount of a purse in words."""
        unit = bundle.units[str(purse)]
        return euro(number) if unit == "cent" else self.words(unit) % number


def euro(cents):
    return "€ %d,%02d" % (cents // 100, cents % 100)


def start(shift):
    """The state after switching on or after `back`."""
    shift.typed = ""
    shift.line, shift.orders = None, {}
    return choosing, (shift.words("choose"), "")


def choosing(shift, event, value):
    """Digits name an offer by its place in the bundle."""
    if event != KEY:
        return choosing, None
    if value == REVERSE_KEY:
        return reversing, (shift.words("reverse"), "")
    if value == BACK_KEY:
        return start(shift)
    if value != YES_KEY:
        _type(shift, value, 2)
        # So that it can be seen before it is chosen.
        line = shift.line_typed()
        return choosing, (shift.typed, line.name if line else "")
    shift.line = shift.line_typed()
    shift.typed = ""
    if shift.line is None:
        return choosing, (shift.words("unknown"), "")
    return _priced(shift)


def pricing(shift, event, value):
    """Digits are the price in cents."""
    if event != KEY:
        return pricing, None
    if value == BACK_KEY:
        return start(shift)
    if value != YES_KEY:
        _type(shift, value, 5)
        return pricing, (euro(int(shift.typed or "0")), shift.line.name)
    cents = int(shift.typed or "0")
    shift.typed = ""
    if not 0 < cents <= _MOST_CENTS:
        return pricing, (shift.words("price"), shift.line.name)
    return _arm(shift, cents)


def armed(shift, event, value):
    """The reader waits for a pass to charge."""
    if event == RESULT:
        return _after(shift, armed, value)
    return start(shift) if value == BACK_KEY else (armed, None)


def reversing(shift, event, value):
    """The reader waits for the pass of the last tap."""
    if event == RESULT:
        return _after(shift, reversing, value)
    return start(shift) if value == BACK_KEY else (reversing, None)


def showing(shift, event, value):
    """A result stays until somebody has seen it and says so."""
    if event == KEY and value in (YES_KEY, BACK_KEY):
        return start(shift)
    return showing, None


READING = (armed, reversing)


def _type(shift, value, most):
    if "0" <= value <= "9" and len(shift.typed) < most:
        shift.typed += value


def _priced(shift):
    """The state in which the chosen line gets its price, or a pass."""
    if shift.line.needs_price:
        return pricing, (shift.words("price"), shift.line.name)
    return _arm(shift, 0)


def _arm(shift, cents):
    shift.orders = shift.line.orders(cents)
    return armed, (shift.words("hold"), _asked(shift))


def _asked(shift):
    """The name, and what a pass is asked for where that is the same for every municipality."""
    texts = []
    for issuer, order in shift.orders.items():
        text = shift.amount(shift.bundles[issuer], *order.moves[0])
        if text not in texts:
            texts.append(text)
    return "%s %s" % (shift.line.name, texts[0]) if len(texts) == 1 else shift.line.name


def _after(shift, state, result):
    """Torn taps keep the reader armed for the same order; every other result stays on the screen."""
    return (state if result.code == AGAIN else showing), (_sentence(shift, result.code), _detail(shift, result))


def _sentence(shift, code):
    return SENTENCES[code][shift.language]


def _detail(shift, result):
    if result.code == PURSE_TOO_SMALL and result.left is not None:
        purse = shift.orders[result.bundle.issuer].moves[0][0]
        return shift.words("had") % shift.amount(result.bundle, purse, result.left)
    if result.code not in (YES, REVERSED, SAME_AGAIN):
        return ""
    record = result.record
    if record.discount:
        return shift.words("pays") % (euro(record.discount), euro(record.copayment))
    if result.left is None:
        return ""
    return shift.words("left") % shift.amount(result.bundle, record.purse1, result.left)
