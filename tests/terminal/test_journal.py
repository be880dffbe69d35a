"""The journal on raw flash: what a power cut leaves, how the flash is used again, and what it costs."""

import random

import pytest

from card.batch import COMMITTED, FIRST_MAC, IN_DOUBT, VOID, build_batch, chain_key, open_batch
from card.errors import BadBatch
from card.record import TAP, ClearRecord
from card.sealing import SealingKey
from terminal.firmware.errors import FlashError
from terminal.firmware.journal import Journal
from terminal.firmware.storage import BLOCK_BYTES, FileStorage
from tests.twin.nor_flash import NorFlash, PowerCut

KEY = bytes(range(16))
HANDLE = b"\x07" * 16
SEALED = bytes(range(60))
DAY = 2500
SLOTS = BLOCK_BYTES // 128 - 1


def sealing_of(day):
    """The key of a day, as it is on that day."""
    sealing = SealingKey([(b"\x01" * 16, DAY - 9, DAY + 9)])
    sealing.advance(day)
    return sealing


def journal_on(flash, day=DAY):
    journal = Journal(flash, chain_key(KEY))
    journal.mark_with(sealing_of(day))
    return journal


def clear_of(sequence, day=DAY, amount=400):
    return ClearRecord(TAP, 101, sequence, day, offer=1, purse1=1, amount1=amount).to_bytes()


def tap(journal, day=DAY, amount=400, handle=HANDLE, tmc=5):
    clear = clear_of(journal.next_sequence, day, amount)
    journal.intend(clear, SEALED, handle, tmc)
    journal.committed(clear, SEALED)


def torn(journal, handle=HANDLE, tmc=5, day=DAY):
    journal.in_doubt(journal.intend(clear_of(journal.next_sequence, day), SEALED, handle, tmc))
    doubt, _ = journal.doubt_of(handle)
    return doubt


def handed_in(journal, first=1):
    entries = []
    while body := journal.batch(KEY, 101, first, 8):
        batch = open_batch(body, lambda terminal: [KEY])
        entries += batch.entries
        first = batch.first + len(batch.entries)
    return entries


def test_a_tap_is_two_writes_and_no_erase():
    flash = NorFlash(8)
    journal = journal_on(flash)
    journal.tidy()
    for _ in range(200):
        before = flash.writes
        erased = flash.erases
        tap(journal)
        assert (flash.writes - before, flash.erases - erased) == (2, 0)
        journal.backend_holds(journal.count)
        journal.tidy()


def test_the_flash_wears_evenly_and_only_what_the_backend_holds_is_erased():
    flash = NorFlash(5)
    worn = [0] * 5
    erase = flash.erase
    journal = journal_on(flash)

    def counted(block):
        worn[block] += 1
        erase(block)

    flash.erase = counted
    for number in range(1, 1001):
        tap(journal)
        if number % 20 == 0:
            assert [entry.position for entry in handed_in(journal, number - 19)] == list(range(number - 19, number + 1))
            journal.backend_holds(number)
        journal.tidy()
    assert max(worn) - min(worn) <= 1
    assert journal.count == 1000


@pytest.mark.parametrize("held", [0, 1, 17, 60])
def test_a_full_flash_says_so_before_it_is_full_and_keeps_what_the_backend_lacks(held):
    journal = journal_on(NorFlash(4))
    while journal.has_room:
        room = journal.room
        assert room >= 1
        tap(journal)
        assert journal.room >= room - 1
        journal.backend_holds(min(held, journal.count))
    assert journal.room == 0
    assert [entry.position for entry in handed_in(journal, held + 1)] == list(range(held + 1, journal.count + 1))
    journal.backend_holds(journal.count)
    assert journal.has_room


def test_a_start_after_a_power_cut_can_write_what_it_must_when_the_flash_is_full():
    flash = NorFlash(4)
    journal = journal_on(flash)
    while journal.has_room:
        tap(journal)
    journal.intend(clear_of(journal.next_sequence), SEALED, HANDLE, 5)
    for _ in range(5):
        flash.steps_left = 77
        with pytest.raises(PowerCut):
            journal_on(flash)
    flash.steps_left = None
    again = journal_on(flash)
    assert handed_in(again)[-1].outcome == IN_DOUBT
    assert again.doubts == 1
    assert not again.has_room


def test_a_start_that_needs_flash_which_the_backend_has_yet_to_free_waits_for_it():
    flash = NorFlash(3)
    journal = journal_on(flash)
    while journal._serial < 3 or journal._next != SLOTS:
        tap(journal)
        journal.backend_holds(journal.count)
    flash.steps_left = 130
    with pytest.raises(PowerCut):
        tap(journal)
    flash.steps_left = None
    again = journal_on(flash)
    assert (again.count, again.doubts, again.has_room) == (journal.count, 0, False)
    again.backend_holds(journal.count)
    assert (again.count, again.doubts, again.has_room) == (journal.count + 1, 1, True)


def test_nothing_is_accepted_after_a_write_that_failed_until_a_restart():
    flash = NorFlash(4)
    journal = journal_on(flash)
    tap(journal)
    flash.failing = True
    with pytest.raises(FlashError, match="does not take"):
        tap(journal)
    flash.failing = False
    assert not journal.has_room
    with pytest.raises(FlashError, match="does not take"):
        tap(journal)
    again = journal_on(flash)
    assert again.has_room
    tap(again)
    assert [entry.clear.sequence for entry in handed_in(again)] == [1, 2]


def test_flash_that_does_not_keep_what_is_written_is_noticed_at_once():
    flash = NorFlash(4)
    journal = journal_on(flash)
    tap(journal)
    write = flash.write

    def worn(at, data):
        write(at, data)
        flash.content[at + 50] ^= 0xFF

    flash.write = worn
    with pytest.raises(FlashError):
        tap(journal)
    assert journal.count == 1


def test_the_power_may_go_at_every_byte_of_four_taps_and_the_chain_goes_on():
    """After each cut: what was entered is there, what was intended is in doubt, and the next tap follows."""
    flash = NorFlash(3)
    journal = journal_on(flash)
    for _ in range(SLOTS // 2 - 1):
        tap(journal)
    start, entered = bytes(flash.content), journal.count
    flash.steps = 0
    _four_taps(journal)
    steps = flash.steps
    for cut in range(steps):
        flash.content[:] = start
        flash.steps_left = cut
        journal = journal_on(flash)
        with pytest.raises(PowerCut):
            _four_taps(journal)
        done = journal.count
        flash.steps_left = None
        again = journal_on(flash)
        entries = handed_in(again)
        assert entered <= done <= again.count <= done + 1
        assert again.last_sequence >= done
        interrupted = [entry for entry in entries if entry.outcome == IN_DOUBT]
        assert len(interrupted) == again.doubts == again.count - done - _entered_but_unheard(entries, done)
        tap(again)
        assert [entry.position for entry in handed_in(again)] == list(range(1, again.count + 1))
        assert len({entry.clear.sequence for entry in handed_in(again)}) == again.count


def _four_taps(journal):
    for _ in range(4):
        tap(journal)


def _entered_but_unheard(entries, done):
    """An entry whose last byte was on flash before the power went, though nobody was told."""
    return sum(entry.outcome == COMMITTED for entry in entries[done:])


def test_a_start_reads_a_bounded_part_of_the_flash():
    flash = NorFlash(64)
    journal = journal_on(flash)
    while journal.has_room:
        tap(journal)
    reads = []
    read_into = flash.read_into
    flash.read_into = lambda at, buffer: reads.append(at) or read_into(at, buffer)
    journal_on(flash)
    assert len(reads) <= 64 + 17 * SLOTS


def test_a_doubt_is_known_by_its_own_pass_only_and_settled_once():
    flash = NorFlash(4)
    journal = journal_on(flash)
    torn(journal, b"\x01" * 16, tmc=7)
    torn(journal, b"\x02" * 16, tmc=9)
    again = journal_on(flash)
    assert again.doubts == 2
    assert again.doubt_of(b"\x03" * 16) is None
    doubt, before = again.doubt_of(b"\x01" * 16)
    assert before == 7
    clear, sealed = again.intent_of(doubt)
    assert (clear, sealed) == (clear_of(1), SEALED)
    again.settle_void(doubt, clear)
    doubt, before = again.doubt_of(b"\x02" * 16)
    assert before == 9
    again.honour(doubt)
    for kept in (again, journal_on(flash)):
        assert kept.doubts == 0
        assert kept.doubt_of(b"\x01" * 16) is None
        assert kept.doubt_of(b"\x02" * 16) is None
    assert [entry.outcome for entry in handed_in(again)] == [IN_DOUBT, IN_DOUBT, VOID]


def test_nothing_on_flash_links_two_taps_of_one_pass():
    """Whoever reads the flash, and even holds the device's key, finds no two equal marks and no handle."""
    flash = NorFlash(8)
    journal = journal_on(flash)
    for tmc in range(5, 25):
        tap(journal, tmc=tmc)
    assert HANDLE not in bytes(flash.content)
    marks = set()
    for at in range(0, len(flash.content), 128):
        if flash.content[at] == 3:
            marks.add(bytes(flash.content[at + 5 + 102 : at + 5 + 114]))
    assert len(marks) == 20
    assert len({mark[:4] for mark in marks} | {mark[-4:] for mark in marks}) == 40


def test_a_day_is_read_back_with_what_was_settled_and_what_is_in_doubt():
    flash = NorFlash(16)
    journal = journal_on(flash)
    tap(journal, day=DAY - 1, amount=100)
    for amount in (200, 300):
        tap(journal, amount=amount)
    first, second = torn(journal, b"\x01" * 16), torn(journal, b"\x02" * 16)
    journal.settle_committed(first, journal.intent_of(first)[0], SEALED)
    journal.void(clear_of(journal.next_sequence))
    found = [(outcome, record.sequence) for outcome, record in journal.day_entries(DAY)]
    assert found == [(COMMITTED, first.sequence), (IN_DOUBT, second.sequence), (COMMITTED, 3), (COMMITTED, 2)]
    assert [record.amount1 for _, record in journal.day_entries(DAY - 1)] == [100]
    assert list(journal.day_entries(DAY - 2)) == []


def test_when_the_day_is_over_no_pass_is_known_again_and_what_is_in_doubt_is_left_to_the_vault():
    flash = NorFlash(4)
    journal = journal_on(flash)
    torn(journal)
    tap(journal, handle=b"\x08" * 16)
    same_day = journal_on(flash)
    assert same_day.doubt_of(HANDLE)
    assert same_day.last_move(b"\x08" * 16, 6)
    journal.mark_with(sealing_of(DAY + 1))
    for later in (journal, journal_on(flash, day=DAY + 1)):
        assert later.doubts == 0
        assert later.doubt_of(HANDLE) is None
        assert later.last_move(b"\x08" * 16, 6) is None
        assert [entry.outcome for entry in handed_in(later)] == [IN_DOUBT, COMMITTED]


def test_what_is_in_doubt_today_is_known_again_beside_what_was_in_doubt_yesterday():
    flash = NorFlash(4)
    journal = journal_on(flash, day=DAY - 1)
    torn(journal, day=DAY - 1)
    journal.mark_with(sealing_of(DAY))
    torn(journal, handle=b"\x08" * 16)
    for kept in (journal, journal_on(flash)):
        assert kept.doubts == 1
        assert kept.doubt_of(HANDLE) is None
        assert kept.doubt_of(b"\x08" * 16) is not None


def test_the_last_tap_belongs_to_one_pass_as_it_left_it():
    flash = NorFlash(4)
    journal = journal_on(flash)
    assert journal.last_move(HANDLE, 6) is None
    tap(journal, tmc=5)
    for kept in (journal, journal_on(flash)):
        assert kept.last_move(HANDLE, 6).sequence == 1
        assert kept.last_move(HANDLE, 7) is None
        assert kept.last_move(b"\x09" * 16, 6) is None
    journal.void(clear_of(journal.next_sequence))
    assert journal.last_move(HANDLE, 6).sequence == 1


@pytest.mark.parametrize("blocks", [3, 4])
def test_the_first_position_that_is_still_here_is_known(blocks):
    journal = journal_on(NorFlash(blocks))
    assert journal.first == 1
    for number in range(1, 200):
        tap(journal)
        journal.backend_holds(number)
        first = journal.first
        assert handed_in(journal, first)[0].position == first
    # Two blocks at least are whole, with fifteen taps in each.
    assert 100 < first <= journal.count - 30
    assert handed_in(journal, 1)[0].position == first


def test_a_tap_that_came_to_nothing_does_not_hide_the_last_one():
    journal = journal_on(NorFlash(4))
    tap(journal, tmc=5)
    doubt = torn(journal, tmc=6)
    assert journal.last_move(HANDLE, 6).sequence == 1
    journal.settle_void(doubt, journal.intent_of(doubt)[0])
    for kept in (journal, journal_on(journal._storage)):
        assert kept.last_move(HANDLE, 6).sequence == 1
        assert kept.last_move(HANDLE, 7) is None


def test_a_day_is_read_back_without_reading_all_that_was_before_it():
    flash = NorFlash(64)
    journal = journal_on(flash)
    for _ in range(300):
        tap(journal, day=DAY - 1)
    tap(journal)
    reads = []
    read_into = flash.read_into
    flash.read_into = lambda at, buffer: reads.append(at) or read_into(at, buffer)
    assert len(list(journal.day_entries(DAY))) == 1
    assert len(reads) < 100


def test_entries_are_chained_under_a_new_key_from_the_moment_that_there_is_one():
    other = b"the key after it"
    journal = journal_on(NorFlash(4))
    tap(journal)
    journal.chain_with(chain_key(other))
    tap(journal)
    body = journal.batch(KEY, 101, 1, 8)
    assert len(open_batch(body, lambda terminal: [KEY, other]).entries) == 2
    with pytest.raises(BadBatch, match="entry 2 does not follow"):
        open_batch(body, lambda terminal: [KEY])


@pytest.mark.parametrize(
    ("first", "most", "positions"), [(1, 3, [1, 2, 3]), (2, 3, [2, 3, 4]), (4, 3, [4, 5]), (5, 1, [5])]
)
def test_a_batch_has_at_most_as_many_entries_as_are_asked_for(first, most, positions):
    journal = journal_on(NorFlash(4))
    for _ in range(5):
        tap(journal)
    batch = open_batch(journal.batch(KEY, 101, first, most), lambda terminal: [KEY])
    assert [entry.position for entry in batch.entries] == positions
    assert journal.batch(KEY, 101, 6, most) == b""


def test_a_moment_is_of_one_pass_that_did_nothing_since():
    journal = journal_on(NorFlash(3))

    def moment(handle, tmc):
        return bytes(journal.moment(handle, tmc))

    seen = [moment(HANDLE, 5), moment(HANDLE, 6), moment(b"\x08" * 16, 5), bytes(journal._mark(HANDLE, 5))]
    assert len(set(seen)) == 4
    assert moment(HANDLE, 5) == seen[0]


def test_a_doubt_whose_intent_rotted_since_cannot_be_settled():
    flash = NorFlash(4)
    journal = journal_on(flash)
    doubt = torn(journal)
    flash.content[doubt.at * 128 + 60] ^= 1
    with pytest.raises(FlashError, match="tap 1 cannot be read"):
        journal.intent_of(doubt)


@pytest.mark.parametrize("taps", range(1, 64))
def test_what_the_backend_does_not_hold_is_kept_as_long_as_there_is_room(taps):
    journal = journal_on(NorFlash(3))
    for _ in range(taps):
        tap(journal)
        journal.backend_holds(journal.count)
        journal.tidy()
    held = journal.count
    for _ in range(journal.room):
        assert journal.has_room
        journal.settle_void(torn(journal), clear_of(journal.last_sequence))
    assert [entry.position for entry in handed_in(journal, held + 1)] == list(range(held + 1, journal.count + 1))


@pytest.mark.parametrize(("doubts", "first"), [(0, 16), (1, 17)], ids=["an entry", "an intent"])
def test_a_block_is_free_from_the_moment_that_the_backend_holds_the_first_entry_after_it(doubts, first):
    """What the second block begins with says which one that is."""
    journal = journal_on(NorFlash(3))
    for _ in range(doubts):
        journal.settle_void(torn(journal), clear_of(journal.last_sequence))
    while journal.has_room:
        tap(journal)
    journal.backend_holds(first - 1)
    assert not journal.has_room
    journal.backend_holds(first)
    assert journal.has_room


def test_a_restart_wastes_no_slot():
    flash = NorFlash(4)
    for _ in range(SLOTS):
        journal = journal_on(flash)
        tap(journal)
        journal.tidy()
    slots = [flash.content[at : at + 128] for at in range(0, 2 * (SLOTS + 1) * 128, 128)]
    # The last slot of each block is too few for a tap; the second block was filled from its first slot on.
    assert [at for at, slot in enumerate(slots) if slot == b"\xff" * 128][:1] == [SLOTS]
    assert slots[SLOTS + 2][0] == 3


def test_a_slot_that_counts_further_than_any_terminal_is_passed_over():
    """Who went on counting from there would run out of numbers."""
    flash = NorFlash(4)
    journal = journal_on(flash)
    tap(journal)
    journal.count = (1 << 31) - 1
    journal.committed(clear_of(1), SEALED)
    again = journal_on(flash)
    assert again.count == 1
    tap(again)
    assert [entry.position for entry in handed_in(again)] == [1, 2]


def test_the_key_of_the_day_is_made_once():
    journal, sealing = Journal(NorFlash(4), chain_key(KEY)), sealing_of(DAY)
    journal.mark_with(sealing)
    cipher = journal._tags.cipher
    journal.mark_with(sealing)
    assert journal._tags.cipher is cipher


def test_a_block_is_used_to_its_end_before_the_next_is_made_ready():
    flash = NorFlash(4)
    journal = journal_on(flash)
    for _ in range(SLOTS // 2 - 1):
        tap(journal)
        journal.tidy()
    assert flash.erases == 1  # three slots are left, and a tap may need all of them
    tap(journal)
    journal.tidy()
    assert flash.erases == 2


def test_after_a_block_could_not_be_erased_nothing_is_accepted_until_a_restart():
    flash = NorFlash(4)
    journal = journal_on(flash)
    for _ in range(SLOTS // 2):
        tap(journal)
    genuine, flash.erase = flash.erase, broken
    journal.tidy()
    flash.erase = genuine
    assert not journal.has_room
    with pytest.raises(FlashError):
        tap(journal)
    assert journal_on(flash).has_room


def test_after_a_slot_could_not_be_written_there_is_no_room_until_a_restart():
    flash = NorFlash(4)
    journal = journal_on(flash)
    tap(journal)
    genuine, flash.write = flash.write, broken
    with pytest.raises(FlashError):
        tap(journal)
    flash.write = genuine
    assert (journal.has_room, journal.room) == (False, 0)
    again = journal_on(flash)
    assert again.has_room
    assert again.room > 0


def broken(*_):
    raise OSError


def test_a_slot_holds_nothing_but_what_it_is_for():
    """What is there of the slot before it would be written once more."""
    flash = NorFlash(4)
    journal = journal_on(flash)
    doubt = torn(journal)
    journal.honour(doubt)
    assert flash.content[4 * 128 - 119 :][:115] == bytes(115)


@pytest.mark.parametrize("blocks", [3, 4, 9])
def test_there_is_room_for_as_many_taps_as_it_says_each_torn_and_settled(blocks):
    journal = journal_on(NorFlash(blocks))
    tap(journal)
    for room in range(journal.room, 0, -1):
        assert journal.has_room
        assert journal.room >= room
        journal.settle_void(torn(journal), clear_of(journal.last_sequence))
    assert journal.room == 0
    assert [entry.position for entry in handed_in(journal)] == list(range(1, journal.count + 1))


BODY, MAC = range(5, 108), range(108, 124)


def test_a_rotten_entry_hides_no_doubt_that_came_after_it():
    flash = NorFlash(4)
    journal = journal_on(flash)
    tap(journal)
    torn(journal, handle=b"\x08" * 16)
    flash.content[2 * 128 + MAC[0]] ^= 1
    assert journal_on(flash).doubt_of(b"\x08" * 16)


def test_a_doubt_whose_entry_rots_beside_what_it_says_stays_a_doubt():
    flash = NorFlash(4)
    journal = journal_on(flash)
    torn(journal)
    tap(journal, handle=b"\x08" * 16)
    flash.content[2 * 128 + MAC[0]] ^= 1
    again = journal_on(flash)
    assert (again.doubts, again.count) == (1, journal.count)
    assert [entry.outcome for entry in handed_in(again)] == [IN_DOUBT, COMMITTED]


def rotten(byte):
    """Five taps, of which the third entry rotted in one byte of its slot while the terminal was off."""
    flash = NorFlash(4)
    journal = journal_on(flash)
    for _ in range(5):
        tap(journal)
    at = next(at for at in range(0, len(flash.content), 128) if flash.content[at : at + 2] == b"\x02\x03")
    flash.content[at + byte] ^= 1
    return journal_on(flash)


@pytest.mark.parametrize("byte", range(128))
def test_an_entry_that_rots_costs_at_most_itself_and_the_backend_sees_the_gap(byte):
    journal = rotten(byte)
    entries = handed_in(journal)
    if byte not in BODY:
        # What it says is whole, as the MAC of the next entry tells.
        assert [entry.position for entry in entries] == [1, 2, 3, 4, 5]
        assert journal.doubts == 0
        return
    assert [entry.position for entry in entries] == [1, 2, 4, 5, 6]
    # Its intent is still there, so the vault can tell what became of it.
    assert (entries[-1].outcome, entries[-1].clear.sequence) == (IN_DOUBT, 3)


@pytest.mark.parametrize("byte", MAC)
def test_an_entry_that_rots_at_the_end_of_a_block_is_told_by_the_one_that_begins_the_next(byte):
    flash = NorFlash(4)
    journal = journal_on(flash)
    doubt = torn(journal)
    journal.settle_void(doubt, clear_of(doubt.sequence))  # three slots, so that the block does not end with an intent
    for _ in range(SLOTS):
        tap(journal)
    assert flash.content[SLOTS * 128] == 2
    flash.content[SLOTS * 128 + byte] ^= 1
    again = journal_on(flash)
    assert (again.doubts, again.count) == (0, journal.count)
    assert [entry.position for entry in handed_in(again)] == list(range(1, journal.count + 1))


@pytest.mark.parametrize("byte", [*BODY, *MAC])
def test_an_entry_that_rots_is_handed_over_wherever_a_batch_begins(byte):
    journal = rotten(byte)
    last = 6 if byte in BODY else 5
    for first in range(1, 6):
        positions = [entry.position for entry in handed_in(journal, first)]
        assert positions == [at for at in range(first, last + 1) if at != 3 or byte in MAC]


def test_an_entry_that_rots_in_body_and_mac_takes_the_proof_of_the_next_with_it():
    """The next one covers a MAC that nobody knows any more; after it the chain goes on."""
    flash = NorFlash(4)
    journal = journal_on(flash)
    for _ in range(5):
        tap(journal)
    at = next(at for at in range(0, len(flash.content), 128) if flash.content[at : at + 2] == b"\x02\x03")
    flash.content[at + 30] ^= 1
    flash.content[at + 120] ^= 1
    assert [entry.position for entry in handed_in(journal_on(flash))] == [1, 2, 5, 6]


def test_a_doubt_that_was_settled_is_not_open_again_when_that_entry_rots():
    flash = NorFlash(4)
    journal = journal_on(flash)
    doubt = torn(journal)
    clear, _ = journal.intent_of(doubt)
    journal.settle_committed(doubt, clear, SEALED)
    tap(journal)
    at = next(at for at in range(0, len(flash.content), 128) if flash.content[at : at + 2] == b"\x02\x02")
    flash.content[at + 120] ^= 1
    again = journal_on(flash)
    assert again.doubts == 0
    assert [(entry.position, entry.outcome) for entry in handed_in(again)] == [
        (1, IN_DOUBT),
        (2, COMMITTED),
        (3, COMMITTED),
    ]


def test_a_chain_that_somebody_wrote_is_refused():
    journal = journal_on(NorFlash(4))
    tap(journal)
    entry = journal._run(1, 1)[2][0]
    forged = bytes([entry[0]]) + clear_of(1, amount=900) + entry[43:]
    with pytest.raises(BadBatch, match="follow"):
        open_batch(build_batch(KEY, 101, 1, FIRST_MAC, [forged]), lambda terminal: [KEY])


def test_random_use_and_random_cuts_lose_nothing(tmp_path):
    for seed in range(30):
        dice = random.Random(seed)
        flash = NorFlash(dice.choice((3, 4, 7)))
        journal, said = journal_on(flash), []
        for _ in range(100):
            flash.steps_left = dice.choice((None, None, dice.randrange(600)))
            try:
                if journal.has_room:
                    tap(journal)
                    said.append(journal.last_sequence)
                journal.tidy()
                if dice.random() < 0.2:
                    journal.backend_holds(dice.randrange(journal.count + 1))
            except PowerCut:
                held = journal._held
                flash.steps_left = None
                journal = journal_on(flash)
                journal.backend_holds(held)
        entries = handed_in(journal, journal.first)
        assert journal.first <= journal._held + 1, seed
        committed = {entry.clear.sequence for entry in entries if entry.outcome == COMMITTED}
        first_sequence = entries[0].clear.sequence if entries else 0
        assert [one for one in said if one > first_sequence and one not in committed] == [], seed


def test_a_file_is_flash_as_well(tmp_path):
    flash = FileStorage(str(tmp_path / "journal0"), 4)
    journal = journal_on(flash)
    for _ in range(100):
        tap(journal)
        journal.backend_holds(journal.count)
        journal.tidy()
    again = journal_on(FileStorage(str(tmp_path / "journal0"), 4))
    assert again.count == 100
    assert (tmp_path / "journal0").stat().st_size <= 4 * BLOCK_BYTES
