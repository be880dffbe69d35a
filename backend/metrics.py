"""Numbers for who watches over the servers: how much waits, and how long. Counted in the database when asked for, so
that every worker says the same.

In the text format of Prometheus. Sums of all, never of a terminal or a day.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from backend.store import Store

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Clearing(Collector):
    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with self._store.reading() as tx:
            states, quarantined = tx.journal.states(), tx.quarantine.open_count()
            settlements = [row.state for row in tx.payments.settlements()]
        records = GaugeMetricFamily("meedoen_records", "Records handed in, by state", labels=["state"])
        for state in ("received", "proven", "in_doubt", "void", "rejected"):
            records.add_metric([state], states.get(state, 0))
        yield records
        yield GaugeMetricFamily("meedoen_quarantine_open", "Refusals that somebody has to look at", value=quarantined)
        waiting = GaugeMetricFamily("meedoen_settlements", "Settlements, by state", labels=["state"])
        for state in sorted(set(settlements) | {"prepared"}):
            waiting.add_metric([state], settlements.count(state))
        yield waiting


def metrics(store: Store) -> bytes:
    """All of them, as text."""
    registry = CollectorRegistry()
    registry.register(_Clearing(store))
    return generate_latest(registry)
