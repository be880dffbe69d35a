"""What `card/` must refuse before anything goes on the wire or into the ledger; runs on both Pythons."""

from card.administration import ChangeKey
from card.batch import build_batch, open_batch
from card.commands import CommitReaderID, Debit, GetValue, ReadData, SelectApplication
from card.diversify import diversify
from card.errors import CardError
from card.layout import PassFile, aid_bytes
from card.lease import WrappingKey, unwrap, wrap
from card.record import LOAD, TAP, ClearRecord
from card.sealing import SealingKey
from card.session import Session
from card.siv import siv_decrypt, siv_encrypt
from card.wire import put_uint, uint

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


def sealing(*chains):
    return SealingKey([(bytes(16), day, last_day) for day, last_day in chains])


DEVICE = b"\x01\x02\x03\x04\x05\x06\x07\x08"


def wrapping(state, number):
    key = WrappingKey(state)
    while key.number < number:
        key.step()
    return key


def lease_of(device):
    return wrap(wrapping(bytes(16), 3), 1, device, b"keys")


LEASE = lease_of(DEVICE)


def taken(lease, terminal=1, device=DEVICE, number=3, state=bytes(16)):
    return unwrap(wrapping(state, number), terminal, device, lease)


BATCH = build_batch(bytes(16), 1, 1, bytes(16), [bytes(119)])

CASES = (
    ("a number above its field", lambda: uint(70000, 2)),
    ("a negative number", lambda: uint(-5, 3)),
    ("a number above the end of its memory", lambda: put_uint(bytearray(4), 1, 5, 4)),
    ("a number above its place", lambda: put_uint(bytearray(4), 0, 256, 1)),
    ("a negative number in its place", lambda: put_uint(bytearray(4), 0, -1, 2)),
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
    ("a sealing key that goes back", lambda: sealing((100, 130)).advance(99)),
    ("a sealing key beyond its last day", lambda: sealing((100, 130)).advance(131)),
    ("a sealing key beyond its last chain", lambda: sealing((100, 130), (131, 140)).advance(141)),
    ("a sealing key of no chain", lambda: sealing()),
    ("a sealing key of three chains", lambda: sealing((100, 101), (102, 103), (104, 105))),
    ("a sealing chain that ends before it begins", lambda: sealing((100, 99))),
    ("sealing chains with a day between them", lambda: sealing((100, 130), (132, 140))),
    ("sealing chains that share a day", lambda: sealing((100, 130), (130, 140))),
    ("a sealing state of 15 bytes", lambda: SealingKey([(bytes(15), 100, 130)])),
    ("a sealing key cut short", lambda: SealingKey.from_bytes(sealing((100, 130)).to_bytes()[:-1])),
    ("a day that does not fit a sealing key", lambda: sealing((100, 65536)).to_bytes()),
    ("a wrapping key of 15 bytes", lambda: WrappingKey(bytes(15))),
    ("a device number of 7 bytes", lambda: wrap(WrappingKey(bytes(16)), 1, bytes(7), b"")),
    ("a terminal number of 33 bits in a lease", lambda: wrap(WrappingKey(bytes(16)), 1 << 32, DEVICE, b"")),
    ("a lease of nothing", lambda: taken(b"")),
    ("a lease cut short", lambda: taken(LEASE[:-1])),
    ("a lease with one byte more", lambda: taken(LEASE + b"\x00")),
    ("a lease of another version", lambda: taken(LEASE[:2] + b"\x02" + LEASE[3:])),
    ("a lease with a flipped bit", lambda: taken(LEASE[:-1] + bytes([LEASE[-1] ^ 1]))),
    ("a lease of another terminal", lambda: taken(LEASE, terminal=2)),
    ("a lease of another device", lambda: taken(LEASE, device=bytes(8))),
    (
        "a lease of another device under our number",
        lambda: taken(lease_of(bytes(8))[:8] + DEVICE + lease_of(bytes(8))[16:]),
    ),
    ("the lease before", lambda: taken(LEASE, number=4)),
    ("the lease after", lambda: taken(LEASE, number=2)),
    ("a lease under another wrapping key", lambda: taken(LEASE, state=b"\x01" + bytes(15))),
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

assert taken(LEASE) == b"keys"
for name, attempt in CASES:
    try:
        attempt()
        print("%s: TAKEN" % name)
    except CardError:
        print("%s: refused" % name)
