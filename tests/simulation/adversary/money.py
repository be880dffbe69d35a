"""What somebody tries who has all keys of a terminal and all that hosts ever carried.

Each of them hands something in that no pass did, or that was handed in before. What clearing answered comes back.
"""

import random
from collections.abc import Iterator

import httpx

from card.batch import COMMITTED, Entry, build_batch, chain_key, entry_bytes, open_batch
from card.record import LOAD, REVERSAL, TAP, ClearRecord, Proof, seal, unseal
from card.wire import uint
from tests.city import sealing_of
from tests.simulation.place import BACKEND_URL, Place
from tests.simulation.run import Run

_BYTES = {"Content-Type": "application/octet-stream"}
_NO_TERMINAL_COUNTS_SO_FAR = 1 << 30
_NO_PASS_COUNTS_SO_FAR = 1000
_TERMINAL_AT = 4


class Thief:
    """`place` is theirs."""

    def __init__(self, run: Run, place: Place) -> None:
        self._run, self._place = run, place
        self._count, self._last_mac = place.book.journal.count, place.book.journal.last_mac
        self._number = _NO_TERMINAL_COUNTS_SO_FAR
        self._carried = [(url, body) for url, body in run.city.network.carried if url.endswith("/batches")]

    # What the host carried

    def batches_again(self) -> list[dict[str, object]]:
        """Each twice, in another order."""
        again = 2 * self._carried
        random.Random(0).shuffle(again)
        return [self._post(url, body) for url, body in again]

    def batches_of_another_terminal(self) -> list[dict[str, object]]:
        """Each as that of this one: by its address, and by what it says of itself too."""
        own = f"{BACKEND_URL}/v1/terminals/{self._place.terminal}/batches"
        others = [body for url, body in self._carried if url != own]
        renamed = [body[:_TERMINAL_AT] + uint(self._place.terminal, 4) + body[_TERMINAL_AT + 4 :] for body in others]
        return [self._post(own, body) for body in others + renamed]

    # What the keys of the terminal make of its taps

    def taps_again(self) -> list[dict[str, object]]:
        """The same records, further on in the journal."""
        return self._hand_in((entry.clear_bytes, entry.sealed) for entry in self._taps())

    def taps_under_other_numbers(self) -> list[dict[str, object]]:
        """As if they were later ones."""
        return self._hand_in(self._forged(entry) for entry in self._taps())

    def dearer_taps(self) -> list[dict[str, object]]:
        """For ten times as much; under their own numbers, which are taken, and under others."""
        return self._hand_in(
            self._forged(entry, amount1=10 * entry.clear.amount1, price=10 * entry.clear.price, **number)
            for entry in self._taps()
            for number in ({}, {"sequence": entry.clear.sequence})
        )

    def taps_as_another_kind(self) -> list[dict[str, object]]:
        """Reversals of what nobody bought, and budgets that nobody gave."""
        return self._hand_in(self._forged(entry, kind=kind) for entry in self._taps() for kind in (REVERSAL, LOAD))

    def taps_of_another_terminal(self) -> list[dict[str, object]]:
        """Sealed anew as its own."""
        return self._hand_in(self._forged(entry, terminal=self._place.terminal) for entry in self._taps(others=True))

    def _taps(self, others: bool = False) -> Iterator[Entry]:
        for place in self._run.city.places:
            if (place is self._place) != others:
                for url, body in self._carried:
                    if f"/terminals/{place.terminal}/" in url:
                        batch = open_batch(body, lambda terminal, place=place: place.book.keys.link_keys)
                        yield from (
                            each for each in batch.entries if each.outcome == COMMITTED and each.clear.kind == TAP
                        )

    def _forged(self, entry: Entry, **fields: int) -> tuple[bytes, bytes]:
        """A record with other fields and a number of its own, sealed with keys of days that no thief has any more."""
        vault, self._number = self._run.city.vault, self._number + 1
        key = sealing_of(entry.clear.terminal, entry.clear.day, vault).key()
        proof: Proof = unseal(key, entry.clear_bytes, entry.sealed)
        # Else it would be a transaction that clearing knows, under another name.
        proof.tmc += _NO_PASS_COUNTS_SO_FAR
        record = ClearRecord(**{**vars(entry.clear), "sequence": self._number, **fields})
        clear = record.to_bytes()
        return clear, seal(sealing_of(record.terminal, record.day, vault).key(), clear, proof)

    def _hand_in(self, records: Iterator[tuple[bytes, bytes]]) -> list[dict[str, object]]:
        """As the next entries of the journal, in a chain without a fault."""
        key, first, previous, made = self._place.book.keys.link_key, self._count + 1, self._last_mac, []
        for clear, sealed in records:
            self._count += 1
            made.append(entry_bytes(chain_key(key), self._count, self._last_mac, COMMITTED, clear, sealed))
            self._last_mac = made[-1][-16:]
        body = build_batch(key, self._place.terminal, first, previous, made)
        return [self._post(f"{BACKEND_URL}/v1/terminals/{self._place.terminal}/batches", body)]

    def _post(self, url: str, body: bytes) -> dict[str, object]:
        with httpx.Client(transport=self._run.city.network.app) as client:
            answer: dict[str, object] = client.post(url, content=body, headers=_BYTES).json()
            return answer
