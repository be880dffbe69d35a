"""The tables of docs/performance.md, written from var/bench.json.

python -m tests.bench.page
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.city import ROOT

PAGE = ROOT / "docs/performance.md"
_TABLE = re.compile(r"(<!-- figures of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_NOT_THERE = "not measured"


@dataclass(frozen=True)
class Figure:
    """A figure by its path in bench.json. `most` or `least`: what is wanted of it, where something is."""

    path: str
    what: str
    most: float | None = None
    least: float | None = None

    @property
    def wanted(self) -> str:
        if self.most is not None:
            return f"≤ {_number(self.most)}"
        return f"≥ {_number(self.least)}" if self.least is not None else ""

    def reached(self, value: float) -> bool:
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)


FIGURES = {
    "terminal": (
        Figure("tap.modelled_ms_spi_106", "a tap up to the yes, modelled: SPI, 106 kbit/s on the air, ms", most=110),
        Figure("tap.modelled_ms_spi_424", "the same at 424 kbit/s, ms"),
        Figure("tap.modelled_ms_i2c_106", "I2C, 106 kbit/s, ms"),
        Figure("tap.modelled_ms_hsu_921600_106", "HSU at 921 600 baud, 106 kbit/s, ms"),
        Figure("tap.modelled_ms_hsu_106", "HSU at 115 200 baud, 106 kbit/s, ms"),
        Figure("tap.ratio_to_floor", "SPI, 106 kbit/s, against air, card and reader chip without any bus", most=1.15),
        Figure("tap.exchanges", "exchanges up to the yes", most=10),
        Figure("tap.bytes_out", "bytes to the pass"),
        Figure("tap.bytes_in", "bytes from the pass"),
        Figure("tap.crypto_ratio", "instructions of its cryptography, against the straightforward version", most=0.25),
        Figure("tap.heap_bytes", "heap allocated in a tap with the collector off, bytes", most=6144),
        Figure("tap.heap_growth_bytes", "growth of the heap over 10 000 taps, bytes", most=0),
        Figure(
            "terminal.smallest_heap_32bit.frozen.smallest_heap_kib",
            "smallest heap of 32 bits that a whole day fits in, frozen firmware, KiB",
            most=128,
        ),
        Figure("journal.flash_writes", "flash writes of an append, the most", most=2),
        Figure("journal.writes_a_tap", "flash writes of a tap, on average"),
        Figure("hotlist.ratio_to_bound", "10 000 blocked of 100 000: size against the information bound", most=1.2),
        Figure("hotlist.look_up_heap_bytes", "heap of 10 000 look-ups, bytes", most=0),
        Figure("hotlist.build_seconds", "making that list, s"),
    ),
    "desk": (
        Figure("personalise.exchanges", "exchanges with a factory card until it is a pass of four purses"),
        Figure("personalise.bytes", "bytes in both directions"),
        Figure("personalise.host_ms", "what the computer of the desk does for it, ms"),
        Figure("personalise.host_of_model", "that against what card and link take, modelled"),
        Figure("desk.pages_ms.person", "page of a person, 100 000 holders on SQLite, ms"),
        Figure("desk.pages_ms.find by name", "found by name, ms"),
        Figure("desk.pages_ms.find many", "found by the first letters of many names, ms"),
        Figure("desk.empty_page_ms", "the reference: an empty page of Flask, ms"),
        Figure("renewal.renewal_preview_seconds", "preview of the new year for 5 000 holders, s"),
        Figure("renewal.ratio", "that against reading the same rows and looking at nothing"),
    ),
    "vault": (
        Figure("prove.per_s", "records proven a second on one core, batches of 10 000"),
        Figure("prove.ratio", "that against the plainest version with new objects for each record"),
        Figure("prove.token_per_s", "the same with the keys in SoftHSM2, over PKCS#11"),
        Figure("prove.memory.after_1m_kib", "memory of the process after a million records, KiB"),
        Figure("prove.memory.after_10k_kib", "the reference: after 10 000"),
    ),
    "clearing": (
        Figure("ingest.per_s.verified", "transactions taken in a second, each proven, two workers"),
        Figure("ingest.per_s.unverified", "with a vault that says yes to all"),
        Figure("ingest.per_s.copy", "the reference: binary COPY of the rows that they come to"),
        Figure("ingest.ratio_to_copy", "taken in and proven, against COPY", least=0.35),
        Figure("ingest.verified_to_unverified", "proven, against a vault that says yes to all", least=0.8),
        Figure("books.per_transaction_us.100000", "a transaction in books of 100 000, µs"),
        Figure("books.per_transaction_us.1000000", "of 1 000 000, µs"),
        Figure("books.per_transaction_us.10000000", "of 10 000 000, µs"),
        Figure("books.per_transaction_us.largest_to_smallest", "the last against the first; wanted flat"),
        Figure("books.reconcile.seconds", "what moved and what is in no books, a million transactions, s"),
        Figure("books.reconcile.duckdb_seconds", "the reference: duckdb over a file with the same rows, s"),
        Figure("books.reconcile.ratio_to_duckdb", "the one against the other", most=3),
        Figure("books.settlement.seconds_1m", "settlement of a million transactions to 500 venues, s", most=60),
        Figure("books.settlement.one_statement_seconds", "a statement of one venue, s"),
    ),
    "simulation": (
        Figure("simulation.taps_per_second", "taps of a simulated city, a second of processor time", least=2000),
    ),
}


def table(figures: Mapping[str, Any], part: str) -> str:
    """The Markdown of a table; what is not reached says so."""
    lines = ["| `make bench` says | it is | wanted | measured |", "|---|---|---|---|"]
    for each in FIGURES[part]:
        measured, middle = _measured(figures, each.path)
        if middle is not None and not each.reached(middle):
            measured = f"**{measured}: not reached**"
        lines.append(f"| `{each.path}` | {each.what} | {each.wanted} | {measured} |")
    return "\n".join(lines) + "\n"


def written(page: str, figures: Mapping[str, Any]) -> str:
    """The page with its tables anew."""
    return _TABLE.sub(lambda found: found[1] + table(figures, found[2]) + found[3], page)


def _measured(figures: Mapping[str, Any], path: str) -> tuple[str, float | None]:
    """A figure with its spread, and the figure alone."""
    found: Any = figures
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return _NOT_THERE, None
        found = found[name]
    if isinstance(found, list):
        ranked = sorted(found)
        found = {"median": ranked[len(ranked) // 2], "from": ranked[0], "to": ranked[-1]}
    if not isinstance(found, Mapping):
        return _number(found), found
    if "value" in found:
        return _number(found["value"]), found["value"]
    return f"{_number(found['median'])} ({_number(found['from'])} – {_number(found.get('to'))})", found["median"]


def _number(value: float | None) -> str:
    """Thousands apart; as many decimals as were written down."""
    return "?" if value is None else f"{value:,}".replace(",", " ")


def main() -> None:
    figures = json.loads((ROOT / "var/bench.json").read_text())
    PAGE.write_text(written(PAGE.read_text(), figures))


if __name__ == "__main__":
    main()
