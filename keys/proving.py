"""What the vault makes of sealed records: whether a pass of ours committed them, thousands at a time.

A record costs some thirty AES blocks under ten keys. Most of these keys are shared by many records, so all records take
each step together; only the two keys that are a record's own are taken one by one. Nothing is kept.
"""

import hashlib
import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from card.layout import card_key_input
from card.record import CLEAR_BYTES, FIELDS, LOAD, NO_PURSE, REVERSAL, SEALED_BYTES, TAP, VERSION
from card.tmac import COMMIT_READER_ID, MAC_LABEL, MOVES
from keys.days import date_of
from keys.errors import KeyMissing
from keys.siv import SivKey, open_all, same_rows
from keys.store import BLOCK
from keys.vault import HANDLE_PADDING, Vault

RECORD_BYTES = CLEAR_BYTES + SEALED_BYTES
REASONS = (None, "record", "year", "seal", "handle", "mac")
# An answer on the road: terminal, sequence, index into REASONS, nullifier; zeros for what there is not.
_PROOF = struct.Struct("<IIB16s")
PROOF_BYTES = _PROOF.size
_VALID, _RECORD, _YEAR, _SEAL, _HANDLE, _MAC = range(len(REASONS))
_CLEAR = np.dtype([(name, f"<u{size}") for name, size in FIELDS])
_PURSES = range(1, 15)
_HASH_BYTES = 8
_UID_BYTES = 7
# Stands in where a year has no keys; what it opens is not looked at.
_NOBODYS = SivKey(bytes(2 * BLOCK))
# One move, and the reader id with what CommitReaderID answered: their pieces of the Transaction MAC Input.
_MOVE_BYTES, _READER_BYTES = BLOCK, 3 * BLOCK

Bytes = npt.NDArray[np.uint8]


class Verdict(NamedTuple):
    """What `prove` says of one record; `nullifier` only of a valid one.

    `reason`: record (not one), year (its keys were never made, or destroyed), seal, handle or mac.
    """

    terminal: int | None
    sequence: int | None
    nullifier: bytes | None
    reason: str | None

    @property
    def valid(self) -> bool:
        return self.nullifier is not None

    def to_bytes(self) -> bytes:
        """As it goes over the road, 25 bytes."""
        return _PROOF.pack(self.terminal or 0, self.sequence or 0, REASONS.index(self.reason), self.nullifier or b"")


@dataclass
class Opened:
    """Records as far as they could be opened, a row each.

    `reason` indexes REASONS. `identity` is UID (7 bytes) and generation; it means something where the row is
    `identified`. `key_version` is that of the transaction-MAC key of a valid row.
    """

    clear: npt.NDArray[Any]
    clear_bytes: Bytes
    hashes: Bytes
    reason: npt.NDArray[np.uint8]
    identity: Bytes
    tmc: Bytes
    tmv: Bytes
    enc_tmri: Bytes
    key_version: npt.NDArray[np.uint8]

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        good: npt.NDArray[np.bool_] = self.reason == _VALID
        return good

    @property
    def identified(self) -> npt.NDArray[np.bool_]:
        """Where the sealed part is genuine and its handle is one of ours, whatever the pass signed."""
        known: npt.NDArray[np.bool_] = self.valid | (self.reason == _MAC)
        return known


class Prover:
    """Opens and proves for one vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def prove(self, records: bytes) -> list[Verdict]:
        """A verdict for each record of 102 bytes (42 clear, 60 sealed), in their order."""
        opened = self.open(records)
        nullifiers = self.nullifiers(opened)
        return [
            Verdict(None, None, None, "record")
            if reason == _RECORD
            else Verdict(terminal, sequence, None if reason else nullifier, REASONS[reason])
            for terminal, sequence, nullifier, reason in zip(
                opened.clear["terminal"].tolist(),
                opened.clear["sequence"].tolist(),
                nullifiers,
                opened.reason.tolist(),
                strict=True,
            )
        ]

    def open(self, records: bytes) -> Opened:
        """Open records and check what the passes signed."""
        rows = np.frombuffer(records, np.uint8).reshape(-1, RECORD_BYTES)
        clear_bytes = np.ascontiguousarray(rows[:, :CLEAR_BYTES])
        clear = clear_bytes.view(_CLEAR).reshape(-1)
        reason = np.where(_is_record(clear), _VALID, _RECORD).astype(np.uint8)
        plain = self._unseal(clear, clear_bytes, rows[:, CLEAR_BYTES:], reason)
        handle, tmc, tmv, enc_tmri = (plain[:, a:b] for a, b in ((0, 16), (16, 20), (20, 28), (28, 44)))
        identity, versions = self._identities(handle, reason), np.zeros(len(rows), np.uint8)
        opened = Opened(clear, clear_bytes, _hashes(clear_bytes), reason, identity, tmc, tmv, enc_tmri, versions)
        self._check_macs(opened)
        return opened

    def nullifiers(self, opened: Opened) -> list[bytes]:
        """PRF(year; UID | generation | TMC) of every row, 16 bytes; of a row that is not valid it means nothing."""
        found = np.zeros((len(opened.reason), BLOCK), np.uint8)
        about = np.concatenate([opened.identity, opened.tmc], axis=1)
        readable = (opened.reason != _RECORD) & (opened.reason != _YEAR)
        for year, rows in _by_year(opened.clear["day"], readable):
            made = self._vault.store.cmacs(("nullifier", year), about[rows].tobytes(), about.shape[1])
            found[rows] = _blocks(made)
        return _split(found)

    # Opening

    def _unseal(
        self, clear: npt.NDArray[Any], clear_bytes: Bytes, sealed: Bytes, reason: npt.NDArray[np.uint8]
    ) -> Bytes:
        """The plain sealed parts; rows that do not open are marked in `reason`."""
        plain = np.zeros((len(clear), SEALED_BYTES - BLOCK), np.uint8)
        rows, bounds = _in_groups(clear, np.flatnonzero(reason == _VALID))
        groups = []
        for start, end in bounds:
            key = self._sealing_key(int(clear["terminal"][rows[start]]), int(clear["day"][rows[start]]))
            if key is None:
                reason[rows[start:end]] = _YEAR
            groups.append((start, end, key or _NOBODYS))
        found, genuine = open_all(groups, clear_bytes[rows], sealed[rows])
        reason[rows[~genuine & (reason[rows] == _VALID)]] = _SEAL
        plain[rows] = found
        return plain

    def _sealing_key(self, terminal: int, day: int) -> SivKey | None:
        try:
            return self._vault.siv_key_of(terminal, date_of(day))
        except KeyMissing:
            return None

    def _identities(self, handles: Bytes, reason: npt.NDArray[np.uint8]) -> Bytes:
        """UID and generation from the handles; rows whose handle is not ours are marked."""
        identity = np.zeros((len(handles), _UID_BYTES + 1), np.uint8)
        rows = np.flatnonzero(reason == _VALID)
        for version in self._vault.accepted("handle"):
            found = _blocks(self._vault.store.decrypt(("handle", version), handles[rows].tobytes()))
            ours = same_rows(found[:, _UID_BYTES + 1 :], np.frombuffer(HANDLE_PADDING, np.uint8))
            identity[rows[ours]] = found[ours, : _UID_BYTES + 1]
            rows = rows[~ours]
        reason[rows] = _HANDLE
        return identity

    # What the passes signed

    def _check_macs(self, opened: Opened) -> None:
        rows = np.flatnonzero(opened.reason == _VALID)
        for version in self._vault.accepted("transaction_mac"):
            held = self._committed(opened, rows, version)
            opened.key_version[rows[held]] = version
            rows = rows[~held]
        opened.reason[rows] = _MAC

    def _committed(self, opened: Opened, rows: npt.NDArray[np.intp], version: int) -> npt.NDArray[np.bool_]:
        """Whether a pass with a key of this version signed each row (MF2DL(H)x0, Transaction MAC; AN12343)."""
        if not len(rows):
            return np.zeros(0, np.bool_)
        keys = self.transaction_keys(opened.identity[rows], version)
        labels = session_labels(MAC_LABEL, opened.tmc[rows], opened.identity[rows])
        full = [
            own_cmac(own_cmac(key, label), message)
            for key, label, message in zip(keys, labels, _transaction_inputs(opened, rows), strict=True)
        ]
        odd: Bytes = _blocks(b"".join(full))[:, 1::2]
        return same_rows(odd, opened.tmv[rows])

    def transaction_keys(self, identity: Bytes, version: int) -> list[bytes]:
        """The transaction-MAC keys of passes (AN10922): one CMAC each, inside the store."""
        frame = b"\x01" + card_key_input("transaction_mac", bytes(_UID_BYTES), self._vault.aid)
        messages = np.tile(np.frombuffer(frame, np.uint8), (len(identity), 1))
        messages[:, 1 : 1 + _UID_BYTES] = identity[:, :_UID_BYTES]
        return _split(_blocks(self._vault.store.cmacs(("transaction_mac", version), messages.tobytes(), len(frame))))


def _in_groups(
    clear: npt.NDArray[Any], rows: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], list[tuple[int, int]]]:
    """Rows with those of one terminal and one day next to each other, because they share a key; and where those are."""
    group = clear["terminal"][rows].astype(np.uint64) << np.uint64(16) | clear["day"][rows]
    order = np.argsort(group)
    edges = [0, *(np.flatnonzero(np.diff(group[order])) + 1).tolist(), len(rows)]
    return rows[order], [(start, end) for start, end in pairwise(edges) if start < end]


def own_cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(AES(key))
    mac.update(message)
    return mac.finalize()


def session_labels(label: bytes, tmc: Bytes, identity: Bytes) -> list[bytes]:
    """What a session key of each transaction is made from: label, TMC and UID, 16 bytes."""
    start = np.tile(np.frombuffer(label, np.uint8), (len(tmc), 1))
    return _split(np.concatenate([start, tmc, identity[:, :_UID_BYTES]], axis=1))


def reader_ids(opened: Opened) -> Bytes:
    """What each record says that the pass was given to sign: terminal, sequence, hash of the record in clear."""
    return np.concatenate([opened.clear_bytes[:, 2:10], opened.hashes], axis=1)


def _transaction_inputs(opened: Opened, rows: npt.NDArray[np.intp]) -> list[bytes]:
    """The Transaction MAC Input of each row, 64 bytes, or 80 with a second purse."""
    clear = opened.clear[rows]
    instruction = np.zeros(256, np.uint8)
    for kind, move in MOVES.items():
        instruction[kind] = move[0]
    whole = np.zeros((len(rows), 2 * _MOVE_BYTES + _READER_BYTES), np.uint8)
    two = clear["purse2"] != NO_PURSE
    # The first move stands right before the second, or right before the reader id.
    for at, purse, amount, there in (
        (0, clear["purse1"], clear["amount1"], two),
        (_MOVE_BYTES, clear["purse2"], clear["amount2"], two),
        (_MOVE_BYTES, clear["purse1"], clear["amount1"], ~two),
    ):
        whole[there, at] = instruction[clear["kind"][there]]
        whole[there, at + 1] = purse[there]
        whole[there, at + 2 : at + 6] = amount[there].view(np.uint8).reshape(-1, 4)
    at = 2 * _MOVE_BYTES
    whole[:, at] = COMMIT_READER_ID[0]
    whole[:, at + 1 : at + 17] = reader_ids(opened)[rows]
    whole[:, at + 17 : at + 33] = opened.enc_tmri[rows]
    return [line if second else line[_MOVE_BYTES:] for line, second in zip(_split(whole), two.tolist(), strict=True)]


def _is_record(clear: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """The rules of card.record.ClearRecord, for all rows at once."""
    one = clear["purse2"] == NO_PURSE
    inside = np.isin(clear["purse1"], _PURSES) & (clear["amount1"] > 0)
    second = np.isin(clear["purse2"], _PURSES) & (clear["purse2"] != clear["purse1"]) & (clear["amount2"] > 0)
    known = (clear["version"] == VERSION) & (clear["spare"] == 0) & np.isin(clear["kind"], (TAP, REVERSAL, LOAD))
    good: npt.NDArray[np.bool_] = known & inside & np.where(one, clear["amount2"] == 0, second)
    return good


def _hashes(clear_bytes: Bytes) -> Bytes:
    digests = b"".join([hashlib.sha256(line).digest() for line in _split(clear_bytes)])
    return np.frombuffer(digests, np.uint8).reshape(-1, 32)[:, :_HASH_BYTES]


def _by_year(days: npt.NDArray[Any], wanted: npt.NDArray[np.bool_]) -> list[tuple[int, npt.NDArray[np.intp]]]:
    """The wanted rows of each calendar year."""
    years = {int(day): date_of(int(day)).year for day in np.unique(days[wanted])}
    return [
        (year, np.flatnonzero(wanted & np.isin(days, [day for day, its in years.items() if its == year])))
        for year in sorted(set(years.values()))
    ]


def _blocks(data: bytes) -> Bytes:
    return np.frombuffer(data, np.uint8).reshape(-1, BLOCK)


def _split(rows: Bytes) -> list[bytes]:
    """Each row as bytes."""
    size, data = rows.shape[1], rows.tobytes()
    return [data[at : at + size] for at in range(0, len(data), size)]
