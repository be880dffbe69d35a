"""What `card/` must refuse before anything goes on the wire or into the ledger; runs on both Pythons."""

from card.administration import ChangeKey
from card.batch import build_batch, open_batch
from card.commands import CommitReaderID, Debit, GetValue, ReadData, SelectApplication
from card.diversify import diversify
from card.errors import CardError
from card.layout import PassFile, aid_bytes
from card.record import LOAD, TAP, ClearRecord
from card.sealing import SealingKey
from card.session import Session
from card.siv import siv_decrypt, siv_encrypt
from card.wire import uint

GOOD = dict(kind=TAP, terminal=1, sequence=1, day=2500, offer=1, purse1=1, amount1=1)


def record(**changes):
    fields = dict(GOOD)
    fields.update(changes)
    return ClearRecord(**fields)


def clear_with(at, value):
    clear = record().to_bytes()
    return clear[:at] + bytes([value]) + clear[at + 1 :]


def answered(answer):
    return Session(lambda apdu: answer)


def endless():
    return Session(lambda apdu: b"\x01\x91\xaf")


BATCH = build_batch(bytes(16), 1, 1, bytes(16), [bytes(119)])

CASES = (
    ("a number above its field", lambda: uint(70000, 2)),
    ("a negative number", lambda: uint(-5, 3)),
    ("a debit of more than 31 bits", lambda: Debit(1, 1 << 31)),
    ("a negative debit", lambda: Debit(1, -1)),
    ("a file number above a byte", lambda: GetValue(256)),
    ("an AID of two bytes", lambda: SelectApplication(b"\x01\x02")),
    ("an AID of seven digits", lambda: aid_bytes("F0E0D1A")),
    ("a reader id of 15 bytes", lambda: CommitReaderID(bytes(15))),
    ("a key of 15 bytes", lambda: ChangeKey(1, bytes(15), 1)),
    ("an empty diversification input", lambda: diversify(bytes(16), b"")),
    ("a diversification input of 32 bytes", lambda: diversify(bytes(16), bytes(32))),
    ("an unknown kind", lambda: record(kind=9)),
    ("an amount of zero", lambda: record(amount1=0)),
    ("an amount of 33 bits", lambda: record(amount1=1 << 32).to_bytes()),
    ("a day above its field", lambda: record(day=65536).to_bytes()),
    ("purse 15", lambda: record(purse1=15)),
    ("the same purse twice", lambda: record(purse2=1, amount2=5)),
    ("an amount without its purse", lambda: record(amount2=5)),
    ("a field that does not exist", lambda: record(holder=1)),
    ("a record of another version", lambda: ClearRecord.from_bytes(clear_with(0, 2))),
    ("a record with something in its spare bytes", lambda: ClearRecord.from_bytes(clear_with(41, 1))),
    ("a record cut short", lambda: ClearRecord.from_bytes(record(kind=LOAD).to_bytes()[:-1])),
    ("a pass file of another version", lambda: PassFile.from_bytes(bytes(32))),
    ("a pass file cut short", lambda: PassFile.from_bytes(b"\x01" * 31)),
    ("a sealing key that goes back", lambda: SealingKey(bytes(16), 100).advance(99)),
    ("a sealing key beyond its period", lambda: SealingKey(bytes(16), 100).advance(512)),
    ("a seal with a short key", lambda: siv_encrypt(bytes(16), [], b"")),
    ("a seal that is cut off", lambda: siv_decrypt(bytes(32), [], bytes(15))),
    ("an answer without status", lambda: answered(b"\x91").run(GetValue(1))),
    ("an answer of another class", lambda: answered(b"\x00\x00\x00\x00\x90\x00").run(GetValue(1))),
    ("a value of three bytes", lambda: answered(b"\x00\x00\x00\x91\x00").run(GetValue(1))),
    ("data shorter than asked for", lambda: answered(b"\x00\x91\x00").run(ReadData(0, 0, 2))),
    ("an answer that does not end", lambda: endless().run(ReadData(0, 0, 2))),
    ("a status that says no", lambda: answered(b"\x91\x9d").run(GetValue(1))),
    ("a batch of nothing", lambda: open_batch(b"", lambda terminal: [bytes(16)])),
    ("a batch of an unknown terminal", lambda: open_batch(BATCH, lambda terminal: [])),
    ("a batch under another key", lambda: open_batch(BATCH, lambda terminal: [bytes(15) + b"\x01"])),
    ("a batch with a broken chain", lambda: open_batch(BATCH, lambda terminal: [bytes(16)])),
    ("a batch with one byte more", lambda: open_batch(BATCH + b"\x00", lambda terminal: [bytes(16)])),
)

for name, attempt in CASES:
    try:
        attempt()
        print("%s: TAKEN" % name)
    except CardError:
        print("%s: refused" % name)
