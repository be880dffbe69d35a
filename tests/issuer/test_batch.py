"""A stack of cards on several readers: everybody gets one pass and every budget once, whatever stops it where."""

import random
import signal
import subprocess
import sys
import threading

import pytest

from card.batch import COMMITTED, link_key, open_batch
from hardware.emulated_pass import EmulatedPass, Memory, inspect
from hardware.errors import ReaderError
from hardware.in_process import InProcessReader
from issuer.batch import Batch, Progress, Step
from issuer.encoding import RegistryJobs
from issuer.errors import CardRefused, DeskError, VaultUnreachable
from issuer.registry import cards
from issuer.registry.tables import BegunCard, OpenIntent, PlannedLoad
from tests.city import DESK, PROVER, ROOT, VAULT, factory_card, purses_of
from tests.issuer.a_batch import PEOPLE, SCHEME, JobsInMemory, Operator, desk_on, run_emulated
from tests.issuer.a_registry import TODAY, all_passes, in_memory, kept, noon, on_disk, put_back, take

# One pass with the budgets of a child: made, loaded three times and read.
EXCHANGES_OF_A_PASS = 76


def uid(number: int) -> bytes:
    return b"\x04" + number.to_bytes(6, "big")


def batch(operator: Operator, jobs, encode, **options) -> Progress:
    def identify(reader):
        raise CardRefused("hides its number, and is not ours")

    return Batch(operator.readers, jobs, encode, identify, operator.show, poll_seconds=0.01, **options).run()


def nothing(job, reader):
    """Makes nothing of the card, and is content."""


# What the readers show


def test_each_reader_gets_the_next_job_with_the_next_card():
    jobs, operator = JobsInMemory(20), Operator([factory_card(uid(n)) for n in range(20)], readers=3)
    progress = batch(operator, jobs, nothing)
    assert (progress.done, progress.waiting, progress.rejected) == (20, 0, 0)
    assert sorted(jobs.made.values()) == [uid(n) for n in range(20)]
    assert {name for name, _ in operator.lines} == {"1", "2", "3"}
    assert jobs.in_hand == set()


def test_a_reader_says_what_to_do_in_two_languages():
    operator = Operator([factory_card(uid(1))])
    batch(operator, JobsInMemory(1), nothing)
    assert operator.steps() == [Step.PUT_DOWN, Step.BUSY, Step.TAKE_AWAY, Step.NOTHING_LEFT]
    assert all(step.dutch and step.english for step in Step)


def test_cards_with_a_face_are_asked_for_by_their_code():
    operator = Operator([factory_card(uid(n)) for n in range(2)])
    batch(operator, JobsInMemory(2), nothing, ahead=True)
    asked = [line.code for _, line in operator.lines if line.step is Step.PUT_THIS_DOWN]
    assert asked == ["CODE-0001", "CODE-0002"]


def test_a_card_that_fails_is_rejected_and_the_job_gets_another():
    def encode(job, reader):
        if reader.find_pass() == uid(0):
            raise CardRefused("It does not keep what is written.")

    jobs, operator = JobsInMemory(1), Operator([factory_card(uid(0)), factory_card(uid(1))])
    progress = batch(operator, jobs, encode)
    assert (progress.done, progress.rejected) == (1, 1)
    assert jobs.rejected == [(uid(0), "It does not keep what is written.")]
    assert list(jobs.made.values()) == [uid(1)]


def test_a_card_that_fails_only_once_is_not_rejected():
    tries = []

    def encode(job, reader):
        tries.append(job)
        if len(tries) == 1:
            raise CardRefused("nonsense")

    jobs = JobsInMemory(1)
    assert batch(Operator([factory_card(uid(0))]), jobs, encode).rejected == 0
    assert len(jobs.made) == 1


def test_a_rejected_card_that_is_put_down_again_is_not_taken():
    def encode(job, reader):
        if reader.find_pass() == uid(0):
            raise CardRefused("broken")

    bad = factory_card(uid(0))
    jobs, operator = JobsInMemory(1), Operator([bad, bad, factory_card(uid(1))])
    assert batch(operator, jobs, encode).done == 1
    assert len(jobs.rejected) == 1
    assert Step.WRONG_CARD in operator.steps()


def test_a_card_that_is_swapped_half_way_has_left_and_does_not_become_the_second_pass_of_the_job():
    others, seen = [factory_card(uid(9))], []

    def encode(job, reader):
        if others:
            operator.readers["1"].present(others.pop())
        seen.append(reader.find_pass())

    operator = Operator([factory_card(uid(0))])
    jobs = JobsInMemory(1)
    batch(operator, jobs, encode)
    assert seen == [uid(0)]
    assert list(jobs.made.values()) == [uid(0)]
    assert Step.PUT_BACK in operator.steps()


def test_what_cannot_be_done_here_goes_to_a_person_and_the_rest_goes_on():
    def encode(job, reader):
        if job.number == 1:
            raise DeskError("This person has a pass already.")

    jobs = JobsInMemory(2)
    progress = batch(Operator([factory_card(uid(n)) for n in range(2)]), jobs, encode)
    assert (progress.done, progress.by_hand) == (1, 1)
    assert list(jobs.given_up.values()) == ["This person has a pass already."]


def test_a_reader_that_breaks_leaves_its_job_to_the_others():
    class Breaks(InProcessReader):
        def find_pass(self):
            raise ReaderError("unplugged")

    def encode(job, reader):
        assert operator.wait_for(Step.BROKEN)

    jobs, operator = JobsInMemory(3), Operator([factory_card(uid(n)) for n in range(4)], readers=2)
    operator.readers["2"] = Breaks()
    assert batch(operator, jobs, encode).done == 3


def test_no_reader_that_works_is_said():
    class Breaks(InProcessReader):
        def find_pass(self):
            raise ReaderError("unplugged")

    operator = Operator([factory_card(uid(0))])
    operator.readers["1"] = Breaks()
    with pytest.raises(ReaderError, match="no reader works"):
        batch(operator, JobsInMemory(1), nothing)


def test_without_the_vault_nothing_goes_on_and_nothing_is_rejected():
    def encode(job, reader):
        raise VaultUnreachable("The vault does not answer.")

    jobs, operator = JobsInMemory(9), Operator([factory_card(uid(n)) for n in range(9)], readers=2)
    with pytest.raises(VaultUnreachable):
        batch(operator, jobs, encode)
    assert (jobs.rejected, jobs.made, jobs.in_hand) == ([], {}, set())


def test_it_ends_after_the_card_in_hand_when_it_is_stopped():
    jobs, operator = JobsInMemory(9), Operator([factory_card(uid(n)) for n in range(9)])
    made = Batch(operator.readers, jobs, lambda job, reader: made.stop(), lambda reader: b"", operator.show)
    assert made.run().done == 1


@pytest.mark.parametrize(
    ("progress", "per_hour", "minutes"),
    [
        (Progress(0, 0, 0, 500, 60), None, None),
        (Progress(100, 0, 0, 500, 3600), 100, 300),
        (Progress(1, 0, 0, 1, 59), 61, 1),
        (Progress(7, 0, 0, 0, 60), 420, 0),
    ],
)
def test_the_estimate_follows_from_what_was_done(progress, per_hour, minutes):
    assert (progress.per_hour, progress.minutes_left) == (per_hour, minutes)


# With the registry


def filled(registry, people=PEOPLE):
    """People who wait, and a delivery of twenty cards."""
    take(registry, people)
    with registry.transaction() as session:
        box = cards.receive(session, "box", "Cards Ltd", 20, TODAY)
        cards.judge(session, box, True, [], 0, "clerk", TODAY)
    return registry


@pytest.fixture
def registry(tmp_path):
    """On disk: a database in memory has one connection, which threads cannot share."""
    made = filled(on_disk(tmp_path))
    yield made
    made.close()


@pytest.fixture(scope="module")
def first_waits():
    registry = filled(in_memory(), PEOPLE[:1])
    return registry, kept(registry)


@pytest.fixture
def one_waits(first_waits):
    """Only one person, in memory."""
    put_back(*first_waits)
    return first_waits[0]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cards"


def right(registry, folder, people=4, box=True):
    """What must be true when all is done, by registry, cards and the vault's proof."""
    made = all_passes(registry)
    assert sorted(card.holder_id for card in made if card.state == "encoded") == list(range(1, people + 1))
    assert len(made) == people
    with registry.transaction() as session:
        assert session.query(BegunCard).count() == session.query(OpenIntent).count() == 0
        loads = session.query(PlannedLoad).all()
        assert {load.state for load in loads} == {"written"}
        if box:
            stock = cards.stock(session, cards.delivery(session, "box"))
            assert (stock.used, stock.rejected, stock.left) == (people, 0, 20 - people)
    given = {purse: sum(load.amount for load in loads if load.purse == purse) for purse in SCHEME.purses}
    every = [Memory.load(path) for path in folder.glob("*.json")]
    # A card that nobody needed any more may lie on a reader. No card was spoiled.
    used = [memory for memory in every if memory.picc.key.kind == "AES"]
    assert all(inspect(memory)["applications"] == {} for memory in every if memory not in used)
    on_cards = [purses_of(EmulatedPass(memory)) for memory in used]
    assert {purse: sum(held[purse] for held in on_cards) for purse in given} == given == proven(desk_on(registry))
    assert len(used) == people
    assert all(inspect(memory)["random_id"] for memory in used)


def proven(desk):
    link, found = link_key(VAULT.handed_out("link", 1), DESK), {}
    for sent in desk.journal.batches(1):
        for entry in open_batch(sent, lambda terminal: [link]).entries:
            if entry.outcome == COMMITTED:
                assert PROVER.prove(entry.clear_bytes + entry.sealed)[0].valid
                assert entry.clear.sequence not in found, "a number that was used twice"
                found[entry.clear.sequence] = entry.clear.purse1, entry.clear.amount1
    return {purse: sum(n for p, n in found.values() if p == purse) for purse in SCHEME.purses}


def test_everybody_gets_one_pass_with_every_budget_once(registry, folder):
    assert run_emulated(registry, folder, 3, delivery="box").done == len(PEOPLE)
    right(registry, folder)


def test_a_second_run_has_nothing_to_do(registry, folder):
    run_emulated(registry, folder, 1, delivery="box")
    assert run_emulated(registry, folder, 1, delivery="box") == Progress(0, 0, 0, 0, 0)
    right(registry, folder)


class Died(BaseException):
    """The process ends here."""


def test_the_exchanges_of_a_pass(one_waits, folder):
    moments = []
    run_emulated(one_waits, folder, 1, lambda: moments.append(1))
    assert len(moments) == 2 * EXCHANGES_OF_A_PASS


@pytest.mark.parametrize("exchange", range(1, EXCHANGES_OF_A_PASS + 1))
def test_after_a_crash_at_any_exchange_the_same_card_is_finished(one_waits, folder, exchange):
    """The card has done what it was told, and nobody heard it."""
    left = [2 * exchange]

    def die():
        left[0] -= 1
        if left[0] == 0:
            raise Died

    with pytest.raises(Died):
        run_emulated(one_waits, folder, 1, die, "box")
    run_emulated(one_waits, folder, 1, delivery="box")
    right(one_waits, folder, 1)


@pytest.mark.parametrize("number", range(2))
def test_a_process_that_is_killed_goes_on_where_it_was(registry, tmp_path, folder, number):
    """With two readers, twice over, at moments that this test's number chooses."""
    pick = random.Random(number)
    for _ in range(2):
        command = [sys.executable, "-m", "tests.issuer.a_batch", str(tmp_path), "2", str(pick.randrange(1, 300))]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode in (-signal.SIGKILL, 0), ended.stderr
    run_emulated(registry, folder, 2)
    right(registry, folder, box=False)


def test_a_card_that_is_rejected_before_it_is_a_pass_is_replaced_and_booked(registry):
    desk = desk_on(registry)
    jobs = RegistryJobs(registry, desk, TODAY, noon, "clerk", "box")
    old = factory_card(uid(1), generation="EV1")
    operator = Operator([old, *[factory_card(uid(n)) for n in range(2, 6)]])
    progress = Batch(operator.readers, jobs, jobs.encode, desk.identify, operator.show, poll_seconds=0.01).run()
    assert (progress.done, progress.rejected) == (4, 1)
    with registry.transaction() as session:
        (rejected,) = cards.rejects(session)
        stock = cards.stock(session, cards.delivery(session, "box"))
    assert (rejected.uid, "EV1" in rejected.reason) == (uid(1), True)
    assert (stock.used, stock.rejected, stock.left) == (4, 1, 15)
    assert {card.uid for card in all_passes(registry)} == {uid(n) for n in range(2, 6)}


def begun_pass(registry):
    desk = desk_on(registry)
    jobs = RegistryJobs(registry, desk, TODAY, noon, "clerk")
    job = jobs.next()
    jobs.begin(job, uid(1))
    return jobs, job


def test_a_job_with_a_card_gets_no_other_card(registry):
    jobs, job = begun_pass(registry)
    with pytest.raises(CardRefused, match="another card"):
        jobs.begin(job, uid(2))
    jobs.put_back(job)
    others = [jobs.next() for _ in range(4)]
    assert job not in others
    assert others[-1] is None


def test_a_card_that_was_begun_is_known_after_a_restart_and_on_one_reader_at_a_time(registry):
    _, job = begun_pass(registry)
    jobs = RegistryJobs(registry, desk_on(registry), TODAY, noon, "clerk")
    assert jobs.waiting() == len(PEOPLE)
    assert jobs.of_card(uid(2)) is None
    assert jobs.of_card(uid(1)) == job
    with pytest.raises(CardRefused, match="same number"):
        jobs.of_card(uid(1))


def test_a_card_on_which_money_may_be_is_not_replaced_without_a_person(registry):
    jobs, job = begun_pass(registry)
    card = factory_card(uid(1))
    jobs.encode(job, InProcessReader(card))
    assert not jobs.reject(job, uid(1), "broken")
    assert jobs.waiting() == len(PEOPLE) - 1
    with registry.transaction() as session:
        assert cards.rejects(session) == []
    assert [each.state for each in all_passes(registry)] == ["encoded"]


def test_a_chip_that_fails_before_its_first_budget_is_destroyed_and_the_holder_gets_another(registry):
    jobs, job = begun_pass(registry)

    def never(*arguments):
        raise CardRefused("broken")

    whole, jobs._desk.load = jobs._desk.load, never
    with pytest.raises(CardRefused):
        jobs.encode(job, InProcessReader(factory_card(uid(1))))
    jobs._desk.load = whole
    assert jobs.reject(job, uid(1), "broken")
    jobs.put_back(job)
    again = next(each for each in iter(jobs.next, None) if each.number == job.number)
    assert again.code != job.code
    jobs.begin(again, uid(2))
    jobs.encode(again, InProcessReader(factory_card(uid(2))))
    assert [each.state for each in all_passes(registry)].count("encoded") == 1
    assert [each.state for each in all_passes(registry)].count("destroyed") == 1


def test_a_delivery_that_was_not_tested_or_was_refused_is_not_used(registry):
    desk = desk_on(registry)
    with registry.transaction() as session:
        cards.receive(session, "new", "Cards Ltd", 10, TODAY)
        bad = cards.receive(session, "bad", "Cards Ltd", 10, TODAY)
        cards.judge(session, bad, False, [], 0, "clerk", TODAY)
    for reference in ("new", "bad"):
        with pytest.raises(DeskError, match="did not pass its test"):
            RegistryJobs(registry, desk, TODAY, noon, "clerk", reference)


def test_two_threads_never_take_the_same_number(registry):
    desk = desk_on(registry)
    taken, ready = [], threading.Barrier(4)

    def take_one():
        ready.wait()
        taken.append(desk.journal.next_sequence())
        taken.append(desk.journal.next_sequence())

    threads = [threading.Thread(target=take_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Who asks again before it was used gets the same one again, so that none is lost.
    assert sorted(taken) == [1, 1, 2, 2, 3, 3, 4, 4]
