"""Every sentence on a screen is there in both languages, and the catalogue holds nothing that no screen says."""

import ast
import string
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import issuer.web

WEB = Path(issuer.web.__file__).parent
ISSUER = WEB.parent
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


# What is English in the code and Dutch in a catalogue.


def dutch():
    with (WEB / "translations/nl/LC_MESSAGES/messages.po").open("rb") as file:
        return {entry.id: entry.string for entry in read_po(file) if entry.id}


def modules():
    return [ast.parse(path.read_text()) for path in sorted(ISSUER.rglob("*.py"))]


def last_name(node):
    return ast.unparse(node).rpartition(".")[2]


def refusals() -> set[str]:
    """The texts of every DeskError. Files that an administrator writes (a scheme, the artwork) and the rows of an
    import say their faults in words of their own."""
    kinds, found = {"DeskError"}, set()
    classes = [node for tree in modules() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for _ in classes:
        kinds |= {each.name for each in classes if kinds & {last_name(base) for base in each.bases}}
    kinds -= {"SchemeError", "ArtworkRefused", "BadField", "BadFile"}
    # A class with one text of its own says it to `super().__init__`, and is raised with other things.
    # A class with one text of its own says it itself.
    own = [each for each in classes if each.name in kinds - {"DeskError"} and "__init__" in ast.unparse(each)]
    kinds -= {each.name for each in own}
    found |= {
        call.args[0].value
        for each in own
        for call in ast.walk(each)
        if last_name(getattr(call, "func", each)) == "__init__"
    }
    for tree in modules():
        assigned = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)]
        constants = {ast.unparse(node.targets[0]): node.value.value for node in assigned}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and last_name(node.func) in kinds and node.args:
                text = node.args[0]
                found.add(text.value if isinstance(text, ast.Constant) else constants.get(ast.unparse(text), "?"))
    return found


def words_of_the_log() -> set[str]:
    """Actions and results that are written down as they stand."""
    calls = [node for tree in modules() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    parts = [part for call in calls if last_name(call.func) == "audit" for part in (call.args[1:2] + call.args[3:4])]
    plain = [part for part in parts if isinstance(part, ast.Constant | ast.IfExp)]
    choices = [(part.body, part.orelse) if isinstance(part, ast.IfExp) else (part,) for part in plain]
    return {choice.value for each in choices for choice in each}


def test_every_refusal_has_dutch():
    held = dutch()
    assert sorted(text for text in refusals() if not held.get(text)) == []


def test_every_word_of_the_log_has_dutch():
    held = dutch()
    assert sorted(word for word in words_of_the_log() if not held.get(word)) == []


def test_a_refusal_says_its_facts_in_both_languages():
    def facts(text):
        return sorted(field for _, field, _, _ in string.Formatter().parse(text) if field is not None)

    assert [text for text, said in dutch().items() if facts(text) != facts(said)] == []
