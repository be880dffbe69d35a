"""The exceptions desk: what is not in order is listed by kind, and two people close it or book it."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError

from backend.errors import BatchRefused, ExceptionRefused, NotFound, PersonRefused, StatementRefused, TwoJournals
from backend.exceptions import names, words
from backend.vault import FINDINGS
from card.batch import COMMITTED, IN_DOUBT, NOT_SEALED, VOID
from card.record import TAP
from tests.backend.a_bank import camt, pain_002
from tests.backend.conftest import NOT_ALLOWED, WITH_OFFER_99
from tests.backend.test_http import client_of

POOL = 5
ROOT = Path(__file__).parents[2]


@pytest.fixture
def desk(world):
    """The desk on a day on which every terminal was there."""
    with world.clearing.store.transaction() as tx:
        for terminal in (world.pool, world.shop):
            tx.journal.advance(terminal.number, world.now.date())
    return world.clearing.exceptions


def kinds(desk, **which):
    return [case.kind for case in desk.cases(**which)]


def two_close(world, id, reason="flash_damaged"):
    """Anna proposes and Bram confirms, a while later."""
    world.clearing.exceptions.close(id, "Anna", reason)
    world.now += timedelta(minutes=5)
    return world.clearing.exceptions.confirm(id, "Bram")


def finds(world, *findings, unnamed=0, **period):
    """What the vault says of an audit."""
    found = [
        {"kind": kind, "terminal": 101, "sequence": sequence, "nullifier": nullifier}
        for kind, sequence, nullifier in findings
    ]
    world.vault.finds = {"findings": found, "unnamed": unnamed}
    return world.clearing.findings.audit(**period)


NULLIFIER = "5a" * 16


# Each kind of refusal has its screen


def unreadable(world):
    with pytest.raises(BatchRefused):
        world.accept(b"nonsense", 101)


def two_journals(world):
    world.pool.tap(world.holder)
    world.sync()
    other = world.terminal(101)
    other.tap(world.stranger)
    with pytest.raises(TwoJournals):
        world.sync(other)


def gap(world):
    for _ in range(3):
        world.pool.tap(world.holder)
    world.accept(world.pool.batch(3, 3))


def doubt(world):
    world.pool.doubt(world.holder)
    world.sync()


def not_proven(world):
    record = world.pool.record(TAP, 11, 1, 500)
    world.pool.append(COMMITTED, record, world.pool.seal(record, world.stranger))
    world.sync()


def replay(world):
    world.pool.tap(world.holder)
    second = world.pool.record(TAP, 11, 1, 500)
    sealed = world.pool.seal(second, world.holder)
    world.vault.committed[second.to_bytes(), sealed] = next(iter(world.vault.committed.values()))
    world.pool.append(COMMITTED, second, sealed)
    world.sync()


def refused(world):
    world.pool.tap(world.holder, offer=99)
    world.sync()


def contradiction(world):
    tap = world.pool.tap(world.holder)
    world.pool.void(sequence=tap.sequence)
    world.sync()


def missing(world):
    world.pool.tap(world.holder)
    world.sync()
    finds(world, ("missing", 7, None))


def foreign(world):
    world.pool.tap(world.holder)
    world.sync()
    finds(world, ("not_ours", 7, None))


def differs(world):
    world.pool.tap(world.holder)
    world.sync()
    finds(world, ("differs", 1, None))


@pytest.mark.parametrize(
    "happens",
    [
        unreadable, two_journals, gap, doubt, not_proven, replay, refused, contradiction, missing, foreign, differs,
    ],
)  # fmt: skip
def test_each_kind_is_on_its_own_screen_until_two_people_close_it(world, desk, happens):
    world.shop.tap(world.holder, offer=21, amount=700, price=700)
    world.sync(world.shop)
    happens(world)
    kind = happens.__name__
    assert kinds(desk, venue=POOL, kind=kind) == [kind]
    assert desk.counts()[kind] == desk.counts(venue=POOL)[kind] == 1
    assert desk.counts(venue=6)[kind] == 0
    (case,) = desk.cases(kind)
    assert desk.case(case.id) == case
    assert (case.status, case.events) == ("open", ())
    assert two_close(world, case.id, "test").status == "closed"
    assert desk.cases(kind) == []
    (ended,) = desk.cases(kind, ended=True)
    assert [(event.action, event.by) for event in ended.events] == [("proposed", "Anna"), ("confirmed", "Bram")]
    assert ended.actions == ()


def test_where_all_is_well_there_is_nothing_to_see(world, desk):
    for terminal in (world.pool, world.shop):
        terminal.tap(world.holder, **({} if terminal is world.pool else {"offer": 21, "amount": 1, "price": 1}))
    world.sync()
    assert desk.cases() == []
    assert not any(desk.counts().values())


# Two people


def test_nobody_confirms_what_they_proposed_however_they_write_their_name(world, desk):
    refused(world)
    (case,) = desk.cases("refused")
    desk.close(case.id, " Anna  de Wit ", "test")
    with pytest.raises(ExceptionRefused) as refusal:
        desk.confirm(case.id, "anna de wit")
    assert refusal.value.reason == "two people"
    assert desk.case(case.id).status == "proposed"
    assert desk.confirm(case.id, "Bram").status == "closed"


def test_the_database_itself_wants_two_people(world, desk):
    refused(world)
    (case,) = desk.cases("refused")
    desk.close(case.id, "Anna", "test")
    with world.clearing.store.transaction() as tx:
        (proposal,) = tx.cases.events([case.id])
    for proposed_by, done_by in [("Anna", "ANNA"), ("Somebody else", "Anna")]:
        answer = {"answers": proposal.id, "proposed_by": proposed_by, "done_by": done_by, "recorded_at": world.now}
        with pytest.raises(IntegrityError), world.clearing.store.transaction() as tx:
            tx.cases.add_event(about=case.id, action="confirmed", **answer)


@pytest.mark.parametrize("table", ["exception_event", "closed_gap", "finding", "audit"])
def test_what_was_found_and_done_is_never_changed(world, desk, table):
    gap(world)
    two_close(world, "gap:101.1-2")
    finds(world, ("missing", 7, None))
    for change in (f"UPDATE {table} SET recorded_at = NULL", f"DELETE FROM {table}"):
        change = change.replace("closed_gap SET recorded_at", "closed_gap SET last")
        with pytest.raises(DatabaseError, match=NOT_ALLOWED), world.connection() as connection:
            connection.execute(text(change))


def test_a_proposal_can_be_declined_and_made_again(world, desk):
    refused(world)
    (case,) = desk.cases("refused")
    desk.close(case.id, "Anna", "test")
    with pytest.raises(ExceptionRefused, match="retry, confirm, decline"):
        desk.close(case.id, "Carla", "test")
    assert desk.decline(case.id, "Anna").status == "open"
    assert desk.close(case.id, "Bram", "other", "a test of the installer").status == "proposed"
    assert desk.confirm(case.id, "Anna").status == "closed"


@pytest.mark.parametrize(
    ("by", "reason", "note", "fault"),
    [
        ("Anna", "mood", "", "reason"),
        ("Anna", "other", "  ", "note"),
        ("Anna", "test", "x" * 201, "note"),
        (" ", "test", "", "person"),
    ],
)
def test_a_case_is_closed_by_somebody_for_a_reason(world, desk, by, reason, note, fault):
    refused(world)
    (case,) = desk.cases("refused")
    with pytest.raises((ExceptionRefused, PersonRefused)) as refusal:
        desk.close(case.id, by, reason, note)
    assert refusal.value.reason == fault
    assert desk.case(case.id).events == ()


@pytest.mark.parametrize("id", ["item:777", "gap:101.1-2", "doubt:101.1", "nonsense", "", "missing:1.1"])
def test_a_case_that_is_not_there_is_not_found(desk, id):
    for act in (desk.case, lambda id: desk.close(id, "Anna", "test"), lambda id: desk.retry(id, "Anna")):
        with pytest.raises(NotFound):
            act(id)


# Trying again


def test_a_case_is_tried_again_and_who_did_so_is_kept(world, desk):
    refused(world)
    (case,) = desk.cases("refused")
    assert case.facts["offer"] == 99
    assert (desk.retry(case.id, "Anna").resolved, desk.case(case.id).status) == (False, "open")
    world.import_venues((world.folder / "venues.toml").read_text().replace("number = 11", "number = 99", 1))
    assert desk.retry(case.id, "Bram").resolved
    found = desk.case(case.id)
    assert (found.status, found.actions) == ("resolved", ())
    assert [(event.action, event.by, event.note) for event in found.events] == [
        ("retried", "Anna", "offer"),
        ("retried", "Bram", ""),
    ]
    assert world.venue_is_owed() == 500


def counted_as_open(world):
    """How many refusals wait for somebody, wherever that is said."""
    with client_of(world) as client:
        said = {client.get("/v1/totals").json()["quarantine"], client.get("/health").json()["quarantine"]}
        (line,) = re.findall(r"^meedoen_quarantine_open (.+)$", client.get("/metrics").text, re.MULTILINE)
    (count,) = said | {int(float(line))}
    return count


def test_a_closed_batch_that_a_stuck_terminal_sends_again_stays_closed(world, desk):
    unreadable(world)
    (case,) = desk.cases("unreadable")
    desk.close(case.id, "Anna", "never_ours")
    assert counted_as_open(world) == 1
    desk.confirm(case.id, "Bram")
    for _ in range(2):
        assert (desk.case(case.id).status, counted_as_open(world)) == ("closed", 0)
        world.now += timedelta(days=1)
        unreadable(world)
    assert desk.cases("unreadable") == []
    assert len(desk.case(case.id).events) == 2


def test_a_closed_batch_that_is_refused_for_another_reason_is_open_again(world, desk):
    forged = world.terminal(102)
    forged.key = bytes(16)
    forged.tap(world.holder)

    def hand_in():
        with pytest.raises(BatchRefused) as refusal:
            world.sync(forged)
        return refusal.value.reason

    assert hand_in() == "terminal"
    (case,) = desk.cases("unreadable")
    two_close(world, case.id, "never_ours")
    world.now += timedelta(days=1)
    world.import_venues((world.folder / "venues.toml").read_text().replace("[101]", "[101, 102]"))
    assert hand_in() == "mac"
    assert (desk.case(case.id).status, desk.case(case.id).reason, counted_as_open(world)) == ("open", "mac", 1)
    assert two_close(world, case.id).status == "closed"
    assert counted_as_open(world) == 0


def test_a_refused_record_that_two_people_closed_does_not_wait_any_more(world, desk):
    refused(world)
    (case,) = desk.cases("refused")
    assert counted_as_open(world) == 1
    two_close(world, case.id)
    world.sync()
    assert (desk.case(case.id).status, counted_as_open(world)) == ("closed", 0)


# Gaps


def test_a_gap_is_named_at_once_and_ends_when_it_is_filled(world, desk):
    for _ in range(9):
        world.pool.tap(world.holder)
    world.accept(world.pool.batch(3, 4))
    world.accept(world.pool.batch(8, 8))
    assert [case.id for case in desk.cases("gap")] == ["gap:101.1-2", "gap:101.5-7"]
    assert desk.cases("gap")[1].facts == {"entries": 3}
    world.sync()
    assert desk.cases("gap") == []


def held(world):
    return world.clearing.ingest.next_position(101) - 1


def test_what_a_terminal_may_erase_moves_past_a_gap_that_two_people_closed(world, desk):
    for _ in range(9):
        world.pool.tap(world.holder)
    world.accept(world.pool.batch(1, 2))
    world.accept(world.pool.batch(6, 7))
    world.accept(world.pool.batch(9, 9))
    assert held(world) == 2
    desk.close("gap:101.3-5", "Anna", "flash_damaged")
    assert held(world) == 2
    desk.confirm("gap:101.3-5", "Bram")
    assert held(world) == 7
    assert [case.id for case in desk.cases("gap")] == ["gap:101.8-8"]
    receipt = world.accept(world.pool.batch(9, 9))
    assert (receipt.next_position, receipt.gaps) == (8, [(8, 8)])
    world.accept(world.pool.batch(8, 8))
    assert held(world) == 9


def test_what_comes_in_after_its_gap_was_closed_is_paid_and_noted(world, desk):
    for _ in range(5):
        world.pool.tap(world.holder)
    world.accept(world.pool.batch(5, 5))
    two_close(world, "gap:101.1-4")
    assert (held(world), world.venue_is_owed()) == (5, 500)
    world.accept(world.pool.batch(2, 3))
    world.accept(world.pool.batch(2, 3))
    assert (held(world), world.venue_is_owed()) == (5, 1500)
    case = desk.case("gap:101.1-4")
    assert case.status == "closed"
    assert [(event.action, event.by, event.note) for event in case.events][2:] == [("arrived", None, "2-3")]
    world.sync()
    assert world.venue_is_owed() == 2500


def test_another_past_is_refused_in_a_closed_gap_too(world):
    for _ in range(3):
        world.pool.tap(world.holder)
    world.accept(world.pool.batch(3, 3))
    two_close(world, "gap:101.1-2")
    other = world.terminal(101)
    for _ in range(2):
        other.tap(world.stranger)
    with pytest.raises(TwoJournals):
        world.sync(other)


def test_a_gap_that_was_filled_in_part_is_closed_for_what_is_left(world, desk):
    for _ in range(6):
        world.pool.tap(world.holder)
    world.accept(world.pool.batch(6, 6))
    desk.close("gap:101.1-5", "Anna", "device_lost")
    world.accept(world.pool.batch(1, 3))
    with pytest.raises(NotFound, match="look at the list again"):
        desk.confirm("gap:101.1-5", "Bram")
    two_close(world, "gap:101.4-5", "device_lost")
    assert held(world) == 6


# Doubts


def test_a_doubt_that_happened_is_posted_once_two_people_book_it(world, desk):
    doubt(world)
    (case,) = desk.cases("doubt")
    assert case.actions == ("close",)
    finds(world, ("happened", 1, NULLIFIER))
    finds(world, ("happened", 1, NULLIFIER))
    assert desk.case(case.id).actions == ("book", "close")
    desk.book(case.id, "Anna")
    assert world.venue_is_owed() == 0
    assert desk.confirm(case.id, "Bram").status == "resolved"
    assert world.venue_is_owed() == 500
    assert desk.cases() == []
    assert [event.action for event in desk.case(case.id).events] == ["proposed", "confirmed"]


def refused_doubt(world, desk):
    """Two people book a doubt at an offer that is not there."""
    record = world.pool.record(TAP, 99, 1, 500)
    world.pool.append(IN_DOUBT, record, world.pool.seal(record, world.holder))
    world.sync()
    finds(world, ("happened", 1, NULLIFIER))
    desk.book("doubt:101.1", "Anna")
    desk.confirm("doubt:101.1", "Bram")
    return record


def test_a_booked_doubt_that_was_refused_is_posted_when_its_offer_is_there(world, desk):
    refused_doubt(world, desk)
    world.import_venues(WITH_OFFER_99)
    assert desk.retry(desk.cases()[0].id, "Chris").resolved
    assert world.venue_is_owed() == 500


def test_a_booked_doubt_whose_terminal_settles_it_later_is_not_paid_twice(world, desk):
    tap = world.pool.doubt(world.holder)
    world.sync()
    finds(world, ("happened", 1, NULLIFIER))
    desk.book("doubt:101.1", "Anna")
    desk.confirm("doubt:101.1", "Bram")
    world.pool.commit(tap, world.holder)
    world.sync()
    assert world.state(world.pool, tap) == "proven"
    assert world.venue_is_owed() == 500
    assert desk.cases() == []


def test_a_booked_doubt_that_its_terminal_denies_stays_paid_and_is_shown(world, desk):
    tap = world.pool.doubt(world.holder)
    world.sync()
    finds(world, ("happened", 1, NULLIFIER))
    desk.book("doubt:101.1", "Anna")
    desk.confirm("doubt:101.1", "Bram")
    world.pool.void(sequence=tap.sequence)
    world.sync()
    assert world.venue_is_owed() == 500
    assert kinds(desk) == ["contradiction"]


def test_a_booked_doubt_that_was_refused_stays_so_and_is_shown_when_its_terminal_denies_it(world, desk):
    record = refused_doubt(world, desk)
    world.pool.append(VOID, record, NOT_SEALED)
    world.sync()
    assert world.state(world.pool, record) == "rejected"
    assert sorted(kinds(desk)) == ["contradiction", "refused"]


def test_a_doubt_that_did_not_happen_is_void_and_nothing_is_paid(world, desk):
    tap = world.pool.doubt(world.holder)
    world.sync()
    finds(world, ("did_not_happen", 1, None))
    assert world.state(world.pool, tap) == "void"
    assert desk.cases() == []
    assert desk.case("doubt:101.1").status == "resolved"
    assert world.clearing.ledger.balances() == {}


def test_a_doubt_of_a_destroyed_year_can_only_be_closed(world, desk):
    doubt(world)
    finds(world, ("happened", 1, None))
    assert desk.case("doubt:101.1").actions == ("close",)


def test_a_closed_doubt_comes_up_again_when_the_vault_finds_that_it_happened(world, desk):
    doubt(world)
    two_close(world, "doubt:101.1", "pass_lost")
    assert desk.cases("doubt") == []
    world.now += timedelta(days=30)
    finds(world, ("happened", 1, NULLIFIER))
    (case,) = desk.cases("doubt")
    assert (case.status, case.actions) == ("open", ("book", "close"))
    desk.book(case.id, "Anna")
    desk.confirm(case.id, "Bram")
    assert world.venue_is_owed() == 500


def test_a_closed_doubt_that_its_pass_settles_is_paid(world):
    tap = world.pool.doubt(world.holder)
    world.sync()
    two_close(world, "doubt:101.1", "pass_lost")
    world.pool.commit(tap, world.holder)
    world.sync()
    assert world.venue_is_owed() == 500


def test_a_doubt_that_the_rules_refuse_is_not_paid_but_shown(world, desk):
    record = refused_doubt(world, desk)
    assert kinds(desk) == ["refused"]
    assert world.clearing.ledger.balances() == {}
    # Tried again, it is refused for the same reason, not because it proves nothing by itself.
    assert desk.retry(desk.cases()[0].id, "Chris").reason == "offer"
    # Its pass comes back: the same record, now proven by itself, is refused for the same reason.
    world.pool.commit(record, world.holder)
    world.sync()
    assert kinds(desk) == ["refused"]


# Findings


def test_a_missing_record_ends_when_it_comes_in(world, desk):
    world.pool.tap(world.holder)
    world.sync()
    finds(world, ("missing", 2, None), unnamed=1)
    (case,) = desk.cases()
    assert (case.kind, case.terminal, case.sequence, case.venue) == ("missing", 101, 2, POOL)
    world.pool.tap(world.holder)
    world.sync()
    assert desk.cases() == []
    assert desk.case(case.id).status == "resolved"


def test_what_came_in_while_the_vault_was_looking_is_not_missing(world, desk):
    world.pool.tap(world.holder)
    world.sync()
    assert finds(world, ("missing", 1, None)).findings == []
    assert desk.cases() == []


def test_a_record_that_its_terminal_denies_and_a_pass_names_is_shown(world, desk):
    world.pool.void()
    world.pool.tap(world.holder)
    world.sync()
    finds(world, ("missing", 1, None))
    (case,) = desk.cases()
    assert (case.id, case.facts) == ("missing:101.1", {"held_as": "void"})


def test_the_same_finding_again_is_the_same(world, desk):
    missing(world)
    before = desk.cases()
    world.now += timedelta(days=1)
    finds(world, ("missing", 7, None))
    assert desk.cases() == before


def test_an_audit_is_of_a_period(world):
    for day in (2, 3, 4):
        world.pool.day = date(2026, 11, day)
        world.pool.tap(world.holder)
    world.sync()
    for since, until, records in [(None, None, 3), (date(2026, 11, 3), None, 2), (None, date(2026, 11, 2), 1)]:
        finds(world, since=since, until=until)
        assert len(world.vault.audited) == 103 * records
    assert finds(world, since=date(2027, 1, 1)).records == 0


# Terminals that stay away


def test_a_terminal_that_stays_away_is_an_exception_until_it_comes_back(world, desk):
    world.pool.tap(world.holder)
    world.sync()
    world.shop.tap(world.holder, offer=21, amount=1, price=1)
    world.sync()
    world.now += timedelta(days=14)
    assert desk.cases() == []
    world.now += timedelta(days=1)
    first, second = desk.cases("overdue")
    assert (first.terminal, first.facts, first.actions, first.since) == (101, {"days": 15}, (), date(2026, 11, 2))
    assert second.venue == 6
    world.sync()
    assert desk.cases() == []


def test_a_terminal_that_never_came_is_an_exception_when_it_could_have_come_for_so_long(world):
    desk = world.clearing.exceptions
    world.now += timedelta(days=14)
    assert desk.cases("overdue") == []
    world.now += timedelta(days=1)
    assert [(case.terminal, case.facts, case.since) for case in desk.cases("overdue")] == [
        (101, {"days": None}, date(2026, 11, 2)),
        (201, {"days": None}, date(2026, 11, 2)),
    ]


def test_a_terminal_out_of_use_is_no_exception(world):
    world.import_venues((world.folder / "venues.toml").read_text().replace("[201]", "[202]"))
    world.now += timedelta(days=15)
    assert [case.terminal for case in world.clearing.exceptions.cases("overdue")] == [101, 202]


def awaited(world):
    return [(case.terminal, case.since) for case in world.clearing.exceptions.cases("overdue")]


def test_a_terminal_is_waited_for_from_the_day_on_which_it_was_put_into_use(world):
    """A second one at the pool, whose offers are there since November."""
    world.sells()
    world.now += timedelta(days=15)
    world.sync()
    added = world.clearing.calendar.today()
    world.import_venues((world.folder / "venues.toml").read_text().replace("[101]", "[101, 102]"))
    world.now += timedelta(days=14)
    world.sync()
    assert awaited(world) == []
    # New terms, and the same file again, are no new terminal.
    world.import_venues((world.folder / "venues.toml").read_text().replace("amount = 500", "amount = 550"))
    world.now += timedelta(days=1)
    assert awaited(world) == [(102, added)]


def test_a_terminal_that_is_put_into_use_again_is_waited_for_from_that_day(world):
    world.sells()
    text = (world.folder / "venues.toml").read_text()
    world.import_venues(text.replace("[201]", "[202]"))
    world.now += timedelta(days=60)
    world.sync(world.pool)
    again = world.clearing.calendar.today()
    world.import_venues(text)
    assert awaited(world) == []
    world.now += timedelta(days=15)
    world.sync(world.pool)
    assert awaited(world) == [(201, again)]


def test_a_terminal_of_a_venue_that_begins_later_is_not_waited_for_until_then(world):
    world.now += timedelta(days=15)
    venue = """[[venue]]
number = 7
name = "Nieuw"
iban = "NL91ABNA0417164300"
purses = [1]
terminals = [701]
"""
    world.import_venues(venue, date(2027, 1, 1))
    assert [terminal for terminal, _ in awaited(world)] == [101, 201]
    world.now += timedelta(days=61)
    assert [terminal for terminal, _ in awaited(world)] == [101, 201, 701]


def test_who_says_something_wrong_was_not_there(world):
    world.now += timedelta(days=15)
    with pytest.raises(StatementRefused):
        world.clearing.bundle(101, b"")
    assert world.clearing.exceptions.counts()["overdue"] == 2


# Words


def test_every_kind_has_its_words_in_both_languages():
    for language in ("nl", "en"):
        assert list(words.KINDS[language]) == list(names.KINDS)
        assert all(all(text.strip() for text in each) for each in words.KINDS[language].values())
        assert set(words.ACTIONS[language]) == {*(act for acts in names.ACTIONS.values() for act in acts), *ANSWERS}
        assert set(words.STATUSES[language]) == set(names.STATUSES)
        assert set(words.CLOSE_REASONS[language]) == set(names.CLOSE_REASONS)
        assert set(words.BATCH_REASONS[language]) == set(names.BATCH_REASONS)
        assert set(words.ENTRY_REASONS[language]) == set(names.ENTRY_REASONS)
        assert set(words.FOUND[language]) | {"missing", "not_ours", "differs"} == set(FINDINGS)


ANSWERS = ("confirm", "decline")


def test_every_reason_for_which_clearing_refuses_has_a_kind():
    """Read from the source: a reason that somebody adds has its words, or its case could not be shown."""
    source = "".join((ROOT / "backend" / name).read_text() for name in ("ingest.py", "ledger.py", "vault.py"))
    source += (ROOT / "card" / "batch.py").read_text()
    batch = set(re.findall(r'BadBatch\("(.+?)"', source)) | {"two journals"}
    entry = set(re.findall(r'RecordRefused\("(.+?)"', source)) | {"seal", "handle", "mac", "record", "year", "sequence"}
    assert len(batch) + len(entry) > 15
    assert batch == set(names.BATCH_REASONS)
    assert entry == set(names.ENTRY_REASONS)


# Over HTTP


def test_over_http_two_people_close_a_case(world, desk):
    refused(world)
    with client_of(world) as client:
        listed = client.get("/v1/exceptions?limit=1").json()
        assert (listed["total"], listed["counts"]["refused"]) == (1, 1)
        path = f"/v1/exceptions/{listed['cases'][0]['id']}"
        assert client.get("/v1/exceptions?venue=6").json()["cases"] == []
        closing = {"by": "Anna", "reason": "other", "note": "a test"}
        assert client.post(f"{path}/closings", json=closing | {"reason": "mood"}).status_code == 400
        assert client.post(f"{path}/closings", json=closing | {"note": ""}).json()["reason"] == "note"
        assert client.post(f"{path}/bookings", json={"by": "Anna"}).json()["reason"] == "action"
        assert client.post(f"{path}/closings", json=closing).json()["actions"] == ["retry", "confirm", "decline"]
        refusal = client.post(f"{path}/confirmations", json={"by": "anna"})
        assert (refusal.status_code, refusal.json()["reason"]) == (409, "two people")
        assert client.post(f"{path}/refusals", json={"by": "Bram"}).json()["status"] == "open"
        client.post(f"{path}/closings", json=closing)
        assert client.post(f"{path}/confirmations", json={"by": "Bram"}).json()["status"] == "closed"
        actions = [event["action"] for event in client.get(path).json()["events"]]
        assert actions == ["proposed", "declined", "proposed", "confirmed"]
        assert client.get("/v1/exceptions/item:777").status_code == 404


def test_over_http_a_doubt_is_booked(world, desk):
    doubt(world)
    finds(world, ("happened", 1, NULLIFIER))
    with client_of(world) as client:
        assert client.get("/v1/exceptions/doubt:101.1").json()["facts"]["found"] == "happened"
        client.post("/v1/exceptions/doubt:101.1/bookings", json={"by": "Anna"})
        client.post("/v1/exceptions/doubt:101.1/confirmations", json={"by": "Bram"})
        assert NULLIFIER not in client.get("/v1/exceptions?ended=true").text
    assert world.venue_is_owed() == 500


# Of the bank


def at_the_bank(world, *entries, message):
    world.clearing.bank.take(camt(list(entries), message=message), "Chris")


def settled(world):
    made = world.clearing.settlements.prepare(date(2026, 11, 30), "Anna")
    world.clearing.settlements.approve(made.number, "Bram")
    return f"MD-1-{made.number}-{POOL}"


def test_a_payment_that_came_back_is_a_case_until_a_settlement_pays_it_again(world, desk):
    world.pool.tap(world.holder)
    world.sync()
    payment = settled(world)
    at_the_bank(world, ("DBIT", 500, payment), message="S1")
    assert desk.cases("returned") == []
    at_the_bank(world, ("CRDT", 500, payment), message="S2")
    (case,) = desk.cases(venue=POOL)
    assert (case.id, case.venue, case.actions) == (f"returned:{payment}", POOL, ())
    assert (case.facts["settlement"], case.facts["amount"]) == ("2026-001", 500)
    settled(world)
    assert desk.counts()["returned"] == 0
    assert desk.case(f"returned:{payment}").status == "resolved"


def test_a_payment_that_was_refused_and_paid_all_the_same_is_no_case_any_more(world, desk):
    world.pool.tap(world.holder)
    world.sync()
    payment = settled(world)
    world.clearing.bank.take(pain_002(payments=[(payment, "RJCT")]), "Chris")
    assert kinds(desk) == ["returned"]
    at_the_bank(world, ("DBIT", 500, payment), message="S1")
    assert kinds(desk) == ["returned", "bank_entry"]
    (entry,) = world.clearing.bank.unmatched()
    for person in ("Chris", "Dirk"):
        world.clearing.bank.assign(entry.id, payment, person)
    assert kinds(desk) == []


def test_an_entry_of_the_bank_that_fits_nothing_is_a_case_until_people_decided(world, desk):
    at_the_bank(world, ("CRDT", 9900, None), message="S1")
    (case,) = desk.cases()
    assert (case.kind, case.reason, case.facts["direction"], case.actions) == ("bank_entry", "unknown", "credit", ())
    with client_of(world) as client:
        assert client.get(f"/v1/exceptions/{case.id}").json()["facts"]["entry"] == case.facts["entry"]
    world.clearing.bank.not_ours(case.facts["entry"], "rent of a hall", "Dirk")
    assert desk.cases() == []
    assert desk.case(case.id).status == "resolved"
