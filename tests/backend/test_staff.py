"""Where accounts of staff are kept: made once, however many ask at once, and of any version brought to this one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import Engine

from backend.errors import ConfigError
from backend.staff import ADDRESS_FILE, Staff, speaks_for, venue_of
from backend.staff.migrations import STEPS
from backend.staff.tables import metadata
from backend.web.permissions import RIGHTS
from tests.postgres import a_database
from web.accounts import add_account, all_accounts
from web.database import keep_address

AT_ONCE = 6


@pytest.fixture(params=["sqlite", "postgresql"])
def folder(request, tmp_path):
    """Of clearing, in which nobody has an account yet."""
    if request.param == "sqlite":
        yield tmp_path
        return
    with a_database(request.getfixturevalue("postgresql")) as address:
        keep_address(tmp_path / ADDRESS_FILE, address)
        yield tmp_path


@pytest.fixture
def together():
    """All have looked at what is there before the first makes anything."""
    looked, of_a_thread = threading.Barrier(AT_ONCE), threading.local()

    def wait(_connection, _cursor, statement, *_):
        if statement.lstrip().startswith("CREATE TABLE") and not hasattr(of_a_thread, "made"):
            of_a_thread.made = True
            # Who does it alone waits for nobody.
            with suppress(threading.BrokenBarrierError):
                looked.wait(1)

    event.listen(Engine, "before_cursor_execute", wait)
    yield
    event.remove(Engine, "before_cursor_execute", wait)


def test_several_that_begin_at_once_find_the_same_accounts(folder, together):
    def begin(number):
        staff = Staff.at(folder)
        with staff.transaction() as session:
            add_account(session, RIGHTS, f"officer-{number}", "Noor de Wit", frozenset(["finance"]))
        staff.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(begin, range(AT_ONCE)))
    staff = Staff.at(folder)
    with staff.transaction() as session:
        assert [each.user_name for each in all_accounts(session)] == [f"officer-{each}" for each in range(AT_ONCE)]
    staff.close()


def account_in(staff):
    with staff.transaction() as session:
        made = add_account(session, RIGHTS, "v.plas", "Vera Plas", frozenset(["venue"]))
        speaks_for(session, made.id, 5)


def names_and_venues(staff):
    with staff.transaction() as session:
        return [(each.user_name, venue_of(session, each.id)) for each in all_accounts(session)]


def version_of(folder):
    with engine_of(folder).connect() as connection:
        return STEPS.version(connection)


def engine_of(folder):
    """Of the database in which accounts of this folder are kept."""
    address = folder / ADDRESS_FILE
    return create_engine(address.read_text().strip() if address.exists() else f"sqlite:///{folder / 'staff.db'}")


def test_the_steps_lead_to_the_tables_as_they_are(folder):
    Staff.at(folder).close()
    with engine_of(folder).connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": STEPS.version_table})
        assert compare_metadata(context, metadata) == []


def test_every_constraint_of_the_tables_is_in_the_steps(folder):
    def constraints(engine):
        found = inspect(engine)
        return {
            table: (
                len(found.get_check_constraints(table)),
                sorted(tuple(sorted(each["column_names"])) for each in found.get_unique_constraints(table)),
            )
            for table in metadata.tables
        }

    Staff.at(folder).close()
    at_once = create_engine("sqlite://")
    metadata.create_all(at_once)
    assert constraints(engine_of(folder)) == constraints(at_once)


def test_accounts_of_before_there_were_steps_are_brought_up(folder):
    """As a program made them that knew of no versions."""
    engine = engine_of(folder)
    metadata.create_all(engine)
    account_in(Staff(engine))
    assert version_of(folder) is None
    staff = Staff.at(folder)
    assert names_and_venues(staff) == [("v.plas", 5)]
    staff.close()
    assert version_of(folder) == "0001"


def test_accounts_survive_every_step_back_that_keeps_their_tables(folder):
    staff = Staff.at(folder)
    account_in(staff)
    staff.back_to("0001")
    assert version_of(folder) == "0001"
    staff.close()
    staff = Staff.at(folder)
    assert names_and_venues(staff) == [("v.plas", 5)]
    staff.close()


def test_all_the_way_back_leaves_no_table_and_forward_makes_them_again(folder):
    staff = Staff.at(folder)
    staff.back_to("base")
    assert inspect(engine_of(folder)).get_table_names() == [STEPS.version_table]
    staff.close()
    staff = Staff.at(folder)
    account_in(staff)
    staff.close()


def test_a_step_that_breaks_off_leaves_nothing(folder, monkeypatch):
    made = op.create_table

    def break_off(name, *columns, **options):
        if name == "account_venue":
            raise KeyboardInterrupt
        return made(name, *columns, **options)

    with monkeypatch.context() as patch:
        patch.setattr(op, "create_table", break_off)
        with pytest.raises(KeyboardInterrupt):
            Staff.at(folder)
    Staff.at(folder).close()
    assert "account_venue" in inspect(engine_of(folder)).get_table_names()


def test_accounts_of_a_newer_program_are_left_alone(folder):
    Staff.at(folder).close()
    with engine_of(folder).begin() as connection:
        connection.execute(text(f"UPDATE {STEPS.version_table} SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="newer"):
        Staff.at(folder)
    assert version_of(folder) == "9999"


def test_what_accounts_are_kept_in_is_for_its_owner_only(tmp_path):
    Staff.at(tmp_path).close()
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {"staff.db": 0o600}
