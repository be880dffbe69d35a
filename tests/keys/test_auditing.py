"""The audit finds what is missing, what happened, what is not ours and what differs, and says it of no pass."""

import itertools
import random

import pytest

from keys.auditing import DID_NOT_HAPPEN, DIFFERS, HAPPENED, MISSING, NOT_OURS, Audit, Auditor, Finding
from tests.city import DAY, DESK, PROVER, TERMINAL, VAULT, vault_of
from tests.records import PaperPass, altered, clear_record, doubt, encrypted_reader_id, line

OTHER = TERMINAL + 1
OURS = frozenset({DESK, TERMINAL, OTHER})
STRANGER = b"\x04\x99\x99\x99\x99\x99\x99"


def audit(*lines, from_the_start=True, terminals=OURS):
    return Auditor(VAULT, PROVER, terminals).audit([b"".join(lines)], from_the_start)


def findings(*lines, **how):
    return [(found.kind, found.terminal, found.sequence) for found in audit(*lines, **how).findings]


@pytest.fixture
def holder():
    return PaperPass(VAULT)


def test_where_all_is_handed_in_there_is_nothing_to_find(holder):
    stranger = PaperPass(VAULT, STRANGER)
    lines = [line(one.tap(number)) for number, one in enumerate((holder, stranger, holder, holder, stranger), 1)]
    for order in (lines, lines[::-1], lines + lines):
        assert findings(*order) == []


def test_a_record_that_was_never_handed_in_is_named_with_the_terminal_that_owes_it(holder):
    lines = [line(holder.tap(1)), line(holder.tap(7, terminal=OTHER)), line(holder.tap(2)), line(holder.tap(3))]
    del lines[1]
    assert findings(*lines) == [(MISSING, OTHER, 7)]


def test_of_three_missing_in_a_row_the_last_is_named_and_two_are_counted(holder):
    lines = [line(holder.tap(number)) for number in range(1, 6)]
    found = audit(lines[0], lines[4])
    assert ([found.findings[0][:3]], found.unnamed) == ([(MISSING, TERMINAL, 4)], 2)
    assert len(found.findings) == 1


def test_what_is_missing_of_several_passes_adds_up(holder):
    stranger = PaperPass(VAULT, STRANGER)
    lines = [line(one.tap(first + more)) for one, first in ((holder, 1), (stranger, 11)) for more in range(5)]
    found = audit(lines[0], lines[4], lines[5], lines[9])
    assert ([each.sequence for each in found.findings], found.unnamed) == ([4, 14], 4)


def test_transactions_whose_reader_did_not_name_itself_are_counted():
    """Nothing tells more of them than that the pass counted on."""
    lines = []
    for uid in (b"\x04\x11\x22\x33\x44\x55\x66", STRANGER):
        before = PaperPass(VAULT, uid, tmc=3)
        lines += [line(before.tap(1)), line(before.tap(2))]
    for from_the_start, unnamed in ((True, 6), (False, 0)):
        found = audit(*lines, from_the_start=from_the_start)
        assert (found.findings, found.unnamed) == ([], unnamed)


def test_before_the_first_of_a_period_nothing_is_missing_unless_it_is_all_there_ever_was(holder):
    lines = [line(holder.tap(number)) for number in range(1, 5)]
    assert findings(*lines[2:], from_the_start=False) == []
    assert findings(*lines[2:]) == [(MISSING, TERMINAL, 2)]
    assert audit(*lines[2:]).unnamed == 1
    assert audit(*lines[2:], from_the_start=False).unnamed == 0


def test_what_the_pass_did_last_of_all_cannot_be_missed(holder):
    lines = [line(holder.tap(number)) for number in range(1, 4)]
    assert findings(*lines[:2]) == []


def test_a_doubt_that_the_next_transaction_names_did_happen_and_gets_the_nullifier_of_a_proven_one(holder):
    clear = clear_record(2)
    first = line(holder.tap(1))
    proof = holder.commit(clear)
    proven = clear + holder.sealed(clear, proof)
    proof.tmv = bytes(8)
    in_doubt = doubt(clear + holder.sealed(clear, proof))
    last = line(holder.tap(3))
    (found,) = audit(first, in_doubt, last).findings
    assert found == Finding(HAPPENED, TERMINAL, 2, PROVER.prove(proven)[0].nullifier)


def test_a_doubt_that_another_transaction_overtook_did_not_happen(holder):
    first, torn = line(holder.tap(1)), doubt(holder.torn(2))
    second = line(holder.tap(9, terminal=OTHER))
    assert findings(first, torn, second) == [(DID_NOT_HAPPEN, TERMINAL, 2)]
    third = line(holder.tap(10, terminal=OTHER))
    assert findings(first, torn, second, third) == [(DID_NOT_HAPPEN, TERMINAL, 2)]
    # Also when the one that took its number was not handed in: the one after it names that, and not the doubt.
    assert findings(first, torn, third) == [(DID_NOT_HAPPEN, TERMINAL, 2), (MISSING, OTHER, 9)]


def test_a_doubt_of_which_the_pass_told_nobody_yet_stays_open(holder):
    assert findings(line(holder.tap(1)), doubt(holder.tap(2, in_doubt=True))) == []
    stranger = PaperPass(VAULT, STRANGER)
    assert findings(doubt(stranger.torn(3))) == []


def test_a_doubt_that_happened_is_not_also_said_not_to_have_whatever_counter_its_terminal_sealed(holder):
    first, clear = line(holder.tap(1)), clear_record(2)
    proof = holder.commit(clear)
    proof.tmc, proof.tmv = 1, bytes(8)
    in_doubt = doubt(clear + holder.sealed(clear, proof))
    stranger = PaperPass(VAULT, STRANGER)
    overtaken = [line(stranger.tap(4)), doubt(stranger.torn(5)), line(stranger.tap(6))]
    assert findings(first, in_doubt, line(holder.tap(3)), *overtaken) == [
        (HAPPENED, TERMINAL, 2),
        (DID_NOT_HAPPEN, TERMINAL, 5),
    ]


def test_a_doubt_whose_sealed_part_was_spoilt_gets_the_nullifier_of_the_pass_that_names_it(holder):
    first, clear = line(holder.tap(1)), clear_record(2)
    proven = clear + holder.sealed(clear, holder.commit(clear))
    found = audit(first, doubt(clear + bytes(60)), line(holder.tap(3))).findings
    assert found == [Finding(HAPPENED, TERMINAL, 2, PROVER.prove(proven)[0].nullifier)]


def test_a_doubt_and_a_later_tap_that_settled_it_are_one_transaction(holder):
    clear = clear_record(1)
    proof = holder.commit(clear)
    committed = clear + holder.sealed(clear, proof)
    proof.tmv = bytes(8)
    assert findings(line(committed), doubt(clear + holder.sealed(clear, proof))) == []


def test_a_reader_that_has_no_keys_from_here_is_found(holder):
    lines = [line(holder.tap(1)), line(holder.tap(5, terminal=666)), line(holder.tap(2))]
    del lines[1]
    assert findings(*lines) == [(NOT_OURS, 666, 5)]
    assert findings(*lines[1:], from_the_start=False) == [(NOT_OURS, 666, 5)]
    assert findings(*lines, terminals=OURS | {666}) == [(MISSING, 666, 5)]


@pytest.mark.parametrize("change", [{"amount1": 4000}, {"offer": 12}, {"price": 1}, {"day": DAY + 1}])
def test_a_record_that_says_something_else_than_the_pass_signed_differs(holder, change):
    first, true, last = holder.tap(1), holder.tap(2), holder.tap(3)
    assert findings(line(first), line(altered(true, **change)), line(last)) == [(DIFFERS, TERMINAL, 2)]
    assert findings(line(first), doubt(altered(true, **change)), line(last)) == [(DIFFERS, TERMINAL, 2)]


def test_a_venue_that_gave_the_pass_the_hash_of_a_larger_amount_is_not_believed(holder):
    """It let the pass pay 4.00, had it sign the hash of a record of 40.00, and hands that in as committed."""
    first = holder.tap(1)
    large, small = clear_record(2, amount1=4000), clear_record(2)
    proof = _commit_with_hash_of(holder, small, large)
    last = holder.tap(3)
    assert findings(line(first), line(large + holder.sealed(large, proof)), line(last)) == [(DIFFERS, TERMINAL, 2)]


def _commit_with_hash_of(holder, moved, signed):
    from card.record import ClearRecord, Proof, reader_id
    from card.tmac import enc_session_key, transaction_input, transaction_mac

    record = ClearRecord.from_bytes(moved)
    holder.tmc += 1
    enc_tmri = encrypted_reader_id(enc_session_key(holder.key, holder.tmc, holder.uid), holder.previous)
    holder.previous = reader_id(signed)
    message = transaction_input(record.kind, record.debits(), holder.previous, enc_tmri)
    tmv = transaction_mac(holder.key, holder.tmc, holder.uid, message)
    return Proof(holder.keys.handle, holder.tmc, tmv, enc_tmri)


@pytest.mark.parametrize("named", [1, 8])
def test_two_proven_transactions_that_contradict_each_other_are_found(holder, named):
    """By the name of the one before, or by its hash alone."""
    first = line(holder.tap(1))
    holder.previous = clear_record(named)[2:10] + bytes(8)
    assert findings(first, line(holder.tap(2))) == [(DIFFERS, TERMINAL, named)]


def test_a_record_that_was_never_proven_is_no_witness(holder):
    """Whoever has the keys of a terminal can seal any counter; it accuses nobody."""
    first = line(holder.tap(1))
    invented = clear_record(2)
    proof = PaperPass(VAULT, tmc=40, previous=clear_record(99)[2:10] + bytes(8)).commit(invented)
    proof.tmv = bytes(8)
    for outcome in (line, doubt):
        assert findings(first, outcome(invented + holder.sealed(invented, proof))) == []


def test_what_cannot_be_read_at_all_is_passed_over(holder):
    assert findings(line(bytes(102)), line(b"\xff" * 102), line(holder.tap(1))) == []
    assert audit() == Auditor(VAULT, PROVER, OURS).audit([], True) == Audit(0, [], 0)


def test_findings_are_in_the_order_of_their_terminals_and_not_of_what_is_found(holder):
    lines = [line(holder.tap(number)) for number in (1, 2, 3)]
    stranger = PaperPass(VAULT, STRANGER)
    before, true, after = (stranger.tap(number, terminal=OTHER) for number in (1, 2, 3))
    lines[1:2] = [line(before), line(altered(true, offer=12)), line(after)]
    assert findings(*lines) == [(MISSING, TERMINAL, 2), (DIFFERS, OTHER, 2)]


def test_of_no_two_findings_can_be_told_whether_they_are_about_one_pass():
    """Whatever pass made them: the findings about three missing records are the same, and in the same order."""
    answers = set()
    for owners in itertools.product(range(3), repeat=3):
        passes = [PaperPass(VAULT, b"\x04\x00\x00\x00\x00\x00" + bytes([number])) for number in range(3)]
        lines = []
        for sequence, owner in enumerate(owners):
            lines.append(line(passes[owner].tap(100 + sequence)))
            passes[owner].tap(10 - sequence)
            lines.append(line(passes[owner].tap(200 + sequence)))
        found = audit(*lines)
        answers.add((tuple(found.findings), found.unnamed))
    assert answers == {(tuple(Finding(MISSING, TERMINAL, sequence) for sequence in (8, 9, 10)), 0)}


def test_the_order_of_the_records_changes_nothing():
    chance = random.Random(3)
    passes = [PaperPass(VAULT, b"\x04" + bytes(5) + bytes([number])) for number in range(20)]
    lines = []
    for sequence in range(1, 300):
        one = chance.choice(passes)
        made = doubt(one.torn(sequence)) if chance.random() < 0.05 else line(one.tap(sequence))
        lines += [made] * (chance.random() < 0.9)
    expected = audit(*lines)
    assert {found.kind for found in expected.findings} == {MISSING, DID_NOT_HAPPEN}
    for _ in range(3):
        chance.shuffle(lines)
        assert audit(*lines) == expected
        pieces = [b"".join(lines[at : at + 7]) for at in range(0, len(lines), 7)]
        assert Auditor(VAULT, PROVER, OURS).audit(pieces, True) == expected


def test_a_doubt_from_a_destroyed_year_is_found_and_can_no_longer_be_booked():
    from keys.proving import Prover

    vault = vault_of(day=DAY)
    holder = PaperPass(vault)
    lines = doubt(holder.tap(1, in_doubt=True)) + line(holder.tap(2, day=DAY + 60))
    vault.store.remove([("nullifier", 2026), ("sealing", 2026)])
    found = Auditor(vault, Prover(vault), OURS).audit([lines], True)
    assert found.findings == [Finding(HAPPENED, TERMINAL, 1, None)]


@pytest.mark.parametrize("purpose", ["transaction_mac"])
def test_witnesses_with_an_older_key_count_too(purpose):
    from datetime import date

    from keys.custody import rotate
    from keys.proving import Prover

    vault = vault_of()
    holder = PaperPass(vault)
    lines = [line(holder.tap(number)) for number in range(1, 4)]
    rotate(b"\x5a" * 32, vault.register, vault.store, purpose, date(2026, 12, 31))
    younger = PaperPass(vault, STRANGER)
    lines += [line(younger.tap(number)) for number in range(11, 14)]
    assert Auditor(vault, Prover(vault), OURS).audit([b"".join(lines)], True).findings == []
    del lines[1], lines[3]
    found = Auditor(vault, Prover(vault), OURS).audit([b"".join(lines)], True).findings
    assert [each.sequence for each in found] == [2, 12]


# A pass whose keys were renewed


def next_generation(holder):
    """The same pass after its handle was renewed: it counts on."""
    made = PaperPass(VAULT, holder.uid, holder.generation + 1)
    made.tmc, made.previous = holder.tmc, holder.previous
    return made


def test_a_pass_with_a_new_handle_counts_on_and_nothing_is_missing(holder):
    lines = [line(holder.tap(1)), line(holder.tap(2))]
    younger = next_generation(holder)
    lines += [line(younger.tap(3)), line(younger.tap(4))]
    found = audit(*lines)
    assert (found.findings, found.unnamed) == ([], 0)


def test_what_is_missing_across_a_new_handle_is_named_once(holder):
    lines = [line(holder.tap(1)), line(holder.tap(2))]
    younger = next_generation(holder)
    younger.tap(3)
    lines.append(line(younger.tap(4)))
    found = audit(*lines)
    assert ([each[:3] for each in found.findings], found.unnamed) == ([(MISSING, TERMINAL, 3)], 0)


def test_a_doubt_before_a_new_handle_has_the_nullifier_of_its_own_generation(holder):
    first, clear = line(holder.tap(1)), clear_record(2)
    proof = holder.commit(clear)
    proven = clear + holder.sealed(clear, proof)
    proof.tmv = bytes(8)
    in_doubt = doubt(clear + holder.sealed(clear, proof))
    last = line(next_generation(holder).tap(3))
    assert audit(first, in_doubt, last).findings == [Finding(HAPPENED, TERMINAL, 2, PROVER.prove(proven)[0].nullifier)]


def test_a_pass_with_a_new_transaction_mac_key_begins_to_count_again():
    from datetime import date

    from keys.custody import rotate
    from keys.proving import Prover

    vault = vault_of()
    holder = PaperPass(vault)
    lines = [line(holder.tap(number)) for number in (1, 2, 3)] + [doubt(holder.torn(4))]
    rotate(b"\x5a" * 32, vault.register, vault.store, "transaction_mac", date(2026, 12, 31))
    younger = PaperPass(vault, holder.uid, 2)
    lines += [line(younger.tap(number)) for number in range(11, 17)]
    found = Auditor(vault, Prover(vault), OURS).audit([b"".join(lines)], True)
    assert (found.findings, found.unnamed) == ([], 0)
