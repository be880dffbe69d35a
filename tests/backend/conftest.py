"""A small city: signed terminals, a desk, a vault that knows what passes committed, and clearing over SQLite and over
PostgreSQL.

The people are a holder, a member of the same household, and a stranger.
"""

import hashlib
import shutil
import struct
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import make_url

from backend.calendar import day_number
from backend.clearing import Clearing
from backend.config import Config
from card.batch import COMMITTED, FIRST_MAC, IN_DOUBT, NOT_SEALED, VOID, build_batch, chain_key, entry_bytes, link_key
from card.record import LOAD, REVERSAL, TAP, ClearRecord, Proof, seal
from card.signing import certificate
from tests.postgres import a_database

LINK_ROOT = bytes(range(16))
TABLE_KEY = bytes(range(32))
FIRST_DAY, LAST_DAY = date(2026, 11, 2), date(2027, 12, 31)
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
# The vault's word in it is for who gets a bundle: hosts.
CERTIFICATE = certificate(day_number(LAST_DAY), SIGNING_KEY.public_key().public_bytes_raw(), bytes(64))
# A trigger says so, or the lack of a right.
NOT_ALLOWED = "append-only|permission denied"
DESK, POOL_TERMINAL, SHOP_TERMINAL = 1, 101, 201
POOL, SHOP = 5, 6

VENUES = """
[[venue]]
number = 5
name = "Zwembad De Plas"
iban = "NL91ABNA0417164300"
purses = [1, 3, 4, 5]
terminals = [101]

[[venue.offer]]
number = 11
name = "Zwemmen kind"
purse = 1
price = "fixed"
amount = 500

[[venue.offer]]
number = 12
name = "Zwemspullen"
purse = 1
price = "typed"

[[venue.offer]]
number = 13
name = "Museumkorting"
purse = 4
price = "percent"
percent = 50
cap = 1000
compensated = true

[[venue.offer]]
number = 14
name = "Zwemles"
purse = 5
price = "fixed"
amount = 1
compensation = 850

[[venue.offer]]
number = 15
name = "Koffie voor vrijwilligers"
purse = 3
price = "fixed"
amount = 20
purse2 = 4
amount2 = 1

[[venue]]
number = 6
name = "Café de Hoek’s"
iban = "NL20INGB0001234567"
purses = [1]
terminals = [201]

[[venue.offer]]
number = 21
name = "Schoolspullen"
purse = 1
price = "typed"
"""

WITH_OFFER_99 = VENUES.replace(
    "\n[[venue]]\nnumber = 6",
    """
[[venue.offer]]
number = 99
name = "Later"
purse = 1
price = "fixed"
amount = 500

[[venue]]
number = 6""",
)

PURSES = {
    1: {"name": "Meedoen", "unit": "cent", "funds": ["Minimabeleid"]},
    2: {"name": "Kleding", "unit": "cent", "funds": ["Kindpakket"]},
    3: {"name": "Punten", "unit": "point", "funds": ["Minimabeleid"]},
    4: {"name": "Kortingen", "unit": "visit", "funds": ["Minimabeleid"]},
    5: {"name": "Zwemles", "unit": "item", "funds": ["Kindpakket"]},
}
GRANTS = {
    1: {"purse": 1, "funds": ["Minimabeleid"]},
    2: {"purse": 2, "funds": ["Kindpakket"]},
    3: {"purse": 3, "funds": ["Minimabeleid"]},
    9: {"purse": 1, "funds": ["Rotary"]},
}


class Pass:
    """Who it is says its handle, which nobody in clearing may ever see."""

    def __init__(self, name):
        self.uid = hashlib.sha256(b"uid" + name.encode()).digest()[:7]
        self.handle = hashlib.sha256(b"handle" + name.encode()).digest()[:16]
        self.commits = 0


class Vault:
    """Says yes to what a pass of this city did commit, and to nothing else."""

    def __init__(self):
        self.committed = {}  # (clear, sealed) -> nullifier
        self.says = {}  # (clear, sealed) -> reason for a no
        self.down = False
        self.answer = None  # a whole answer instead
        self.asked = 0
        self.audited = b""
        self.finds = {"findings": [], "unnamed": 0}

    def commits(self, clear, sealed, holder):
        holder.commits += 1
        secret = b"nullifier" + holder.uid + holder.commits.to_bytes(4, "little")
        self.committed[clear, sealed] = hashlib.sha256(secret).hexdigest()[:32]

    def __call__(self, request):
        if self.down:
            raise httpx.ConnectError("no route", request=request)
        if self.answer is not None:
            return self.answer
        if request.url.path == "/v1/audit":
            self.audited = request.content
            return httpx.Response(200, json={"records": len(request.content) // 103, **self.finds})
        if request.url.path.startswith("/v1/terminals/"):
            if "666" in request.url.path:
                return httpx.Response(404, json={"detail": "Terminal 666 was revoked on 2026-11-01."})
            return httpx.Response(200, content=b"keys for " + request.url.path.encode())
        if request.url.path != "/v1/prove":
            return httpx.Response(404)
        records = [request.content[at : at + 102] for at in range(0, len(request.content), 102)]
        self.asked += len(records)
        return httpx.Response(200, content=b"".join([self._proof(each[:42], each[42:]) for each in records]))

    def _proof(self, clear, sealed):
        record = ClearRecord.from_bytes(clear)
        nullifier = self.committed.get((clear, sealed))
        reason = None if nullifier else self.says.get((clear, sealed), "mac")
        return struct.pack(
            "<IIB16s",
            record.terminal,
            record.sequence,
            (None, "record", "year", "seal", "handle", "mac").index(reason),
            bytes.fromhex(nullifier or ""),
        )


class Terminal:
    """Signs what it did in a chained journal, and cuts batches from it."""

    def __init__(self, number, vault, day=FIRST_DAY):
        self.number = number
        self.key = link_key(LINK_ROOT, number)
        self.vault = vault
        self.day = day
        self.sequence = 0
        self.entries = []
        self.macs = [FIRST_MAC]

    def record(self, kind, offer, purse, amount, **rest):
        """The next record in clear."""
        sequence = rest.pop("sequence", None)
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        return ClearRecord(kind, self.number, sequence, day_number(self.day), offer, purse, amount, **rest)

    def append(self, outcome, record, sealed):
        clear, position = record.to_bytes(), len(self.entries) + 1
        self.entries.append(entry_bytes(chain_key(self.key), position, self.macs[-1], outcome, clear, sealed))
        self.macs.append(self.entries[-1][-16:])
        return position

    def seal(self, record, holder, tmv=b"tmv tmv "):
        proof = Proof(holder.handle, holder.commits + 1, tmv, hashlib.sha256(record.to_bytes()).digest()[:16])
        return seal(hashlib.sha256(b"sealing key of the day").digest(), record.to_bytes(), proof)

    def commit(self, record, holder):
        """The pass committed it, and the terminal journaled the proof."""
        sealed = self.seal(record, holder)
        self.vault.commits(record.to_bytes(), sealed, holder)
        self.append(COMMITTED, record, sealed)
        return record

    def tap(self, holder, offer=11, purse=1, amount=500, **rest):
        return self.commit(self.record(TAP, offer, purse, amount, **rest), holder)

    def reverse(self, holder, offer=11, purse=1, amount=500, **rest):
        return self.commit(self.record(REVERSAL, offer, purse, amount, **rest), holder)

    def load(self, holder, grant=1, purse=1, amount=15000, **rest):
        return self.commit(self.record(LOAD, grant, purse, amount, **rest), holder)

    def void(self, **rest):
        record = self.record(TAP, 11, 1, 500, **rest)
        self.append(VOID, record, NOT_SEALED)
        return record

    def doubt(self, holder):
        """The pass left before it answered."""
        record = self.record(TAP, 11, 1, 500)
        self.append(IN_DOUBT, record, self.seal(record, holder, tmv=bytes(8)))
        return record

    def batch(self, first=1, last=None):
        last = len(self.entries) if last is None else last
        return build_batch(self.key, self.number, first, self.macs[first - 1], self.entries[first - 1 : last])


class World:
    """A city over a database: an empty one, or a `furnished` copy."""

    def __init__(self, folder, database=None, furnished=False):
        self.folder = folder
        self.now = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
        self.vault = Vault()
        self.config = Config(
            data=folder,
            municipality={"name": "Gelredam", "number": 1, "aid": "F0E0D1", "iban": "NL44RABO0123456789"},
            purses=PURSES,
            grants=GRANTS,
            vault={"address": "http://vault.test"},
            link_roots=[LINK_ROOT.hex()],
            table_key=TABLE_KEY.hex(),
            signing_key=SIGNING_KEY.private_bytes_raw().hex(),
            certificate=CERTIFICATE.hex(),
            desks=(DESK,),
            database=database,
        )
        self.clearing = self.open()
        if not furnished:
            self.clearing.set_up()
            self.import_venues(VENUES)
        self.pool = Terminal(POOL_TERMINAL, self.vault)
        self.shop = Terminal(SHOP_TERMINAL, self.vault)
        self.desk = Terminal(DESK, self.vault)
        self.holder, self.sibling, self.stranger = Pass("holder"), Pass("sibling"), Pass("stranger")

    def open(self):
        """Clearing anew over the same database, as after a restart."""
        return Clearing(self.config, httpx.MockTransport(self.vault), now=lambda: self.now)

    def terminal(self, number):
        return Terminal(number, self.vault)

    def import_venues(self, text, on=None):
        path = self.folder / "venues.toml"
        path.write_text(text, encoding="utf-8")
        return self.clearing.venues.import_file(path, on)

    def sync(self, *terminals):
        """Hand in all that is in the journals."""
        for terminal in terminals or (self.desk, self.pool, self.shop):
            if terminal.entries:
                self.clearing.ingest.accept(terminal.batch(), terminal.number)

    def sells(self):
        """The pool earns 12.50 and the shop 3.00, and both hand it in."""
        self.pool.tap(self.holder)
        self.pool.tap(self.sibling, offer=12, amount=750, price=750)
        self.shop.tap(self.holder, offer=21, amount=300, price=300)
        self.sync()

    def accept(self, body, terminal=None):
        return self.clearing.ingest.accept(body, terminal)

    def balance(self, account, unit="cent"):
        return self.clearing.ledger.balances().get((account, unit), 0)

    def venue_is_owed(self, venue=POOL):
        return self.balance(f"venue:{venue}")

    @contextmanager
    def connection(self):
        """For SQL of one's own, with the rights that clearing has."""
        with self.clearing.store.transaction() as tx:
            yield tx.books._connection

    def quarantine(self):
        with self.clearing.store.transaction() as tx:
            return list(tx.quarantine.items())

    def reasons(self):
        return [item.reason for item in self.quarantine()]

    def state(self, terminal, record):
        with self.clearing.store.transaction() as tx:
            return tx.journal.record(terminal.number, record.sequence).state

    def picture(self):
        """All that must not depend on the way in: every record's state and what each did to the books."""
        with self.clearing.store.transaction() as tx:
            states = tx.journal.states()
            moved = [(row.nullifier, row.clear) for row in tx.journal.proven()]
            lines = tx.books.lines()
        sums = {}
        for line in lines:
            sums[line.posting] = sums.get(line.posting, 0) + line.amount
        assert not any(sums.values()), "a posting does not sum to zero"
        return states, moved, self.clearing.ledger.balances(), sorted(self.reasons())


class Furnished:
    """A city with its tables and venues, made once, and copied for whoever wants one."""

    def __init__(self, folder, server=None):
        self._folder, self._server = folder, server
        self._open = ExitStack()
        database = self._open.enter_context(a_database(server)) if server else None
        World(folder, database).clearing.close()
        self._template = database and make_url(database).database

    def copy(self, folder, until):
        """A city of its own, that lasts until the stack `until` is closed."""
        shutil.copytree(self._folder, folder, dirs_exist_ok=True)
        database = None
        if self._server:
            database = until.enter_context(a_database(self._server, self._template))
        made = World(folder, database, furnished=True)
        until.callback(made.clearing.close)
        return made

    def close(self):
        self._open.close()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def furnished(request, tmp_path_factory):
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    made = Furnished(tmp_path_factory.mktemp("furnished"), server)
    yield made
    made.close()


@pytest.fixture
def world(tmp_path, furnished):
    with ExitStack() as until:
        yield furnished.copy(tmp_path, until)


@pytest.fixture
def new_world(tmp_path_factory, furnished):
    """As many cities as a test wants."""
    with ExitStack() as until:
        yield lambda: furnished.copy(tmp_path_factory.mktemp("city"), until)
