"""The balance of a lost pass: two officers, a table that nobody on the way can read, and one answer."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from card.record import LOAD, REVERSAL, TAP
from keys.balance import SIGNED, TABLE_MAGIC, Balances, Signature
from keys.days import date_of
from keys.errors import NotAllowed, NotUnderstood
from keys.proving import Prover
from tests.city import CENTS, CLOTHES, DAY, ISSUER, vault_of
from tests.records import PaperPass

UID = b"\x04\x11\x22\x33\x44\x55\x66"
STRANGER = b"\x04\x99\x99\x99\x99\x99\x99"
OFFICERS = {name: Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32)) for name in ("Aïcha", "Bram", "Cor")}


@pytest.fixture
def vault():
    made = vault_of()
    for name in ("Aïcha", "Bram"):
        public = OFFICERS[name].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        made.register.officers[name] = public.hex()
    return made


def request(**changes):
    asked = {"asked_on": date_of(DAY).isoformat(), "generation": 1, "municipality": ISSUER, "reason": "verloren"}
    return json.dumps({**asked, "uid": UID.hex(), **changes}, sort_keys=True).encode()


def signed(content, *names):
    return [Signature(name, OFFICERS[name].sign(SIGNED + content)) for name in names]


def row(nullifier, kind, purse, amount, year=2026):
    return nullifier + year.to_bytes(2, "little") + bytes([kind, purse]) + amount.to_bytes(4, "little")


def table(vault, rows, day=DAY, municipality=ISSUER, key=None, magic=TABLE_MAGIC):
    header = magic + municipality.to_bytes(2, "little") + day.to_bytes(2, "little")
    return header + AESSIV(key or vault.table_key()).encrypt(b"".join(rows) or b"", [header])


def nullifier(vault, uid, tmc, generation=1, year=2026):
    about = uid + bytes([generation]) + tmc.to_bytes(4, "little")
    return vault.store.cmacs(("nullifier", year), about, len(about))


def rows_of(vault, uid, generation=1):
    return [
        row(nullifier(vault, uid, 1, generation), LOAD, CENTS, 2000),
        row(nullifier(vault, uid, 2, generation), LOAD, CLOTHES, 5000),
        row(nullifier(vault, uid, 3, generation), TAP, CENTS, 400),
        row(nullifier(vault, uid, 3, generation), TAP, CLOTHES, 1),
        row(nullifier(vault, uid, 5, generation), TAP, CENTS, 150),
        row(nullifier(vault, uid, 6, generation), REVERSAL, CENTS, 150),
    ]


def ask(vault, content=None, names=("Aïcha", "Bram"), sealed=None):
    content = content or request()
    rows = rows_of(vault, STRANGER) + rows_of(vault, UID) + rows_of(vault, UID, generation=2)
    return Balances(vault).of(content, signed(content, *names), table(vault, rows) if sealed is None else sealed)


def test_loads_and_reversals_count_up_taps_count_down_and_only_of_this_pass_and_generation(vault):
    answer = ask(vault)
    assert (answer.balances, answer.as_of) == ({CENTS: 1600, CLOTHES: 4999}, date_of(DAY))


def test_the_nullifiers_are_those_of_the_proofs(vault):
    holder = PaperPass(vault)
    prover = Prover(vault)
    rows = [row(prover.prove(holder.tap(number))[0].nullifier, TAP, CENTS, 400) for number in (1, 2, 3)]
    assert ask(vault, sealed=table(vault, rows)).balances == {CENTS: -1200}


def test_a_pass_without_a_row_has_nothing(vault):
    assert ask(vault, sealed=table(vault, rows_of(vault, STRANGER))).balances == {}
    assert ask(vault, sealed=table(vault, [])).balances == {}


def test_both_halves_of_a_nullifier_count(vault):
    mine = nullifier(vault, UID, 1)
    for other in (mine[:8] + bytes(8), bytes(8) + mine[8:]):
        assert ask(vault, sealed=table(vault, [row(other, LOAD, CENTS, 1)])).balances == {}


def test_the_largest_nullifier_of_a_pass_counts_and_one_that_is_larger_is_of_another(vault):
    about = [UID + b"\x01" + number.to_bytes(4, "little") for number in range(1, 16385)]
    made = vault.store.cmacs(("nullifier", 2026), b"".join(about), len(about[0]))
    largest = max(made[at : at + 16] for at in range(0, len(made), 16))
    rows = [row(largest, LOAD, CENTS, 5), row(b"\xff" * 16, LOAD, CENTS, 70)]
    assert ask(vault, sealed=table(vault, rows)).balances == {CENTS: 5}


@pytest.mark.parametrize("tmc", [1023, 16384, 16385, 32769])
def test_a_pass_with_very_many_transactions_is_followed_to_the_end(vault, tmc):
    counters = {1, *range(16000, tmc, 8000), tmc}
    rows = [row(nullifier(vault, UID, number), LOAD, CENTS, 1) for number in counters]
    assert ask(vault, sealed=table(vault, rows)).balances == {CENTS: len(counters)}


def test_transactions_of_two_years_add_up(vault):
    rows = [
        row(nullifier(vault, UID, 1), LOAD, CENTS, 2000),
        row(nullifier(vault, UID, 2, year=2027), TAP, CENTS, 500, year=2027),
    ]
    assert ask(vault, sealed=table(vault, rows)).balances == {CENTS: 1500}
    # A nullifier counts in its own year only.
    assert ask(vault, sealed=table(vault, [rows[1][:16] + rows[0][16:]])).balances == {}


def test_a_table_with_a_destroyed_year_is_refused_not_half_added(vault):
    sealed = table(vault, rows_of(vault, UID))
    vault.store.remove([("nullifier", 2026)])
    content = request()
    with pytest.raises(NotAllowed, match="2026"):
        Balances(vault).of(content, signed(content, "Aïcha", "Bram"), sealed)


@pytest.mark.parametrize(
    ("names", "why"),
    [((), "2 different"), (("Bram",), "2 different"), (("Bram", "Bram"), "2 different"), (("Aïcha", "Cor"), "Cor")],
)
def test_it_takes_two_different_officers(vault, names, why):
    with pytest.raises(NotAllowed, match=why):
        ask(vault, names=names)


def test_one_officer_under_two_names_is_one(vault):
    vault.register.officers["Cor"] = vault.register.officers["Bram"]
    content = request()
    both = [*signed(content, "Bram"), Signature("Cor", signed(content, "Bram")[0].signature)]
    with pytest.raises(NotAllowed, match="2 different"):
        Balances(vault).of(content, both, table(vault, []))


def test_a_signature_is_for_one_request_byte_by_byte(vault):
    content, other = request(), request(uid=STRANGER.hex())
    for false in (other, content + b" "):
        with pytest.raises(NotAllowed, match="does not belong"):
            Balances(vault).of(false, signed(content, "Aïcha", "Bram"), table(vault, []))
    mixed = [*signed(content, "Aïcha"), *signed(other, "Bram")]
    with pytest.raises(NotAllowed, match="does not belong"):
        Balances(vault).of(content, mixed, table(vault, []))


def test_a_signature_over_something_else_than_a_balance_does_not_count(vault):
    content = request()
    bare = [Signature(name, OFFICERS[name].sign(content)) for name in ("Aïcha", "Bram")]
    with pytest.raises(NotAllowed, match="does not belong"):
        Balances(vault).of(content, bare, table(vault, []))


@pytest.mark.parametrize(("days", "good"), [(-1, False), (0, True), (7, True), (8, False)])
def test_a_request_is_good_for_a_week(vault, days, good):
    content = request(asked_on=(date_of(DAY) - timedelta(days=days)).isoformat())
    if good:
        assert ask(vault, content).balances
    else:
        with pytest.raises(NotAllowed, match="days"):
            ask(vault, content)


@pytest.mark.parametrize(
    "changes",
    [
        {"uid": "04"},
        {"uid": None},
        {"uid": "zz" * 7},
        {"generation": 256},
        {"generation": -1},
        {"generation": "1"},
        {"reason": " "},
        {"asked_on": "morgen"},
    ],
)
def test_a_request_that_is_none_is_not_understood(vault, changes):
    with pytest.raises(NotUnderstood):
        ask(vault, request(**changes))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff"])
def test_what_is_no_request_at_all_is_not_understood(vault, content):
    with pytest.raises(NotUnderstood):
        Balances(vault).of(content, signed(content, "Aïcha", "Bram"), table(vault, []))


def test_another_municipality_is_refused(vault):
    with pytest.raises(NotAllowed, match="municipality"):
        ask(vault, request(municipality=2))
    with pytest.raises(NotAllowed, match="municipality"):
        ask(vault, sealed=table(vault, [], municipality=2))


def test_a_table_that_was_touched_or_made_by_another_is_refused(vault):
    true = table(vault, rows_of(vault, UID))
    later = true[:6] + (DAY + 1).to_bytes(2, "little") + true[8:]
    flipped = [true[:at] + bytes([true[at] ^ 1]) + true[at + 1 :] for at in (0, 8, 30, len(true) - 1)]
    short = [true[:-1], true[:-24], true[:8], true[:4], b""]
    newer = table(vault, rows_of(vault, UID), magic=b"MT\x02\x00")
    for false in (later, newer, table(vault, [], key=bytes(32)), *flipped, *short):
        with pytest.raises(NotUnderstood):
            ask(vault, sealed=false)
    with pytest.raises(NotUnderstood):
        ask(vault, sealed=table(vault, [bytes(23)]))


def test_what_a_pass_did_before_its_keys_were_renewed_counts_too(vault):
    """Its money stayed on it when it became the next generation of itself."""
    rows = [
        row(nullifier(vault, UID, 1, generation=1), LOAD, CENTS, 2000),
        row(nullifier(vault, UID, 1, generation=2), TAP, CENTS, 300),
        row(nullifier(vault, UID, 1, generation=3), TAP, CENTS, 5),
    ]
    sealed = table(vault, rows)
    assert ask(vault, request(generation=2), sealed=sealed).balances == {CENTS: 1700}
    assert ask(vault, request(generation=1), sealed=sealed).balances == {CENTS: 2000}
