"""What follows from the rules for one person, with a reason for each yes and each no. Pure: no clock, no registry.

Reasons are plain Dutch (B1) and English, one sentence each, for a clerk to read out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from issuer.case import Case
from issuer.people import Household, Person
from issuer.reasons import against, against_a_pass, full, why, why_by_people
from issuer.scheme import Scheme
from issuer.wording import Words


@dataclass(frozen=True)
class Hardship:
    """What people decided for somebody, whatever the rules say, for this pass year. None: what the rule gives."""

    grant: int
    amount: int | None
    reason: str


@dataclass(frozen=True)
class Granted:
    """A grant of the scheme for this person. `amount` in the unit of the purse: what there is in the period in all.

    `period` is the pass year, by the year that it ends in, or "once". With `refill` the amount is a level.
    """

    number: int
    name: str
    purse: int
    amount: int
    reason: str
    reason_en: str
    period: str
    refill: bool


@dataclass(frozen=True)
class Refusal:
    """What this person does not get: a grant, or the pass itself."""

    name: str
    reason: str
    reason_en: str


@dataclass(frozen=True)
class Decision:
    """Everything that the rules say of one person on one day. Who may have no pass gets only what people decided."""

    grants: tuple[Granted, ...]
    refused: tuple[Refusal, ...]


def decide(
    person: Person, household: Household, scheme: Scheme, on: date, hardships: Sequence[Hardship] = ()
) -> Decision:
    """Which grants of a scheme a person gets on a day, and which not; income and household are those of that day.

    What people decided counts where it is more than the rule gives, and also for who may have no pass by the rules. No
    purse gets more than it can hold: first comes what the rules give, then what people decided. A decision on a grant
    that the scheme does not have gives nothing.
    """
    no_pass = against_a_pass(person, scheme, on)
    cases = [Case(grant, person, household, scheme, on) for grant in scheme.grants]
    decided = {case.grant.number: [each for each in hardships if each.grant == case.grant.number] for case in cases}
    room = scheme.ceilings()
    by_rule = {}
    for case in cases:
        if not no_pass and against(case) is None:
            by_rule[case.grant.number] = _take(room, case.grant.purse, case.amount)
    by_people = {}
    for case in cases:
        most = max((_amount(each, case) for each in decided[case.grant.number]), default=0)
        more = most - by_rule.get(case.grant.number, 0)
        if more > 0:
            by_people[case.grant.number] = _take(room, case.grant.purse, more)

    grants = []
    refused = [Refusal("Pas", said.nl, said.en) for said in no_pass]
    for case in cases:
        number = case.grant.number
        amount = by_rule.get(number, 0) + by_people.get(number, 0)
        if by_people.get(number):
            grants.append(
                _granted(case, amount, why_by_people(case, amount, [each.reason for each in decided[number]]))
            )
        elif amount:
            grants.append(_granted(case, amount, why(case, amount)))
        elif number in by_rule or number in by_people:
            refused.append(_refused(case, full(case)))
        elif not no_pass and (said := against(case)):
            refused.append(_refused(case, said))
    return Decision(tuple(grants), tuple(refused))


def _take(room: dict[int, int], purse: int, amount: int) -> int:
    """As much of an amount as a purse has room for."""
    taken = min(amount, room[purse])
    room[purse] -= taken
    return taken


def _amount(hardship: Hardship, case: Case) -> int:
    return case.amount if hardship.amount is None else hardship.amount


def _granted(case: Case, amount: int, said: Words) -> Granted:
    grant = case.grant
    return Granted(grant.number, grant.name, grant.purse, amount, said.nl, said.en, case.period, grant.refill)


def _refused(case: Case, said: Words) -> Refusal:
    return Refusal(case.grant.name, said.nl, said.en)
