"""A database that is busy or just went away: said in one sentence, and what was asked can be asked again."""

import json
import sqlite3
from contextlib import contextmanager

import httpx
import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from backend.cli import app
from tests.backend.test_http import client_of, hand_in, problem

SENTENCE = "The database is busy or does not answer. Nothing is lost; try the same again in a moment."


@contextmanager
def a_hurry():
    """Nobody waits long for somebody else's lock."""

    def hurry(connection, cursor, statement, parameters, *_):
        if connection.dialect.name == "sqlite":
            cursor.execute("PRAGMA busy_timeout = 1")
        return statement.replace("'10s'", "'10ms'"), parameters

    event.listen(Engine, "before_cursor_execute", hurry, retval=True)
    yield
    event.remove(Engine, "before_cursor_execute", hurry)


@contextmanager
def somebody_writes(world):
    other = world.open()
    with a_hurry(), other.store.transaction():
        yield
    other.close()


@pytest.fixture
def locked(world):
    """A city in which somebody else writes, for as long as the test takes."""
    with somebody_writes(world):
        yield world


def test_over_http_who_meets_a_lock_is_asked_to_come_back(locked):
    locked.pool.tap(locked.holder)
    with client_of(locked) as client:
        answer = hand_in(client, 101, locked.pool.batch())
        body = problem(answer, 503)
        assert (body["detail"], body["reason"]) == (SENTENCE, "database")
        assert "kept" not in body
        assert int(answer.headers["Retry-After"]) > 0
        # Who only looks does not wait for who writes.
        assert client.get("/health").json()["pending"] == 0


PREPARE = ("settle", "prepare", "--until", "2026-11-30", "--by", "Anna")


def run(world, *words):
    world.config.save()
    return CliRunner().invoke(app, [*words, "--data", str(world.folder)], obj=httpx.MockTransport(world.vault))


def test_on_the_command_line_who_meets_a_lock_is_told_so(locked):
    said = run(locked, *PREPARE)
    assert (said.exit_code, said.stderr) == (1, SENTENCE + "\n")
    assert json.loads(run(locked, *PREPARE, "--json").stderr) == {"reason": "database", "faults": [SENTENCE]}


def test_on_the_command_line_who_only_looks_does_not_wait_for_who_writes(locked):
    assert run(locked, "totals", "--json").exit_code == 0


@pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
def test_a_file_that_nobody_else_may_read_is_busy_too(world):
    world.clearing.close()
    alone = sqlite3.connect(world.folder / "clearing.db", isolation_level=None)
    alone.execute("PRAGMA locking_mode = EXCLUSIVE")
    alone.execute("BEGIN IMMEDIATE")
    with a_hurry():
        assert run(world, "totals").stderr == SENTENCE + "\n"
    alone.close()


def test_what_met_a_lock_goes_well_the_next_time(world):
    world.pool.tap(world.holder)
    with client_of(world) as client:
        with somebody_writes(world):
            problem(hand_in(client, 101, world.pool.batch()), 503)
        assert hand_in(client, 101, world.pool.batch()).json()["accepted"] == 1


@pytest.mark.parametrize("furnished", ["postgresql"], indirect=True)
def test_a_server_that_started_anew_costs_one_answer(world):
    with client_of(world) as client:
        assert client.get("/health").status_code == 200
        # As a restart does to whoever is connected.
        administrator = create_engine(world.config.database_url)
        with administrator.connect() as connection:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            connection.execute(text(f"{ended} AND pid <> pg_backend_pid()"))
        administrator.dispose()
        problem(client.get("/health"), 503)
        assert client.get("/health").status_code == 200


@pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
def test_a_fault_of_ours_is_not_called_busy(world):
    with sqlite3.connect(world.folder / "clearing.db") as connection:
        connection.execute("ALTER TABLE quarantine RENAME TO elsewhere")
    connection.close()
    with client_of(world) as client:
        problem(client.get("/health"), 500)
