"""What docs/formats.md says of bytes, put together by hand with the plainest cryptography, against `card/`."""

import hashlib
import re
from io import BytesIO

import pytest

from card.administration import ChangeKey, CreateApplication, CreateTransactionMACFile
from card.batch import (
    COMMITTED,
    FIRST_MAC,
    MOST_ENTRIES,
    VOID,
    build_batch,
    chain_key,
    entry_bytes,
    freshness_mac,
    link_key,
    link_keys,
    open_batch,
    siv_key,
    statement_mac,
)
from card.cmac import Cmac, double
from card.commands import CommitReaderID, SelectApplication
from card.errors import BadAnswer, BadBatch, BadLease, BadRecord, OutOfRange, Refused, refusal
from card.hotlist import (
    FIRST,
    SECOND,
    BaseHead,
    ChangesHead,
    changes_key,
    filled,
    part_mac,
    part_mac_in,
    system_key,
)
from card.layout import PURPOSES, PassFile, aid_bytes, card_key_input
from card.lease import WrappingKey, unwrap, wrap, wrapping_input
from card.record import LOAD, REVERSAL, TAP, ClearRecord, Proof, reader_id, seal, unseal
from card.release import build_package, files_of, is_name, read_head, version_of
from card.sealing import SealingKey, first_state_input
from card.signing import CERTIFICATE_BYTES, certificate, certificate_input, content_input, read_certificate, signed
from card.siv import Siv
from card.wire import exactly, put_uint, read_uint, uint, xor
from tests.plain_crypto import cmac, doubled, siv_encrypted

KEY = bytes(range(16))
LONG_KEY = bytes(range(32, 64))
HANDLE = bytes(range(100, 116))
DEVICE = b"device 1"
SEALED = bytes(range(60))
FIELDS = dict(
    kind=TAP,
    terminal=0x04030201,
    sequence=0x14131211,
    day=0x2221,
    offer=0x34333231,
    purse1=3,
    amount1=0x44434241,
    purse2=14,
    amount2=0x54535251,
    price=0x64636261,
    discount=0x74737271,
    copayment=0x7F838281,
)
CLEAR = bytes.fromhex(
    "01 01 01020304 11121314 2122 31323334 03 41424344 0e 51525354 61626364 71727374 8182837f 00000000"
)
ROAD = cmac(KEY, b"road 1") + cmac(KEY, b"road 2")


def clear_of(number=1, terminal=7):
    return ClearRecord(TAP, terminal, number, 2516, 11, 1, 400).to_bytes()


def chained(key, position, previous, clear):
    """An entry of a record that is committed."""
    entry = b"\x01" + clear + SEALED
    return entry + cmac(cmac(key, b"chain"), uint(position, 4) + previous + entry)


def head_of(terminal, first, count, previous):
    return b"MB\x01\x00" + uint(terminal, 4) + uint(first, 4) + uint(count, 2) + previous


# Numbers


def test_numbers_go_from_the_least_to_the_greatest_that_their_place_holds():
    for size in (1, 2, 3, 4):
        most = (1 << 8 * size) - 1
        buffer = bytearray(6)
        for number in (0, 1, most):
            assert uint(number, size) == number.to_bytes(size, "little")
            put_uint(buffer, 6 - size, number, size)
            assert buffer == bytes(6 - size) + uint(number, size)
            assert read_uint(bytes(buffer), 6 - size, size) == number
        with pytest.raises(OutOfRange):
            uint(most + 1, size)


def test_the_last_byte_of_what_was_said_is_read_and_none_behind_it():
    assert read_uint(b"\x01\x02\x03", 1, 2) == 0x0302
    with pytest.raises(BadAnswer):
        read_uint(b"\x01\x02\x03", 2, 2)


def test_a_refusal_of_a_length_says_of_what_it_was_and_how_long():
    assert exactly(b"abc", 3, "name") == b"abc"
    with pytest.raises(OutOfRange, match="name: 2 bytes, wanted 3"):
        exactly(b"ab", 3, "name")


def test_exclusive_or_keeps_leading_zeros():
    assert xor(b"\x01\x02\x03", b"\x01\x0f\x03") == b"\x00\x0d\x00"


def test_a_status_that_is_no_success_is_an_error_that_says_which():
    for status in range(256):
        error = refusal(status)
        assert isinstance(error, Refused)
        assert error.status == status
        assert re.fullmatch(f"the pass refused: [a-z ]+ \\(91{status:02X}\\)", str(error))


@pytest.mark.parametrize("first", [0x00, 0x7F, 0x80, 0xFF])
def test_doubling_leaves_the_block_that_it_was_given(first):
    block = bytes([first]) + KEY[1:]
    assert double(block) == doubled(block)
    assert block == bytes([first]) + KEY[1:]


def test_a_key_that_was_made_once_is_kept():
    mac, siv = Cmac(KEY), Siv(LONG_KEY)
    assert Cmac.of(mac) is mac
    assert Siv.of(siv) is siv


# Records


def test_a_record_has_its_fields_in_the_order_of_the_page():
    record = ClearRecord(**FIELDS)
    assert record.to_bytes() == CLEAR
    assert record.hash() == hashlib.sha256(CLEAR).digest()[:8]
    assert reader_id(CLEAR) == bytes.fromhex("01020304 11121314") + record.hash()
    again = ClearRecord.from_bytes(CLEAR)
    assert {name: getattr(again, name) for name in FIELDS} == FIELDS
    assert again.debits() == [(3, FIELDS["amount1"]), (14, FIELDS["amount2"])]


def test_a_record_that_says_no_more_has_one_purse_and_costs_nothing():
    assert ClearRecord(LOAD, 1, 2, 3, 4, 5, 6).to_bytes() == bytes.fromhex(
        "01 03 01000000 02000000 0300 04000000 05 06000000 ff 00000000 00000000 00000000 00000000 00000000"
    )


@pytest.mark.parametrize("kind", [TAP, REVERSAL, LOAD])
@pytest.mark.parametrize(("first", "second"), [(1, 14), (14, 1), (1, 0xFF), (14, 0xFF)])
def test_every_kind_moves_the_first_purse_and_the_last(kind, first, second):
    record = ClearRecord(kind, 1, 2, 3, 4, first, 1, second, 0 if second == 0xFF else 1)
    assert ClearRecord.from_bytes(record.to_bytes()).debits() == record.debits()
    assert [purse for purse, _ in record.debits()] == [purse for purse in (first, second) if purse != 0xFF]


@pytest.mark.parametrize(
    "changes",
    [
        dict(purse1=0),
        dict(purse1=15),
        dict(purse2=0),
        dict(purse2=15),
        dict(purse2=3),
        dict(amount2=0),
        dict(purse2=0xFF),
        dict(amount1=0),
        dict(version=2),
        dict(spare=1),
        dict(kind=0),
        dict(kind=4),
    ],
    ids=str,
)
def test_a_record_of_what_no_pass_does_is_refused(changes):
    with pytest.raises(BadRecord):
        ClearRecord(**{**FIELDS, **changes})


def test_a_sealed_part_is_handle_counter_mac_and_reader_id_bound_to_the_record():
    proof = Proof(HANDLE, 0x01020304, b"12345678", bytes(range(16)))
    plain = HANDLE + b"\x04\x03\x02\x01" + b"12345678" + bytes(range(16))
    sealed = siv_encrypted(LONG_KEY, [CLEAR], plain)
    assert seal(LONG_KEY, CLEAR, proof) == sealed
    assert vars(unseal(LONG_KEY, CLEAR, sealed)) == vars(proof)


@pytest.mark.parametrize("change", [lambda plain: plain[:-1], lambda plain: plain + b"\x00"], ids=["short", "long"])
def test_a_seal_over_another_length_is_no_record(change):
    with pytest.raises(BadRecord):
        unseal(LONG_KEY, CLEAR, siv_encrypted(LONG_KEY, [CLEAR], change(bytes(44))))


# Batches, and what follows from a link key


def test_every_use_of_a_link_key_has_a_label_of_its_own():
    assert link_key(KEY, 0x04030201) == cmac(KEY, b"meedoen link\x01\x02\x03\x04")
    assert siv_key(KEY) == ROAD
    assert chain_key(KEY) == cmac(KEY, b"chain")
    assert link_keys(KEY) == (siv_key(KEY), chain_key(KEY))
    assert statement_mac(KEY, b"challenge", b"said") == cmac(cmac(KEY, b"hello"), b"challengesaid")
    assert freshness_mac(KEY, b"nonce", SEALED) == cmac(cmac(KEY, b"fresh"), b"nonce" + SEALED[:16])


def test_a_batch_is_a_head_and_a_chain_sealed_for_the_road():
    before = bytes(range(200, 216))
    first = chained(KEY, 5, before, clear_of(1))
    second = chained(KEY, 6, first[-16:], clear_of(2))
    assert entry_bytes(chain_key(KEY), 5, before, COMMITTED, clear_of(1), SEALED) == first
    head = head_of(7, 5, 2, before)
    body = head + siv_encrypted(ROAD, [head], first + second)
    assert build_batch(KEY, 7, 5, before, [first, second]) == body
    batch = open_batch(body, lambda terminal: [KEY] if terminal == 7 else [])
    assert (batch.terminal, batch.first, batch.previous_mac, batch.last_mac) == (7, 5, before, second[-16:])
    for entry, number, of in zip(batch.entries, (1, 2), (first, second), strict=True):
        assert (entry.position, entry.outcome, entry.clear.sequence) == (4 + number, COMMITTED, number)
        assert (entry.clear_bytes, entry.sealed, entry.mac) == (clear_of(number), SEALED, of[-16:])


def test_a_batch_opens_with_either_of_two_keys_and_so_does_a_chain_that_is_older():
    """Keys are being renewed: the entries are chained under the old one, the batch is sealed under the new one."""
    old = bytes(16)
    head = head_of(7, 1, 1, FIRST_MAC)
    body = head + siv_encrypted(ROAD, [head], chained(old, 1, FIRST_MAC, clear_of()))
    for keys in ([KEY, old], [old, KEY]):
        assert len(open_batch(body, lambda terminal, keys=keys: keys).entries) == 1
    with pytest.raises(BadBatch) as refused:
        open_batch(body, lambda terminal: [KEY])
    assert refused.value.reason == "chain"


def batch_of(count=1, first=1, head=None):
    entries, previous = [], FIRST_MAC
    for at in range(count):
        entries.append(chained(KEY, first + at, previous, clear_of(at + 1)))
        previous = entries[-1][-16:]
    head = head or head_of(7, first, count, FIRST_MAC)
    return head + siv_encrypted(ROAD, [head], b"".join(entries))


def test_a_batch_of_the_most_entries_is_taken():
    assert len(open_batch(batch_of(MOST_ENTRIES), lambda terminal: [KEY]).entries) == MOST_ENTRIES == 1024


@pytest.mark.parametrize(
    ("body", "keys", "reason"),
    [
        (batch_of()[:29], [KEY], "format"),
        (b"MX" + batch_of()[2:], [KEY], "format"),
        (batch_of()[:2] + b"\x02" + batch_of()[3:], [KEY], "format"),
        (batch_of()[:3] + b"\x01" + batch_of()[4:], [KEY], "format"),
        (batch_of()[:-1], [KEY], "format"),
        (batch_of(0), [KEY], "format"),
        (batch_of(MOST_ENTRIES + 1), [KEY], "format"),
        (batch_of(1, 0), [KEY], "format"),
        (batch_of(), [], "terminal"),
        (batch_of(), [bytes(16)], "mac"),
        (batch_of(1, head=head_of(7, 2, 1, FIRST_MAC)), [KEY], "chain"),
        (batch_of(1, head=head_of(8, 1, 1, FIRST_MAC)), [KEY], "record"),
    ],
    ids=[
        "cut off in its head",
        "of something else",
        "another version",
        "something in the spare byte",
        "cut short",
        "empty",
        "too many",
        "from position 0 on",
        "unknown terminal",
        "another key",
        "from another position on",
        "of another terminal",
    ],
)
def test_a_batch_that_is_refused_has_its_reason(body, keys, reason):
    with pytest.raises(BadBatch) as refused:
        open_batch(body, lambda terminal: keys)
    assert refused.value.reason == reason


def test_an_entry_says_how_its_tap_ended():
    entry = entry_bytes(chain_key(KEY), 1, FIRST_MAC, VOID, clear_of(), SEALED)
    assert entry[:1] == b"\x02"
    (opened,) = open_batch(build_batch(KEY, 7, 1, FIRST_MAC, [entry]), lambda terminal: [KEY]).entries
    assert opened.outcome == VOID


# Leases and sealing keys


def test_a_lease_is_a_head_and_its_content_sealed_under_the_wrapping_key():
    stepped = cmac(KEY, b"next lease")
    head = b"ML\x01\x00\x01\x02\x03\x04" + DEVICE + b"\x01\x00\x00\x00"
    lease = head + siv_encrypted(cmac(stepped, b"lease 1") + cmac(stepped, b"lease 2"), [head], b"{}")
    wrapping = WrappingKey(KEY)
    wrapping.step()
    assert (wrapping.state, wrapping.number) == (stepped, 1)
    assert wrap(wrapping, 0x04030201, DEVICE, b"{}") == lease
    assert unwrap(wrapping, 0x04030201, DEVICE, lease) == b"{}"


def test_a_lease_that_is_cut_off_anywhere_or_of_another_version_is_no_lease():
    whole = wrap(WrappingKey(KEY), 1, DEVICE, b"{}")
    for size in range(len(whole)):
        with pytest.raises(BadLease):
            unwrap(WrappingKey(KEY), 1, DEVICE, whole[:size])
    head = b"ML\x02\x00" + whole[4:20]
    with pytest.raises(BadLease, match="version 1"):
        unwrap(WrappingKey(KEY), 1, DEVICE, head + siv_encrypted(WrappingKey(KEY).key(), [head], b"{}"))


def test_a_lease_may_be_empty_and_the_first_has_number_0():
    lease = wrap(WrappingKey(KEY), 1, DEVICE, b"")
    assert lease[16:20] == bytes(4)
    assert unwrap(WrappingKey(KEY), 1, DEVICE, lease) == b""


def test_what_a_vault_macs_for_a_terminal_names_it():
    assert wrapping_input(0x04030201, DEVICE) == b"meedoen lease\x01\x02\x03\x04" + DEVICE
    assert first_state_input(0x04030201, 2026) == b"meedoen seal\x01\x02\x03\x04\xea\x07"


def sealing_key(state):
    return cmac(state, b"seal 1") + cmac(state, b"seal 2")


def test_a_sealing_key_takes_a_step_a_day_and_goes_over_into_the_next_year():
    old, new = bytes(16), KEY
    key = SealingKey([(old, 100, 103), (new, 104, 104)])
    assert (key.day, key.last_day, key.key()) == (100, 104, sealing_key(old))
    made = key.siv()
    assert made.encrypt([], b"tap") == siv_encrypted(sealing_key(old), [], b"tap")
    assert key.siv() is made
    key.advance(100)
    assert (key.day, key.key()) == (100, sealing_key(old))
    key.advance(102)
    old = cmac(cmac(old, b"next day"), b"next day")
    assert (key.day, key.last_day, key.key(), key.mark_key()) == (102, 104, sealing_key(old), cmac(old, b"mark"))
    assert key.siv().encrypt([], b"tap") == siv_encrypted(key.key(), [], b"tap")
    assert key.to_bytes() == old + bytes([102, 0, 103, 0]) + new + bytes([104, 0, 104, 0])
    assert SealingKey.from_bytes(key.to_bytes()).to_bytes() == key.to_bytes()
    key.advance(104)
    assert (key.day, key.last_day, key.key()) == (104, 104, sealing_key(new))
    assert key.to_bytes() == new + bytes([104, 0, 104, 0])


@pytest.mark.parametrize("day", [99, 105])
def test_a_sealing_key_that_is_asked_for_a_day_it_does_not_reach_stays_where_it_is(day):
    key = SealingKey([(KEY, 100, 104)])
    with pytest.raises(OutOfRange, match=f"day 100 cannot serve day {day}$"):
        key.advance(day)
    assert key.to_bytes() == KEY + bytes([100, 0, 104, 0])


# Hotlist


def test_the_heads_of_a_hotlist_have_their_fields_in_the_order_of_the_page():
    base = BaseHead(0x04030201, 0x1211, 2, (0x21, 0x22), 13, 0x3231)
    changes = ChangesHead(0x04030201, 0x14131211, 3)
    assert base.to_bytes() == bytes.fromhex("484201 01020304 1112 02 21 22 0d00 3132")
    assert changes.to_bytes() == bytes.fromhex("484301 00 01020304 11121314 03000000")
    for head in (base, changes):
        assert vars(type(head).from_bytes(head.to_bytes())) == vars(head)


@pytest.mark.parametrize(("columns", "first", "second"), [(0, 0, 0), (0, 0, 12), (1, 12, 12), (16, 12, 12)])
def test_a_base_has_up_to_sixteen_columns_and_none_shorter_than_a_row(columns, first, second):
    head = BaseHead(1, 1, columns, (0, 0), first, second)
    assert vars(BaseHead.from_bytes(head.to_bytes())) == vars(head)


def test_a_part_of_a_hotlist_is_filled_up_to_a_whole_block_before_its_mac():
    assert [len(filled(bytes(size))) for size in (16, 17, 32)] == [16, 32, 32]
    assert filled(b"\x01" * 17) == b"\x01" * 17 + bytes(15)
    assert [BaseHead(1, 1, *size).bytes for size in ((0, (0, 0), 0, 0), (2, (0, 0), 12, 13))] == [32, 80]
    assert [ChangesHead(1, 1, count).bytes for count in (0, 1, 2, 3)] == [32, 48, 48, 64]


@pytest.mark.parametrize("size", [16, 32, 128, 144, 272])
@pytest.mark.parametrize("base_mac", [b"", bytes(range(16))], ids=["base", "changes"])
def test_the_mac_of_a_part_is_under_the_first_half_of_the_key_in_memory_and_from_a_file(size, base_mac):
    part = bytes(range(16)) * (size // 16)
    made = cmac(LONG_KEY[:16], part + base_mac)
    assert part_mac(LONG_KEY, part, base_mac) == made
    assert part_mac_in(LONG_KEY, BytesIO(part + b"and more"), size, base_mac) == made
    with pytest.raises(BadAnswer):
        part_mac_in(LONG_KEY, BytesIO(part[:-1]), size, base_mac)


def test_the_keys_of_a_hotlist_are_macs_under_the_second_half_of_its_key():
    assert system_key(LONG_KEY, 0x04030201, FIRST, 9) == cmac(LONG_KEY[16:], b"system\x01\x02\x03\x04\x01\x09")
    assert system_key(LONG_KEY, 0x04030201, SECOND, 9) == cmac(LONG_KEY[16:], b"system\x01\x02\x03\x04\x02\x09")
    assert changes_key(LONG_KEY, 0x04030201) == cmac(LONG_KEY[16:], b"changes\x01\x02\x03\x04")


def test_half_a_hotlist_key_is_refused():
    for use in (lambda: changes_key(KEY, 1), lambda: part_mac(KEY, bytes(16), b"")):
        with pytest.raises(OutOfRange, match=r"^hotlist key: 16 bytes"):
            use()


# What is on a pass


def test_a_pass_file_is_as_the_page_says():
    content = bytes.fromhex("01 0201") + HANDLE + bytes.fromhex("0403 0605 07 0908") + bytes(6)
    assert PassFile(0x0102, HANDLE, 0x0304, 0x0506, 7, 0x0809).to_bytes() == content
    read = PassFile.from_bytes(content)
    assert (read.issuer, read.handle, read.valid_from, read.valid_until) == (0x0102, HANDLE, 0x0304, 0x0506)
    assert (read.generation, read.issued) == (7, 0x0809)
    # What may come to stand where zeros are changes nothing of this.
    assert vars(PassFile.from_bytes(content[:26] + b"\xff" * 6)) == vars(read)
    for wrong in (content[:-1], content + b"\x00", b"\x02" + content[1:]):
        with pytest.raises(BadAnswer):
            PassFile.from_bytes(wrong)


def test_a_card_key_is_diversified_with_who_for_whom_and_what_for():
    assert aid_bytes("F0E0D1") == b"\xd1\xe0\xf0"
    for purpose, label in PURPOSES.items():
        assert card_key_input(purpose, HANDLE[:7], aid_bytes("F0E0D1")) == HANDLE[:7] + b"\xd1\xe0\xf0" + label


@pytest.mark.parametrize("text", ["F0E0D", "0F0E0D1"])
def test_an_aid_has_six_digits(text):
    with pytest.raises(BadAnswer):
        aid_bytes(text)


# Packages of firmware


FILES = {"card/wire.py": b"# 2", "app.py": b""}


def package_of(body):
    return body + hashlib.sha256(body).digest()


def body_of(*files, version=0x04030201, count=None):
    listed = b"".join(bytes([len(name)]) + name + uint(len(content), 4) + content for name, content in files)
    return b"MF\x01\x00" + uint(version, 4) + uint(len(files) if count is None else count, 2) + listed


def test_a_package_lists_its_files_in_order_and_ends_in_its_hash():
    package = package_of(body_of((b"app.py", b""), (b"card/wire.py", b"# 2")))
    assert build_package(0x04030201, FILES) == package
    assert read_head(package[:10]) == (0x04030201, 2)
    assert version_of(package) == 0x04030201
    assert files_of(package) == FILES


def test_a_package_holds_1_to_128_files():
    files = {f"{number:03}": b"" for number in range(128)}
    for some in (files, {"a": b""}):
        assert files_of(build_package(1, some)) == some
    with pytest.raises(BadAnswer):
        files_of(build_package(1, {**files, "128": b""}))


@pytest.mark.parametrize("name", ["a", "a/b", "a.b", "..a", "_0", "a" * 63, "z9/.x"])
def test_a_name_that_stays_in_its_folder_is_taken(name):
    assert is_name(name)


@pytest.mark.parametrize(
    "name", ["", "a" * 64, "A", "a b", "a\\b", "/a", "a/", "a//b", ".", "..", "a/./b", "a/../b", "é"]
)
def test_a_name_that_leads_elsewhere_is_refused(name):
    assert not is_name(name)
    with pytest.raises(BadAnswer):
        build_package(1, {name: b""})


@pytest.mark.parametrize(
    "package",
    [
        b"",
        body_of()[:9],
        package_of(body_of()),
        package_of(b"MX" + body_of((b"a", b""))[2:]),
        body_of((b"a", b"")) + bytes(32),
        package_of(body_of((b"A", b""))),
        package_of(body_of((b"b", b""), (b"a", b""))),
        package_of(body_of((b"a", b""), (b"a", b""))),
        package_of(body_of((b"a", b""), count=2)),
        package_of(body_of((b"a", b"")) + b"\x00"),
        package_of(body_of((b"a", b"x"))[:-1]),
    ],
    ids=[
        "nothing",
        "cut off in its head",
        "no files",
        "something else",
        "damaged",
        "a bad name",
        "not in order",
        "twice the same name",
        "a file less",
        "a byte more",
        "a byte less",
    ],
)
def test_a_package_that_is_not_whole_is_refused(package):
    with pytest.raises(BadAnswer):
        files_of(package)


# What is signed


def test_a_list_ends_in_a_certificate_and_a_signature():
    public, vault, holder = LONG_KEY, b"v" * 64, b"h" * 64
    made = certificate(0x0201, public, vault)
    assert made == b"\x01\x02" + public + vault
    assert len(made) == CERTIFICATE_BYTES == 98
    assert read_certificate(made) == (0x0201, public, vault)
    assert certificate_input(b"bundle", 0x0201, public) == b"meedoen signer of bundle\x00\x01\x02" + public
    assert content_input(b"bundle", b"list") == b"meedoen bundle\x00list"
    asked = []
    assert signed(b"bundle", b"list", made, lambda message: asked.append(message) or holder) == b"list" + made + holder
    assert asked == [b"meedoen bundle\x00list"]


# What is refused


@pytest.mark.parametrize(
    ("attempt", "what"),
    [
        (lambda: certificate_input(b"bundle", 1, bytes(31)), "public key"),
        (lambda: certificate(1, bytes(33), bytes(64)), "public key"),
        (lambda: certificate(1, bytes(32), bytes(63)), "signature"),
        (lambda: read_certificate(bytes(97)), "certificate"),
        (lambda: SealingKey([(bytes(15), 100, 104)]), "sealing state"),
        (lambda: SealingKey([(bytes(17), 100, 104)]), "sealing state"),
        (lambda: WrappingKey(bytes(17)), "wrapping key"),
        (lambda: wrapping_input(1, bytes(9)), "device number"),
        (lambda: wrap(WrappingKey(KEY), 1, bytes(7), b""), "device number"),
        (lambda: PassFile(1, bytes(15), 1, 2, 3, 4).to_bytes(), "handle"),
        (lambda: card_key_input("tap", HANDLE, bytes(2)), "AID"),
        (lambda: SelectApplication(bytes(4)), "AID"),
        (lambda: CreateApplication(bytes(2), 9, 4), "AID"),
        (lambda: CommitReaderID(bytes(17)), "reader id"),
        (lambda: ChangeKey(1, bytes(17), 1), "new key"),
        (lambda: CreateTransactionMACFile(15, 1, bytes(2), bytes(15), 1), "transaction MAC key"),
        (lambda: Siv(bytes(31)), "AES-SIV key"),
    ],
)
def test_what_has_not_its_length_is_refused_by_name(attempt, what):
    with pytest.raises(OutOfRange, match=f"^{what}: "):
        attempt()


@pytest.mark.parametrize("field", ["issuer", "valid_from", "valid_until", "generation", "issued"])
def test_a_number_that_does_not_fit_on_a_pass_is_refused(field):
    fields = dict(issuer=1, handle=HANDLE, valid_from=2, valid_until=3, generation=4, issued=5)
    with pytest.raises(OutOfRange):
        PassFile(**{**fields, field: 1 << 16}).to_bytes()
