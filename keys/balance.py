"""What a lost pass still holds, worked out from the backend's table of nullifiers, for two officers together.

The desk knows the UID and may not see the table; the backend has the table and may not know the UID. The table comes
sealed for the vault, the vault makes the nullifiers of this one pass and adds up its rows, and nobody learns which.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

from card.record import LOAD, REVERSAL, TAP
from card.wire import uint
from keys.days import date_of
from keys.errors import KeyMissing, NotAllowed, NotUnderstood
from keys.store import BLOCK
from keys.vault import Vault

SIGNED = b"meedoen balance 1\n"
OFFICERS = 2
DAYS_TO_USE = 7
TABLE_MAGIC = b"MT\x01\x00"
_HEADER_BYTES = 8
# A nullifier as two numbers, the first eight bytes and the last.
_NULLIFIER = [("high", ">u8"), ("low", ">u8")]
_ROW = np.dtype([*_NULLIFIER, ("year", "<u2"), ("kind", "u1"), ("purse", "u1"), ("amount", "<u4")])
_SIGN = {LOAD: 1, REVERSAL: 1, TAP: -1}
# A pass is looked for among so many transactions at a time, and on as long as there are any; a table may begin late in
# the life of a pass, so a good many are looked for in any case.
_STEP = 1 << 14

Rows = npt.NDArray[np.void]


class Request(BaseModel):
    """What officers sign: of which pass, why, and when it was asked."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    municipality: StrictInt
    uid: str = Field(pattern=r"^[0-9A-Fa-f]{14}$")
    generation: StrictInt = Field(ge=0, le=255)
    reason: str = Field(min_length=1, max_length=200)
    asked_on: date


@dataclass(frozen=True)
class Signature:
    """Of an officer over the request."""

    officer: str
    signature: bytes


@dataclass(frozen=True)
class Balance:
    """By purse, in its unit, as far as the table went: up to and with `as_of`."""

    balances: dict[int, int]
    as_of: date


class Balances:
    """Answers for one vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def of(self, request: bytes, signatures: Sequence[Signature], table: bytes) -> Balance:
        """The balance of the pass that a request names.

        `request` is the JSON of a Request, byte by byte as the officers signed it.
        Raises NotAllowed when two different officers did not sign it, NotUnderstood for what is no request or table.
        """
        uid, generation = self._read(request)
        self._check_officers(request, signatures)
        rows, as_of = self._open(table)
        balances: Counter[int] = Counter()
        # Renewed keys make a pass another generation, and leave its money where it is.
        for each in range(generation + 1):
            self._add(balances, uid + uint(each, 1), rows)
        return Balance(dict(sorted(balances.items())), as_of)

    def _read(self, request: bytes) -> tuple[bytes, int]:
        try:
            asked = Request.model_validate_json(request)
        except ValidationError:
            raise NotUnderstood("The request must have municipality, uid, generation, reason and asked_on.") from None
        if asked.municipality != self._vault.municipality:
            raise NotAllowed("The request is for another municipality.")
        if not timedelta(0) <= self._vault.today() - asked.asked_on <= timedelta(days=DAYS_TO_USE):
            raise NotAllowed(f"A request is good for {DAYS_TO_USE} days. Make a new one and have it signed.")
        return bytes.fromhex(asked.uid), asked.generation

    def _check_officers(self, request: bytes, signatures: Sequence[Signature]) -> None:
        keys = set()
        for each in signatures:
            key = self._vault.register.officers.get(each.officer)
            if key is None:
                raise NotAllowed(f"{each.officer} is not an officer of this vault.")
            try:
                Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(each.signature, SIGNED + request)
            except InvalidSignature:
                raise NotAllowed(f"The signature of {each.officer} does not belong to this request.") from None
            keys.add(key)
        if len(keys) < OFFICERS:
            raise NotAllowed(f"A balance needs the signatures of {OFFICERS} different officers over one request.")

    def _open(self, table: bytes) -> tuple[Rows, date]:
        """The rows; the header says municipality (2) and day (2, up to which), and is bound to them."""
        header, sealed = table[:_HEADER_BYTES], table[_HEADER_BYTES:]
        if len(sealed) < BLOCK or header[:4] != TABLE_MAGIC:
            raise NotUnderstood("This is not a table of nullifiers.")
        if int.from_bytes(header[4:6], "little") != self._vault.municipality:
            raise NotAllowed("The table is of another municipality.")
        try:
            plain = AESSIV(self._vault.table_key()).decrypt(sealed, [header])
            rows = np.frombuffer(plain, _ROW)
        except (InvalidTag, ValueError):
            raise NotUnderstood("The table was not sealed by this municipality's clearing, or was altered.") from None
        return rows, date_of(int.from_bytes(header[6:8], "little"))

    def _add(self, balances: Counter[int], identity: bytes, rows: Rows) -> None:
        years = np.unique(rows["year"]).tolist()
        first, more = 1, True
        while more:
            found = [self._of_pass(identity, first, year, rows) for year in years]
            for kind, purse, amount in np.concatenate(found or [rows])[["kind", "purse", "amount"]].tolist():
                balances[purse] += _SIGN[kind] * amount
            more = any(map(len, found))
            first += _STEP

    def _of_pass(self, identity: bytes, first: int, year: int, rows: Rows) -> Rows:
        """The rows that are this pass's transactions from number `first` on, if they happened in a year."""
        counters = np.arange(first, first + _STEP, dtype="<u4").view(np.uint8).reshape(-1, 4)
        about = np.concatenate([np.tile(np.frombuffer(identity, np.uint8), (_STEP, 1)), counters], axis=1)
        try:
            made = self._vault.store.cmacs(("nullifier", year), about.tobytes(), about.shape[1])
        except KeyMissing:
            raise NotAllowed(
                f"The keys of {year} are destroyed or not made. Ask for a table without that year."
            ) from None
        own = np.sort(np.frombuffer(made, _NULLIFIER), order="high")
        at = np.minimum(np.searchsorted(own["high"], rows["high"]), _STEP - 1)
        mine: Rows = rows[(own["high"][at] == rows["high"]) & (own["low"][at] == rows["low"])]
        return mine
