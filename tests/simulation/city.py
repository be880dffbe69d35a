"""What there is: one municipality of real parts, in which only time, radio, flash, network, clocks and people are made.

Vault, desk, clearing and terminals are the code that runs in production, and talk over their own interfaces. Passes are
emulated chips that share no code with it.
"""

import hashlib
import io
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import httpx

from backend import config as backend_config
from backend.clearing import Clearing
from backend.http import create_app as create_backend
from hardware.emulated_pass import Memory
from hardware.in_process import InProcessReader
from issuer import importing
from issuer.backend_client import hand_in
from issuer.days import day_number
from issuer.desk import Desk, DeskSecrets
from issuer.registry import Registry, passes, people
from issuer.registry.tables import CardPass, Holder
from issuer.scheme import load_scheme
from issuer.vault_client import VaultAddress, VaultClient
from keys import custody
from keys.hand_out import hand_out
from keys.http import BACKEND, ISSUER, Caller
from keys.http import create_app as create_vault
from keys.register import Register
from keys.store import MemoryStore
from keys.vault import Vault
from meedoen.demo.households import write_csv
from tests.city import FixedSeeds, PaperLog
from tests.simulation.chance import Chance
from tests.simulation.chips import Committed, Name, WatchedPass
from tests.simulation.clearing_file import ClearingFile
from tests.simulation.network import Network
from tests.simulation.offers import VENUES as VENUES_FILE
from tests.simulation.offers import Offer, Venue, read_venues
from tests.simulation.place import Killed, Place

SCHEME = Path(__file__).parents[2] / "schemes/gelrepas.toml"
VAULT_URL, BACKEND_URL = "http://vault.internal", "http://clearing.internal"
ACCOUNT_OF_THE_CITY = "NL38BNGH0285000123"
# Six weeks before a pass year ends.
OPENED = date(2026, 11, 16)
_HOUSEHOLDS = "8190527364"
NOON = 12
# Where the programs of each party log.
_LOGGERS = {
    "clearing": ("meedoen.backend", "backend"),
    "desk": ("meedoen.issuer", "issuer"),
    "vault": ("meedoen.vault", "keys"),
    "terminal": ("meedoen.terminal", "terminal"),
}


class _Seeds(FixedSeeds):
    """Seeds that are not kept, so that there is nothing to destroy but the keys."""

    def destroy(self, year: int) -> None:
        """Nothing is there."""


class Guest:
    """A person with a pass, and with the ones before it that were lost."""

    def __init__(self, holder: Holder, card: WatchedPass, row: CardPass) -> None:
        self.holder = holder
        self.card = card
        self.lost: list[WatchedPass] = []
        self.row = row

    @property
    def code(self) -> str:
        """That is printed on the pass."""
        return self.row.printed_code

    @property
    def uid(self) -> bytes:
        uid: bytes = self.card.memory.picc.uid
        return uid


class City:
    """`committed`: what all passes committed, in that order; `truth`: the same by name; `fresh`: of the last hold."""

    def __init__(self, seed: int, folder: Path, guests: int) -> None:
        self.seed, self.folder = seed, folder
        self.chance = Chance(seed)
        self.today = OPENED
        self.hour = NOON
        self.committed: list[Committed] = []
        self.truth: dict[Name, Committed] = {}
        self.fresh: list[Committed] = []
        self.named_twice: list[Name] = []
        self.blocked: set[bytes] = set()
        # Since when there are passes with keys that a terminal learns at its next sync.
        self.new_keys_on = -1
        self.scheme = load_scheme(SCHEME)
        self._logs = {party: _Log(*names) for party, names in _LOGGERS.items()}
        self._open_vault()
        self.registry = Registry.at(folder / "desk")
        self._import_people()
        self.open_desk()
        self.clearing = self._open_clearing()
        self.clearing.set_up()
        self.stored = ClearingFile(folder / "backend/clearing.db", self.scheme.number)
        self.guests: list[Guest] = []
        self.venues: list[Venue] = read_venues()
        self.clearing.venues.import_file(VENUES_FILE, self.today)
        self.places = [Place(self, venue, number) for venue in self.venues for number in venue.terminals]
        self.guests = [self.issue(holder) for holder in self.desk.waiting(self.today)[:guests]]
        self.hand_in_loads()

    # Time

    @property
    def day(self) -> int:
        """Today, as records count days."""
        return day_number(self.today)

    def now(self) -> datetime:
        """Every party that asks gets the same whole hour."""
        return datetime.combine(self.today, time(self.hour), UTC)

    def pass_days(self, to: int) -> None:
        """It becomes that day, counted from the opening."""
        self.today = OPENED + timedelta(days=to)

    # The vault

    def _open_vault(self) -> None:
        self._root = hashlib.sha256(b"%d" % self.seed).digest()
        self.vault = self.vault_with_all_years()
        self.vault_log = PaperLog()
        self.vault_is_down = self.dies_asking = False
        self._vault_app = create_vault(self.vault, self.vault_log)

    def vault_with_all_years(self) -> Vault:
        """As the custodians made it: no key is newer, and none was destroyed."""
        register, store = Register(self.scheme.number, self.scheme.aid), MemoryStore()
        custody.establish(self._root, register, store, _Seeds(), OPENED)
        return Vault(store, register, lambda: self.today)

    def vault_as(self, party: str) -> httpx.BaseTransport:
        """The vault over HTTP, as that party."""
        return _Switched(httpx.WSGITransport(app=Caller(self._vault_app, party)), self)

    def rotate(self, purpose: str) -> None:
        """The custodians make a new version of a key; the old one counts for 60 days more."""
        custody.rotate(self._root, self.vault.register, self.vault.store, purpose, self.today + timedelta(days=60))
        self.new_keys_on = self.day
        self.open_desk()
        self.restart_clearing()

    def destroy_year(self, year: int) -> None:
        """The custodians destroy the keys of a year that is over."""
        custody.destroy_year(self.vault.register, self.vault.store, _Seeds(), year, self.today)
        self.vault.siv_key_of.cache_clear()

    # The desk

    def _import_people(self) -> None:
        path = self.folder / "households.csv"
        write_csv(path, self.seed)
        head, *rows = path.read_text(encoding="utf-8").splitlines()
        # A number of a household of some digits is in a nonce or a sealed record by chance; one of so many is not.
        path.write_text("\n".join([head, *(f"{_HOUSEHOLDS}{row}" for row in rows)]) + "\n", encoding="utf-8")
        with self.registry.transaction() as session:
            run, _ = importing.upload(session, path.read_bytes(), "desk", self.now(), self.today)
            importing.accept(session, run.id, "desk", self.now(), self.today)

    def open_desk(self) -> None:
        """The desk, with the file that the vault gives it on this day."""
        hand_out(self.folder / "vault", self.vault)
        self.secrets = DeskSecrets.read(self.folder / "vault/issuer.json")
        self._desk_until = self.today + timedelta(days=self.vault.register.lease_days)
        client = VaultClient(VaultAddress(VAULT_URL), self.vault_as(ISSUER))
        self._desk = Desk(self.registry, self.scheme, self.secrets, client, self.chance, self.now)

    @property
    def desk(self) -> Desk:
        """Its file is renewed before it ends."""
        if self.today > self._desk_until - timedelta(days=5):
            self.open_desk()
        return self._desk

    def new_card(self) -> WatchedPass:
        """As the factory delivers it."""
        memory = Memory.factory(uid=b"\x04" + self.chance(6))
        return WatchedPass(memory, self.chance, self._committed)

    def _committed(self, found: Committed) -> None:
        if found.name in self.truth:
            self.named_twice.append(found.name)
        self.truth[found.name] = found
        self.committed.append(found)
        self.fresh.append(found)

    def issue(self, holder: Holder) -> Guest:
        """A new pass for somebody."""
        card = self.new_card()
        issued = self.desk.issue(holder, InProcessReader(card), self.today)
        return Guest(holder, card, self.desk.hand_over(issued.card.printed_code))

    def row_of(self, guest: Guest) -> CardPass:
        """What the registry knows of a guest's pass."""
        with self.registry.transaction() as session:
            return passes.coded(session, guest.code)

    def holders(self) -> list[Holder]:
        with self.registry.transaction() as session:
            return people.holders(session)

    def hand_in_loads(self) -> list[dict[str, object]]:
        """The desk's journal goes to clearing; what was refused of it."""
        return hand_in(self.desk.journal, self.secrets.terminal, BACKEND_URL, self.network)

    # Clearing

    def _open_clearing(self) -> Clearing:
        folder = self.folder / "backend"
        config = backend_config.make(
            folder, SCHEME, self.folder / "vault/backend.json", ACCOUNT_OF_THE_CITY, vault_address=VAULT_URL
        )
        clearing = Clearing(config, self.vault_as(BACKEND), self.now)
        app = httpx.WSGITransport(app=create_backend(config, clearing))
        if hasattr(self, "network"):
            self.network.app = app
        else:
            self.network = Network(app)
        return clearing

    def stop_clearing(self) -> None:
        """The server stops between two requests."""
        self.stored.let_go()
        self.clearing.close()

    def start_clearing(self) -> None:
        """It starts again, with the file that the vault gives now."""
        self.clearing = self._open_clearing()

    def restart_clearing(self) -> None:
        self.stop_clearing()
        self.start_clearing()

    # The venues

    def place(self, number: int) -> Place:
        """One of the terminals, whatever the number."""
        return self.places[number % len(self.places)]

    def guest(self, number: int) -> Guest:
        """One of the guests, whatever the number."""
        return self.guests[number % len(self.guests)]

    def offer(self, place: Place, number: int) -> Offer:
        """One of the offers there, whatever the number."""
        return place.venue.offers[number % len(place.venue.offers)]

    def cards(self) -> Iterator[WatchedPass]:
        """Every pass that was ever made."""
        for guest in self.guests:
            yield guest.card
            yield from guest.lost

    def has_a_reason(self, terminal: int) -> bool:
        """Whether records of a terminal may get lost: its flash rots, or its owner meddles."""
        return any(place.terminal == terminal and place.spoilt for place in self.places)

    def digest(self) -> str:
        """Eight hex digits of all that is on passes and flash and in the books: the same bytes, the same digits."""
        whole = hashlib.sha256()
        for card in self.cards():
            whole.update(repr(card.memory.picc).encode())
        for place in self.places:
            whole.update(place.storage.content)
        with self.clearing.store.transaction() as tx:
            for line in tx.books.lines():
                whole.update(repr(tuple(line)).encode())
        return whole.hexdigest()[:8]

    def logged(self, party: str) -> str:
        """All lines that the programs of a party logged, at every level."""
        return self._logs[party].lines.getvalue()

    def close(self) -> None:
        self.stop_clearing()
        self.registry.close()
        for log in self._logs.values():
            log.close()


class _Log:
    """Listens to loggers at every level, until it is closed."""

    def __init__(self, *names: str) -> None:
        self.lines = io.StringIO()
        self._handler = logging.StreamHandler(self.lines)
        self._loggers = [logging.getLogger(name) for name in names]
        self._levels = [logger.level for logger in self._loggers]
        for logger in self._loggers:
            logger.addHandler(self._handler)
            logger.setLevel(logging.DEBUG)

    def close(self) -> None:
        for logger, level in zip(self._loggers, self._levels, strict=True):
            logger.removeHandler(self._handler)
            logger.setLevel(level)


class _Switched(httpx.BaseTransport):
    """The vault, as long as it is not down, and clearing does not die while it asks."""

    def __init__(self, app: httpx.BaseTransport, city: City) -> None:
        self._app, self._city = app, city

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._city.dies_asking:
            self._city.dies_asking = False
            raise Killed
        if self._city.vault_is_down:
            raise httpx.ConnectError("no route", request=request)
        return self._app.handle_request(request)
