"""Files of people: looked at, taken in whole or not at all, and undone as long as nobody got a pass by them.

Looking changes nothing. What was accepted keeps what everybody was before, so that undoing it restores them exactly.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, func, insert, or_, select
from sqlalchemy.orm import Session

from issuer.errors import DeskError
from issuer.import_file import Fault, Reading, read_people
from issuer.people import Address, Person
from issuer.registry import loads, people
from issuer.registry.tables import (
    CardPass,
    Decision,
    Holder,
    Household,
    ImportedHousehold,
    ImportedRow,
    ImportRun,
    OpenIntent,
    PassEvent,
    PlannedLoad,
)

NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"
_GONE = "This file does not wait any more. Upload it again."
# What a pass becomes when it is made or given.
_MADE = ("stock", "printed", "encoded", "handed_over", "active")


@dataclass(frozen=True)
class RowSeen:
    """What would happen to the person of a row: NEW, CHANGED or UNCHANGED; `columns` are those that change."""

    row: int
    outcome: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Look:
    """A file against the registry. `rows` are those without a fault."""

    reading: Reading
    rows: tuple[RowSeen, ...]
    faults: tuple[Fault, ...]

    def count(self, outcome: str) -> int:
        return sum(row.outcome == outcome for row in self.rows)

    @property
    def counts(self) -> tuple[int, int, int]:
        """New, changed, unchanged."""
        return self.count(NEW), self.count(CHANGED), self.count(UNCHANGED)


def look(session: Session, raw: bytes, on: date) -> Look:
    """What taking in a file would do, and what is wrong with it; changes nothing."""
    reading = read_people(raw, on)
    known = {holder.identity: holder for holder in session.scalars(select(Holder))}
    references = set(session.scalars(select(Household.reference)))
    shortened = {reference.lstrip("0"): reference for reference in references if reference.startswith("0")}
    rows, faults = list[RowSeen](), list(reading.faults)
    for row, person in reading.people:
        if person.household not in references and person.household in shortened:
            faults.append(_lost_zeros(row))
            continue
        holder = known.get(person.identity)
        columns = _changes(holder, person, reading.addresses) if holder else ()
        rows.append(RowSeen(row, NEW if holder is None else CHANGED if columns else UNCHANGED, columns))
    return Look(reading, tuple(rows), tuple(sorted(faults, key=lambda fault: fault.row)))


def _lost_zeros(row: int) -> Fault:
    return Fault(
        row,
        "huishouden",
        "Dit huishouden is bekend met nullen vooraan. Die zijn weggevallen.",
        "This household is known with zeros in front of its number. They were lost.",
        "Geef de kolom de opmaak Tekst en vul het nummer opnieuw in.",
    )


def _changes(holder: Holder, said: Person, addresses: Mapping[str, Address]) -> tuple[str, ...]:
    """The columns in which a person differs from the registry."""
    was, home = holder.person, holder.household
    address = Address(home.street, home.postcode, home.town)
    differs = {
        "huishouden": was.household != said.household,
        "voornaam": was.given_name != said.given_name,
        "tussenvoegsel": was.infix != said.infix,
        "achternaam": was.family_name != said.family_name,
        "inkomensklasse": was.income_percent != said.income_percent,
        "mantelzorger": ("carer" in was.roles) != ("carer" in said.roles),
        "vrijwilliger": ("volunteer" in was.roles) != ("volunteer" in said.roles),
        "student": ("student" in was.roles) != ("student" in said.roles),
        "school": was.school != said.school,
        "adres": was.household == said.household and addresses.get(said.household, address) != address,
    }
    return tuple(column for column, changed in differs.items() if changed)


# A file that waits


def upload(session: Session, raw: bytes, by: str, at: datetime, on: date) -> tuple[ImportRun, Look]:
    """Look at a file, and keep it until somebody accepts or cancels it, or for a day (issuer.retention)."""
    seen = look(session, raw, on)
    new, changed, unchanged = seen.counts
    run = ImportRun(
        at=at,
        by=by,
        digest=hashlib.sha256(raw).hexdigest(),
        new=new,
        changed=changed,
        unchanged=unchanged,
        faults=len(seen.faults),
        content=raw,
    )
    session.add(run)
    session.flush()
    return run, seen


def again(session: Session, number: int, on: date) -> Look:
    """Look once more at a file that waits."""
    return look(session, _content(_waiting(session, number)), on)


def cancel(session: Session, number: int) -> None:
    """Do not take in a file that waits."""
    run = _waiting(session, number)
    run.state, run.content = "cancelled", None
    session.flush()


def runs(session: Session) -> list[ImportRun]:
    """All files that are known of, the latest first."""
    return list(session.scalars(select(ImportRun).order_by(ImportRun.id.desc())))


def find(session: Session, number: int) -> ImportRun:
    """The import with this number; raises DeskError when there is none."""
    run = session.get(ImportRun, number)
    if run is None:
        raise DeskError("There is no import number {number}.", number=number)
    return run


def _waiting(session: Session, number: int) -> ImportRun:
    # Of two who accept at the same time, one waits here for the other.
    run = session.scalar(select(ImportRun).where(ImportRun.id == find(session, number).id).with_for_update())
    if run is None or run.state != "looked":
        raise DeskError(_GONE)
    return run


def _content(run: ImportRun) -> bytes:
    if run.content is None:
        raise DeskError(_GONE)
    return run.content


# Taking in


def accept(session: Session, number: int, by: str, at: datetime, on: date) -> ImportRun:
    """Take in a file that waits: all of it, or, with one fault, nothing."""
    run = _waiting(session, number)
    seen = look(session, _content(run), on)
    if seen.faults:
        raise DeskError("There are faults in this file. Correct these rows and upload it again.")
    if seen.counts != (run.new, run.changed, run.unchanged):
        raise DeskError("The registry changed since you looked at this file. Upload it again.")
    persons = [person for _, person in seen.reading.people]
    before, homes_before = _before(session, persons)
    run.last_load = session.scalar(select(func.max(PlannedLoad.id))) or 0
    run.last_decision = session.scalar(select(func.max(Decision.id))) or 0
    taken = people.take(session, persons, by, on)
    for holder in taken:
        address = seen.reading.addresses.get(holder.household.reference)
        if address is not None:
            home = holder.household
            home.street, home.postcode, home.town = address.street, address.postcode, address.town
    session.flush()
    _keep(session, run, taken, before, homes_before)
    run.state, run.content, run.accepted_at, run.accepted_by = "accepted", None, at, by
    session.flush()
    return run


def _before(session: Session, persons: Sequence[Person]) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """What the people of a file are (by identity), and the households that it names (by reference)."""
    named, references = {person.identity for person in persons}, {person.household for person in persons}
    there, homes = session.scalars(select(Holder)), session.scalars(select(Household))
    return (
        {holder.identity: _facts(holder) for holder in there if holder.identity in named},
        {home.reference: _home_facts(home) for home in homes if home.reference in references},
    )


def _keep(
    session: Session,
    run: ImportRun,
    taken: Sequence[Holder],
    before: Mapping[str, dict[str, Any]],
    homes_before: Mapping[str, dict[str, Any]],
) -> None:
    """Keep what everybody and every household was that became something else."""
    homes = {holder.household_id: holder.household for holder in taken}.values()
    people_now = ((holder.id, before.get(holder.identity), _facts(holder)) for holder in taken)
    homes_now = ((home.id, homes_before.get(home.reference), _home_facts(home)) for home in homes)
    for table, number, states in (
        (ImportedRow, "holder_id", people_now),
        (ImportedHousehold, "household_id", homes_now),
    ):
        rows = [
            {"run_id": run.id, number: changed, "before": was, "left": _digest(now)}
            for changed, was, now in states
            if was is None or _digest(was) != _digest(now)
        ]
        if rows:
            session.execute(insert(table), rows)


def _facts(holder: Holder) -> dict[str, Any]:
    """Not when they were last seen: they were, also in a file that is undone."""
    return {
        "household": holder.household_id,
        "family_name": holder.family_name,
        "infix": holder.infix,
        "given_name": holder.given_name,
        "born": holder.born.isoformat(),
        "roles": list(holder.roles),
        "school": holder.school,
    }


def _home_facts(home: Household) -> dict[str, Any]:
    return {
        "income_percent": home.income_percent,
        "band_by": home.band_by,
        "band_on": home.band_on.isoformat(),
        "street": home.street,
        "postcode": home.postcode,
        "town": home.town,
    }


def _digest(facts: Mapping[str, Any]) -> str:
    """Whether somebody is still the same."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


# Undoing


def undo(session: Session, number: int, by: str, at: datetime) -> ImportRun:
    """Make everybody what they were before an import, and take out who came by it.

    Raises DeskError, with how many they are, when somebody got a pass or a budget since, or was changed again.
    """
    find(session, number)
    run = session.scalars(select(ImportRun).where(ImportRun.id == number).with_for_update()).one()
    if run.state == "undone":
        raise DeskError("This import was undone already.")
    if run.state != "accepted" or run.accepted_at is None:
        raise DeskError("This file was not taken in, so there is nothing to undo.")
    if run.new + run.changed and not _kept(session, number):
        raise DeskError("This import is too long ago: what was there before it is not kept any more.")
    _refuse_when_late(session, run, run.accepted_at)
    _take_back_budgets(session, run)
    _restore(session, run)
    _remove(session, run)
    run.state, run.undone_at, run.undone_by = "undone", at, by
    session.flush()
    session.expire_all()
    session.refresh(run)
    return run


def _kept(session: Session, number: int) -> bool:
    rows, homes = exists().where(ImportedRow.run_id == number), exists().where(ImportedHousehold.run_id == number)
    return bool(session.scalar(select(or_(rows, homes))))


def _rows(run: ImportRun, *wanted: ColumnElement[bool]) -> Select[int]:
    return select(ImportedRow.holder_id).where(ImportedRow.run_id == run.id, *wanted)


def _concerned(run: ImportRun) -> Select[int]:
    """Whom an import brought or changed, by themselves or by their household."""
    homes = select(ImportedHousehold.household_id).where(ImportedHousehold.run_id == run.id)
    return select(Holder.id).where(or_(Holder.id.in_(_rows(run)), Holder.household_id.in_(homes)))


def _refuse_when_late(session: Session, run: ImportRun, accepted_at: datetime) -> None:
    concerned = _concerned(run)
    new = _rows(run, ImportedRow.before.is_(None))
    made = select(PassEvent.pass_id).where(PassEvent.at >= accepted_at, PassEvent.state.in_(_MADE))
    with_pass = select(CardPass.holder_id).where(
        or_(CardPass.holder_id.in_(new), CardPass.id.in_(made)), CardPass.holder_id.in_(concerned)
    )
    doubtful = select(OpenIntent.load_id)
    with_budget = select(PlannedLoad.holder_id).where(
        PlannedLoad.id > run.last_load,
        or_(PlannedLoad.state == "written", PlannedLoad.id.in_(doubtful)),
        PlannedLoad.holder_id.in_(concerned),
    )
    given = set(session.scalars(with_pass)) | set(session.scalars(with_budget))
    if given:
        raise DeskError(
            "This import cannot be undone any more: {count} of its people got a pass or a budget since.",
            count=len(given),
        )
    again = _changed_again(session, run)
    if again:
        raise DeskError(
            "This import cannot be undone: {count} of its people were changed since. Undo later imports first.",
            count=again,
        )


def _changed_again(session: Session, run: ImportRun) -> int:
    """How many people are not what the import left them, or live in a household that is not."""
    holders = {each.id: each for each in session.scalars(select(Holder).where(Holder.id.in_(_rows(run))))}
    kept = session.scalars(select(ImportedRow).where(ImportedRow.run_id == run.id))
    changed = {row.holder_id for row in kept if _left(holders.get(row.holder_id)) != row.left}
    wanted = select(Household).join(ImportedHousehold, ImportedHousehold.household_id == Household.id)
    homes = {each.id: each for each in session.scalars(wanted.where(ImportedHousehold.run_id == run.id))}
    count = len(changed)
    for row in session.scalars(select(ImportedHousehold).where(ImportedHousehold.run_id == run.id)):
        home = homes.get(row.household_id)
        if home is None or _digest(_home_facts(home)) != row.left:
            count += len({member.id for member in home.members} - changed) if home else 1
    return count


def _left(holder: Holder | None) -> str:
    return _digest(_facts(holder)) if holder else ""


def _take_back_budgets(session: Session, run: ImportRun) -> None:
    """What was planned and decided since then followed from what is undone; what people decided stays."""
    concerned = _concerned(run)
    session.execute(
        delete(PlannedLoad).where(
            PlannedLoad.id > run.last_load,
            PlannedLoad.holder_id.in_(concerned),
            # What a lost pass held follows from no rule.
            PlannedLoad.grant_number != loads.REPLACEMENT,
        ),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        delete(Decision).where(
            Decision.id > run.last_decision, Decision.hardship.is_(False), Decision.holder_id.in_(concerned)
        ),
        execution_options={"synchronize_session": False},
    )


def _restore(session: Session, run: ImportRun) -> None:
    wanted = select(ImportedRow).where(ImportedRow.run_id == run.id, ImportedRow.before.is_not(None))
    for row in session.scalars(wanted):
        was = row.before or {}
        holder = session.get_one(Holder, row.holder_id)
        person = Person("", was["family_name"], was["infix"], was["given_name"], date.fromisoformat(was["born"]), 0)
        holder.become(person)
        holder.roles, holder.school, holder.household_id = was["roles"], was["school"], was["household"]
    homes = select(ImportedHousehold).where(ImportedHousehold.run_id == run.id, ImportedHousehold.before.is_not(None))
    for kept in session.scalars(homes):
        home, was = session.get_one(Household, kept.household_id), kept.before or {}
        home.income_percent, home.band_by = was["income_percent"], was["band_by"]
        home.band_on = date.fromisoformat(was["band_on"])
        home.street, home.postcode, home.town = was["street"], was["postcode"], was["town"]
    session.flush()


def _remove(session: Session, run: ImportRun) -> None:
    """Who was not there before, and the households that nobody is left in."""
    people.forget(session, _rows(run, ImportedRow.before.is_(None)))
    homes = select(ImportedHousehold.household_id).where(
        ImportedHousehold.run_id == run.id, ImportedHousehold.before.is_(None)
    )
    empty = ~exists().where(Holder.household_id == Household.id)
    session.execute(
        delete(Household).where(Household.id.in_(homes), empty), execution_options={"synchronize_session": False}
    )
