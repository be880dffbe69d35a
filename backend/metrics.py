"""Numbers for who watches over the servers: how much waits, and how long. Counted in the database when asked for, so
that every worker says the same.

In the text format of Prometheus. Sums of all, never of a terminal or a day.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from backend.clearing import Clearing

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Clearing(Collector):
    def __init__(self, clearing: Clearing) -> None:
        self._store = clearing.store
        self._records = clearing.records

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with self._store.reading() as tx:
            states, quarantined = tx.journal.states(), tx.quarantine.open_count()
            settlements = [row.state for row in tx.payments.settlements()]
        records = GaugeMetricFamily("meedoen_records", "Records handed in, by state", labels=["state"])
        for state in ("received", "proven", "in_doubt", "void", "rejected"):
            records.add_metric([state], states.get(state, 0))
        yield records
        taps = GaugeMetricFamily("meedoen_taps", "Taps and reversals, as finance sees them", labels=["state"])
        cents = GaugeMetricFamily("meedoen_taps_cents", "What they bring venues, in cents", labels=["state"])
        for state, whole in self._records.now().in_all.items():
            taps.add_metric([state], whole.records)
            cents.add_metric([state], whole.cents)
        yield taps
        yield cents
        yield GaugeMetricFamily("meedoen_quarantine_open", "Refusals that somebody has to look at", value=quarantined)
        waiting = GaugeMetricFamily("meedoen_settlements", "Settlements, by state", labels=["state"])
        for state in sorted(set(settlements) | {"prepared"}):
            waiting.add_metric([state], settlements.count(state))
        yield waiting


def metrics(clearing: Clearing) -> bytes:
    """All of them, as text."""
    registry = CollectorRegistry()
    registry.register(_Clearing(clearing))
    return generate_latest(registry)
