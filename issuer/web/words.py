"""Amounts of a purse on the screen; all other words of a page are those of `web.words`."""

from issuer.scheme import Unit
from issuer.wording import amount_words, amount_words_en
from web.words import euros, language


def amount(number: int, unit: Unit) -> str:
    """An amount of a purse, in its unit."""
    if unit == "cent":
        return euros(number)
    return amount_words_en(number, unit) if language() == "en" else amount_words(number, unit)
