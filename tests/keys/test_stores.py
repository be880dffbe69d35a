"""Three places for the vault's keys that do the same: memory, an encrypted file, a token that gives no key out."""

import fcntl
import json
import os
import shutil
import struct
import sys
import unicodedata
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass, _pkcs11
from pkcs11.attributes import AttributeMapper

from keys.errors import KeyMissing, KeyStoreError
from keys.hierarchy import PURPOSES
from keys.sealed_file import FILE_NAME, Cost, SealedFile
from keys.store import MemoryStore
from keys.token import Token
from tests import softhsm

RFC_4493 = json.loads((Path(__file__).parents[1] / "vectors/rfc_4493_5297.json").read_text())["vectors"]
RFC_4493_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
# FIPS 197, appendix C.1.
FIPS_197_KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
FIPS_197_PLAIN = bytes.fromhex("00112233445566778899aabbccddeeff")
FIPS_197_SEALED = bytes.fromhex("69c4e0d86a7b0430d8cdb78070b4c55a")
# RFC 8032, section 7.1, test 2.
RFC_8032_SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
RFC_8032_PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
RFC_8032_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)

MAC, HANDLE, BUNDLE = ("load", 1), ("handle", 1), ("bundle", 1)
KEYS = {MAC: RFC_4493_KEY, HANDLE: FIPS_197_KEY, BUNDLE: RFC_8032_SEED}
YEAR = {("nullifier", 2027): b"n" * 16, ("sealing", 2027): b"s" * 16}
EVERY_PURPOSE = {(purpose.name, 7): bytes(range(purpose.size)) for purpose in PURPOSES.values() if purpose.stored}

CHEAP = Cost(memory_kib=8, passes=1, lanes=1)
PASSPHRASES = ("koffie met appeltaart", "één fiets te veel")
CITY, OTHER_CITY = 200, 20
PIN = "4711"


@contextmanager
def refused(words, error=KeyStoreError):
    """One sentence that says it; no secret in it, and no trace of what happened inside."""
    with pytest.raises(error, match=words) as caught:
        yield
    said = str(caught.value)
    assert said.endswith(".")
    assert "\n" not in said
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    secrets = [*PASSPHRASES, PIN, *(key.hex() for key in (KEYS | YEAR).values()), *map(repr, (KEYS | YEAR).values())]
    assert not [secret for secret in secrets if secret in said]


@pytest.fixture
def path(tmp_path):
    return tmp_path / FILE_NAME


@pytest.fixture
def sealed(path):
    store = SealedFile.create(path, PASSPHRASES, CHEAP)
    store.put(KEYS)
    return store


@pytest.fixture
def soft(tmp_path, monkeypatch):
    return softhsm.soft_token(tmp_path, monkeypatch, pin=PIN)


@pytest.fixture
def open_token(soft):
    """Opens stores on one token; they are closed when the test is done."""
    stores = []

    def open_one(municipality=CITY, module=soft.module, label=soft.label, pin=soft.pin):
        stores.append(Token(module, label, pin, municipality))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def token_store(open_token):
    store = open_token()
    store.put(KEYS)
    return store


@pytest.fixture(params=["memory", "sealed", "token_store"])
def store(request):
    if request.param == "memory":
        return MemoryStore(KEYS)
    return request.getfixturevalue(request.param)


# What every store does


def test_cmacs_are_those_of_rfc_4493(store):
    vectors = [(v["inputs"], v["expected"]["mac"]) for v in RFC_4493 if v["kind"] == "cmac" and v["inputs"]["message"]]
    assert len(vectors) == 3
    for inputs, mac in vectors:
        assert bytes.fromhex(inputs["key"]) == RFC_4493_KEY
        message = bytes.fromhex(inputs["message"])
        assert store.cmacs(MAC, message, len(message)) == bytes.fromhex(mac)


def test_many_messages_of_any_size_get_the_cmac_of_each(store):
    for size in range(1, 65):
        messages = [bytes([size, number] * 32)[:size] for number in range(3)]
        expected = []
        for message in messages:
            cmac = CMAC(AES(RFC_4493_KEY))
            cmac.update(message)
            expected.append(cmac.finalize())
        assert store.cmacs(MAC, b"".join(messages), size) == b"".join(expected), size


def test_no_messages_have_no_cmacs(store):
    assert store.cmacs(MAC, b"", 16) == b""


def test_messages_that_are_not_of_one_size_are_refused(store):
    with pytest.raises(ValueError, match=r"."):
        store.cmacs(MAC, bytes(33), 16)


def test_blocks_are_sealed_and_opened_as_in_fips_197_each_on_its_own(store):
    assert store.encrypt(HANDLE, FIPS_197_PLAIN * 1000) == FIPS_197_SEALED * 1000
    assert store.decrypt(HANDLE, FIPS_197_SEALED * 1000) == FIPS_197_PLAIN * 1000
    assert store.encrypt(HANDLE, b"") == store.decrypt(HANDLE, b"") == b""


def test_a_signature_is_that_of_rfc_8032(store):
    assert store.public_key(BUNDLE) == RFC_8032_PUBLIC
    assert store.sign(BUNDLE, b"\x72") == RFC_8032_SIGNATURE
    Ed25519PublicKey.from_public_bytes(store.public_key(BUNDLE)).verify(store.sign(BUNDLE, b"offers"), b"offers")


def test_a_store_says_what_it_holds(store):
    assert store.names() == set(KEYS)


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.cmacs(("load", 2), bytes(16), 16),
        lambda store: store.encrypt(("handle", 2), bytes(16)),
        lambda store: store.decrypt(("handle", 2), bytes(16)),
        lambda store: store.sign(("bundle", 2), b"offers"),
        lambda store: store.public_key(("bundle", 2)),
    ],
)
def test_a_key_that_is_not_there_is_missing(store, use):
    with refused(r"The store has no \w+ key 2\.", KeyMissing):
        use(store)


def test_keys_are_put_in_together(store):
    store.put(YEAR)
    assert store.names() == KEYS.keys() | YEAR.keys()
    assert store.cmacs(("nullifier", 2027), bytes(16), 16) == MemoryStore(YEAR).cmacs(
        ("nullifier", 2027), bytes(16), 16
    )


def test_a_key_that_is_there_is_not_replaced_and_nothing_else_is_put_in_with_it(store):
    before = store.cmacs(MAC, bytes(16), 16)
    with refused(r"The store holds load 1 already\."):
        store.put({**YEAR, MAC: bytes(16)})
    assert store.names() == set(KEYS)
    assert store.cmacs(MAC, bytes(16), 16) == before


def test_what_is_removed_is_gone_and_the_rest_stays(store):
    store.put(YEAR)
    store.remove([("nullifier", 2027), BUNDLE, ("tap", 9)])
    assert store.names() == {MAC, HANDLE, ("sealing", 2027)}
    with refused("no nullifier key 2027", KeyMissing):
        store.cmacs(("nullifier", 2027), bytes(16), 16)
    with refused("no bundle key 1", KeyMissing):
        store.public_key(BUNDLE)
    store.put({BUNDLE: bytes(32)})
    assert store.public_key(BUNDLE) != RFC_8032_PUBLIC


def test_no_key_shows_when_a_store_is_shown(store):
    shown = f"{store!r} {store}"
    assert not [key for key in KEYS.values() if key.hex() in shown or repr(key) in shown]


def test_a_file_that_is_opened_again_holds_the_same(sealed, path):
    sealed.put(YEAR)
    sealed.remove([HANDLE])
    holds_the_same(SealedFile.open(path, PASSPHRASES))


def test_a_token_that_is_opened_again_holds_the_same(token_store, open_token):
    token_store.put(YEAR)
    token_store.remove([HANDLE])
    token_store.close()
    holds_the_same(open_token())


def holds_the_same(store):
    assert store.names() == {MAC, BUNDLE, *YEAR}
    for name, key in {MAC: RFC_4493_KEY, **YEAR}.items():
        assert store.cmacs(name, bytes(32), 32) == MemoryStore({name: key}).cmacs(name, bytes(32), 32)
    assert store.public_key(BUNDLE) == RFC_8032_PUBLIC
    assert store.sign(BUNDLE, b"\x72") == RFC_8032_SIGNATURE


# The encrypted file

HEADER = struct.Struct(">16sBIHB16s12s")


def with_checksum(content):
    return content + sha256(content).digest()


def test_a_file_is_what_its_description_says(path):
    SealedFile.create(path, PASSPHRASES).put(KEYS)
    content = path.read_bytes()
    magic, people, memory, passes, lanes, salt, nonce = HEADER.unpack_from(content)
    # The costs are RFC 9106's second recommended option.
    assert (magic, people, memory, passes, lanes) == (b"meedoen sealed 1", 2, 65536, 3, 4)
    assert content == with_checksum(content[:-32])
    words = b"".join(len(said.encode()).to_bytes(4, "big") + said.encode() for said in PASSPHRASES)
    key = Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=65536).derive(words)
    plain = AESGCMSIV(key).decrypt(nonce, content[HEADER.size : -32], content[: HEADER.size])
    assert json.loads(plain) == [[purpose, version, key.hex()] for (purpose, version), key in KEYS.items()]


def test_only_its_owner_can_read_a_file_even_where_an_earlier_attempt_left_one_for_all(path):
    before = os.umask(0)
    try:
        path.with_name("keys.sealed.new").write_text("half of a store")
        SealedFile.create(path, PASSPHRASES, CHEAP).put(KEYS)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["keys.sealed"]


def test_a_store_is_not_made_over_another(sealed, path):
    before = path.read_bytes()
    with refused("already holds keys; choose another folder"):
        SealedFile.create(path, ["mine"], CHEAP)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("passphrases", "words"),
    [
        (("koffie met appeltaart", "een fiets te veel"), "check each passphrase, and their order"),
        (PASSPHRASES[::-1], "check each passphrase, and their order"),
        (("koffie met appeltaart", ""), "check each passphrase"),
        (("koffie met appeltaarté", "én fiets te veel"), "check each passphrase"),
        (PASSPHRASES[:1], "needs the passphrases of 2 people, in the order in which they were set"),
        ((*PASSPHRASES, "mine"), "needs the passphrases of 2 people"),
        ((), "needs the passphrases of 2 people"),
        (("koffie met appeltaart", "\udcc3"), "check each passphrase"),
    ],
)
def test_a_file_opens_with_the_passphrases_of_all_custodians_in_their_order_only(sealed, path, passphrases, words):
    before = path.read_bytes()
    with refused(words):
        SealedFile.open(path, passphrases)
    assert path.read_bytes() == before


def test_an_accent_typed_on_another_keyboard_is_the_same_accent(sealed, path):
    typed = [unicodedata.normalize("NFD", said) for said in PASSPHRASES]
    assert typed[1] != PASSPHRASES[1]
    assert SealedFile.open(path, typed).names() == set(KEYS)


def test_one_custodian_is_enough_for_a_store_of_one(path):
    SealedFile.create(path, ["alleen"], CHEAP)
    assert SealedFile.open(path, ["alleen"]).names() == set()
    with refused("needs the passphrase of one person"):
        SealedFile.open(path, ["alleen", "samen"])


@pytest.mark.parametrize("passphrases", [(), ("",), ("koffie", ""), ("x",) * 256])
def test_a_store_without_a_passphrase_for_each_is_not_made(sealed, path, tmp_path, passphrases):
    before = path.read_bytes()
    with refused("at least one passphrase, and none may be empty"):
        SealedFile.create(tmp_path / "new", passphrases, CHEAP)
    with refused("at least one passphrase, and none may be empty"):
        sealed.change_passphrases(passphrases, CHEAP)
    assert path.read_bytes() == before
    assert not (tmp_path / "new").exists()


def test_changed_passphrases_are_the_only_ones(sealed, path):
    sealed.change_passphrases(["nieuw"], CHEAP)
    sealed.put(YEAR)
    assert SealedFile.open(path, ["nieuw"]).names() == KEYS.keys() | YEAR.keys()
    with refused("needs the passphrase of one person"):
        SealedFile.open(path, PASSPHRASES)


def test_changed_passphrases_bring_the_cost_of_today(sealed, path):
    sealed.change_passphrases(PASSPHRASES)
    assert HEADER.unpack_from(path.read_bytes())[2:5] == (65536, 3, 4)


def test_no_nonce_comes_back_and_new_passphrases_have_a_new_salt(sealed, path):
    salts, nonces = [], []
    for change in (
        lambda: sealed.put(YEAR),
        lambda: sealed.remove(YEAR),
        lambda: sealed.change_passphrases(PASSPHRASES, CHEAP),
    ):
        change()
        *_, salt, nonce = HEADER.unpack_from(path.read_bytes())
        salts.append(salt)
        nonces.append(nonce)
    assert len(set(nonces)) == 3
    assert salts[0] == salts[1] != salts[2]


def test_a_flipped_bit_anywhere_is_damage(sealed, path):
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with refused("damaged; put the back-up in its place" if at >= 16 else "is not a key store of meedoen"):
            SealedFile.open(path, PASSPHRASES)


def test_a_changed_byte_under_a_right_checksum_opens_nothing(sealed, path):
    content = path.read_bytes()[:-32]
    for at in range(16, len(content)):
        path.write_bytes(with_checksum(content[:at] + bytes([content[at] ^ 0x40]) + content[at + 1 :]))
        with refused(r"check each passphrase|passphrases of \d+ people|work that no store asks for"):
            SealedFile.open(path, PASSPHRASES)


@pytest.mark.parametrize("length", [0, 1, 16, 51, 52, 84, -1])
def test_a_part_of_a_file_is_refused(sealed, path, length):
    part = path.read_bytes()[:length]
    path.write_bytes(part)
    with refused("damaged|not a key store"):
        SealedFile.open(path, PASSPHRASES)
    path.write_bytes(with_checksum(part))
    with refused("damaged|not a key store|check each passphrase"):
        SealedFile.open(path, PASSPHRASES)


def test_a_file_of_something_else_is_left_alone(path):
    path.write_text("Dear colleague, please find the keys below the plant.")
    with refused("is not a key store of meedoen"):
        SealedFile.open(path, PASSPHRASES)
    with refused("already holds keys"):
        SealedFile.create(path, PASSPHRASES, CHEAP)
    assert path.read_text().startswith("Dear colleague")


def test_a_store_that_is_not_there_or_cannot_be_read_is_one_sentence(path):
    with refused("There is no key store at .*; check the folder, or put the back-up there"):
        SealedFile.open(path, PASSPHRASES)
    path.mkdir()
    with refused(r"cannot be read \(Is a directory\)"):
        SealedFile.open(path, PASSPHRASES)


@pytest.mark.parametrize(
    ("memory", "passes", "lanes"),
    [
        (2**32 - 1, 1, 1),
        (1024 * 1024 + 1, 1, 1),
        (8, 17, 1),
        (8, 65535, 1),
        (136, 1, 17),
        (8, 1, 0),
        (8, 0, 1),
        (7, 1, 1),
        (0, 1, 1),
        (31, 1, 4),
    ],
)
def test_a_file_cannot_ask_for_more_work_than_a_server_has_or_less_than_argon2_can(sealed, path, memory, passes, lanes):
    magic, people, _, _, _, salt, nonce = HEADER.unpack_from(path.read_bytes())
    header = HEADER.pack(magic, people, memory, passes, lanes, salt, nonce)
    path.write_bytes(with_checksum(header + path.read_bytes()[HEADER.size : -32]))
    with refused("work that no store asks for"):
        SealedFile.open(path, PASSPHRASES)
    with refused("cannot be sealed at this cost"):
        SealedFile.create(path.with_name("new"), PASSPHRASES, Cost(memory, passes, lanes))


class PowerCut(BaseException):
    """Everything stops."""


def cut(*_):
    raise PowerCut


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.put(YEAR),
        lambda store: store.remove(KEYS),
        lambda store: store.change_passphrases(["nieuw"], CHEAP),
    ],
)
def test_a_power_cut_before_the_new_file_is_in_place_leaves_the_old_store(sealed, path, monkeypatch, step, change):
    before = path.read_bytes()
    with monkeypatch.context() as cable:
        cable.setattr(os, step, cut)
        with pytest.raises(PowerCut):
            change(sealed)
    assert path.read_bytes() == before
    again = SealedFile.open(path, PASSPHRASES)
    assert again.names() == set(KEYS)
    again.put(YEAR)
    assert SealedFile.open(path, PASSPHRASES).names() == KEYS.keys() | YEAR.keys()


def test_a_new_file_is_on_the_disk_before_it_takes_the_place_of_the_old_and_the_folder_after(sealed, path, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor):
        steps.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        fsync(descriptor)

    def noted_replace(old, new):
        steps.append("in place")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    sealed.put(YEAR)
    assert steps == ["keys.sealed.new", "in place", path.parent.name]


def test_one_process_at_a_time_replaces_the_file(sealed, path, monkeypatch):
    replace = os.replace
    other = os.open(path.parent, os.O_RDONLY)

    def watched_replace(old, new):
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        replace(old, new)

    monkeypatch.setattr(os, "replace", watched_replace)
    sealed.put(YEAR)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


def test_a_full_disk_changes_nothing(sealed, path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", full)
    with refused(r"cannot be written \(No space left on device\); it holds what it held"):
        sealed.put(YEAR)
    assert sealed.names() == set(KEYS)
    assert path.read_bytes() == before


def test_what_another_process_put_in_meanwhile_is_not_lost(sealed, path):
    other = SealedFile.open(path, PASSPHRASES)
    other.put(YEAR)
    with refused("was changed by another process; open it again"):
        sealed.put({("tap", 1): bytes(16)})
    assert sealed.names() == set(KEYS)
    assert SealedFile.open(path, PASSPHRASES).names() == KEYS.keys() | YEAR.keys()


def test_neither_a_key_nor_a_passphrase_is_in_the_file_as_it_is(sealed, path):
    content = path.read_bytes()
    secrets = [*KEYS.values(), *(said.encode() for said in PASSPHRASES)]
    assert not [secret for secret in secrets if secret in content or secret.hex().encode() in content]
    assert sealed._seal.key.hex() not in repr(sealed._seal)
    assert repr(sealed._seal.key) not in repr(sealed._seal)


# The token


@pytest.fixture
def full_token(open_token):
    store = open_token()
    store.put(EVERY_PURPOSE)
    return store


def session(soft, **settings):
    """One of our own, past the store; the process is signed on already."""
    library = pkcs11.lib(os.path.realpath(soft.module))
    return library.get_token(token_label=soft.label).open(rw=True, **settings)


def objects(soft):
    """What is in the token, by class and label."""
    return {(found[Attribute.CLASS], found[Attribute.LABEL]): found for found in session(soft).get_objects()}


def secret_objects(soft):
    found = {label: one for (kind, label), one in objects(soft).items() if kind != ObjectClass.PUBLIC_KEY}
    assert found.keys() == {f"meedoen/{CITY}/{purpose}/{version}" for purpose, version in EVERY_PURPOSE}
    return found


def asked_anyway(key, *mixins):
    """The key with operations that the library would hide because the token says that it has them not."""
    return type("Asked", (*mixins, _pkcs11.SecretKey, _pkcs11.Object), {})(key.wrapper)


def test_the_token_says_that_every_key_is_private_and_stays_inside(full_token):
    for purpose, version in EVERY_PURPOSE:
        told = full_token.attributes((purpose, version))
        assert told["token"], purpose
        assert told["private"], purpose
        assert told["sensitive"], purpose
        assert not told["extractable"], purpose
        assert not told["modifiable"], purpose
        assert not told["copyable"], purpose


def test_the_token_says_that_a_key_does_one_thing_only(full_token):
    does = {"mac": {"sign"}, "sign": {"sign"}, "block": {"encrypt", "decrypt"}}
    can = {"sign", "sign_recover", "verify", "encrypt", "decrypt", "wrap", "unwrap", "derive"}
    for purpose, version in EVERY_PURPOSE:
        told = full_token.attributes((purpose, version))
        assert {use for use in can if told.get(use)} == does[PURPOSES[purpose].kind], purpose
        # What a private key and a secret key do not have at all.
        untold = {"encrypt", "verify", "wrap"} if PURPOSES[purpose].kind == "sign" else {"sign_recover"}
        assert can - told.keys() == untold, purpose


def test_what_is_not_there_has_no_attributes(full_token):
    with refused("no tap key 9", KeyMissing):
        full_token.attributes(("tap", 9))


def test_the_token_does_not_give_the_value_of_any_key(full_token, soft):
    for key in secret_objects(soft).values():
        with pytest.raises(pkcs11.exceptions.AttributeSensitive):
            key[Attribute.VALUE]


def test_the_token_does_not_wrap_any_key_for_the_outside(full_token, soft):
    mine, ours = session(soft), secret_objects(soft).values()
    wrapping = mine.generate_key(KeyType.AES, 128, capabilities=MechanismFlag.WRAP)
    loose = mine.generate_key(KeyType.AES, 128, template={Attribute.EXTRACTABLE: True})
    for mechanism in (Mechanism.AES_KEY_WRAP, Mechanism.AES_KEY_WRAP_PAD):
        assert wrapping.wrap_key(loose, mechanism=mechanism)
        for key in ours:
            with pytest.raises(pkcs11.exceptions.KeyUnextractable):
                wrapping.wrap_key(key, mechanism=mechanism)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (Attribute.EXTRACTABLE, True),
        (Attribute.SENSITIVE, False),
        (Attribute.DECRYPT, True),
        (Attribute.LABEL, f"meedoen/{OTHER_CITY}/load/1"),
    ],
)
def test_no_key_is_loosened_or_given_another_name_afterwards(full_token, soft, attribute, value):
    for key in secret_objects(soft).values():
        # CKR_ACTION_PROHIBITED, which the library has no name for.
        with pytest.raises(pkcs11.PKCS11Error, match="0x1b"):
            key[attribute] = value
        with pytest.raises(pkcs11.PKCS11Error, match="0x1b"):
            key.copy({attribute: value})


def test_the_token_keeps_a_key_to_its_kind(full_token, soft):
    aes_ecb, cmac = {"mechanism": Mechanism.AES_ECB}, {"mechanism": Mechanism.AES_CMAC}
    for label, key in secret_objects(soft).items():
        kind = PURPOSES[label.split("/")[2]].kind
        forced = asked_anyway(key, _pkcs11.EncryptMixin, _pkcs11.DecryptMixin, _pkcs11.SignMixin, _pkcs11.VerifyMixin)
        for use in {
            "mac": (
                lambda key=forced: key.encrypt(bytes(16), **aes_ecb),
                lambda key=forced: key.decrypt(bytes(16), **aes_ecb),
                lambda key=forced: key.verify(bytes(16), bytes(16), **cmac),
            ),
            "block": (lambda key=forced: key.sign(bytes(16), **cmac),),
        }.get(kind, ()):
            # CKR_KEY_FUNCTION_NOT_PERMITTED, which the library has no name for.
            with pytest.raises(pkcs11.PKCS11Error, match="0x68"):
                use()


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.encrypt(MAC, bytes(16)),
        lambda store: store.decrypt(MAC, bytes(16)),
        lambda store: store.sign(MAC, b"offers"),
        lambda store: store.public_key(MAC),
        lambda store: store.cmacs(HANDLE, bytes(16), 16),
        lambda store: store.sign(HANDLE, b"offers"),
        lambda store: store.cmacs(BUNDLE, bytes(16), 16),
        lambda store: store.encrypt(BUNDLE, bytes(16)),
    ],
)
def test_a_store_in_a_token_says_what_its_keys_are_for(token_store, use):
    with refused("keys for nothing but: "):
        use(token_store)


def test_two_municipalities_on_one_token_do_not_see_each_others_keys(token_store, open_token):
    other = open_token(OTHER_CITY)
    assert other.names() == set()
    with refused("no load key 1", KeyMissing):
        other.cmacs(MAC, bytes(16), 16)
    other.put({MAC: bytes(16)})
    assert other.cmacs(MAC, bytes(16), 16) != token_store.cmacs(MAC, bytes(16), 16)
    other.remove([MAC, BUNDLE])
    assert token_store.names() == open_token().names() == set(KEYS)
    assert token_store.public_key(BUNDLE) == RFC_8032_PUBLIC


def test_one_store_that_closes_does_not_sign_off_another(token_store, open_token):
    other = open_token(OTHER_CITY)
    token_store.close()
    other.put(YEAR)
    assert other.names() == set(YEAR)
    with refused("is not open in this process"):
        token_store.names()
    token_store.close()
    assert other.cmacs(("nullifier", 2027), bytes(16), 16)


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.names(),
        lambda store: store.cmacs(MAC, bytes(16), 16),
        lambda store: store.sign(BUNDLE, b"offers"),
        lambda store: store.put(YEAR),
        lambda store: store.remove([MAC]),
        lambda store: store.attributes(MAC),
    ],
)
def test_a_token_is_used_in_the_process_that_opened_it(token_store, use):
    assert in_a_child(lambda: use(token_store)) == "The token vault is not open in this process; open it here."
    assert token_store.names() == set(KEYS)


def test_a_child_opens_its_own_after_its_parent_closed(token_store, open_token):
    token_store.close()

    def serve():
        store = open_token()
        assert store.cmacs(MAC, bytes(16), 16)
        store.close()

    assert in_a_child(serve) == ""
    assert open_token().names() == set(KEYS)


def test_a_child_does_not_sign_off_its_parent(token_store):
    class ParentsModule:
        so = token_store._module.so

        def finalize(self):
            raise AssertionError("signed off")

    def leave():
        token_store._module = ParentsModule()
        token_store.close()

    assert in_a_child(leave) == ""
    assert token_store.cmacs(MAC, bytes(16), 16)


def in_a_child(act):
    """What a forked process has to complain of."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            act()
        except BaseException as error:
            os.write(write, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as said:
        return said.read()


def test_keys_that_another_process_put_in_are_not_put_in_twice(open_token):
    one, other = open_token(), open_token()
    other.put(KEYS)
    with refused("holds load 1 already"):
        one.put({MAC: bytes(16)})
    assert one.names() == set(KEYS)
    assert one.public_key(BUNDLE) == RFC_8032_PUBLIC


def test_a_put_that_fails_half_way_leaves_nothing(token_store, soft):
    before = objects(soft).keys()
    # The token refuses a seed that is none; and so does the library that makes the public key.
    with pytest.raises(ValueError, match="32 bytes"):
        token_store.put({**YEAR, ("firmware", 1): b"short"})
    assert token_store.names() == set(KEYS)
    assert objects(soft).keys() == before


class FullToken:
    """A session on a token with little room left."""

    def __init__(self, session, room):
        self._session, self._room = session, room

    def create_object(self, template):
        if not self._room:
            raise pkcs11.exceptions.DeviceMemory
        self._room -= 1
        return self._session.create_object(template)

    def get_objects(self, template):
        return self._session.get_objects(template)


@pytest.mark.parametrize("room", [0, 1, 2, 3])
def test_a_token_that_gets_full_half_way_holds_what_it_held(token_store, soft, room):
    before = objects(soft).keys()
    token_store._session = FullToken(token_store._session, room)
    with refused(r"The token vault refuses \(DeviceMemory\); see that it is there"):
        token_store.put({**YEAR, ("firmware", 1): bytes(32)})
    assert token_store.names() == set(KEYS)
    assert objects(soft).keys() == before


def test_a_key_planted_by_someone_without_the_pin_is_not_taken_for_one_of_ours(soft, open_token):
    library = pkcs11.lib(os.path.realpath(soft.module))
    planted = {
        Attribute.CLASS: ObjectClass.SECRET_KEY,
        Attribute.KEY_TYPE: KeyType.AES,
        Attribute.TOKEN: True,
        Attribute.PRIVATE: False,
        Attribute.SENSITIVE: False,
        Attribute.SIGN: True,
        Attribute.VALUE: bytes(16),
        Attribute.LABEL: f"meedoen/{CITY}/register/1",
    }
    library.get_token(token_label=soft.label).open(rw=True).create_object(planted)
    assert open_token().names() == set()


def test_what_others_keep_in_a_token_is_left_alone(token_store, open_token, soft):
    raw_labels = AttributeMapper()
    raw_labels.register_handler(Attribute.LABEL, bytes, bytes)
    mine = session(soft, attribute_mapper=raw_labels)
    labels = [b"\xff\xfe", b"meedoen", b"meedoen/200/load/1/old", b"meedoen/200/coffee/1", b"meedoen/200/load/01"]
    for label in labels:
        mine.generate_key(KeyType.AES, 128, store=True, template={Attribute.LABEL: label})
    assert open_token().names() == set(KEYS)


def test_a_key_that_is_there_twice_is_not_chosen_between(token_store, open_token, soft):
    label = f"meedoen/{CITY}/load/1"
    session(soft).generate_key(KeyType.AES, 128, store=True, label=label)
    with refused(f"holds {label} twice; remove one"):
        open_token()


def test_a_wrong_pin_is_one_sentence_and_the_right_one_works_after_it(soft, open_token):
    for wrong in ("4712", "", "9" * 300):
        with refused("That is not the PIN of the token vault; it may lock itself after a few more"):
            Token(soft.module, soft.label, wrong, CITY)
    assert open_token().names() == set()


def test_no_such_token_is_one_sentence(soft):
    with refused("There is no token purse: insert it, or check its label"):
        Token(soft.module, "purse", PIN, CITY)


def test_two_tokens_of_one_name_are_one_sentence(soft, tmp_path, monkeypatch):
    softhsm.soft_token(tmp_path, monkeypatch, pin=PIN)
    with refused("There are several tokens vault: take out all but one"):
        Token(soft.module, soft.label, PIN, CITY)


@pytest.mark.parametrize("module", ["/usr/lib/nothing.so", "/etc/passwd", _pkcs11.__file__])
def test_no_such_module_is_one_sentence(module):
    with refused("does not start as a PKCS#11 module; check its path and settings"):
        Token(module, "vault", PIN, CITY)


def test_one_module_under_two_names_is_one_module(soft, token_store, open_token, tmp_path):
    (tmp_path / "other.so").symlink_to(soft.module)
    assert open_token(module=str(tmp_path / "other.so")).names() == set(KEYS)


def test_without_the_library_the_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with refused(r"pip install 'meedoen\[pkcs11\]'"):
        Token("/usr/lib/nothing.so", "vault", PIN, CITY)


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.cmacs(MAC, bytes(16), 16),
        lambda store: store.encrypt(HANDLE, bytes(16)),
        lambda store: store.decrypt(HANDLE, bytes(16)),
        lambda store: store.sign(BUNDLE, b"offers"),
        lambda store: store.public_key(BUNDLE),
        lambda store: store.put(YEAR),
        lambda store: store.remove([MAC]),
        lambda store: store.attributes(MAC),
    ],
)
def test_a_token_that_is_gone_is_one_sentence(token_store, soft, use):
    shutil.rmtree(soft.folder)
    with refused(r"The token vault refuses \(\w+\); see that it is there, and start again"):
        use(token_store)


def test_a_machine_without_softhsm_fails_and_says_what_to_install(monkeypatch):
    monkeypatch.setattr(softhsm, "PLACES", ())
    with pytest.raises(pytest.fail.Exception, match="apt-get install softhsm2"):
        softhsm.module()
