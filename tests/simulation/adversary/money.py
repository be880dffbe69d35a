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
        return self._changed(lambda record: {"sequence": record.sequence + _NO_TERMINAL_COUNTS_SO_FAR})

    def dearer_taps(self) -> list[dict[str, object]]:
        """For ten times as much; under their own numbers, which are taken, and under others."""
        dearer = lambda record: {"amount1": 10 * record.amount1, "price": 10 * record.price}  # noqa: E731
        other = lambda record: {**dearer(record), "sequence": 2 * _NO_TERMINAL_COUNTS_SO_FAR + record.sequence}  # noqa: E731
        return self._changed(dearer) + self._changed(other)

    def taps_as_another_kind(self) -> list[dict[str, object]]:
        """Reversals of what nobody bought, and budgets that nobody gave."""
        made = []
        for number, kind in enumerate((REVERSAL, LOAD), 3):
            first = number * _NO_TERMINAL_COUNTS_SO_FAR // 2
            made += self._changed(lambda record, kind=kind, first=first: {"kind": kind, "sequence": first + record.sequence})
        return made

    def taps_of_another_terminal(self) -> list[dict[str, object]]:
        """Sealed anew as its own."""
        return self._changed(
            lambda record: {"terminal": self._place.terminal, "sequence": 3 * _NO_TERMINAL_COUNTS_SO_FAR + record.sequence},
            others=True,
        )

    def _taps(self, others: bool = False) -> Iterator[Entry]:
        for place in self._run.city.places:
            if (place is self._place) != others:
                for url, body in self._carried:
                    if f"/terminals/{place.terminal}/" in url:
                        batch = open_batch(body, lambda terminal, place=place: place.book.keys.link_keys)
                        yield from (
                            each for each in batch.entries if each.outcome == COMMITTED and each.clear.kind == TAP
                        )

    def _changed(self, change, others: bool = False) -> list[dict[str, object]]:
        """Records with other fields, sealed as the terminal would have: whoever does that has more than one can steal."""
        return self._hand_in(self._forged(entry, change(entry.clear)) for entry in self._taps(others))

    def _forged(self, entry: Entry, fields: dict[str, int]) -> tuple[bytes, bytes]:
        vault, record = self._run.city.vault, ClearRecord(**{**vars(entry.clear), **fields})
        proof: Proof = unseal(sealing_of(entry.clear.terminal, record.day, vault).key(), entry.clear_bytes, entry.sealed)
        # Else it would be a transaction that clearing knows, under another name.
        proof.tmc += _NO_PASS_COUNTS_SO_FAR
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
