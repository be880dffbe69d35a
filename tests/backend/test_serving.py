"""Clearing as a server: several processes take in batches over one database."""

import json
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from backend.config import Vault
from web.log import FIELDS


@pytest.fixture
def served(world):
    """The address of two workers; the vault is not there, so what comes in waits for proof."""
    nowhere = Vault(address=f"unix:{world.folder / 'no.sock'}")
    world.config.model_copy(update={"vault": nowhere}).save()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "meedoen", "backend", "serve", "--data", world.folder, "--port", str(port)]
    with (world.folder / "log").open("w") as log:
        process = subprocess.Popen([*map(str, command), "--workers", "2"], stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            assert process.poll() is None
            try:
                httpx.get(f"{address}/health")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
def test_all_that_a_server_writes_down_has_the_six_fields(world, served):
    assert httpx.post(f"{served}/v1/terminals/101/batches", content=b"nonsense").status_code == 400
    with sqlite3.connect(world.folder / "clearing.db") as connection:
        connection.execute("ALTER TABLE quarantine RENAME TO elsewhere")
    connection.close()
    assert httpx.get(f"{served}/health").status_code == 500
    lines = [json.loads(line) for line in (world.folder / "log").read_text().splitlines()]
    assert {frozenset(line) for line in lines} == {FIELDS | {"at"}}
    said = {(line["action"].partition(":")[0], line["object"], line["result"]) for line in lines}
    assert ("batch refused", "/v1/terminals/101/batches", "warning") in said
    assert ("POST transport.hand_in", "/v1/terminals/101/batches", "400") in said
    (broken,) = [line["action"] for line in lines if line["result"] == "error"]
    assert "OperationalError" in broken
    assert "quarantine.py" in broken
    assert "no such table" not in broken


def test_two_workers_take_in_what_several_carriers_bring_at_once(world, served):
    for _ in range(12):
        world.pool.tap(world.holder)
        world.shop.tap(world.sibling, offer=21, amount=700, price=700)

    def bring(what):
        terminal, first = what
        body = terminal.batch(first, min(first + 4, 12))
        return httpx.post(f"{served}/v1/terminals/{terminal.number}/batches", content=body, timeout=60).json()

    parts = [(terminal, first) for first in (1, 3, 5, 7, 9, 11) for terminal in (world.pool, world.shop)]
    with ThreadPoolExecutor(4) as carriers:
        answers = list(carriers.map(bring, parts))
    assert sum(answer["accepted"] for answer in answers) == 24
    assert httpx.get(f"{served}/health").json()["pending"] == 24
    # Of another process, over the same database.
    assert world.clearing.ingest.prove_pending() == 24
    assert (world.venue_is_owed(5), world.venue_is_owed(6)) == (6000, 8400)
