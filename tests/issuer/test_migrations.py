"""A registry of any version becomes one of this version, all or nothing, on SQLite and on PostgreSQL."""

import threading

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import Engine

from issuer.errors import DeskError
from issuer.registry import Base, Registry
from issuer.registry.migrations import STEPS
from tests.postgres import a_database


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    """Of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'registry.sqlite'}"
        return
    with a_database(request.getfixturevalue("postgresql")) as found:
        yield found


def test_the_steps_lead_to_the_tables_as_they_are(address):
    registry = Registry.opened(address)
    with registry.transaction() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, Base.metadata) == []
    registry.close()


def test_every_constraint_of_the_tables_is_in_the_steps(address):
    def constraints(engine):
        found = inspect(engine)
        return {
            table: (
                sorted(each["name"] or each["sqltext"] for each in found.get_check_constraints(table)),
                sorted(tuple(sorted(each["column_names"])) for each in found.get_unique_constraints(table)),
            )
            for table in found.get_table_names()
            if table != "alembic_version"
        }

    Registry.opened(address).close()
    by_steps = create_engine(address)
    at_once = create_engine("sqlite://")
    Base.metadata.create_all(at_once)
    wanted, there = constraints(at_once), constraints(by_steps)
    assert {table: len(each[0]) for table, each in there.items()} == {t: len(each[0]) for t, each in wanted.items()}
    assert {table: each[1] for table, each in there.items()} == {table: each[1] for table, each in wanted.items()}
    by_steps.dispose()


def test_several_who_open_it_at_once_make_one_registry(address):
    failed = []

    def open_it():
        try:
            Registry.opened(address).close()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_new_file_can_be_opened_by_several_from_its_first_moment(tmp_path):
    """It is one with a write-ahead log when it is first there: to become one, it would have to be nobody else's."""
    file, versions = tmp_path / "registry.sqlite", set()

    def look(*_):
        # https://www.sqlite.org/fileformat2.html#file_format_version_numbers
        versions.add(file.read_bytes()[18:20])

    event.listen(Engine, "connect", look)
    Registry.at(tmp_path).close()
    event.remove(Engine, "connect", look)
    assert versions == {b"\x02\x02"}
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {file.name: 0o600}


def test_a_step_that_breaks_off_leaves_nothing(address, monkeypatch):
    """A power cut in the middle of the tables; the next time it is done from the beginning."""
    made = op.create_table

    def break_off(name, *columns, **options):
        if name == "planned_load":
            raise KeyboardInterrupt
        return made(name, *columns, **options)

    engine = create_engine(address)
    with monkeypatch.context() as patch:
        patch.setattr(op, "create_table", break_off)
        with pytest.raises(KeyboardInterrupt):
            STEPS.upgrade(engine)
    assert inspect(engine).get_table_names() == []
    STEPS.upgrade(engine)
    assert "planned_load" in inspect(engine).get_table_names()
    engine.dispose()


def test_a_registry_of_a_newer_program_is_left_alone(address):
    Registry.opened(address).close()
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DeskError, match="newer"):
        Registry.opened(address)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    engine.dispose()
