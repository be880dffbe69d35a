"""What a day brought: how many taps, and how much of each unit, read back from the journal."""

from card.batch import COMMITTED
from card.record import TAP


class Totals:
    """`by_unit`: `{unit: [taps, sum]}`, what was put back taken off again. `doubts`: taps whose end is not known yet.

    `journal` and `bundle` may be None.
    """

    def __init__(self, journal, day, bundle):
        self.by_unit: dict[str, list[int]] = {}
        self.doubts = 0
        if journal is None or bundle is None:
            return
        for outcome, record in journal.day_entries(day):
            if outcome != COMMITTED:
                self.doubts += 1
                continue
            sign = 1 if record.kind == TAP else -1
            for purse, amount in record.debits():
                line = self.by_unit.setdefault(bundle.units.get(str(purse), "item"), [0, 0])
                line[0] += sign
                line[1] += sign * amount


def pages(shift, books):
    """`[(line 1, line 2)]` for the screen; with several municipalities each page says whose it is."""
    made = []
    for book in books:
        found, whose = Totals(book.journal, book.days.today, book.bundle), ""
        if len(books) > 1 and book.bundle is not None:
            whose = book.bundle.municipality + ": "
        for unit in sorted(found.by_unit):
            taps, amount = found.by_unit[unit]
            made.append((whose + shift.counted("today", taps), shift.amount(unit, amount)))
        if found.doubts:
            made.append((whose + shift.words("in doubt") % found.doubts, shift.words("once more")))
    return made
