"""What the desk's HTTP interface takes and gives, for the specification at /v1/openapi.json."""

import re
from datetime import date
from typing import Any, get_args

from apiflask import Schema
from apiflask.fields import Boolean, Date, Integer, List, Nested, String
from apiflask.validators import OneOf, Regexp
from marshmallow import RAISE

from issuer.people import ROLES, SCHOOLS
from issuer.printed_code import LETTERS
from issuer.scheme import Grant, Period, Scheme, Unit
from issuer.wording import amount_in_words

_LETTER = f"[{LETTERS}{LETTERS.lower()}]"
# In Python `$` also comes before a line feed at the end; in the specification it does not.
_CODE = rf"^{_LETTER}{{4}}[ -]?{_LETTER}{{4}}$(?!\n)"


class Day(Date):
    """A day as YYYY-MM-DD, and no other form of ISO 8601."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise self.make_error("invalid", input=value, obj_type="date")
        found: date = super()._deserialize(value, attr, data, **kwargs)
        return found


class PassBlockIn(Schema):
    class Meta:
        unknown = RAISE

    printedCode = String(
        required=True,
        validate=Regexp(_CODE, error="Not the code of a pass."),
        metadata={
            "description": "on the face of the pass; capitals or not, the hyphen may be left out",
            "examples": ["K7QW-M2XP"],
        },
    )
    birthDate = Day(
        required=True,
        metadata={"description": "of the holder, also when a parent blocks it", "examples": ["2015-05-01"]},
    )


class AmountWordsOut(Schema):
    nl = String(required=True)
    en = String(required=True)


class PassYearOut(Schema):
    name = String(required=True)
    firstDay = Date(required=True)
    lastDay = Date(required=True)


class PurseOut(Schema):
    number = Integer(required=True)
    name = String(required=True)
    unit = String(required=True, validate=OneOf(get_args(Unit)))


class GrantOut(Schema):
    name = String(required=True)
    purse = Integer(required=True)
    amount = Integer(allow_none=True, required=True, metadata={"description": "none: decided for each person"})
    amountWords = Nested(AmountWordsOut, allow_none=True, required=True)
    per = String(required=True, validate=OneOf(get_args(Period)))
    perChild = Boolean(required=True)
    refill = Boolean(required=True, metadata={"description": "the purse is filled up to the amount"})
    proRata = Boolean(required=True, metadata={"description": "only the months that are left of the year"})
    fromAge = Integer(required=True)
    untilAge = Integer(allow_none=True, required=True, metadata={"description": "included"})
    ageOn = Date(allow_none=True, required=True, metadata={"description": "the day that ages are counted on"})
    schools = List(String(validate=OneOf([each for each in SCHOOLS if each])), required=True)
    role = String(allow_none=True, required=True, validate=OneOf(ROLES))
    householdFrom = Integer(allow_none=True, required=True, metadata={"description": "people in the household"})
    householdUntil = Integer(allow_none=True, required=True)
    incomePercent = Integer(required=True, metadata={"description": "the highest income, in percent of the norm"})


class SchemeOut(Schema):
    municipality = String(required=True)
    passYear = Nested(PassYearOut, required=True)
    worksUntil = Date(required=True, metadata={"description": "last day of a pass that is made today"})
    transferable = Boolean(required=True, metadata={"description": "others may use the pass too"})
    minimumAge = Integer(required=True)
    incomePercent = Integer(required=True, metadata={"description": "the highest income, in percent of the norm"})
    purses = List(Nested(PurseOut), required=True)
    grants = List(Nested(GrantOut), required=True)


class HealthOut(Schema):
    status = String(required=True)


def scheme_out(scheme: Scheme, on: date) -> dict[str, Any]:
    """What everybody may know of a scheme on a day; not where its money comes from."""
    return {
        "municipality": scheme.name,
        "passYear": {
            "name": scheme.pass_year(on),
            "firstDay": scheme.year_start(on),
            "lastDay": scheme.year_end(on),
        },
        "worksUntil": scheme.validity(on)[1],
        "transferable": scheme.transferable,
        "minimumAge": scheme.minimum_age,
        "incomePercent": scheme.income_percent,
        "purses": [{"number": each.number, "name": each.name, "unit": each.unit} for each in scheme.purses.values()],
        "grants": [_grant_out(grant, scheme, on) for grant in scheme.grants],
    }


def _grant_out(grant: Grant, scheme: Scheme, on: date) -> dict[str, Any]:
    words = None if grant.tailored else amount_in_words(grant.amount, scheme.purses[grant.purse].unit)
    return {
        "name": grant.name,
        "purse": grant.purse,
        "amount": None if grant.tailored else grant.amount,
        "amountWords": words and {"nl": words.nl, "en": words.en},
        "per": grant.per,
        "perChild": grant.per_child,
        "refill": grant.refill,
        "proRata": grant.pro_rata,
        "fromAge": grant.from_age,
        "untilAge": grant.until_age,
        "ageOn": scheme.in_year_of(on, grant.age_on) if grant.age_on else None,
        "schools": list(grant.school),
        "role": grant.role,
        "householdFrom": grant.household_from,
        "householdUntil": grant.household_until,
        "incomePercent": scheme.income_percent if grant.income_percent is None else grant.income_percent,
    }
