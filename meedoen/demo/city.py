"""Gelredam on one machine: vault, desk, backend and terminals, each with its own folder, over their own interfaces."""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import httpx

from backend import config as backend_config
from backend.clearing import Clearing
from backend.http import create_app as create_backend
from card.lease import WrappingKey, unwrap
from hardware.emulated_pass import EmulatedPass, Memory
from hardware.in_process import InProcessReader
from issuer.backend_client import hand_in
from issuer.desk import Desk, DeskSecrets
from issuer.registry import Registry, passes, people
from issuer.registry.tables import CardPass, Holder
from issuer.scheme import load_scheme
from issuer.vault_client import VaultAddress, VaultClient
from keys.hand_out import device_keys, hand_out
from keys.http import BACKEND, ISSUER, Caller
from keys.http import create_app as create_vault
from keys.register import Terminal as KnownTerminal
from meedoen.demo.custodians import Custodians
from meedoen.demo.terminals import MicroPythonTerminal, PcTerminal, Terminal
from terminal.build import build_firmware
from terminal.errors import TerminalError
from terminal.firmware.sync import Report
from terminal.host import Backend, enrol, provision, sync

ROOT = Path(__file__).parents[2]
SCHEME = ROOT / "schemes/gelrepas.toml"
VENUES = Path(__file__).with_name("venues.toml")
ON_A_PC = 104  # the clothes shop has its terminal on the PC at its till
ACCOUNT_OF_THE_CITY = "NL38BNGH0285000123"

VAULT_URL, BACKEND_URL = "http://vault.internal", "http://clearing.internal"


class Clock:
    """The day of the story; every party that asks gets noon of it."""

    def __init__(self, day: date) -> None:
        self.day = day

    def __call__(self) -> datetime:
        return datetime.combine(self.day, time(12), UTC)


@dataclass
class Guest:
    """A person with a pass, and the file that is the pass."""

    holder: Holder
    card: EmulatedPass
    path: Path
    code: str


@dataclass
class Place:
    """A venue with one terminal."""

    number: int
    name: str
    terminal: Terminal


class City:
    """All parties of the municipality. `opened`: the day on which its keys are made.

    `on_micropython` False runs all terminals on this Python: the same application, sooner done.
    """

    def __init__(self, folder: Path, opened: date, on_micropython: bool = True) -> None:
        self._on_micropython = on_micropython
        shutil.rmtree(folder, ignore_errors=True)
        self.folder = folder
        self.cards = folder / "cards"
        self.cards.mkdir(parents=True)
        self.clock = Clock(opened)
        self.scheme = load_scheme(SCHEME)
        self.custodians = Custodians(folder / "vault", self.scheme, self.clock)
        self.vault = self.custodians.vault
        self._vault_app = create_vault(self.vault, self.custodians.log)
        hand_out(self.folder / "vault", self.vault)
        self.registry = Registry.at(folder / "desk")
        self.open_desk()
        self.clearing = self._open_backend()
        self.places: list[Place] = []
        self._taken_apart: dict[int, tuple[dict[str, object], bytes]] = {}

    def open_desk(self) -> None:
        """The desk, with the file that the vault gives it on this day."""
        hand_out(self.folder / "vault", self.vault)
        self.secrets = DeskSecrets.read(self.folder / "vault/issuer.json")
        self.vault_client = VaultClient(VaultAddress(VAULT_URL), self._vault_as(ISSUER))
        self.desk = Desk(self.registry, self.scheme, self.secrets, self.vault_client, os.urandom, self.clock)

    def _vault_as(self, party: str) -> httpx.WSGITransport:
        return httpx.WSGITransport(app=Caller(self._vault_app, party))

    def _open_backend(self) -> Clearing:
        config = backend_config.make(
            self.folder / "backend",
            SCHEME,
            self.folder / "vault/backend.json",
            ACCOUNT_OF_THE_CITY,
            vault_address=VAULT_URL,
        )
        config.save()
        clearing = Clearing(config, self._vault_as(BACKEND), self.clock)
        clearing.set_up()
        self.backend_transport = httpx.WSGITransport(app=create_backend(config, clearing))
        return clearing

    @property
    def issuer(self) -> int:
        """The number of the municipality."""
        return self.vault.register.municipality

    # The desk

    def new_card(self, number: int, generation: str = "EV2") -> tuple[EmulatedPass, Path]:
        """A card as the factory delivers it, in a file of its own."""
        path = self.cards / f"card-{number:03}.json"
        # As real ones: bytes that are found nowhere else, so that a search for them finds a leak and nothing more.
        unlike_any_other = hashlib.sha256(b"card %d" % number).digest()[:6]
        memory = Memory.factory(path=path, uid=b"\x04" + unlike_any_other, generation=generation)
        return EmulatedPass(memory, random=os.urandom), path

    def issue(self, holder: Holder, card: EmulatedPass, path: Path) -> Guest:
        """The desk makes a pass of the card and puts on it what the rules give."""
        issued = self.desk.issue(holder, InProcessReader(card), self.clock.day)
        self.desk.hand_over(issued.card.printed_code)
        return Guest(holder, card, path, issued.card.printed_code)

    def holders(self) -> list[Holder]:
        """Everybody that the desk knows."""
        with self.registry.transaction() as session:
            return people.holders(session)

    def pass_coded(self, code: str) -> CardPass:
        """What the desk knows of a pass."""
        with self.registry.transaction() as session:
            return passes.coded(session, code)

    def hand_in_loads(self) -> list[dict[str, object]]:
        """The desk's journal goes to the backend, as a terminal's does."""
        return hand_in(self.desk.journal, self.secrets.terminal, BACKEND_URL, self.backend_transport)

    # The venues

    def open_venues(self) -> None:
        """Import the venues, and give each terminal its keys: three on MicroPython, one on a PC."""
        self.clearing.venues.import_file(VENUES, self.clock.day)
        firmware = self.folder / "firmware"
        if self._on_micropython:
            build_firmware(firmware)
        for venue in self.clearing.venues.listing(self.clock.day):
            number = venue["terminals"][0]
            flash = self.folder / f"terminal-{number}"
            terminal: Terminal = (
                MicroPythonTerminal(flash, firmware)
                if self._on_micropython and number != ON_A_PC
                else PcTerminal(flash)
            )
            self.provision(terminal, number)
            self.places.append(Place(number, venue["name"], terminal))

    def provision(self, terminal: Terminal, number: int) -> None:
        """The vault gets to know the device, and gives it its first keys, wrapped to it."""
        self.vault.register.terminals[str(number)] = KnownTerminal(enrol(terminal.link()))
        by_hand, lease = device_keys(self.vault, number), self.vault.lease(number, 0)
        provision(terminal.link(), by_hand, lease)
        self._taken_apart[number] = by_hand, lease

    def secrets_of_terminal(self, number: int) -> dict[str, Any]:
        """What a terminal was given first; its owner can take it apart and read that."""
        by_hand, lease = self._taken_apart[number]
        device, state = (bytes.fromhex(str(by_hand[name])) for name in ("device", "wrapping_key"))
        keys: dict[str, Any] = json.loads(unwrap(WrappingKey(state), number, device, lease))
        return keys

    def revoke(self, number: int) -> None:
        """No more keys for a terminal."""
        self.vault.register.terminals[str(number)].revoked_on = self.clock.day.isoformat()

    def is_revoked(self, terminal: Terminal) -> bool:
        """Whether a terminal hears at a sync that it gets no more keys."""
        try:
            self.sync(terminal)
        except TerminalError as error:
            return "revoked" in str(error)
        return False

    def backend(self) -> Backend:
        """The backend as a host sees it."""
        return Backend(BACKEND_URL, self.backend_transport)

    def sync(self, terminal: Terminal) -> Report:
        """Hand in a terminal's journal, and bring it the lists of the day."""
        return sync(terminal.link(), self.backend(), self.desk.hotlist(self.clock.day))

    def next_day(self) -> None:
        self.clock.day += timedelta(days=1)

    def close(self) -> None:
        """Switch everything off."""
        for place in self.places:
            place.terminal.close()
        self.clearing.close()
