"""Thousands of records are judged together exactly as each is judged alone, by the plain formulas of the pass."""

import random

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from hypothesis import given
from hypothesis import strategies as st

from card.errors import BadRecord
from card.record import CLEAR_BYTES, LOAD, REVERSAL, TAP, ClearRecord, Proof
from keys.proving import RECORD_BYTES, Prover, Verdict
from keys.token import Token
from keys.vault import HANDLE_PADDING, Vault
from tests.bench.plain_prove import plain_prove
from tests.city import CENTS, DAY, PROVER, TERMINAL, VAULT, VISITS, sealing_of, vault_of
from tests.records import PaperPass, clear_record, many
from tests.softhsm import soft_token

UID = b"\x04\x11\x22\x33\x44\x55\x66"


def prove(record, prover=PROVER):
    (verdict,) = prover.prove(record)
    return verdict


def spoilt(records, chance):
    """The same records, with a bit of some of them turned over."""
    rows = [bytearray(records[at : at + RECORD_BYTES]) for at in range(0, len(records), RECORD_BYTES)]
    for row in rows:
        if chance.random() < 0.5:
            row[chance.randrange(RECORD_BYTES)] ^= 1 << chance.randrange(8)
    return b"".join(map(bytes, rows))


@pytest.mark.parametrize("seed", range(5))
def test_a_crowd_of_records_gets_the_verdicts_that_each_gets_from_the_plain_formulas(seed):
    chance = random.Random(seed)
    records = many(VAULT, 400, passes=60, terminals=7, days=3, seed=seed)
    for crowd in (records, spoilt(records, chance), chance.randbytes(RECORD_BYTES * 50)):
        assert PROVER.prove(crowd) == plain_prove(VAULT, crowd)
    assert all(verdict.valid for verdict in PROVER.prove(records))


@pytest.mark.parametrize("kind", [TAP, REVERSAL, LOAD])
@pytest.mark.parametrize("second", [{}, {"purse2": VISITS, "amount2": 1}], ids=["one purse", "two purses"])
def test_every_kind_of_record_is_valid_as_what_it_is_and_as_nothing_else(kind, second):
    holder = PaperPass(VAULT)
    clear = clear_record(1, kind=kind, **second)
    proof = holder.commit(clear)
    assert prove(clear + holder.sealed(clear, proof)).valid
    for other in {TAP, REVERSAL, LOAD} - {kind}:
        false = clear_record(1, kind=other, **second)
        assert prove(false + holder.sealed(false, proof)).reason == "mac"
    assert prove(clear_record(1, kind=kind) + holder.sealed(clear_record(1, kind=kind), proof)).valid is not bool(
        second
    )


FIELDS = st.fixed_dictionaries(
    {name: st.integers(0, (1 << 8 * size) - 1) for name, size in (("purse1", 1), ("amount1", 4), ("purse2", 1))}
    | {
        "amount2": st.integers(0, 3),
        "kind": st.integers(0, 5),
        "version": st.integers(0, 2),
        "spare": st.integers(0, 1),
    }
)


@given(st.lists(st.one_of(st.binary(min_size=CLEAR_BYTES, max_size=CLEAR_BYTES), FIELDS), min_size=1, max_size=8))
def test_what_is_a_record_is_decided_as_the_pass_does(cases):
    rows, expected = [], []
    for case in cases:
        clear = case if isinstance(case, bytes) else _written(case)
        rows.append(clear + bytes(60))
        try:
            ClearRecord.from_bytes(clear)
            expected.append(False)
        except BadRecord:
            expected.append(True)
    assert [verdict.reason == "record" for verdict in PROVER.prove(b"".join(rows))] == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 0},
        {"version": 2},
        {"kind": 0},
        {"kind": 4},
        {"purse1": 0},
        {"purse1": 15},
        {"amount1": 0},
        {"purse2": CENTS, "amount2": 1},
        {"purse2": 15, "amount2": 1},
        {"purse2": 0, "amount2": 1},
        {"purse2": VISITS, "amount2": 0},
        {"purse2": 0xFF, "amount2": 1},
        {"spare": 1},
    ],
    ids=str,
)
def test_each_rule_of_a_record_counts(fields):
    good = {"version": 1, "kind": TAP, "purse1": CENTS, "amount1": 1, "purse2": 0xFF, "amount2": 0, "spare": 0}
    assert prove(_written(good) + bytes(60)).reason == "seal"
    assert prove(_written({**good, **fields}) + bytes(60)).reason == "record"
    with pytest.raises(BadRecord):
        ClearRecord.from_bytes(_written({**good, **fields}))


def _written(fields):
    values = {"terminal": TERMINAL, "sequence": 1, "day": DAY, "offer": 11, "price": 0, "discount": 0, "copayment": 0}
    sizes = (
        ("version", 1), ("kind", 1), ("terminal", 4), ("sequence", 4), ("day", 2), ("offer", 4), ("purse1", 1),
        ("amount1", 4), ("purse2", 1), ("amount2", 4), ("price", 4), ("discount", 4), ("copayment", 4), ("spare", 4),
    )  # fmt: skip
    return b"".join({**values, **fields}[name].to_bytes(size, "little") for name, size in sizes)


@pytest.mark.parametrize("counter_end", ["7fffffff", "ffffffff", "fffffffe", "00000000"])
def test_the_counter_of_the_seal_runs_as_the_rfc_says(counter_end, monkeypatch):
    """No IV can be chosen, so the stream is tested where it would carry."""
    import numpy as np

    from keys.siv import SivKey, _stream

    key = bytes(range(32))
    iv = bytes(8) + bytes.fromhex("ffffffff" + counter_end)
    got = _stream([(0, 1, SivKey(key).stream)], np.frombuffer(iv, np.uint8).reshape(1, 16), 44).tobytes()
    # Section 2.5: these two bits are cleared.
    counter = (int.from_bytes(iv, "big") & ~(1 << 63 | 1 << 31)).to_bytes(16, "big")
    assert got == Cipher(AES(key[16:]), CTR(counter)).encryptor().update(bytes(44))


def test_the_seal_is_the_one_of_the_library():
    holder = PaperPass(VAULT)
    clear = clear_record(1)
    proof = holder.commit(clear)
    plain = proof.handle + proof.tmc.to_bytes(4, "little") + proof.tmv + proof.enc_tmri
    assert AESSIV(sealing_of(TERMINAL).key()).encrypt(plain, [clear]) == holder.sealed(clear, proof)


def test_with_every_key_in_a_token_the_verdicts_are_the_same(tmp_path, monkeypatch):
    place = soft_token(tmp_path, monkeypatch)
    token = Token(place.module, place.label, place.pin, VAULT.municipality)
    try:
        token.put(VAULT.store._keys)
        vault = Vault(token, VAULT.register, VAULT.today)
        records = spoilt(many(VAULT, 60, passes=9), random.Random(7))
        assert Prover(vault).prove(records) == PROVER.prove(records)
        assert vault.card_keys(UID, 1) == VAULT.card_keys(UID, 1)
        assert vault.terminal_keys(TERMINAL) == VAULT.terminal_keys(TERMINAL)
        assert vault.backend_keys() == VAULT.backend_keys()
    finally:
        token.close()


def test_on_the_road_a_verdict_is_25_bytes_with_zeros_for_what_there_is_not():
    valid = prove(PaperPass(VAULT).tap(1))
    assert valid.to_bytes() == TERMINAL.to_bytes(4, "little") + b"\1\0\0\0" + b"\0" + valid.nullifier
    unproven = Verdict(7, 2, None, "mac")
    assert unproven.to_bytes() == b"\7\0\0\0" + b"\2\0\0\0" + b"\5" + bytes(16)
    assert prove(bytes(RECORD_BYTES)).to_bytes() == bytes(8) + b"\1" + bytes(16)


def test_an_empty_crowd_and_a_crowd_of_one():
    assert PROVER.prove(b"") == []
    assert prove(PaperPass(VAULT).tap(1)).valid


# Versions and years


def rotated(purpose, until="2026-12-31"):
    """A vault of the same keys with a second version of a purpose, the first still accepted."""
    from datetime import date

    from keys.custody import rotate

    vault = vault_of()
    rotate(b"\x5a" * 32, vault.register, vault.store, purpose, date.fromisoformat(until))
    return vault


@pytest.mark.parametrize("purpose", ["handle", "transaction_mac"])
def test_passes_from_before_and_after_a_rotation_are_both_proven_until_its_date(purpose):
    vault = rotated(purpose)
    before, after = PaperPass(vault_of()).tap(1), PaperPass(vault).tap(2)
    assert before[CLEAR_BYTES:] != after[CLEAR_BYTES:]
    assert [verdict.valid for verdict in Prover(vault).prove(before + after)] == [True, True]
    from datetime import date

    vault.today = lambda: date(2027, 1, 1)
    assert [verdict.reason for verdict in Prover(vault).prove(before + after)] == [
        "handle" if purpose == "handle" else "mac",
        None,
    ]


def test_a_record_of_a_year_whose_keys_are_gone_says_so():
    vault = vault_of()
    record = PaperPass(vault).tap(1)
    vault.store.remove([("nullifier", 2026), ("sealing", 2026)])
    verdict = prove(record, Prover(vault))
    assert (verdict.terminal, verdict.sequence, verdict.nullifier, verdict.reason) == (TERMINAL, 1, None, "year")


def test_a_year_has_its_own_nullifiers():
    vault = vault_of()
    holder, later = PaperPass(vault), PaperPass(vault)
    one, other = holder.tap(1, day=DAY), later.tap(1, day=DAY + 60)
    assert prove(one).valid
    assert prove(other).valid
    assert prove(one).nullifier != prove(other).nullifier
    assert PROVER.prove(one + other) == [prove(one), prove(other)]


def test_a_handle_of_the_right_form_and_the_wrong_padding_is_not_ours():
    holder = PaperPass(VAULT)
    clear = clear_record(1)
    proof = holder.commit(clear)
    for at in range(8):
        padding = bytearray(HANDLE_PADDING)
        padding[at] ^= 1
        handle = VAULT.store.encrypt(("handle", 1), UID + b"\x01" + bytes(padding))
        false = Proof(handle, proof.tmc, proof.tmv, proof.enc_tmri)
        assert prove(clear + holder.sealed(clear, false)).reason == "handle"


@pytest.mark.parametrize("at", range(8))
def test_every_byte_of_the_mac_counts(at):
    holder = PaperPass(VAULT)
    clear = clear_record(1)
    proof = holder.commit(clear)
    tmv = bytearray(proof.tmv)
    tmv[at] ^= 0x80
    assert (
        prove(clear + holder.sealed(clear, Proof(proof.handle, proof.tmc, bytes(tmv), proof.enc_tmri))).reason == "mac"
    )
