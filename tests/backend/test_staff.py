"""Where accounts of staff are kept: made once, however many ask for it at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from backend.staff import ADDRESS_FILE, Staff
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


def test_what_accounts_are_kept_in_is_for_its_owner_only(tmp_path):
    Staff.at(tmp_path).close()
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {"staff.db": 0o600}
