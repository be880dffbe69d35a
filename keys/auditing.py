"""What the vault finds over a period: transactions that nobody handed in, doubts that did happen, records that differ.

A pass counts its transactions, and each one carries the reader id of the one before, encrypted for the vault. So a
proven transaction is a witness of its predecessor: it says which terminal, which record, and the hash of its content.

The answer names records by terminal and sequence, in that order. It names no pass, and of two findings nobody can tell
whether they are about one pass.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from card.batch import IN_DOUBT
from card.tmac import ENC_LABEL
from card.wire import uint
from keys.days import year_of
from keys.errors import KeyMissing
from keys.proving import RECORD_BYTES, Opened, Prover, own_cmac, reader_ids, session_labels
from keys.vault import Vault

AUDIT_BYTES = 1 + RECORD_BYTES
# A proven transaction names a record that was not handed in.
MISSING = "missing"
# A record in doubt was committed: the next transaction of the pass says so.
HAPPENED = "happened"
# A record in doubt was not committed: its pass went on with another transaction.
DID_NOT_HAPPEN = "did_not_happen"
# A proven transaction names a terminal that has no keys from this vault.
NOT_OURS = "not_ours"
# A record says something else than what the pass signed under its name.
DIFFERS = "differs"

# `name` is terminal and sequence in one number; `previous_...` is what a witness says of the transaction before it. A
# pass counts on when it gets a new handle, which makes it another generation, and begins again with a new
# transaction-MAC key.
_ROW = np.dtype(
    [
        ("uid", "u8"),
        ("generation", "u1"),
        ("key_version", "u1"),
        ("tmc", "u4"),
        ("day", "u2"),
        ("outcome", "u1"),
        ("witness", "?"),
        ("opened", "?"),
        ("name", "u8"),
        ("hash", "u8"),
        ("previous_name", "u8"),
        ("previous_hash", "u8"),
    ]
)
Rows = npt.NDArray[Any]


class Finding(NamedTuple):
    """`kind` as above; `nullifier` only of what happened, so that it is booked once."""

    kind: str
    terminal: int
    sequence: int
    nullifier: bytes | None = None


@dataclass(frozen=True)
class Audit:
    """`unnamed`: transactions that passes counted and that nothing tells more of: the next ones are missing too."""

    records: int
    findings: list[Finding]
    unnamed: int


class Auditor:
    """Audits for one vault. `terminals`: the numbers that have, or had, keys from it, the desks included."""

    def __init__(self, vault: Vault, prover: Prover, terminals: frozenset[int]) -> None:
        self._vault = vault
        self._prover = prover
        self._terminals = terminals

    def audit(self, chunks: Iterable[bytes], from_the_start: bool) -> Audit:
        """Of records as `outcome (1) | record (102)`, in chunks of whole ones and in any order.

        A gap counts between the first and the last transaction of a pass in the period; with `from_the_start` also
        before the first one, when the chunks are all that there ever was. Some 50 bytes of memory a record.
        """
        parts = [self._rows(chunk) for chunk in chunks]
        rows = np.concatenate(parts) if parts else np.zeros(0, _ROW)
        return self._judge(rows, from_the_start)

    def _rows(self, chunk: bytes) -> Rows:
        whole = np.frombuffer(chunk, np.uint8).reshape(-1, AUDIT_BYTES)
        opened = self._prover.open(np.ascontiguousarray(whole[:, 1:]).tobytes())
        rows = np.zeros(len(whole), _ROW)
        rows["outcome"] = whole[:, 0]
        rows["day"] = opened.clear["day"]
        rows["opened"] = opened.identified
        rows["witness"] = opened.valid
        identity = _number(opened.identity)
        rows["uid"], rows["generation"] = identity >> np.uint64(8), identity & np.uint64(0xFF)
        rows["key_version"] = opened.key_version
        rows["tmc"] = np.ascontiguousarray(opened.tmc).view("<u4")[:, 0]
        rows["name"], rows["hash"] = _reader(reader_ids(opened))
        seen = np.flatnonzero(rows["witness"])
        rows["previous_name"][seen], rows["previous_hash"][seen] = _reader(self._previous(opened, seen))
        return rows

    def _previous(self, opened: Opened, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
        """The reader ids before these transactions, which their passes encrypted for the vault."""
        before = np.zeros((len(rows), 16), np.uint8)
        labels = session_labels(ENC_LABEL, opened.tmc[rows], opened.identity[rows])
        for version in self._vault.accepted("transaction_mac"):
            mine = np.flatnonzero(opened.key_version[rows] == version)
            keys = self._prover.transaction_keys(opened.identity[rows[mine]], version)
            for at, key in zip(mine.tolist(), keys, strict=True):
                session_key = own_cmac(key, labels[at])
                plain = Cipher(algorithms.AES(session_key), modes.ECB()).decryptor()
                before[at] = np.frombuffer(plain.update(opened.enc_tmri[rows[at]].tobytes()), np.uint8)
        return before

    # What follows from it

    def _judge(self, rows: Rows, from_the_start: bool) -> Audit:
        names = _Names(rows)
        witnesses = np.sort(rows[rows["witness"]], order=("uid", "key_version", "tmc"))
        findings: set[Finding] = set()
        unnamed = 0
        for earlier, witness in _unexplained(witnesses):
            first = earlier is None
            skipped = int(witness["tmc"]) - (0 if first else int(earlier["tmc"])) - 1
            counts = from_the_start or not first
            if not skipped:
                # Two witnesses in a row that contradict each other, or the first transaction that a pass ever made.
                if not first:
                    findings.add(_finding(DIFFERS, witness["previous_name"]))
                continue
            if not witness["previous_name"]:
                unnamed += skipped if counts else 0
                continue
            unnamed += skipped - 1 if counts else 0
            found = self._before(witness, names, counts)
            if found:
                findings.add(found)
        findings |= set(_overtaken(rows, witnesses, findings))
        return Audit(len(rows), sorted(findings, key=lambda each: (each.terminal, each.sequence, each.kind)), unnamed)

    def _before(self, witness: Any, names: "_Names", counts: bool) -> Finding | None:
        """What is to be said of the transaction that a witness names, when no witness of its own is there."""
        name = witness["previous_name"]
        record = names.find(int(name))
        if record is None:
            if _terminal(name) not in self._terminals:
                return _finding(NOT_OURS, name)
            return _finding(MISSING, name) if counts else None
        if record["outcome"] != IN_DOUBT or record["hash"] != witness["previous_hash"]:
            return _finding(DIFFERS, name)
        return _finding(HAPPENED, name, self._nullifier(witness, record))

    def _nullifier(self, witness: Any, record: Any) -> bytes | None:
        """Of the transaction before a witness; None when the keys of its year are destroyed."""
        generation = (record if record["opened"] else witness)["generation"]
        about = int(witness["uid"]).to_bytes(7, "big") + uint(int(generation), 1)
        about += uint(int(witness["tmc"]) - 1, 4)
        try:
            return self._vault.store.cmacs(("nullifier", year_of(int(record["day"]))), about, len(about))
        except KeyMissing:
            return None


class _Names:
    """Records by terminal and sequence."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows[np.argsort(rows["name"])]

    def find(self, name: int) -> Any:
        at = int(np.searchsorted(self._rows["name"], name))
        return self._rows[at] if at < len(self._rows) and self._rows[at]["name"] == name else None


def _unexplained(witnesses: Rows) -> Iterator[tuple[Any, Any]]:
    """`(the witness before it of the same pass, or None; witness)` where the predecessor is not simply there."""
    if not len(witnesses):
        return
    same = np.ones(len(witnesses), np.bool_)
    same[0] = False
    for which in ("uid", "key_version"):
        same[1:] &= witnesses[which][1:] == witnesses[which][:-1]
    told = np.zeros(len(witnesses), np.bool_)
    told[1:] = (
        same[1:]
        & (witnesses["tmc"][1:] == witnesses["tmc"][:-1] + 1)
        & (witnesses["previous_name"][1:] == witnesses["name"][:-1])
        & (witnesses["previous_hash"][1:] == witnesses["hash"][:-1])
    )
    told[1:] |= same[1:] & (witnesses["tmc"][1:] == witnesses["tmc"][:-1])  # the same transaction, handed in twice
    for at in np.flatnonzero(~told).tolist():
        yield (witnesses[at - 1] if same[at] else None), witnesses[at]


def _overtaken(rows: Rows, witnesses: Rows, findings: set[Finding]) -> Iterator[Finding]:
    """Records in doubt that did not happen: another transaction has their number, or follows one that is not theirs."""
    doubts = rows[rows["opened"] & (rows["outcome"] == IN_DOUBT)]
    near = witnesses[np.isin(witnesses["uid"], doubts["uid"])]
    at_slot = {(int(each["uid"]), int(each["generation"]), int(each["tmc"])): each for each in near}
    happened = {(found.terminal, found.sequence) for found in findings if found.kind == HAPPENED}
    for doubt in doubts:
        name = doubt["name"]
        if (_terminal(name), int(name) & 0xFFFFFFFF) in happened:
            continue
        uid, generation, tmc = int(doubt["uid"]), int(doubt["generation"]), int(doubt["tmc"])
        same, after = at_slot.get((uid, generation, tmc)), at_slot.get((uid, generation, tmc + 1))
        if (same is not None and same["name"] != name) or (after is not None and after["previous_name"] != name):
            yield _finding(DID_NOT_HAPPEN, name)


def _finding(kind: str, name: Any, nullifier: bytes | None = None) -> Finding:
    return Finding(kind, _terminal(name), int(name) & 0xFFFFFFFF, nullifier)


def _terminal(name: Any) -> int:
    return int(name) >> 32


def _number(rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """Rows of eight bytes as one number each."""
    numbers: npt.NDArray[np.uint64] = np.ascontiguousarray(rows).view(">u8")[:, 0].astype(np.uint64)
    return numbers


def _reader(rows: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Reader ids of 16 bytes as name and hash; terminal and sequence stand there little-endian."""
    halves = np.ascontiguousarray(rows[:, :8]).view("<u4").astype(np.uint64)
    return halves[:, 0] << np.uint64(32) | halves[:, 1], _number(rows[:, 8:])
