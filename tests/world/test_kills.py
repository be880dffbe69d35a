"""Clearing is killed at random moments, again and again, and its work ends as if nothing had happened."""

import faulthandler
import os
import random
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path

import httpx
import pytest

from backend.clearing import Clearing
from backend.config import Config
from card.batch import COMMITTED, FIRST_MAC, MAC_BYTES, build_batch, chain_key, entry_bytes, link_key
from card.record import CLEAR_BYTES, LOAD
from keys.http import BACKEND, Caller
from tests.backend.a_bank import camt
from tests.city import AID, CENTS, ISSUER, VAULT, VAULT_APP
from tests.postgres import a_database
from tests.records import PaperPass

DESK, TERMINALS = 1, (101, 102, 103)
BATCH = 10
NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
LAST_DAYS = (date(2026, 11, 9), date(2026, 11, 30))
VENUES = "".join(
    f"""
[[venue]]
number = {terminal}
name = "Zwembad {terminal}"
iban = "NL91ABNA0417164300"
purses = [{CENTS}]
terminals = [{terminal}]
[[venue.offer]]
number = {terminal}
name = "Zwemmen"
purse = {CENTS}
price = "typed"
"""
    for terminal in TERMINALS
)


@dataclass(frozen=True)
class City:
    """Where a city keeps what it has: files in `folder`, and books there or in a `database` of a server."""

    folder: Path
    database: str | None


def config_of(city) -> Config:
    keys = VAULT.backend_keys()
    return Config(
        data=city.folder,
        municipality={"name": "Gelredam", "number": ISSUER, "aid": AID, "iban": "NL44RABO0123456789"},
        purses={CENTS: {"name": "Meedoen", "unit": "cent", "funds": ["Minimabeleid"]}},
        grants={1: {"purse": CENTS, "funds": ["Minimabeleid"]}},
        vault={"address": "http://vault"},
        desks=(DESK,),
        database=city.database,
        **keys,
    )


def clearing_in(city) -> Clearing:
    return Clearing(config_of(city), httpx.WSGITransport(app=Caller(VAULT_APP, BACKEND)), now=lambda: NOW)


def journals(chance) -> list[bytes]:
    """What a desk and three venues hand in, as batches that come twice, overlap, and are out of order."""
    holders = [PaperPass(VAULT, b"\x04" + number.to_bytes(6, "big")) for number in range(9)]
    root = bytes.fromhex(VAULT.backend_keys()["link_roots"][0])
    batches = []
    for terminal in (DESK, *TERMINALS):
        key, entries, macs = link_key(root, terminal), [], [FIRST_MAC]
        for sequence in range(1, 3 * BATCH):
            load = {"kind": LOAD, "offer": 1} if terminal == DESK else {"offer": terminal}
            amount = chance.randrange(1, 2000)
            price = {} if terminal == DESK else {"price": amount}
            holder = holders[sequence % len(holders)]
            record = holder.tap(sequence, terminal, 2497 + sequence // 2, amount1=amount, **load, **price)
            clear, sealed = record[:CLEAR_BYTES], record[CLEAR_BYTES:]
            entries.append(entry_bytes(chain_key(key), sequence, macs[-1], COMMITTED, clear, sealed))
            macs.append(entries[-1][-MAC_BYTES:])
        for first in range(1, len(entries) + 1, BATCH // 2):
            last = min(first + BATCH - 1, len(entries))
            batches.append(build_batch(key, terminal, first, macs[first - 1], entries[first - 1 : last]))
    batches += chance.sample(batches, len(batches) // 3)
    chance.shuffle(batches)
    return batches


def work(city, batches):
    """All that clearing has to do, begun anew by who does not know how far it came."""
    # Where it stood is told of work that ends no more.
    faulthandler.dump_traceback_later(30)
    clearing = clearing_in(city)
    for batch in batches:
        clearing.ingest.accept(batch)
    clearing.ingest.prove_pending()
    balance = 100_000_00
    for number, until in enumerate(LAST_DAYS, 1):
        held = next((each for each in clearing.settlements.all() if each.until == until), None)
        if held is None:
            held = clearing.settlements.prepare(until, "Anna")
        if held.state == "prepared":
            held = clearing.settlements.approve(held.number, "Bram")
        order = clearing.settlements.payment_file(held.number)
        (city.folder / f"{held.number}.xml").write_bytes(order)
        if held.state == "approved":
            clearing.settlements.sent(held.number, "Anna")
        paid = [("DBIT", line.paid, line.end_to_end_id) for line in held.lines]
        clearing.bank.take(camt(paid, message=held.number, number=number, opening=balance), "Anna")
        balance -= held.total
    clearing.close()


def outcome(city):
    """The books, every record, every settlement and every file."""
    clearing = clearing_in(city)
    with clearing.store.transaction() as tx:
        proven = [(row.nullifier, row.clear) for row in tx.journal.proven()]
        states = tx.journal.states()
    found = (clearing.ledger.balances(), proven, states, clearing.settlements.all())
    clearing.close()
    return *found, {path.name: path.read_bytes() for path in sorted(city.folder.glob("*.xml"))}


def prepared(city):
    """A city with its venues, and nothing handed in."""
    city.folder.mkdir()
    clearing = clearing_in(city)
    clearing.set_up()
    (city.folder / "venues.toml").write_text(VENUES, encoding="utf-8")
    clearing.venues.import_file(city.folder / "venues.toml", date(2026, 11, 1))
    clearing.close()
    return city


def killed_after(seconds, city, batches) -> bool:
    """Whether the work was still going on when it was killed."""
    worker = get_context("fork").Process(target=work, args=(city, batches))
    worker.start()
    worker.join(seconds)
    if worker.is_alive():
        os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    assert worker.exitcode in (0, -signal.SIGKILL), "the work stopped by itself"
    return worker.exitcode != 0


@pytest.fixture(params=["sqlite", "postgresql"])
def new_city(request, tmp_path):
    """As many cities as a test wants, on each kind of database."""
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    with ExitStack() as databases:

        def make(name):
            database = None if server is None else databases.enter_context(a_database(server))
            return prepared(City(tmp_path / name, database))

        yield make


@pytest.mark.timeout(3600)
def test_work_that_is_killed_at_any_moment_ends_as_if_it_was_not(new_city, kills):
    chance = random.Random(20261201)
    batches, calm = journals(chance), new_city("calm")
    begun = time.monotonic()
    assert not killed_after(600, calm, batches)
    whole, wanted = time.monotonic() - begun, outcome(calm)
    assert wanted[2] == {"proven": 4 * (3 * BATCH - 1)}
    assert len(wanted[3]) == len(LAST_DAYS) == len(wanted[4])
    assert wanted[0]["transit", "cent"] == 0 < wanted[0]["bank", "cent"]

    done, number = 0, 0
    while done < kills:
        number += 1
        city, window = new_city(f"city {number}"), whole
        while killed_after(chance.uniform(0, window), city, batches):
            done += 1
            # A machine that has more to do than it had when nobody was killed gets the time it needs.
            window *= 1.1
            assert window < 30 * whole, "the work ends no more, however long it may take"
        assert outcome(city) == wanted, f"after {done} kills"
