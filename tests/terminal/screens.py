"""Every screen that the application can show, in the words of the application itself."""

from typing import ClassVar

from card.record import REVERSAL, TAP, ClearRecord
from terminal.firmware import app
from terminal.firmware.results import PURSE_TOO_SMALL, REVERSED, SENTENCES, YES, Result
from tests.city import DAY, OFFERS, TERMINAL, VISITS

LONG_NAME = "Kinderfeestje met glijbaan, patat en één ijsje voor de hele klas en alle ouders"
# What belongs to the same display and is not asked of the application here: the shift of the staff.
OF_THE_SHIFT = (
    ("opening", "", (("Typ de pincode en druk #", "Type the PIN and press #"), ("", ""))),
    ("opening", "", (("Typ de pincode en druk #", "Type the PIN and press #"), ("••••", "••••"))),
    ("waiting", "", (("Te vaak fout. Wacht", "Wrong too often. Wait"), ("30 s", "30 s"))),
    ("totals", "", (("Vandaag 23 keer", "Today 23 times"), ("€ 92,00", "€ 92,00"))),
    ("menu", "", (("1 Dagtotaal 2 Taal 3 Sluiten", "1 Day total 2 Language 3 Close"), ("", ""))),
)


class _Bundle:
    offers: ClassVar = [*OFFERS, {**OFFERS[0], "n": 16, "name": LONG_NAME, "amount": 99999}]
    units: ClassVar = {"1": "cent", "2": "cent", "4": "visit"}


def screens(language: int) -> list[tuple[str, str, tuple[str, str]]]:
    """`(state, code, lines)` of each, from switching on to the last of the results."""
    shown: list[tuple[str, str, tuple[str, str]]] = []
    shift = app.Shift(language, _Bundle)

    def typed(keys):
        for at, key in enumerate(keys):
            # Of a number that is typed, only the last screen.
            walk(app.KEY, key, keep=not keys[at : at + 2].isdigit() or at + 1 == len(keys))

    def walk(event, value, keep=True):
        nonlocal state
        state, screen = state(shift, event, value)
        code = value.code if event == app.RESULT else ""
        if keep and screen is not None and (state.__name__, code, screen) not in shown:
            shown.append((state.__name__, code, screen))

    state, first = app.start(shift)
    shown.append((state.__name__, "", first))
    typed("9#")
    typed("2#850#")
    typed("*6#")
    typed("*A")
    typed("*3#99999#")
    for code in sorted(SENTENCES):
        typed("*1#")
        walk(app.RESULT, _result(code))
    # Somebody pays the rest: also as much as can be.
    for price, discount in ((2050, 1000), (99999, 50000)):
        typed("*3#850#")
        walk(app.RESULT, Result(YES, _record(TAP, discount, price - discount), 12))
        typed("*A")
        walk(app.RESULT, Result(REVERSED, _record(REVERSAL, discount, price - discount), 12))
    typed("*3#850#")
    walk(app.RESULT, Result(YES, _record(TAP, 0, 0, VISITS), 12))
    return shown + [(name, code, (lines[0][language], lines[1][language])) for name, code, lines in OF_THE_SHIFT]


def _record(kind, discount=0, copayment=0, purse=1):
    price = discount + copayment
    return ClearRecord(kind, TERMINAL, 1, DAY, 11, purse, 400, price=price, discount=discount, copayment=copayment)


def _result(code):
    if code in (YES, REVERSED):
        return Result(code, _record(TAP), 1600)
    return Result(code, left=300 if code == PURSE_TOO_SMALL else None)
