"""A small city for tests: a vault, passes made by the desk's own code, and terminals to tap them on."""

import hashlib
import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from card.batch import COMMITTED, IN_DOUBT, freshness_mac, link_key, open_batch, siv_key
from card.blueprint import Blueprint
from card.layout import aid_bytes
from card.sealing import SealingKey
from card.session import Session
from card.signing import BUNDLE, SEAL_BYTES, signed
from card.siv import siv_encrypt
from card.wire import uint
from hardware.emulated_pass import EmulatedPass, Memory, inspect
from hardware.in_process import InProcessReader
from issuer.desk import DeskSecrets
from issuer.hotlist import ListKeys, base_of, changes_of
from issuer.load import Intent, Load, Loader
from issuer.personalise import Details, Pass, Personaliser
from issuer.vault_client import CardKeys, OlderKey, VaultAddress, VaultClient
from keys.custody import establish
from keys.days import date_of
from keys.hierarchy import SEED_BYTES
from keys.http import ISSUER as AS_ISSUER
from keys.http import Caller, create_app
from keys.proving import Prover
from keys.register import Register, Terminal
from keys.store import MemoryStore
from keys.vault import Vault
from terminal.firmware import link
from terminal.firmware.app import WORKING
from terminal.firmware.device import Device
from terminal.firmware.hotlist import Hotlist, open_hotlist
from terminal.host import bring
from terminal.pc import PcBoard
from tests.twin.nor_flash import NorFlash

AID, DF_NAME, ISSUER = "F0E0D1", "NL.STADSPAS.0001", 1
DAY = 2516
TERMINAL, DESK = 101, 1
PIN = "2580"
CENTS, CLOTHES, VISITS = 1, 2, 4
PURSES = {CENTS: 22500, CLOTHES: 18000, VISITS: 500}
OFFERS = [
    {"n": 11, "name": "Zwemmen", "purse": CENTS, "price": "fixed", "amount": 400, "percent": 0, "cap": 0},
    {"n": 12, "name": "Kiosk", "purse": CENTS, "price": "typed", "amount": 0, "percent": 0, "cap": 0},
    {"n": 13, "name": "Museum", "purse": VISITS, "price": "percent", "amount": 1, "percent": 50, "cap": 1000},
    {"n": 14, "name": "Zwempak", "purse": CLOTHES, "price": "fixed", "amount": 1500, "percent": 0, "cap": 0},
    {"n": 15, "name": "Dagje uit", "purse": CENTS, "price": "fixed", "amount": 300, "percent": 0, "cap": 0},
]
for offer in OFFERS:
    offer.update({"purse2": 255, "amount2": 0})
OFFERS[-1].update({"purse2": VISITS, "amount2": 1})


class FixedSeeds:
    """Seeds of years that are the same in every run."""

    def make(self, year):
        return self.read(year)

    def read(self, year):
        return year.to_bytes(2, "big") * (SEED_BYTES // 2)


def vault_of(municipality=ISSUER, aid=AID, root=b"\x5a" * 32, day=DAY) -> Vault:
    """A vault whose keys are the same in every run; `vault.today` can be set to another clock."""
    register, store = Register(municipality, aid), MemoryStore()
    establish(root, register, store, FixedSeeds(), date_of(day))
    return Vault(store, register, lambda: date_of(day))


VAULT = vault_of()
PROVER = Prover(VAULT)


class PaperLog:
    """An audit log that is only remembered."""

    def __init__(self):
        self.lines = []

    def add(self, *line):
        self.lines.append(line)


VAULT_APP = create_app(VAULT, PaperLog())


def sealing_of(terminal, day=DAY, vault=VAULT) -> SealingKey:
    """The sealing key of a terminal or desk, as far as the end of the year."""
    return vault._chain(terminal, date_of(day))


def desk_secrets(day=DAY, vault=VAULT) -> DeskSecrets:
    """What the desk gets of the vault on a day."""
    keys = Vault(vault.store, vault.register, lambda: date_of(day)).desk_keys()
    return DeskSecrets(
        VaultAddress("http://vault"),
        DESK,
        bytes.fromhex(keys["link_key"]),
        [(bytes.fromhex(state), first, last) for state, first, last in keys["sealing"]],
        list_keys(day, vault),
    )


def list_keys(day=DAY, vault=VAULT) -> ListKeys:
    """What the desk makes the hotlist with."""
    keys = Vault(vault.store, vault.register, lambda: date_of(day)).desk_keys()
    return ListKeys(*(bytes.fromhex(keys[name]) for name in ("hotlist_key", "signing_key", "certificate")))


def bundle_signer(day=DAY, vault=VAULT):
    """What clearing signs bundles with, as the vault gives it on a day: the key and its certificate."""
    keys = Vault(vault.store, vault.register, lambda: date_of(day)).backend_keys()
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(keys["signing_key"])), bytes.fromhex(keys["certificate"])


class PaperJournal:
    """A desk's journal that is only remembered."""

    def __init__(self):
        self.sequence = 0
        self.open = {}
        self.entries = []
        self.written = []

    def next_sequence(self):
        return self.sequence + 1

    def open_intent(self, handle):
        return self.open.get(handle)

    def intend(self, handle, intent: Intent, in_doubt):
        self.sequence += 1
        self.open[handle] = intent

    def committed(self, intent, sealed):
        self.entries.append((intent.clear, sealed))
        self.written.append(intent.load_id)
        self._close(intent)

    def void(self, intent):
        self._close(intent)

    def _close(self, intent):
        self.open = {handle: held for handle, held in self.open.items() if held is not intent}


class DirectKeys:
    """The vault's keys for the desk, without HTTP between."""

    def __init__(self, vault=None):
        self.vault = vault or VAULT

    def lookup_keys(self):
        keys = self.card_keys(bytes(7), 0)
        return [keys.lookup, *(each.key for each in keys.older if each.purpose == "lookup")]

    def card_keys(self, uid, generation):
        keys = self.vault.card_keys(uid, generation)
        return CardKeys(
            handle=keys.handle,
            versions={name: key.version for name, key in keys.current.items()},
            older=[OlderKey(each.purpose, each.version, each.key, each.handle) for each in keys.older],
            **{name: key.key for name, key in keys.current.items()},
        )


def vault_over_http() -> VaultClient:
    return VaultClient(VaultAddress("http://vault"), httpx.WSGITransport(app=Caller(VAULT_APP, AS_ISSUER)))


def blueprint(vault=None) -> Blueprint:
    register = (vault or VAULT).register
    return Blueprint(register.aid, f"{DF_NAME[:-4]}{register.municipality:04}", PURSES)


def loader(journal, day=DAY, vault=None) -> Loader:
    vault = vault or VAULT
    return Loader(DESK, aid_bytes(vault.register.aid), sealing_of(DESK, day, vault), journal, os.urandom)


def factory_card(uid=b"\x04\x11\x22\x33\x44\x55\x66", generation="EV2", path=None) -> EmulatedPass:
    return EmulatedPass(Memory.factory(path=path, uid=uid, generation=generation), random=os.urandom)


def make_pass(
    uid=b"\x04\x11\x22\x33\x44\x55\x66", loads=None, valid=(DAY - 30, DAY + 300), vault=None, issued=DAY - 30
) -> tuple[EmulatedPass, Pass]:
    """A pass as the desk hands it over, with 20 euro, 50 euro for clothes and 10 visits unless said otherwise."""
    card = factory_card(uid)
    reader = InProcessReader(card)
    keys = DirectKeys(vault)
    details = Details(keys.vault.register.municipality, *valid, issued)
    made = Personaliser(blueprint(vault), keys, os.urandom).personalise(reader, details)
    loads = {CENTS: 2000, CLOTHES: 5000, VISITS: 10} if loads is None else loads
    planned = [Load(number, 1, purse, amount) for number, (purse, amount) in enumerate(loads.items()) if amount]
    reader.find_pass()
    loader(PaperJournal(), vault=vault).load(Session(reader.transmit), keys.card_keys(uid, 1), planned)
    reader.release()
    return card, made


def purses_of(card: EmulatedPass) -> dict[int, int]:
    """What is on the card, read from its memory."""
    return {number: file["value"] for number, file in _files(card).items() if "value" in file}


def counter_of(card: EmulatedPass) -> int:
    return _files(card)[15]["tmc"]


def _files(card):
    (application,) = inspect(card.memory)["applications"].values()
    return application["files"]


def bundle(
    terminal=TERMINAL,
    version=1,
    day=DAY,
    valid=(DAY - 1, DAY + 30),
    offers=OFFERS,
    allowed=(CENTS, VISITS),
    held=0,
    vault=None,
):
    vault = vault or VAULT
    content = {
        "terminal": terminal,
        "version": version,
        "day": day,
        "from": valid[0],
        "until": valid[1],
        "venue": "Zwembad De Plas",
        "municipality": {ISSUER: "Gelredam"}.get(vault.register.municipality, "Buurdorp"),
        "issuer": vault.register.municipality,
        "aid": vault.register.aid,
        "purses": {str(CENTS): "Meedoen", str(CLOTHES): "Kleding", str(VISITS): "Korting"},
        "units": {str(CENTS): "cent", str(CLOTHES): "cent", str(VISITS): "visit"},
        "allowed": list(allowed),
        "offers": offers,
        "held": held,
    }
    key = siv_key(link_key(vault.handed_out("link", 1), terminal))
    return siv_encrypt(key, [b"bundle" + uint(terminal, 4)], json.dumps(content).encode())


def signed_bundle(sealed: bytes, vault=VAULT) -> bytes:
    """A bundle and its MAC as clearing gives them to a host."""
    key, certificate = bundle_signer(vault=vault)
    return signed(BUNDLE, sealed, certificate, key.sign)


def hotlist(*handles: bytes, version=1, day=DAY, vault=VAULT) -> bytes:
    """A whole list that blocks these, as a host brings it: all of them in the changes, nobody in the base."""
    key = list_keys(vault=vault or VAULT).key
    base = base_of(key, version, day, [], [])
    return base + changes_of(base, key, version, handles)


def signed_hotlist(*handles: bytes, version=1, day=DAY, vault=VAULT) -> bytes:
    """The same as the desk publishes it."""
    return list_keys(day, vault).signed(hotlist(*handles, version=version, day=day, vault=vault))


def on_a_terminal(signed: bytes, key: bytes | None = None) -> Hotlist | None:
    """A whole list that the desk published, opened as a terminal opens it."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "hotlist").write_bytes(signed[:-SEAL_BYTES])
        return open_hotlist(folder, [key or list_keys().key])


def device_file(about, terminal=TERMINAL, vault=VAULT) -> bytes:
    """What a device is brought by hand, after the vault got to know it; `about` is what it says of itself."""
    vault.register.terminals[str(terminal)] = Terminal(about["device"])
    key = vault.wrapping_key(terminal, bytes.fromhex(about["device"])).state
    paper = {"issuer": vault.register.municipality, "terminal": terminal}
    return json.dumps({**paper, "device": about["device"], "wrapping_key": key.hex()}).encode()


CHALLENGE = bytes(range(16))


def of_now(ask, sealed, terminal=TERMINAL, vault=VAULT):
    """A bundle as the backend gives it: with the proof that it answers what the terminal says of itself now."""
    nonce = json.loads(ask(link.HELLO, CHALLENGE, vault.register.municipality)[16:])["nonce"]
    return sealed + freshness_mac(link_key(vault.handed_out("link", 1), terminal), bytes.fromhex(nonce), sealed)


def bring_lists(link_to, offers=None, blocked=None):
    """Bundle and hotlist, as a sync brings them."""
    link_to.ask(link.BUNDLE, of_now(link_to.ask, offers or bundle()), ISSUER)
    bring(link_to, ISSUER, link.HOTLIST, blocked or hotlist())


def lease(about, terminal=TERMINAL, day=DAY, vault=VAULT) -> bytes:
    """The next lease of a device, as the vault makes it on a day."""
    return Vault(vault.store, vault.register, lambda: date_of(day)).lease(terminal, about["lease"])


def about_the_only_book(link_to):
    """What a terminal says over a link of itself and of the city, side by side."""
    return said_of(json.loads(link_to.ask(link.HELLO)))


# Between two taps, so that the second is none by accident.
A_WHILE_S = 61


def said_of(found, issuer=ISSUER):
    """What a terminal says of itself and of one municipality, side by side; of one that it does not serve, nothing."""
    nothing = {"terminal": None, "lease": 0, "lease_until": None, "enrolled": False}
    found = {name: value for name, value in found.items() if name != "room"}  # the disk is not ours alone
    return {**found, **next((book for book in found["books"] if book["issuer"] == issuer), nothing)}


class PcTerminal:
    """The application on CPython, with a reader in this process. `press` and `tap` return the last screen."""

    def __init__(self, flash: Path, terminal=TERMINAL, provision=True, vault=None, **lists):
        self.flash, self.terminal = flash, terminal
        self.vault = vault or VAULT
        flash.mkdir(parents=True, exist_ok=True)
        self.reader = InProcessReader(None)
        self.screen: tuple[str, str, str, str] = ("", "", "", "")
        self.keys: list[str] = []
        self.days_on = 0
        self.seconds = 0
        self.clock: int | None = None
        self.storage = lists.pop("storage", None) or NorFlash(lists.pop("blocks", 64))
        self.storages = {0: self.storage}
        self.chip = None
        self.random = lists.pop("random", os.urandom)
        self.boot()
        if provision:
            self.provision(terminal, self.vault, **lists)

    def provision(self, terminal, vault, **lists):
        """Everything that one municipality brings at first."""
        self.ask(link.DEVICE, device_file(self.about(), terminal, vault))
        self.renew(lists.get("day", DAY), terminal, vault)
        issuer = vault.register.municipality
        self.ask(link.BUNDLE, bundle(terminal, vault=vault, **lists), issuer)
        self.ask(link.HOTLIST, hotlist(vault=vault), issuer)

    @property
    def folder(self):
        """Where the flash has what is of the city."""
        return self.flash / str(ISSUER)

    @property
    def book(self):
        """What the terminal has of the city."""
        return next(book for book in self.device.books if book.issuer == ISSUER)

    def boot(self):
        """Switch on, with the flash as it is, and open the shift."""
        self.switch_on()
        self.press(f"{PIN}#{PIN}#" if self.screen[0] == "choosing_pin" else f"{PIN}#")

    def switch_on(self):
        """Switch on, with the flash as it is."""
        board = PcBoard(self.flash, self.reader, lambda: self.keys.pop(0) if self.keys else None, self._show)
        board.seconds_on = lambda: 86400 * self.days_on + self.seconds
        board.storage = lambda index: self.storages.setdefault(index, NorFlash(64))
        board.today = lambda: self.clock
        board.set_today = self._set_clock
        board.random = self.random
        if self.chip is not None:
            board.secret = self.chip
        self.device = self.start(board)

    def start(self, board):
        """The application on that board."""
        return Device(str(self.flash), board)

    def _set_clock(self, day):
        if self.clock is not None:
            self.clock = day

    def _show(self, state, code, lines):
        self.screen = (state, code, *lines)

    def ask(self, kind, content=b"", issuer=None):
        """What comes in answer; a bundle gets the proof that it is of now, and a hotlist comes in parts."""
        answered, content = self._answer(kind, content, issuer)
        assert answered == kind, content
        return content

    def refused(self, kind, content=b"", issuer=None) -> str:
        answered, content = self._answer(kind, content, issuer)
        assert answered == link.REFUSED
        return content.decode()

    def _answer(self, kind, content, issuer):
        if issuer is None:
            issuer = link.WHOLE_DEVICE if kind in (link.HELLO, link.DEVICE, link.FORGET_PIN) else ISSUER
        if kind == link.HOTLIST:
            return self._in_parts(kind, content, issuer)
        if kind == link.BUNDLE:
            content = self._of_now(content, issuer)
        return self.device.answer(kind, issuer, content)

    def _of_now(self, sealed, issuer):
        """With the proof that it is of now, once the terminal has keys to prove it with."""
        answered, said = self.device.answer(link.HELLO, issuer, CHALLENGE)
        if answered == link.REFUSED:
            return sealed
        book = next(book for book in self.device.books if book.issuer == issuer)
        return sealed + freshness_mac(book.keys.link_key, bytes.fromhex(json.loads(said[16:])["nonce"]), sealed)

    def _in_parts(self, name, content, issuer):
        digest = hashlib.sha256(content).digest()[: link.DIGEST_BYTES]
        answered, said = self.device.answer(link.PART, issuer, link.part(name, len(content), digest, 0, b""))
        for at in range(0, len(content), link.MOST_CHUNK):
            if answered == link.REFUSED:
                return answered, said
            part = link.part(name, len(content), digest, at, content[at : at + link.MOST_CHUNK])
            answered, said = self.device.answer(link.PART, issuer, part)
        return (answered, said) if answered == link.REFUSED else (name, b"")

    def about(self):
        """What the terminal says of itself, and of the city when it serves it."""
        return said_of(json.loads(self.ask(link.HELLO)))

    def renew(self, day=DAY, terminal=None, vault=None):
        """Bring the next lease, as the vault makes it on a day."""
        terminal, vault = terminal or self.terminal, vault or self.vault
        issuer = vault.register.municipality
        about = said_of(json.loads(self.ask(link.HELLO)), issuer)
        self.ask(link.LEASE, lease(about, terminal, day, vault), issuer)

    def press(self, keys: str):
        self.keys += keys
        while self.keys or self.device.state in WORKING:
            self.device.turn()
        return self.screen

    def hold(self, card: EmulatedPass):
        """Hold a pass against the reader for one turn, then take it away."""
        self.reader.present(card)
        try:
            self.device.turn()
        finally:
            self.reader.remove()
        return self.screen

    def tap(self, card: EmulatedPass, keys="1#"):
        """Choose, hold, and take the result in; the screen is that of the result."""
        self.seconds += A_WHILE_S
        self.press(keys)
        screen = self.hold(card)
        if screen[0] == "showing":
            self.press("*")
        return screen

    def entries(self, vault=None):
        """All that the backend of a municipality would get, opened."""
        vault, opened, position = vault or VAULT, [], 1
        while body := self.ask(link.JOURNAL, uint(position, 4), vault.register.municipality):
            batch = open_batch(body, lambda terminal: [link_key(vault.handed_out("link", 1), terminal)])
            opened += batch.entries
            position += len(batch.entries)
        return opened


def final_outcomes(entries):
    """`{sequence: entry}` with the last word on each."""
    return {entry.clear.sequence: entry for entry in entries}


def proven_cents(entries, purse=CENTS, vault=None) -> int:
    """What a vault proves was taken from a purse, reversals counted back; each sequence once."""
    prover, total = Prover(vault) if vault else PROVER, 0
    for entry in final_outcomes(entries).values():
        if entry.outcome == COMMITTED:
            assert prover.prove(entry.clear_bytes + entry.sealed)[0].valid
            sign = 1 if entry.clear.kind == 1 else -1
            total += sign * sum(amount for moved, amount in entry.clear.debits() if moved == purse)
    return total


def in_doubt(entries):
    return [entry for entry in final_outcomes(entries).values() if entry.outcome == IN_DOUBT]


MICROPYTHON = str(Path(sys.executable).parent / "micropython")
ROOT = Path(__file__).parents[1]
