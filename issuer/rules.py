"""What follows from the rules for one person, with a reason for each yes and each no. Pure: no clock, no registry.

Reasons are plain Dutch (B1), one sentence each, for a clerk to read out.
"""

from dataclasses import dataclass
from datetime import date

from issuer.people import Person
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
_UNITS: dict[Unit, tuple[str, str]] = {
    "point": ("punt", "punten"),
    "visit": ("bezoek", "bezoeken"),
    "item": ("product", "producten"),
}


@dataclass(frozen=True)
class Granted:
    """A grant of the scheme for this person. `amount` in the unit of the purse, for what is left of the pass year."""

    number: int
    name: str
    purse: int
    amount: int
    reason: str


@dataclass(frozen=True)
class Refusal:
    """What this person does not get: a grant, or the pass itself."""

    name: str
    reason: str


@dataclass(frozen=True)
class Decision:
    """Everything that the rules say of one person on one day. Without a pass nothing is granted."""

    grants: tuple[Granted, ...]
    refused: tuple[Refusal, ...]


def decide(person: Person, scheme: Scheme, on: date) -> Decision:
    """Which grants of a scheme a person gets on a day, and which not; ages and income are those of that day."""
    if no_pass := tuple(Refusal("Pas", reason) for reason in _against_a_pass(person, scheme, on)):
        return Decision((), no_pass)
    grants = []
    refused = []
    for grant in scheme.grants:
        if reason := _against(grant, person, on):
            refused.append(Refusal(grant.name, reason))
        else:
            grants.append(_granted(grant, person, scheme, on))
    return Decision(tuple(grants), tuple(refused))


def _against_a_pass(person: Person, scheme: Scheme, on: date) -> list[str]:
    reasons = []
    if person.age(on) < scheme.minimum_age:
        reasons.append(f"De pas is er vanaf {scheme.minimum_age} jaar en deze persoon is jonger.")
    if person.income_percent > scheme.income_percent:
        reasons.append(_income_too_high("De pas", scheme.income_percent))
    return reasons


def _against(grant: Grant, person: Person, on: date) -> str | None:
    """The first rule of a grant that this person does not meet."""
    age = person.age(on)
    if age < grant.from_age:
        return f"Dit is er vanaf {grant.from_age} jaar en deze persoon is {age} jaar."
    if grant.until_age is not None and age > grant.until_age:
        return f"Dit is er tot en met {grant.until_age} jaar en deze persoon is {age} jaar."
    if grant.carer and not person.carer:
        return "Dit is er alleen voor mantelzorgers."
    if grant.income_percent is not None and person.income_percent > grant.income_percent:
        return _income_too_high("Dit", grant.income_percent)
    return None


def _granted(grant: Grant, person: Person, scheme: Scheme, on: date) -> Granted:
    unit = scheme.purses[grant.purse].unit
    who = f"Deze persoon is {person.age(on)} jaar" + (" en mantelzorger" if grant.carer else "")
    end = scheme.year_end(on)
    last = f"{end.day} {_MONTHS[end.month - 1]} {end.year}"
    if grant.per == "month":
        months = scheme.months_left(on)
        amount = grant.amount * months
        count = f"{months} {'maand' if months == 1 else 'maanden'}"
        reason = f"{who} en krijgt {amount_words(grant.amount, unit)} per maand, {count} tot en met {last}."
    else:
        amount = grant.amount
        reason = f"{who} en krijgt {amount_words(amount, unit)} voor het jaar tot en met {last}."
    return Granted(grant.number, grant.name, grant.purse, amount, reason)


def _income_too_high(what: str, percent: int) -> str:
    return f"{what} is er voor een inkomen tot en met {percent} procent van de norm en dit huishouden heeft meer."


def amount_words(amount: int, unit: Unit) -> str:
    """An amount of a purse, in Dutch: `180,00 euro`, `1 keer`."""
    if amount < 0:
        return f"-{amount_words(-amount, unit)}"
    if unit == "cent":
        return f"{amount // 100},{amount % 100:02} euro"
    one, several = _UNITS[unit]
    return f"{amount} {one if amount == 1 else several}"
