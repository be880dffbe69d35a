"""How often passes were used, without following anybody: three tables a year, published once.

What is counted is written at the event: a posting is of a day, a venue and an offer, and of no pass. So these are
counts of taps, not of people; one who comes ten times makes a cell of ten. That is why no table is finer than a
category in a quarter or a venue in a year. Tables and periods are fixed, and the smallest count is the city's. A year
is published when its last journals can be in, and what was published is kept: no second table with other margins can
be taken from it.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from backend.calendar import Calendar
from backend.config import Config
from backend.errors import NotFound, ReportRefused
from backend.offers import GRACE
from backend.people import named
from backend.reports.reach import Reach, read
from backend.reports.suppression import Counts, suppressed
from backend.store import Store, Transaction

_MONTHS = range(1, 13)
_QUARTERS = range(1, 5)


@dataclass(frozen=True)
class StatisticsTable:
    """`rows`: a label, and a count for each column; None is one that is not shown."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int | None, ...]], ...]


@dataclass(frozen=True)
class YearStatistics:
    """The tables of one calendar year, as they were published: by month, by category and quarter, by venue."""

    scheme: str
    year: int
    minimum: int
    published_by: str
    published_at: datetime
    tables: tuple[StatisticsTable, ...]


class StatisticsService:
    """Of one municipality."""

    def __init__(self, store: Store, config: Config, calendar: Calendar) -> None:
        self._store = store
        self._config = config
        self._calendar = calendar

    def of(self, year: int) -> YearStatistics:
        """What was published; raises NotFound."""
        with self._store.reading() as tx:
            row = tx.statistics.published(year)
        if row is None:
            raise NotFound("statistics", f"The statistics of {year} are not published yet.")
        tables = tuple(
            StatisticsTable(
                each["name"], tuple(each["columns"]), tuple((label, tuple(counts)) for label, counts in each["rows"])
            )
            for each in json.loads(row.content)
        )
        scheme = self._config.municipality.name
        return YearStatistics(scheme, year, row.minimum, row.published_by, row.published_at, tables)

    def publish(self, year: int, by: str, reach: bytes | None = None) -> YearStatistics:
        """Make the tables of a year, once and for good. Raises ReportRefused when it is too early or done already.

        `reach`: the file of the desk with its count of passes, for the reach of the scheme.
        """
        by, may_on = named(by), date(year, 12, 31) + GRACE
        counted = read(reach, self._config.municipality.number, year) if reach is not None else None
        minimum = self._config.statistics_minimum
        if self._calendar.today() <= may_on:
            text = f"The statistics of {year} can be published after {may_on}: until then taps of it may come in."
            raise ReportRefused("too early", text)
        with self._store.transaction() as tx:
            if tx.statistics.published(year) is not None:
                raise ReportRefused("published", f"The statistics of {year} are published, and stay as they are.")
            made = [asdict(each) for each in [*self._tables(tx, year, minimum), *_reach(counted, minimum)]]
            values = {"year": year, "minimum": minimum, "published_by": by, "published_at": self._calendar.now()}
            tx.statistics.publish(values | {"content": json.dumps(made, ensure_ascii=False)})
        return self.of(year)

    def _tables(self, tx: Transaction, year: int, minimum: int) -> list[StatisticsTable]:
        cube = Cube(
            self._counted(tx, year), [(row.venue, self._category(row.purse)) for row in tx.statistics.offered()]
        )
        counts = cube.counts()
        hidden = suppressed(counts, minimum)
        shown = {name: None if name in hidden else counts.value(members) for name, members in counts.shown.items()}
        names = {row.number: row.name for row in tx.catalogue.venues()}
        categories = sorted({category for _, category in cube.kinds})
        venues = sorted({venue for venue, _ in cube.kinds})
        quarters = tuple(f"Q{quarter}" for quarter in _QUARTERS)
        by_quarter = [
            (category, (*(shown[f"{category}/Q{quarter}"] for quarter in _QUARTERS), shown[f"category {category}"]))
            for category in categories
        ]
        totals = (*(shown[f"quarter {quarter}"] for quarter in _QUARTERS), shown["total"])
        return [
            StatisticsTable(
                "month", ("taps",), tuple((f"{month:02d}", (shown[f"month {month}"],)) for month in _MONTHS)
            ),
            StatisticsTable("category", (*quarters, "year"), (*by_quarter, ("total", totals))),
            StatisticsTable(
                "venue",
                ("year",),
                (*((names[venue], (shown[f"venue {venue}"],)) for venue in venues), ("total", (shown["total"],))),
            ),
        ]

    def _counted(self, tx: Transaction, year: int) -> dict[tuple[int, str, int], int]:
        """By venue, category and month. More reversals than taps in one of them count as none."""
        found: dict[tuple[int, str, int], int] = defaultdict(int)
        for row in tx.statistics.taps(date(year, 1, 1), date(year, 12, 31)):
            found[row.venue, self._category(row.purse), int(row.month)] += int(row.times)
        return {cell: max(0, times) for cell, times in found.items()}

    def _category(self, purse: int) -> str:
        held = self._config.purses.get(purse)
        return "other" if held is None else held.category or held.name


def _reach(counted: Reach | None, minimum: int) -> list[StatisticsTable]:
    """The one row of it is the day of counting: it says nothing of another day."""
    if counted is None:
        return []
    shown = None if 0 < (counted.passes or 0) < minimum else counted.passes
    return [StatisticsTable("reach", ("passes in use",), ((counted.counted_on.isoformat(), (shown,)),))]


class Cube:
    """Every venue, category and month that there can be taps of, and all their sums."""

    def __init__(self, counted: Mapping[tuple[int, str, int], int], offered: list[tuple[int, str]]) -> None:
        self.kinds = sorted(set(offered))
        self._cells = [(venue, category, month) for venue, category in self.kinds for month in _MONTHS]
        self._values = [counted.get(cell, 0) for cell in self._cells]

    def counts(self) -> Counts:
        """What is to be published of it, and what must stay unknown."""
        quarters = {month: f"Q{(month + 2) // 3}" for month in _MONTHS}
        shown: dict[str, list[int]] = {f"month {month}": [] for month in _MONTHS}
        shown |= {f"quarter {quarter}": [] for quarter in _QUARTERS} | {"total": []}
        sums: dict[Any, list[int]] = defaultdict(list)
        for place, (venue, category, month) in enumerate(self._cells):
            quarter = quarters[month]
            for name in (f"month {month}", f"quarter {quarter[1]}", "total"):
                shown[name].append(place)
            for name in (f"{category}/{quarter}", f"category {category}", f"venue {venue}"):
                shown.setdefault(name, []).append(place)
            secrets = ((venue, category, month), (venue, category, quarter), (venue, category), (category, month))
            for key in (*secrets, (venue, None, month), (venue, None, quarter)):
                sums[key].append(place)
        return Counts(
            self._values,
            {name: tuple(members) for name, members in shown.items()},
            self._lines(),
            [tuple(members) for members in sums.values()],
        )

    def _lines(self) -> list[tuple[str, tuple[str, ...]]]:
        categories = sorted({category for _, category in self.kinds})
        lines = [("total", tuple(f"month {month}" for month in _MONTHS))]
        lines += [("total", tuple(f"quarter {quarter}" for quarter in _QUARTERS))]
        lines += [("total", tuple(f"category {category}" for category in categories))]
        lines += [("total", tuple(sorted({f"venue {venue}" for venue, _ in self.kinds})))]
        for quarter in _QUARTERS:
            months = tuple(f"month {month}" for month in _MONTHS if (month + 2) // 3 == quarter)
            lines += [(f"quarter {quarter}", months)]
            lines += [(f"quarter {quarter}", tuple(f"{category}/Q{quarter}" for category in categories))]
        return lines + [
            (f"category {category}", tuple(f"{category}/Q{quarter}" for quarter in _QUARTERS))
            for category in categories
        ]
