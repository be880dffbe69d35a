"""What people and other parties hand in, by name: each a function from the bytes of a document to whether it is taken.

Each raises for what no document may bring about: an error that is not the one that its reader promises, a refusal that
says nothing, books that changed though it was refused, or that do not add up though it was taken.
"""

import hashlib
import io
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet
from werkzeug.test import Client, EnvironBuilder

from backend import config as clearing_config
from backend.errors import (
    BankFileRefused,
    ConfigError,
    ImportRefused,
    LedgerError,
    LinkError,
    RecoveryRefused,
    ReportRefused,
)
from backend.http import create_app as clearing_app
from backend.reports import reach
from backend.vault import Question, VaultClient
from card import release
from card.batch import CHALLENGE_BYTES, MAC_BYTES, build_batch, chain_key, entry_bytes, link_key, statement_mac
from card.errors import BadAnswer
from hardware.emulated_pass import Memory
from issuer import balance, importing
from issuer.backend_client import hand_in
from issuer.desk import DeskSecrets
from issuer.errors import ArtworkRefused, DeskError, FaceRefused, SchemeError
from issuer.import_file import read_people
from issuer.letters.office import load_office
from issuer.people import Person
from issuer.printing.design import load_design
from issuer.printing.photo import portrait
from issuer.scheme import load_scheme
from issuer.vault_client import VaultAddress
from issuer.vault_client import VaultClient as DeskVaultClient
from keys import audit_log, register, transcript
from keys.audit_log import AuditLog
from keys.custody_cli import _municipality
from keys.errors import KeyStoreError, ShareError
from keys.hierarchy import derive
from keys.http import BACKEND, ISSUER, Caller
from keys.http import create_app as vault_app
from keys.shares import Shares
from terminal import hotlist
from terminal.errors import BackendUnreachable, NoOffers, TerminalError
from terminal.firmware import link
from terminal.host import Backend, about, book_of, in_words
from terminal.signed import NotSigned
from tests import city
from tests.backend.conftest import LINK_ROOT, POOL_TERMINAL, Vault, World
from tests.fuzz.targets import WentWrong
from tests.issuer import test_http as desk_api
from tests.issuer.a_registry import NOON, TODAY, everybody, give_pass, holder, in_memory, take
from tests.issuer.test_desk import CHILD
from tests.keys import test_balance as officers
from web.oidc import Oidc, Provider, ProviderRefused
from web.outside import has_control

_ROOT = b"\x5a" * 32
_BODY_BYTES = 103
_PATH = re.compile("/[A-Za-z0-9/:_-]+")
_NOBODY = Person("H1", "Vries", "de", "Noor", date(2016, 1, 15), 110)
_LOGIN, _NONCE = "https://login.example", {"nonce": "n" * 43}
# The same each time, as there are documents for it in the corpus.
_LOGIN_KEY = ECKey.import_key(
    ec.derive_private_key(20261121, ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
)
_CLAIMS = {"iss": _LOGIN, "aud": "desk", "sub": "f3a9", "exp": 4_000_000_000, "preferred_username": "noor"} | _NONCE
_LOGIN_SAYS = {
    "openid-configuration": json.dumps(
        {"issuer": _LOGIN, "authorization_endpoint": f"{_LOGIN}/authorize"}
        | {"token_endpoint": f"{_LOGIN}/token", "jwks_uri": f"{_LOGIN}/keys"}
    ).encode(),
    "keys": json.dumps(KeySet([_LOGIN_KEY]).as_dict(private=False)).encode(),
    "token": json.dumps({"id_token": jwt.encode({"alg": "ES256"}, _CLAIMS, _LOGIN_KEY)}).encode(),
}
_HELD = {"hotlist": 0, "changes": 0, "signers": [city.VAULT.store.public_key(("bundle", 1)).hex()]}


def _require(fact: object, what: str) -> None:
    if not fact:
        raise WentWrong(what)


@contextmanager
def _refused_as(*promised: type[Exception]) -> Iterator[None]:
    """Turns a refusal that its reader promises, and that says what is wrong, into _Refused."""
    try:
        yield
    except promised as error:
        _require(str(error).strip(), "a refusal that says nothing")
        raise _Refused from None


class _Refused(Exception):
    """As it should be."""


class _Agreeable(Vault):
    """A vault that proves whatever can be read."""

    def _proof(self, clear: bytes, sealed: bytes) -> dict[str, Any]:
        self.committed[clear, sealed] = hashlib.sha256(clear + sealed).hexdigest()[:32]
        return super()._proof(clear, sealed)


class _Clearing:
    """A city with a payment on its way, over an SQLite file that is put back when something was taken."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.world = World(folder)
        self.world.clearing.close()
        self.world.vault = _Agreeable()
        self.world.clearing = self.world.open()
        for terminal in (self.world.pool, self.world.shop, self.world.desk):
            terminal.vault = self.world.vault
        self.world.sells()
        settlements = self.world.clearing.settlements
        made = settlements.prepare(date(2026, 11, 30), "Anna")
        settlements.approve(made.number, "Bram")
        settlements.sent(made.number, "Bram")
        self.world.pool.tap(self.world.holder, offer=99)
        self.world.sync()
        self.app = Client(clearing_app(self.world.config, self.world.clearing))
        self._file = folder / "clearing.db"
        self._as_new = self._content()
        self.new = self._as_new_digest = self._digest()

    def _content(self) -> bytes:
        self.world.clearing.store.close()
        return self._file.read_bytes()

    def _digest(self) -> bytes:
        with closing(sqlite3.connect(self._file)) as connection:
            return hashlib.sha256("\n".join(connection.iterdump()).encode(errors="replace")).digest()

    def require_unchanged(self) -> None:
        _require(self._digest() == self.new, "what was refused changed the books")

    def begin_recovery(self) -> None:
        """As after an older copy was put back, until `put_back`."""
        self.world.clearing.recovery.begin("Dirk")
        self.new = self._digest()

    def put_back(self) -> None:
        """As new, once what was taken adds up."""
        self.world.picture()
        self.world.clearing.store.close()
        for name in ("-wal", "-shm"):
            self._file.with_name(self._file.name + name).unlink(missing_ok=True)
        self._file.write_bytes(self._as_new)
        self.new = self._as_new_digest


class Documents:
    """The readers, over a folder for what they want in files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def is_taken(self, name: str, document: bytes) -> bool:
        """Whether the reader of this name takes a document; raises for what none may bring about."""
        try:
            getattr(self, name)(document)
        except _Refused:
            return False
        return True

    def _file(self, document: bytes, name: str = "document") -> Path:
        path = self._folder / name
        path.write_bytes(document)
        return path

    @cached_property
    def _clearing(self) -> _Clearing:
        return _Clearing(self._folder / "clearing")

    @contextmanager
    def _in_the_books(self, *promised: type[Exception]) -> Iterator[World]:
        clearing = self._clearing
        try:
            with _refused_as(*promised):
                yield clearing.world
        except _Refused:
            clearing.require_unchanged()
            raise
        clearing.put_back()

    # Clearing

    def bank(self, document: bytes) -> None:
        """A file of the bank: read, and held against the payments."""
        with self._in_the_books(BankFileRefused) as world:
            try:
                world.clearing.bank.take(document, "Chris")
            except BankFileRefused as refusal:
                if refusal.reason == "behind":
                    self._clearing.put_back()  # it says that the books are an old copy, which stops payments
                raise

    def order(self, document: bytes) -> None:
        """A payment order that two people take in after an older copy of the books was put back."""
        self._clearing.begin_recovery()
        try:
            with self._in_the_books(RecoveryRefused) as world:
                for name in ("Anna", "Bram"):
                    world.clearing.recovery.order(document, name)
        finally:
            self._clearing.put_back()

    def venues(self, document: bytes) -> None:
        path = self._file(document, "venues.toml")
        with self._in_the_books(ImportRefused) as world:
            world.clearing.venues.import_file(path)
            world.clearing.venues.listing()
            world.clearing.venues.bundle_for(POOL_TERMINAL)

    def batch(self, document: bytes) -> None:
        """Records of the pool as it would sign them; what begins as a batch is handed in as it is."""
        clearing, terminal = self._clearing, self._clearing.world.pool
        body, first = document, len(terminal.entries) + 1
        if document[:2] != b"MB":
            mac, entries = terminal.macs[-1], list[bytes]()
            for at in range(0, len(document) - _BODY_BYTES + 1, _BODY_BYTES):
                part = document[at : at + _BODY_BYTES]
                entries.append(
                    entry_bytes(chain_key(terminal.key), first + len(entries), mac, part[0], part[1:43], part[43:])
                )
                mac = entries[-1][-16:]
            body = build_batch(terminal.key, terminal.number, first, terminal.macs[-1], entries[:1024])
        try:
            with _refused_as(LedgerError):
                receipt = clearing.world.clearing.ingest.accept(body, terminal.number)
                _require(receipt.pending == 0, "a record that nobody decides on")
        finally:
            # What was refused is in quarantine, so the books have changed in any case.
            clearing.put_back()

    def statement(self, document: bytes) -> None:
        """What a terminal says of itself, under its own MAC."""
        with self._in_the_books(LedgerError) as world:
            challenge = world.clearing.statements.challenge(POOL_TERMINAL)
            mac = statement_mac(link_key(LINK_ROOT, POOL_TERMINAL), challenge, document)
            world.clearing.bundle(POOL_TERMINAL, challenge + mac + document)

    def reach(self, document: bytes) -> None:
        with _refused_as(ReportRefused):
            reach.read(document, 1, 2026)

    def config(self, document: bytes) -> None:
        """The configuration of clearing, as its folder has it."""
        path = self._file(document, clearing_config.FILE_NAME)
        with _refused_as(ConfigError):
            clearing_config.load(path.parent)

    def clearing_file(self, document: bytes) -> None:
        """What the vault gives clearing."""
        path = self._file(document, "backend.json")
        with _refused_as(LedgerError):
            clearing_config.make(self._folder, city.ROOT / "schemes/gelrepas.toml", path, "NL44RABO0123456789")

    def proofs(self, document: bytes) -> None:
        """What a vault answers clearing."""
        client = VaultClient(self._clearing.world.config.vault, _answering(document))
        with _refused_as(LinkError):
            client.prove([Question(POOL_TERMINAL, 1, bytes(42), bytes(60))])

    def findings(self, document: bytes) -> None:
        client = VaultClient(self._clearing.world.config.vault, _answering(document))
        with _refused_as(LinkError):
            client.audit([], 0, False)

    # The desk

    @cached_property
    def _registry(self) -> Any:
        registry = in_memory()
        take(registry, [CHILD, _NOBODY])
        give_pass(registry, holder(registry, CHILD), desk_api.CODE)
        return registry

    def households(self, document: bytes) -> None:
        """Looked at, kept until somebody accepts it, and taken in when nothing is wrong with it."""
        registry, reading = self._registry, read_people(document, TODAY)
        _require(reading.people or reading.faults, "a file that says nothing")
        for fault in reading.faults:
            _require(fault.row >= 1 and fault.problem_nl and fault.problem_en, "a fault that says nothing")
        before = [each.person for each in everybody(registry)]
        try:
            with registry.transaction() as session:
                run, seen = importing.upload(session, document, "desk", NOON, TODAY)
                _require(len(seen.rows) <= len(reading.people), "more rows than people")
                if not seen.faults:
                    importing.accept(session, run.id, "desk", NOON, TODAY)
                raise _Refused
        except _Refused:
            _require([each.person for each in everybody(registry)] == before, "looking changed the registry")
        if reading.faults:
            raise _Refused

    def scheme(self, document: bytes) -> None:
        """The rules of a municipality, which desk, clearing and vault each read for themselves."""
        path = self._file(document, "scheme.toml")
        with _refused_as(KeyStoreError):
            _municipality(path)
        with _refused_as(LedgerError):
            clearing_config.make(self._folder, path, self._good_file("clearing_file"), "NL44RABO0123456789")
        with _refused_as(SchemeError):
            load_scheme(path)

    def _good_file(self, name: str) -> Path:
        return next((Path(__file__).parent / "corpus" / name).glob("good_*"))

    def office(self, document: bytes) -> None:
        with _refused_as(SchemeError):
            load_office(self._file(document, "office.toml"))

    def face(self, document: bytes) -> None:
        with _refused_as(ArtworkRefused):
            load_design(self._file(document, "face.toml"))

    def photo(self, document: bytes) -> None:
        with _refused_as(FaceRefused):
            portrait(document, 20, 25)

    def desk_file(self, document: bytes) -> None:
        """What the vault gives the desk."""
        with _refused_as(DeskError):
            DeskSecrets.read(self._file(document, "issuer.json"))

    def signature(self, document: bytes) -> None:
        """What an officer gives the desk."""
        client = DeskVaultClient(VaultAddress("http://vault"), _answering(b'{"balances": [], "asOf": "2026-11-21"}'))
        with _refused_as(DeskError):
            balance.ask(b"{}", [document], client, b"")

    def request(self, document: bytes) -> None:
        """What officers sign, as it comes back to the desk."""
        with _refused_as(DeskError):
            balance.pass_of(document)

    def card_keys(self, document: bytes) -> None:
        """What a vault answers the desk."""
        with _refused_as(DeskError):
            DeskVaultClient(VaultAddress("http://vault"), _answering(document)).card_keys(bytes(7), 1)

    def balances(self, document: bytes) -> None:
        client = DeskVaultClient(VaultAddress("http://vault"), _answering(document))
        with _refused_as(DeskError):
            balance.ask(b"{}", [], client, b"")

    def taken(self, document: bytes) -> None:
        """What answers the desk where it looks for the backend."""
        journal: Any = SimpleNamespace(batches=lambda first: [b"a batch"])
        with _refused_as(DeskError):
            hand_in(journal, 1, "http://backend", _answering(document))

    def emulated(self, document: bytes) -> None:
        """A pass that is a file."""
        with _refused_as(ValueError):
            Memory.load(self._file(document, "pass.json"))

    # The vault

    @cached_property
    def _vault(self) -> Any:
        made = city.vault_of()
        for name in ("Aïcha", "Bram"):
            made.register.officers[name] = officers.OFFICERS[name].public_key().public_bytes_raw().hex()
        app = vault_app(made, city.PaperLog())
        return SimpleNamespace(vault=made, desk=Client(Caller(app, ISSUER)), clearing=Client(Caller(app, BACKEND)))

    def records(self, document: bytes) -> None:
        self._require_answer(self._vault.clearing.post("/v1/prove", data=document))

    def audit(self, document: bytes) -> None:
        self._require_answer(self._vault.clearing.post("/v1/audit?fromTheStart=true", data=document))

    def signed_request(self, document: bytes) -> None:
        """The form in which a desk sends a request with its signatures."""
        self._ask_for_balance(document, officers.table(self._vault.vault, []))

    def asked(self, document: bytes) -> None:
        """A request as two officers signed it."""
        self._ask_for_balance(self._signed(document), officers.table(self._vault.vault, []))

    def table(self, document: bytes) -> None:
        """Rows of clearing: a multiple of rows under its key, or a table as it comes."""
        vault = self._vault.vault
        made = document if document[:2] == b"MT" else officers.table(vault, [document])
        self._ask_for_balance(self._signed(officers.request()), made)

    def _signed(self, content: bytes) -> bytes:
        both = officers.signed(content, "Aïcha", "Bram")
        names = [{"officer": one.officer, "signature": one.signature.hex()} for one in both]
        return json.dumps({"request": content.decode(errors="surrogateescape"), "signatures": names}).encode()

    def _ask_for_balance(self, form: bytes, table: bytes) -> None:
        builder = EnvironBuilder(
            "/v1/balance",
            method="POST",
            data={"request": form.decode(errors="replace"), "table": (io.BytesIO(table), "table")},
        )
        self._require_answer(self._vault.desk.open(builder))

    def register(self, document: bytes) -> None:
        """What the vault knows that is no secret; anybody with the disk may have written it."""
        path = self._file(document, register.FILE_NAME)
        with _refused_as(KeyStoreError):
            register.peek(path.parent)
            register.load(path.parent, self._vault.vault.store)

    def transcript(self, document: bytes) -> None:
        with _refused_as(KeyStoreError):
            transcript.verify(document, derive(_ROOT, 1, "transcript"))

    def share(self, document: bytes) -> None:
        """A share as somebody typed it."""
        shares = Shares()
        with _refused_as(ShareError):
            shares.add(document.decode(errors="replace"))
        _require(shares.missing is not None, "a share that does not count")

    def call_log(self, document: bytes) -> None:
        """What others may have done to the vault's log of calls: it is refused, or goes on and is whole."""
        log = AuditLog(self._file(document, audit_log.FILE_NAME).parent, lambda: NOON)
        with _refused_as(KeyStoreError):
            log.add("backend", "local socket", "prove", "record", 1, "200")
            log.verify()

    # The city's own login

    def login_about(self, document: bytes) -> None:
        _log_in({"openid-configuration": document})

    def login_keys(self, document: bytes) -> None:
        _log_in({"keys": document})

    def login_token(self, document: bytes) -> None:
        """What a provider gives for a code."""
        _log_in({"token": document})

    def login_claims(self, document: bytes) -> None:
        """What a provider signs."""
        token = jws.serialize_compact({"alg": "ES256"}, document, _LOGIN_KEY)
        _log_in({"token": json.dumps({"id_token": token}).encode()})

    # The terminal's host

    def blocked(self, document: bytes) -> None:
        """A hotlist as the desk would sign it, and as it comes."""
        for content in (document, city.list_keys().signed(document)):
            try:
                hotlist.opened(content, _HELD["signers"]).for_terminal(0)
                return
            except NotSigned:
                continue
        raise _Refused

    def package(self, document: bytes) -> None:
        """A release of the firmware, damaged and with a digest that fits."""
        with _refused_as(BadAnswer):
            content = document[: -release.DIGEST_BYTES]
            files = release.files_of(content + hashlib.sha256(content).digest())
            version = release.version_of(content + hashlib.sha256(content).digest())
            _require(release.build_package(version, files)[: len(content)] == content, "a package that nobody made")

    def where(self, document: bytes) -> None:
        """What a backend answers a host."""
        with _refused_as(BackendUnreachable):
            _backend(document).where(city.TERMINAL)

    def receipt(self, document: bytes) -> None:
        with _refused_as(BackendUnreachable):
            _backend(document).hand_in(city.TERMINAL, b"")

    def offers(self, document: bytes) -> None:
        said = json.dumps({**_HELD, "day": city.DAY}).encode()
        with _refused_as(NoOffers):
            _backend(document).bundle(city.TERMINAL, bytes(CHALLENGE_BYTES + MAC_BYTES) + said)

    def terminal_says(self, document: bytes) -> None:
        """What a terminal, or what else is on that port, says of itself."""
        with _refused_as(TerminalError):
            found = about(_Says(document))
            in_words(found, TODAY)
            book_of(found)

    # Over HTTP

    def http(self, document: bytes) -> None:
        """A call, as `party path`, and its body as JSON."""
        head, _, body = document.partition(b"\n")
        party, _, path = head.decode("latin-1").partition(" ")
        if not _PATH.fullmatch(path):
            raise _Refused
        if party == "clearing":
            clearing = self._clearing
            answer = clearing.app.post(path, data=body, content_type="application/json")
            self._require_answer(answer, clearing)
        elif party == "desk":
            self._require_answer(self._desk_api.post(path, data=body, content_type="application/json"))
        else:
            self._require_answer(self._vault.desk.post(path, data=body, content_type="application/json"))

    @cached_property
    def _desk_api(self) -> Any:
        return Client(desk_api.api(self._registry))

    def _require_answer(self, answer: Any, clearing: _Clearing | None = None) -> None:
        _require(answer.status_code < 500, f"{answer.status_code}: {answer.get_data()!r}")
        if clearing is not None:
            clearing.put_back()
        if answer.status_code >= 400:
            raise _Refused


def _backend(document: bytes) -> Backend:
    return Backend("http://backend", _answering(document))


def _answering(document: bytes) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: httpx.Response(200, content=document))


def _log_in(instead: dict[str, bytes]) -> None:
    """Through a city's login of which some answers, by the end of their address, are these."""
    says = _LOGIN_SAYS | instead
    transport = httpx.MockTransport(lambda asked: httpx.Response(200, content=says.get(asked.url.path.split("/")[-1])))
    with _refused_as(ProviderRefused):
        provider = Provider(Oidc(_LOGIN, "desk", "a secret", "Gelredam"), transport)
        address, kept = provider.ask("https://desk.example/return")
        _require(address.startswith(("http://", "https://")), "an address that is none")
        _, subject, claim = provider.who(kept["state"], "code", "https://desk.example/return", kept | _NONCE, NOON)
        _require(not has_control(subject + claim), "a name that no database keeps")


class _Says:
    """A link to what answers every question with the same."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def ask(self, kind: bytes, content: bytes = b"", issuer: int = link.WHOLE_DEVICE) -> bytes:
        return self._answer

    def close(self) -> None:
        """Nothing is held."""


@cache
def names() -> tuple[str, ...]:
    return tuple(name for name in vars(Documents) if name[0] != "_" and name != "is_taken")


def reader(name: str, folder: Path) -> Callable[[bytes], bool]:
    documents = Documents(folder)
    return lambda document: documents.is_taken(name, document)
