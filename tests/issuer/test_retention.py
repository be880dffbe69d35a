"""What goes when it is kept long enough: on real rows, a day too young and a day old enough, and what others need."""

import csv
import importlib
import io
import pkgutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

import issuer
from card.batch import FIRST_MAC, VOID, chain_key, entry_bytes
from card.record import DAY_ZERO, LOAD, ClearRecord
from issuer import importing
from issuer.approvals import Approval
from issuer.errors import DeskError
from issuer.journal import RegistryJournal
from issuer.registry import Base, passes
from issuer.registry.tables import (
    BegunCard,
    CardPass,
    Decision,
    Guardian,
    HandedIn,
    Holder,
    Household,
    ImportedRow,
    ImportRun,
    JournalEntry,
    Message,
    OpenIntent,
    PassEvent,
    PastLoads,
    PlannedLoad,
    RejectedCard,
    RenewalRow,
    RenewalRun,
    RetentionRun,
    StockMove,
)
from issuer.registry.tables import Delivery as Delivered
from issuer.retention import KEPT, as_markdown, reports, run_retention
from tests.issuer.a_registry import TODAY
from web import audit_log
from web.accounts import Account, OfficerSession
from web.attempts import LoginAttempt
from web.audit_log import AuditLine
from web.refusal import Refusal

PRIVACY = Path(__file__).parents[2] / "docs" / "privacy.md"
LINK = bytes(range(16))
DAYS = {kept.name: kept.days for kept in KEPT}


@pytest.fixture
def registry(empty_registry):
    return empty_registry


def run(registry, on=TODAY):
    with registry.transaction() as session:
        report = run_retention(session, on)
    return {line.name: line.gone for line in report.lines if line.gone}


def count(registry, what, *where):
    with registry.transaction() as session:
        return session.scalar(select(func.count()).select_from(what).where(*where))


def late(on):
    """The last second of a day."""
    return datetime(on.year, on.month, on.day, 23, 59, 59, tzinfo=UTC)


def somebody(session, seen_on=TODAY, reference="1", name="noor", born=date(1990, 1, 1), **home):
    household = session.scalar(select(Household).where(Household.reference == reference))
    if household is None:
        facts = {"income_percent": 110, "band_by": "import", "band_on": seen_on}
        household = Household(reference=reference, **facts, **home)
    names = {"identity": name, "family_name": name, "infix": "", "given_name": name, "search_name": name}
    who = Holder(household=household, born=born, roles=[], seen_on=seen_on, **names)
    session.add(who)
    session.flush()
    return who


def a_pass(session, who, last, state="expired", code="AAAA-AAAA", number=1):
    chip = {"uid": bytes([number] * 7), "handle": bytes([number] * 16)}
    dates = {"valid_from": last - timedelta(days=365), "valid_until": last}
    card = CardPass(holder=who, printed_code=code, state=state, **chip, **dates)
    session.add(card)
    session.flush()
    return card


def an_import(session, at, **more):
    counts = {"new": 1, "changed": 0, "unchanged": 0}
    made = ImportRun(at=late(at), by="clerk", digest="", **counts, **more)
    session.add(made)
    session.flush()
    return made


def decided(who, on, period="once", **more):
    facts = {"grant_name": "Sport", "reason": "", "reason_en": "", "income_percent": 110, "by": "meedoen"}
    return Decision(holder_id=who.id, period=period, granted=True, on=on, **facts, **more)


def delivered(session):
    delivery = Delivered(reference="1", supplier="x", count=10, received_on=TODAY)
    session.add(delivery)
    session.flush()
    return delivery.id


def entry(position, on, sequence=None, terminal=9):
    sequence = sequence or position
    clear = ClearRecord(LOAD, terminal, sequence, (on - date(*DAY_ZERO)).days, 1, 1, 100).to_bytes()
    body = entry_bytes(chain_key(LINK), position, FIRST_MAC, VOID, clear, bytes(60))
    return JournalEntry(terminal=terminal, position=position, sequence=sequence, entry=body)


# One row of each class, of a given day. Each returns how many of it there are, now.


def a_waiting_file(session, on):
    an_import(session, on, content=b"people")
    return ImportRun, ImportRun.content.is_not(None)


def what_somebody_was(session, on):
    made = an_import(session, on, state="accepted", accepted_at=late(on))
    session.add(ImportedRow(run_id=made.id, holder_id=somebody(session).id, before={"household": 1}, left=""))
    return ImportedRow, ImportedRow.left == ""


def an_old_import(session, on):
    an_import(session, on, state="cancelled")
    return ImportRun, ImportRun.id > 0


def a_letter(session, on):
    who = somebody(session)
    session.add(Message(holder_id=who.id, kind="welcome", language="nl", facts={}, made_on=on, sent_on=on))
    return Message, Message.id > 0


def an_event(session, on):
    card = a_pass(session, somebody(session), TODAY, "active")
    for at, state in ((late(on), "encoded"), (late(on), "active")):
        session.add(PassEvent(pass_id=card.id, state=state, at=at, by="clerk"))
        session.flush()
    return PassEvent, PassEvent.state == "encoded"


def an_ended_pass(session, on):
    card = a_pass(session, somebody(session), on)
    session.add(PassEvent(pass_id=card.id, state="expired", at=late(TODAY), by="meedoen"))
    return CardPass, CardPass.id > 0


def a_rejected_card(session, on):
    session.add(RejectedCard(uid=bytes(7), reason="torn", on=on, by="clerk"))
    return RejectedCard, RejectedCard.id > 0


def a_stock_move(session, on):
    session.add(StockMove(delivery_id=delivered(session), kind="used", count=-3, on=on, by="clerk"))
    return StockMove, StockMove.by == "clerk"


def a_decision(session, on):
    session.add(decided(somebody(session), on))
    return Decision, Decision.id > 0


def a_journal_entry(session, on):
    session.add_all([entry(1, on), entry(2, TODAY), HandedIn(terminal=9, position=2)])
    return JournalEntry, JournalEntry.position == 1


def a_renewal(session, on):
    facts = {"pass_year": "2027", "on": on, "made_by": "clerk", "made_at": late(on), "counts": {}}
    made = RenewalRun(**facts)
    session.add(made)
    session.flush()
    rest = {"needs_card": False, "before": {}, "after": [], "reasons": []}
    session.add(RenewalRow(run_id=made.id, holder_id=somebody(session).id, outcome="keeps", **rest))
    return RenewalRow, RenewalRow.run_id == made.id


def a_guardian(session, on):
    child = somebody(session, name="sam", born=date(on.year - 18, on.month, on.day))
    session.add(Guardian(child_id=child.id, guardian_id=somebody(session).id))
    return Guardian, Guardian.child_id > 0


def an_address(session, on):
    # Somebody else in the household has a pass that ended on that day.
    who = somebody(session, seen_on=on - timedelta(days=9), street="Kade 1", postcode="1234 AB", town="Arnhem")
    session.add(decided(who, TODAY))
    a_pass(session, somebody(session, seen_on=on - timedelta(days=9), name="ali"), on)
    return Household, Household.street != ""


def a_household(session, on):
    somebody(session, seen_on=on - timedelta(days=9))
    somebody(session, seen_on=on, name="ali")
    return Holder, Holder.id > 0


def a_request(session, on):
    facts = {"asked_by": "clerk", "decided_by": "lead", "asked_at": late(on), "decided_at": late(on)}
    session.add(Approval(kind="hardship", about="1", amount=1, reason="fire", outcome="approved", **facts))
    return Approval, Approval.id > 0


def a_login(session, on):
    session.add(Account(id=1, user_name="clerk", full_name="Clerk"))
    session.flush()
    times = {"began_at": late(on), "seen_at": late(on)}
    session.add(OfficerSession(key_hash="1", account_id=1, second_step=False, **times))
    session.add(LoginAttempt(at=late(on), whose="1"))
    return OfficerSession, OfficerSession.key_hash == "1"


def a_line_of_the_log(session, on):
    for at in (on, TODAY):
        audit_log.add(session, late(at), "clerk", "desk", "block", "pass K7QW-M2XP", "done")
    return AuditLine, AuditLine.number == 1


def a_report(session, on):
    session.add(RetentionRun(on=on, report=[]))
    return RetentionRun, RetentionRun.report == []


ROWS = {
    "file that waits to be accepted": a_waiting_file,
    "what people were before an import": what_somebody_was,
    "list of imports, without names": an_old_import,
    "letter or notice": a_letter,
    "event in the life of a pass": an_event,
    "pass that ended": an_ended_pass,
    "card that could not become a pass": a_rejected_card,
    "who took cards from the stock": a_stock_move,
    "decision, with its reason and band": a_decision,
    "yearly test of all holders": a_renewal,
    "load in the desk's journal": a_journal_entry,
    "who may act for a child": a_guardian,
    "address of a household": an_address,
    "people and their household": a_household,
    "request for a second officer": a_request,
    "login that is over or did not succeed": a_login,
    "audit log": a_line_of_the_log,
    "report of what was deleted": a_report,
}


@pytest.mark.parametrize("name", [kept.name for kept in KEPT if kept.days is not None])
@pytest.mark.parametrize("old_enough", [False, True], ids=["a day too young", "old enough"])
def test_a_row_goes_on_its_day_and_not_before(registry, name, old_enough):
    on = TODAY - timedelta(days=DAYS[name] - (not old_enough))
    with registry.transaction() as session:
        what, which = ROWS[name](session, on)
    before = count(registry, what) if name == "report of what was deleted" else count(registry, what, which)
    assert before
    gone = run(registry)
    left = count(registry, what, RetentionRun.on != TODAY) if what is RetentionRun else count(registry, what, which)
    assert (left, name in gone) == ((0, True) if old_enough else (before, False))
    assert name not in run(registry)


# What others need


def test_a_pass_on_the_hotlist_never_goes(registry):
    with registry.transaction() as session:
        card = a_pass(session, somebody(session, TODAY - timedelta(days=9999)), TODAY, "blocked")
        session.add(PassEvent(pass_id=card.id, state="blocked", at=late(date(2015, 1, 1)), by="clerk"))
        session.add(decided(card.holder, TODAY))
    run(registry)
    with registry.transaction() as session:
        assert [each.handle for each in passes.issued(session, TODAY) if each.blocked] == [card.handle]
        assert [event.state for event in passes.events(session, card)] == ["blocked"]


def test_a_load_that_is_in_doubt_keeps_its_pass_its_budget_and_its_holder(registry):
    with registry.transaction() as session:
        who = somebody(session, date(2015, 1, 1))
        card = a_pass(session, who, date(2016, 1, 1))
        session.add(PlannedLoad(id=1, holder_id=who.id, grant_number=1, period="2015", purse=1, amount=100))
        session.flush()
        rest = {"clear": b"", "tmc": 1, "enc_tmri": b"", "in_doubt": b""}
        session.add(OpenIntent(terminal=9, sequence=1, handle=card.handle, load_id=1, **rest))
    assert run(registry) == {}
    assert [count(registry, table) for table in (CardPass, Holder, PlannedLoad, OpenIntent)] == [1, 1, 1, 1]


def test_a_card_that_is_half_made_keeps_its_pass(registry):
    with registry.transaction() as session:
        card = a_pass(session, somebody(session), date(2016, 1, 1))
        session.add(BegunCard(uid=card.uid, pass_id=card.id))
    assert run(registry) == {}


@pytest.mark.parametrize("needed", ["planned load", "letter", "pass", "decision", "guardian", "import"])
def test_somebody_stays_with_their_household_as_long_as_one_of_them_is_needed(registry, needed):
    long_ago = date(2015, 1, 1)
    with registry.transaction() as session:
        who = somebody(session, long_ago)
        somebody(session, long_ago, name="sister")
        if needed == "planned load":
            session.add(PlannedLoad(holder_id=who.id, grant_number=1, period="2015", purse=1, amount=100))
        elif needed == "letter":
            session.add(Message(holder_id=who.id, kind="notice", language="nl", facts={}, made_on=long_ago))
        elif needed == "pass":
            a_pass(session, who, TODAY, "active")
        elif needed == "decision":
            session.add(decided(who, TODAY))
        elif needed == "guardian":
            child = somebody(session, TODAY, reference="2", name="child", born=TODAY)
            session.add(Guardian(child_id=child.id, guardian_id=who.id))
        else:
            made = an_import(session, TODAY, state="accepted", accepted_at=late(TODAY))
            session.add(ImportedRow(run_id=made.id, holder_id=who.id, before={"household": who.household_id}, left=""))
    run(registry)
    assert count(registry, Holder, Holder.household_id == 1) == 2


def test_a_household_that_somebody_may_be_put_back_into_stays(registry):
    with registry.transaction() as session:
        session.add(Household(reference="old", income_percent=1, band_by="", band_on=date(2015, 1, 1)))
        session.add(Household(reference="empty", income_percent=1, band_by="", band_on=date(2015, 1, 1)))
        made = an_import(session, TODAY, state="accepted", accepted_at=late(TODAY))
        who = somebody(session)
        session.add(ImportedRow(run_id=made.id, holder_id=who.id, before={"household": 1}, left=""))
    run(registry)
    with registry.transaction() as session:
        assert set(session.scalars(select(Household.reference))) == {"old", "1"}


def test_what_was_written_on_passes_stays_as_a_count_without_names(registry):
    long_ago = date(2015, 1, 1)
    with registry.transaction() as session:
        for name, state in (("noor", "written"), ("sam", "written"), ("ali", "cancelled")):
            who = somebody(session, long_ago, name=name)
            facts = {"grant_number": 1, "period": "2015", "purse": 2, "amount": 1500}
            session.add(PlannedLoad(holder_id=who.id, state=state, **facts))
        # What a lost pass held was counted when it was written there.
        again = {"grant_number": 0, "period": "pass 1", "purse": 2, "amount": 700}
        session.add(PlannedLoad(holder_id=who.id, state="written", **again))
    assert run(registry)["people and their household"] == 3
    assert [count(registry, table) for table in (Holder, Household, PlannedLoad)] == [0, 0, 0]
    with registry.transaction() as session:
        past = session.scalars(select(PastLoads)).one()
        assert (past.period, past.grant_number, past.purse, past.count, past.amount) == ("2015", 1, 2, 2, 3000)


def test_a_decision_of_a_pass_year_is_kept_from_the_end_of_that_year(registry):
    with registry.transaction() as session:
        session.add(decided(somebody(session), date(2018, 2, 1), period="2019"))
    seven_years_after = date(2019, 12, 31) + timedelta(days=DAYS["decision, with its reason and band"])
    run(registry, seven_years_after - timedelta(days=1))
    assert count(registry, Decision) == 1
    run(registry, seven_years_after)
    assert count(registry, Decision) == 0


def test_the_replacement_of_a_pass_that_goes_stays(registry):
    with registry.transaction() as session:
        who = somebody(session)
        lost = a_pass(session, who, date(2020, 1, 1), "replaced")
        a_pass(session, who, TODAY, "active", "BBBB-BBBB", 2).replaces_id = lost.id
    assert run(registry) == {"pass that ended": 1}
    assert count(registry, CardPass, CardPass.replaces_id.is_(None)) == 1


def test_the_stock_still_adds_up(registry):
    with registry.transaction() as session:
        a_stock_move(session, date(2015, 1, 1))
    run(registry)
    with registry.transaction() as session:
        assert session.scalar(select(func.sum(StockMove.count))) == -3


@pytest.mark.parametrize("handed_in", [None, 2, 3])
def test_the_journal_keeps_what_the_backend_lacks_and_its_chain_goes_on(registry, handed_in):
    journal, long_ago = RegistryJournal(registry, LINK, 9), date(2021, 1, 1)
    with registry.transaction() as session:
        # The highest number is not the last entry: an older load was closed after a newer one.
        session.add_all([entry(1, long_ago), entry(2, long_ago, 7), entry(3, long_ago, 3), entry(4, long_ago, 4)])
        if handed_in:
            session.add(HandedIn(terminal=9, position=handed_in))
    left = {None: [1, 2, 3, 4], 2: [2, 3, 4], 3: [2, 3, 4]}[handed_in]
    before = journal.batches((handed_in or 0) + 1)
    run(registry)
    with registry.transaction() as session:
        assert list(session.scalars(select(JournalEntry.position).order_by(JournalEntry.position))) == left
    assert journal.next_sequence() == 8
    assert [without_seal(batch) for batch in journal.batches((handed_in or 0) + 1)] == [
        without_seal(batch) for batch in before
    ]


def without_seal(batch):
    """Where a batch begins, and on what."""
    return batch[:30], len(batch)


def test_handing_in_notes_what_the_backend_has(registry):
    with registry.transaction() as session:
        session.add_all([entry(1, TODAY), entry(2, TODAY)])
    for first in (1, 3):
        RegistryJournal(registry, LINK, 9).batches(first)
        assert count(registry, HandedIn, HandedIn.position == first - 1) == 1


def test_the_log_is_whole_after_its_beginning_went_and_still_shows_what_was_done_to_it(registry):
    with registry.transaction() as session:
        for days in (9000, 8000, 10, 5):
            audit_log.add(session, late(TODAY - timedelta(days=days)), "clerk", "desk", "block", "pass A", "done")
        lines, last = audit_log.verify(session)
    assert run(registry) == {"audit log": 2}
    with registry.transaction() as session:
        assert audit_log.verify(session, noted=last) == (lines, last)
        audit_log.add(session, late(TODAY), "clerk", "desk", "block", "pass B", "done")
        assert audit_log.verify(session)[0] == 5
        session.delete(session.get_one(AuditLine, 3))
    with registry.transaction() as session, pytest.raises(Refusal, match="does not follow"):
        audit_log.verify(session)


def test_the_last_line_of_the_log_stays_however_old_it_is(registry):
    with registry.transaction() as session:
        for _ in range(2):
            audit_log.add(session, late(date(2015, 1, 1)), "clerk", "desk", "block", "pass A", "done")
    assert run(registry) == {"audit log": 1}
    with registry.transaction() as session:
        assert audit_log.verify(session)[0] == 2


def test_a_request_that_waits_stays(registry):
    with registry.transaction() as session:
        facts = {"asked_by": "clerk", "asked_at": late(date(2015, 1, 1))}
        session.add(Approval(kind="hardship", about="1", amount=1, reason="fire", **facts))
    assert run(registry) == {}


def test_a_clock_that_was_wrong_for_a_day_costs_the_log_nothing(registry):
    with registry.transaction() as session:
        for days in (5, 9000, 4):
            audit_log.add(session, late(TODAY - timedelta(days=days)), "clerk", "desk", "block", "pass A", "done")
    assert run(registry) == {}


def test_an_import_that_was_kept_long_enough_is_not_undone_any_more(registry):
    raw = b"huishouden;voornaam;tussenvoegsel;achternaam;geboortedatum;inkomensklasse\n1;Noor;;Bos;1-1-2016;110"
    at = late(TODAY - timedelta(days=30))
    with registry.transaction() as session:
        number = importing.upload(session, raw, "clerk", at, at.date())[0].id
        importing.accept(session, number, "clerk", at, at.date())
    run(registry)
    with registry.transaction() as session, pytest.raises(DeskError, match="too long ago"):
        importing.undo(session, number, "lead", late(TODAY))


# The table and the report


def test_every_table_of_the_registry_has_a_class():
    for module in pkgutil.walk_packages(issuer.__path__, "issuer."):
        # Migrations follow the tables; they are run, not imported.
        if not module.name.startswith("issuer.registry.migrations"):
            importlib.import_module(module.name)
    classes = {table.__tablename__ for kept in KEPT for table in kept.tables}
    assert set(Base.metadata.tables) - classes == set(), "say in issuer.retention how long it is kept"


def test_every_class_says_how_long_and_why_and_has_a_row_in_these_tests():
    assert len({kept.name for kept in KEPT}) == len(KEPT)
    assert {kept.name for kept in KEPT if kept.forget} == set(ROWS)
    for kept in KEPT:
        assert kept.why
        assert bool(kept.since and kept.then) == (kept.days is not None) == (kept.forget is not None)


def test_the_page_on_privacy_has_the_table():
    page = PRIVACY.read_text(encoding="utf-8")
    table = page.split("<!-- retention -->\n")[1].split("\n<!-- end of retention -->")[0]
    assert table == as_markdown()


def test_the_report_counts_each_class_and_names_nobody(registry):
    with registry.transaction() as session:
        a_household(session, date(2015, 1, 1))
        session.add(decided(somebody(session, reference="2", name="sam"), date(2020, 5, 1)))
    with registry.transaction() as session:
        report = run_retention(session, TODAY)
        assert reports(session) == [report]
    rows = list(csv.reader(io.StringIO(report.as_csv().decode()), delimiter=";"))
    assert rows[0] == ["day", "class", "gone", "oldest left"]
    assert [TODAY.isoformat(), "people and their household", "2", TODAY.isoformat()] in rows
    assert [TODAY.isoformat(), "decision, with its reason and band", "0", "2020-05-01"] in rows
    assert len(rows) == 1 + len(ROWS)
    assert len(report.as_text().splitlines()) == 1 + len(ROWS)
    assert not any(name in report.as_text() + str(rows) for name in ("noor", "ali", "sam"))
