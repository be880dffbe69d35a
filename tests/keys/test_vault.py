"""The vault says yes to what a pass committed and to nothing else, and keeps nothing."""

import hashlib
from datetime import date

import httpx
import pytest

from card.batch import COMMITTED
from card.record import REVERSAL, ClearRecord, Proof, seal, unseal
from card.sealing import sealing_key
from keys.errors import KeyStoreError
from keys.hierarchy import PURPOSES, derive
from keys.http import create_app
from keys.keyfile import KeyFile, create, load
from keys.vault import RECORD_BYTES, Vault
from tests.city import CENTS, DAY, KEYFILE, TERMINAL, VAULT, DirectKeys, PaperJournal, PcTerminal, loader, make_pass

OTHER_CITY = Vault(KeyFile(2, "F0E0D2", "a5" * 32, {}))


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
    key = sealing_key(VAULT._key("sealing"), TERMINAL, entry.clear.day).key()
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
    assert all(VAULT.prove(entry.clear_bytes + entry.sealed).valid for entry in taps)


def test_equal_transactions_have_equal_nullifiers_and_others_unrelated_ones(taps):
    nullifiers = [VAULT.prove(entry.clear_bytes + entry.sealed).nullifier for entry in taps]
    assert len(set(nullifiers)) == 3
    assert nullifiers == [VAULT.prove(entry.clear_bytes + entry.sealed).nullifier for entry in taps]


def test_a_nullifier_cannot_be_made_without_the_key_of_its_year(taps):
    import card.cmac

    entry = taps[0]
    _, proof = opened(entry)
    nullifier = VAULT.prove(entry.clear_bytes + entry.sealed).nullifier
    about_the_pass = b"\x04\x11\x22\x33\x44\x55\x66\x01" + proof.tmc.to_bytes(4, "little")
    assert nullifier == card.cmac.cmac(VAULT._key("nullifier", 2026), about_the_pass)
    assert nullifier != card.cmac.cmac(VAULT._key("nullifier", 2025), about_the_pass)


@pytest.mark.parametrize("field", ["terminal", "sequence", "day", "offer", "amount1", "price", "discount", "copayment"])
def test_no_field_of_a_record_can_be_changed_by_a_carrier_or_by_the_terminal_itself(taps, field):
    clear = altered(taps[0], **{field: getattr(taps[0].clear, field) + 1})
    assert VAULT.prove(clear + taps[0].sealed).reason == "seal"
    if field in ("terminal", "day"):
        return  # the sealing key is another one then
    assert VAULT.prove(resealed(taps[0], clear)).reason == "mac"


def test_a_tap_cannot_be_handed_in_as_a_reversal(taps):
    assert VAULT.prove(resealed(taps[0], altered(taps[0], kind=REVERSAL))).reason == "mac"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tmv": bytes(8)}, "mac"),
        ({"enc_tmri": bytes(16)}, "mac"),
        ({"tmc": 99}, "mac"),
        ({"handle": bytes(16)}, "handle"),
        ({"handle": OTHER_CITY.card_keys(b"\x04\x11\x22\x33\x44\x55\x66", 1).handle}, "handle"),
        ({"handle": VAULT.card_keys(b"\x04\x99\x99\x99\x99\x99\x99", 1).handle}, "mac"),
    ],
)
def test_a_forged_proof_is_refused(taps, changes, reason):
    assert VAULT.prove(resealed(taps[0], **changes)).reason == reason


@pytest.mark.parametrize("record", [b"", bytes(RECORD_BYTES), b"\x01" * RECORD_BYTES, bytes(42)])
def test_what_is_not_a_record_is_refused(record):
    verdict = VAULT.prove(record)
    assert (verdict.valid, verdict.reason, verdict.nullifier) == (False, "record", None)


def test_the_vault_of_another_city_opens_nothing(taps):
    assert OTHER_CITY.prove(taps[0].clear_bytes + taps[0].sealed).reason == "seal"


def test_a_load_is_proven_by_the_same_function():
    from card.session import Session
    from hardware.in_process import InProcessReader
    from issuer.load import Load

    card, made = make_pass(loads={})
    reader, journal = InProcessReader(card), PaperJournal()
    reader.find_pass()
    loader(journal).load(Session(reader.transmit), DirectKeys().card_keys(made.uid, 1), [Load(1, 1, CENTS, 500)])
    clear, sealed = journal.entries[0]
    assert VAULT.prove(clear + sealed).valid


def test_the_keys_of_a_stolen_terminal_do_not_open_its_past(taps):
    entry = taps[0]
    stolen = sealing_key(VAULT._key("sealing"), TERMINAL, DAY + 1)
    from card.errors import BadMac, OutOfRange

    with pytest.raises(BadMac):
        unseal(stolen.key(), entry.clear_bytes, entry.sealed)
    with pytest.raises(OutOfRange):
        stolen.advance(DAY)


def test_every_purpose_and_version_and_city_has_its_own_key():
    root = bytes(32)
    made = {derive(root, city, purpose, version) for city in (1, 2) for purpose in PURPOSES for version in (1, 2, 2026)}
    assert len(made) == 2 * len(PURPOSES) * 3


def test_the_derivation_is_the_published_one():
    assert derive(bytes(32), 1, "lookup").hex() == "3f690fcf88708b26e9db5dda75ce63e3"


# Over HTTP


@pytest.fixture
def client():
    return httpx.Client(base_url="http://vault", transport=httpx.WSGITransport(app=create_app(KEYFILE)))


def as_party(token):
    return {"Authorization": f"Bearer {token}"}


def test_only_the_backend_may_ask_for_proofs_and_only_the_desk_for_keys(client, taps):
    body = b"".join(entry.clear_bytes + entry.sealed for entry in taps)
    question = {"uid": "04112233445566", "generation": 1}
    assert client.post("/v1/prove", content=body, headers=as_party("clearing")).status_code == 200
    assert client.post("/v1/prove", content=body, headers=as_party("desk")).status_code == 403
    assert client.post("/v1/prove", content=body, headers=as_party("nobody")).status_code == 401
    assert client.post("/v1/prove", content=body).status_code == 401
    assert client.post("/v1/card-keys", json=question, headers=as_party("desk")).status_code == 200
    assert client.post("/v1/card-keys", json=question, headers=as_party("clearing")).status_code == 403


def test_proofs_come_in_the_order_of_the_records_and_say_nothing_of_a_pass(client, taps):
    forged = resealed(taps[0], altered(taps[0], amount1=401))
    body = forged + b"".join(entry.clear_bytes + entry.sealed for entry in taps)
    proofs = client.post("/v1/prove", content=body, headers=as_party("clearing")).json()["proofs"]
    assert [(proof["sequence"], proof["valid"], proof["reason"]) for proof in proofs] == [
        (1, False, "mac"),
        (1, True, None),
        (2, True, None),
        (3, True, None),
    ]
    assert set(proofs[0]) == {"terminal", "sequence", "valid", "nullifier", "reason"}


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/v1/prove", b""),
        ("/v1/prove", bytes(101)),
        ("/v1/card-keys", b"{}"),
        ("/v1/card-keys", b"["),
        ("/v1/none", b""),
    ],
)
def test_a_bad_question_is_a_problem(client, path, content):
    token = "desk" if "card" in path else "clearing"
    answer = client.post(path, content=content, headers={**as_party(token), "Content-Type": "application/json"})
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code


def test_the_vault_keeps_nothing(tmp_path, taps):
    create(tmp_path, 1, "F0E0D1")
    client = httpx.Client(base_url="http://v", transport=httpx.WSGITransport(app=create_app(load(tmp_path))))

    def contents():
        return {path.name: hashlib.sha256(path.read_bytes()).digest() for path in tmp_path.rglob("*")}

    before = contents()
    body = b"".join(entry.clear_bytes + entry.sealed for entry in taps) * 100
    client.post("/v1/prove", content=body, headers=as_party(load(tmp_path).tokens["backend"]))
    assert contents() == before


# The key file


def test_keys_are_made_once_and_read_by_their_owner_only(tmp_path):
    made = create(tmp_path, 1, "F0E0D1")
    assert load(tmp_path) == made
    assert (tmp_path / "vault.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyStoreError, match="already holds"):
        create(tmp_path, 1, "F0E0D1")
    assert load(tmp_path) == made


@pytest.mark.parametrize("content", [None, "", "{", "{}", '{"root": "00"}'])
def test_a_missing_or_damaged_key_file_is_one_sentence(tmp_path, content):
    if content is not None:
        (tmp_path / "vault.json").write_text(content)
    with pytest.raises(KeyStoreError, match=r"keys init|damaged"):
        load(tmp_path)


def test_the_year_of_a_nullifier_is_that_of_the_record(taps):
    assert {entry.clear.day for entry in taps} == {(date(2026, 11, 21) - date(2020, 1, 1)).days}
