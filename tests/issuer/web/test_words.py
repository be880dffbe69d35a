"""Every sentence on a screen is there in both languages, and the catalogue holds nothing that no screen says."""

from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import issuer.web

WEB = Path(issuer.web.__file__).parent
KEYWORDS = {"_": None, "mark": None, "gettext": None, "ngettext": (1, 2)}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"templates/**.html": {"trimmed": "true"}}


def said() -> set[str]:
    found = extract_from_dir(WEB, METHODS, OPTIONS, KEYWORDS)
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


def english():
    with (WEB / "translations/en/LC_MESSAGES/messages.po").open("rb") as file:
        return {entry.id if isinstance(entry.id, str) else entry.id[0]: entry for entry in read_po(file) if entry.id}


def test_every_sentence_has_english():
    held = english()
    assert sorted(sentence for sentence in said() if sentence not in held or not held[sentence].string) == []


def test_no_english_is_left_over():
    assert sorted(set(english()) - said()) == []


def test_both_languages_fill_in_the_same_things():
    wrong = [entry.id for entry in english().values() if list(entry.check())]
    assert wrong == []


def test_nothing_is_half_done():
    assert [entry.id for entry in english().values() if entry.fuzzy] == []
