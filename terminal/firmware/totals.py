"""What a day brought: how many taps, and how much of each unit, read back from the journal."""

from card.batch import COMMITTED
from card.record import TAP, ClearRecord
from terminal.firmware.errors import FlashError

# A day's entries are read back one by one; a venue that has more than this asks its statement.
MOST_ENTRIES = 4000


class Totals:
    """`by_unit`: `{unit: [taps, sum]}`, what was put back taken off again. `doubts`: taps whose end is not known yet.

    `journal` and `bundle` may be None.
    """

    def __init__(self, journal, day, bundle):
        self.by_unit: dict[str, list[int]] = {}
        self.doubts = 0
        if journal is None or bundle is None:
            return
        self.doubts = len([doubt for doubt in journal.doubts if doubt.record.day == day])
        for record in _committed_on(journal, day):
            sign = 1 if record.kind == TAP else -1
            for purse, amount in record.debits():
                line = self.by_unit.setdefault(bundle.units.get(str(purse), "item"), [0, 0])
                line[0] += sign
                line[1] += sign * amount


def _committed_on(journal, day):
    """Backwards from the last entry: a committed one is written on its own day, so the day before ends it."""
    for position in range(journal.count, max(0, journal.count - MOST_ENTRIES), -1):
        try:
            entry = journal._entry(position)
        except FlashError:
            continue
        if entry[0] == COMMITTED:
            record = ClearRecord.from_bytes(entry[1:43])
            if record.day != day:
                return
            yield record


def pages(shift, books):
    """`[(line 1, line 2)]` for the screen; with several municipalities each page says whose it is."""
    made = []
    for book in books:
        found, whose = Totals(book.journal, book.days.today, book.bundle), ""
        if len(books) > 1 and book.bundle is not None:
            whose = book.bundle.municipality + ": "
        for unit in sorted(found.by_unit):
            taps, amount = found.by_unit[unit]
            made.append((whose + shift.words("today") % taps, shift.amount(unit, amount)))
        if found.doubts:
            made.append((whose + shift.words("in doubt") % found.doubts, shift.words("once more")))
    return made
