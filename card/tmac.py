"""Transaction MAC: what a pass signs at its commit, and how the vault checks it (MF2DL(H)x0 data sheet; AN12343).

The same labels 5A and A5 are confirmed by logs of real EV3 cards.
"""

from card.aes import BLOCK, decryption
from card.cmac import Cmac, cmac
from card.record import LOAD, REVERSAL, TAP
from card.wire import exactly, same, uint

MAC_LABEL = b"\x5a\x00\x01\x00\x80"
ENC_LABEL = b"\xa5\x00\x01\x00\x80"
COMMIT_READER_ID = b"\xc8"
# The instruction that moved the purses, by kind of record: Debit, LimitedCredit, Credit.
MOVES = {TAP: b"\xdc", REVERSAL: b"\x1c", LOAD: b"\x0c"}


def mac_session_key(key, tmc, uid):
    """SesTMMAC for the transaction that got counter `tmc` (stored value plus one at the time)."""
    return cmac(key, MAC_LABEL + uint(tmc, 4) + uid)


def enc_session_key(key, tmc, uid):
    """SesTMENC of the same transaction."""
    return cmac(key, ENC_LABEL + uint(tmc, 4) + uid)


def _piece(data):
    return data + bytes(-len(data) % BLOCK)


def transaction_input(kind, moves, reader_id, enc_tmri):
    """TMI of a transaction that moved `moves` [(purse, amount)] and then committed its reader id."""
    pieces = [_piece(MOVES[kind] + uint(purse, 1) + uint(amount, 4)) for purse, amount in moves]
    pieces.append(_piece(COMMIT_READER_ID + reader_id + enc_tmri))
    return b"".join(pieces)


def transaction_mac(key, tmc, uid, tmi):
    """TMV: 8 bytes."""
    return Cmac(mac_session_key(key, tmc, uid)).short(tmi)


def is_committed(key, uid, kind, moves, reader_id, proof):
    """Whether the pass with this key and UID committed exactly these moves as its transaction number `proof.tmc`."""
    tmi = transaction_input(kind, moves, reader_id, proof.enc_tmri)
    return same(transaction_mac(key, proof.tmc, uid, tmi), proof.tmv)


def previous_reader_id(key, tmc, uid, enc_tmri):
    """The reader id of the transaction before `tmc`, from what CommitReaderID answered."""
    reader_id = bytearray(BLOCK)
    decryption(enc_session_key(key, tmc, uid)).decrypt(exactly(enc_tmri, BLOCK, "encrypted reader id"), reader_id)
    return bytes(reader_id)
