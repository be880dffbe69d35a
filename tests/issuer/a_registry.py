"""A registry with people in it, and one-line questions to it."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from issuer.people import Person
from issuer.registry import Registry, loads, passes, people
from issuer.registry.tables import CardPass, Holder, PlannedLoad

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = NOON.date()


def noon() -> datetime:
    return NOON


# The steps that lead to the tables are run once for each kind of database, and what they led to is copied.


@cache
def _empty_file() -> bytes:
    with TemporaryDirectory() as folder:
        Registry.at(Path(folder)).close()
        return (Path(folder) / "registry.sqlite").read_bytes()


@cache
def _empty_in_memory() -> bytes:
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as connection:
        Registry(create_engine("sqlite://", poolclass=StaticPool, creator=lambda: connection))
        return connection.serialize()


def in_memory() -> Registry:
    """An empty registry."""

    def opened() -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        connection.deserialize(_empty_in_memory())
        return connection

    return Registry(create_engine("sqlite://", poolclass=StaticPool, creator=opened))


def kept(registry: Registry) -> bytes:
    """All that is in a registry in memory now, for `put_back`."""
    return _connection(registry).serialize()


def put_back(registry: Registry, content: bytes) -> None:
    """Make of a registry in memory what it was: cheaper than another one, which has to learn each question anew."""
    _connection(registry).deserialize(content)


def _connection(registry: Registry) -> sqlite3.Connection:
    with closing(registry._engine.raw_connection()) as pooled:
        return pooled.driver_connection


def on_disk(folder: Path) -> Registry:
    """What `Registry.at` makes of a folder that has none."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "registry.sqlite").write_bytes(_empty_file())
    return Registry.at(folder)


def take(registry: Registry, persons: Sequence[Person], on: date = TODAY) -> list[Holder]:
    with registry.transaction() as session:
        return people.take(session, persons, "import", on)


def holder(registry: Registry, person: Person) -> Holder:
    (found,) = [one for one in everybody(registry) if one.person.identity == person.identity]
    return found


def everybody(registry: Registry) -> list[Holder]:
    with registry.transaction() as session:
        return people.holders(session)


def all_passes(registry: Registry) -> list[CardPass]:
    with registry.transaction() as session:
        return passes.listing(session)


def pass_of(registry: Registry, who: Holder) -> CardPass | None:
    with registry.transaction() as session:
        return passes.of(session, who.id)


def block(registry: Registry, card: CardPass) -> None:
    with registry.transaction() as session:
        passes.move(session, passes.coded(session, card.printed_code), "blocked", "clerk", NOON)


def plan(registry: Registry, *planned: PlannedLoad) -> None:
    with registry.transaction() as session:
        session.add_all(planned)


def waiting(registry: Registry, holder_id: int = 1, handle: bytes = bytes(16)) -> list[PlannedLoad]:
    """What is to be written on a pass of a holder."""
    with registry.transaction() as session:
        return loads.waiting(session, CardPass(holder_id=holder_id, handle=handle))


def a_load(number: int, purse: int, amount: int, period: str = "2026", **more: object) -> PlannedLoad:
    return PlannedLoad(holder_id=1, grant_number=number, period=period, purse=purse, amount=amount, **more)


def give_pass(registry: Registry, who: Holder, code: str, state: str = "active") -> CardPass:
    """A pass with a chip that is only a number; without one while it is being made."""
    number = int.from_bytes(code[:6].encode(), "little") if state not in ("stock", "printed") else None
    chip = {} if number is None else {"uid": number.to_bytes(7, "big"), "handle": number.to_bytes(16, "little")}
    with registry.transaction() as session:
        card = CardPass(
            holder_id=who.id,
            printed_code=code,
            state=state,
            valid_from=TODAY,
            valid_until=TODAY.replace(year=TODAY.year + 1),
            **chip,
        )
        session.add(card)
        session.flush()
        return card
