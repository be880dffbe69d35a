"""Long work that a page began: one of a kind at a time, and begun again after a server that was killed."""

import os
import signal
import threading
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from backend.errors import PersonRefused, ReportRefused
from backend.runs import AUDIT, VERIFY
from tests.backend.conftest import NOT_ALLOWED

LATER = timedelta(minutes=2)


@pytest.fixture
def city(world):
    world.sells()
    return world


class Held:
    """A vault that is asked and says nothing until it may."""

    def __init__(self, world):
        self.asked, self._may, self._says = threading.Event(), threading.Event(), world.vault
        world.vault = self
        world.clearing.close()
        world.clearing = world.open()

    def __call__(self, request):
        self.asked.set()
        self._may.wait()
        return self._says(request)

    def answers(self):
        self._may.set()


def test_the_books_are_verified_in_the_background_and_everybody_reads_what_came_of_it(city):
    runs = city.clearing.runs
    assert runs.last(VERIFY) is None
    runs.start(VERIFY, "Anna")
    runs.close()
    elsewhere = city.open()
    found = elsewhere.runs.last(VERIFY)
    elsewhere.close()
    assert (found.state, found.started_by, found.done, found.total) == ("done", "Anna", 3, 3)
    assert found.found == {"entries": 3, "proven": 3, "waiting": 0, "difference": None}


def test_a_difference_is_kept_with_where_it_is(city):
    city.vault.committed.clear()
    city.clearing.runs.start(VERIFY, "Anna")
    city.clearing.runs.close()
    difference = city.clearing.runs.last(VERIFY).found["difference"]
    assert (difference["what"], difference["terminal"], difference["sequence"]) == ("state", 101, 1)


def test_an_audit_in_the_background_does_what_an_audit_does(city):
    record = city.pool.doubt(city.holder)
    city.sync(city.pool)
    finding = {"kind": "did_not_happen", "terminal": 101, "sequence": record.sequence, "nullifier": None}
    city.vault.finds = {"findings": [finding], "unnamed": 2}
    city.clearing.runs.start(AUDIT, "Anna")
    city.clearing.runs.close()
    assert city.clearing.runs.last(AUDIT).found == {"records": 4, "unnamed": 2}
    assert city.state(city.pool, record) == "void"


def test_a_second_click_begins_nothing_in_no_process(city):
    vault = Held(city)
    runs, elsewhere = city.clearing.runs, city.open()
    runs.start(VERIFY, "Anna")
    vault.asked.wait()
    for each in (runs, elsewhere.runs):
        assert each.last(VERIFY).state == "running"
        with pytest.raises(ReportRefused) as refused:
            each.start(VERIFY, "Bram")
        assert refused.value.reason == "running"
    vault.answers()
    runs.close()
    assert (runs.last(VERIFY).id, runs.last(VERIFY).state) == (1, "done")
    elsewhere.runs.start(VERIFY, "Bram")
    elsewhere.close()
    assert (runs.last(VERIFY).id, runs.last(VERIFY).started_by) == (2, "Bram")


def test_the_two_kinds_do_not_wait_for_each_other(city):
    vault = Held(city)
    city.clearing.runs.start(VERIFY, "Anna")
    vault.asked.wait()
    city.clearing.runs.start(AUDIT, "Anna")
    vault.answers()
    city.clearing.runs.close()
    assert {city.clearing.runs.last(kind).state for kind in (VERIFY, AUDIT)} == {"done"}


def test_a_vault_that_does_not_answer_and_work_that_breaks_are_told_apart(city, monkeypatch, caplog):
    runs = city.clearing.runs
    city.vault.down = True
    runs.start(VERIFY, "Anna")
    runs.close()
    assert (runs.last(VERIFY).state, runs.last(VERIFY).found) == ("no vault", None)
    monkeypatch.setattr("backend.verify.Verification.run", lambda *_: {}["lost"])
    runs.start(VERIFY, "Anna")
    runs.close()
    assert (runs.last(VERIFY).state, runs.last(VERIFY).found) == ("failed", None)
    assert "work broke" in caplog.text


def test_a_server_that_is_killed_leaves_a_run_that_is_broken_off_and_begun_again(city):
    city.clearing.close()  # nothing of ours is open while there are two of us
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        vault = Held(city)
        city.clearing.runs.start(VERIFY, "Anna")
        vault.asked.wait()
        os.write(tell, b"!")
        signal.pause()
    os.read(told, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    city.clearing = city.open()
    runs = city.clearing.runs
    assert runs.last(VERIFY).state == "running"
    city.now += LATER
    assert runs.last(VERIFY).state == "broken off"
    runs.start(VERIFY, "Bram")
    runs.close()
    assert (runs.last(VERIFY).started_by, runs.last(VERIFY).state) == ("Bram", "done")


def test_what_was_taken_for_broken_off_and_was_not_says_nothing_more(city):
    """A machine that slept: its run was begun again by somebody else, and that one counts."""
    vault = Held(city)
    slept, elsewhere = city.clearing, city.open()
    slept.runs.start(VERIFY, "Anna")
    vault.asked.wait()
    city.now += LATER
    elsewhere.runs.start(VERIFY, "Bram")
    vault.answers()
    slept.runs.close()
    elsewhere.close()
    with city.connection() as connection:
        rows = connection.execute(text("SELECT started_by, outcome FROM run ORDER BY id")).all()
    assert rows == [("Anna", "broken off"), ("Bram", "done")]


def test_nobody_begins_nothing(city):
    with pytest.raises(PersonRefused):
        city.clearing.runs.start(VERIFY, " ")
    assert city.clearing.runs.last(VERIFY) is None


@pytest.mark.parametrize(
    "change", ["UPDATE run SET outcome = 'failed'", "UPDATE run SET started_by = 'Bram'", "DELETE FROM run"]
)
def test_what_a_run_came_to_stays(city, change):
    city.clearing.runs.start(VERIFY, "Anna")
    city.clearing.runs.close()
    with pytest.raises(DatabaseError, match=NOT_ALLOWED), city.connection() as connection:
        connection.execute(text(change))
