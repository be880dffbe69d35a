"""Taking in batches over HTTP, proven by a vault, beside the fastest way in that PostgreSQL has.

Two workers of clearing and a vault, each a process, over sockets; the reference is binary COPY by one connection of the
rows that the batches come to, into the same tables with their keys and constraints.
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy import Engine, create_engine, select, text

from backend import schema
from tests.bench.clearing_city import BATCH, DAY, batches, clearing_of, config_of, copy_rows
from tests.city import ROOT
from tests.postgres import a_database, a_server

WORKERS = 2
_CARRIERS = 4
_REPEATS = 9
_BYTES = "application/octet-stream"
# Of these venues, what each repetition brings; the first ones warm up.
_WARM = range(1, 1 + _CARRIERS)
_VENUES = 2 * _CARRIERS


def ingest(each: int = 4) -> dict[str, object]:
    """`each`: batches of each of four terminals, in each repetition."""
    seconds: dict[str, list[float]] = {"verified": [], "unverified": [], "copy": []}
    with a_server(durable=True) as server, ExitStack() as until:
        proving, trusting = (until.enter_context(a_city(server, vault)) for vault in ("prove", "yes"))
        empty = until.enter_context(_empty_city(server))
        warming = batches(_WARM, 2)
        for address, _ in (proving, trusting):
            hand_in(address, warming)
        for repeat in range(_REPEATS):
            first = 1 + _CARRIERS + repeat * _VENUES
            made = batches(range(first, first + _VENUES), each)
            seconds["verified"].append(hand_in(proving[0], made))
            seconds["unverified"].append(hand_in(trusting[0], made))
            rows = _rows(proving[1], {terminal for terminal, _ in made})
            seconds["copy"].append(_copied(empty, rows))
    count = _VENUES * each * BATCH
    middle = {name: median(each) for name, each in seconds.items()}
    return {
        "transactions": count,
        "batch": BATCH,
        "workers": WORKERS,
        "per_s": {name: [round(count / each) for each in sorted(took)] for name, took in seconds.items()},
        "ratio_to_copy": round(middle["copy"] / middle["verified"], 4),
        "verified_to_unverified": round(middle["unverified"] / middle["verified"], 2),
        "repeats": _REPEATS,
    }


@contextmanager
def a_city(server: str, vault: str) -> Iterator[tuple[str, str]]:
    """Address of clearing as a server, with a vault of this kind, and of its database; both servers write to `log`."""
    with tempfile.TemporaryDirectory() as name, a_database(server) as database:
        folder = Path(name)
        config = config_of(folder, database, f"unix:{folder / 'vault.sock'}")
        clearing_of(config).close()
        config.save()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        serve = ["-m", "meedoen", "backend", "serve", "--data", name, "--port", str(port), "--workers", str(WORKERS)]
        address = f"http://127.0.0.1:{port}"
        with _process(folder, "-m", "tests.bench.a_vault", vault, f"{folder / 'vault.sock'}"), _process(folder, *serve):
            _wait(address)
            yield address, database


@contextmanager
def _process(folder: Path, *command: str) -> Iterator[None]:
    with (folder / "log").open("a") as log:
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait(address: str) -> None:
    until = time.monotonic() + 300
    while True:
        try:
            httpx.get(f"{address}/health")
            return
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def hand_in(address: str, made: Sequence[tuple[int, bytes]]) -> float:
    """Seconds until all is in, by carriers who each bring what some terminals have, in its order."""
    parts = [[one for one in made if one[0] % _CARRIERS == part] for part in range(_CARRIERS)]
    begun = time.perf_counter()
    with ThreadPoolExecutor(_CARRIERS) as carriers:
        pending = list(carriers.map(lambda part: _bring(address, part), parts))
    took = time.perf_counter() - begun
    assert sum(pending) == 0, "not all was proven"
    return took


def _bring(address: str, made: Sequence[tuple[int, bytes]]) -> int:
    pending = 0
    for terminal, body in made:
        # The simplest there is: what it takes is taken from those who are measured.
        client, kind = HTTPConnection(urlsplit(address).netloc, timeout=120), {"Content-Type": _BYTES}
        client.request("POST", f"/v1/terminals/{terminal}/batches", body, kind)
        answer = client.getresponse()
        said = answer.read()
        assert answer.status == httpx.codes.OK, said
        assert json.loads(said)["accepted"] == BATCH
        pending += json.loads(said)["pending"]
        client.close()
    return pending


def _rows(database: str, terminals: Collection[int]) -> dict[str, list[dict[str, Any]]]:
    """What the batches of some terminals came to, by table, in the order in which they refer to each other."""
    posting, transfer, entry = schema.posting, schema.transfer, schema.entry
    mine = select(posting.c.id).where(posting.c.terminal.in_(terminals))
    chosen = {
        "posting": select(posting).where(posting.c.terminal.in_(terminals)),
        "transfer": select(transfer).where(transfer.c.posting.in_(mine)),
        "entry": select(entry).where(entry.c.terminal.in_(terminals)),
    }
    engine = create_engine(database)
    with engine.begin() as connection:
        found = {name: [dict(row._mapping) for row in connection.execute(query)] for name, query in chosen.items()}
    engine.dispose()
    assert sum(row["records"] for row in found["posting"]) == len(found["entry"]), "not every entry was booked"
    return found


@contextmanager
def _empty_city(server: str) -> Iterator[Engine]:
    with tempfile.TemporaryDirectory() as name, a_database(server) as database:
        clearing_of(config_of(Path(name), database)).close()
        engine = create_engine(database)
        with engine.begin() as connection:
            connection.execute(text("SELECT entry_month(:month)"), {"month": DAY.replace(day=1)})
        yield engine
        engine.dispose()


def _copied(engine: Engine, tables: dict[str, list[dict[str, Any]]]) -> float:
    """Seconds to add these rows by binary COPY, with every key and constraint."""
    begun = time.perf_counter()
    with engine.begin() as connection:
        for table, rows in tables.items():
            copy_rows(connection, table, rows)
    return time.perf_counter() - begun
