"""A grant reaches the pass once, whatever happens on the way, and its proof goes to the backend."""

from datetime import date

import pytest

from card.batch import COMMITTED, IN_DOUBT, VOID, link_key, open_batch
from card.sealing import SealingKey
from card.session import Session
from hardware.in_process import InProcessReader
from issuer.errors import CardLeft, CardRefused, DeskError
from issuer.journal import RegistryJournal
from issuer.load import Load
from issuer.people import Person
from issuer.registry.tables import SealingState
from tests.city import (
    CENTS,
    CLOTHES,
    DAY,
    DESK,
    PROVER,
    PURSES,
    VAULT,
    DirectKeys,
    PcTerminal,
    loader,
    make_pass,
    purses_of,
    sealing_of,
)
from tests.issuer.a_registry import a_load, plan, take, waiting

UID = b"\x04\x11\x22\x33\x44\x55\x66"
KEYS = DirectKeys().card_keys(UID, 1)
LINK = link_key(VAULT.handed_out("link", 1), DESK)


@pytest.fixture
def registry(empty_registry):
    take(empty_registry, [Person("1", "Vos", "", "Sam", date(2015, 5, 1), 110)])
    plan(empty_registry, a_load(1, CENTS, 500), a_load(2, CLOTHES, 700))
    return empty_registry


@pytest.fixture
def journal(registry):
    return RegistryJournal(registry, LINK, DESK)


@pytest.fixture
def card():
    return make_pass(loads={})[0]


def planned(registry):
    return [Load(load.id, load.grant_number, load.purse, load.amount) for load in waiting(registry, 1, KEYS.handle)]


def visit(card, registry, journal, day=DAY):
    reader = InProcessReader(card)
    reader.find_pass()
    try:
        return loader(journal, day).load(Session(reader.transmit), KEYS, planned(registry))
    finally:
        reader.release()


def handed_in(journal):
    entries = []
    for batch in journal.batches(1):
        entries += open_batch(batch, lambda terminal: [LINK] if terminal == DESK else []).entries
    return entries


def proven(entries):
    last = {entry.clear.sequence: entry for entry in entries}
    committed = [entry for entry in last.values() if entry.outcome == COMMITTED]
    assert all(PROVER.prove(entry.clear_bytes + entry.sealed)[0].valid for entry in committed)
    return sum(entry.clear.amount1 for entry in committed)


def test_what_is_planned_is_on_the_pass_and_proven(card, registry, journal):
    assert len(visit(card, registry, journal)) == 2
    assert (purses_of(card)[CENTS], purses_of(card)[CLOTHES]) == (500, 700)
    assert waiting(registry, 1, KEYS.handle) == []
    assert proven(handed_in(journal)) == 1200
    assert visit(card, registry, journal) == []
    assert sum(purses_of(card).values()) == 1200


@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("exchange", range(1, 19))
def test_a_pass_that_leaves_during_a_load_gets_everything_once(card, registry, journal, exchange, executed):
    card.tear_after(exchange, executed)
    with pytest.raises(CardLeft, match="Put the same card back"):
        visit(card, registry, journal)
    meanwhile = handed_in(journal)
    assert proven(meanwhile) <= sum(purses_of(card).values())
    visit(card, registry, journal)
    assert (purses_of(card)[CENTS], purses_of(card)[CLOTHES]) == (500, 700)
    entries = handed_in(journal)
    assert proven(entries) == 1200
    assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))


def test_a_load_in_doubt_is_handed_in_as_such_and_settled_later(card, registry, journal):
    card.tear_after(11, True)
    with pytest.raises(CardLeft):
        visit(card, registry, journal)
    assert [entry.outcome for entry in handed_in(journal)] == [IN_DOUBT]
    assert [entry.outcome for entry in handed_in(journal)] == [IN_DOUBT]
    visit(card, registry, journal)
    assert [entry.outcome for entry in handed_in(journal)] == [IN_DOUBT, COMMITTED, COMMITTED]


def test_a_load_that_did_not_happen_is_void_and_done_again(card, registry, journal):
    card.tear_after(11, False)
    with pytest.raises(CardLeft):
        visit(card, registry, journal)
    visit(card, registry, journal)
    assert [entry.outcome for entry in handed_in(journal)] == [VOID, COMMITTED, COMMITTED]
    assert sum(purses_of(card).values()) == 1200


def test_a_doubt_that_a_terminal_overtook_is_not_paid_twice(card, registry, journal, tmp_path):
    reader = InProcessReader(card)
    reader.find_pass()
    loader(journal).load(Session(reader.transmit), KEYS, planned(registry)[:1])
    reader.release()
    card.tear_after(11, True)
    with pytest.raises(CardLeft):
        visit(card, registry, journal)
    assert PcTerminal(tmp_path / "flash").tap(card)[1] == "00"
    with pytest.raises(CardRefused, match="still in doubt"):
        visit(card, registry, journal)
    assert purses_of(card)[CLOTHES] == 700


def test_a_purse_that_would_overflow_is_refused_and_nothing_is_added(card, registry, journal):
    plan(registry, a_load(0, CENTS, PURSES[CENTS] + 1))
    with pytest.raises(CardRefused, match="larger than it may be"):
        visit(card, registry, journal)
    assert sum(purses_of(card).values()) == 0
    assert handed_in(journal) == []


def test_a_batch_goes_on_from_where_the_backend_is(card, registry, journal):
    visit(card, registry, journal)
    first, second = handed_in(journal)
    (rest,) = journal.batches(2)
    opened = open_batch(rest, lambda terminal: [LINK])
    assert (opened.first, opened.previous_mac, opened.last_mac) == (2, first.mac, second.mac)
    assert journal.batches(3) == []


def test_the_sealing_key_of_the_desk_moves_on_and_not_back(journal):
    first = journal.sealing(sealing_of(DESK), DAY)
    first_key = first.key()
    later = journal.sealing(sealing_of(DESK), DAY + 3)
    assert (first.day, later.day) == (DAY, DAY + 3)
    assert first_key != later.key()
    with pytest.raises(DeskError):
        journal.sealing(sealing_of(DESK), DAY + 2)


def test_a_new_file_reaches_further_and_brings_no_day_back(journal):
    def chain(first, last):
        state = sealing_of(DESK, first).to_bytes()[:16]
        return SealingKey([(state, first, last)])

    journal.sealing(chain(DAY, DAY + 5), DAY + 3)
    with pytest.raises(DeskError):
        journal.sealing(chain(DAY, DAY + 5), DAY + 6)
    for older in (chain(DAY, DAY + 9), chain(DAY + 2, DAY + 9)):
        with pytest.raises(DeskError):
            journal.sealing(older, DAY + 2)
        assert journal.sealing(older, DAY + 6).key() == sealing_of(DESK, DAY + 6).key()
    assert journal.sealing(chain(DAY + 8, DAY + 20), DAY + 8).day == DAY + 8
    with pytest.raises(DeskError):
        journal.sealing(chain(DAY + 8, DAY + 20), DAY + 7)


def test_no_day_that_is_over_can_be_sealed_with_what_the_database_holds(journal, registry):
    journal.sealing(sealing_of(DESK), DAY + 3)
    with registry.transaction() as session:
        held = SealingKey.from_bytes(session.get(SealingState, 1).state)
    assert held.day == DAY + 3
