"""Reconciling a year of a city: loads and debits per purse, per venue, and what does not match; beside duckdb.

Both add up the same rows: ours in the database that keeps the books, duckdb in columns of its own made for adding up.
"""

import csv
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
from sqlalchemy import insert

from backend import schema
from backend.store import Store

TAPS = 1_000_000
REPEATS = 5
_VENUES = 500
_PURSES = 5
_LOADS_IN = 20
_AT_ONCE = 50_000
_NOW = datetime(2026, 12, 31, tzinfo=UTC)
# What our three queries read; duckdb gets these columns.
_TABLES = {"record": ("terminal", "sequence", "state"), "posting": ("id", "kind", "venue", "terminal", "sequence"),
           "transfer": ("posting", "source", "destination", "unit", "amount")}  # fmt: skip

# The same three questions; each moves and counts as ours does.
_DUCK = (
    """SELECT purse, unit, kind, sum(amount) FROM (
         SELECT kind, destination AS purse, unit, amount FROM transfer JOIN posting ON id = posting
         WHERE destination LIKE 'purse:%'
         UNION ALL
         SELECT kind, source, unit, -amount FROM transfer JOIN posting ON id = posting WHERE source LIKE 'purse:%')
       GROUP BY ALL ORDER BY ALL""",
    """SELECT venue, kind, count(DISTINCT id), sum(CASE WHEN unit <> 'cent' THEN 0 WHEN destination LIKE 'venue:%'
         THEN amount WHEN source LIKE 'venue:%' THEN -amount ELSE 0 END)
       FROM posting LEFT JOIN transfer ON posting = id WHERE venue IS NOT NULL GROUP BY ALL ORDER BY ALL""",
    """SELECT terminal, sequence, state FROM record LEFT JOIN posting USING (terminal, sequence)
       WHERE (state = 'proven') <> (id IS NOT NULL) ORDER BY ALL""",
)


def reconcile(taps: int = TAPS) -> dict[str, object]:
    """Seconds of both, and the median of ours divided by that of duckdb."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = Store(f"sqlite:///{folder / 'clearing.db'}", 1)
        store.migrate()
        _fill(store, taps, folder)
        duck = duckdb.connect(str(folder / "duck.db"))
        for table in _TABLES:
            duck.execute(f"CREATE TABLE {table} AS SELECT * FROM read_csv('{folder / table}.csv')")
        ours, theirs = _ours(store), [duck.execute(query).fetchall() for query in _DUCK]
        assert ours == theirs, "the two do not add up to the same"
        mine = [_seconds(lambda: _ours(store)) for _ in range(REPEATS)]
        reference = [_seconds(lambda: [duck.execute(query).fetchall() for query in _DUCK]) for _ in range(REPEATS)]
        duck.close()
        store.close()
    return {
        "transactions": taps,
        "seconds": round(median(mine), 3),
        "duckdb_seconds": round(median(reference), 3),
        "ratio_to_duckdb": round(median(mine) / median(reference), 2),
        "repeats": REPEATS,
    }


def _ours(store: Store) -> list[list[tuple[Any, ...]]]:
    with store.transaction() as tx:
        rows = tx.reports.per_purse(), tx.reports.per_venue(), tx.reports.unmatched()
        return [[tuple(row) for row in each] for each in rows]


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _fill(store: Store, taps: int, folder: Path) -> None:
    """One load in twenty, a reversal in a hundred, one record in a thousand refused: as the demo's city, larger."""
    chance = random.Random(7)
    with store._engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        accounts = [
            f"{kind}:{each}" for kind, most in (("purse", _PURSES), ("venue", _VENUES)) for each in range(1, most + 1)
        ]
        rows = [{"name": name, "unit": "cent"} for name in ["fund:Minimabeleid", *accounts]]
        connection.execute(insert(schema.account), rows)
        venues = range(1, _VENUES + 1)
        connection.execute(
            insert(schema.venue), [{"number": each, "name": f"V{each}", "iban": "NL"} for each in venues]
        )
        terminals = [{"number": each, "venue": each or None, "in_use": True} for each in range(_VENUES + 1)]
        connection.execute(insert(schema.terminal), terminals)
        connection.execute(insert(schema.offer), [_offer(each) for each in venues])
        for first in range(1, taps + 1, _AT_ONCE):
            made = [_transaction(chance, number) for number in range(first, min(first + _AT_ONCE, taps + 1))]
            for name in ("entry", "record", "posting", "transfer"):
                content = [each[name] for each in made if each[name] is not None]
                connection.execute(insert(getattr(schema, name)), content)
                if name in _TABLES:
                    _write(folder / f"{name}.csv", _TABLES[name], content)


def _offer(venue: int) -> dict[str, Any]:
    return {
        "number": venue, "venue": venue, "name": "Zwemmen", "price": "typed", "purse": 1, "amount": 0, "amount2": 0,
        "percent": 0, "cap": 0, "compensated": False, "compensation": 0, "offered_from": date(2026, 1, 1),
    }  # fmt: skip


def _transaction(chance: random.Random, number: int) -> dict[str, dict[str, Any] | None]:
    """The rows of one transaction, by table."""
    load = number % _LOADS_IN == 0
    terminal = 0 if load else chance.randrange(1, _VENUES + 1)
    purse, venue = f"purse:{chance.randrange(1, _PURSES + 1)}", f"venue:{terminal}"
    kind = "load" if load else "reversal" if number % 100 == 1 else "tap"
    day = date(2026, 1, 1) + timedelta(days=number * 365 // (TAPS + 1) % 365)
    key = {"terminal": terminal, "sequence": number}
    proven = number % 1000 != 3
    ends = {"load": ("fund:Minimabeleid", purse), "tap": (purse, venue), "reversal": (venue, purse)}[kind]
    rows: dict[str, dict[str, Any] | None] = {
        "entry": {**key, "position": number, "outcome": 1, "clear": bytes(42), "sealed": bytes(60),
                  "previous_mac": bytes(16), "mac": bytes(16), "recorded_at": _NOW},
        "record": {**key, "position": number, "state": "proven" if proven else "rejected", "happened_on": day,
                   "nullifier": f"{number:032x}" if proven else None, "reason": None if proven else "offer"},
        "posting": None,
        "transfer": None,
    }  # fmt: skip
    # One in ten thousand is proven, and nobody booked it.
    if proven and number % 10_000 != 5:
        rows["posting"] = {**key, "id": number, "kind": kind, "happened_on": day, "recorded_at": _NOW,
                           "venue": None if load else terminal, "offer": None if load else terminal}  # fmt: skip
        rows["transfer"] = {"posting": number, "number": 1, "source": ends[0], "destination": ends[1], "unit": "cent",
                            "amount": chance.randrange(1, 2000)}  # fmt: skip
    return rows


def _write(path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    """Add rows to the file that duckdb reads."""
    begins = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if begins:
            writer.writerow(columns)
        writer.writerows([row[column] for column in columns] for row in rows)
