"""What PostgreSQL itself keeps clearing from: changing what was written, and the rows of another municipality."""

from contextlib import contextmanager
from datetime import date

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from backend.errors import ConfigError
from backend.migrations import upgrade
from backend.schema import metadata
from backend.schema.base import guarded
from backend.store import Store
from tests.postgres import a_database

TABLES = [table.name for table in metadata.sorted_tables]


@pytest.fixture(scope="module")
def database(postgresql):
    """With the tables, and a user who logs in as clearing does, one as an auditor does, and one as nobody."""
    with a_database(postgresql) as address:
        engine = create_engine(address)
        upgrade(engine)
        with engine.begin() as connection:
            for user, role in {"till": "meedoen_clearing", "accountant": "meedoen_auditor", "passer_by": None}.items():
                connection.execute(text(f"DROP ROLE IF EXISTS {user}"))
                connection.execute(text(f"CREATE ROLE {user} LOGIN {f'IN ROLE {role}' if role else ''}"))
        engine.dispose()
        yield address


@contextmanager
def logged_in(database, user, municipality=1):
    engine = create_engine(make_url(database).set(username=user))
    try:
        with engine.begin() as connection:
            connection.execute(text(f"SET LOCAL meedoen.municipality = {municipality}"))
            yield connection
    finally:
        engine.dispose()


@pytest.mark.parametrize("table", TABLES)
def test_clearing_removes_nothing_that_is_to_stay_and_changes_only_what_is_declared_to_change(database, table):
    (made,) = [each for each in metadata.sorted_tables if each.name == table]
    guard = guarded[made]
    for column in made.columns:
        with logged_in(database, "till") as connection:
            statement = text(f"UPDATE {table} SET {column.name} = {column.name}")
            if column.name in guard.changing:
                connection.execute(statement)
            else:
                with pytest.raises(ProgrammingError, match="permission denied"):
                    connection.execute(statement)
    with logged_in(database, "till") as connection:
        if guard.removable:
            connection.execute(text(f"DELETE FROM {table}"))
        else:
            with pytest.raises(ProgrammingError, match="permission denied"):
                connection.execute(text(f"DELETE FROM {table}"))


@pytest.mark.parametrize("table", TABLES)
def test_an_auditor_reads_all_and_writes_nothing(database, table):
    with logged_in(database, "accountant") as connection:
        connection.execute(text(f"SELECT * FROM {table}"))
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text(f"INSERT INTO {table} DEFAULT VALUES"))


@pytest.mark.parametrize("table", TABLES)
def test_who_has_no_role_sees_nothing(database, table):
    with logged_in(database, "passer_by") as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text(f"SELECT * FROM {table}"))


@pytest.mark.parametrize("change", ["DROP TABLE entry", "ALTER TABLE entry DISABLE ROW LEVEL SECURITY"])
def test_clearing_does_not_change_tables(database, change):
    with logged_in(database, "till") as connection, pytest.raises(ProgrammingError, match="must be owner"):
        connection.execute(text(change))


def test_clearing_works_with_the_rights_of_clearing_whoever_logs_in(world):
    """Also when the address is an administrator's."""
    with world.connection() as connection:
        if connection.dialect.name == "postgresql":
            assert connection.scalar(text("SELECT current_user")) == "meedoen_clearing"


def test_who_may_not_migrate_is_told_who_may(postgresql):
    with a_database(postgresql) as address:
        engine = create_engine(address)
        with engine.begin() as connection:
            connection.execute(text("DROP ROLE IF EXISTS stranger"))
            connection.execute(text("CREATE ROLE stranger LOGIN"))
        engine.dispose()
        store = Store(str(make_url(address).set(username="stranger")), 1)
        with pytest.raises(ConfigError, match="meedoen_owner"):
            store.migrate()
        store.close()


# Municipalities


def test_every_table_is_behind_the_wall_between_municipalities(database):
    """Also one that is made tomorrow."""
    query = """
        SELECT relname, relrowsecurity, relforcerowsecurity, array_agg(polname::text), pg_get_userbyid(relowner)
        FROM pg_class LEFT JOIN pg_policy ON polrelid = pg_class.oid
        WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
        GROUP BY pg_class.oid, relname, relrowsecurity, relforcerowsecurity, relowner"""
    with logged_in(database, "postgres") as connection:
        found = {name: facts for name, *facts in connection.execute(text(query))}
    assert set(TABLES) <= set(found)
    for name, facts in found.items():
        # What is in a part of a table is read by way of the table: by itself nobody sees a row of it.
        policies = ["municipality"] if name in TABLES else [None]
        assert facts == [True, True, policies, "meedoen_owner"], name
    assert "entry_other" in set(found) - set(TABLES)


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=str)
def test_every_key_says_of_which_municipality(table):
    """Two have a venue 1, and no row refers to one of the other."""
    numbered = [column.name for column in table.primary_key] == ["id"]
    assert numbered or "municipality" in table.primary_key.columns
    for key in table.foreign_key_constraints:
        pairs = [(element.parent.name, element.column.name) for element in key.elements]
        assert ("municipality", "municipality") in pairs, key.name
    for constraint in table.constraints:
        if type(constraint).__name__ == "UniqueConstraint":
            assert "municipality" in constraint.columns, constraint.name
    for index in table.indexes:
        assert not index.unique or "municipality" in index.columns, index.name


@pytest.fixture
def neighbours(database):
    """Two municipalities in one database, both with a venue 5 and a terminal 101."""
    stores = [Store(str(make_url(database).set(username="till")), number) for number in (1, 2)]
    for number, store in enumerate(stores, 1):
        with store.transaction() as tx:
            if tx.catalogue.venue(5) is None:
                tx.catalogue.put_venue(5, f"Pool of {number}", "NL91ABNA0417164300", None)
                tx.catalogue.add_terminal(101, 5, date(2026, 11, 2))
    yield stores
    for store in stores:
        store.close()


def test_two_municipalities_have_a_venue_of_the_same_number_and_see_their_own(neighbours):
    names = []
    for store in neighbours:
        with store.transaction() as tx:
            names.append([venue.name for venue in tx.catalogue.venues()])
        with store.reading() as tx:
            assert [terminal.number for terminal in tx.catalogue.terminals()] == [101]
    assert names == [["Pool of 1"], ["Pool of 2"]]


def test_what_one_changes_changes_nothing_of_the_other(neighbours):
    one, other = neighbours
    with one.transaction() as tx:
        tx.catalogue.put_venue(5, "Renamed", "NL91ABNA0417164300", None)
    with other.transaction() as tx:
        assert tx.catalogue.venue(5).name == "Pool of 2"
    with one.transaction() as tx:
        tx.catalogue.put_venue(5, "Pool of 1", "NL91ABNA0417164300", None)


def test_nobody_writes_a_row_of_another_municipality(neighbours, database):
    insert = "INSERT INTO venue (number, name, iban, municipality) VALUES (6, 'Theirs', 'NL91ABNA0417164300', 2)"
    with logged_in(database, "till") as connection, pytest.raises(ProgrammingError, match="row-level security"):
        connection.execute(text(insert))


def test_no_row_refers_to_one_of_another_municipality(neighbours, database):
    theirs = "INSERT INTO venue (number, name, iban, municipality) VALUES (77, 'Theirs', 'NL91ABNA0417164300', 3)"
    with logged_in(database, "till", 3) as connection:
        connection.execute(text(theirs))
    columns = "number, venue, in_use, in_use_since, municipality"
    insert = f"INSERT INTO terminal ({columns}) VALUES (500, 77, true, '2026-11-02', 1)"
    with logged_in(database, "till", 1) as connection, pytest.raises(DBAPIError, match="foreign key"):
        connection.execute(text(insert))


def test_a_session_that_does_not_say_whose_it_is_gets_an_error_and_no_rows(neighbours, database):
    engine = create_engine(make_url(database).set(username="till"))
    with engine.connect() as connection, pytest.raises(DBAPIError, match=r"meedoen\.municipality"):
        connection.execute(text("SELECT * FROM venue"))
    engine.dispose()
