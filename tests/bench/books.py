"""What does not get slower, or not too slow, when the books of a city grow: taking in, adding up, settling."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median

import httpx

from backend.clearing import Clearing
from keys.http import BACKEND, Caller, create_app
from tests.bench.clearing_city import BATCH, VENUES, a_postgresql, batches, clearing_of, config_of, fill
from tests.bench.reconcile import reconcile, seconds
from tests.city import VAULT, PaperLog

_BATCHES = 8
_MILLION = 1_000_000


def books(transactions: Sequence[int]) -> dict[str, object]:
    """Over books of each of these sizes, on PostgreSQL; those of a million (or the last, when none is) are added up and
    settled, and the smallest are added up on SQLite too."""
    with ExitStack() as until:
        folder, database = until.enter_context(tempfile.TemporaryDirectory()), until.enter_context(a_postgresql())
        vault = httpx.WSGITransport(Caller(create_app(VAULT, PaperLog()), BACKEND))
        clearing = clearing_of(config_of(Path(folder), database), vault)
        until.callback(clearing.close)
        filled, cost, figures = 0, {}, {}
        for size in transactions:
            fill(clearing, filled + 1, size)
            filled = size
            cost[str(size)] = per_transaction(clearing)
            if size == (_MILLION if _MILLION in transactions else transactions[-1]):
                figures["reconcile"] = {"transactions": size, "database": "PostgreSQL"} | reconcile(clearing)
                figures["settlement"] = settlement(clearing, size)
    growth = {"largest_to_smallest": _growth(list(cost.values()))}
    return {"per_transaction_us": cost | growth} | figures | {"reconcile_on_sqlite": on_sqlite(transactions[0])}


def on_sqlite(transactions: int) -> dict[str, object]:
    """The same sums by the other database."""
    with tempfile.TemporaryDirectory() as folder:
        clearing = clearing_of(config_of(Path(folder)))
        fill(clearing, 1, transactions)
        figures = reconcile(clearing)
        clearing.close()
    return {"transactions": transactions, "database": "SQLite"} | figures


def per_transaction(clearing: Clearing) -> dict[str, object]:
    """Microseconds of a transaction in a batch, kept, proven and posted in one process, each batch of another
    terminal that goes on with its journal."""
    warming, *made = [body for _, body in batches(range(1, _BATCHES + 2), 1, clearing)]
    clearing.ingest.accept(warming)
    took = [seconds(partial(clearing.ingest.accept, body)) * 1e6 / BATCH for body in made]
    return {"median": round(median(took)), "from": round(min(took)), "to": round(max(took))}


def _growth(cost: Sequence[dict[str, object]]) -> float:
    return round(float(str(cost[-1]["median"])) / float(str(cost[0]["median"])), 2)


def settlement(clearing: Clearing, transactions: int) -> dict[str, object]:
    """Seconds from nothing to the bank's file of all that was taken in, with the statements apart."""
    made, steps = "", {}
    last_day = date(2026, 12, 31)
    steps["prepare"] = seconds(lambda: clearing.settlements.prepare(last_day, "Anna"))
    made = clearing.settlements.all()[-1].number
    steps["approve"] = seconds(lambda: clearing.settlements.approve(made, "Bram"))
    steps["payment_file"] = seconds(lambda: clearing.settlements.payment_file(made))
    total = round(sum(steps.values()), 1)
    return {
        "transactions": transactions,
        "venues": VENUES,
        ("seconds_1m" if transactions == _MILLION else "seconds"): total,
        "steps": {name: round(each, 1) for name, each in steps.items()},
        "one_statement_seconds": round(seconds(lambda: clearing.settlements.statement(made, 1)), 2),
    }
