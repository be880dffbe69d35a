"""The desk's registry: holders, passes, what was granted, and the desk's own journal of loads.

It never holds where, when or on what anything was spent: no such column exists. Only this module speaks SQL.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Engine,
    ForeignKey,
    LargeBinary,
    UniqueConstraint,
    create_engine,
    event,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from issuer.errors import DeskError
from issuer.people import Person

PASS_STATES = ("encoded", "active", "blocked")
LOAD_STATES = ("planned", "written")


class Base(DeclarativeBase):
    """All tables of the desk."""


class Holder(Base):
    """A member of a household that may hold a pass."""

    __tablename__ = "holder"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Person.identity, without the household: a child of two households is one holder, and who moves stays the same.
    identity: Mapped[str] = mapped_column(unique=True)
    household: Mapped[str] = mapped_column(index=True)
    family_name: Mapped[str]
    infix: Mapped[str]
    given_name: Mapped[str]
    born: Mapped[date]
    income_percent: Mapped[int]
    roles: Mapped[str]
    school: Mapped[str]
    passes: Mapped[list["CardPass"]] = relationship(back_populates="holder")

    @property
    def person(self) -> Person:
        return Person(
            self.household,
            self.family_name,
            self.infix,
            self.given_name,
            self.born,
            self.income_percent,
            frozenset(filter(None, self.roles.split())),
            self.school,
        )


class CardPass(Base):
    """A pass that was made. `printed_code` is what stands on its face; it has nothing to do with the chip."""

    __tablename__ = "card_pass"
    __table_args__ = (CheckConstraint("state in ('encoded', 'active', 'blocked')"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id"), index=True)
    uid: Mapped[bytes] = mapped_column(LargeBinary(7), unique=True)
    handle: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    generation: Mapped[int]
    key_versions: Mapped[dict[str, int]] = mapped_column(JSON)
    printed_code: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    holder: Mapped[Holder] = relationship(back_populates="passes")


class PlannedLoad(Base):
    """A grant for a holder in a pass year, on its way to the pass. Amount in the unit of the purse."""

    __tablename__ = "planned_load"
    __table_args__ = (
        # The same grant is given once a year, however often somebody asks.
        UniqueConstraint("holder_id", "grant_number", "pass_year"),
        CheckConstraint("amount > 0"),
        CheckConstraint("state in ('planned', 'written')"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id"), index=True)
    grant_number: Mapped[int]
    pass_year: Mapped[int]
    purse: Mapped[int]
    amount: Mapped[int]
    state: Mapped[str] = mapped_column(default="planned")


class OpenIntent(Base):
    """A load whose commit was about to be sent and whose outcome is not written down yet."""

    __tablename__ = "open_intent"

    sequence: Mapped[int] = mapped_column(primary_key=True)
    handle: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    load_id: Mapped[int] = mapped_column(ForeignKey("planned_load.id"))
    clear: Mapped[bytes] = mapped_column(LargeBinary(42))
    tmc: Mapped[int]
    enc_tmri: Mapped[bytes] = mapped_column(LargeBinary(16))
    in_doubt: Mapped[bytes] = mapped_column(LargeBinary(60))
    handed_in: Mapped[bool] = mapped_column(default=False)


class JournalEntry(Base):
    """An entry of the desk's journal, as it goes to the backend."""

    __tablename__ = "journal_entry"

    position: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(index=True)
    entry: Mapped[bytes] = mapped_column(LargeBinary(119))


class SealingState(Base):
    """The sealing key (card.sealing.SealingKey) of the last day that was used; one row."""

    __tablename__ = "sealing_state"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    state: Mapped[bytes] = mapped_column(LargeBinary(40))


class Registry:
    """The registry in a database. `transaction()` is all or nothing."""

    def __init__(self, engine: Engine) -> None:
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _sqlite_settings)
        Base.metadata.create_all(engine)
        self._engine = engine

    @classmethod
    def at(cls, folder: Path) -> "Registry":
        """The embedded default: one SQLite file in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(create_engine(f"sqlite:///{folder / 'registry.sqlite'}"))

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    # Holders

    def compare(self, people: Sequence[Person]) -> tuple[list[Person], list[Person], int]:
        """`(new, changed, unchanged)` of people against the registry; the third is a count."""
        with self.transaction() as session:
            known = {holder.identity: holder.person for holder in session.scalars(select(Holder))}
        new = [person for person in people if person.identity not in known]
        changed = [person for person in people if known.get(person.identity, person) != person]
        return new, changed, len(people) - len(new) - len(changed)

    def take(self, people: Sequence[Person]) -> None:
        """Add or update all of them, or none."""
        with self.transaction() as session:
            known = {holder.identity: holder for holder in session.scalars(select(Holder))}
            for person in people:
                holder = known.setdefault(person.identity, Holder(identity=person.identity))
                for name, value in vars(person).items():
                    setattr(holder, name, " ".join(sorted(value)) if name == "roles" else value)
                session.add(holder)

    def holders(self) -> list[Holder]:
        with self.transaction() as session:
            return list(session.scalars(select(Holder).order_by(Holder.id)))

    def holder(self, number: int) -> Holder:
        with self.transaction() as session:
            found = session.get(Holder, number)
        if found is None:
            raise DeskError(f"There is no person number {number}; `meedoen issuer people` lists them.")
        return found

    # Passes

    def register_pass(self, made: CardPass) -> CardPass:
        """Keep a pass; a card that is known already keeps its row and its code, and gets the new validity."""
        with self.transaction() as session:
            known = session.scalar(select(CardPass).where(CardPass.uid == made.uid))
            if known is not None and known.holder_id != made.holder_id:
                raise DeskError("This card is the pass of somebody else already. Take a new card.")
            if known is None:
                session.add(made)
                return made
            known.valid_from, known.valid_until = made.valid_from, made.valid_until
            known.key_versions = made.key_versions
            return known

    def rekeyed(self, uid: bytes, handle: bytes, generation: int, versions: dict[str, int]) -> CardPass:
        """What a pass is after its keys were renewed."""
        with self.transaction() as session:
            known = session.scalars(select(CardPass).where(CardPass.uid == uid)).one()
            known.handle, known.generation, known.key_versions = handle, generation, versions
            return known

    def pass_coded(self, printed_code: str) -> CardPass:
        """The pass with this code on its face; raises DeskError when there is none."""
        with self.transaction() as session:
            found = session.scalar(select(CardPass).where(CardPass.printed_code == printed_code.upper()))
        if found is None:
            raise DeskError("There is no pass with this code; `meedoen issuer people` lists them.")
        return found

    def passes(self) -> list[CardPass]:
        with self.transaction() as session:
            return list(session.scalars(select(CardPass).order_by(CardPass.id)))

    def pass_of(self, holder_id: int) -> CardPass | None:
        """The holder's pass that is not blocked."""
        with self.transaction() as session:
            return session.scalar(
                select(CardPass).where(CardPass.holder_id == holder_id, CardPass.state.in_(("encoded", "active")))
            )

    def pass_with(self, uid: bytes) -> CardPass | None:
        """The pass that a card is, whatever its state."""
        with self.transaction() as session:
            return session.scalar(select(CardPass).where(CardPass.uid == uid))

    def set_pass_state(self, printed_code: str, state: str) -> CardPass:
        with self.transaction() as session:
            found = session.scalar(select(CardPass).where(CardPass.printed_code == printed_code.upper()))
            if found is None:
                raise DeskError("There is no pass with this code; `meedoen issuer people` lists them.")
            found.state = state
            return found

    def blocked_handles(self) -> list[bytes]:
        with self.transaction() as session:
            return list(session.scalars(select(CardPass.handle).where(CardPass.state == "blocked")))

    # Loads

    def plan(self, holder_id: int, loads: Sequence[PlannedLoad]) -> None:
        """Plan what is not planned or written yet for this holder and year."""
        with self.transaction() as session:
            there = {
                (load.grant_number, load.pass_year)
                for load in session.scalars(select(PlannedLoad).where(PlannedLoad.holder_id == holder_id))
            }
            session.add_all(load for load in loads if (load.grant_number, load.pass_year) not in there)

    def planned(self, holder_id: int) -> list[PlannedLoad]:
        with self.transaction() as session:
            wanted = select(PlannedLoad).where(PlannedLoad.holder_id == holder_id, PlannedLoad.state == "planned")
            return list(session.scalars(wanted.order_by(PlannedLoad.grant_number)))


def _sqlite_settings(connection, _record) -> None:  # type: ignore[no-untyped-def]
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
