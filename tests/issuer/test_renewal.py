"""The yearly test: a preview that changes nothing, an acceptance by a second person, and a pass that works on."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from card.layout import PassFile
from hardware.emulated_pass import inspect
from hardware.in_process import InProcessReader
from issuer import forgetting, options, renewal
from issuer.deciding import decide_all, decide_for
from issuer.desk import day_number
from issuer.errors import CardLeft, CardRefused, DeskError
from issuer.funds import costs
from issuer.people import Person
from issuer.registry import Base, Registry, loads, passes, people
from issuer.registry.tables import CardPass, Decision, Holder, Message, RenewalRow, RenewalRun
from issuer.renewal_cli import app
from issuer.scheme import Fund, Purse, Scheme, load_scheme
from tests.city import factory_card, purses_of
from tests.issuer.a_registry import NOON, TODAY, block, holder, in_memory, pass_of, take
from tests.issuer.test_desk import Shaky, desk_on

SCHEMES = Path(__file__).parents[2] / "schemes"
SCHEME = load_scheme(SCHEMES / "gelrepas.toml")
NEW_YEAR = date(2027, 1, 1)
UNTIL = date(2028, 1, 31)

SAM = Person("1", "Vos", "de", "Sam", date(2015, 5, 1), 110)
MOTHER = Person("1", "Vos", "de", "Noor", date(1985, 2, 9), 110)
TURNS_18 = Person("1", "Vos", "de", "Bo", NEW_YEAR.replace(year=2009), 110)
TURNS_4 = Person("1", "Vos", "de", "Kim", NEW_YEAR.replace(year=2023), 110)
NEWBORN = Person("1", "Vos", "de", "Lou", date(2026, 11, 1), 110)
STRANGER = Person("2", "Bos", "", "Ali", date(1990, 7, 3), 120)
VOLUNTEER = Person("3", "Smit", "", "Joke", date(1970, 1, 1), 100, frozenset({"volunteer"}))
EVERYBODY = (SAM, MOTHER, TURNS_18, TURNS_4, NEWBORN, STRANGER, VOLUNTEER)


def with_pass(registry: Registry, *persons: Person, scheme: Scheme = SCHEME) -> None:
    """They have a pass, with what this year gives them on it."""
    for person in persons:
        who = holder(registry, person)
        with registry.transaction() as session:
            who = people.holder(session, who.id)
            valid = scheme.validity(TODAY)
            card = passes.set_aside(session, who, f"CODE-{who.id}", valid, "clerk", NOON)
            card.uid = who.id.to_bytes(7, "big")
            card.handle = who.id.to_bytes(16, "big")
            passes.move(session, card, "encoded", "clerk", NOON)
            passes.move(session, card, "active", "clerk", NOON)
            loads.plan(session, who, decide_for(session, who, scheme, TODAY), "clerk", TODAY)
            for load in loads.of(session, who.id):
                load.state = "written"


@pytest.fixture
def registry() -> Registry:
    made = in_memory()
    take(made, EVERYBODY)
    with_pass(made, SAM, MOTHER, TURNS_18, STRANGER)
    return made


def preview(registry: Registry, scheme: Scheme = SCHEME, by: str = "Ria") -> RenewalRun:
    with registry.transaction() as session:
        return renewal.preview(session, scheme, NEW_YEAR, by, NOON)


def accept(registry: Registry, run: RenewalRun, scheme: Scheme = SCHEME, by: str = "Piet", tell=renewal.unheard):
    return renewal.accept(registry, run.id, scheme, by, NOON, tell)


def row(registry: Registry, run: RenewalRun, person: Person) -> RenewalRow | None:
    with registry.transaction() as session:
        return session.get(RenewalRow, (run.id, holder(registry, person).id))


def outcomes(registry: Registry, run: RenewalRun) -> dict[str, str]:
    with registry.transaction() as session:
        return {people.holder(session, each.holder_id).given_name: each.outcome for each in renewal.rows(session, run)}


def budgets(found: RenewalRow | None) -> dict[int, int]:
    assert found is not None
    return {each["grant"]: each["amount"] for each in found.after}


def planned(registry: Registry, person: Person, period: str = "2027") -> dict[int, int]:
    with registry.transaction() as session:
        found = loads.of(session, holder(registry, person).id)
        return {each.grant_number: each.amount for each in found if each.period == period}


def content(registry: Registry, *without: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with registry.transaction() as session:
        tables = [table for table in Base.metadata.sorted_tables if table.name not in without]
        return {table.name: sorted(map(repr, session.execute(select(table)))) for table in tables}


# Who keeps, who loses, who gains


def test_who_keeps_who_loses_and_who_gains(registry):
    take(registry, [replace(STRANGER, income_percent=130)])
    run = preview(registry)
    assert outcomes(registry, run) == {
        "Sam": "keeps",
        "Noor": "keeps",
        "Bo": "keeps",
        "Kim": "gains",
        "Ali": "loses",
        "Joke": "gains",
    }
    assert {name: run.counts[name] for name in ("keeps", "loses", "gains", "cards")} == {
        "keeps": 3,
        "loses": 1,
        "gains": 2,
        "cards": 2,
    }
    assert (run.pass_year, run.state) == ("2027", "preview")


def test_who_loses_the_pass_hears_why(registry):
    take(registry, [replace(STRANGER, income_percent=130)])
    run = preview(registry)
    (reason,) = row(registry, run, STRANGER).reasons
    assert "120 procent" in reason[0]
    assert "120 percent" in reason[1]
    assert run.counts["why"] == [{"nl": reason[0], "en": reason[1], "people": 1}]


def test_a_child_that_becomes_18_on_the_first_day_gets_what_an_adult_gets(registry):
    before_and_after = row(registry, preview(registry), TURNS_18)
    assert before_and_after.before == {"1": 4500, "2": 18000, "6": 250}
    assert budgets(before_and_after) == {3: 12 * 995, 6: 250}


def test_who_is_too_old_for_every_budget_loses_the_pass(registry):
    children_only = replace(SCHEME, grants=SCHEME.grants[:2])
    run = preview(registry, children_only)
    found = outcomes(registry, run)
    assert (found["Sam"], found["Bo"]) == ("keeps", "loses")
    assert [nl.split(":")[0] for nl, _ in row(registry, run, TURNS_18).reasons] == ["Meedoen kind", "Kleding kind"]


def test_a_newborn_gains_a_pass_where_there_is_one_from_birth(registry):
    assert "Lou" not in outcomes(registry, preview(registry))
    from_birth = replace(SCHEME, minimum_age=0, grants=(replace(SCHEME.grants[0], from_age=0),))
    run = preview(registry, from_birth)
    assert (outcomes(registry, run)["Lou"], budgets(row(registry, run, NEWBORN))) == ("gains", {1: 4500})


def test_a_volunteer_gets_what_is_for_volunteers(registry):
    for_volunteers = replace(SCHEME, grants=(replace(SCHEME.grants[4], role="volunteer"),))
    assert list(outcomes(registry, preview(registry, for_volunteers))) == ["Sam", "Noor", "Bo", "Ali", "Joke"]
    assert planned(registry, VOLUNTEER) == {}
    accept(registry, preview(registry, for_volunteers), for_volunteers)
    assert planned(registry, VOLUNTEER) == {5: 15000}


def test_a_lost_pass_is_renewed_on_a_new_card(registry):
    block(registry, pass_of(registry, holder(registry, SAM)))
    run = preview(registry)
    assert (row(registry, run, SAM).outcome, row(registry, run, SAM).needs_card) == ("keeps", True)
    assert row(registry, run, MOTHER).needs_card is False


def test_who_has_no_pass_and_gets_none_is_in_no_preview(registry):
    run = preview(registry)
    assert row(registry, run, NEWBORN) is None


def test_everybody_is_decided_on_as_one_by_one_at_the_desk(registry):
    hardship(registry, NEWBORN, 1, 5000, "2027")
    with registry.transaction() as session:
        at_once = list(decide_all(session, SCHEME, NEW_YEAR, (1, 100)))
        assert [one.id for one, _ in at_once] == [one.id for one in people.holders(session)]
        assert [found for _, found in at_once] == [
            decide_for(session, one, SCHEME, NEW_YEAR) for one in people.holders(session)
        ]


# What changes and what it costs


def test_what_it_costs_by_grant_and_by_fund(registry):
    counts = preview(registry).counts
    told = {each["grant"]: (each["people"], each["costs"]) for each in counts["grants"]}
    sport = 12 * 995
    assert told == {
        1: (2, 2 * 4500),
        2: (2, 2 * 18000),
        3: (4, 4 * sport),
        4: (0, 0),
        5: (0, 0),
        6: (6, 6 * 250),
    }
    paid = {(each["fund"], each["unit"]): each["amount"] for each in counts["funds"]}
    assert paid == {
        ("Minimabeleid", "cent"): 9000,
        ("Minimabeleid", "visit"): 1500,
        ("Kinderarmoede", "cent"): 36000,
        ("Sportimpuls", "cent"): 4 * sport,
    }


def test_which_budgets_begin_and_stop(registry):
    changes = {each["grant"]: each for each in preview(registry).counts["grants"]}
    # Bo becomes an adult, Kim begins school age.
    assert (changes[2]["begins"], changes[2]["stops"], changes[2]["more"]) == (1, 1, 0)
    # Sport is by the month, and this year's pass was made in November.
    assert (changes[3]["begins"], changes[3]["more"], changes[3]["less"]) == (2, 2, 0)


def fund_scheme(split: str, shares: tuple[int, ...] = (), budget: int | None = None) -> Scheme:
    purse = Purse(1, "Meedoen", "cent", 10**9, ("A", "B", "C"), split, shares)  # type: ignore[arg-type]
    grants = (replace(SCHEME.grants[0], number=1), replace(SCHEME.grants[1], number=2, purse=1, fund="C"))
    return replace(SCHEME, purses={1: purse}, funds=(Fund("A", budget), Fund("B", budget), Fund("C")), grants=grants)


@given(amount=st.integers(0, 10**7), other=st.integers(0, 10**7), cut=st.tuples(st.integers(1, 98), st.integers(1, 98)))
def test_by_share_no_cent_is_lost_and_none_is_a_whole_cent_off(amount, other, cut):
    first, second = sorted(cut)
    shares = (first, second - first + 1, 99 - second)
    found = {each.fund: each.amount for each in costs(fund_scheme("share", shares), {1: amount, 2: other})}
    assert sum(found.values()) == amount + other
    found["C"] -= other
    for fund, share in zip("ABC", shares, strict=True):
        assert abs(100 * found[fund] - amount * share) < 100


def test_by_order_a_fund_pays_until_its_budget_is_used_up_and_the_last_pays_the_rest():
    found = costs(fund_scheme("order", budget=4000), {1: 10_001, 2: 5})
    assert [(each.fund, each.amount) for each in found] == [("A", 4000), ("B", 4000), ("C", 2006)]


def test_a_fund_that_pays_a_grant_of_its_own_has_less_for_the_rest():
    scheme = fund_scheme("order", budget=4000)
    scheme = replace(scheme, grants=(scheme.grants[0], replace(scheme.grants[1], fund="A")))
    found = costs(scheme, {1: 3000, 2: 1500})
    assert [(each.fund, each.amount) for each in found] == [("A", 4000), ("B", 500), ("C", 0)]


def test_numbers_of_fewer_than_five_people_do_not_leave_the_team(registry):
    told = renewal.for_others(preview(registry).counts)
    assert (told["keeps"], told["gains"], told["cards"]) == ("<5", "<5", "<5")
    grants = {each["grant"]: each for each in told["grants"]}
    assert (grants[1]["people"], grants[1]["costs"]) == ("<5", "<5")
    assert (grants[6]["people"], grants[6]["costs"]) == (6, 1500)
    # What this fund pays, less the grant that may be told, would tell the one that may not.
    assert [each["amount"] for each in told["funds"]] == ["<5", "<5", "<5", "<5"]


def test_a_fund_is_told_when_nobody_stands_out_behind_it(registry):
    take(registry, [replace(STRANGER, given_name=f"Ali {n}") for n in range(3)])
    told = renewal.for_others(preview(registry).counts)
    assert {each["fund"]: each["amount"] for each in told["funds"]}["Sportimpuls"] == 7 * 12 * 995


# A preview


def test_a_preview_changes_nothing_but_is_kept(registry):
    before = content(registry, "renewal_run", "renewal_row")
    run = preview(registry)
    assert content(registry, "renewal_run", "renewal_row") == before
    with registry.transaction() as session:
        assert [each.id for each in renewal.runs(session)] == [run.id]
        assert len(renewal.rows(session, run)) == 6


def test_a_new_preview_ends_the_one_before(registry):
    first, second = preview(registry), preview(registry)
    with registry.transaction() as session:
        assert [each.state for each in renewal.runs(session)] == ["preview", "cancelled"]
    with pytest.raises(DeskError, match="over"):
        accept(registry, first)
    assert accept(registry, second).state == "accepted"


def test_a_preview_can_be_put_away_until_it_is_accepted(registry):
    run = preview(registry)
    with registry.transaction() as session:
        renewal.cancel(session, run.id)
    with pytest.raises(DeskError, match="over"):
        accept(registry, run)
    accepted = accept(registry, preview(registry))
    with registry.transaction() as session, pytest.raises(DeskError, match="accepted already"):
        renewal.cancel(session, accepted.id)


def test_a_renewal_that_is_not_there_is_said_in_words(registry):
    with pytest.raises(DeskError, match="no renewal number 7"):
        renewal.accept(registry, 7, SCHEME, "Piet", NOON)


def test_a_renewal_is_forgotten_whole_and_does_not_hold_on_to_a_person(registry):
    run = preview(registry)
    with registry.transaction() as session:
        session.execute(delete(Holder).where(Holder.id == holder(registry, VOLUNTEER).id))
    assert len(content(registry)["renewal_row"]) == 5
    with registry.transaction() as session:
        assert forgetting.renewals(session, run.made_at.date() - timedelta(days=1)) == 0
        assert forgetting.renewals(session, run.made_at.date()) == 1
    assert content(registry)["renewal_row"] == []


# Acceptance


@pytest.mark.parametrize("by", ["Ria", "ria ", "RIA"])
def test_who_made_the_preview_does_not_accept_it(registry, by):
    run, before = preview(registry), content(registry)
    with pytest.raises(DeskError, match="Somebody else"):
        accept(registry, run, by=by)
    assert content(registry) == before


def test_the_database_refuses_who_made_the_preview_too(registry):
    run = preview(registry)
    with registry.transaction() as session, pytest.raises(IntegrityError):
        session.execute(update(RenewalRun).values(state="accepted", accepted_by=run.made_by))


def test_accepting_plans_the_new_year_for_everybody_once(registry):
    run = preview(registry)
    accept(registry, run)
    assert planned(registry, SAM) == {1: 4500, 2: 18000, 6: 250}
    assert planned(registry, TURNS_18) == {3: 12 * 995, 6: 250}
    assert planned(registry, NEWBORN) == {}
    before = content(registry)
    accept(registry, run)
    assert content(registry) == before


def test_accepting_changes_no_card(registry):
    def cards() -> list[str]:
        return content(registry)["card_pass"]

    before = cards()
    accept(registry, preview(registry))
    assert cards() == before


def test_a_second_renewal_of_the_same_year_gives_and_tells_nothing_twice(registry):
    accept(registry, preview(registry))
    before = content(registry, "renewal_run", "renewal_row")
    accept(registry, preview(registry))
    assert content(registry, "renewal_run", "renewal_row") == before


def test_who_came_in_later_is_in_the_second_renewal_of_the_year(registry):
    accept(registry, preview(registry))
    cousin = replace(STRANGER, given_name="Zoe")
    take(registry, [cousin])
    accept(registry, preview(registry))
    assert planned(registry, cousin) == planned(registry, STRANGER)


class Stopped(Exception):
    """Somebody pulled the plug."""


@pytest.mark.parametrize("at_once", [1, 2, 3])
@pytest.mark.parametrize("stop", range(1, 8))
def test_killed_half_way_and_run_again_is_the_same_as_in_one_go(registry, monkeypatch, at_once, stop):
    whole = in_memory()
    take(whole, EVERYBODY)
    with_pass(whole, SAM, MOTHER, TURNS_18, STRANGER)
    accept(whole, preview(whole))

    monkeypatch.setattr(renewal, "_AT_ONCE", at_once)

    def pull(done: int, total: int) -> None:
        if done >= stop:
            raise Stopped

    run = preview(registry)
    with pytest.raises(Stopped):
        accept(registry, run, tell=pull)
    with registry.transaction() as session:
        found = renewal.find(session, run.id)
        assert (found.state, found.finished_at) == ("accepted", None)
    accept(registry, run)
    assert content(registry) == content(whole)


def test_it_says_how_far_it_is(registry):
    heard = []
    run = preview(registry)
    accept(registry, run, tell=lambda done, total: heard.append((done, total)))
    assert heard == [(7, 7)]
    with registry.transaction() as session:
        assert renewal.progress(session, run) == {"rows": 6, "done": 6, "different": 0}


def test_who_moved_after_the_preview_is_decided_anew_and_shown(registry):
    run = preview(registry)
    take(registry, [replace(SAM, household="9", income_percent=130)])
    accept(registry, run)
    assert planned(registry, SAM) == {}
    found = row(registry, run, SAM)
    assert (found.outcome, found.became["outcome"]) == ("keeps", "loses")
    assert "120 procent" in found.became["reasons"][0][0]
    with registry.transaction() as session:
        assert renewal.progress(session, run)["different"] == 1


def test_who_came_in_after_the_preview_is_decided_on_and_shown(registry):
    run = preview(registry)
    cousin = replace(STRANGER, given_name="Zoe")
    take(registry, [cousin])
    accept(registry, run)
    assert planned(registry, cousin) == {3: 12 * 995, 6: 250}
    assert row(registry, run, cousin).became["outcome"] == "gains"


def test_a_pass_that_was_made_after_the_preview_is_nothing_else(registry):
    run = preview(registry)
    with_pass(registry, VOLUNTEER)
    accept(registry, run)
    assert row(registry, run, VOLUNTEER).became is None


def hardship(registry: Registry, person: Person, grant: int, amount: int, period: str) -> None:
    with registry.transaction() as session:
        session.add(
            Decision(
                holder_id=holder(registry, person).id,
                grant_number=grant,
                grant_name="Meedoen kind",
                period=period,
                granted=True,
                hardship=True,
                amount=amount,
                reason="het is nodig",
                reason_en="it is needed",
                income_percent=110,
                on=TODAY,
                by="Ria",
            )
        )


@pytest.mark.parametrize(("period", "amount"), [("2026", 4500), ("2027", 6000), ("once", 6000)])
def test_a_hardship_of_last_year_does_not_carry_over_unless_once(registry, period, amount):
    hardship(registry, SAM, 1, 6000, period)
    run = preview(registry)
    accept(registry, run)
    assert (budgets(row(registry, run, SAM))[1], planned(registry, SAM)[1]) == (amount, amount)


def test_what_is_given_once_is_not_given_again_in_the_new_year(registry):
    once = replace(SCHEME, grants=(replace(SCHEME.grants[0], per="once"),))
    other = in_memory()
    take(other, [SAM])
    with_pass(other, SAM, scheme=once)
    run = preview(other, once)
    assert run.counts["grants"][0]["costs"] == 0
    accept(other, run, once)
    assert planned(other, SAM, "once") == {1: 4500}
    with other.transaction() as session:
        (message,) = session.scalars(select(Message))
    assert message.facts["budgets"] == []


def test_a_pass_year_that_ends_in_summer_is_named_by_its_end(registry):
    summer = replace(SCHEME, year_ends=(7, 31))
    with registry.transaction() as session:
        run = renewal.preview(session, summer, date(2027, 8, 1), "Ria", NOON)
    assert run.pass_year == "2028"
    with pytest.raises(DeskError, match="pass year"):
        accept(registry, run, SCHEME)
    accept(registry, run, summer)
    assert planned(registry, SAM, "2028") == {1: 4500, 2: 18000, 6: 250}


def test_a_decision_is_told_to_each_in_a_letter_that_waits(registry):
    take(registry, [replace(STRANGER, income_percent=130)])
    accept(registry, preview(registry))
    with registry.transaction() as session:
        told = list(session.scalars(select(Message)))
    assert Counter(each.kind for each in told) == {"granted": 5, "ended": 1}
    assert all(each.sent_on is None for each in told)


# At the desk, in the new year


def a_pass(registry: Registry, person: Person = SAM, uid: bytes = b"\x04\x11\x22\x33\x44\x55\x66"):
    take(registry, [person])
    card = factory_card(uid)
    desk = desk_on(registry)
    issued = desk.issue(holder(registry, person), InProcessReader(card), TODAY)
    desk.hand_over(issued.card.printed_code)
    return card, issued.card


def on_card(card) -> PassFile:
    (application,) = inspect(card.memory)["applications"].values()
    return PassFile.from_bytes(application["files"][0]["data"])


def new_year_desk(registry: Registry, on: date = NEW_YEAR):
    return desk_on(registry, day_number(on))


CHILD_PURSES = {1: 4500, 2: 18000, 3: 0, 4: 250}
TWICE = {purse: 2 * amount for purse, amount in CHILD_PURSES.items()}


def test_next_years_budgets_are_not_on_the_pass_before_that_year(tmp_path):
    registry = Registry.at(tmp_path)
    card, made = a_pass(registry)
    accept(registry, preview(registry))
    assert desk_on(registry).load(made, InProcessReader(card), TODAY).loads == []
    assert purses_of(card) == CHILD_PURSES
    new_year_desk(registry).load(made, InProcessReader(card), NEW_YEAR)
    assert purses_of(card) == TWICE


def test_a_returning_pass_works_for_the_new_year_with_its_budgets(tmp_path):
    registry = Registry.at(tmp_path)
    card, made = a_pass(registry)
    accept(registry, preview(registry))
    before = on_card(card)
    issued = new_year_desk(registry).renew(made, InProcessReader(card), NEW_YEAR)
    after = on_card(card)
    assert issued.balances == purses_of(card) == TWICE
    assert (before.valid_until, after.valid_until) == (day_number(date(2027, 1, 31)), day_number(UNTIL))
    assert (after.valid_from, after.handle, after.generation) == (before.valid_from, before.handle, before.generation)
    assert (issued.card.valid_until, issued.card.state) == (UNTIL, "active")
    assert issued.card.printed_code == made.printed_code


def test_a_pass_that_is_renewed_again_costs_no_writing(tmp_path):
    registry = Registry.at(tmp_path)
    card, made = a_pass(registry)
    desk = new_year_desk(registry)
    desk.renew(made, InProcessReader(card), NEW_YEAR)
    before = inspect(card.memory)
    assert desk.renew(made, InProcessReader(card), NEW_YEAR).loads == []
    assert inspect(card.memory) == before
    with registry.transaction() as session:
        assert [each.reason for each in passes.events(session, made)].count("renewed") == 1


def test_a_pass_that_ended_works_again(tmp_path):
    registry = Registry.at(tmp_path)
    card, made = a_pass(registry)
    late = date(2027, 3, 1)
    with registry.transaction() as session:
        assert passes.expire(session, late, NOON) == 1
    assert new_year_desk(registry, late).renew(made, InProcessReader(card), late).card.state == "active"
    assert on_card(card).valid_until == day_number(UNTIL)


def test_a_pass_of_this_year_is_not_made_shorter(tmp_path):
    registry = Registry.at(tmp_path)
    card, made = a_pass(registry)
    with registry.transaction() as session:
        session.get_one(CardPass, made.id).valid_until = UNTIL
    assert desk_on(registry).renew(made, InProcessReader(card), TODAY).card.valid_until == UNTIL


def refused(registry: Registry, made: CardPass, card, error: type[DeskError], match: str) -> None:
    before, rows = inspect(card.memory), content(registry)
    with pytest.raises(error, match=match):
        new_year_desk(registry).renew(made, InProcessReader(card), NEW_YEAR)
    assert inspect(card.memory) == before
    assert content(registry) == rows


def test_a_blocked_pass_is_not_renewed(tmp_path):
    registry = Registry.at(tmp_path)
    card, made = a_pass(registry)
    block(registry, made)
    refused(registry, made, card, CardRefused, "blocked")


def test_whom_the_rules_give_nothing_keeps_last_years_day(tmp_path):
    registry = Registry.at(tmp_path)
    card, made = a_pass(registry)
    take(registry, [replace(SAM, income_percent=130)])
    refused(registry, made, card, DeskError, "no pass")


@pytest.mark.parametrize("other", [replace(SAM, given_name="Kim"), STRANGER], ids=["same household", "stranger"])
def test_the_pass_of_somebody_else_is_not_renewed_instead(tmp_path, other):
    registry = Registry.at(tmp_path)
    _, made = a_pass(registry)
    card, _ = a_pass(registry, other, b"\x04\x77\x22\x33\x44\x55\x66")
    refused(registry, made, card, CardRefused, "Put the right pass")


EXCHANGES_TO_RENEW = 50


@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
def test_a_pass_that_leaves_at_any_moment_is_renewed_once(tmp_path, executed):
    registry = Registry.at(tmp_path)
    children = [replace(SAM, given_name=f"Sam {exchange}") for exchange in range(1, EXCHANGES_TO_RENEW + 1)]
    made = [a_pass(registry, child, b"\x04" + n.to_bytes(6, "big")) for n, child in enumerate(children)]
    desk = new_year_desk(registry)
    for exchange, (card, row) in enumerate(made, start=1):
        reader = Shaky(card, exchange, executed)
        try:
            desk.renew(row, reader, NEW_YEAR)
        except CardLeft:
            desk.renew(row, InProcessReader(card), NEW_YEAR)
        assert purses_of(card) == TWICE, f"left at exchange {exchange}"
        assert on_card(card).valid_until == day_number(UNTIL), f"left at exchange {exchange}"
        assert pass_of(registry, holder(registry, children[exchange - 1])).valid_until == UNTIL
    assert reader.left > 0, "the visit is longer than the exchanges that were tried"


@pytest.mark.parametrize("ended", [False, True], ids=["in the overlap", "ended"])
def test_a_pass_of_which_the_desk_does_not_know_whether_it_was_renewed_can_be_blocked(tmp_path, ended):
    """The power goes when the chip says the new year, and the registry the old one; then the pass is lost."""
    registry = Registry.at(tmp_path)
    card, made = a_pass(registry)
    late = date(2027, 3, 1)
    if ended:
        with registry.transaction() as session:
            passes.expire(session, late, NOON)

    class NoPower(InProcessReader):
        def transmit(self, apdu):
            answer = super().transmit(apdu)
            if on_card(card).valid_until == day_number(UNTIL):
                raise KeyboardInterrupt
            return answer

    with pytest.raises(KeyboardInterrupt):
        new_year_desk(registry, late).renew(made, NoPower(card), late)
    with registry.transaction() as session:
        assert passes.expire(session, late, NOON) == 0
        passes.move(session, session.get_one(CardPass, made.id), "blocked", "clerk", NOON)
    with registry.transaction() as session:
        assert [each.blocked for each in passes.issued(session, UNTIL)] == [True]
        assert [each.blocked for each in passes.issued(session, UNTIL + timedelta(days=1))] == [False]


# On the command line


@pytest.fixture
def folder(tmp_path) -> Path:
    registry = Registry.at(tmp_path)
    take(registry, EVERYBODY)
    with_pass(registry, SAM, MOTHER, TURNS_18, STRANGER)
    registry.close()
    return tmp_path


def run_cli(folder: Path, *words: str):
    return CliRunner().invoke(app, [*words, "--data", str(folder)])


def test_a_preview_is_made_on_the_command_line_and_accepted_by_somebody_who_is_logged_in(folder):
    made = run_cli(folder, "renew", "preview", "--on", "2027-01-01", "--json")
    assert (made.exit_code, json.loads(made.stdout)["keeps"]) == (0, 4)
    # A name that is typed is nobody: accepting needs a login.
    assert run_cli(folder, "renew", "accept", "1").exit_code == 2
    renewal.accept(Registry.at(folder), 1, SCHEME, "piet", NOON)
    assert "6 of 6 planned" in run_cli(folder, "renew", "report", "1").stdout
    assert "4  keep the pass" in run_cli(folder, "renew", "report", "1").stdout
    told = run_cli(folder, "renew", "report", "1", "--for-others").stdout
    assert "<5  keep the pass" in told
    assert "Minimabeleid pays <5" in told
    assert run_cli(folder, "renew", "report", "2").exit_code == 1


def test_without_a_day_the_next_pass_year_is_tested(folder):
    made = run_cli(folder, "renew", "preview", "--json")
    today = options.today()
    assert json.loads(made.stdout)["pass_year"] == SCHEME.pass_year(SCHEME.year_end(today) + timedelta(days=1))
