"""Nobody makes money and nobody is paid twice: whatever is handed in again or made up, the books are the same."""

import pytest

from terminal.firmware.results import YES
from tests.simulation.adversary.money import Thief
from tests.simulation.adversary.regulars import regulars
from tests.simulation.invariants import Asked
from tests.simulation.people import serve
from tests.simulation.story import city_of, live

SEED, TAPS = 4, 40
MUSEUM, SHOP = 1, 0
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def run():
    """A town at the end of its story, its year not over: nothing is left to hand in."""
    story = regulars(SEED, TAPS)
    with city_of(story) as run:
        live(run, story)
        for place in run.city.places:
            assert place.sync() == ""
        yield run


def books(run):
    """What everybody is owed and has, and how many records count."""
    with run.city.clearing.store.transaction() as tx:
        proven = tx.journal.states()["proven"]
    return proven, run.city.clearing.ledger.balances()


@pytest.fixture(scope="module")
def thief(run):
    return Thief(run, run.city.places[MUSEUM])


ATTACKS = (
    "batches_again",
    "batches_of_another_terminal",
    "taps_again",
    "taps_under_other_numbers",
    "dearer_taps",
    "taps_as_another_kind",
    "taps_of_another_terminal",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_no_pass_did_or_did_once_changes_no_balance(run, thief, attack):
    before = books(run)
    answers = getattr(thief, attack)()
    assert sum(amount for (account, _), amount in before[1].items() if account.startswith("venue")) != 0
    assert any(answer.get("refused") or answer.get("duplicates") or answer.get("status") for answer in answers), answers
    assert books(run) == before


def test_where_the_vault_does_not_look_what_passes_signed_a_thief_is_paid():
    """The attacks are real ones: without that check they change the books."""
    story = regulars(SEED, 12, planted="a skipped MAC check")
    with city_of(story) as run:
        live(run, story)
        assert all(place.sync() == "" for place in run.city.places)
        before = books(run)
        Thief(run, run.city.places[MUSEUM]).taps_under_other_numbers()
        assert books(run) != before


def tap(run, place):
    """A guest pays at this terminal; whoever has enough."""
    offer = run.city.offer(place, 0)
    for guest in run.city.guests:
        asked = Asked(place.terminal, offer, 0)
        code = serve(run, place, guest, asked, {})
        place.put_away()
        if code == YES:
            return
    raise AssertionError("nobody can pay")


def test_an_old_backup_of_the_flash_is_worth_nothing(run):
    """Put back it hands in nothing new; and what a guest then pays stands in two journals, and is not paid out."""
    place = run.city.places[SHOP]
    backup = bytes(place.storage.content)
    tap(run, place)
    assert place.sync() == ""
    before = books(run)
    place.storage.content[:] = backup
    place.boot()
    place.sync()
    assert books(run) == before
    tap(run, place)
    place.sync()
    assert books(run) == before
