"""Words on the screen: Dutch stands in the pages, English in a catalogue; dates and money as people write them.

Dutch is the key of the catalogue. Mark a sentence with `_("...")`, in Python and in templates alike. Only
refusals are English in the code and Dutch in a catalogue, because a command line says them too.
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
from flask import Flask, current_app, g

from web.refusal import Refusal
from web.site import site

LANGUAGES = {"nl": "Nederlands", "en": "English"}
_ZONE = ZoneInfo("Europe/Amsterdam")
_FOLDER = Path(__file__).parent / "translations"
_EXTENSION = "translations"


@cache
def _compiled(folders: tuple[Path, ...], language: str) -> gettext.NullTranslations:
    """The sentences of the first folder, and for what it does not have those of the next."""
    path = folders[0] / language / "LC_MESSAGES" / "messages.po"
    binary = io.BytesIO()
    with path.open("rb") as file:
        write_mo(binary, read_po(file))
    binary.seek(0)
    made = gettext.GNUTranslations(binary)
    if folders[1:]:
        made.add_fallback(_compiled(folders[1:], language))
    return made


def catalogue(language: str) -> gettext.NullTranslations:
    """The catalogue of a language: of the app that answers the request, and behind it that of all apps."""
    return _compiled(current_app.extensions[_EXTENSION], language)


def language() -> str:
    """The language of this request."""
    chosen: str = g.get("language", "nl")
    return chosen


def _(text: str, **values: object) -> str:
    """A sentence in the language of this request, with `%(name)s` filled in."""
    said = catalogue(language()).gettext(text)
    return said % values if values else said


def said(error: Refusal) -> str:
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


def euros(cents: int) -> str:
    return format_currency(Decimal(cents) / 100, "EUR", locale=language())


def day(on: date | datetime) -> str:
    """A day; of a moment, the day that it was here."""
    on = on.astimezone(_ZONE).date() if isinstance(on, datetime) else on
    return format_date(on, "d MMMM y", locale=language())


def moment(at: datetime) -> str:
    return format_datetime(at.astimezone(_ZONE), "d MMM y HH:mm:ss", locale=language())


def role_name(role: str) -> str:
    return _(site().rights.names[role])


def teach(app: Flask, translations: Path) -> None:
    """Give the templates their words; `translations` is the folder of the app's own."""
    app.extensions[_EXTENSION] = (translations, _FOLDER)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: catalogue(language()).gettext(text),
        lambda one, many, count: catalogue(language()).ngettext(one, many, count),
        newstyle=True,
    )
    app.jinja_env.filters.update(
        spoken=of_the_log,
        euros=euros,
        day=day,
        moment=moment,
        role_name=role_name,
        role_pair=lambda role: (role, role_name(role)),
        of_the_log=of_the_log,
    )
