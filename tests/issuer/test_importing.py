"""Files taken in whole or not at all, and undone until somebody got a pass by them."""

import csv
import io
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from issuer import import_report, importing
from issuer.errors import DeskError
from issuer.importing import RowSeen
from issuer.registry import Registry, passes, people
from issuer.registry.tables import (
    Base,
    Decision,
    Guardian,
    Holder,
    Household,
    ImportRun,
    Message,
    OpenIntent,
    PlannedLoad,
)
from tests.issuer.a_registry import NOON, TODAY

HEADER = "huishouden;voornaam;tussenvoegsel;achternaam;geboortedatum;inkomensklasse;mantelzorger"
HOME = f"{HEADER};adres;postcode;woonplaats"
NOOR = "H1;Noor;de;Vries;15-01-2016;110;nee"
ZOE = "H1;Zoë;;Müller;1-2-1980;110;nee"
ALI = "H2;Ali;;Bos;1-2-1970;120;nee"
LATER = NOON + timedelta(hours=1)
YEAR = (TODAY, TODAY + timedelta(days=365))


@pytest.fixture
def registry(empty_registry: Registry) -> Registry:
    return empty_registry


def file(*rows, header=HEADER):
    return "\n".join([header, *rows]).encode()


def look(registry, *rows, header=HEADER):
    with registry.transaction() as session:
        return importing.look(session, file(*rows, header=header), TODAY)


def upload(registry, *rows, header=HEADER):
    with registry.transaction() as session:
        return importing.upload(session, file(*rows, header=header), "clerk", NOON, TODAY)[0].id


def accept(registry, number, on=TODAY):
    with registry.transaction() as session:
        return importing.accept(session, number, "clerk", NOON, on)


def take(registry, *rows, header=HEADER, on=TODAY):
    """The number of the import."""
    return accept(registry, upload(registry, *rows, header=header), on).id


def undo(registry, number):
    with registry.transaction() as session:
        return importing.undo(session, number, "lead", LATER)


def everything(registry):
    """All that the registry knows of people, row by row, but for when somebody was last seen."""
    with registry.transaction() as session:
        return {
            table.name: [
                tuple(row)
                for row in session.execute(
                    select(*(column for column in table.c if column.name != "seen_on")).order_by(*table.primary_key)
                )
            ]
            for table in Base.metadata.sorted_tables
            if table.name in ("household", "holder", "guardian", "decision", "planned_load", "message", "card_pass")
        }


def number_of(registry, name):
    with registry.transaction() as session:
        return session.scalars(select(Holder.id).where(Holder.given_name == name)).one()


def add(registry, *rows):
    with registry.transaction() as session:
        session.add_all(rows)


def decided(holder_id, **more):
    facts = {"grant_name": "Sport", "period": "2026", "granted": True, "reason": "", "reason_en": "", "by": "meedoen"}
    return Decision(holder_id=holder_id, income_percent=110, on=TODAY, **facts, **more)


def a_load(holder_id, **more):
    return PlannedLoad(holder_id=holder_id, grant_number=1, period="2026", purse=1, amount=100, **more)


# Looking and taking in


def test_looking_says_what_would_happen_to_each_row_and_changes_nothing(registry):
    take(registry, NOOR, ZOE)
    before = everything(registry)
    changed = ZOE.replace("Müller", "MÜLLER").replace(";nee", ";ja")
    seen = look(registry, NOOR, changed, ALI, ALI.replace("1970", "2970"))
    assert seen.rows == (
        RowSeen(2, "unchanged"),
        RowSeen(3, "changed", ("achternaam", "mantelzorger")),
        RowSeen(4, "new"),
    )
    assert (seen.counts, [(fault.row, fault.column) for fault in seen.faults]) == ((1, 1, 1), [(5, "geboortedatum")])
    assert everything(registry) == before


def test_a_band_an_address_and_another_household_are_changes(registry):
    take(registry, NOOR, ALI)
    home = "Kade 1;1234 AB;Arnhem"
    seen = look(registry, f"{NOOR};{home}", f"{ALI.replace('H2', 'H3')};{home}", header=HOME)
    assert [row.columns for row in seen.rows] == [("adres",), ("huishouden",)]
    assert look(registry, NOOR.replace("110", "120")).rows[0].columns == ("inkomensklasse",)
    take(registry, f"{NOOR};{home}", header=HOME)
    assert look(registry, f"{NOOR};{home}", header=HOME).counts == (0, 0, 1)
    # A file without addresses does not take them away, nor do empty fields.
    assert look(registry, NOOR).counts == look(registry, f"{NOOR};;;", header=HOME).counts == (0, 0, 1)
    take(registry, NOOR)
    with registry.transaction() as session:
        assert session.scalars(select(Household.street).where(Household.reference == "H1")).one() == "Kade 1"


def test_the_same_file_twice_is_unchanged_all(registry):
    take(registry, NOOR, ZOE, ALI)
    before = everything(registry)
    assert look(registry, NOOR, ZOE, ALI).counts == (0, 0, 3)
    take(registry, NOOR, ZOE, ALI)
    assert everything(registry) == before


def test_zeros_that_a_household_lost_since_it_was_taken_in_are_a_fault(registry):
    take(registry, NOOR.replace("H1", "0012"))
    seen = look(registry, NOOR.replace("H1", "12"), ALI)
    assert [(fault.row, fault.column) for fault in seen.faults] == [(2, "huishouden")]
    assert "zeros" in seen.faults[0].problem_en


def test_a_household_that_is_known_by_the_short_number_too_lost_nothing(registry):
    take(registry, ALI.replace("H2", "12"))
    take(registry, NOOR.replace("H1", "0012"))
    assert look(registry, ALI.replace("H2", "12")).faults == ()


def test_a_file_waits_with_its_content_until_it_is_accepted(registry):
    number = upload(registry, NOOR, ALI)
    assert everything(registry)["holder"] == []
    with registry.transaction() as session:
        assert importing.again(session, number, TODAY).counts == (2, 0, 0)
        assert importing.find(session, number).content == file(NOOR, ALI)
    run = accept(registry, number)
    assert (run.state, run.content, run.accepted_by, run.accepted_at) == ("accepted", None, "clerk", NOON)
    assert len(everything(registry)["holder"]) == 2


def test_a_file_with_one_fault_is_not_taken_in_at_all(registry):
    number = upload(registry, NOOR, ALI.replace("1970", "2970"))
    with pytest.raises(DeskError, match="faults"):
        accept(registry, number)
    assert everything(registry)["holder"] == []


def test_what_was_shown_is_what_is_taken_in_or_nothing(registry):
    number = upload(registry, NOOR, ALI)
    take(registry, ALI)
    with pytest.raises(DeskError, match="registry changed since"):
        accept(registry, number)
    assert len(everything(registry)["holder"]) == 1


@pytest.mark.parametrize("end", ["accept", "cancel"])
def test_a_file_is_accepted_or_cancelled_once(registry, end):
    number = upload(registry, NOOR)
    if end == "accept":
        accept(registry, number)
    else:
        with registry.transaction() as session:
            importing.cancel(session, number)
            assert importing.find(session, number).content is None
    for again in (accept, lambda registry, number: cancel(registry, number)):
        with pytest.raises(DeskError, match="does not wait any more"):
            again(registry, number)
    assert len(everything(registry)["holder"]) == (end == "accept")


def cancel(registry, number):
    with registry.transaction() as session:
        importing.cancel(session, number)


def test_an_import_that_is_not_there_is_refused_in_words(registry):
    for act in (accept, undo, cancel):
        with pytest.raises(DeskError, match="no import number 99"):
            act(registry, 99)


# Undoing


def test_undoing_puts_everybody_back_as_they_were_and_takes_out_who_is_new(registry):
    home = "Kade 1;1234 AB;Arnhem"
    take(registry, f"{NOOR};{home}", f"{ZOE};{home}", f"{ALI};;;", header=HOME)
    before = everything(registry)
    other = "Dijk 2;5678 CD;Velp"
    number = take(
        registry,
        f"{NOOR.replace('Noor', 'NOOR').replace('110', '130').replace(';nee', ';ja')};{other}",
        f"{ZOE.replace('H1', 'H9')};{home}",
        f"{ALI};{other}",
        f"H3;Sem;;Bos;1-1-2014;100;nee;{other}",
        f"H2;Bo;;Bos;1-1-2014;120;nee;{other}",
        header=HOME,
        on=TODAY + timedelta(days=1),
    )
    assert everything(registry) != before
    sem, bo = number_of(registry, "Sem"), number_of(registry, "Bo")
    add(registry, decided(sem), a_load(bo), Guardian(child_id=sem, guardian_id=number_of(registry, "Ali")))
    add(registry, Message(holder_id=bo, kind="welcome", language="nl", facts={}, made_on=TODAY))
    run = undo(registry, number)
    assert everything(registry) == before
    assert (run.state, run.undone_by, run.undone_at) == ("undone", "lead", LATER)


def test_what_was_planned_for_somebody_on_a_band_that_is_undone_goes_and_what_people_decided_stays(registry):
    take(registry, NOOR)
    noor = number_of(registry, "Noor")
    add(registry, decided(noor), a_load(noor))
    before = everything(registry)
    number = take(registry, NOOR.replace("110", "100"))
    add(registry, decided(noor, amount=5), a_load(noor, part=2))
    add(registry, decided(noor, hardship=True, second_by="lead"))
    undo(registry, number)
    after = everything(registry)
    assert after["planned_load"] == before["planned_load"]
    assert (len(before["decision"]), len(after["decision"])) == (1, 2)


def test_an_import_is_undone_once(registry):
    number = take(registry, NOOR)
    undo(registry, number)
    with pytest.raises(DeskError, match="undone already"):
        undo(registry, number)
    assert look(registry, NOOR).counts == (1, 0, 0)


@pytest.mark.parametrize("state", ["looked", "cancelled"])
def test_what_was_not_taken_in_is_not_undone(registry, state):
    number = upload(registry, NOOR)
    if state == "cancelled":
        cancel(registry, number)
    with pytest.raises(DeskError, match="not taken in"):
        undo(registry, number)


def test_the_later_of_two_imports_of_the_same_people_is_undone_first(registry):
    first = take(registry, NOOR, ALI)
    before = everything(registry)
    second = take(registry, NOOR.replace("110", "120"), ALI.replace(";nee", ";ja"))
    with pytest.raises(DeskError, match="2 of its people were changed since"):
        undo(registry, first)
    undo(registry, second)
    assert everything(registry) == before
    undo(registry, first)
    assert everything(registry)["holder"] == everything(registry)["household"] == []


def test_imports_of_different_people_are_undone_in_any_order(registry):
    first, _ = take(registry, NOOR), take(registry, ALI)
    undo(registry, first)
    assert look(registry, NOOR, ALI).counts == (1, 0, 1)


def test_a_household_that_somebody_else_came_to_live_in_stays(registry):
    first, _ = take(registry, NOOR), take(registry, ZOE)
    undo(registry, first)
    assert look(registry, NOOR, ZOE).counts == (1, 0, 1)


def test_what_a_clerk_changed_since_is_not_thrown_away(registry):
    number = take(registry, NOOR)
    with registry.transaction() as session:
        people.holder(session, 1).school = "primary"
    with pytest.raises(DeskError, match="1 of its people were changed since"):
        undo(registry, number)


def set_aside(registry, name, at):
    with registry.transaction() as session:
        who = session.scalars(select(Holder).where(Holder.given_name == name)).one()
        return passes.set_aside(session, who, f"K7QW-{name.upper()}", YEAR, "clerk", at).id


@pytest.mark.parametrize("name", ["Noor", "Ali", "Zoë"])
def test_an_import_cannot_be_undone_after_a_pass_was_made_for_who_it_brought_or_changed(registry, name):
    take(registry, NOOR, ZOE)
    # Zoë is not in the file; her band is that of the household.
    number = take(registry, NOOR.replace("110", "120"), ALI)
    set_aside(registry, name, LATER)
    before = everything(registry)
    with pytest.raises(DeskError, match=r"cannot be undone any more: 1 of its people got a pass"):
        undo(registry, number)
    assert everything(registry) == before


def test_a_pass_from_before_the_import_does_not_stand_in_the_way(registry):
    take(registry, NOOR)
    card = set_aside(registry, "Noor", NOON - timedelta(days=100))
    number = take(registry, NOOR.replace("110", "120"))
    with registry.transaction() as session:
        passes.move(session, session.get_one(passes.CardPass, card), "destroyed", "clerk", LATER)
    undo(registry, number)
    assert look(registry, NOOR).counts == (0, 0, 1)


def test_a_pass_of_somebody_new_stands_in_the_way_whatever_became_of_it(registry):
    number = take(registry, NOOR)
    dates = {"valid_from": TODAY, "valid_until": TODAY}
    add(registry, passes.CardPass(holder_id=1, printed_code="AAAA-AAAA", state="destroyed", **dates))
    with pytest.raises(DeskError, match="1 of its people got a pass"):
        undo(registry, number)


def test_a_budget_that_was_planned_before_the_import_does_not_stand_in_the_way(registry):
    take(registry, NOOR)
    add(registry, a_load(1))
    number = take(registry, NOOR.replace("110", "120"))
    with registry.transaction() as session:
        session.get_one(PlannedLoad, 1).state = "written"
    undo(registry, number)
    assert len(everything(registry)["planned_load"]) == 1


@pytest.mark.parametrize("state", ["written", "in doubt"])
def test_an_import_cannot_be_undone_after_a_budget_was_written(registry, state):
    number = take(registry, NOOR)
    noor = number_of(registry, "Noor")
    add(registry, a_load(noor, state="written" if state == "written" else "planned"))
    if state == "in doubt":
        rest = {"clear": b"", "tmc": 1, "enc_tmri": b"", "in_doubt": b""}
        add(registry, OpenIntent(terminal=1, sequence=1, handle=bytes(16), load_id=1, **rest))
    with pytest.raises(DeskError, match="1 of its people got a pass or a budget"):
        undo(registry, number)


def test_the_number_of_somebody_who_was_taken_out_is_not_given_to_another(registry):
    undo(registry, take(registry, NOOR))
    take(registry, ALI)
    assert number_of(registry, "Ali") == 2


def test_a_run_knows_who_did_what(registry):
    undo(registry, take(registry, NOOR))
    upload(registry, ALI, ALI)
    with registry.transaction() as session:
        found = [(run.state, run.new, run.faults, run.by) for run in importing.runs(session)]
    assert found == [("looked", 1, 1, "clerk"), ("undone", 1, 0, "clerk")]
    with registry.transaction() as session:
        assert all(len(run.digest) == 64 for run in session.scalars(select(ImportRun)))


# The report


def test_the_report_has_each_row_and_names_nobody(registry):
    take(registry, NOOR)
    seen = look(registry, NOOR.replace("110", "120"), ALI, ALI.replace("1970", "2970"))
    content = import_report.as_csv(seen)
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert [row[:3] for row in rows[1:]] == [
        ["2", "gewijzigd", "inkomensklasse"],
        ["3", "nieuw", ""],
        ["4", "fout", "geboortedatum"],
    ]
    assert all(rows[3])
    assert not any(name in content.decode() for name in ("Noor", "Ali", "Bos", "2970"))
    sheet = load_workbook(io.BytesIO(import_report.as_xlsx(seen))).active
    assert [[str(value or "") for value in row] for row in sheet.iter_rows(values_only=True)] == rows


def test_nothing_in_a_report_is_a_formula(registry, monkeypatch):
    monkeypatch.setattr(import_report, "_FAULT", "=1+1")
    seen = look(registry, ALI.replace("1970", "2970"))
    assert "\r\n2;'=1+1;" in import_report.as_csv(seen).decode()
    cell = load_workbook(io.BytesIO(import_report.as_xlsx(seen))).active["B2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")
