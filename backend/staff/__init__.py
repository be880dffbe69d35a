"""Who works with clearing: accounts, the log of what was done, and the venue that an account speaks for.

In a database of their own. The books are read by more than these pages: a municipality's neighbour shares the server,
and an auditor's tools read all tables. What opens an account is for nobody's eyes. Its tables have steps of their own
(`migrations`).
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, delete, func, insert, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from backend.errors import AccountRefused, ConfigError
from backend.people import named
from backend.staff.migrations import STEPS
from backend.staff.tables import speaks
from backend.web.permissions import RIGHTS
from web import accounts
from web.database import keep_address, new_file, prepare

ADDRESS_FILE = "staff.url"
_FILE = "staff.db"


class Staff:
    """The people in a database. `transaction()` is all or nothing."""

    def __init__(self, engine: Engine) -> None:
        prepare(engine)
        self._engine = engine

    @classmethod
    def at(cls, folder: Path) -> "Staff":
        """Those of a folder of clearing: in an SQLite file there, or in the database that its `staff.url` names."""
        address = folder / ADDRESS_FILE
        if address.exists():
            return cls._opened(address.read_text().strip())
        file = folder / _FILE
        new_file(file)
        return cls._opened(f"sqlite:///{file}")

    @classmethod
    def move_to(cls, folder: Path, address: str) -> "Staff":
        """Keep them in a database from now on; refused when there are people in the file."""
        if (folder / _FILE).exists():
            raise ConfigError("There are accounts in a file already. Begin with an empty folder.")
        opened = cls._opened(address)
        keep_address(folder / ADDRESS_FILE, address)
        return opened

    @classmethod
    def _opened(cls, address: str) -> "Staff":
        try:
            made = cls(create_engine(address))
            STEPS.upgrade(made._engine)
        except (ArgumentError, NoSuchModuleError):
            raise ConfigError("This is not the address of a database. Write it as postgresql+psycopg://…") from None
        except OperationalError:
            raise ConfigError("The database of accounts does not answer. Ask the administrator to start it.") from None
        return made

    def back_to(self, version: str) -> None:
        """Bring the tables back to an earlier version, for a program of that version."""
        STEPS.downgrade(self._engine, version)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        self._engine.dispose()


def answering(folder: Path, by: str, permission: str) -> str:
    """Who answers for an act that takes a permission, as the pages write it down: the user name of an account.

    Where nobody has an account, a name is believed. Raises PersonRefused or AccountRefused.
    """
    if not any((folder / name).exists() for name in (ADDRESS_FILE, _FILE)):
        return named(by)
    with closing(Staff.at(folder)) as staff, staff.transaction() as session:
        if not session.scalar(select(func.count()).select_from(accounts.Account)):
            return named(by)
        found = accounts.named(session, by)
        if found is not None and permission in RIGHTS.of(found.roles):
            return found.user_name
    roles = " or ".join(sorted(RIGHTS.table[permission][0]))
    raise AccountRefused(
        f"Say who does this by the user name of an account in use with the role {roles}. "
        "`meedoen backend web add-account` makes one."
    )


def venue_of(session: Session, account: int) -> int | None:
    """The venue that an account speaks for."""
    return session.scalar(select(speaks.c.venue).where(speaks.c.account == account))


def accounts_of(session: Session, venue: int) -> set[int]:
    return set(session.scalars(select(speaks.c.account).where(speaks.c.venue == venue)))


def speaks_for(session: Session, account: int, venue: int) -> None:
    """Tie an account to a venue, from now on this one."""
    session.execute(delete(speaks).where(speaks.c.account == account))
    session.execute(insert(speaks).values(account=account, venue=venue))
