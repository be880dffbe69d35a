"""What went wrong, in words, with what to do about it."""

import traceback

from flask import Flask, render_template
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from web.attempts import LockedOut
from web.database import is_passing
from web.refusal import Refusal
from web.words import _, mark, said

# Title and what to do, for each answer that is not a page.
_WORDS = {
    400: (mark("Dit is niet gelukt"), mark("Ga terug, laad de pagina opnieuw en probeer het nog een keer.")),
    403: (mark("Dit mag u niet"), mark("Hiervoor is een andere rol nodig. Vraag het aan uw beheerder.")),
    404: (mark("Deze pagina is er niet"), mark("Kijk of het adres klopt, of ga terug naar het begin.")),
    405: (mark("Dit is niet gelukt"), mark("Ga terug naar het begin en probeer het nog een keer.")),
    413: (mark("Dit bestand is te groot"), mark("Maak het bestand kleiner, of deel het op in stukken.")),
    429: (mark("Te vaak geprobeerd"), mark("Wacht een kwartier en probeer het dan nog een keer.")),
    503: (mark("Dit lukt nu niet"), mark("De database is bezig. Er is niets verloren. Probeer het zo nog een keer.")),
    500: (mark("Er ging iets mis"), mark("Probeer het nog een keer. Blijft het misgaan? Bel dan uw beheerder.")),
}


def handle(app: Flask) -> None:
    """Give every error its page."""
    app.register_error_handler(CSRFError, lambda _error: _page(400))
    app.register_error_handler(HTTPException, lambda error: _page(error.code or 500))
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(Exception, lambda error: _broken(app, error))


def page(code: int, title: str, advice: str) -> tuple[str, int]:
    """An answer that is not what was asked for."""
    return render_template("error.html", title=title, advice=advice), code


def refusal_page(code: int, what_to_do: str) -> tuple[str, int]:
    """The same, with its own words for what to do."""
    return page(code, _(_words(code)[0]), what_to_do)


def _page(code: int) -> tuple[str, int]:
    title, advice = _words(code)
    return page(code, _(title), _(advice))


def _words(code: int) -> tuple[str, str]:
    return _WORDS.get(code, _WORDS[400 if code < 500 else 500])


def _refused(error: Refusal) -> tuple[str, int]:
    """A refusal that a page did not show itself; its text says what to do."""
    return refusal_page(429 if isinstance(error, LockedOut) else 400, said(error))


def _broken(app: Flask, error: Exception) -> tuple[str, int]:
    if isinstance(error, SQLAlchemyError) and is_passing(error):
        return _page(503)
    # Not the text of the error: a database puts the values of a row in it.
    app.logger.error("A page broke: %s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
    return _page(500)
