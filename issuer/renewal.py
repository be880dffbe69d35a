"""The yearly test of all holders: who keeps the pass, who loses it and why, who gains one, and what it costs.

A preview changes nothing for anybody. A second person accepts it; only then the budgets of the new pass year are
planned, and each is written at the first contact of its pass with a desk reader in that year. What is on a pass stays,
and nothing on a card changes by itself.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from issuer import messages
from issuer.deciding import decide_all
from issuer.errors import DeskError
from issuer.funds import Cost, costs
from issuer.lifecycle import CURRENT, LAST_YEARS
from issuer.registry import Registry, loads
from issuer.registry.tables import CardPass, Holder, RenewalRow, RenewalRun
from issuer.rules import Decision
from issuer.scheme import Grant, Scheme

# Hears how many of how many are done.
Heard = Callable[[int, int], None]

_AT_ONCE = 200
# Fewer people than this leave the team as this word: a small number in a small town can be somebody.
SMALL_CELL = 5
FEW = "<5"


def unheard(done: int, total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class _Outcome:
    """What one holder gets. `needs_card`: no card of theirs can be renewed. `after`: see `_budgets`."""

    holder: Holder
    decision: Decision
    outcome: str
    needs_card: bool
    before: dict[str, int]
    after: list[dict[str, Any]]
    reasons: list[list[str]]

    @property
    def result(self) -> dict[str, Any]:
        """What counts for the holder, when it is not what the preview said."""
        return {"outcome": self.outcome, "after": self.after, "reasons": self.reasons}


# Preview


def preview(session: Session, scheme: Scheme, on: date, by: str, at: datetime, tell: Heard = unheard) -> RenewalRun:
    """Test everybody for the pass year that `on` is in, normally its first day; keeps the answer, changes nothing.

    An earlier preview of that year that nobody accepted is over.
    """
    total, last = _everybody(session)
    found = []
    for done, outcome in enumerate(_outcomes(session, scheme, on, (1, last)), start=1):
        tell(done, total)
        if outcome.outcome:
            found.append(outcome)
    year = scheme.pass_year(on)
    for earlier in session.scalars(select(RenewalRun).where(RenewalRun.pass_year == year)):
        if earlier.state == "preview":
            earlier.state = "cancelled"
    run = RenewalRun(pass_year=year, on=on, made_by=by, made_at=at, counts=_counts(scheme, found))
    session.add(run)
    session.flush()
    rows = [
        {
            "run_id": run.id,
            "holder_id": each.holder.id,
            "needs_card": each.needs_card,
            "before": each.before,
            **each.result,
        }
        for each in found
    ]
    if rows:
        session.execute(insert(RenewalRow), rows)
    return run


def cancel(session: Session, number: int) -> RenewalRun:
    """Put a preview away."""
    run = find(session, number)
    if run.state == "accepted":
        raise DeskError("This renewal was accepted already; it cannot be cancelled.")
    run.state = "cancelled"
    return run


def find(session: Session, number: int) -> RenewalRun:
    """The run with this number; raises DeskError when there is none."""
    found = session.get(RenewalRun, number)
    if found is None:
        raise DeskError("There is no renewal number {number}.", number=number)
    return found


def runs(session: Session) -> list[RenewalRun]:
    """All runs, the latest first."""
    return list(session.scalars(select(RenewalRun).order_by(RenewalRun.id.desc())))


def rows(session: Session, run: RenewalRun) -> list[RenewalRow]:
    """Whoever keeps, loses or gains in a run, in order of number."""
    return list(session.scalars(select(RenewalRow).where(RenewalRow.run_id == run.id).order_by(RenewalRow.holder_id)))


def progress(session: Session, run: RenewalRun) -> dict[str, int]:
    """How many rows there are, how many are done, and of how many the acceptance said something else."""
    counted = select(func.count(), func.count().filter(RenewalRow.done), func.count(RenewalRow.became))
    numbers = session.execute(counted.where(RenewalRow.run_id == run.id)).one()
    return dict(zip(("rows", "done", "different"), numbers, strict=True))


# Acceptance


def accept(registry: Registry, number: int, scheme: Scheme, by: str, at: datetime, tell: Heard = unheard) -> RenewalRun:
    """Plan the budgets of the new year for everybody, and the letter that says so; again after a stop.

    Everybody is decided on anew. Where that is not what the preview said, the new decision counts; `became` says so.
    """
    with registry.transaction() as session:
        run = find(session, number)
        _check(run, scheme, by)
        if run.state == "preview":
            run.state, run.accepted_by, run.accepted_at = "accepted", by, at
        total, last = _everybody(session)
    done = 0
    for first in range(1, last + 1, _AT_ONCE) if run.finished_at is None else ():
        with registry.transaction() as session:
            some = list(_outcomes(session, scheme, run.on, (first, first + _AT_ONCE - 1)))
            _accept_some(session, find(session, number), scheme, some)
        done += len(some)
        tell(done, total)
    with registry.transaction() as session:
        run = find(session, number)
        run.finished_at = run.finished_at or at
    return run


def _everybody(session: Session) -> tuple[int, int]:
    """How many holders there are, and the last number that one has."""
    count, last = session.execute(select(func.count(Holder.id), func.max(Holder.id))).one()
    return count, last or 0


def _check(run: RenewalRun, scheme: Scheme, by: str) -> None:
    if run.state == "cancelled":
        raise DeskError("This preview is over. Make a new one.")
    if run.pass_year != scheme.pass_year(run.on):
        raise DeskError("The pass year of the scheme has changed since this preview. Make a new one.")
    if " ".join(by.split()).casefold() == " ".join(run.made_by.split()).casefold():
        raise DeskError("Somebody else than who made the preview has to accept it.")


def _accept_some(session: Session, run: RenewalRun, scheme: Scheme, some: Iterable[_Outcome]) -> None:
    wanted = {each.holder.id: each for each in some}
    there = select(RenewalRow).where(RenewalRow.run_id == run.id, RenewalRow.holder_id.in_(wanted))
    shown = {row.holder_id: row for row in session.scalars(there)}
    told = _told(session, run, wanted)
    for number, found in wanted.items():
        row = shown.get(number)
        if (row is None and not found.outcome) or (row is not None and row.done):
            continue
        if row is None:
            # Nothing was said of them in the preview, and now there is something to say.
            row = RenewalRow(
                run_id=run.id,
                holder_id=number,
                needs_card=found.needs_card,
                before=found.before,
                became=found.result,
                **found.result,
            )
            session.add(row)
        elif _decided(row.after) != _decided(found.after):
            row.became = found.result
        loads.plan(session, found.holder, found.decision, run.accepted_by or "", run.on)
        if told.get(number) != _decided(found.after):
            _tell_holder(session, run, scheme, found)
        row.done = True


def _told(session: Session, run: RenewalRun, numbers: Iterable[int]) -> dict[int, list[tuple[int, int]]]:
    """{holder: what an earlier run of the same year decided}; it was told them then."""
    wanted = select(RenewalRow).join(RenewalRun, RenewalRow.run_id == RenewalRun.id).order_by(RenewalRun.id)
    same_year = wanted.where(RenewalRun.pass_year == run.pass_year, RenewalRun.id != run.id, RenewalRow.done)
    found = session.scalars(same_year.where(RenewalRow.holder_id.in_(numbers)))
    return {row.holder_id: _decided(row.became["after"] if row.became else row.after) for row in found}


def _decided(after: Iterable[Mapping[str, Any]]) -> list[tuple[int, int]]:
    return [(each["grant"], each["amount"]) for each in after]


def _tell_holder(session: Session, run: RenewalRun, scheme: Scheme, found: _Outcome) -> None:
    """A letter with the decision, on the day that it was taken."""
    on = run.accepted_at.date() if run.accepted_at else run.on
    if found.outcome == "loses":
        messages.ended(session, found.holder, scheme, run.on, on, found.reasons)
    elif found.decision.grants:
        messages.granted(session, found.holder, scheme, run.on, on, found.after, found.needs_card)


# One holder


def _outcomes(session: Session, scheme: Scheme, on: date, numbers: tuple[int, int]) -> Iterator[_Outcome]:
    """Every holder from one number up to another; an empty `outcome` for who has no pass and gets none."""
    year = scheme.pass_year(on)
    year_before = scheme.pass_year(scheme.year_start(on) - timedelta(days=1))
    given = loads.given(session, (year, year_before, "once"), numbers)
    current, renewable = _cards(session, numbers)
    for holder, decision in decide_all(session, scheme, on, numbers):
        has = holder.id in current
        outcome = ("keeps" if has else "gains") if decision.grants else ("loses" if has else "")
        had = {grant.number: given.get((holder.id, grant.number, year_before), (0, 0))[0] for grant in scheme.grants}
        yield _Outcome(
            holder,
            decision,
            outcome,
            bool(decision.grants) and holder.id not in renewable,
            {str(grant): amount for grant, amount in had.items() if amount},
            _budgets(holder, decision, given),
            [] if decision.grants else _reasons(decision),
        )


def _cards(session: Session, numbers: tuple[int, int]) -> tuple[set[int], set[int]]:
    """Who has a pass now, a blocked one included, and whose card can be renewed."""
    current, renewable = set(), set()
    wanted = select(CardPass.holder_id, CardPass.state, CardPass.uid).where(CardPass.holder_id.between(*numbers))
    for holder, state, uid in session.execute(wanted):
        if state in (*CURRENT, "blocked"):
            current.add(holder)
        if state in (*CURRENT, LAST_YEARS) and uid is not None:
            renewable.add(holder)
    return current, renewable


def _budgets(
    holder: Holder, decision: Decision, given: Mapping[tuple[int, int, str], tuple[int, int]]
) -> list[dict[str, Any]]:
    """`amount` is what was decided, `adds` what accepting plans of it, `once` that it is not for this year only."""
    return [
        {
            "grant": each.number,
            "purse": each.purse,
            "amount": each.amount,
            "adds": loads.lacking(each, *given.get((holder.id, each.number, each.period), (0, 0))),
            "once": each.period == "once",
        }
        for each in decision.grants
    ]


def _reasons(decision: Decision) -> list[list[str]]:
    """Why there is no pass: the rules of the pass, or that no grant follows."""
    of_pass = [[each.reason, each.reason_en] for each in decision.refused if each.name == "Pas"]
    return of_pass or [[f"{each.name}: {each.reason}", f"{each.name}: {each.reason_en}"] for each in decision.refused]


# Counts


def _counts(scheme: Scheme, found: Iterable[_Outcome]) -> dict[str, Any]:
    """What a team lead wants to know before accepting. Amounts in the unit of each purse."""
    outcomes: Counter[str] = Counter()
    why: Counter[tuple[str, str]] = Counter()
    by_grant = {grant.number: Counter[str]() for grant in scheme.grants}
    for each in found:
        outcomes[each.outcome] += 1
        outcomes["cards"] += each.needs_card
        if each.outcome == "loses":
            why.update({(nl, en) for nl, en in each.reasons})
        _count_budgets(by_grant, each)
    paid = costs(scheme, {number: counts["costs"] for number, counts in by_grant.items()})
    return {
        **{name: outcomes[name] for name in ("keeps", "loses", "gains", "cards")},
        "why": [{"nl": nl, "en": en, "people": people} for (nl, en), people in why.most_common()],
        "grants": [_grant_facts(scheme, grant, by_grant[grant.number]) for grant in scheme.grants],
        "funds": [_fund_facts(each) for each in paid],
    }


def _count_budgets(by_grant: dict[int, Counter[str]], found: _Outcome) -> None:
    gets = {budget["grant"]: budget for budget in found.after}
    for number, counts in by_grant.items():
        budget, had = gets.get(number), found.before.get(str(number), 0)
        if budget is not None:
            counts["people"] += 1
            # A budget of the year costs what it is, also where a part was planned before.
            counts["costs"] += budget["adds"] if budget["once"] else budget["amount"]
            if not budget["once"]:
                counts[_change(had, budget["amount"])] += 1
        elif had:
            counts["stops"] += 1


def _change(had: int, gets: int) -> str:
    if not had:
        return "begins"
    return "same" if gets == had else ("more" if gets > had else "less")


def _grant_facts(scheme: Scheme, grant: Grant, counts: Counter[str]) -> dict[str, Any]:
    purse = scheme.purses[grant.purse]
    funds = [grant.fund] if grant.fund else list(purse.funds)
    changes = {name: counts[name] for name in ("people", "begins", "stops", "more", "less", "costs")}
    return {"grant": grant.number, "name": grant.name, "unit": purse.unit, "funds": funds, **changes}


def _fund_facts(cost: Cost) -> dict[str, Any]:
    return {"fund": cost.fund, "unit": cost.unit, "amount": cost.amount, "budget": cost.budget}


def for_others(counts: Mapping[str, Any]) -> dict[str, Any]:
    """The counts as they may leave the team: no number of fewer than 5 people, and no sum that gives one away."""
    grants, told = [], dict[str, bool]()
    for each in counts["grants"]:
        few = each["people"] < SMALL_CELL
        for fund in each["funds"]:
            # Who knows what a fund paid, and for all grants but one, knows the one.
            told[fund] = told.get(fund, True) and not (few and each["people"])
        people = {name: unless_few(each[name]) for name in ("people", "begins", "stops", "more", "less")}
        grants.append({**each, **people, "costs": FEW if few else each["costs"]})
    return {
        **{name: unless_few(counts[name]) for name in ("keeps", "loses", "gains", "cards")},
        "why": [{**each, "people": unless_few(each["people"])} for each in counts["why"]],
        "grants": grants,
        "funds": [each if told.get(each["fund"], True) else {**each, "amount": FEW} for each in counts["funds"]],
    }


def unless_few(people: int) -> int | str:
    """A count that may leave the team."""
    return FEW if people < SMALL_CELL else people
