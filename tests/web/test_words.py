"""Every sentence that all apps say is there in both languages, and no more."""

from tests.web.said import OF_ALL_APPS, catalogue, facts, refusals, sentences, words_of_the_log


def test_the_catalogue_holds_what_the_pages_say_in_english():
    held = catalogue(OF_ALL_APPS, "en")
    assert set(held) == sentences(OF_ALL_APPS)
    assert [text for text, entry in held.items() if not entry.string or entry.fuzzy or list(entry.check())] == []


def test_every_refusal_and_every_word_of_the_log_has_dutch():
    held = {text: entry.string for text, entry in catalogue(OF_ALL_APPS, "nl").items()}
    wanted = refusals(OF_ALL_APPS, {"Refusal"}) | words_of_the_log(OF_ALL_APPS)
    assert sorted(text for text in wanted if not held.get(text)) == []
    assert [text for text, said in held.items() if facts(text) != facts(said)] == []
