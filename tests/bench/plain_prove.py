"""Proving as plainly as it can be written: record by record, a new CMAC object of `cryptography` for every MAC.

What `keys.proving` is measured against, and tested against: the same answers from other code.
"""

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from card.errors import BadRecord
from card.layout import card_key_input
from card.record import CLEAR_BYTES, ClearRecord
from keys.days import date_of
from keys.errors import KeyMissing
from keys.proving import RECORD_BYTES, Verdict
from keys.vault import HANDLE_PADDING, Vault

_DEBIT, _LIMITED_CREDIT, _CREDIT = b"\xdc", b"\x1c", b"\x0c"
_MOVE = {1: _DEBIT, 2: _LIMITED_CREDIT, 3: _CREDIT}


def cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(AES(key))
    mac.update(message)
    return mac.finalize()


def doubled(block: bytes) -> bytes:
    number = int.from_bytes(block, "big") << 1
    return (number ^ (0x87 | 1 << 128) if number >> 128 else number).to_bytes(16, "big")


def xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")


def plain_prove(vault: Vault, records: bytes) -> list[Verdict]:
    """The same as `Prover.prove`, for keys in a MemoryStore."""
    keys = vault.store._keys  # type: ignore[attr-defined]
    sealing: dict[tuple[int, int], bytes | None] = {}
    return [
        _prove(vault, keys, sealing, records[at : at + RECORD_BYTES]) for at in range(0, len(records), RECORD_BYTES)
    ]


def _prove(vault, keys, sealing, record):
    clear, sealed = record[:CLEAR_BYTES], record[CLEAR_BYTES:]
    try:
        parsed = ClearRecord.from_bytes(clear)
    except BadRecord:
        return Verdict(None, None, None, "record")
    name = parsed.terminal, parsed.sequence
    group = parsed.terminal, parsed.day
    if group not in sealing:
        try:
            sealing[group] = vault._chain(parsed.terminal, date_of(parsed.day)).key()
        except KeyMissing:
            sealing[group] = None
    if sealing[group] is None:
        return Verdict(*name, None, "year")
    plain = _unseal(sealing[group], clear, sealed)
    if plain is None:
        return Verdict(*name, None, "seal")
    handle, tmc, tmv, enc_tmri = plain[:16], plain[16:20], plain[20:28], plain[28:]
    identity = Cipher(AES(keys["handle", 1]), modes.ECB()).decryptor().update(handle)
    if identity[8:] != HANDLE_PADDING:
        return Verdict(*name, None, "handle")
    uid = identity[:7]
    key = cmac(keys["transaction_mac", 1], b"\x01" + card_key_input("transaction_mac", uid, vault.aid))
    session_key = cmac(key, b"\x5a\x00\x01\x00\x80" + tmc + uid)
    message = b"".join(
        _MOVE[parsed.kind] + bytes([purse]) + amount.to_bytes(4, "little") + bytes(10)
        for purse, amount in parsed.debits()
    )
    reader = clear[2:10] + hashlib.sha256(clear).digest()[:8]
    message += b"\xc8" + reader + enc_tmri + bytes(15)
    if cmac(session_key, message)[1::2] != tmv:
        return Verdict(*name, None, "mac")
    return Verdict(*name, cmac(keys["nullifier", date_of(parsed.day).year], identity[:8] + tmc), None)


def _unseal(key, clear, sealed):
    """RFC 5297, for a plain text of more than one block."""
    iv, hidden = sealed[:16], sealed[16:]
    counter = bytearray(iv)
    counter[8] &= 0x7F
    counter[12] &= 0x7F
    plain = Cipher(AES(key[16:]), modes.CTR(bytes(counter))).encryptor().update(hidden)
    state = xor(doubled(cmac(key[:16], bytes(16))), cmac(key[:16], clear))
    if cmac(key[:16], plain[:-16] + xor(plain[-16:], state)) != iv:
        return None
    return plain
