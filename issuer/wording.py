"""Amounts, days and groups of people in plain words, Dutch (B1) and English, for the reasons of a decision."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from babel.dates import format_date

from issuer.scheme import Unit

_UNITS: dict[Unit, tuple[str, str]] = {
    "point": ("punt", "punten"),
    "visit": ("bezoek", "bezoeken"),
    "item": ("product", "producten"),
}


@dataclass(frozen=True)
class Words:
    """The same in both languages."""

    nl: str
    en: str


@dataclass(frozen=True)
class RoleWords:
    """What somebody with a role is, and what all of them are."""

    one: Words
    group: Words


ROLES = {
    "carer": RoleWords(Words("mantelzorger", "a carer"), Words("mantelzorgers", "carers")),
    "volunteer": RoleWords(Words("vrijwilliger", "a volunteer"), Words("vrijwilligers", "volunteers")),
    "student": RoleWords(Words("student", "a student"), Words("studenten", "students")),
}
SCHOOLS = {
    "primary": Words("de basisschool", "primary school"),
    "secondary": Words("het voortgezet onderwijs", "secondary school"),
    "vocational": Words("het mbo", "vocational school (mbo)"),
}


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


def amount_in_words(amount: int, unit: Unit) -> Words:
    return Words(amount_words(amount, unit), amount_words_en(amount, unit))


# A renewal tells thousands of people of the same few days.
@lru_cache(maxsize=1000)
def day(on: date) -> Words:
    """`1 oktober 2026`, `1 October 2026`."""
    return Words(format_date(on, "d MMMM y", locale="nl"), format_date(on, "d MMMM y", locale="en"))


def counted(count: int, one: Words, several: Words) -> Words:
    """`1 maand`, `2 maanden`."""
    word = one if count == 1 else several
    return Words(f"{count} {word.nl}", f"{count} {word.en}")


def listed(words: list[Words]) -> Words:
    """`de basisschool of het mbo`."""
    return Words(" of ".join(each.nl for each in words), " or ".join(each.en for each in words))
