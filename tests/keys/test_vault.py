"""The vault says yes to what a pass committed and to nothing else; here with taps on the emulated pass."""

import json
from datetime import date

import pytest

from card.batch import COMMITTED, IN_DOUBT, link_key
from card.cmac import cmac
from card.diversify import diversify
from card.errors import BadMac, OutOfRange
from card.layout import card_key_input
from card.lease import WrappingKey, unwrap
from card.record import REVERSAL, ClearRecord, Proof, seal, unseal
from card.sealing import SealingKey
from card.session import Session
from card.signing import read_certificate
from hardware.in_process import InProcessReader
from issuer.load import Load
from keys.auditing import HAPPENED, MISSING, Auditor
from keys.days import date_of
from keys.errors import KeyMissing, KeyStoreError
from keys.proving import RECORD_BYTES, Prover
from keys.register import Terminal
from keys.vault import Vault
from tests.city import (
    CENTS,
    DAY,
    DESK,
    PROVER,
    TERMINAL,
    VAULT,
    DirectKeys,
    PaperJournal,
    PcTerminal,
    loader,
    make_pass,
    sealing_of,
    vault_of,
)

UID = b"\x04\x11\x22\x33\x44\x55\x66"
DEVICE = bytes(range(8))
OTHER_CITY = vault_of(2, "F0E0D2", b"\xa5" * 32)


def prove(record, vault=VAULT):
    (verdict,) = Prover(vault).prove(record)
    return verdict


@pytest.fixture(scope="module")
def taps(tmp_path_factory):
    """Three committed entries: two equal taps of one pass, one of another."""
    terminal = PcTerminal(tmp_path_factory.mktemp("flash"))
    card, _ = make_pass()
    stranger, _ = make_pass(uid=b"\x04\x99\x99\x99\x99\x99\x99")
    for one in (card, card, stranger):
        terminal.tap(one)
    return terminal.entries()


def opened(entry):
    key = sealing_of(TERMINAL, entry.clear.day).key()
    return key, unseal(key, entry.clear_bytes, entry.sealed)


def resealed(entry, clear=None, **changes):
    """The record as a terminal with all its keys could forge it."""
    key, proof = opened(entry)
    clear = clear or entry.clear_bytes
    changed = Proof(**{**vars(proof), **changes})
    return clear + seal(key, clear, changed)


def altered(entry, **changes):
    fields = {**vars(entry.clear), **changes}
    return ClearRecord(**fields).to_bytes()


def test_what_a_pass_committed_is_valid(taps):
    assert [entry.outcome for entry in taps] == [COMMITTED] * 3
    assert all(prove(entry.clear_bytes + entry.sealed).valid for entry in taps)


def test_equal_transactions_have_equal_nullifiers_and_others_unrelated_ones(taps):
    nullifiers = [prove(entry.clear_bytes + entry.sealed).nullifier for entry in taps]
    assert len(set(nullifiers)) == 3
    assert nullifiers == [prove(entry.clear_bytes + entry.sealed).nullifier for entry in taps]


def test_a_nullifier_cannot_be_made_without_the_key_of_its_year(taps):
    entry = taps[0]
    _, proof = opened(entry)
    nullifier = prove(entry.clear_bytes + entry.sealed).nullifier
    about_the_pass = b"\x04\x11\x22\x33\x44\x55\x66\x01" + proof.tmc.to_bytes(4, "little")
    keys = VAULT.store._keys
    assert nullifier == cmac(keys["nullifier", 2026], about_the_pass)
    assert nullifier != cmac(keys["nullifier", 2027], about_the_pass)


@pytest.mark.parametrize("field", ["terminal", "sequence", "day", "offer", "amount1", "price", "discount", "copayment"])
def test_no_field_of_a_record_can_be_changed_by_a_carrier_or_by_the_terminal_itself(taps, field):
    clear = altered(taps[0], **{field: getattr(taps[0].clear, field) + 1})
    assert prove(clear + taps[0].sealed).reason == "seal"
    if field in ("terminal", "day"):
        return  # the sealing key is another one then
    assert prove(resealed(taps[0], clear)).reason == "mac"


def test_a_tap_cannot_be_handed_in_as_a_reversal(taps):
    assert prove(resealed(taps[0], altered(taps[0], kind=REVERSAL))).reason == "mac"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tmv": bytes(8)}, "mac"),
        ({"enc_tmri": bytes(16)}, "mac"),
        ({"tmc": 99}, "mac"),
        ({"handle": bytes(16)}, "handle"),
        ({"handle": OTHER_CITY.card_keys(UID, 1).handle}, "handle"),
        ({"handle": VAULT.card_keys(b"\x04\x99\x99\x99\x99\x99\x99", 1).handle}, "mac"),
    ],
)
def test_a_forged_proof_is_refused(taps, changes, reason):
    assert prove(resealed(taps[0], **changes)).reason == reason


@pytest.mark.parametrize("record", [bytes(RECORD_BYTES), b"\x01" * RECORD_BYTES])
def test_what_is_not_a_record_is_refused(record):
    verdict = prove(record)
    assert (verdict.valid, verdict.reason, verdict.nullifier) == (False, "record", None)


def test_the_vault_of_another_city_opens_nothing(taps):
    assert prove(taps[0].clear_bytes + taps[0].sealed, OTHER_CITY).reason == "seal"


def test_a_load_is_proven_by_the_same_function():
    card, made = make_pass(loads={})
    reader, journal = InProcessReader(card), PaperJournal()
    reader.find_pass()
    loader(journal).load(Session(reader.transmit), DirectKeys().card_keys(made.uid, 1), [Load(1, 1, CENTS, 500)])
    clear, sealed = journal.entries[0]
    assert prove(clear + sealed).valid


def test_the_keys_of_a_stolen_terminal_do_not_open_its_past(taps):
    entry = taps[0]
    stolen = sealing_of(TERMINAL, DAY + 1)
    with pytest.raises(BadMac):
        unseal(stolen.key(), entry.clear_bytes, entry.sealed)
    with pytest.raises(OutOfRange):
        stolen.advance(DAY)


def test_the_year_of_a_nullifier_is_that_of_the_record(taps):
    assert {entry.clear.day for entry in taps} == {(date(2026, 11, 21) - date(2020, 1, 1)).days}


# What is handed to other parties


def test_a_lease_has_the_keys_of_today_and_nothing_of_yesterday():
    vault = vault_of()
    vault.register.terminals["7"] = Terminal(DEVICE.hex())
    wrapping = WrappingKey(vault.wrapping_key(7, DEVICE).state)
    content = json.loads(unwrap(wrapping, 7, DEVICE, vault.lease(7, 0)))
    assert (content["terminal"], content["issuer"], content["aid"], content["day"]) == (7, 1, "F0E0D1", DAY)
    ((state, day, last_day),) = content["sealing"]
    assert (day, last_day) == (DAY, DAY + 30)
    assert SealingKey([(bytes.fromhex(state), day, last_day)]).key() == sealing_of(7, DAY).key()
    assert content["link_key"] == link_key(vault.handed_out("link", 1), 7).hex()
    masters = {key.hex() for key in vault.store._keys.values()}
    assert not [master for master in masters if master in json.dumps(content)]


def test_a_lease_over_the_new_year_has_a_chain_for_each():
    vault = vault_of()
    vault.today = lambda: date(2026, 12, 20)
    first, second = vault.desk_keys()["sealing"]
    assert [date_of(day).isoformat() for day in first[1:] + second[1:]] == [
        "2026-12-20",
        "2026-12-31",
        "2027-01-01",
        "2027-01-19",
    ]
    chain = SealingKey([(bytes.fromhex(state), day, last) for state, day, last in (first, second)])
    chain.advance(second[1] + 3)
    assert chain.key() == sealing_of(DESK, second[1] + 3, vault).key()


def test_a_lease_ends_where_the_next_year_has_no_keys_yet():
    vault = vault_of()
    vault.today = lambda: date(2027, 12, 20)
    (only,) = vault.desk_keys()["sealing"]
    assert date_of(only[2]) == date(2027, 12, 31)
    vault.today = lambda: date(2028, 1, 1)
    with pytest.raises(KeyMissing, match="2028"):
        vault.desk_keys()


def test_clearing_may_sign_bundles_as_long_as_every_year_has_keys():
    vault = vault_of()
    years = vault.register.keys["sealing"]
    for year, until in (("2027", "2027-12-31"), ("2029", "2027-12-31"), ("2028", "2029-12-31")):
        years[year] = years["2026"]
        certificate = bytes.fromhex(vault.backend_keys()["certificate"])
        assert date_of(read_certificate(certificate)[0]).isoformat() == until


@pytest.mark.parametrize(
    ("terminal", "number", "why"),
    [(8, 0, "no device"), (9, 0, "revoked on 2026-11-02"), (7, -1, "counts its leases"), (7, 100_000, "counts")],
)
def test_no_lease_for_who_should_have_none(terminal, number, why):
    vault = vault_of()
    vault.register.terminals |= {"7": Terminal(DEVICE.hex()), "9": Terminal("00" * 8, "2026-11-02")}
    with pytest.raises(KeyStoreError, match=why):
        vault.lease(terminal, number)


def test_every_device_and_every_terminal_has_its_own_wrapping_key():
    states = {
        vault.wrapping_key(terminal, device).state
        for vault in (VAULT, OTHER_CITY)
        for terminal in (7, 8)
        for device in (DEVICE, DEVICE[::-1])
    }
    assert len(states) == 8


@pytest.mark.parametrize("purpose", ["picc", "application", "load", "transaction_mac"])
def test_the_keys_of_a_pass_are_those_of_an10922_made_with_one_cmac_in_the_store(purpose):
    made = []

    class Watched(type(VAULT.store)):
        def cmacs(self, name, messages, size):
            made.append((name, size))
            return super().cmacs(name, messages, size)

    vault = Vault(Watched(VAULT.store._keys), VAULT.register, VAULT.today)
    key = vault.card_keys(UID, 1).current[purpose].key
    given = card_key_input(purpose, UID, vault.aid)
    assert key == diversify(VAULT.store._keys[purpose, 1], given)
    assert 16 <= len(given) <= 31
    assert made.count(((purpose, 1), 1 + len(given))) == 1


def test_the_keys_of_a_pass_after_a_rotation_are_the_new_ones_and_the_old_ones_that_count():
    from keys.custody import rotate

    vault = vault_of()
    before = vault.card_keys(UID, 1)
    assert before.older == []
    for purpose in ("load", "tap", "handle", "lookup"):
        rotate(b"\x5a" * 32, vault.register, vault.store, purpose, date(2026, 12, 31))
    after = vault.card_keys(UID, 1)
    assert {purpose: key.version for purpose, key in after.current.items()} == {
        "picc": 1,
        "application": 1,
        "load": 2,
        "transaction_mac": 1,
        "lookup": 2,
        "tap": 2,
    }
    assert after.handle != before.handle
    older = {(key.purpose, key.version, key.handle): key.key for key in after.older}
    assert older["load", 1, None] == before.current["load"].key
    assert older["lookup", 1, None] == before.current["lookup"].key
    assert older["tap", 1, before.handle] == before.current["tap"].key
    assert set(older) == {
        ("load", 1, None),
        ("lookup", 1, None),
        ("tap", 1, after.handle),
        ("tap", 1, before.handle),
        ("tap", 2, before.handle),
    }
    vault.today = lambda: date(2027, 1, 1)
    assert vault.card_keys(UID, 1).older == []


# The audit, with a pass that is not ours


def test_a_torn_tap_that_the_pass_did_commit_is_found_when_the_next_terminal_hands_in(tmp_path):
    card, _ = make_pass()
    pool, museum = PcTerminal(tmp_path / "pool"), PcTerminal(tmp_path / "museum", terminal=102)
    pool.press("1#")
    card.tear_after(10, executed=True)
    pool.hold(card)
    museum.tap(card)
    museum.tap(card)
    (torn,) = pool.entries()
    assert torn.outcome == IN_DOUBT
    lines = [bytes([entry.outcome]) + entry.clear_bytes + entry.sealed for entry in (torn, *museum.entries())]
    ours = frozenset({DESK, TERMINAL, 102})
    (found,) = Auditor(VAULT, PROVER, ours).audit([b"".join(lines)], from_the_start=True).findings
    assert (found.kind, found.terminal, found.sequence) == (HAPPENED, TERMINAL, 1)
    assert found.nullifier not in {prove(line[1:]).nullifier for line in lines[1:]}
    # And when the museum keeps its first tap to itself, that is found too.
    (found,) = Auditor(VAULT, PROVER, ours).audit([lines[0] + lines[2]], from_the_start=True).findings
    assert (found.kind, found.terminal, found.sequence) == (MISSING, 102, 1)
