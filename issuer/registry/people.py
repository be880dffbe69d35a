"""Households and their members."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Column, Select, delete, func, select
from sqlalchemy.orm import Session

from issuer.errors import DeskError
from issuer.people import Address, Person, plain
from issuer.printed_code import as_printed
from issuer.registry.tables import Base, CardPass, Guardian, Holder, Household

_ADULT = 18
_MOST_WORDS = 6
_LONGEST_NUMBER = 10
_AT_ONCE = 1000


def take(session: Session, people: Sequence[Person], by: str, on: date) -> list[Holder]:
    """Add or update all of them. A band counts for the household; who gave it, and when, is kept with it."""
    known = {holder.identity: holder for holder in session.scalars(select(Holder))}
    households = {each.reference: each for each in session.scalars(select(Household))}
    taken = []
    for person in people:
        household = households.get(person.household)
        if household is None:
            household = Household(reference=person.household)
            households[person.household] = household
            session.add(household)
        if household.income_percent != person.income_percent:
            household.income_percent, household.band_by, household.band_on = person.income_percent, by, on
        holder = known.setdefault(person.identity, Holder())
        holder.household = household
        holder.become(person)
        holder.seen_on = on
        session.add(holder)
        taken.append(holder)
    session.flush()
    return taken


def enter(session: Session, number: int | None, person: Person, address: Address, by: str, on: date) -> Holder:
    """Add or change one person by hand. Without a household of their own they begin one.

    Raises DeskError when somebody with this name and day of birth is there under another number.
    """
    there = session.scalar(select(Holder).where(Holder.identity == person.identity))
    if there is not None and there.id != number:
        raise DeskError(
            "There is somebody with this name and day of birth already: number {number}. Is it somebody else? Then add "
            "an initial to the name.",
            number=there.id,
        )
    if not person.household:
        person = replace(person, household=_new_reference(session, on))
    if number is not None:
        # The name may be what changes, and the name is what `take` knows people by.
        holder(session, number).become(person)
        session.flush()
    (taken,) = take(session, [person], by, on)
    home = taken.household
    home.street, home.postcode, home.town = address.street, address.postcode, address.town
    session.flush()
    return taken


def _new_reference(session: Session, on: date) -> str:
    """A reference that no municipality gives: `balie-2026-12`."""
    return f"balie-{on.year}-{(session.scalar(select(func.max(Household.id))) or 0) + 1}"


def holder(session: Session, number: int) -> Holder:
    """The holder with this number; raises DeskError when there is none."""
    found = session.get(Holder, number) if number < 10**_LONGEST_NUMBER else None
    if found is None:
        raise DeskError("There is no person number {number}; `meedoen issuer people` lists them.", number=number)
    return found


def holders(session: Session) -> list[Holder]:
    """Everybody, in the order in which they came in."""
    return list(session.scalars(select(Holder).order_by(Holder.id)))


def find(session: Session, text: str, most: int = 50) -> list[Holder]:
    """Who a clerk means: by the beginning of the name, number, household, day of birth or the code of a pass."""
    text = text.strip()
    if not text:
        return []
    if text.isdecimal() and len(text) < _LONGEST_NUMBER:
        exact = select(Holder).join(Household).where((Holder.id == int(text)) | (Household.reference == text))
        return list(session.scalars(exact.limit(most)))
    born = _day(text)
    if born is not None:
        return list(session.scalars(select(Holder).where(Holder.born == born).order_by(Holder.search_name).limit(most)))
    coded = session.scalar(select(CardPass).where(CardPass.printed_code == as_printed(text)))
    if coded is not None:
        return [coded.holder]
    for wanted in _beginnings(plain(text)):
        by_name = select(Holder).where(Holder.search_name.like(f"{wanted}%")).order_by(Holder.search_name)
        if found := list(session.scalars(by_name.limit(most))):
            return found
    return list(session.scalars(select(Holder).join(Household).where(Household.reference == text).limit(most)))


def _beginnings(name: str) -> list[str]:
    """How a search name may begin: people say `Sam van der Berg` and `van der Berg` as well as `Berg Sam`."""
    words = re.sub(r"[%_\\]", "", name).split()[:_MOST_WORDS]
    turned = [words[at:] + words[:at] for at in range(len(words))]
    return [" ".join(each) for each in (*turned, *(words[at:] for at in range(1, len(words))))]


def guardians(session: Session, child: Holder, on: date) -> list[Holder]:
    """Who may act for somebody under age: the adults of the household, and who else was put down for it."""
    if child.person.age(on) >= _ADULT:
        return []
    adults = [each for each in child.household.members if each.person.age(on) >= _ADULT]
    put_down = select(Holder).join(Guardian, Guardian.guardian_id == Holder.id).where(Guardian.child_id == child.id)
    return adults + [each for each in session.scalars(put_down.order_by(Holder.id)) if each not in adults]


def add_guardian(session: Session, child: Holder, guardian: Holder, on: date) -> None:
    """Put down who may act for a child besides its own household."""
    if child.person.age(on) >= _ADULT:
        raise DeskError("This person is 18 or older and acts for themselves.")
    if guardian.person.age(on) < _ADULT:
        raise DeskError("A guardian is 18 or older. Choose somebody else.")
    if session.get(Guardian, (child.id, guardian.id)) is None:
        session.add(Guardian(child_id=child.id, guardian_id=guardian.id))


def forget(session: Session, numbers: Select[int]) -> None:
    """Delete people and everything about them. Whoever has a pass has to stay: the database refuses it."""
    gone = session.scalars(numbers).all()
    for at in range(0, len(gone), _AT_ONCE):
        some = gone[at : at + _AT_ONCE]
        for table in Base.metadata.sorted_tables:
            about = [column for column in table.columns if table.name != CardPass.__tablename__ and _is_of(column)]
            for column in about:
                session.execute(table.delete().where(column.in_(some)))
        session.execute(delete(Holder).where(Holder.id.in_(some)), execution_options={"synchronize_session": False})
    session.expire_all()


def _is_of(column: Column[Any]) -> bool:
    """Whether a column says of which holder a row is."""
    return any(key.column is Holder.__table__.c.id for key in column.foreign_keys)


def _day(text: str) -> date | None:
    parts = text.replace("/", "-").split("-")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return None
    numbers = [int(part) for part in parts]
    try:
        return date(*numbers) if len(parts[0]) == 4 else date(*reversed(numbers))
    except ValueError:
        return None
