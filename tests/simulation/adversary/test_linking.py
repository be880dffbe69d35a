"""Nobody tells which taps are of one pass better than by venue, offer, amount and day; and who could, with what."""

import pytest

from card.cmac import cmac
from card.record import CLEAR_BYTES, LOAD, SEALED_BYTES, TAP
from card.sealing import SealingKey
from card.wire import uint
from keys.proving import Prover
from tests.city import sealing_of
from tests.simulation.adversary.columns import columns_of, records_in
from tests.simulation.adversary.conftest import MUSEUM, POOL
from tests.simulation.adversary.linking import best_attack
from tests.simulation.adversary.stores import CLEARING, DESK, VAULT

pytestmark = pytest.mark.timeout(300)
_TAG_BYTES = 8
# In the file of a terminal, between the day and a checksum.
_SEALING = slice(2, -4)


@pytest.fixture(scope="session")
def taps_of(town):
    """By terminal, the names of the taps that were proven, and their passes."""
    kept = columns_of(town.stored_by(CLEARING), set(town.passes)).items()
    proven = {tap for name, states in kept if ".state " in name for tap, state in states.items() if state == "proven"}
    return {at: {tap: town.passes[tap] for tap in proven if tap.terminal == int(at)} for at in (MUSEUM, POOL)}


def unlinked(town, *parties, kinds=(TAP,)):
    attack = best_attack(town.stored_by(*parties), town.passes, kinds)
    assert attack.guesses > 30, "there is too little to link"
    assert not attack.links, attack


# One party


def test_clearing_cannot_tell_which_taps_are_of_one_pass(town):
    """Nor by the hour at which everybody comes in this town: it keeps the day on which it took an entry in."""
    unlinked(town, CLEARING)


def test_a_venue_cannot_tell_which_of_its_taps_are_of_one_pass(town):
    unlinked(town, MUSEUM)


@pytest.mark.parametrize("parties", [(DESK,), (VAULT,), (DESK, VAULT)])
def test_desk_and_vault_store_nothing_of_any_tap(town, taps_of, parties):
    for taps in taps_of.values():
        assert columns_of(town.stored_by(*parties), set(taps)) == {}


# Two who collude


def test_clearing_and_the_desk_cannot_link_taps_to_each_other_or_to_a_budget(town):
    unlinked(town, CLEARING, DESK, kinds=(TAP, LOAD))


def test_clearing_and_a_venue_cannot_tell_which_taps_are_of_one_pass(town):
    unlinked(town, CLEARING, MUSEUM)


def test_two_venues_cannot_tell_which_taps_are_of_one_pass(town):
    unlinked(town, MUSEUM, POOL)


def opened_by(vault, columns):
    """What the vault reads of taps, wherever their records are stored: by name, the number of the chip."""
    found = {}
    for values in columns.values():
        for tap, value in values.items():
            at = value.find(uint(tap.terminal, 4) + uint(tap.sequence, 4)) - 2 if isinstance(value, bytes) else -1
            record = value[at : at + CLEAR_BYTES + SEALED_BYTES] if at >= 0 else b""
            if len(record) == CLEAR_BYTES + SEALED_BYTES:
                opened = Prover(vault).open(record)
                if opened.valid[0]:
                    found[tap] = opened.identity[0].tobytes()[:7]
    return found


def test_the_vault_reads_the_passes_in_a_venues_journal_and_none_of_another_venue(town, taps_of):
    columns = columns_of(town.stored_by(VAULT, MUSEUM), set(town.passes))
    assert opened_by(town.city.vault_with_all_years(), columns).items() >= taps_of[MUSEUM].items()
    assert not columns_of(town.stored_by(VAULT, MUSEUM), set(taps_of[POOL]))


def test_clearing_and_the_vault_link_every_tap_until_its_year_is_destroyed(town, taps_of):
    taps = taps_of[MUSEUM]
    columns = columns_of(town.stored_by(CLEARING), set(taps))
    records = [columns["backend entry.clear 1"][tap] + columns["backend entry.sealed 1"][tap] for tap in taps]
    told = Prover(town.city.vault_with_all_years()).open(b"".join(records)).identity
    assert [row.tobytes()[:7] for row in told] == list(taps.values())
    # The story ends with the keys of its year destroyed.
    assert not Prover(town.city.vault).open(b"".join(records)).identified.any()


def told_by_marks(columns, handles, key):
    """Whose taps in the museum's journal the marks give away, to who knows all handles and the key of a day."""
    told = {}
    for name in columns:
        for tap, value in columns[name].items() if name.startswith(f"journal of {MUSEUM} bytes") else ():
            at = value.find(uint(tap.terminal, 4) + uint(tap.sequence, 4)) - 2 + CLEAR_BYTES + SEALED_BYTES
            for handle, uid in handles.items():
                if value[at:].startswith(cmac(key, b"pass" + handle + uint(tap.sequence, 4))[:_TAG_BYTES]):
                    told[tap] = uid
    return told


def test_the_desk_and_a_venue_know_who_tapped_there_today_and_on_no_day_before(town, taps_of):
    """The mark by which a journal knows a pass again opens to who has all handles and the key of its day."""
    both = town.stored_by(DESK, MUSEUM)
    uids = [card.memory.picc.uid for card in town.city.cards()]
    handles = {town.city.vault.card_keys(uid, 1).handle: uid for uid in uids}
    assert all(any(handle in content for content in both.files.values()) for handle in handles)
    columns, records = columns_of(both, set(town.passes)), records_in(both, set(town.passes))
    (kept,) = (content for name, content in both.files.items() if name == f"terminal-{MUSEUM}/1/sealing")
    sealing = SealingKey.from_bytes(kept[_SEALING])
    today, last, vault = sealing.day, sealing.last_day, town.city.vault_with_all_years()

    told = {}
    for day in sorted({records[tap].day for tap in taps_of[MUSEUM]}):
        # The vault alone has the keys of the days before; with them it shows that these are the marks.
        of_that_day = told_by_marks(columns, handles, sealing_of(int(MUSEUM), day, vault).mark_key())
        assert {records[tap].day for tap in of_that_day} == {day}
        told |= of_that_day
    assert told.items() >= taps_of[MUSEUM].items()

    known = {}
    for day in range(today, last + 1):
        sealing.advance(day)
        known |= told_by_marks(columns, handles, sealing.mark_key())
    assert known == {tap: uid for tap, uid in told.items() if records[tap].day >= today}
    assert len(known) < len(told) / 10
