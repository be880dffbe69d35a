"""Clearing as a server: several processes take in batches over one database."""

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from backend.config import Vault
from tests import served
from tests.served import speak_nonsense, written_down


@contextmanager
def running(world, *words, until="/health"):
    """The address of a server of clearing, as soon as it answers."""
    world.config.save()
    with served.running(world.folder / "log", "backend", *words, "--data", world.folder, until=until) as address:
        yield address


def take_away(table, file):
    with sqlite3.connect(file) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO elsewhere")
    connection.close()


@pytest.fixture
def workers(world):
    """The address of two workers; the vault is not there, so what comes in waits for proof."""
    nowhere = Vault(address=f"unix:{world.folder / 'no.sock'}")
    world.config = world.config.model_copy(update={"vault": nowhere})
    with running(world, "serve", "--workers", "2") as address:
        yield address


@pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
def test_all_that_a_server_writes_down_has_the_six_fields(world, workers):
    assert httpx.post(f"{workers}/v1/terminals/101/batches", content=b"nonsense").status_code == 400
    take_away("quarantine", world.folder / "clearing.db")
    assert httpx.get(f"{workers}/health").status_code == 500
    speak_nonsense(workers)
    lines = written_down(world.folder / "log")
    said = {(line["action"].partition(":")[0], line["object"], line["result"]) for line in lines}
    assert ("batch refused", "/v1/terminals/101/batches", "warning") in said
    assert ("POST transport.hand_in", "/v1/terminals/101/batches", "400") in said
    assert ("Invalid request from ip=127.0.0.1", "gunicorn.error", "warning") in said
    (broken,) = [line["action"] for line in lines if line["result"] == "error"]
    assert "OperationalError" in broken
    assert "quarantine.py" in broken
    assert "no such table" not in broken


@pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
def test_all_that_the_pages_write_down_has_the_six_fields(world):
    with running(world, "web", "serve", until="/login") as address, httpx.Client(base_url=address) as browser:
        (token,) = re.findall(r'name="csrf_token" [^>]*value="([^"]+)"', browser.get("/login").text)[:1]
        take_away("account", world.folder / "staff.db")
        given = {"csrf_token": token, "user_name": "v.plas", "password": "drie paarse olifanten"}
        assert browser.post("/login", data=given).status_code == 500
        speak_nonsense(address)
    broken, *others = written_down(world.folder / "log")
    assert {line["object"] for line in others} == {"gunicorn.error"}
    assert [broken[name] for name in ("object", "result", "origin", "actor")] == ["/login", "error", "127.0.0.1", "-"]
    assert "OperationalError" in broken["action"]
    assert "v.plas" not in broken["action"]


def test_two_workers_take_in_what_several_carriers_bring_at_once(world, workers):
    for _ in range(12):
        world.pool.tap(world.holder)
        world.shop.tap(world.sibling, offer=21, amount=700, price=700)

    def bring(what):
        terminal, first = what
        body = terminal.batch(first, min(first + 4, 12))
        return httpx.post(f"{workers}/v1/terminals/{terminal.number}/batches", content=body, timeout=60).json()

    parts = [(terminal, first) for first in (1, 3, 5, 7, 9, 11) for terminal in (world.pool, world.shop)]
    with ThreadPoolExecutor(4) as carriers:
        answers = list(carriers.map(bring, parts))
    assert sum(answer["accepted"] for answer in answers) == 24
    assert httpx.get(f"{workers}/health").json()["pending"] == 24
    # Of another process, over the same database.
    assert world.clearing.ingest.prove_pending() == 24
    assert (world.venue_is_owed(5), world.venue_is_owed(6)) == (6000, 8400)
