"""A small city for tests: a vault, passes made by the desk's own code, and terminals to tap them on."""

import hashlib
import json
import os
import sys
from pathlib import Path

import httpx

from card.batch import COMMITTED, IN_DOUBT, freshness_mac, link_key, open_batch, siv_key
from card.blueprint import Blueprint
from card.layout import aid_bytes
from card.sealing import SealingKey
from card.session import Session
from card.siv import siv_encrypt
from card.wire import uint
from hardware.emulated_pass import EmulatedPass, Memory, inspect
from hardware.in_process import InProcessReader
from issuer.desk import DeskSecrets
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
from terminal.firmware.device import Device
from terminal.host import DirectLink, bring
from terminal.pc import PcBoard

AID, DF_NAME, ISSUER = "F0E0D1", "NL.STADSPAS.0001", 1
DAY = 2516
TERMINAL, DESK = 101, 1
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
        bytes.fromhex(keys["hotlist_key"]),
    )


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


def blueprint() -> Blueprint:
    return Blueprint(AID, DF_NAME, PURSES)


def loader(journal, day=DAY) -> Loader:
    return Loader(DESK, aid_bytes(AID), sealing_of(DESK, day), journal, os.urandom)


def factory_card(uid=b"\x04\x11\x22\x33\x44\x55\x66", generation="EV2", path=None) -> EmulatedPass:
    return EmulatedPass(Memory.factory(path=path, uid=uid, generation=generation), random=os.urandom)


def make_pass(
    uid=b"\x04\x11\x22\x33\x44\x55\x66", loads=None, valid=(DAY - 30, DAY + 300)
) -> tuple[EmulatedPass, Pass]:
    """A pass as the desk hands it over, with 20 euro, 50 euro for clothes and 10 visits unless said otherwise."""
    card = factory_card(uid)
    reader = InProcessReader(card)
    made = Personaliser(blueprint(), DirectKeys(), os.urandom).personalise(reader, Details(ISSUER, *valid))
    loads = {CENTS: 2000, CLOTHES: 5000, VISITS: 10} if loads is None else loads
    planned = [Load(number, 1, purse, amount) for number, (purse, amount) in enumerate(loads.items()) if amount]
    reader.find_pass()
    loader(PaperJournal()).load(Session(reader.transmit), DirectKeys().card_keys(uid, 1), planned)
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


def bundle(terminal=TERMINAL, version=1, day=DAY, valid=(DAY - 1, DAY + 30), offers=OFFERS, allowed=(CENTS, VISITS)):
    content = {
        "terminal": terminal,
        "version": version,
        "day": day,
        "from": valid[0],
        "until": valid[1],
        "venue": "Zwembad De Plas",
        "issuer": ISSUER,
        "aid": AID,
        "purses": {str(CENTS): "Meedoen", str(CLOTHES): "Kleding", str(VISITS): "Korting"},
        "units": {str(CENTS): "cent", str(CLOTHES): "cent", str(VISITS): "visit"},
        "allowed": list(allowed),
        "offers": offers,
    }
    key = siv_key(link_key(VAULT.handed_out("link", 1), terminal))
    return siv_encrypt(key, [b"bundle" + uint(terminal, 4)], json.dumps(content).encode())


def hotlist(*handles: bytes, version=1, day=DAY) -> bytes:
    entries = sorted(handle[:8] for handle in handles)
    head = uint(version, 4)
    plain = head + uint(day, 2) + uint(len(entries), 4) + b"".join(entries)
    return head + siv_encrypt(VAULT.handed_out("hotlist", 1, 32), [b"hotlist" + head], plain)


def device_file(about, terminal=TERMINAL, vault=VAULT) -> bytes:
    """What a device is brought by hand, after the vault got to know it; `about` is what it says of itself."""
    vault.register.terminals[str(terminal)] = Terminal(about["device"])
    key = vault.wrapping_key(terminal, bytes.fromhex(about["device"])).state
    found = {"issuer": ISSUER, "terminal": terminal, "device": about["device"], "wrapping_key": key.hex()}
    return json.dumps(found).encode()


CHALLENGE = bytes(range(16))


def of_now(ask, sealed, terminal=TERMINAL):
    """A bundle as the backend gives it: with the proof that it answers what the terminal says of itself now."""
    nonce = json.loads(ask(link.HELLO, CHALLENGE, ISSUER)[16:])["nonce"]
    return sealed + freshness_mac(link_key(VAULT.handed_out("link", 1), terminal), bytes.fromhex(nonce), sealed)


def about_the_only_book(link_to):
    """What a terminal for one municipality says of itself, device and book in one."""
    found = json.loads(link_to.ask(link.HELLO))
    del found["room"]  # the disk is not ours alone
    return {"terminal": None, "enrolled": False, "lease": 0, **found, **(found["books"] or [{}])[0]}


def bring_lists(link_to, offers=None, blocked=None):
    """Bundle and hotlist, as a sync brings them."""
    link_to.ask(link.BUNDLE, of_now(link_to.ask, offers or bundle()), ISSUER)
    bring(link_to, ISSUER, link.HOTLIST, blocked or hotlist())


def lease(about, terminal=TERMINAL, day=DAY, vault=VAULT) -> bytes:
    """The next lease of a device, as the vault makes it on a day."""
    return Vault(vault.store, vault.register, lambda: date_of(day)).lease(terminal, about["lease"])


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
        self.boot()
        if provision:
            self.ask(link.DEVICE, device_file(self.about(), terminal, self.vault))
            self.renew(lists.get("day", DAY))
            self.ask(link.BUNDLE, bundle(terminal, **lists))
            self.ask(link.HOTLIST, hotlist())

    def boot(self):
        """Switch on, with the flash as it is."""
        board = PcBoard(self.reader, lambda: self.keys.pop(0) if self.keys else None, self._show)
        board.days_on = lambda: self.days_on
        self.device = Device(str(self.flash), board)

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
            issuer = link.WHOLE_DEVICE if kind in (link.HELLO, link.DEVICE) else ISSUER
        if kind == link.HOTLIST:
            return self._in_parts(kind, content)
        if kind == link.BUNDLE and self.about()["lease"]:
            content = of_now(self.ask, content, self.terminal)
        return self.device.answer(kind, issuer, content)

    def _in_parts(self, name, content):
        digest = hashlib.sha256(content).digest()[: link.DIGEST_BYTES]
        self.device.answer(link.PART, ISSUER, link.part(name, len(content), digest, 0, b""))
        for at in range(0, max(1, len(content)), link.MOST_CHUNK):
            part = link.part(name, len(content), digest, at, content[at : at + link.MOST_CHUNK])
            answered, said = self.device.answer(link.PART, ISSUER, part)
            if answered == link.REFUSED:
                return answered, said
        return name, b""

    def about(self):
        """What the terminal says of itself, device and book in one."""
        return about_the_only_book(DirectLink(self.device))

    def renew(self, day=DAY):
        """Bring the next lease, as the vault makes it on a day."""
        self.ask(link.LEASE, lease(self.about(), self.terminal, day, self.vault))

    def press(self, keys: str):
        self.keys += keys
        while self.keys:
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
        self.press(keys)
        screen = self.hold(card)
        if screen[0] == "showing":
            self.press("#")
        return screen

    def entries(self):
        """All that the backend would get, opened."""
        opened, position = [], 1
        while body := self.ask(link.JOURNAL, uint(position, 4)):
            batch = open_batch(body, lambda terminal: [link_key(VAULT.handed_out("link", 1), terminal)])
            opened += batch.entries
            position += len(batch.entries)
        return opened


def final_outcomes(entries):
    """`{sequence: entry}` with the last word on each."""
    return {entry.clear.sequence: entry for entry in entries}


def proven_cents(entries, purse=CENTS) -> int:
    """What the vault proves was taken from a purse, reversals counted back; each sequence once."""
    total = 0
    for entry in final_outcomes(entries).values():
        if entry.outcome == COMMITTED:
            assert PROVER.prove(entry.clear_bytes + entry.sealed)[0].valid
            sign = 1 if entry.clear.kind == 1 else -1
            total += sign * sum(amount for moved, amount in entry.clear.debits() if moved == purse)
    return total


def in_doubt(entries):
    return [entry for entry in final_outcomes(entries).values() if entry.outcome == IN_DOUBT]


MICROPYTHON = str(Path(sys.executable).parent / "micropython")
ROOT = Path(__file__).parents[1]
