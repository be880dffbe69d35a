"""Every sentence of the desk is there in both languages, and its catalogue holds nothing that no screen says."""

from pathlib import Path

import issuer.web
from tests.web.said import OF_ALL_APPS, catalogue, facts, refusals, sentences, words_of_the_log

WEB = Path(issuer.web.__file__).parent
ISSUER = WEB.parent


def english():
    return catalogue(WEB, "en")


def dutch():
    return {text: entry.string for text, entry in catalogue(WEB, "nl").items()}


def of_all_apps(language):
    return set(catalogue(OF_ALL_APPS, language))


def test_every_sentence_has_english():
    held = english()
    there = {text for text, entry in held.items() if entry.string} | of_all_apps("en")
    assert sorted(sentences(WEB) - there) == []


def test_no_english_is_left_over_or_there_twice():
    assert sorted(set(english()) - sentences(WEB)) == []
    assert sorted(set(english()) & of_all_apps("en")) == []


def test_both_languages_fill_in_the_same_things():
    wrong = [entry.id for entry in english().values() if list(entry.check())]
    assert wrong == []


def test_nothing_is_half_done():
    assert [entry.id for entry in english().values() if entry.fuzzy] == []


# What is English in the code and Dutch in a catalogue. Files that an administrator writes (a scheme, the artwork) and
# the rows of an import say their faults in words of their own.


def test_every_refusal_has_dutch():
    held = dutch()
    said = refusals(ISSUER, {"DeskError"}, but={"SchemeError", "ArtworkRefused", "BadField", "BadFile"})
    assert sorted(text for text in said - of_all_apps("nl") if not held.get(text)) == []


def test_every_word_of_the_log_has_dutch():
    held = dutch()
    assert sorted(word for word in words_of_the_log(ISSUER) - of_all_apps("nl") if not held.get(word)) == []


def test_a_refusal_says_its_facts_in_both_languages():
    assert [text for text, said in dutch().items() if facts(text) != facts(said)] == []
