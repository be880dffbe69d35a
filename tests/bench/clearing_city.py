"""A city with a year of transactions in its books, put straight into the tables: what clearing is measured over."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, func, insert, select, text

from backend import schema
from backend.calendar import day_number
from backend.clearing import Clearing
from backend.config import Config
from card.batch import COMMITTED, FIRST_MAC, build_batch, chain_key, entry_bytes, link_key
from card.cmac import Cmac
from card.record import CLEAR_BYTES
from tests.city import VAULT
from tests.postgres import a_database, a_server
from tests.records import PaperPass

MUNICIPALITY = 1
VENUES = 500
PURSES = 5
# A batch of the bench, and how many passes tap.
BATCH = 500
_PASSES = 200
_LOADS_IN = 20
# Rows that are held at once.
PART = 50_000
_TODAY = date(2026, 12, 31)
_FIRST_DAY = date(2026, 1, 1)
DAYS = 365
# On which all of a batch happens.
DAY = date(2026, 11, 21)
DESK = VENUES + 1
# Each venue has a second terminal, of which nothing is in the books yet.
SECOND = DESK
# No pass taps in two calls of `batches`: it would commit the same transactions again.
_UIDS = count(1)
FILLED = ("posting", "transfer", "entry")


@contextmanager
def a_postgresql() -> Iterator[str]:
    """The address of an empty database on a server that loses nothing in a power cut, its other settings Debian's."""
    with a_server(durable=True) as server, a_database(server) as address:
        yield address


def config_of(folder: Path, database: str | None = None, vault: str = "http://vault.test") -> Config:
    """A municipality of which the vault of the tests knows the terminals; it takes any amount at 500 venues."""
    keys = VAULT.backend_keys()
    return Config(
        data=folder,
        municipality={"name": "Gelredam", "number": MUNICIPALITY, "aid": "F0E0D1", "iban": "NL44RABO0123456789"},
        purses={each: {"name": f"P{each}", "unit": "cent", "funds": ["Minimabeleid"]} for each in range(1, PURSES + 1)},
        grants={1: {"purse": 1, "funds": ["Minimabeleid"]}},
        vault={"address": vault},
        link_roots=keys["link_roots"],
        table_key=keys["table_key"],
        signing_key=keys["signing_key"],
        certificate=keys["certificate"],
        desks=(DESK,),
        database=database,
    )


def clearing_of(config: Config, transport: httpx.BaseTransport | None = None) -> Clearing:
    """Clearing with a terminal, an offer and all purses at each of the venues."""
    clearing = Clearing(config, transport)
    clearing.set_up()
    with clearing.store._engine.begin() as connection:
        _furnish(connection)
    return clearing


def _furnish(connection: Connection) -> None:
    venues, purses = range(1, VENUES + 1), range(1, PURSES + 1)
    names = ["fund:Minimabeleid", *(f"purse:{each}" for each in purses), *(f"venue:{each}" for each in venues)]
    connection.execute(insert(schema.account), [{"name": name, "unit": "cent"} for name in names])
    iban = "NL91ABNA0417164300"
    connection.execute(insert(schema.venue), [{"number": each, "name": f"V{each}", "iban": iban} for each in venues])
    terminals = [(number, each) for each in venues for number in (each, SECOND + each)]
    used = {"in_use": True, "in_use_since": _FIRST_DAY}
    connection.execute(
        insert(schema.terminal), [{"number": number, "venue": venue} | used for number, venue in terminals]
    )
    allowed = [{"venue": venue, "purse": purse, "offered_from": _FIRST_DAY} for venue in venues for purse in purses]
    connection.execute(insert(schema.venue_purse), allowed)
    connection.execute(insert(schema.offer), [_offer(each) for each in venues])


def _offer(venue: int) -> dict[str, Any]:
    return {
        "number": venue, "venue": venue, "name": "Zwemmen", "price": "typed", "purse": 1, "amount": 0, "amount2": 0,
        "percent": 0, "cap": 0, "compensated": False, "compensation": 0, "offered_from": _FIRST_DAY,
    }  # fmt: skip


# A year


def fill(clearing: Clearing, first: int, last: int) -> None:
    """Transactions `first` to `last` of the city, spread over its year, as they stand in the tables once all is proven.

    One load in twenty, a reversal in a hundred, one record in a thousand refused: as the demo's city, larger. Each
    terminal hands in every day.
    """
    chance = random.Random(first)
    with clearing.store._engine.begin() as connection:
        _trust(connection)
        posted = connection.scalar(select(func.max(schema.posting.c.id))) or 0
        for start in range(first, last + 1, PART):
            numbers = range(start, min(start + PART, last + 1))
            days = [_FIRST_DAY + timedelta(days=(each - first) * DAYS // (last + 1 - first)) for each in numbers]
            part = _Part(chance, posted, numbers, days)
            posted = part.posted
            for name in FILLED:
                _put(connection, name, part.rows[name])
        _remember(connection)
    with clearing.store._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if connection.dialect.name == "sqlite" else "VACUUM ANALYZE"))


def _trust(connection: Connection) -> None:
    """What is generated refers to what is there."""
    sqlite = connection.dialect.name == "sqlite"
    connection.execute(text("PRAGMA defer_foreign_keys = ON" if sqlite else "SET session_replication_role = replica"))


def _put(connection: Connection, name: str, rows: Sequence[dict[str, Any]]) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(insert(getattr(schema, name)), rows)
    else:
        copy_rows(connection, name, [{**row, "municipality": MUNICIPALITY} for row in rows])


def copy_rows(connection: Connection, name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Add rows by binary COPY, straight into the table."""
    columns = list(rows[0])
    types = connection.exec_driver_sql(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0",
        (name,),
    )
    kinds = {column: kind for column, kind in types}
    with connection.connection.cursor().copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types([kinds[column] for column in columns])
        for row in rows:
            copy.write_row(list(row.values()))


def _remember(connection: Connection) -> None:
    """Up to where each terminal's journal is held, and the number of the next posting."""
    for kept in ("terminal_progress", "flow", "tally"):
        connection.execute(text(f"DELETE FROM {kept}"))
    connection.execute(
        text(
            "INSERT INTO flow (municipality, kind, venue, source, destination, unit, amount) "
            "SELECT posting.municipality, kind, coalesce(venue, 0), source, destination, unit, sum(amount) "
            "FROM transfer JOIN posting ON posting = id GROUP BY 1, 2, 3, 4, 5, 6"
        )
    )
    connection.execute(
        text(
            "INSERT INTO tally (municipality, kind, venue, records) "
            "SELECT municipality, kind, coalesce(venue, 0), sum(records) FROM posting WHERE records > 0 "
            "GROUP BY 1, 2, 3"
        )
    )
    connection.execute(
        text(
            "INSERT INTO terminal_progress (municipality, terminal, held_to, seen_on) "
            "SELECT municipality, terminal, max(position), '2026-12-31' FROM entry GROUP BY municipality, terminal"
        )
    )
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT setval('posting_id_seq', (SELECT max(id) FROM posting))"))


class _Part:
    """The rows of some transactions, by table. `posted`: the number of the last posting."""

    def __init__(self, chance: random.Random, posted: int, numbers: Sequence[int], days: Sequence[date]) -> None:
        self.posted = posted
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in FILLED}
        self._chance = chance
        # Of a terminal, a day and a kind: its posting, and its transfer by purse.
        self._postings: dict[tuple[int, date, str], dict[str, Any]] = {}
        self._transfers: dict[tuple[int, str], dict[str, Any]] = {}
        for number, day in zip(numbers, days, strict=True):
            self._add(number, day)

    def _add(self, number: int, day: date) -> None:
        load, loads = number % _LOADS_IN == 0, number // _LOADS_IN
        # Each has a journal of its own, without gaps.
        at = number - loads - 1
        terminal, position = (DESK, loads) if load else (at % VENUES + 1, at // VENUES + 1)
        kind = "load" if load else "reversal" if number % 100 == 1 else "tap"
        proven = number % 1000 != 3
        posting = self._booked(terminal, day, kind) if proven else None
        self.rows["entry"].append(
            {"terminal": terminal, "position": position, "happened_on": day, "sequence": position, "outcome": 1,
             "clear": bytes(42), "sealed": bytes(60), "previous_mac": FIRST_MAC, "mac": FIRST_MAC,
             "recorded_on": _TODAY, "decided_on": _TODAY, "posting": posting,
             "state": "proven" if proven else "rejected", "reason": None if proven else "offer",
             "nullifier": f"{self._chance.getrandbits(128):032x}" if proven else None}
        )  # fmt: skip

    def _booked(self, terminal: int, day: date, kind: str) -> int:
        """The posting of which a record is one more. A load has one of its own."""
        key = terminal, day, kind
        if kind == "load" or key not in self._postings:
            self.posted += 1
            venue = None if kind == "load" else terminal
            self._postings[key] = {"id": self.posted, "kind": kind, "happened_on": day, "recorded_on": _TODAY,
                                   "terminal": terminal, "records": 0, "venue": venue, "offer": venue}  # fmt: skip
            self.rows["posting"].append(self._postings[key])
        posting = self._postings[key]
        posting["records"] += 1
        number: int = posting["id"]
        # Of one purse, as its offer says; a load is of any.
        place = self._chance.randrange(PURSES) if kind == "load" else terminal % PURSES
        purse, own = f"purse:{place + 1}", f"venue:{terminal}"
        if (number, purse) not in self._transfers:
            ends = {"load": ("fund:Minimabeleid", purse), "tap": (purse, own), "reversal": (own, purse)}[kind]
            self._transfers[number, purse] = {"posting": number, "number": 1, "source": ends[0],
                                              "destination": ends[1], "unit": "cent", "amount": 0}  # fmt: skip
            self.rows["transfer"].append(self._transfers[number, purse])
        self._transfers[number, purse]["amount"] += self._chance.randrange(1, 2000)
        return number


# What comes in


def _end_of(clearing: Clearing | None, terminal: int) -> tuple[int, bytes]:
    """The last position that is held of a terminal, and its MAC."""
    last = clearing.ingest.next_position(terminal) - 1 if clearing else 0
    if clearing is None or not last:
        return 0, FIRST_MAC
    with clearing.store.reading() as tx:
        return last, tx.journal.entry(terminal, last).mac


def batches(venues: Sequence[int], each: int, clearing: Clearing | None = None) -> list[tuple[int, bytes]]:
    """`(terminal, batch)` of valid taps at the second terminals of venues: so many batches each, in the order of its
    journal, which goes on after what `clearing` has of it."""
    seals: dict[tuple[int, int], bytes] = {}
    passes = [PaperPass(VAULT, b"\x04" + next(_UIDS).to_bytes(6, "big"), seals=seals) for _ in range(_PASSES)]
    root = bytes.fromhex(VAULT.backend_keys()["link_roots"][0])
    made, taps = [], 0
    for venue in venues:
        terminal = SECOND + venue
        key, (position, last_mac) = link_key(root, terminal), _end_of(clearing, terminal)
        chain = Cmac(chain_key(key))
        for _ in range(each):
            first, before, entries = position + 1, last_mac, []
            for position in range(first, first + BATCH):
                holder, taps = passes[taps % _PASSES], taps + 1
                record = holder.tap(position, terminal, day_number(DAY), offer=venue, purse1=1, amount1=500, price=500)
                clear, sealed = record[:CLEAR_BYTES], record[CLEAR_BYTES:]
                entries.append(entry_bytes(chain, position, last_mac, COMMITTED, clear, sealed))
                last_mac = entries[-1][-len(FIRST_MAC) :]
            made.append((terminal, build_batch(key, terminal, first, before, entries)))
    return made
