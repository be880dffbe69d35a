"""Why somebody gets something or does not: each rule, with the sentence for who does not meet it."""

from datetime import date

from issuer.case import Case
from issuer.people import Person
from issuer.scheme import Scheme
from issuer.wording import ROLES, SCHOOLS, Words, amount_in_words, counted, day, listed

_MONTH = Words("maand", "month"), Words("maanden", "months")
_QUARTER = Words("kwartaal", "quarter"), Words("kwartalen", "quarters")
_CHILD = Words("kind", "child"), Words("kinderen", "children")
_PEOPLE = Words("persoon", "person"), Words("personen", "people")


def against_a_pass(person: Person, scheme: Scheme, on: date) -> list[Words]:
    """Every rule of the pass itself that somebody does not meet."""
    reasons = []
    if person.age(on) < scheme.minimum_age:
        reasons.append(
            Words(
                f"De pas is er vanaf {scheme.minimum_age} jaar en deze persoon is jonger.",
                f"The pass is for people of {scheme.minimum_age} and older, and this person is younger.",
            )
        )
    if person.income_percent > scheme.income_percent:
        reasons.append(_income_too_high(Words("De pas", "The pass"), scheme.income_percent))
    return reasons


def against(case: Case) -> Words | None:
    """The first rule of a grant that somebody does not meet; None when there is none."""
    grant, person = case.grant, case.person
    if grant.tailored:
        return Words(
            "Dit is maatwerk: de gemeente besluit dit voor elke persoon apart en heeft hier niets besloten.",
            "This is tailored: the municipality decides it for each person apart, and decided nothing here.",
        )
    if not grant.is_for_age(case.age):
        return _wrong_age(case)
    if not grant.is_for_school(person.school):
        schools = listed([SCHOOLS[stage] for stage in grant.school])
        return Words(f"Dit is er alleen voor leerlingen van {schools.nl}.", f"This is only for pupils of {schools.en}.")
    if grant.role is not None and grant.role not in person.roles:
        group = ROLES[grant.role].group
        return Words(f"Dit is er alleen voor {group.nl}.", f"This is only for {group.en}.")
    if not grant.is_for_household(case.household.size):
        return _wrong_household(case)
    if grant.per_child and not case.household.children:
        return Words(
            "Dit is er voor elk kind en dit huishouden heeft geen kinderen.",
            "This is for each child, and this household has no children.",
        )
    if grant.income_percent is not None and person.income_percent > grant.income_percent:
        return _income_too_high(Words("Dit", "This"), grant.income_percent)
    if not case.amount:
        return Words(
            "Er is te weinig over van het jaar: hiervan blijft niets over.",
            "Too little is left of the year: nothing of this remains.",
        )
    return None


def full(case: Case) -> Words:
    """The purse holds no more."""
    most = amount_in_words(case.scheme.purses[case.grant.purse].ceiling, case.unit)
    return Words(
        f"Hiervoor past niet meer dan {most.nl} op de pas en dat is al vol.",
        f"The pass has room for no more than {most.en} of this, and that is full already.",
    )


def why(case: Case, amount: int) -> Words:
    """What somebody gets by the rules; `amount` is less than the rule gives when the purse holds no more."""
    who, what = _who(case), _what(case)
    if amount == case.amount:
        return Words(f"{who.nl} en krijgt {what.nl}.", f"{who.en} and gets {what.en}.")
    room = amount_in_words(amount, case.unit)
    return Words(
        f"{who.nl} en krijgt {what.nl}, maar er past niet meer dan {room.nl} op de pas.",
        f"{who.en} and gets {what.en}, but the pass has room for no more than {room.en}.",
    )


def why_by_people(case: Case, amount: int, reasons: list[str]) -> Words:
    """What somebody gets because people decided so."""
    given = _for_period(case, amount_in_words(amount, case.unit))
    # One line, and the same reason once.
    reason = "; ".join(dict.fromkeys(" ".join(each.split()).rstrip(".") for each in reasons))
    return Words(
        f"Een medewerker van de gemeente heeft dit besloten: deze persoon krijgt {given.nl}, om deze reden: {reason}.",
        f"An officer of the municipality decided this: this person gets {given.en}, for this reason: {reason}.",
    )


def _income_too_high(what: Words, percent: int) -> Words:
    return Words(
        f"{what.nl} is er voor een inkomen tot en met {percent} procent van de norm en dit huishouden heeft meer.",
        f"{what.en} is for an income up to {percent} percent of the norm, and this household has more.",
    )


def _age(case: Case) -> Words:
    """The age, with the day that it is of when that is not today."""
    if case.grant.age_on is None:
        return Words(f"is {case.age} jaar", f"is {case.age}")
    on = day(case.age_on)
    return Words(f"is op {on.nl} {case.age} jaar", f"is {case.age} on {on.en}")


def _wrong_age(case: Case) -> Words:
    grant, age = case.grant, _age(case)
    if case.age < grant.from_age:
        return Words(
            f"Dit is er vanaf {grant.from_age} jaar en deze persoon {age.nl}.",
            f"This is for people of {grant.from_age} and older, and this person {age.en}.",
        )
    return Words(
        f"Dit is er tot en met {grant.until_age} jaar en deze persoon {age.nl}.",
        f"This is for people up to {grant.until_age}, and this person {age.en}.",
    )


def _wrong_household(case: Case) -> Words:
    least, most = case.grant.household_from or 1, case.grant.household_until
    size = counted(case.household.size, *_PEOPLE)
    if most is not None and case.household.size > most:
        limit = counted(most, *_PEOPLE)
        return Words(
            f"Dit is er voor huishoudens tot en met {limit.nl} en dit huishouden heeft {size.nl}.",
            f"This is for households of up to {limit.en}, and this household has {size.en}.",
        )
    limit = counted(least, *_PEOPLE)
    return Words(
        f"Dit is er voor huishoudens vanaf {limit.nl} en dit huishouden heeft {size.nl}.",
        f"This is for households of at least {limit.en}, and this household has {size.en}.",
    )


def _who(case: Case) -> Words:
    """What somebody has that the grant asks for."""
    facts = [_age(case)]
    if case.grant.school:
        school = SCHOOLS[case.person.school]
        facts.append(Words(f"gaat naar {school.nl}", f"goes to {school.en}"))
    if case.grant.role is not None:
        one = ROLES[case.grant.role].one
        facts.append(Words(f"is {one.nl}", f"is {one.en}"))
    if case.grant.household_from is not None or case.grant.household_until is not None:
        size = counted(case.household.size, *_PEOPLE)
        facts.append(Words(f"heeft een huishouden van {size.nl}", f"has a household of {size.en}"))
    return Words(
        "Deze persoon " + ", ".join(each.nl for each in facts), "This person " + ", ".join(each.en for each in facts)
    )


def _what(case: Case) -> Words:
    """What the rule gives, and for how long."""
    grant = case.grant
    each, whole = amount_in_words(grant.amount, case.unit), amount_in_words(case.amount, case.unit)
    if grant.per_child:
        children = counted(case.household.children, *_CHILD)
        given = _for_period(case, whole)
        return Words(
            f"{given.nl}, dat is {each.nl} per kind voor {children.nl}",
            f"{given.en}, which is {each.en} a child for {children.en}",
        )
    if grant.refill:
        return _for_period(case, Words(f"een aanvulling tot {each.nl}", f"a top-up to {each.en}"))
    end = day(case.scheme.year_end(case.on))
    if grant.per == "quarter":
        left = counted(case.quarters, *_QUARTER)
        return Words(
            f"{each.nl} per kwartaal, {left.nl} tot en met {end.nl}", f"{each.en} a quarter, {left.en} until {end.en}"
        )
    left = counted(case.months, *_MONTH)
    if grant.per == "month":
        return Words(
            f"{each.nl} per maand, {left.nl} tot en met {end.nl}", f"{each.en} a month, {left.en} until {end.en}"
        )
    if case.amount < grant.amount:
        return Words(
            f"{whole.nl} voor {left.nl} tot en met {end.nl}, want een heel jaar is {each.nl}",
            f"{whole.en} for {left.en} until {end.en}, as a whole year is {each.en}",
        )
    return _for_period(case, each)


def _for_period(case: Case, given: Words) -> Words:
    if case.grant.per == "once":
        return Words(f"één keer {given.nl}", f"{given.en} once")
    end = day(case.scheme.year_end(case.on))
    return Words(f"{given.nl} voor het jaar tot en met {end.nl}", f"{given.en} for the year until {end.en}")
