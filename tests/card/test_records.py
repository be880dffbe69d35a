"""Records and batches hold against anything that a road or a flash can do to them."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from card.batch import (
    COMMITTED,
    ENTRY_BYTES,
    FIRST_MAC,
    IN_DOUBT,
    MAC_BYTES,
    NOT_SEALED,
    VOID,
    build_batch,
    chain_key,
    entry_bytes,
    open_batch,
)
from card.errors import BadBatch, BadRecord, CardError
from card.layout import PassFile
from card.record import LOAD, NO_PURSE, REVERSAL, TAP, ClearRecord, Proof, reader_id, seal, unseal

KEY = bytes(range(16))
TERMINAL = 7

number32 = st.integers(0, 0xFFFFFFFF)
amount = st.integers(1, 0xFFFFFFFF)


@st.composite
def records(draw):
    first, second = draw(st.permutations(range(1, 15)))[:2]
    two = draw(st.booleans())
    return ClearRecord(
        kind=draw(st.sampled_from([TAP, REVERSAL, LOAD])),
        terminal=TERMINAL,
        sequence=draw(number32),
        day=draw(st.integers(0, 0xFFFF)),
        offer=draw(number32),
        purse1=first,
        amount1=draw(amount),
        purse2=second if two else NO_PURSE,
        amount2=draw(amount) if two else 0,
        price=draw(number32),
        discount=draw(number32),
        copayment=draw(number32),
    )


def chained(clears, first=1, previous=FIRST_MAC, outcome=COMMITTED):
    entries = []
    for at, clear in enumerate(clears):
        entries.append(entry_bytes(chain_key(KEY), first + at, previous, outcome, clear, NOT_SEALED))
        previous = entries[-1][-MAC_BYTES:]
    return entries


def opened(body):
    return open_batch(body, lambda terminal: [KEY] if terminal == TERMINAL else [])


@given(records())
def test_a_record_reads_back_as_it_was_written(record):
    again = ClearRecord.from_bytes(record.to_bytes())
    assert vars(again) == vars(record)
    assert reader_id(record.to_bytes())[8:] == record.hash()


@given(st.binary(max_size=60))
def test_any_bytes_are_a_record_that_reads_back_or_are_refused(data):
    with contextlib.suppress(BadRecord):
        assert ClearRecord.from_bytes(data).to_bytes() == data


@given(st.binary(max_size=40))
def test_any_bytes_are_a_pass_file_that_reads_back_or_are_refused(data):
    with contextlib.suppress(CardError):
        assert PassFile.from_bytes(data).to_bytes()[:24] == data[:24]


@given(st.lists(records(), min_size=1, max_size=5), st.integers(1, 1000))
@settings(max_examples=30)
def test_a_batch_opens_to_what_was_put_in(made, first):
    previous = bytes(range(16))
    clears = [record.to_bytes() for record in made]
    batch = opened(build_batch(KEY, TERMINAL, first, previous, chained(clears, first, previous)))
    assert [entry.clear_bytes for entry in batch.entries] == clears
    assert [entry.position for entry in batch.entries] == list(range(first, first + len(made)))
    assert (batch.previous_mac, batch.last_mac) == (previous, batch.entries[-1].mac)


@given(st.data())
@settings(max_examples=60)
def test_one_changed_bit_anywhere_in_a_batch_is_refused(data):
    clear = ClearRecord(TAP, TERMINAL, 1, 2516, 11, 1, 400).to_bytes()
    body = bytearray(build_batch(KEY, TERMINAL, 1, FIRST_MAC, chained([clear])))
    body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BadBatch):
        opened(bytes(body))


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_as_a_batch(body):
    with pytest.raises(BadBatch):
        opened(b"MB\x01\x00" + body)


THREE = [ClearRecord(TAP, TERMINAL, number, 2516, 11, 1, 400).to_bytes() for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("entries", "first"),
    [
        (chained(THREE)[1:], 1),
        (chained(THREE)[:1] + chained(THREE)[2:], 1),
        (chained(THREE)[::-1], 1),
        (chained(THREE), 2),
        (chained(THREE)[:1] * 2, 1),
        ([chained(THREE)[0][:-1] + b"\x00"], 1),
        ([bytes([VOID]) + chained(THREE)[0][1:]], 1),
    ],
    ids=["first missing", "middle missing", "turned round", "moved", "twice", "wrong MAC", "another outcome"],
)
def test_a_terminal_cannot_leave_out_move_or_repeat_an_entry(entries, first):
    """The sender has the road key, but not the chain as it was."""
    with pytest.raises(BadBatch) as refused:
        opened(build_batch(KEY, TERMINAL, first, FIRST_MAC, entries))
    assert refused.value.reason == "chain"


@pytest.mark.parametrize(
    ("clear", "outcome"),
    [
        (ClearRecord(TAP, 8, 1, 2516, 11, 1, 400).to_bytes(), COMMITTED),
        (bytes(42), COMMITTED),
        (THREE[0], 4),
        (THREE[0], 0),
    ],
    ids=["of another terminal", "not a record", "unknown outcome", "no outcome"],
)
def test_an_entry_that_is_no_record_of_this_terminal_is_refused(clear, outcome):
    with pytest.raises(BadBatch) as refused:
        opened(build_batch(KEY, TERMINAL, 1, FIRST_MAC, chained([clear], outcome=outcome)))
    assert refused.value.reason == "record"


def test_a_batch_of_no_entry_is_refused():
    with pytest.raises(BadBatch):
        opened(build_batch(KEY, TERMINAL, 1, FIRST_MAC, []))
    assert len(chained(THREE, outcome=IN_DOUBT)[0]) == ENTRY_BYTES


def test_a_seal_belongs_to_its_record_and_its_key():
    proof = Proof(bytes(range(16)), 5, b"12345678", bytes(16))
    sealed = seal(bytes(32), THREE[0], proof)
    assert vars(unseal(bytes(32), THREE[0], sealed)) == vars(proof)
    for key, clear in ((bytes(31) + b"\x01", THREE[0]), (bytes(32), THREE[1])):
        with pytest.raises(CardError):
            unseal(key, clear, sealed)
