"""The table of states in terminal/firmware/README.md, made by calling every state with every event.

python -m tests.terminal.state_table     writes it
"""

import itertools
from pathlib import Path
from types import SimpleNamespace

from terminal.firmware import app, offers, staff
from terminal.firmware.results import REVERSED, SAME_AGAIN, SENTENCES, YES, Result
from terminal.firmware.shift import KEY, RESULT, TICK, Shift
from tests.city import CENTS, DAY, ISSUER, OFFERS

README = Path(__file__).parents[2] / "terminal/firmware/README.md"
BEGIN, END = "<!-- states: python -m tests.terminal.state_table -->\n", "<!-- end of states -->"

STATES = (
    staff.choosing_pin,
    staff.repeating_pin,
    staff.setting,
    staff.opening,
    staff.checking,
    staff.waiting,
    app.choosing,
    app.pricing,
    app.armed,
    app.reversing,
    app.showing,
    staff.menu,
    staff.counting,
    staff.totals,
    staff.closing,
)
KEYS = {"digits": "0123456789", "`#`": "#", "`*`": "*", "`A`": "A", "`B`": "B", "`C`": "C", "`D`": "D"}
COLUMNS = (*KEYS, "second", "result")


# What a state reads of a bundle, with a fixed price and a typed one, and of a record.
BUNDLE = SimpleNamespace(issuer=ISSUER, units={str(CENTS): "cent"}, offers=OFFERS[:2])
RECORD = SimpleNamespace(purse1=CENTS, discount=0, copayment=0)


def shifts(state):
    """Every shift that can be in a state, as far as it makes a difference."""
    lines = offers.menu([BUNDLE])
    chosen = {app.pricing: [lines[1]], app.armed: lines, app.showing: [*lines, None]}.get(state, [None])
    for typed, line, key, has_pin, changes, code, pages in itertools.product(
        ("", "1", "2", "8149", "1234"), chosen, (None, b"key"), (True, False), (True, False), (YES, SAME_AGAIN), (1, 2)
    ):
        if changes and key is None:
            continue
        shift = Shift()
        shift.menu, shift.bundles = lines, {ISSUER: BUNDLE}
        shift.typed, shift.line, shift.key, shift.has_pin = typed, line, key, has_pin
        shift.changes_pin, shift.code, shift.pin = changes, code if line else REVERSED, "8149"
        shift.pages = [("", "")] * pages
        shift.orders = line.orders(DAY) if line else {}
        yield shift


def results(state):
    """What the device can answer in a state."""
    if state is staff.counting:
        return [[], [("", "")]]
    made = [Result(code, RECORD, 100) for code in SENTENCES]
    for result in made:
        result.bundle = BUNDLE
    if state is app.reversing:
        return [result for result in made if result.code != "24"]
    return made


def events(state, column):
    if column in KEYS:
        return [(KEY, key) for key in KEYS[column]]
    return [(TICK, left) for left in (0, 7)] if column == "second" else [(RESULT, one) for one in results(state)]


def reached(state, column):
    """The names of the other states that an event of this kind can lead to."""
    found = set()
    for event, value in events(state, column):
        for shift in shifts(state):
            after, screen = state(shift, event, value)
            assert screen is None or len(screen) == 3
            if after is not state:
                found.add(after.__name__)
    return found


def table():
    order = [state.__name__ for state in STATES]
    rows = [f"| state | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for state in STATES:
        cells = [" or ".join(sorted(reached(state, column), key=order.index)) for column in COLUMNS]
        rows.append(f"| {state.__name__} | {' | '.join(cells)} |".replace("|  ", "| "))
    return "\n".join(rows) + "\n"


def main():
    text = README.read_text()
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    README.write_text(before + table() + after)


if __name__ == "__main__":
    main()
