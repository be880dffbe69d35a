"""Clearing as a server: several processes take in batches over one database."""

import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from backend.config import Vault


@pytest.fixture
def served(world):
    """The address of two workers; the vault is not there, so what comes in waits for proof."""
    nowhere = Vault(address=f"unix:{world.folder / 'no.sock'}")
    world.config.model_copy(update={"vault": nowhere}).save()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "meedoen", "backend", "serve", "--data", world.folder, "--port", str(port)]
    process = subprocess.Popen([*map(str, command), "--workers", "2"])
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
