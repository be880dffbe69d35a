"""Reconciling a year of a city: loads and debits per purse, per venue, and what does not match; beside duckdb.

Both add up the same rows: ours in the database that keeps the books, duckdb in columns of its own made for adding up.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import duckdb
from sqlalchemy import text

from backend.clearing import Clearing
from backend.reports.reconciliation import Reconciliation
from tests.bench.clearing_city import PART

REPEATS = 5
# What our three queries read; duckdb gets these columns.
_TABLES = {"entry": ("terminal", "sequence", "state"), "posting": ("id", "kind", "venue", "records"),
           "transfer": ("posting", "source", "destination", "unit", "amount")}  # fmt: skip

# The same three questions; each moves and counts as ours does.
_DUCK = (
    """SELECT purse, unit, kind, sum(amount) FROM (
         SELECT kind, destination AS purse, unit, amount FROM transfer JOIN posting ON id = posting
         WHERE destination LIKE 'purse:%'
         UNION ALL
         SELECT kind, source, unit, -amount FROM transfer JOIN posting ON id = posting WHERE source LIKE 'purse:%')
       GROUP BY ALL ORDER BY ALL""",
    """SELECT venue, kind, any_value(times), sum(CASE WHEN unit <> 'cent' THEN 0 WHEN destination LIKE 'venue:%'
         THEN amount WHEN source LIKE 'venue:%' THEN -amount ELSE 0 END)
       FROM posting LEFT JOIN transfer ON posting = id
       JOIN (SELECT venue, kind, sum(records) AS times FROM posting GROUP BY ALL) USING (venue, kind)
       GROUP BY ALL ORDER BY ALL""",
    """SELECT terminal, sequence, state FROM entry WHERE state IN ('received', 'in_doubt', 'rejected') ORDER BY ALL""",
)


def reconcile(clearing: Clearing) -> dict[str, object]:
    """Seconds of both over a filled city, and the median of ours divided by that of duckdb, which has a file."""
    duck = duckdb.connect(str(clearing.config.data / "duck.db"))
    for table, columns in _TABLES.items():
        _take_over(clearing, duck, table, columns)
    ours, theirs = _ours(clearing.reconciling.now()), [duck.execute(query).fetchall() for query in _DUCK]
    assert ours == theirs, "the two do not add up to the same"
    mine, reference = [], []
    for _ in range(REPEATS):
        mine.append(seconds(clearing.reconciling.now))
        reference.append(seconds(lambda: [duck.execute(query).fetchall() for query in _DUCK]))
    duck.close()
    return {
        "seconds": [round(each, 3) for each in (min(mine), median(mine), max(mine))],
        "duckdb_seconds": [round(each, 3) for each in (min(reference), median(reference), max(reference))],
        "ratio_to_duckdb": round(median(mine) / median(reference), 2),
        "repeats": REPEATS,
    }


def _take_over(clearing: Clearing, duck: duckdb.DuckDBPyConnection, table: str, columns: tuple[str, ...]) -> None:
    """Give duckdb the rows of a table."""
    path = clearing.config.data / f"{table}.csv"
    with clearing.store._engine.begin() as connection, path.open("w") as file:
        rows = connection.execution_options(yield_per=PART).execute(text(f"SELECT {', '.join(columns)} FROM {table}"))
        print(*columns, sep=",", file=file)
        for row in rows:
            print(*("" if value is None else value for value in row), sep=",", file=file)
    duck.execute(f"CREATE TABLE {table} AS SELECT * FROM read_csv('{path}')")
    path.unlink()


def _ours(found: Reconciliation) -> list[list[tuple[Any, ...]]]:
    """As duckdb answers."""
    return [
        [(f"purse:{each.purse}", each.unit, each.kind, each.amount) for each in found.purses],
        [(each.venue, each.kind, each.records, each.cents) for each in found.venues],
        [(each.terminal, each.sequence, each.state) for each in found.unmatched],
    ]


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
