"""Every screen that the application can show, in the words of the application itself."""

from types import SimpleNamespace

from card.record import REVERSAL, TAP, ClearRecord
from terminal.firmware import offers, staff
from terminal.firmware.results import (
    KEY_CHIP,
    PIN_SET,
    PURSE_TOO_SMALL,
    REVERSED,
    SAME_AGAIN,
    SENTENCES,
    SHIFT_CLOSED,
    SHIFT_OPEN,
    TOO_MANY_WRONG,
    WRONG_PIN,
    YES,
    Result,
)
from terminal.firmware.shift import KEY, RESULT, TICK, Shift
from tests.city import DAY, ISSUER, OFFERS, TERMINAL, VISITS

LONG_NAME = "Kinderfeestje met glijbaan, patat en één ijsje voor de hele klas en alle ouders"
BUNDLE = SimpleNamespace(
    issuer=ISSUER,
    offers=[*OFFERS, {**OFFERS[0], "n": 16, "name": LONG_NAME, "amount": 99999}],
    units={"1": "cent", "2": "cent", "4": "visit"},
)
# What a state of the staff waits for; all else is the end of a tap.
OF_THE_SHIFT = [code for code in SENTENCES if code >= "40" or code == KEY_CHIP]


class _Walk:
    """Goes through the application as staff and guests do, and keeps every screen once."""

    def __init__(self, language: int) -> None:
        self.shift = Shift(language)
        self.shift.menu, self.shift.bundles = offers.menu([BUNDLE]), {ISSUER: BUNDLE}
        self.shown: list[tuple[str, str, tuple[str, str]]] = []
        self._enter(*staff.switched_on(self.shift))

    def _enter(self, state, screen, keep=True):
        self._state = state
        if keep and screen is not None and (found := (state.__name__, screen[0], screen[1:])) not in self.shown:
            self.shown.append(found)

    def types(self, keys):
        for at, key in enumerate(keys):
            # Of a number that is typed, only the last screen.
            more = keys[at : at + 2].isdigit() and at + 1 < len(keys)
            self._enter(*self._state(self.shift, KEY, key), keep=not more)

    def gets(self, result, event=RESULT):
        self._enter(*self._state(self.shift, event, result))


def screens(language: int) -> list[tuple[str, str, tuple[str, str]]]:
    """`(state, code, lines)` of each, from the first PIN to the last of the results."""
    walk = _Walk(language)
    _first_shift(walk)
    walk.types("9#")
    walk.types("2#850#")
    walk.types("*6#")
    walk.types("*A")
    walk.types("*3#99999#")
    for code in sorted(code for code in SENTENCES if code not in OF_THE_SHIFT):
        walk.types("*1#")
        walk.gets(_result(code))
    # Somebody pays the rest: also as much as can be.
    for price, discount in ((2050, 1000), (99999, 50000)):
        walk.types("*3#850#")
        walk.gets(_with(Result(YES, _record(TAP, discount, price - discount), 12)))
        walk.types("*A")
        walk.gets(_with(Result(REVERSED, _record(REVERSAL, discount, price - discount), 12)))
        walk.types("*3#850#")
        walk.gets(_with(Result(SAME_AGAIN, _record(TAP, discount, price - discount), 12)))
    for left in (12, 1):
        walk.types("*3#850#")
        walk.gets(_with(Result(YES, _record(TAP, 0, 0, VISITS), left)))
    _menu(walk)
    return walk.shown


def _first_shift(walk):
    walk.types("1234#2580#2581#2580#2580#")
    walk.gets(Result(KEY_CHIP))
    walk.types("2580#2580#")
    walk.gets(Result(PIN_SET))
    walk.shift.has_pin, walk.shift.key = True, b"key"


def _menu(walk):
    walk.types("*D2")
    walk.gets(
        [(walk.shift.counted("today", 23), walk.shift.amount("cent", 9200)), (walk.shift.words("in doubt") % 1, "")]
    )
    walk.types("#*D2")
    walk.gets([])
    walk.types("*D1")
    walk.shift.key = None
    walk.gets(Result(SHIFT_CLOSED))
    for code in (WRONG_PIN, KEY_CHIP, TOO_MANY_WRONG):
        walk.types("1111#")
        walk.gets(Result(code))
    walk.gets(30, TICK)
    walk.gets(0, TICK)
    walk.types("2580#")
    walk.gets(Result(SHIFT_OPEN))


def _record(kind, discount=0, copayment=0, purse=1):
    price = discount + copayment
    return ClearRecord(kind, TERMINAL, 1, DAY, 11, purse, 400, price=price, discount=discount, copayment=copayment)


def _result(code):
    if code in (YES, SAME_AGAIN, REVERSED):
        return _with(Result(code, _record(TAP), 1600))
    return _with(Result(code, left=300 if code == PURSE_TOO_SMALL else None))


def _with(result):
    result.bundle = BUNDLE
    return result
