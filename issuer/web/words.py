"""Words on the screen: Dutch stands in the pages, English in a catalogue; dates and money as people write them.

Dutch is the key of the catalogue. Mark a sentence with `_("...")`, in Python and in templates alike. Only refusals (a
DeskError) are English in the code and Dutch in a catalogue, because a command line says them too.
"""

import gettext
import io
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency
from flask import Flask, g

from issuer.errors import DeskError
from issuer.scheme import Unit
from issuer.wording import amount_words, amount_words_en

LANGUAGES = {"nl": "Nederlands", "en": "English"}
_ZONE = ZoneInfo("Europe/Amsterdam")
_FOLDER = Path(__file__).parent / "translations"


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The catalogue of a language, compiled from its text file when the app starts."""
    path = _FOLDER / language / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return gettext.NullTranslations()
    binary = io.BytesIO()
    with path.open("rb") as file:
        write_mo(binary, read_po(file))
    binary.seek(0)
    return gettext.GNUTranslations(binary)


def language() -> str:
    """The language of this request."""
    chosen: str = g.get("language", "nl")
    return chosen


def _(text: str, **values: object) -> str:
    """A sentence in the language of this request, with `%(name)s` filled in."""
    said = catalogue(language()).gettext(text)
    return said % values if values else said


def said(error: DeskError) -> str:
    """Why something was refused. Refusals stand in the code in English, so here Dutch is in a catalogue as well."""
    words = catalogue(language())
    facts = {
        name: words.gettext(fact) if fact and isinstance(fact, str) else fact for name, fact in error.facts.items()
    }
    text = words.gettext(error.text)
    return text.format(**facts) if facts else text


def of_the_log(word: str) -> str:
    """An action or a result of the audit log, which are English where they are written down."""
    return catalogue(language()).gettext(word) if word else ""


def mark(text: str) -> str:
    """Marks a sentence that stands in a table of the module; say it with `_` when it is shown."""
    return text


_ROLE_NAMES = {
    "clerk": mark("medewerker"),
    "team-lead": mark("teamleider"),
    "administrator": mark("beheerder"),
    "auditor": mark("controleur"),
}


def euros(cents: int) -> str:
    return format_currency(Decimal(cents) / 100, "EUR", locale=language())


def amount(number: int, unit: Unit) -> str:
    """An amount of a purse, in its unit."""
    if unit == "cent":
        return euros(number)
    return amount_words_en(number, unit) if language() == "en" else amount_words(number, unit)


def day(on: date) -> str:
    return format_date(on, "d MMMM y", locale=language())


def moment(at: datetime) -> str:
    return format_datetime(at.astimezone(_ZONE), "d MMM y HH:mm:ss", locale=language())


def role_name(role: str) -> str:
    return _(_ROLE_NAMES[role])


def teach(app: Flask) -> None:
    """Give the templates their words."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: catalogue(language()).gettext(text),
        lambda one, many, count: catalogue(language()).ngettext(one, many, count),
        newstyle=True,
    )
    app.jinja_env.filters.update(
        spoken=of_the_log,
        amount=amount,
        euros=euros,
        day=day,
        moment=moment,
        role_name=role_name,
        role_pair=lambda role: (role, role_name(role)),
        of_the_log=of_the_log,
    )
