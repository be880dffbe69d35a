"""What follows from the rules for one person, with a reason for each yes and each no. Pure: no clock, no registry.

Reasons are plain Dutch (B1), one sentence each, for a clerk to read out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from issuer.people import Household, Person
from issuer.scheme import Grant, Scheme, Unit

_MONTHS = (
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
)
_MONTHS_EN = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_ROLES = {
    "carer": ("mantelzorger", "carer"),
    "volunteer": ("vrijwilliger", "volunteer"),
    "student": ("student", "student"),
}
_UNITS: dict[Unit, tuple[str, str]] = {
    "point": ("punt", "punten"),
    "visit": ("bezoek", "bezoeken"),
    "item": ("product", "producten"),
}


@dataclass(frozen=True)
class Hardship:
    """What people decided for somebody against the rules, for this pass year. `amount` None: what the rule gives."""

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
    """Everything that the rules say of one person on one day. Without a pass nothing is granted."""

    grants: tuple[Granted, ...]
    refused: tuple[Refusal, ...]


@dataclass(frozen=True)
class _Said:
    """One sentence, in both languages."""

    nl: str
    en: str


def decide(
    person: Person, household: Household, scheme: Scheme, on: date, hardships: Sequence[Hardship] = ()
) -> Decision:
    """Which grants of a scheme a person gets on a day, and which not; ages and income are those of that day."""
    if against := _against_a_pass(person, scheme, on):
        return Decision((), tuple(Refusal("Pas", said.nl, said.en) for said in against))
    grants = []
    refused = []
    for grant in scheme.grants:
        if said := _against(grant, person, on):
            refused.append(Refusal(grant.name, said.nl, said.en))
        else:
            grants.append(_granted(grant, person, scheme, on))
    return Decision(tuple(grants), tuple(refused))


def _against_a_pass(person: Person, scheme: Scheme, on: date) -> list[_Said]:
    reasons = []
    if person.age(on) < scheme.minimum_age:
        reasons.append(
            _Said(
                f"De pas is er vanaf {scheme.minimum_age} jaar en deze persoon is jonger.",
                f"The pass is for people of {scheme.minimum_age} and older, and this person is younger.",
            )
        )
    if person.income_percent > scheme.income_percent:
        reasons.append(_income_too_high("De pas", "The pass", scheme.income_percent))
    return reasons


def _against(grant: Grant, person: Person, on: date) -> _Said | None:
    """The first rule of a grant that this person does not meet."""
    age = person.age(on)
    if age < grant.from_age:
        return _Said(
            f"Dit is er vanaf {grant.from_age} jaar en deze persoon is {age} jaar.",
            f"This is for people of {grant.from_age} and older, and this person is {age}.",
        )
    if grant.until_age is not None and age > grant.until_age:
        return _Said(
            f"Dit is er tot en met {grant.until_age} jaar en deze persoon is {age} jaar.",
            f"This is for people up to {grant.until_age}, and this person is {age}.",
        )
    if grant.role is not None and grant.role not in person.roles:
        nl, en = _ROLES[grant.role]
        return _Said(f"Dit is er alleen voor {nl}s.", f"This is only for {en}s.")
    if grant.income_percent is not None and person.income_percent > grant.income_percent:
        return _income_too_high("Dit", "This", grant.income_percent)
    return None


def _granted(grant: Grant, person: Person, scheme: Scheme, on: date) -> Granted:
    unit = scheme.purses[grant.purse].unit
    age = person.age(on)
    nl, en = f"Deze persoon is {age} jaar", f"This person is {age}"
    if grant.role is not None:
        nl, en = f"{nl} en {_ROLES[grant.role][0]}", f"{en} and a {_ROLES[grant.role][1]}"
    end = scheme.year_end(on)
    until_nl = f"tot en met {end.day} {_MONTHS[end.month - 1]} {end.year}"
    until_en = f"until {end.day} {_MONTHS_EN[end.month - 1]} {end.year}"
    each_nl, each_en = amount_words(grant.amount, unit), amount_words_en(grant.amount, unit)
    if grant.per == "month":
        months = scheme.months_left(on)
        amount = grant.amount * months
        nl = f"{nl} en krijgt {each_nl} per maand, {months} {'maand' if months == 1 else 'maanden'} {until_nl}."
        en = f"{en} and gets {each_en} a month, {months} {'month' if months == 1 else 'months'} {until_en}."
    else:
        amount = grant.amount
        nl = f"{nl} en krijgt {each_nl} voor het jaar {until_nl}."
        en = f"{en} and gets {each_en} for the year {until_en}."
    return Granted(grant.number, grant.name, grant.purse, amount, nl, en, period=str(end.year), refill=False)


def _income_too_high(nl: str, en: str, percent: int) -> _Said:
    return _Said(
        f"{nl} is er voor een inkomen tot en met {percent} procent van de norm en dit huishouden heeft meer.",
        f"{en} is for an income up to {percent} percent of the norm, and this household has more.",
    )


def amount_words(amount: int, unit: Unit) -> str:
    """An amount of a purse, in Dutch: `180,00 euro`, `1 bezoek`."""
    if amount < 0:
        return f"-{amount_words(-amount, unit)}"
    if unit == "cent":
        return f"{amount // 100},{amount % 100:02} euro"
    one, several = _UNITS[unit]
    return f"{amount} {one if amount == 1 else several}"


def amount_words_en(amount: int, unit: Unit) -> str:
    """An amount of a purse, in English: `180.00 euros`, `1 visit`."""
    if amount < 0:
        return f"-{amount_words_en(-amount, unit)}"
    if unit == "cent":
        return f"{amount // 100}.{amount % 100:02} euros"
    return f"{amount} {unit}{'' if amount == 1 else 's'}"
