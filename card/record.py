"""The record of one transaction: a clear part that names no pass, and a sealed part that only the vault opens.

The pass signs the hash of the clear part (it is in the reader id), so offer, price and day cannot be altered
after the tap. All numbers little-endian.
"""

import hashlib
from struct import unpack

from card.errors import BadRecord
from card.siv import Siv, siv_decrypt
from card.wire import put_uint, read_uint

VERSION = 1
TAP = 1
REVERSAL = 2
LOAD = 3
_KINDS = (TAP, REVERSAL, LOAD)

NO_PURSE = 0xFF
# The largest price that staff can type, in cents; nothing (0) is never charged.
MOST_PRICE = 99999
DAY_ZERO = (2020, 1, 1)  # `day` counts from here, in days of the municipality's calendar

# Attribute and size in bytes, in the order of the wire.
FIELDS = (
    ("version", 1),
    ("kind", 1),
    ("terminal", 4),
    ("sequence", 4),
    ("day", 2),
    ("offer", 4),
    ("purse1", 1),
    ("amount1", 4),
    ("purse2", 1),
    ("amount2", 4),
    ("price", 4),
    ("discount", 4),
    ("copayment", 4),
    ("spare", 4),
)
# Where the number of a record begins, its sequence.
NUMBER_AT = 6
CLEAR_BYTES = 42
SEALED_BYTES = 60
_FORMAT = "<" + "".join(["?BH?I"[size] for _, size in FIELDS])


class ClearRecord:
    """Venue side of a transaction. Amounts in the unit of their purse; price, discount and co-payment in cents."""

    def __init__(
        self,
        kind,
        terminal,
        sequence,
        day,
        offer,
        purse1,
        amount1,
        purse2=NO_PURSE,
        amount2=0,
        price=0,
        discount=0,
        copayment=0,
        version=VERSION,
        spare=0,
        **unknown,
    ):
        if unknown:
            raise BadRecord("a record has no field %s" % ", ".join(unknown))
        self.version = version
        self.kind = kind
        self.terminal = terminal
        self.sequence = sequence
        self.day = day
        self.offer = offer
        self.purse1 = purse1
        self.amount1 = amount1
        self.purse2 = purse2
        self.amount2 = amount2
        self.price = price
        self.discount = discount
        self.copayment = copayment
        self.spare = spare
        self._check()

    def _check(self):
        if self.version != VERSION or self.spare != 0:
            raise BadRecord("record version %d is not known" % self.version)
        if self.kind not in _KINDS:
            raise BadRecord("record kind %d is not known" % self.kind)
        if not 1 <= self.purse1 <= 14 or self.amount1 == 0:
            raise BadRecord("a record names a purse from 1 to 14 and an amount above zero")
        if self.purse2 == NO_PURSE:
            if self.amount2 != 0:
                raise BadRecord("an amount without its purse")
        elif not 1 <= self.purse2 <= 14 or self.purse2 == self.purse1 or self.amount2 == 0:
            raise BadRecord("the second purse is not another purse with an amount above zero")

    def to_bytes(self):
        """42 bytes; raises OutOfRange when a number does not fit its field."""
        data = bytearray(CLEAR_BYTES)
        self.write_to(data)
        return bytes(data)

    def write_to(self, data):
        """The same, into 42 bytes that are there."""
        at = 0
        for name, size in FIELDS:
            put_uint(data, at, getattr(self, name), size)
            at += size

    @classmethod
    def from_bytes(cls, data):
        """Parses exactly 42 bytes; raises BadRecord on anything that this version would not write."""
        if len(data) != CLEAR_BYTES:
            raise BadRecord("record of %d bytes, wanted %d" % (len(data), CLEAR_BYTES))
        version, *values, spare = unpack(_FORMAT, data)
        return cls(*values, version=version, spare=spare)

    def debits(self):
        """What the pass was asked to move, `[(purse, amount)]` in the order of the card's commands."""
        if self.purse2 == NO_PURSE:
            return [(self.purse1, self.amount1)]
        return [(self.purse1, self.amount1), (self.purse2, self.amount2)]

    def hash(self):
        """The 8 bytes that the pass signs."""
        return clear_hash(self.to_bytes())


def clear_hash(clear):
    """First 8 bytes of SHA-256 over the clear record."""
    return hashlib.sha256(clear).digest()[:8]


def reader_id(clear):
    """The 16-byte TMRI that goes into CommitReaderID: terminal, sequence, hash of the record in clear."""
    return clear[2:10] + clear_hash(clear)


class Proof:
    """What the pass gave at its commit: the sealed part in the open. `tmv` is all zero while in doubt."""

    def __init__(self, handle, tmc, tmv, enc_tmri):
        self.handle = handle
        self.tmc = tmc
        self.tmv = tmv
        self.enc_tmri = enc_tmri


def seal(sealing_key, clear, proof):
    """60 bytes that only the vault opens, bound to the clear record. `sealing_key`: 32 bytes, or their Siv."""
    siv = Siv.of(sealing_key)
    message = siv.start((clear,))
    message.write(proof.handle)
    siv.scratch.put(proof.tmc, 4)
    message.write(proof.tmv)
    message.write(proof.enc_tmri)
    return siv.finish()


def unseal(sealing_key, clear, sealed):
    """The Proof; raises BadMac when the sealed part does not belong to this clear record and key."""
    plain = siv_decrypt(sealing_key, [clear], sealed)
    if len(plain) != SEALED_BYTES - 16:
        raise BadRecord("sealed part of %d bytes, wanted %d" % (len(sealed), SEALED_BYTES))
    return Proof(plain[:16], read_uint(plain, 16, 4), plain[20:28], plain[28:44])
