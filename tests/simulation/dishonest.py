"""What an owner can do who takes the keys out of a terminal: edit, drop or invent a record, or run the journal twice.

The chain is whole and the keys are real; all that stands between is what the pass signed.
"""

import json
import shutil
from collections.abc import Callable

import httpx

from card.batch import (
    COMMITTED,
    MAC_BYTES,
    NOT_SEALED,
    VOID,
    Entry,
    build_batch,
    chain_key,
    entry_bytes,
    freshness_mac,
    open_batch,
    siv_key,
)
from card.record import TAP, ClearRecord, seal, unseal
from card.siv import siv_decrypt, siv_encrypt
from card.wire import uint
from terminal.firmware import link
from terminal.host import Backend, DirectLink
from tests.city import sealing_of
from tests.simulation.chips import Name
from tests.simulation.city import City
from tests.simulation.place import BACKEND_URL, Place

EDIT, DROP, INVENT = "edit", "drop", "invent"
CHEATS = (EDIT, DROP, INVENT)
_NO_TERMINAL_COUNTS_SO_FAR = 1 << 30
_NO_PASS_COUNTS_SO_FAR = 1000
_TIMES = 3


class Forger:
    """The host of a venue that meddles with one record and chains all after it anew. `did`: the record, once it did."""

    def __init__(self, city: City, place: Place, how: str) -> None:
        self._city, self._place, self._how = city, place, how
        self._forged: dict[int, list[bytes]] = {}
        self._last_mac: bytes | None = None
        self._more = 0
        self.did: Name | None = None

    def __call__(self, request: httpx.Request, on: Callable[[httpx.Request], httpx.Response]) -> httpx.Response:
        if request.url.path.endswith("/batches"):
            request = httpx.Request("POST", request.url, headers=_BYTES, content=self._forge(request.read()))
        answer = on(request)
        answer.read()
        if "json" not in answer.headers["content-type"] or not self._more:
            return answer
        said = answer.json()
        if "nextPosition" in said:
            said["nextPosition"] -= self._more
        return httpx.Response(answer.status_code, json=said)

    def _forge(self, body: bytes) -> bytes:
        key = self._place.book.keys.link_key
        batch = open_batch(body, lambda terminal: self._place.book.keys.link_keys)
        if self._last_mac is None:
            self._last_mac = self._begins_after = batch.previous_mac
            self._first = batch.first
        for entry in batch.entries:
            if entry.position not in self._forged and entry.position >= self._first:
                self._forged[entry.position] = [self._chained(key, *each) for each in self._instead_of(entry)]
        if batch.first < self._first:
            return body
        first = batch.first + sum(len(self._forged[at]) - 1 for at in range(self._first, batch.first))
        before = self._forged.get(batch.first - 1)
        previous = before[-1][-16:] if before else self._begins_after
        made = [each for entry in batch.entries for each in self._forged[entry.position]]
        forged: bytes = build_batch(key, self._place.terminal, first, previous, made)
        return forged

    def _chained(self, key: bytes, position: int, outcome: int, clear: bytes, sealed: bytes) -> bytes:
        made: bytes = entry_bytes(chain_key(key), position, self._last_mac, outcome, clear, sealed)
        self._last_mac = made[-16:]
        return made

    def _instead_of(self, entry: Entry) -> list[tuple[int, int, bytes, bytes]]:
        as_it_was = (entry.position + self._more, entry.outcome, entry.clear_bytes, entry.sealed)
        if self.did is not None or entry.outcome != COMMITTED or entry.clear.kind != TAP:
            return [as_it_was]
        if self._how == DROP:
            self.did = _name(entry.clear_bytes)
            return [(as_it_was[0], VOID, entry.clear_bytes, NOT_SEALED)]
        key = sealing_of(self._place.terminal, entry.clear.day, self._city.vault).key()
        proof = unseal(key, entry.clear_bytes, entry.sealed)
        fields = {**vars(entry.clear)}
        if self._how == EDIT:
            fields |= {"amount1": _TIMES * entry.clear.amount1, "price": _TIMES * entry.clear.price}
        else:
            # The same sale once more: no rule about offers says no to it.
            fields["sequence"] = _NO_TERMINAL_COUNTS_SO_FAR
            proof.tmc += _NO_PASS_COUNTS_SO_FAR  # else it would be the same transaction under another number
        clear = ClearRecord(**fields).to_bytes()
        false = clear, seal(key, clear, proof)
        self.did = _name(clear)
        if self._how == EDIT:
            return [(as_it_was[0], COMMITTED, *false)]
        self._more = 1
        return [as_it_was, (as_it_was[0] + 1, COMMITTED, *false)]


_BYTES = {"Content-Type": "application/octet-stream"}


def _name(clear: bytes) -> Name:
    record = ClearRecord.from_bytes(clear)
    return Name(record.terminal, record.sequence, record.hash())


def add_offer(place: Place, purse: int) -> int:
    """The venue seals itself a bundle with one offer more, of one unit from a purse; its place in the menu."""
    issuer, key = place.city.scheme.number, place.book.keys.link_key
    associated = [b"bundle" + uint(place.terminal, 4)]
    link_to, clearing = DirectLink(place.device), Backend(BACKEND_URL, place.city.network)
    challenge = clearing.where(place.terminal)[1]
    place.sync()
    genuine = clearing.bundle(place.terminal, challenge + link_to.ask(link.HELLO, challenge, issuer))
    content = json.loads(siv_decrypt(siv_key(key), associated, genuine[:-MAC_BYTES]))
    content["offers"].append({**content["offers"][0], "name": "Extra", "purse": purse, "price": "fixed", "amount": 1})
    sealed = siv_encrypt(siv_key(key), associated, json.dumps(content).encode())
    nonce = bytes.fromhex(json.loads(link_to.ask(link.HELLO, challenge, issuer)[MAC_BYTES:])["nonce"])
    link_to.ask(link.BUNDLE, sealed + freshness_mac(key, nonce, sealed), issuer)
    return len(content["offers"])


def double(place: Place) -> Place:
    """A second device with the same flash and keys, as from the day of the first."""
    twin: Place = object.__new__(Place)
    vars(twin).update(vars(place))
    twin.flash = place.flash.with_name(place.flash.name + "-twin")
    shutil.copytree(place.flash, twin.flash)
    twin.storage = type(place.storage)(place.storage.blocks)
    twin.storage.content[:] = place.storage.content
    twin.storages = {0: twin.storage}
    twin.keys = []
    twin.reader = type(place.reader)(None)
    twin.boot()
    return twin
