"""Clearing of any version becomes one of this version and back, all or nothing, on SQLite and on PostgreSQL."""

import threading

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import Engine

from backend.errors import ConfigError
from backend.migrations import downgrade, is_no_part, upgrade, version
from backend.schema import metadata
from backend.store import Store
from tests.postgres import a_database


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    """Of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'clearing.db'}"
        return
    with a_database(request.getfixturevalue("postgresql")) as found:
        yield found


@pytest.fixture
def engine(address):
    made = create_engine(address)
    yield made
    made.dispose()


def test_the_steps_lead_to_the_tables_as_they_are(engine):
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_no_part})
        assert compare_metadata(context, metadata) == []


def test_every_constraint_of_the_tables_is_in_the_steps(engine, postgresql):
    def constraints(of):
        found = inspect(of)
        return {
            name: (
                sorted(each["name"] for each in found.get_check_constraints(name)),
                sorted(tuple(each["column_names"]) for each in found.get_unique_constraints(name)),
                sorted(tuple(each["constrained_columns"]) for each in found.get_foreign_keys(name)),
                found.get_pk_constraint(name)["constrained_columns"],
            )
            for name in found.get_table_names()
            if name != "alembic_version" and is_no_part(name, "table", {})
        }

    upgrade(engine)
    at_once = create_engine("sqlite://")
    metadata.create_all(at_once)
    assert constraints(engine) == constraints(at_once)


def test_several_who_open_it_at_once_make_its_tables_once(address):
    failed = []

    def open_it():
        store = Store(address, 1)
        try:
            store.migrate()
        except Exception as error:
            failed.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_new_file_can_be_opened_by_several_from_its_first_moment(tmp_path):
    """It is one with a write-ahead log when it is first there: to become one, it would have to be nobody else's."""
    file, versions = tmp_path / "clearing.db", set()

    def look(*_):
        # https://www.sqlite.org/fileformat2.html#file_format_version_numbers
        versions.add(file.read_bytes()[18:20])

    event.listen(Engine, "connect", look)
    store = Store(f"sqlite:///{file}", 1)
    store.migrate()
    store.close()
    event.remove(Engine, "connect", look)
    assert versions == {b"\x02\x02"}
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {file.name: 0o600}


def test_a_step_that_breaks_off_leaves_nothing(engine, monkeypatch):
    made = op.create_table

    def break_off(name, *columns, **options):
        if name == "posting":
            raise KeyboardInterrupt
        return made(name, *columns, **options)

    with monkeypatch.context() as patch:
        patch.setattr(op, "create_table", break_off)
        with pytest.raises(KeyboardInterrupt):
            upgrade(engine)
    assert inspect(engine).get_table_names() == []
    upgrade(engine)
    assert "posting" in inspect(engine).get_table_names()


def test_the_books_survive_every_step_back_that_keeps_their_tables(world):
    """Back to the first version and forward again: what was proven is proven, and what is owed is owed."""
    world.pool.tap(world.holder)
    world.desk.load(world.sibling)
    world.sync()
    before = world.picture()
    world.clearing.store.migrate("0001")
    world.clearing.store.migrate()
    assert world.picture() == before
    assert world.venue_is_owed() == 500


def test_all_the_way_back_leaves_no_table_and_forward_makes_them_again(engine):
    upgrade(engine)
    downgrade(engine, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    assert version(engine) is None
    upgrade(engine)
    assert "posting" in inspect(engine).get_table_names()


def test_a_database_of_a_newer_program_is_left_alone(engine, address):
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="newer"):
        Store(address, 1).migrate()
    assert version(engine) == "9999"
