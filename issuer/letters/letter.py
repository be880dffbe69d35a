"""One letter as HTML: facts of a message, put in the words of a template."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from issuer.letters.office import Office
from issuer.letters.recipient import Recipient
from issuer.registry.tables import Message
from issuer.wording import Words, amount_in_words, day

# How the parents of a child are called on an envelope.
_PARENTS = {"nl": "Ouders of verzorgers van", "en": "Parents or carers of"}

_templates = Environment(
    loader=PackageLoader("issuer.letters"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


@dataclass(frozen=True)
class Letter:
    """A letter that can be printed. `postcode` is what a batch is sorted by."""

    message: Message
    postcode: str
    html: str


def write_letter(message: Message, to: Recipient, office: Office, on: date) -> Letter:
    """The letter of a message, dated on a day."""
    language = message.language
    facts = {key: _told(key, value, language) for key, value in message.facts.items()}
    template = _templates.get_template(f"{language}/{message.kind}.html")
    html = template.render(
        facts=facts,
        reference=f"{message.made_on.year}-{message.id:06}",
        today=_day(language, on),
        to=to.address(_PARENTS[language]),
        child=to.child,
        name=to.name,
        office=office,
        words=office.words[language],
        language=language,
    )
    return Letter(message, to.household.postcode, html)


def _told(key: str, value: Any, language: str) -> Any:
    """A fact as a reader reads it."""
    if key in ("from", "until") and value is not None:
        return _day(language, date.fromisoformat(value))
    if key == "budgets":
        return [
            {"name": each["name"], "amount": _in(language, amount_in_words(each["amount"], each["unit"]))}
            for each in value
        ]
    if key == "reasons":
        return [dutch if language == "nl" else english for dutch, english in value]
    return value


def _day(language: str, on: date) -> str:
    """A day, which stays on one line."""
    return _in(language, day(on)).replace(" ", "\N{NO-BREAK SPACE}")


def _in(language: str, words: Words) -> str:
    return words.nl if language == "nl" else words.en
