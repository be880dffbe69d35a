"""Every sentence of the pages of clearing is there in both languages, and every refusal has words."""

from pathlib import Path

import pytest

import backend.web
from backend.web.words import REFUSALS
from tests.web.said import OF_ALL_APPS, catalogue, refusals, sentences, words_of_the_log

WEB = Path(backend.web.__file__).parent
BACKEND = WEB.parent
_WRITERS = {"acting": (0,), "_write": (0, 2), "audit": (1, 3)}


def test_the_catalogue_holds_what_the_pages_say_in_english():
    held, of_all_apps = catalogue(WEB, "en"), set(catalogue(OF_ALL_APPS, "en"))
    assert sorted(sentences(WEB) - of_all_apps - set(held)) == []
    assert sorted(set(held) - (sentences(WEB) - of_all_apps)) == []
    assert [text for text, entry in held.items() if not entry.string or entry.fuzzy or list(entry.check())] == []


def test_every_word_of_the_log_has_dutch():
    held = {text for text, entry in catalogue(WEB, "nl").items() if entry.string} | set(catalogue(OF_ALL_APPS, "nl"))
    assert sorted(words_of_the_log(WEB, _WRITERS) - held) == []


@pytest.mark.parametrize("kind", REFUSALS)
def test_every_reason_for_which_a_page_can_be_refused_has_words(kind):
    # `?`: a state or a key, which the tests of the pages go through. No page asks for a terminal.
    assert sorted(refusals(BACKEND, {kind.__name__}) - {"?", "terminal"} - set(REFUSALS[kind])) == []
