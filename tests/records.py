"""Records as terminals hand them in, made on paper: thousands a second, for the vault's tests and its bench.

The formulas are those of card/tmac.py; that the emulated pass, which shares no code with it, signs the same is tested
with taps (tests/keys/test_vault.py).
"""

import random
from dataclasses import dataclass, field

from card.batch import COMMITTED, IN_DOUBT
from card.record import CLEAR_BYTES, LOAD, REVERSAL, TAP, ClearRecord, Proof, reader_id, seal
from card.tmac import enc_session_key, transaction_input, transaction_mac
from keys.vault import Vault
from tests.city import CENTS, DAY, TERMINAL, VISITS, sealing_of
from tests.plain_crypto import encrypted

NO_TMV = bytes(8)


def encrypted_reader_id(key: bytes, reader: bytes) -> bytes:
    """What CommitReaderID answers, under the session key of its transaction."""
    return encrypted(key, reader)


@dataclass
class PaperPass:
    """A pass that signs like a real one. `record(...)` is one transaction; what comes out is 102 bytes."""

    vault: Vault
    uid: bytes = b"\x04\x11\x22\x33\x44\x55\x66"
    generation: int = 1
    tmc: int = 0
    previous: bytes = bytes(16)
    seals: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def __post_init__(self):
        self.keys = self.vault.card_keys(self.uid, self.generation)
        self.key = self.keys.current["transaction_mac"].key

    def commit(self, clear: bytes, in_doubt: bool = False) -> Proof:
        """The pass commits what a record in clear says."""
        record = ClearRecord.from_bytes(clear)
        self.tmc += 1
        enc_tmri = encrypted_reader_id(enc_session_key(self.key, self.tmc, self.uid), self.previous)
        self.previous = reader_id(clear)
        tmi = transaction_input(record.kind, record.debits(), self.previous, enc_tmri)
        tmv = NO_TMV if in_doubt else transaction_mac(self.key, self.tmc, self.uid, tmi)
        return Proof(self.keys.handle, self.tmc, tmv, enc_tmri)

    def tap(self, sequence: int, terminal: int = TERMINAL, day: int = DAY, in_doubt: bool = False, **fields) -> bytes:
        """A committed tap, as its terminal seals it; `in_doubt`: the terminal did not hear the end of it."""
        clear = clear_record(sequence, terminal, day, **fields)
        return clear + self.sealed(clear, self.commit(clear, in_doubt))

    def torn(self, sequence: int, terminal: int = TERMINAL, day: int = DAY, **fields) -> bytes:
        """A tap that the pass did not commit, and of which the terminal does not know."""
        clear = clear_record(sequence, terminal, day, **fields)
        enc_tmri = encrypted_reader_id(enc_session_key(self.key, self.tmc + 1, self.uid), self.previous)
        return clear + self.sealed(clear, Proof(self.keys.handle, self.tmc + 1, NO_TMV, enc_tmri))

    def sealed(self, clear: bytes, proof: Proof) -> bytes:
        record = ClearRecord.from_bytes(clear)
        name = record.terminal, record.day
        if name not in self.seals:
            self.seals[name] = sealing_of(*name, vault=self.vault).key()
        return seal(self.seals[name], clear, proof)


def clear_record(sequence: int, terminal: int = TERMINAL, day: int = DAY, **fields) -> bytes:
    """A record in clear: four euro for a swim unless said otherwise."""
    given = {"kind": TAP, "offer": 11, "purse1": CENTS, "amount1": 400, **fields}
    kind, offer = given.pop("kind"), given.pop("offer")
    purse, amount = given.pop("purse1"), given.pop("amount1")
    return ClearRecord(kind, terminal, sequence, day, offer, purse, amount, **given).to_bytes()


def line(record: bytes, outcome: int | None = None) -> bytes:
    """A record as the audit takes it."""
    if outcome is None:
        outcome = COMMITTED
    return bytes([outcome]) + record


def doubt(record: bytes) -> bytes:
    return line(record, IN_DOUBT)


def many(vault: Vault, count: int, passes: int, terminals: int = 40, days: int = 2, seed: int = 1) -> bytes:
    """Valid records of so many passes, in the order in which terminals hand them in; the same for the same seed."""
    chance = random.Random(seed)
    seals: dict[tuple[int, int], bytes] = {}
    holders = [PaperPass(vault, b"\x04" + number.to_bytes(6, "big"), seals=seals) for number in range(passes)]
    made = []
    for sequence in range(1, count + 1):
        holder = holders[sequence % passes]
        kind = chance.choice((TAP, TAP, TAP, TAP, REVERSAL, LOAD))
        second = {"purse2": VISITS, "amount2": 1} if chance.random() < 0.1 else {}
        where = {"terminal": TERMINAL + sequence * terminals // (count + 1), "day": DAY + chance.randrange(days)}
        made.append(holder.tap(sequence, kind=kind, amount1=chance.randrange(1, 5000), **where, **second))
    return b"".join(made)


def altered(record: bytes, **changes) -> bytes:
    """The clear part with other fields, and the sealed part as it was."""
    fields = {**vars(ClearRecord.from_bytes(record[:CLEAR_BYTES])), **changes}
    return ClearRecord(**fields).to_bytes() + record[CLEAR_BYTES:]
