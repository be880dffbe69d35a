"""What the states of a terminal share: the events, the keys, the words, and what is remembered between two events."""

from terminal.firmware.results import SENTENCES
from terminal.firmware.texts import DUTCH, Texts

KEY = "key"
RESULT = "result"
TICK = "tick"

YES_KEY = "#"
BACK_KEY = "*"
REVERSE_KEY = "A"
ONCE_MORE_KEY = "B"
MENU_KEY = "D"

_WORDS = Texts("""
choose|Kies een aanbod en druk #|Choose an offer and press #
price|Typ de prijs (8,50 = 850) en druk #|Type the price (8.50 = 850) and press #
hold|Houd de pas tegen de lezer|Hold the pass against the reader
reverse|Terugboeken: houd dezelfde pas tegen de lezer|Put back: hold the same pass against the reader
unknown|Dit aanbod is er niet|There is no such offer
left|Over: %s|Left: %s
had|Er staat nu op: %s|It holds now: %s
pays|Korting %s, gast betaalt %s|Discount %s, guest pays %s
had paid|Gast betaalt: %s|Guest pays: %s
give back|Gast krijgt: %s|Guest gets: %s
point|%d punten|%d points
1 point|1 punt|1 point
visit|%d keer|%d visits
1 visit|1 keer|1 visit
item|%d stuks|%d items
1 item|1 stuk|1 item
menu|1 Dienst sluiten  2 Totalen|1 Close the shift  2 Totals
menu 2|3 English  4 Nieuwe PIN|3 Nederlands  4 New PIN
moment|Een moment|One moment
today|Vandaag: %d keer|Today: %d times
1 today|Vandaag: 1 keer|Today: once
nothing|Vandaag nog niets|Nothing yet today
in doubt|Niet zeker: %d|In doubt: %d
once more|Houd die pas nog een keer tegen de lezer|Hold that pass against the reader again
pin|Typ de PIN en druk #|Type the PIN and press #
new pin|Kies een PIN van 4 tot 8 cijfers en druk #|Choose a PIN of 4 to 8 digits and press #
repeat pin|Typ de PIN nog een keer en druk #|Type the PIN again and press #
wait|Wacht %d seconden|Wait %d seconds
1 wait|Wacht 1 seconde|Wait 1 second
""")


class Shift:
    """What the states remember between two events.

    `key`: what the PIN opened, None while the shift is closed.
    `menu` has the lines of `terminal.firmware.offers`, `bundles` the Bundle of each municipality by its number.
    """

    def __init__(self, language=DUTCH):
        self.language = language
        self.menu = []
        self.bundles = {}
        self.typed = ""
        self.pin = ""
        self.has_pin = False
        self.changes_pin = False
        self.key = None
        self.line = None
        self.price = 0
        self.orders = {}
        self.code = ""
        self.pages = []

    @property
    def is_open(self):
        return self.key is not None

    def words(self, name):
        return _WORDS[name][self.language]

    def say(self, name, second=""):
        """A screen that is no result."""
        return "", self.words(name), second

    def said(self, code, second=""):
        """The screen of a result."""
        return code, SENTENCES[code][self.language], second

    def type(self, key, most):
        """Take a digit, as long as there is room for one."""
        if "0" <= key <= "9" and len(self.typed) < most:
            self.typed += key

    def line_typed(self):
        """The line of the menu that the typed number stands for, or None."""
        number = int(self.typed or "0")
        return self.menu[number - 1] if 1 <= number <= len(self.menu) else None

    def amount(self, unit, number):
        """An amount in words."""
        return euro(number) if unit == "cent" else self.counted(unit, number)

    def counted(self, name, number):
        """The words for so many, which may be one."""
        return self.words("1 " + name if number == 1 else name).replace("%d", str(number))


def euro(cents):
    return "€ %d,%02d" % (cents // 100, cents % 100)
